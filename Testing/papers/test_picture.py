"""The picture shows the scan of median gain, chosen by rule."""

from dataclasses import replace

import pytest
from matplotlib.image import imread

from SuperResolutionLib.papers.measure import measuring
from SuperResolutionLib.papers.picture import papers_figure, showing, shown_record
from SuperResolutionLib.papers.works import WORKS
from SuperResolutionLib.physics.interpolating import METHODS
from SuperResolutionLib.progress import finish


def record(scan: str, network: float, classical: float) -> dict:
    rows = {name: {"psnr_head": classical} for name in METHODS}
    return {"scan": scan, "methods": {**rows, "D-gan-cpce-x2": {"psnr_head": network}}}


def test_the_scan_of_median_gain_is_shown(case):
    records = [record("a", 35.0, 30.0), record("b", 33.0, 32.0), record("c", 40.0, 37.0)]
    assert shown_record(case, records)["scan"] == "c"


def test_a_network_that_not_every_record_has_does_not_choose_the_scan(case):
    records = [record("a", 35.0, 30.0), record("b", 33.0, 32.0), record("c", 40.0, 37.0)]
    for row, bicubic in zip(records, (29.0, 31.9, 36.5), strict=True):
        row["methods"]["bicubic"]["psnr_head"] = bicubic
    del records[1]["methods"]["D-gan-cpce-x2"]
    assert shown_record(case, records)["scan"] == "c"


@pytest.mark.parametrize("installed", [True, False])
def test_the_picture_has_a_column_for_each_network_that_is_there(scans, shelf, installed, request, tmp_path):
    if installed:
        request.getfixturevalue("trained")
    work = WORKS["D"]
    tables = finish(measuring(work, scans, slices=3, precision="float32"))
    shown = showing(work, tables, scans, slices=3, precision="float32")
    ((name, result),) = shown
    assert name in ("anna_T1w", "ben_T1w")
    assert sum(not row.classical for row in result.rows) == 2 * installed
    papers_figure(shown, tmp_path / "d.png", "Scans: made up.")
    height, width, _ = imread(tmp_path / "d.png").shape
    assert width > height * (1.5 if installed else 1.0)


def test_a_case_whose_networks_are_not_there_is_left_out_beside_one_whose_are(scans, trained, shelf):
    work = WORKS["D"]
    both = replace(work, cases=(work.cases[0], replace(work.cases[0], networks=WORKS["B"].cases[0].networks)))
    tables = finish(measuring(both, scans, slices=3, precision="float32"))
    assert len(showing(both, tables, scans, slices=3, precision="float32")) == 1
