"""Thick slices restored on the truth's grid, by every classical method and by the network (PROTOCOL, "Thick slices").

    python -m benchmarks.thick --data DIR [--model mri-iso.safetensors] [--reformats 16] [--volumes ...] [--minutes 60]

Each volume is sliced along one axis, noise is added afterwards, and every method brings it back; the network as
`enhance` runs it, by the mean of both orientations. Rows go into benchmarks/thick.jsonl and are not measured again for
the same weights; without --model only the classical methods are measured. benchmarks/thick.md is written from them.
"""

import argparse
import time
from collections.abc import Iterator
from dataclasses import asdict, dataclass, replace
from pathlib import Path

import numpy as np

from benchmarks import results
from benchmarks.results import Row
from benchmarks.thick_bent import SCALE, bent
from benchmarks.thick_measures import measures
from benchmarks.thick_report import BENT, NETWORK, report
from SuperResolutionLib.intensity import data_range, head
from SuperResolutionLib.methods import zoo
from SuperResolutionLib.methods.thick_slices import restore
from SuperResolutionLib.networks.through_plane import Scene, ThroughPlane
from SuperResolutionLib.physics.interpolating import METHODS, matrix_at, positions
from SuperResolutionLib.physics.slice_profile import Slices, deconvolution
from SuperResolutionLib.training.through_plane.scans import Scan, read
from SuperResolutionLib.training.through_plane.thick_recipe import ThickGroup

# file -> the axis that plays the slice axis; openms, whose own slices are thick, is a proxy: an axis in its plane
VOLUMES = {
    "ds002748_sub-28_T1w": "z",
    "uih_umr770_134434_T1w_1mm": "z",
    "arc_M2307_T2w_stroke": "z",
    "ds002748_sub-29_T1w": "z",
    "ds002748_sub-30_T1w": "z",
    "openms_patient01_FLAIR": "y",
    "openms_patient01_T2W": "y",
}
FACED, MARGIN = ("uih_umr770_134434_T1w_1mm",), 8  # voxels around a blanked face that are not scored
PAIRS = ((4.0, 4.0), (2.0, 2.0), (3.0, 4.0), (6.0, 6.0), (3.0, 3.0), (4.0, 4.6), (5.0, 6.0))  # thickness, spacing: mm
WRONG = (4.0, 4.0, 0.75), (4.0, 4.0, 1.25)  # thickness, spacing, what the header says of the thickness
PROFILES = ("gaussian", "box")
SNRS = (0, 40, 20)  # 0: no noise
WEIGHTS = {0: 3e-3, 40: 3e-2, 20: 1e-1}  # of the deconvolution, chosen on ds002748_sub-40
BESIDE = 16  # reformats on each side that are restored with those that are scored


@dataclass(frozen=True)
class Way:
    """One way of slicing: mm, the factor of the thickness that the header says, and the noise."""

    thickness: float
    spacing: float
    told: float
    profile: str
    snr: int

    @property
    def name(self) -> str:
        """The forward model in words, and what the header says where that is wrong."""
        noise = f",snr={self.snr}" if self.snr else ""
        told = f", told {self.told:g} of the thickness" if self.told != 1 else ""
        return f"slices:spacing={self.spacing:g},thickness={self.thickness:g},profile={self.profile}{noise}{told}"

    def slices(self, believed: bool = False) -> Slices:
        """The forward model, or what the header says of it; the profile is known to both."""
        return Slices(self.spacing, self.thickness * (self.told if believed else 1), self.profile)


@dataclass(frozen=True, eq=False)
class Block:
    """Reformats in the middle of a volume: voxels (reformats, rows, columns) of range 1; mm along these axes.

    wide: the same with `BESIDE` more reformats on each side: a network looks at neighbours, and in the other
    orientation they are columns. level: mean of the volume's head. inside: where the truth is head, and nothing was
    blanked.
    """

    wide: np.ndarray
    spacing: tuple[float, float, float]
    level: float
    inside: np.ndarray

    @property
    def truth(self) -> np.ndarray:
        """The reformats that are scored."""
        return self.wide[BESIDE:-BESIDE]

    def scene(self, way: Way) -> Scene:
        """What a network is told: the header's thickness."""
        beside, voxel, pixel = self.spacing
        return Scene(way.spacing, way.thickness * way.told, voxel, pixel, beside)


def block(scan: Scan, letter: str, reformats: int) -> Block:
    """The middle `reformats` reformats of a scan that contain the slice axis, and the x axis where that is another."""
    along = 2 - "xyz".index(letter)
    columns = 1 if along == 2 else 2
    order = (3 - along - columns, along, columns)
    view = scan.voxels.transpose(order)
    first = max(BESIDE, (len(view) - reformats) // 2)
    last = min(len(view) - BESIDE, first + reformats)
    scored = head(scan.voxels) if scan.trusted is None else head(scan.voxels) & scan.trusted
    inside = scored.transpose(order)[first:last]
    level = float(scan.voxels[head(scan.voxels)].mean())
    beside, voxel, pixel = (scan.spacing[k] for k in order)
    return Block(np.ascontiguousarray(view[first - BESIDE : last + BESIDE]), (beside, voxel, pixel), level, inside)


def sliced(part: Block, way: Way) -> np.ndarray:
    """The thick slices: (reformats + 2 BESIDE, slices, columns) float32; noise of a seed that is always the same."""
    forward = way.slices().matrix(part.wide.shape[1], part.spacing[1]).astype(np.float32)
    thick = forward @ part.wide
    if not way.snr:
        return thick
    noise = np.random.default_rng(0).standard_normal((2, *thick.shape), dtype=np.float32) * part.level / way.snr
    return np.hypot(thick + noise[0], noise[1])


def classical(part: Block, way: Way) -> Iterator[tuple[str, np.ndarray]]:
    """Every classical method's result, (reformats, rows, columns)."""
    thick = sliced(part, way)
    rows, count = part.truth.shape[1], thick.shape[1]
    position = positions(rows, part.spacing[1], way.spacing)
    for method in METHODS:
        yield method, matrix_at(method, count, position) @ thick[BESIDE:-BESIDE]
    sharp = deconvolution(way.slices(believed=True), rows, part.spacing[1], WEIGHTS[way.snr])
    yield "deconvolution", sharp.astype(np.float32) @ thick[BESIDE:-BESIDE]


def by_network(part: Block, way: Way, network: ThroughPlane) -> np.ndarray:
    """The network's result, (reformats, rows, columns): the mean of both orientations."""
    thick, rows, scene = sliced(part, way), part.truth.shape[1], part.scene(way)
    unit = np.float32(data_range(thick))  # what a user's scan is divided by
    one = restore(network, thick / unit, rows, scene, slice(BESIDE, -BESIDE))
    turned = replace(scene, pixel=scene.beside, beside=scene.pixel)
    other = restore(network, thick.transpose(2, 1, 0) / unit, rows, turned)[:, :, BESIDE:-BESIDE]
    return unit * (one + other.transpose(2, 1, 0)) / 2


def ways() -> Iterator[Way]:
    """All ways of slicing, those that matter most first."""
    for index, (thickness, spacing) in enumerate(PAIRS):
        for snr in SNRS:
            for profile in PROFILES:
                yield Way(thickness, spacing, 1.0, profile, snr)
        if index == 1:
            yield from (Way(t, s, told, profile, 0) for t, s, told in WRONG for profile in PROFILES)


def measured(name: str, part: Block, way: Way, network: ThroughPlane | None) -> Row:
    """A row of all classical methods and, where there is one, the network; and of the bent one where it fits."""
    results = dict(classical(part, way))
    if network is not None:
        results[NETWORK] = by_network(part, way, network)
        if way.spacing == SCALE * part.spacing[1] and sliced(part, way).shape[1] * SCALE == part.truth.shape[1]:
            thick = sliced(part, way)[BESIDE:-BESIDE]
            results[BENT] = bent(thick, Slices(way.spacing, way.thickness * way.told), part.spacing[1])
    period = way.spacing / part.spacing[1]
    figures = {method: measures(part.truth, image, part.inside, period) for method, image in results.items()}
    return Row(NETWORK, name, way.name, 1, slices=len(part.truth), figures={**asdict(way), "methods": figures})


def main() -> None:
    """Measure what is not yet measured, for so many minutes, then write the page."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--data", type=Path, required=True)
    parser.add_argument("--model", help="mri-iso, or a .safetensors file with its card")
    parser.add_argument("--reformats", type=int, default=16)
    parser.add_argument("--volumes", nargs="+", default=list(VOLUMES))
    parser.add_argument("--minutes", type=float, default=float("inf"))
    parser.add_argument("--out", type=Path, default=Path("benchmarks/thick.md"))
    given = parser.parse_args()
    model = zoo.load(given.model) if given.model else None
    sha256 = {} if model is None else {NETWORK: model.card.sha256}
    store, end = results.beside(given.out), time.monotonic() + 60 * given.minutes
    paths = {path.name.split(".")[0]: path for path in given.data.rglob("*.nii.gz")}
    for name in given.volumes:
        scan = read(paths[name], ThickGroup(margin=MARGIN if name in FACED else 0))
        part = block(scan, VOLUMES[name], given.reformats)
        for way in ways():
            there = results.find(results.load(store), scan=name, degradation=way.name)
            if (there is not None and there.sha256 == sha256) or time.monotonic() > end:
                continue
            row = measured(name, part, way, None if model is None else model.network)  # type: ignore[arg-type]
            results.put(replace(row, sha256=sha256), store)
            print(name, way.name, " ".join(f"{m} {f['psnr_head']:.2f}" for m, f in row["methods"].items()), flush=True)
    given.out.write_text(report(results.load(store)), encoding="utf-8")


if __name__ == "__main__":
    main()
