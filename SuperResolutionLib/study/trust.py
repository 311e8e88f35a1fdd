"""A scan enhanced as it is, with no truth to compare: what can be said about it nevertheless, and what cannot."""

from collections.abc import Generator
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np

from SuperResolutionLib.geometry.grid import anatomical_plane, middle_slices, stacking_axis, stacks
from SuperResolutionLib.geometry.sampling import Sampling
from SuperResolutionLib.intensity import data_range, head
from SuperResolutionLib.methods import zoo
from SuperResolutionLib.methods.catalogue import choose_model
from SuperResolutionLib.methods.classical import upsample
from SuperResolutionLib.physics.degradation import degrade
from SuperResolutionLib.progress import Progress, mapped
from SuperResolutionLib.quality import regions
from SuperResolutionLib.quality.hallucination import Agreement, agreement
from SuperResolutionLib.quality.recoarsening import agreement as agreement_db
from SuperResolutionLib.quality.scan_statistics import look, unlike
from SuperResolutionLib.study.examine import read_single
from SuperResolutionLib.study.plan import Plan
from SuperResolutionLib.study.subjects import Scan
from SuperResolutionLib.study.viewers import write_enhanced
from SuperResolutionLib.volume import Volume

BACK = "k_space"  # how a result is brought back to the scan's grid: all of the scan's band, nothing above it
MODELS_OF_SCANNERS = ("k_space", "k_space_hamming", "area", "bicubic", "bicubic_blur3")
BINS = 100
ENHANCED = 0.8  # share of a model's time after which its volume is there; the rest is measuring and drawing


def examining_without_truth(scan: Scan, plan: Plan, folder: Path) -> Generator[float, None, dict[str, Any]]:
    """Enhance one scan by every model and measure what can be measured; draws its figures into `folder`.

    Yields the share that is done.
    Raises InputError for a scan that cannot be used.
    """
    from SuperResolutionLib.methods.network import NetworkMethod
    from SuperResolutionLib.study.figures.trust_maps import Shown, trust_figure

    whole = read_single(scan.path, plan.as_intensities, plan.series)
    axis = stacking_axis(whole, plan.plane)
    low = middle_slices(whole, axis, plan.slices).cast(np.float32)
    plane = anatomical_plane(whole, plan.plane)
    finer = replace(plan.sampling, plane=plane)
    smooth = upsample(low, "bicubic", sampling=finer)
    found: dict[str, Any] = {}
    figures: dict[str, str] = {}
    made: dict[str, tuple[Volume, Volume]] = {}
    for number, name in enumerate(plan.models):
        method = NetworkMethod(choose_model(name, plan.scale), plan.put_back, uncertainty=True)
        work = method.restore(low, finer, plan.runtime)
        result = yield from mapped(work, partial(_share, number, len(plan.models)))
        restored, spread = result.volume, result.uncertainty
        assert spread is not None
        again, patches = brought_back(low, restored, finer)
        label = zoo.label(name)
        found[label] = {
            **figures_of(low, restored, patches),
            "spread": spread_shares(low, spread, finer),
            "unlike": [*method.unusual(whole, finer), *_unlike(low, axis, method.model.card)],
            "looks_known": bool(method.model.card.looks),
        }
        made[label] = restored, spread
        figures[label] = f"{scan.name}-{label}-trust.png"
        trust_figure(Shown(low, restored, spread, again, patches), plane, folder / figures[label])
    viewer = f"{scan.name}-viewer.json"
    write_enhanced(low, smooth, made, folder / viewer)
    return {
        "scan": scan.name,
        "subject": scan.subject,
        "scale": plan.scale,
        "plane": plan.plane,
        "spacing": list(low.spacing),
        "size": list(low.size),
        "range": data_range(low.voxels),
        "whole_head": regions.shows_whole_head(head(whole.voxels), regions.brain(whole)),
        "models": found,
        "bicubic": figures_of(low, smooth, brought_back(low, smooth, finer)[1]),
        "input_histogram": _histogram(low.voxels, data_range(low.voxels)),
        "figures": figures,
        "viewer": viewer,
    }


def _share(number: int, models: int, event: Progress) -> float:
    """What share of the work on all models is done while this one enhances."""
    return (number + ENHANCED * event.done / event.total) / models


def brought_back(low: Volume, restored: Volume, sampling: Sampling) -> tuple[Volume, Agreement | None]:
    """The sharper volume on the scan's own grid, and how its patches agree with the scan."""
    again = degrade(restored.cast(np.float32), BACK, sampling=sampling)
    axis = stacking_axis(low, sampling.plane)
    return again, agreement(stacks(low, axis)[0], stacks(again, axis)[0])


def figures_of(low: Volume, restored: Volume, patches: Agreement | None) -> dict[str, Any]:
    """Consistency (dB by forward model), suspect patches and their curve, and the histogram of intensities."""
    return {
        "consistency": {name: agreement_db(low, restored, name) for name in MODELS_OF_SCANNERS},
        "suspect": None if patches is None else patches.share,
        "curve": None if patches is None else [None if np.isnan(v) else float(v) for v in patches.curve],
        "histogram": _histogram(restored.voxels, data_range(low.voxels)),
    }


def spread_shares(low: Volume, spread: Volume, sampling: Sampling) -> dict[str, float]:
    """Median, 95th and 99th percentile of the spread in the head, as shares of R."""
    inside = head(upsample(low, "nearest", sampling=sampling).voxels)
    values = spread.voxels[inside] if inside.any() else spread.voxels
    median, high, highest = np.percentile(values, [50, 95, 99]) / data_range(low.voxels)
    return {"median": float(median), "p95": float(high), "p99": float(highest)}


def _unlike(low: Volume, axis: int, card: zoo.Card) -> list[str]:
    """In what the scan looks unlike the model's training scans; nothing where their range is not known."""
    return unlike(look(stacks(low, axis)[0]), card.looks) if card.looks else []


def _histogram(voxels: np.ndarray, r: float) -> list[int]:
    """Counts from -0.1 R to 1.3 R; what lies beyond is in the outermost bins."""
    counts, _ = np.histogram(np.clip(voxels / r, -0.1, 1.3), BINS, (-0.1, 1.3))
    return [int(count) for count in counts]
