"""The page of the papers' benchmark: what is asked of each network can fail, and records are kept while they hold."""

import pytest

from benchmarks.credits import credit
from benchmarks.papers import current, joined, missing
from benchmarks.papers_report import asked, report
from SuperResolutionLib.papers.works import WORKS
from SuperResolutionLib.physics.interpolating import METHODS

ROW = {"psnr": 32.0, "psnr_head": 30.0, "ssim": 0.9, "mean_psnr": 33.0, "mean_ssim": 0.91, "power": 0.2, "rms": None}
EDSR, GAN, TWIN = "E-edsr-x2", "C-srgan-paediatric-x2", "C-srgan-paediatric-x2-twin"


def record(name: str, **networks: dict) -> dict:
    methods = {method: dict(ROW) for method in METHODS}
    methods["sinc"]["psnr_head"] = 31.0
    return {"scan": name, "subject": name, "seed": 0, "slices": None, "sha256": {}, "methods": {**methods, **networks}}


@pytest.fixture
def tables() -> dict:
    """Two scans; EDSR is better by enough, and so is the GAN."""
    edsr = ROW | {"psnr_head": 32.1}
    gan = ROW | {"psnr_head": 32.0, "ssim": 0.91, "power": 0.7, "rms": 0.6}
    twin = ROW | {"psnr_head": 32.9, "ssim": 0.95, "power": 0.4}
    e = [record(name, **{EDSR: dict(edsr)}) for name in ("anna", "ben")]
    c = [record(name, **{GAN: dict(gan), TWIN: dict(twin)}) for name in ("anna", "ben")]
    return {"C": [c], "E": [e, []]}


def verdicts(tables: dict, network: str) -> dict[str, str]:
    return {what: verdict for name, what, _, verdict in asked(tables) if name == network}


def test_networks_that_are_good_enough_pass(tables):
    assert set(verdicts(tables, EDSR).values()) == {"**passed**"}
    assert set(verdicts(tables, GAN).values()) == {"**passed**"}
    assert len(verdicts(tables, GAN)) == 4


@pytest.mark.parametrize(
    ("work", "network", "change", "what"),
    [
        ("E", EDSR, {"psnr_head": 31.05}, "1 dB above it"),
        ("C", GAN, {"ssim": 0.89}, "above bicubic"),
        ("C", GAN, {"psnr_head": 30.5}, "1 dB below its twin"),
        ("C", GAN, {"rms": 0.1}, "RMS difference"),
        ("C", GAN, {"power": 0.45}, "power beyond"),
        ("C", GAN, {"power": 1.6}, "power beyond"),
    ],
)
def test_one_worse_figure_fails_what_it_is_asked_for_alone(tables, work, network, change, what):
    records = tables[work][0]
    for row in records:
        row["methods"][network].update(change)
    failed = [asked for asked, verdict in verdicts(tables, network).items() if "FAILED" in verdict]
    assert len(failed) == 1
    assert what in failed[0]


def test_a_supervised_network_must_be_above_the_best_classical_on_each_scan(tables):
    tables["E"][0][1]["methods"][EDSR]["psnr_head"] = 30.9
    assert verdicts(tables, EDSR)["above the best classical on every scan"] == "**FAILED**"


def test_a_network_that_is_not_trained_has_neither_figure_nor_verdict(tables):
    assert ["E-wdsr-x4", "", "not trained yet", "-"] in asked(tables)


def test_the_page_has_every_work_that_was_measured_and_its_picture(tables):
    page = report(tables, {"C": "../docs/papers-c.png"})
    assert f"## Work C: {WORKS['C'].title}" in page
    assert f"## Work E: {WORKS['E'].title}" in page
    assert "Work A" not in page
    assert page.count("![") == 1


def test_only_what_a_record_lacks_is_measured_again():
    case = WORKS["E"].cases[0]
    row = record("anna") | {"sha256": {EDSR: "1", "mri-x2": "2"}}
    assert missing(row, case, {EDSR: "1", "mri-x2": "2"}) == set()
    assert missing(row, case, {EDSR: "1"}) == set()
    assert missing(row, case, {EDSR: "9", "mri-x2": "2"}) == {EDSR}
    assert missing(row, case, {EDSR: "1", "mri-x2": "2", "new": "3"}) == {"new"}


@pytest.mark.parametrize("changed", [GAN, TWIN])
def test_a_gan_and_its_twin_are_measured_together(changed):
    row = record("anna") | {"sha256": {GAN: "1", TWIN: "2", "mri-x2": "3"}}
    now = {GAN: "1", TWIN: "2", "mri-x2": "3", changed: "9"}
    assert missing(row, WORKS["C"].cases[0], now) == {GAN, TWIN}
    del row["sha256"][TWIN]
    assert missing(row, WORKS["C"].cases[0], {GAN: "1"}) == set()


def test_a_record_keeps_the_figures_that_were_not_measured_again():
    old = record("anna", **{GAN: {"psnr": 1.0}, TWIN: {"psnr": 2.0}}) | {"sha256": {GAN: "1", TWIN: "2"}}
    both = joined(old, record("anna", **{GAN: {"psnr": 3.0}}) | {"sha256": {GAN: "9"}})
    assert both["sha256"] == {GAN: "9", TWIN: "2"}
    assert {name: both["methods"][name]["psnr"] for name in (GAN, TWIN)} == {GAN: 3.0, TWIN: 2.0}
    assert both.keys() == old.keys()


def test_a_record_of_weights_that_were_replaced_is_not_printed():
    row = {"slices": None, "sha256": {"net": "1"}}
    assert current(row, {"net": "1", "new": "2"}, None)
    assert current(row, {}, None)
    assert not current(row, {"net": "9"}, None)
    assert not current(row, {}, 4)
    assert not current(None, {}, None)


def test_pictures_name_source_and_licence_of_the_scans():
    text = credit(["ds002748_sub-28_T1w", "uih_16dir", "ds002748_sub-29_T1w"])
    assert text.count("CC0") == 1
    assert "BSD-2-Clause" in text
    assert credit(["mine"]) == ""
