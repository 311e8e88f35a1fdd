"""Is a small lesion weakened? Blobs painted into scans before these are made coarse, and how much of them comes back.

    python -m benchmarks.lesions --data DIR [--scales 2 4] [--model NAME ...] [--out benchmarks/lesions.md]

DIR holds test volumes under folders called "test". Bright and dark discs with a soft edge, of 1 to 4 coarse voxels and
5 to 40 % of what is around them, are painted into flat tissue; the scan is made coarse with and without them, with the
same noise, and restored. What comes back of a blob is the part of the difference that has its form: 1 is all of it.
"""

import argparse
from collections.abc import Iterator
from dataclasses import replace
from itertools import product
from pathlib import Path

import numpy as np
from scipy.ndimage import gaussian_filter, uniform_filter

from benchmarks import results
from benchmarks.lesions_report import report
from benchmarks.results import Row
from benchmarks.scanners import BESIDE, Part, add_choice, coarse_of, name_of, parts
from SuperResolutionLib.geometry.grid import stacks
from SuperResolutionLib.geometry.sampling import Sampling
from SuperResolutionLib.methods import zoo
from SuperResolutionLib.methods.classical import upsample
from SuperResolutionLib.methods.method import Runtime
from SuperResolutionLib.methods.network import NetworkMethod
from SuperResolutionLib.progress import finish
from SuperResolutionLib.volume import Volume

DIAMETERS = (1.0, 1.5, 2.0, 3.0, 4.0)  # coarse voxels
CONTRASTS = (-0.4, -0.2, -0.1, -0.05, 0.05, 0.1, 0.2, 0.4)  # of the tissue around
WAYS = (("k_space", 0), ("k_space", 20), ("partial_fourier", 0))
APART = 12  # coarse voxels between the centres of two blobs
EDGE = 0.15  # coarse voxels, of the Gaussian that softens a disc


def blobs(part: Part, scale: int, seed: int) -> Iterator[tuple[np.ndarray, float, float]]:
    """Of one blob each: its form on the fine slices, 1 inside; its diameter in coarse voxels; its contrast.

    Every diameter with every contrast, in random order, where the tissue is flattest.
    """
    rng = np.random.default_rng(seed)
    kinds = list(product(DIAMETERS, CONTRASTS))
    for (k, y, x), which in zip(places(part, scale, len(kinds)), rng.permutation(len(kinds)), strict=False):
        diameter, contrast = kinds[which]
        form = np.zeros_like(part.truth)
        rows, columns = np.indices(form.shape[1:])
        disc = (np.hypot(rows - y, columns - x) <= diameter * scale / 2).astype(np.float64)
        form[k] = gaussian_filter(disc, EDGE * scale)
        form[[k - 1, k + 1]] = 0.5 * form[k]
        yield form, diameter, contrast


def places(part: Part, scale: int, count: int) -> list[tuple[int, int, int]]:
    """Slices, rows and columns in the head, the flattest first, none near another."""
    width = 5 * scale
    mean = uniform_filter(part.truth, (0, width, width))
    rough = np.sqrt(np.maximum(uniform_filter(part.truth**2, (0, width, width)) - mean**2, 0)) / (mean + 0.01)
    rough[uniform_filter(part.inside.astype(np.float32), (0, width, width)) < 0.999] = np.inf
    rough[[0, -1]] = np.inf
    found: list[tuple[int, int, int]] = []
    reach = APART * scale
    while len(found) < count:
        k, y, x = (int(i) for i in np.unravel_index(rough.argmin(), rough.shape))
        if not np.isfinite(rough[k, y, x]):
            break
        found.append((k, y, x))
        rough[max(0, k - 2) : k + 3, max(0, y - reach) : y + reach, max(0, x - reach) : x + reach] = np.inf
    return found


def painted(part: Part, made: list[tuple[np.ndarray, float, float]]) -> Part:
    """The part with blobs in it."""
    factor = 1 + np.sum([contrast * form for form, _, contrast in made], axis=0)
    voxels = part.fine.voxels.copy()
    stacks(part.fine.with_voxels(voxels), part.axis)[0][BESIDE:-BESIDE] *= factor.astype(voxels.dtype)
    return replace(part, fine=part.fine.with_voxels(voxels))


def measure(part: Part, row: Row, way: tuple[str, int], model: zoo.Model) -> Row:
    """What comes back of each blob: by sinc and by the model."""
    made = list(blobs(part, row.scale, row.seed))
    pair = [coarse_of(one, *way, row.scale, row.seed) for one in (painted(part, made), part)]
    asked = Sampling(factor=row.scale)
    found: dict[str, list[list[float]]] = {}
    for name in ("sinc", row.model):
        fine = [_restored(low, name, model, asked) for low in pair]
        away = np.subtract(*(stacks(v, part.axis)[0][BESIDE:-BESIDE].astype(np.float64) for v in fine))
        tissue = stacks(part.fine, part.axis)[0][BESIDE:-BESIDE]
        found[name] = [[d, c, _share(away, c * form * tissue)] for form, d, c in made]
    return replace(row, figures={"blobs": found})


def _restored(low: Volume, name: str, model: zoo.Model, asked: Sampling) -> Volume:
    if name == "sinc":
        return upsample(low, "sinc", sampling=asked)
    return finish(NetworkMethod(model).restore(low, asked, Runtime())).volume


def _share(away: np.ndarray, blob: np.ndarray) -> float:
    """The part of a difference that has the form of a blob, as a share of the blob."""
    return float((away * blob).sum() / np.square(blob).sum())


def main() -> None:
    """Measure what is not yet measured, then write the page."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    add_choice(parser)
    parser.add_argument("--out", type=Path, default=Path("benchmarks/lesions.md"))
    options = parser.parse_args()
    path = results.beside(options.out)
    for model, scan, part in parts(options):
        card = model.card
        for way in WAYS:
            row = Row(card.name, scan.name, name_of(*way), card.scale, sha256={card.name: card.sha256})
            rows = results.select(results.load(path), sha256=row.sha256)
            if all(one.identity != row.identity for one in rows):
                results.put(measure(part, row, way, model), path)
                print(" ".join(map(str, row.identity)), flush=True)
    options.out.write_text(report(results.load(path)), encoding="utf-8")


if __name__ == "__main__":
    main()
