"""One scan as the truth: degraded, restored by every method, measured and drawn; plain values and PNGs come out."""

import time
from collections.abc import Callable, Generator
from dataclasses import asdict
from pathlib import Path
from typing import Any

import numpy as np

from SuperResolutionLib import files
from SuperResolutionLib.diffusion.guides import is_diffusion
from SuperResolutionLib.errors import InputError
from SuperResolutionLib.files.common import extension
from SuperResolutionLib.files.user_masks import read_mask
from SuperResolutionLib.geometry.grid import middle_slices, stacking_axis, stacks
from SuperResolutionLib.intensity import data_range, head
from SuperResolutionLib.methods import zoo
from SuperResolutionLib.methods.meaning import check_intensities
from SuperResolutionLib.physics.degradation import by_name
from SuperResolutionLib.physics.interpolating import METHODS
from SuperResolutionLib.progress import Progress, mapped
from SuperResolutionLib.quality import measures, regions, tissue
from SuperResolutionLib.quality.comparison import Comparison, Experiment, Row, comparing
from SuperResolutionLib.quality.metrics import ssim_map
from SuperResolutionLib.quality.spectrum import Spectrum, spectrum, spectrum_through
from SuperResolutionLib.study.examine_series import examining_series
from SuperResolutionLib.study.figure import shown_axis
from SuperResolutionLib.study.figures.gains import psnr_shown
from SuperResolutionLib.study.plan import Plan
from SuperResolutionLib.study.rotation import ANGLES, FLIPS, Turned, turning
from SuperResolutionLib.study.subjects import Scan
from SuperResolutionLib.study.viewers import write_compared
from SuperResolutionLib.volume import SIGNAL, Volume

TURNED_SLICES = 5  # enough for the neighbours that a network looks at, and quick
ERROR_BINS, ERROR_MOST = 80, 0.2  # histograms of |error| / R


def read_single(path: Path, as_intensities: bool = False, series: str | None = None) -> Volume:
    """A scan of one volume of intensities, or of what is to be taken for such.

    path: an image file or a folder of DICOM files. series: which one of those, where there are several.
    Raises InputError for a series, tensors, and what is no intensity.
    """
    volume = read_scan(path, as_intensities, series)
    if volume.count != 1:
        raise InputError(f"{path.name} is a series; without a truth only single volumes are studied.")
    return volume


def read_scan(path: Path, as_intensities: bool = False, series: str | None = None) -> Volume:
    """What a study takes for the truth: a single volume of intensities, as `read_single`, or a diffusion series.

    path, as_intensities, series: as of `read_single`.
    Raises InputError for a series that has no gradients, tensors, and what is no intensity.
    """
    volume = files.read(path, None if extension(path) else series)
    if volume.quantity != SIGNAL:
        raise InputError(f"{path.name} holds tensors; a study takes single volumes and diffusion series.")
    if volume.count != 1 and not is_diffusion(volume):
        raise InputError(
            f"{path.name} is a series of {volume.count} volumes without gradients; a study takes single volumes, and "
            "diffusion series with .bval and .bvec beside them. Use 'compare'."
        )
    single = volume if volume.count > 1 or volume.voxels.ndim == 3 else volume.with_voxels(volume.voxels[0])
    if as_intensities:
        return single.as_intensities()
    try:
        check_intensities(single, "study it with the option that takes voxels for intensities")
    except InputError as error:
        raise InputError(f"{path.name}: {error}") from error
    return single


def examining(
    scan: Scan, mask: Path | None, degradation: str, plan: Plan, folder: Path
) -> Generator[float, None, dict[str, Any]]:
    """Measure one scan under one degradation; draws its figures into `folder`. Returns plain values, for JSON.

    Yields the share that is done.
    mask: of the brain; None finds one. plan: the options of the study.
    Raises InputError for a scan or mask that cannot be used.
    """
    volume = read_scan(scan.path, plan.as_intensities, plan.series)
    if volume.count > 1:
        if mask is not None:
            raise InputError(f"{scan.path.name} is a series, whose head is found by itself; study it without --masks.")
        return (yield from examining_series(volume, scan, degradation, plan, folder))
    axis = stacking_axis(volume, plan.plane)
    found = regions.brain(volume) if mask is None else read_mask(mask, volume)
    part = middle_slices(volume, axis, plan.slices)
    where = volume.with_voxels(found.astype(np.uint8))
    experiment = Experiment(degradation=degradation, sampling=plan.sampling, seed=plan.seed, keep=True, with_ssim=False)
    inside = experiment.resolved(part)[0].cropped(middle_slices(where, axis, plan.slices))
    work = comparing(part, experiment, plan.methods(), plan.runtime)
    restored, scored, turned = _ends(part.size[axis], len(plan.models))
    result = yield from mapped(work, _between(0.0, restored))
    record = yield from mapped(measuring(result, stacks(inside, shown_axis(result))[0] > 0), _between(restored, scored))
    orientation = None  # of thick slices: turned within the slices, they stay what they are
    if plan.scale is not None:
        orientation = yield from mapped(_orientations(result, plan), _between(scored, turned))
    return {
        "scan": scan.name,
        "subject": scan.subject,
        "mask": "automatic: Otsu and morphology" if mask is None else mask.name,
        "whole_head": regions.shows_whole_head(head(volume.voxels), found),
        **record,
        "orientation": orientation,
        "figures": _draw(result, scan, folder),
        "viewer": _keep_viewer(result, scan, folder),
    }


def _ends(slices: int, models: int) -> tuple[float, float, float]:
    """The shares of the time after which a scan is restored, measured and turned; the rest is drawing.

    The unit is the time in which a network refines a slice, on a CPU.
    """
    methods, orientations = len(METHODS) + models, len(ANGLES) + len(FLIPS)
    costs = [models * slices, 0.2 * methods * slices, models * orientations * TURNED_SLICES, 15]
    restored, scored, turned, all_of_it = np.cumsum(costs)
    return restored / all_of_it, scored / all_of_it, turned / all_of_it


def _between(first: float, last: float) -> Callable[[Progress], float]:
    """From the progress of a part to the share of the whole that is done."""
    return lambda event: float(first + (last - first) * event.done / event.total)


def measuring(result: Comparison, brain: np.ndarray) -> Generator[Progress, None, dict[str, Any]]:
    """Every figure of a comparison whose volumes were kept. brain: mask (n, h, w) in the order of the shown slices.

    Slices are those of the plane, of thick slices made thin those that cut across them; spectra are then along the
    thick slices' axis.
    Yields progress; a step is a method.
    """
    truth = stacks(result.truth, shown_axis(result))[0]
    r = data_range(truth)
    best = result.best_classical
    methods, began = {}, time.monotonic()
    for number, row in enumerate(result.rows, 1):
        methods[zoo.label(row.method)] = _method(result, row, brain)
        yield Progress(number, len(result.rows), time.monotonic() - began)
    return {
        "degradation": result.degradation,
        "scale": result.scale,
        "plane": result.plane,
        "spacing": list(result.truth.spacing),
        "size": list(result.truth.size),
        "range": r,
        "best_classical": best.method if best is not None else None,
        "head_share": [float(part.mean()) for part in head(truth)],
        "methods": methods,
    }


def _method(result: Comparison, row: Row, brain: np.ndarray) -> dict[str, Any]:
    assert row.restored is not None
    truth, restored = (stacks(volume, shown_axis(result))[0] for volume in (result.truth, row.restored))
    r = data_range(truth)
    inside = head(truth)
    shown = np.flatnonzero(inside.mean(axis=(1, 2)) > 0.05)
    ssims, brain_ssim = _ssims(truth, restored, brain, r, shown)
    error = np.abs(restored - truth)
    counts, _ = np.histogram(np.minimum(error[inside] / r, ERROR_MOST), ERROR_BINS, (0, ERROR_MOST))
    rings = _spectrum(result, row.restored, shown)
    classes = tissue.dice(truth, restored, brain)
    known = [s for s in ssims if s is not None]
    return {
        "classical": row.classical,
        "psnr": row.score.psnr,
        "psnr_head": row.score.psnr_head,
        "psnr_brain": _psnr(error[brain], r),
        "ssim": float(np.mean(known)) if known else None,
        "ssim_brain": brain_ssim,
        "nmse": row.score.nmse,
        **measures.further(truth, restored, r, shown),
        "dice": None if classes is None else float(np.mean(classes)),
        "dice_classes": classes,
        "psnr_slices": psnr_shown(result, row),
        "ssim_slices": ssims,
        "histogram": counts.tolist(),
        "spectrum": {name: values.tolist() for name, values in asdict(rings).items()},
    }


def _spectrum(result: Comparison, restored: Volume, shown: np.ndarray) -> Spectrum:
    """Rings of the slices `shown`; of thick slices made thin the frequencies along their axis."""
    truth, other = (stacks(volume, result.axis)[0] for volume in (result.truth, restored))
    if shown_axis(result) != result.axis:
        return spectrum_through(truth, other)
    return spectrum(truth[shown], other[shown])


def _ssims(
    truth: np.ndarray, restored: np.ndarray, brain: np.ndarray, r: float, shown: np.ndarray
) -> tuple[list[float | None], float | None]:
    """SSIM slice by slice, None where a slice shows too little; and its mean inside the brain."""
    values: list[float | None] = [None] * len(truth)
    inside = []
    for k in shown if min(truth.shape[1:]) >= 11 else []:
        values[k], places = ssim_map(truth[k].astype(np.float64), restored[k].astype(np.float64), r)
        inside.append(places[brain[k]])
    together = np.concatenate(inside) if inside else np.empty(0)
    return values, float(together.mean()) if together.size else None


def _psnr(error: np.ndarray, r: float) -> float | None:
    """dB of the voxels of a mask; None where it is empty."""
    if not error.size:
        return None
    return float(10 * np.log10(r**2 / (float(np.mean(error.astype(np.float64) ** 2)) + 1e-12 * r**2)))


def _orientations(result: Comparison, plan: Plan) -> Generator[Progress, None, dict[str, Any]]:
    """Quality by angle and flip, on the slices around the one with most head."""
    assert plan.scale is not None
    truth = stacks(result.truth, result.axis)[0]
    most = int(np.argmax(head(truth).mean(axis=(1, 2))))
    first = max(0, min(most - TURNED_SLICES // 2, len(truth) - TURNED_SLICES))
    chosen = truth[first : first + TURNED_SLICES]
    turned = Turned(chosen, data_range(truth), by_name(result.degradation), plan.scale, plan.seed)
    return turning(turned, plan.methods(), plan.runtime)


def _draw(result: Comparison, scan: Scan, folder: Path) -> dict[str, str]:
    """The pictures of this scan: kind -> file name in `folder`."""
    from SuperResolutionLib.study.figures.crops import crops_figure
    from SuperResolutionLib.study.figures.error_maps import errors_figure

    base = scan.base(result.degradation)
    names = {"errors": f"{base}-errors.png", "crops": f"{base}-crops.png"}
    errors_figure(result, folder / names["errors"])
    crops_figure(result, folder / names["crops"])
    return names


def _keep_viewer(result: Comparison, scan: Scan, folder: Path) -> str:
    """The name of the file in `folder` that holds what the viewer of this scan shows."""
    name = f"{scan.base(result.degradation)}-viewer.json"
    write_compared(result, folder / name)
    return name
