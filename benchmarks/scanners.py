"""What scanners do, on scanners that no training saw: forward models that are not trained on, and independent noise.

    python -m benchmarks.scanners --data DIR [--scales 2 4] [--model NAME ...] [--out benchmarks/scanners.md]

DIR holds test volumes under folders called "test". Of each, ten slices in the middle are made coarse, noise is added
afterwards, and every method brings them back; the model as `enhance` runs it. Rows beside --out are not measured again
for the same weights. The page is written from all rows.
"""

import argparse
import time
from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np

from benchmarks import results
from benchmarks.results import Row
from benchmarks.scanner_measures import measures
from benchmarks.scanners_report import DENOISED, report
from SuperResolutionLib import files
from SuperResolutionLib.geometry.grid import middle_slices, stacking_axis, stacks
from SuperResolutionLib.geometry.sampling import Sampling
from SuperResolutionLib.intensity import data_range, head
from SuperResolutionLib.methods import zoo
from SuperResolutionLib.methods.catalogue import choose_model
from SuperResolutionLib.methods.classical import upsample
from SuperResolutionLib.methods.method import Runtime
from SuperResolutionLib.methods.network import NetworkMethod
from SuperResolutionLib.physics.degradation import degrade
from SuperResolutionLib.physics.forward_models import rician_noise
from SuperResolutionLib.physics.interpolating import METHODS
from SuperResolutionLib.physics.transfer import Transfer
from SuperResolutionLib.progress import finish
from SuperResolutionLib.study.subjects import Scan, held_out
from SuperResolutionLib.training.blanked import blanked
from SuperResolutionLib.volume import Volume

AS_IT_IS = ""  # the forward model of a row in which the scan itself was enhanced
WAYS = ("k_space", "partial_fourier", "elliptic", "t2_star", "interpolated", "bicubic", AS_IT_IS)
SNRS = {"k_space": (0, 40, 20), "partial_fourier": (0, 40), "elliptic": (0, 40), "t2_star": (0, 40)}
SEEDS = (0, 1, 2)
SLICES, BESIDE = 10, 2  # that are scored, and on each side of them, for networks look at neighbours
FACED, MARGIN = ("uih_umr770_134434_T1w_1mm",), 8  # voxels around a blanked face that are not scored


@dataclass(frozen=True, eq=False)
class Part:
    """The middle of a scan: `fine` with BESIDE more slices on each side; what is scored, range 1, and where."""

    fine: Volume
    axis: int
    truth: np.ndarray
    inside: np.ndarray


def parts(options: argparse.Namespace) -> Iterator[tuple[zoo.Model, Scan, Part]]:
    """What is to be measured: each model that is meant, and the structural test volumes. options: of `add_choice`."""
    models = [choose_model(name, None) for name in options.model or []]
    for model in models or [choose_model(None, scale) for scale in options.scales]:
        for scan in held_out(options.data):
            if options.scans and scan.name not in options.scans:
                continue
            volume = files.read(scan.path)
            if volume.count == 1:
                yield model, scan, part_of(scan.name, volume, model.card.scale)


def add_choice(parser: argparse.ArgumentParser) -> None:
    """Which models and which test volumes are measured."""
    parser.add_argument("--data", type=Path, required=True)
    parser.add_argument("--scales", type=int, nargs="+", default=[2, 4])
    parser.add_argument("--model", nargs="+", help="these in place of the models that `enhance` takes by itself")
    parser.add_argument("--scans", nargs="+", help="these test volumes, by name")


def part_of(name: str, volume: Volume, scale: int) -> Part:
    """The slices of a scan that are measured, cropped to what the scale divides. name: of the scan."""
    axis = stacking_axis(volume)
    scored = head(volume.voxels)
    if name in FACED:
        scored &= ~blanked(volume.voxels, MARGIN)
    whole = Sampling(factor=scale)
    fine = whole.cropped(middle_slices(volume.cast(np.float32), axis, SLICES + 2 * BESIDE))
    where = whole.cropped(middle_slices(volume.with_voxels(scored.astype(np.float32)), axis, SLICES + 2 * BESIDE))
    middle = slice(BESIDE, -BESIDE)
    unit = data_range(stacks(fine, axis)[0][middle])
    return Part(fine, axis, stacks(fine, axis)[0][middle] / unit, stacks(where, axis)[0][middle] > 0.5)


def coarse_of(part: Part, way: str, snr: int, scale: int, seed: int) -> Volume:
    """The scan made coarse, with Rician noise of its own afterwards."""
    low = degrade(part.fine, way, scale, seed=seed)
    if not snr:
        return low
    rng = np.random.default_rng(seed)
    sigma = float(low.voxels[head(low.voxels)].mean()) / snr
    return low.with_voxels(rician_noise(low.voxels, sigma, rng))


def denoised(low: Volume, snr: int) -> Volume:
    """A scan without most of its noise, whose deviation is told: non-local means of DIPY, for Rician noise."""
    from dipy.denoise.nlmeans import nlmeans

    sigma = float(low.voxels[head(low.voxels)].mean()) / snr
    cleared = nlmeans(low.voxels.astype(np.float64), sigma=sigma, patch_radius=1, block_radius=3, rician=True)
    return low.with_voxels(cleared.astype(np.float32))


def methods(part: Part, low: Volume, snr: int, scale: int) -> Iterator[tuple[str, Volume]]:
    """Every classical result."""
    for method in METHODS:
        yield method, upsample(low, method, scale)
    if snr:
        yield DENOISED, upsample(denoised(low, snr), "sinc", scale)


def measure(part: Part, row: Row, snr: int, model: zoo.Model) -> Row:
    """A row with all its figures."""
    low = coarse_of(part, row.degradation.partition(", ")[0], snr, row.scale, row.seed)
    work = NetworkMethod(model).restore(low, Sampling(factor=row.scale), Runtime())
    ours = finish(work)
    made = [*methods(part, low, snr, row.scale), (row.model, ours.volume)]
    unit = data_range(stacks(part.fine, part.axis)[0][BESIDE:-BESIDE])
    scores = {
        name: measures(part.truth, stacks(volume, part.axis)[0][BESIDE:-BESIDE] / unit, part.inside, row.scale)
        for name, volume in made
    }
    return replace(row, figures={"scores": scores, "recognised": ours.record.recognised[:1]})


def as_it_is(part: Part, row: Row, model: zoo.Model) -> Row:
    """The scan itself enhanced, and shown again by the scanner that is likeliest for it: how near it comes, in dB.

    Each result has its own likeliest scanner (`physics.transfer`), so a method that adds nothing is at no disadvantage.
    """
    asked, unit = Sampling(factor=row.scale), data_range(stacks(part.fine, part.axis)[0])
    ways = {name: upsample(part.fine, name, row.scale) for name in ("bicubic", "sinc")}
    ways[row.model] = finish(NetworkMethod(model).restore(part.fine, asked, Runtime())).volume
    scan = stacks(part.fine, part.axis)[0] / unit
    return replace(
        row, figures={"agreement": {name: shown_again(v, scan, part.axis, unit) for name, v in ways.items()}}
    )


def shown_again(volume: Volume, scan: np.ndarray, axis: int, unit: float) -> float:
    """PSNR (dB) of what the likeliest scanner shows of a volume, against the scan (n, h, w), range 1."""
    fine = stacks(volume, axis)[0] / unit
    return Transfer.between(fine, scan).agreement(fine, scan)


def wanted(only: list[str] | None) -> Iterator[tuple[str, int, int]]:
    """Every way, its noise and seeds."""
    for way in WAYS:
        for snr in SNRS.get(way, (0,)):
            if only is None or way in only:
                yield from ((way, snr, seed) for seed in (SEEDS if snr else SEEDS[:1]))


def name_of(way: str, snr: int) -> str:
    """A forward model and its noise in words."""
    return f"{way}, SNR {snr}" if snr else way


def main() -> None:
    """Measure what is not yet measured, then write the page."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    add_choice(parser)
    parser.add_argument("--only", nargs="+", choices=WAYS, help="these forward models")
    parser.add_argument("--out", type=Path, default=Path("benchmarks/scanners.md"))
    parser.add_argument("--minutes", type=float, default=float("inf"), help="stop measuring after this long")
    options = parser.parse_args()
    began, path = time.monotonic(), results.beside(options.out)
    for model, scan, part in parts(options):
        card = model.card
        for way, snr, seed in wanted(options.only):
            row = Row(card.name, scan.name, name_of(way, snr), card.scale, seed, SLICES, {card.name: card.sha256})
            there = results.find(results.load(path), model=row.model, scan=row.scan, scale=row.scale,
                                 degradation=row.degradation, seed=seed, sha256=row.sha256)  # fmt: skip
            if there is None and time.monotonic() - began < options.minutes * 60:
                results.put(measure(part, row, snr, model) if way else as_it_is(part, row, model), path)
                print(f"{time.monotonic() - began:6.0f} s  {' '.join(map(str, row.identity))}", flush=True)
    options.out.write_text(report(results.load(path)), encoding="utf-8")


if __name__ == "__main__":
    main()
