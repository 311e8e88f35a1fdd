"""The page of the trust benchmark says plainly on how many scans the checks tell a GAN from its twin."""

from benchmarks.results import Row
from benchmarks.trust import goes_off_more, report


def row(gan: tuple[float, float], twin: tuple[float, float], scan: str = "one") -> Row:
    sides = {"gan": gan, "twin": twin}
    figures = {side: dict(zip(("suspect", "spread"), pair, strict=True)) for side, pair in sides.items()}
    return Row("B", scan, "", 2, slices=12, figures=figures)


def test_a_check_goes_off_where_it_says_more_of_the_gan():
    assert goes_off_more(row((0.02, 0.01), (0.01, 0.01))) == ["suspect"]
    assert goes_off_more(row((0.02, 0.02), (0.01, 0.01))) == ["suspect", "spread"]
    assert goes_off_more(row((0.01, 0.01), (0.01, 0.02))) == []


def test_the_page_counts_the_scans():
    page = report([row((0.02, 0.015), (0.01, 0.02)), row((0.0, 0.01), (0.0, 0.01), "two")])
    assert "| B | one | 2.00 % | 1.00 % | 1.500 % | 2.000 % | suspect |" in page
    assert "| B | two | 0.00 % | 0.00 % | 1.000 % | 1.000 % | none |" in page
    assert "more for the GAN in 1 of 2 rows" in page
