"""One diffusion series as the truth: degraded, restored by every method, its images and tensors measured and drawn."""

from collections.abc import Generator
from dataclasses import asdict, replace
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np

from SuperResolutionLib.diffusion import mppca
from SuperResolutionLib.diffusion.dipy_parts import dipy
from SuperResolutionLib.diffusion.tensors import checked_gradients, mean_b0
from SuperResolutionLib.errors import InputError
from SuperResolutionLib.geometry.grid import middle_slices, stacking_axis
from SuperResolutionLib.intensity import head
from SuperResolutionLib.methods import zoo
from SuperResolutionLib.methods.catalogue import classical
from SuperResolutionLib.methods.denoised import Denoised
from SuperResolutionLib.methods.method import Method
from SuperResolutionLib.progress import Progress, mapped
from SuperResolutionLib.quality import regions
from SuperResolutionLib.quality.comparison import Comparison, Experiment, Row, comparing
from SuperResolutionLib.study.figure import comparison_figure
from SuperResolutionLib.study.plan import Plan
from SuperResolutionLib.study.subjects import Scan
from SuperResolutionLib.study.tables import SERIES
from SuperResolutionLib.study.tensor_figure import tensor_figure
from SuperResolutionLib.study.viewers import write_compared
from SuperResolutionLib.volume import UNWEIGHTED, Volume

COMPARED = 0.95  # share of the time after which everything is measured; the rest is drawing


def examining_series(
    volume: Volume, scan: Scan, degradation: str, plan: Plan, folder: Path
) -> Generator[float, None, dict[str, Any]]:
    """Measure one series under one degradation; draws its figures into `folder`. Returns plain values, for JSON.

    volume: with gradients that determine a tensor. scan: where it comes from. degradation: a forward model. plan: the
    options of the study. folder: for the figures. Yields the share that is done.
    Raises InputError for a series of which no tensors can be fitted.
    """
    checked_gradients(volume)
    dipy("reconst.dti")
    part = middle_slices(volume, stacking_axis(volume, plan.plane), plan.slices)
    experiment = Experiment(
        degradation=degradation,
        sampling=plan.sampling,
        seed=plan.seed,
        keep=True,
        with_streamlines=plan.streamlines,
    )
    coarse = experiment.resolved(part)[1].empty(part)
    work = comparing(part, experiment, {**plan.methods(series=True), **_denoising(coarse)}, plan.runtime)
    result = yield from mapped(work, _share)
    if any(row.tensors is None for row in result.rows):
        raise InputError(result.note)
    best = result.best_classical
    b0 = _one(part, mean_b0(part))
    return {
        "kind": SERIES,
        "scan": scan.name,
        "subject": scan.subject,
        "degradation": result.degradation,
        "scale": result.scale,
        "plane": result.plane,
        "spacing": list(result.truth.spacing),
        "size": list(result.truth.size),
        "volumes": result.truth.count,
        "note": result.note,
        "whole_head": regions.shows_whole_head(head(b0.voxels), regions.brain(b0)),
        "best_classical": best.method if best is not None else None,
        "methods": {zoo.label(row.method): _figures(row) for row in result.rows},
        "figures": _draw(result, scan, folder),
        "viewer": _keep_viewer(result, scan, folder),
    }


def _denoising(coarse: Volume) -> dict[str, Method]:
    """The classical method that takes the noise out first, where there are volumes and voxels enough to tell it.

    coarse: a series on the grid of the scan that is restored.
    """
    try:
        mppca.check(coarse)
    except InputError:
        return {}
    method = Denoised(classical("sinc"))
    return {method.name: method}


def _share(event: Progress) -> float:
    return COMPARED * event.done / event.total


def _figures(row: Row) -> dict[str, Any]:
    """What tables show of a method."""
    assert row.tensors is not None
    return {
        "classical": row.classical,
        **asdict(row.tensors),
        "ssim": row.score.ssim,
        "streamline_dice": None if row.tracts is None else row.tracts.dice,
        "streamlines": None if row.tracts is None else row.tracts.count,
    }


def _draw(result: Comparison, scan: Scan, folder: Path) -> dict[str, str]:
    """The pictures of this series: kind -> file name in `folder`."""
    base = scan.base(result.degradation)
    names = {"images": f"{base}-images.png", "tensors": f"{base}-tensors.png"}
    comparison_figure(result, folder / names["images"])
    tensor_figure(result, folder / names["tensors"])
    return names


def _keep_viewer(result: Comparison, scan: Scan, folder: Path) -> str:
    """The name of the file in `folder` that holds what the viewer shows: the mean of the weighted volumes."""
    name = f"{scan.base(result.degradation)}-viewer.json"
    mean = partial(_weighted_mean, result.truth)
    rows = [replace(row, restored=None if row.restored is None else mean(row.restored)) for row in result.rows]
    shown = replace(result, rows=tuple(rows), truth=mean(result.truth), low=mean(result.low))
    write_compared(shown, folder / name)
    return name


def _weighted_mean(truth: Volume, series: Volume) -> Volume:
    """The mean of the weighted volumes of a series that has the truth's gradients, as one volume."""
    assert truth.gradients is not None
    weighted = truth.gradients.bvals > UNWEIGHTED
    return _one(series, series.voxels[weighted].mean(axis=0, dtype=np.float64))


def _one(series: Volume, voxels: np.ndarray) -> Volume:
    """A single volume on the grid of a series, float32."""
    return Volume(voxels.astype(np.float32), series.spacing, series.origin, series.direction)
