"""A scan enhanced as it is, with no truth to compare: what can be said about it nevertheless, and what cannot."""

from collections.abc import Generator
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np

from SuperResolutionLib.errors import InputError
from SuperResolutionLib.geometry.grid import anatomical_plane, middle_slices, stacking_axis, stacks
from SuperResolutionLib.geometry.sampling import Sampling
from SuperResolutionLib.intensity import data_range, head, noise
from SuperResolutionLib.methods import zoo
from SuperResolutionLib.methods.catalogue import network
from SuperResolutionLib.methods.classical import upsample
from SuperResolutionLib.progress import Progress, mapped
from SuperResolutionLib.quality import regions
from SuperResolutionLib.quality.hallucination import Agreement, agreement
from SuperResolutionLib.quality.scan_statistics import look, unlike
from SuperResolutionLib.quality.slice_differences import differences
from SuperResolutionLib.study.bringing_back import AsSlices, Back, InPlane, smooth
from SuperResolutionLib.study.examine import read_single
from SuperResolutionLib.study.plan import Plan
from SuperResolutionLib.study.subjects import Scan
from SuperResolutionLib.study.viewers import write_enhanced
from SuperResolutionLib.volume import Volume

BINS = 100
ENHANCED = 0.8  # share of a model's time after which its volume is there; the rest is measuring and drawing


def examining_without_truth(scan: Scan, plan: Plan, folder: Path) -> Generator[float, None, dict[str, Any]]:
    """Enhance one scan by every model and measure what can be measured; draws its figures into `folder`.

    Yields the share that is done.
    Raises InputError for a scan that cannot be used.
    """
    from SuperResolutionLib.study.figures.trust_maps import Shown, trust_figure

    whole = read_single(scan.path, plan.as_intensities, plan.series)
    whole = whole if plan.thickness is None else whole.with_thickness(plan.thickness)
    back = way_back(whole, plan)
    low = back.low
    interpolated = smooth(back)
    found: dict[str, Any] = {}
    figures: dict[str, str] = {}
    made: dict[str, tuple[Volume, Volume]] = {}
    models = plan.models_for(series=False)
    for number, name in enumerate(models):
        method = network(low, name, back.sampling, plan.put_back, uncertainty=True)
        work = method.restore(low, back.sampling, plan.runtime)
        result = yield from mapped(work, partial(_share, number, len(models)))
        restored, spread = result.volume, result.uncertainty
        assert spread is not None
        again, patches = brought_back(back, restored)
        label, card = zoo.label(name), zoo.read_card(zoo.find(name))
        found[label] = {
            **figures_of(back, restored, again, patches),
            "spread": spread_shares(low, spread, back.sampling),
            "unlike": [*method.unusual(whole, back.sampling), *_unlike(low, back.axis, card)],
            "looks_known": bool(card.looks),
        }
        made[label] = restored, spread
        figures[label] = f"{scan.name}-{label}-trust.png"
        trust_figure(Shown(restored, spread, again, patches), back, folder / figures[label])
    viewer = f"{scan.name}-viewer.json"
    write_enhanced(low, (back.classical, interpolated), made, folder / viewer)
    return {
        "scan": scan.name,
        "subject": scan.subject,
        "scale": plan.scale,
        "plane": plan.plane,
        "spacing": list(low.spacing),
        "size": list(low.size),
        "made": list(interpolated.spacing),
        "back": back.words,
        "note": back.note,
        "range": data_range(low.voxels),
        "noise": noise(stacks(low, back.axis)[0]) / data_range(low.voxels),
        "whole_head": regions.shows_whole_head(head(whole.voxels), regions.brain(whole)),
        "models": found,
        "classical": {back.classical: figures_of(back, interpolated, *brought_back(back, interpolated))},
        "input_histogram": _histogram(low.voxels, data_range(low.voxels)),
        "figures": figures,
        "viewer": viewer,
    }


def way_back(whole: Volume, plan: Plan) -> Back:
    """The part of a scan that is studied, the grid that is wanted, and how what is on it is brought back.

    Raises InputError for a grid that cannot be had, or leaves thick slices as they are.
    """
    axis = stacking_axis(whole, plan.plane)
    low = middle_slices(whole, axis, plan.slices).cast(np.float32)
    wish = replace(plan.sampling, plane=anatomical_plane(whole, plan.plane))
    if plan.scale is not None:
        return InPlane(low, wish)
    wish = wish if wish.asked else replace(wish, isotropic=True)
    grids = wish.finer(low)
    changed = ["xyz"[k] for k in range(3) if grids.factors[k] != 1]
    if changed != ["xyz"[axis]]:
        what = f"changes the voxels along {', '.join(changed)}" if changed else "leaves the scan as it is"
        raise InputError(
            f"Without a truth either thin slices are checked or a finer plane, and this grid {what}, while the slices "
            f"are stacked along {'xyz'[axis]}; give --slice-spacing, or --scale for the plane."
        )
    return AsSlices(low, wish)


def _share(number: int, models: int, event: Progress) -> float:
    """What share of the work on all models is done while this one enhances."""
    return (number + ENHANCED * event.done / event.total) / models


def brought_back(back: Back, restored: Volume) -> tuple[Volume, Agreement | None]:
    """The sharper volume on the scan's own grid, and how its patches agree with the scan."""
    again = back.again(restored)
    scan, other = (stacks(volume, back.axis)[0] for volume in (back.low, again))
    return again, agreement(scan, other, noise(scan) if back.spares_noise else 0.0)


def figures_of(back: Back, restored: Volume, again: Volume, patches: Agreement | None) -> dict[str, Any]:
    """What can be measured of a result: plain values.

    consistency: dB by the way it is brought back. off, far, limit, uneven: as `quality.slice_differences` has them;
    worst, worst_off: the slice that differs most, and by how much. suspect, curve: of the patches. histogram: of
    intensities.

    back: the way back. restored: the result. again, patches: as `brought_back` returns them.
    """
    off = differences(stacks(back.low, back.axis)[0], stacks(again, back.axis)[0])
    return {
        "consistency": back.consistency(restored),
        "off": off.together,
        "far": off.far,
        "limit": off.limit,
        "uneven": off.uneven,
        "worst": off.worst,
        "worst_off": float(np.nan_to_num(off.rms[off.worst])),
        "suspect": None if patches is None else patches.share,
        "curve": None if patches is None else [None if np.isnan(v) else float(v) for v in patches.curve],
        "histogram": _histogram(restored.voxels, data_range(back.low.voxels)),
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
