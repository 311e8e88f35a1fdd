"""The page of the uncertainty benchmark says plainly whether the spread is what was asked of it."""

from benchmarks.uncertainty import MAPS, report


def row(spread: float, gradient: float) -> dict[str, object]:
    return {"slices": 12, "correlations": {**dict.fromkeys(MAPS, 0.1), "spread": spread, "gradient": gradient}}


def test_the_verdict_counts_the_volumes_of_a_scale():
    page = report({"a|x2": row(0.5, 0.3), "b|x2": row(0.25, 0.3), "a|x4": row(0.4, 0.45)})
    assert "above 0.3 in 1 of 2 volumes, and above the gradient in 1." in page
    assert "above 0.3 in 1 of 1 volumes, and above the gradient in 0." in page
    assert "| a | 0.500 |" in page
    assert "| mean | **0.375** |" in page
