"""The page of the uncertainty benchmark says plainly whether the spread is what was asked of it."""

from benchmarks.results import Row
from benchmarks.uncertainty import MAPS, report


def row(scan: str, scale: int, spread: float, gradient: float) -> Row:
    figures = {**dict.fromkeys(MAPS, 0.1), "spread": spread, "gradient": gradient}
    return Row(f"mri-x{scale}", scan, "k_space", scale, slices=12, figures=figures)


def test_the_verdict_counts_the_volumes_of_a_scale():
    page = report([row("a", 2, 0.5, 0.3), row("b", 2, 0.25, 0.3), row("a", 4, 0.4, 0.45)])
    assert "above 0.3 in 1 of 2 volumes, and above the gradient in 1." in page
    assert "above 0.3 in 1 of 1 volumes, and above the gradient in 0." in page
    assert "| a | 0.500 |" in page
    assert "| mean | **0.375** |" in page
