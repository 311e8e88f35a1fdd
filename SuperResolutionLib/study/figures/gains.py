"""Which slices are shown: chosen by what was gained there, never by eye."""

from collections.abc import Sequence

import numpy as np

from SuperResolutionLib.quality.comparison import Comparison, Row
from SuperResolutionLib.quality.metrics import psnr_head_slices
from SuperResolutionLib.study.figure import shown_axis


def slice_gains(better: Sequence[float | None], reference: Sequence[float | None]) -> np.ndarray:
    """dB by slice, model minus reference; NaN where either has none."""
    return np.array(better, float) - np.array(reference, float)


def psnr_shown(result: Comparison, row: Row) -> list[float | None]:
    """psnr_head of each of the slices that are shown: of thick ones those that cut across them (`shown_axis`)."""
    axis = shown_axis(result)
    if axis == result.axis:
        return list(row.psnr_slices)
    assert row.restored is not None
    return psnr_head_slices(result.truth, row.restored, axis)


def ranked_slices(result: Comparison, row: Row) -> dict[str, tuple[int, float]]:
    """The slices of best, median and worst gain over the best classical method: name -> (slice, dB).

    Only slices that show at least half as much head as the fullest.
    """
    from SuperResolutionLib.geometry.grid import stacks
    from SuperResolutionLib.intensity import head

    best = result.best_classical
    assert best is not None
    gains = slice_gains(psnr_shown(result, row), psnr_shown(result, best))
    shown = head(stacks(result.truth, shown_axis(result))[0]).mean(axis=(1, 2))
    full = np.flatnonzero((shown >= 0.5 * shown.max()) & np.isfinite(gains))
    order = full[np.argsort(gains[full], kind="stable")]
    chosen = {"best": order[-1], "median": order[len(order) // 2], "worst": order[0]}
    return {name: (int(k), float(gains[k])) for name, k in chosen.items()}


def crossings(better: Sequence[float | None], reference: Sequence[float | None]) -> list[int]:
    """The slices at which a model falls below the reference or rises above it again."""
    gains = slice_gains(better, reference)
    known = np.flatnonzero(np.isfinite(gains) & (gains != 0))
    signs = np.sign(gains[known])
    return [int(known[k + 1]) for k in np.flatnonzero(signs[1:] != signs[:-1])]
