"""The table: means over scans, the worst one, the best of five, and no figure for what is not trained."""

import pytest

from SuperResolutionLib.papers.measure import ZERO_FILLED
from SuperResolutionLib.papers.table import (
    BEST,
    HEAD,
    KEY,
    NOT_TRAINED,
    as_plain,
    cells,
    in_characters,
    in_markdown,
    lines,
    page,
)
from SuperResolutionLib.papers.works import WORKS, Figures
from SuperResolutionLib.physics.interpolating import METHODS

ROW = {"psnr": 32.0, "psnr_head": 30.0, "ssim": 0.9, "mean_psnr": 33.0, "mean_ssim": 0.91, "power": 0.2, "rms": None}


def record(name: str, gan: float) -> dict:
    methods = {method: dict(ROW) for method in (*METHODS, ZERO_FILLED)}
    methods["sinc"] |= {"psnr_head": 31.0}
    methods["linear"] |= {"ssim": 0.92}
    methods["D-gan-cpce-x2"] = ROW | {"psnr_head": gan, "ssim": 0.95, "rms": 0.6, "power": 0.8}
    methods["D-gan-cpce-x2-twin"] = ROW | {"psnr_head": 33.0, "ssim": 0.96}
    return {"scan": name, "subject": name, "seed": 0, "slices": None, "sha256": {}, "methods": methods}


@pytest.fixture
def records() -> list[dict]:
    return [record("anna", 32.5), record("ben", 31.5)]


@pytest.fixture
def found(records, case) -> dict:
    return {line.name: line for line in lines(case, records)}


def test_gains_are_measured_from_the_best_of_five_in_each_measure(found):
    line = found["D-gan-cpce-x2"]
    assert (line.psnr_head, line.gain, line.worst) == (32.0, 1.0, 0.5)
    assert line.ssim_gain == pytest.approx(0.03)
    assert (found[BEST].psnr_head, found[BEST].ssim) == (31.0, 0.92)
    assert found["bicubic"].gain == -1.0


def test_a_gan_stands_beside_its_twin_and_its_paper(found):
    line = found["D-gan-cpce-x2"]
    assert (line.beside, line.rms, line.power) == (-1.0, 0.6, pytest.approx(0.8))
    assert line.published == Figures(33.2031, 0.9563)
    assert found["D-gan-cpce-x2-twin"].beside is None


def test_a_network_that_is_not_there_has_no_figure_but_the_papers(found):
    line = found["D-gan-circle-x2"]
    assert not line.trained
    row = cells([line])[1]
    assert row[:4] == ["D-gan-circle-x2", "32.2995", "0.9465", NOT_TRAINED]
    assert set(row[4:]) == {""}


def test_our_own_models_are_listed_where_they_are_there_only(found):
    assert "mri-x2" not in found


def test_the_coarse_slice_comes_first_and_work_d_has_its_own(found):
    assert list(found)[:4] == ["nearest", ZERO_FILLED, "bicubic", BEST]


def test_where_a_paper_prints_nothing_the_table_says_so(records):
    case = WORKS["C"].cases[0]
    rows = {row[0]: row for row in cells(lines(case, records))}
    assert rows["C-srgan-paediatric-x2"][1] == "none printed"
    assert rows["C-srgan-paediatric-x2-twin"][1] == rows["bicubic"][1] == "-"


@pytest.mark.parametrize("layout", [in_characters, in_markdown])
def test_the_page_has_the_papers_words_and_what_differs(records, layout):
    work = WORKS["D"]
    text = page(work, [records], layout)
    assert text.startswith(f"Work D: {work.title}")
    assert "k_space x2: 2 scans of 2 subjects." in text
    assert work.words in text
    assert work.differs in text
    assert "33.2031" in text


def test_every_row_of_the_markdown_has_a_cell_for_each_column(records, case):
    table = in_markdown(cells(lines(case, records))).splitlines()
    assert {line.count("|") for line in table} == {len(HEAD) + 1}
    assert all(word in KEY for word in ("MAX", "Power", "twin"))


def test_a_case_without_a_scan_has_an_empty_table(case):
    assert as_plain(case, []) == {"degradation": "k_space", "scale": 2, "table": [], "records": []}
