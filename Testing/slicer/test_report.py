"""A report on a volume, by the real study in its real process: a fresh folder with all of it, or nothing at all."""

import json
from pathlib import Path

import numpy as np
import pytest
import scans
import slicer
import slicer.util
from processes import workers
from SuperResolutionSlicer import report_page
from SuperResolutionSlicer.jobs import JobError
from SuperResolutionSlicer.logic import Settings, SuperResolutionLogic
from test_logic import big, step_until, temporary_files, wait_for

from SuperResolutionLib.errors import InputError


@pytest.fixture
def logic(session):
    found = SuperResolutionLogic()
    yield found
    found.close()


def record(page: Path) -> dict:
    """What the study says of the one volume."""
    (found,) = json.loads((page.parent / "study.json").read_text())["records"]
    return found


def test_a_report_is_the_study_of_the_volume_by_what_was_chosen_and_adds_nothing_to_the_scene(logic, tmp_path):
    node = scans.scalar("MR head, T1")
    before = scans.names()
    page = logic.saveReport(node, tmp_path, Settings(degradation="area", seed=3))
    assert page == tmp_path / "MR-head-T1-report" / "report.html"
    found = record(page)
    assert (found["scan"], found["degradation"], found["scale"]) == ("MR-head-T1", "area", 2)
    assert set(found["methods"]) == {"nearest", "linear", "bicubic", "bspline", "sinc", "mri-x2"}
    assert "MR-head-T1" in page.read_text(encoding="utf-8")
    assert list(page.parent.glob("*.png")) and (page.parent / "methods.csv").is_file()
    assert not [path for path in page.parent.iterdir() if path.name.startswith(".")]
    assert scans.names() == before
    assert temporary_files() == []


def test_without_a_truth_the_report_asks_what_can_be_trusted_and_takes_the_next_free_folder(logic, tmp_path):
    node = scans.scalar()
    (tmp_path / "head-report").mkdir()
    (tmp_path / "head-report" / "report.html").write_text("mine")
    (tmp_path / "head-report-2").write_text("mine")
    shares = []
    job = logic.saveReport(node, str(tmp_path), truth=False, blocking=False)
    step_until(job, lambda: shares.append(job.progress), seconds=300)
    assert job.state == "done", job.error + job.log
    assert job.result == tmp_path / "head-report-3" / "report.html"
    assert "There is no truth" in job.result.read_text(encoding="utf-8")
    assert record(job.result)["models"]["mri-x2"]["spread"]["p99"] > 0
    assert (tmp_path / "head-report" / "report.html").read_text() == "mine"
    assert (tmp_path / "head-report-2").read_text() == "mine"
    parts = [step for step in shares if step.share is not None and 0 < step.share < 1]
    assert parts and all("% of the report, " in step.text and step.text.endswith(" left") for step in parts)


def test_cancelling_a_report_leaves_no_process_and_no_file(logic, tmp_path):
    node = big()
    before = scans.names()
    job = logic.saveReport(node, tmp_path, blocking=False)
    step_until(job, lambda: (job.progress.share or 0) > 0, seconds=300)
    assert workers()
    job.cancel()
    assert wait_for(lambda: not workers(), 3)
    assert job.state == "cancelled"
    assert list(tmp_path.iterdir()) == []
    assert temporary_files() == []
    assert scans.names() == before


def test_a_report_that_fails_leaves_no_file_and_speaks_of_the_volume(logic, tmp_path):
    node = scans.scalar("my head", dtype=np.float32)
    slicer.util.arrayFromVolume(node)[2, 3, 4] = np.nan
    before = scans.names()
    with pytest.raises(JobError, match=r"^my head has 1 NaN"):
        logic.saveReport(node, tmp_path)
    assert list(tmp_path.iterdir()) == []
    assert temporary_files() == []
    assert scans.names() == before


def test_a_disk_that_is_full_at_the_end_leaves_no_half_report(logic, tmp_path, monkeypatch):
    made = tmp_path / "made"
    made.mkdir()
    for name in ("report.html", "study.json"):
        (made / name).write_text(name)
    target = tmp_path / "reports"
    target.mkdir()

    def refuse(source, place):
        Path(place).write_bytes(b"part")
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(report_page.shutil, "move", refuse)
    with pytest.raises(InputError, match=r"could not be saved in .*No space left on device"):
        report_page.keep(made, target, "head")
    assert list(target.iterdir()) == []


def test_what_no_report_can_be_on_is_refused_before_any_work(logic, tmp_path):
    for node in (scans.diffusion(), scans.tensors()):
        with pytest.raises(InputError, match=f"{node.GetName()} is a series or holds tensors"):
            logic.saveReport(node, tmp_path)
    with pytest.raises(InputError, match=r"There is no folder .*gone; choose one"):
        logic.saveReport(scans.scalar(), tmp_path / "gone")
    assert workers() == []


@pytest.mark.parametrize(
    ("name", "wanted"),
    [
        ("MRHead", "MRHead"),
        ("../../etc/x", "etc-x"),
        ("Kopf groß: 1", "Kopf-gro-1"),
        ("头", "volume"),
        ("a" * 300, "a" * 60),
    ],
)
def test_a_volume_of_any_name_has_a_name_in_the_file_system(session, name, wanted):
    assert report_page.file_name(scans.scalar(name)) == wanted
