"""What benchmarks measured is kept in rows with named fields, and tables are written by one writer."""

import msgspec
import pytest

from benchmarks import results
from benchmarks.results import Row, find, load, put, select, store, table, updated, values

ANNA = Row("mri-x2", "anna", "k_space", 2, sha256={"mri-x2": "ab"}, figures={"psnr": 30.123456789012, "ssim": None})
BEN = Row("mri-x4", "ben", "area", 4, seed=1, slices=12, figures={"psnr": 28.0, "shown": [1, 2]})


def test_rows_come_back_as_they_were_stored(tmp_path):
    store([ANNA, BEN], tmp_path / "page.jsonl")
    anna, ben = load(tmp_path / "page.jsonl")
    assert ben == BEN
    assert anna["psnr"] == pytest.approx(ANNA["psnr"], rel=1e-8)
    assert len((tmp_path / "page.jsonl").read_text().splitlines()) == 2
    assert [path.name for path in tmp_path.iterdir()] == ["page.jsonl"]


def test_a_row_says_what_is_not_usual_and_no_more(tmp_path):
    store([Row("bicubic", "anna", "area", 2)], tmp_path / "page.jsonl")
    text = (tmp_path / "page.jsonl").read_text()
    assert text == '{"model":"bicubic","scan":"anna","degradation":"area","scale":2}\n'
    assert load(tmp_path / "page.jsonl")[0].figures is None


def test_before_the_first_run_there_is_no_row(tmp_path):
    assert load(tmp_path / "page.jsonl") == []


@pytest.mark.parametrize("line", ["{", '{"model": "a"}', '{"model": 1, "scan": "a", "degradation": "", "scale": 2}'])
def test_a_file_of_other_rows_is_refused(tmp_path, line):
    (tmp_path / "page.jsonl").write_text(line + "\n")
    with pytest.raises(msgspec.DecodeError):
        load(tmp_path / "page.jsonl")


def test_a_row_takes_the_place_of_the_one_that_was_measured_before(tmp_path):
    again = Row("mri-x2", "anna", "k_space", 2, slices=3, figures={"psnr": 31.0})
    assert updated([ANNA, BEN], again) == [again, BEN]
    other = Row("mri-x2", "anna", "k_space", 2, seed=1)
    for row in (ANNA, BEN, again, other):
        put(row, tmp_path / "page.jsonl")
    assert load(tmp_path / "page.jsonl") == [again, BEN, other]


def test_rows_are_chosen_by_their_fields():
    assert select([ANNA, BEN], scale=2) == [ANNA]
    assert select([ANNA, BEN], scale=2, scan="ben") == []
    assert find([ANNA, BEN], seed=1) is BEN
    assert find([ANNA, BEN], seed=2) is None
    assert values([ANNA, BEN, ANNA], "scale") == [2, 4]
    assert "ssim" in ANNA and "shown" not in ANNA


def test_a_table_has_a_line_for_each_row():
    lines = table(["scan", "dB", None], [["anna", "30.1", ""], ["ben", "", None]])
    assert lines == ["| scan | dB | |", "|---|---|---|", "| anna | 30.1 |  |", "| ben |  | |"]


def test_rows_lie_beside_their_page(tmp_path):
    assert results.beside(tmp_path / "trust.md") == tmp_path / "trust.jsonl"
