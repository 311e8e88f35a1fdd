"""Held-out quality: every test volume x degradation x scale, every classical method and our models.

    python -m benchmarks.heldout --data DIR [--scales 2 4] [--scans NAME ...] [--out benchmarks/heldout.md]

DIR holds test volumes under folders called "test" (or is a folder of your own volumes, each taken as a test
volume). Those of scanners that no training saw have a page of their own (benchmarks.scanners) and no row here. Rows
that are already beside --out, for the same model file, are not computed again.
"""

import argparse
import time
from collections.abc import Iterator
from dataclasses import asdict, replace
from pathlib import Path
from typing import Any

import numpy as np
from skimage.registration import phase_cross_correlation

from benchmarks import results
from benchmarks.heldout_report import AS_IT_IS, report
from benchmarks.results import Row
from benchmarks.scanners_report import NEVER
from SuperResolutionLib import files
from SuperResolutionLib.api import compare, enhance
from SuperResolutionLib.geometry.grid import anatomical_plane, middle_slices, stacking_axis, stacks
from SuperResolutionLib.geometry.neighbours import neighbours
from SuperResolutionLib.geometry.sampling import Sampling
from SuperResolutionLib.intensity import data_range, head
from SuperResolutionLib.methods import zoo
from SuperResolutionLib.methods.batches import choose_settings, run_network
from SuperResolutionLib.methods.catalogue import choose_model
from SuperResolutionLib.methods.classical import upsample
from SuperResolutionLib.methods.method import Runtime
from SuperResolutionLib.methods.network import NetworkMethod
from SuperResolutionLib.physics.agreement import consistent, put_back
from SuperResolutionLib.physics.interpolating import METHODS
from SuperResolutionLib.physics.recognition import Recogniser
from SuperResolutionLib.progress import finish
from SuperResolutionLib.quality.comparison import Experiment
from SuperResolutionLib.quality.metrics import score
from SuperResolutionLib.quality.recoarsening import agreement
from SuperResolutionLib.study.subjects import Scan, held_out
from SuperResolutionLib.volume import Volume

CLEAN = ("bicubic", "area", "k_space", "bicubic_blur3", "k_space_hamming", "k_space_tukey", "gauss_bicubic")
NOISY = ("noise_down", "noise_down:level=0.05", "rician:snr=20", "rician:snr=40")
SEEDS = (0, 1, 2)
MIDDLE = 24  # slices in the middle of a volume, where a figure is not of all of them
SOME = 4  # volumes of a series: enough to see whether a network helps
ENSEMBLE_EVERY = 12  # the ensemble, eight times as slow, is measured on every twelfth slice only


def cases() -> list[tuple[str, int]]:
    """Every degradation with its seeds; noise-free ones need only one."""
    return [(name, 0) for name in CLEAN] + [(name, seed) for name in NOISY for seed in SEEDS]


def measure(volume: Volume, degradation: str, seed: int, scale: int, model: zoo.Model) -> dict[str, Any]:
    """One row: scores of every classical method, the model, the model made consistent, and the ensemble's gain."""
    name = model.card.name
    with_ssim = seed == 0
    coarsely = Experiment(
        degradation=degradation, sampling=Sampling(factor=scale), seed=seed, keep=True, with_ssim=with_ssim
    )
    result = compare(volume, coarsely, methods=[*METHODS, model])
    scores = {row.method: row.score for row in result.rows}
    own = next(row for row in result.rows if row.method == name)
    assert own.restored is not None
    assert own.record is not None
    axis, back = result.axis, result.back
    kept = consistent(result.low, own.restored, back.plane)
    scores[f"{name} consistent"] = score(result.truth, kept, axis, with_ssim=with_ssim)
    kept_figures = ("psnr", "psnr_head", "ssim")
    row: dict[str, Any] = {
        "scores": {m: {f: v for f, v in asdict(s).items() if f in kept_figures} for m, s in scores.items()},
    }
    if seed == 0 and volume.count == 1 and degradation in CLEAN[:4]:
        if model.card.recognition:
            work = NetworkMethod(model, put_back="none").restore(result.low, back, Runtime(ensemble=False))
            row["alone"] = score(result.truth, finish(work).volume, axis, with_ssim=False).psnr_head
            row["recognised"] = own.record.recognised[0]
        row["ensemble"] = ensemble_gain(result.truth, result.low, axis, model)
    return row


def shifts(volume: Volume, degradation: str, seed: int, scale: int, model: zoo.Model) -> dict[str, float]:
    """How far (voxels, along rows or columns) each method's result lies off the truth."""
    axis = stacking_axis(volume)
    part, plane = middle_slices(beginning(volume, 1), axis, MIDDLE), anatomical_plane(volume)
    coarsely = Experiment(
        degradation=degradation, sampling=Sampling(factor=scale, plane=plane), seed=seed, keep=True, with_ssim=False
    )
    result = compare(part, coarsely, methods=[*METHODS, model])
    fine = stacks(result.truth, axis)[0]
    return {r.method: shift(fine, stacks(r.restored, axis)[0]) for r in result.rows if r.restored is not None}


def shift(fine: np.ndarray, mended: np.ndarray) -> float:
    """How far slices lie off others: phase correlation, mean over the slices.

    Of one slice it says little: aliasing and noise, another one's in every slice, move the peak too.
    """
    pairs = zip(fine, mended, strict=True)
    found = [phase_cross_correlation(*pair, upsample_factor=100, normalization=None)[0] for pair in pairs]
    return float(np.abs(np.mean(found, axis=0)).max())


def ensemble_gain(truth: Volume, low: Volume, axis: int, model: zoo.Model) -> float:
    """dB of psnr_head that the ensemble adds, over every twelfth slice."""
    source, fine = (stacks(v, axis)[0] for v in (low, truth))
    picked = np.arange(ENSEMBLE_EVERY // 2, len(source), ENSEMBLE_EVERY)
    scale = np.float32(data_range(source))
    windows = source[neighbours(picked, len(source), model.card.slices)] / scale
    inside = head(fine)[picked]
    errors = []
    for ensemble in (False, True):
        settings = choose_settings(model, source, Runtime(ensemble=ensemble or None))
        made = np.concatenate([run_network(model.network, w[None], settings) for w in windows]) * scale
        if model.card.recognition:
            name = Recogniser.of(model.card.recognition).model_of(made / scale, source[picked] / scale)
            put_back(Volume(source[picked]), Volume(made), 2, [name], "recognised")
        errors.append(np.square(made - fine[picked])[inside].mean())
    return float(10 * np.log10(errors[0] / errors[1]))


def native_agreement(volume: Volume, scale: int, model: zoo.Model) -> dict[str, dict[str, float]]:
    """The scan itself enhanced and degraded again, against the scan: dB by degradation and method.

    The slices in the middle (of the first volume of a series): forward models work slice by slice.
    """
    low = middle_slices(beginning(volume, 1), stacking_axis(volume), MIDDLE).cast(np.float32)
    enhanced = enhance(low, model)
    kept = consistent(low, enhanced)
    ways = {model.card.name: enhanced, "consistent": kept, "bicubic": upsample(low, "bicubic", scale)}
    return {d: {w: agreement(low, v, d) for w, v in ways.items()} for d in CLEAN}


def beginning(volume: Volume, count: int) -> Volume:
    """The first volumes of a series, without their gradients: a sample in bearable time."""
    if volume.count <= count:
        return volume
    return Volume(volume.voxels[:count], volume.spacing, volume.origin, volume.direction)


def main() -> None:
    """Measure what is not yet measured, then write the report."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--data", type=Path, required=True)
    parser.add_argument("--scales", type=int, nargs="+", default=[2, 4])
    parser.add_argument("--scans", nargs="+", metavar="NAME", help="these test volumes alone")
    parser.add_argument("--out", type=Path, default=Path("benchmarks/heldout.md"))
    parser.add_argument("--only", nargs="+", metavar="NAME", help='these degradations (and "native": consistency)')
    parser.add_argument("--minutes", type=float, default=float("inf"), help="stop measuring after this long")
    options = parser.parse_args()
    began = time.monotonic()
    for scale in options.scales:
        model = choose_model(None, scale)
        for degradation, seed, scan in wanted(options):
            if time.monotonic() - began > options.minutes * 60:
                break
            row = Row(model.card.name, scan.name, degradation, scale, seed, sha256={model.card.name: model.card.sha256})
            if (found := completed(row, scan, model, results.load(results.beside(options.out)))) is not None:
                results.put(found, results.beside(options.out))
                print(f"{time.monotonic() - began:6.0f} s  {' '.join(map(str, row.identity))}", flush=True)
    options.out.write_text(report(results.load(results.beside(options.out))), encoding="utf-8")


def wanted(options: argparse.Namespace) -> Iterator[tuple[str, int, Scan]]:
    """Every degradation that was asked for, its seeds, and each scan."""
    scans = [scan for scan in held_out(options.data) if scan.name not in NEVER]
    for degradation, seed in [*cases(), (AS_IT_IS, 0)]:
        if options.only is None or (degradation or "native") in options.only:
            yield from ((degradation, seed, s) for s in scans if options.scans is None or s.name in options.scans)


def completed(row: Row, scan: Scan, model: zoo.Model, rows: list[Row]) -> Row | None:
    """A row with what it lacks measured; None where it lacks nothing, or the scan is not measured so."""
    there = next((one for one in rows if one.identity == row.identity and one.sha256 == row.sha256), row)
    if "agreement" in there or "shifts" in there:
        return None
    volume = beginning(files.read(scan.path), SOME)
    if volume.count > 1 and row.degradation not in (*CLEAN[:4], AS_IT_IS):
        return None
    figures = {"structural": volume.count == 1, **(there.figures or {})}
    if row.degradation == AS_IT_IS:
        return replace(row, figures=figures | {"agreement": native_agreement(volume, row.scale, model)})
    if "scores" not in figures:
        figures |= measure(volume, row.degradation, row.seed, row.scale, model)
    return replace(row, figures=figures | {"shifts": shifts(volume, row.degradation, row.seed, row.scale, model)})


if __name__ == "__main__":
    main()
