"""Pages are made from templates, and what comes from files is text in them, never markup."""

import re
import sys
from pathlib import Path

import numpy as np
import pytest
from matplotlib.figure import Figure

from SuperResolutionLib.study import page
from SuperResolutionLib.study.bringing_back import MODELS_OF_SCANNERS
from SuperResolutionLib.study.plan import Plan
from SuperResolutionLib.study.queue import Outcome
from SuperResolutionLib.study.trust_report import write_trust_report
from SuperResolutionLib.viewing.contents import as_json, contents
from SuperResolutionLib.viewing.layer import Layer
from SuperResolutionLib.volume import Volume

HOSTILE = "<script>alert('a & b')</script>\"x"


def outcome(folder: Path) -> Outcome:
    """One scan of a hostile name, as `examining_without_truth` leaves it."""
    Figure(figsize=(1, 1)).savefig(folder / "map.png")
    layer = Layer(HOSTILE, Volume(np.arange(60.0).reshape(3, 4, 5)))
    (folder / "viewer.json").write_text(as_json(contents([layer])))
    row = {"consistency": dict.fromkeys(MODELS_OF_SCANNERS, 40.0), "suspect": 0.01, "curve": [1.0, 0.5]}
    row |= {
        "histogram": [1] * 100,
        "off": 0.01,
        "far": 0.0,
        "limit": 0.05,
        "uneven": 0.0,
        "worst": 1,
        "worst_off": 0.02,
    }
    model = {**row, "spread": {"median": 0.01, "p95": 0.02, "p99": 0.03}, "unlike": [], "looks_known": True}
    record = {
        "scan": "anna",
        "scale": 2,
        "made": [0.5, 0.5, 4],
        "back": "the scan's grid",
        "note": HOSTILE,
        "noise": 0.01,
        "spacing": [1, 1, 4],
        "size": [32, 32, 3],
        "range": 900.0,
        "whole_head": False,
        "models": {HOSTILE: model},
        "classical": {"bicubic": row},
        "input_histogram": [1] * 100,
        "figures": {HOSTILE: "map.png"},
        "viewer": "viewer.json",
    }
    return Outcome([record], [folder], {HOSTILE: "it is empty"})


def test_names_are_text_and_never_markup(tmp_path):
    (tmp_path / "cache").mkdir()
    (tmp_path / "out").mkdir()
    path = write_trust_report(outcome(tmp_path / "cache"), Plan(("mri-x2",)), tmp_path / "out", f"{HOSTILE}, CC0")
    text = path.read_text()
    assert re.findall("<script.*?>", text) == ['<script type="application/json">', "<script>"]
    assert text.count("&lt;script&gt;alert(&#39;a &amp; b&#39;)&lt;/script&gt;&#34;x") >= 6
    assert 'alt="&lt;script' in text
    assert text.startswith("<!DOCTYPE html>")


def test_its_viewer_opens_with_its_fold(opened, tmp_path):
    (tmp_path / "cache").mkdir()
    (tmp_path / "out").mkdir()
    path = write_trust_report(outcome(tmp_path / "cache"), Plan(("mri-x2",)), tmp_path / "out")
    report = opened(path)
    assert report.page.locator(".srv canvas").count() == 0
    report.page.click("text=Look through the slices")
    report.ready()
    assert report.page.locator(".srv-name.left").first.inner_text() == HOSTILE
    assert report.values() == ["32"]  # the voxel in the middle
    assert [address for address in report.requests if not address.startswith("data:")] == [path.as_uri()]
    assert report.errors == []


def test_where_jinja2_is_missing_that_is_said(tmp_path, monkeypatch, refuses):
    monkeypatch.setitem(sys.modules, "jinja2", None)
    with refuses("made with Jinja2", "pip install Jinja2"):
        page.write(tmp_path / "page.html", "trust.html.j2", outcome(tmp_path), Plan(("mri-x2",)))


@pytest.mark.parametrize("template", sorted(path.name for path in page.TEMPLATES.iterdir()))
def test_no_template_fetches_anything_or_trusts_any_text(template):
    text = (page.TEMPLATES / template).read_text()
    assert not re.search(r"https?:|//|\|\s*safe|autoescape|Markup", text)


@pytest.mark.parametrize(
    ("kinds", "expected"),
    [([{}], ["mri-x2"]), ([{"kind": "series"}], ["dwi-x2"]), ([{"kind": "series"}, {}], ["mri-x2", "dwi-x2"])],
)
def test_a_page_lists_the_models_that_restored_its_scans_and_no_others(kinds, expected):
    plan = Plan(("mri-x2",), series_models=("dwi-x2",))
    said = page.made_for(Outcome(tuple(kinds), (), {}), plan)
    assert [line.partition(":")[0] for line in said] == expected
