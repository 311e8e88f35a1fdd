"""The study: one page that opens from disk, with everything in it; what is done is not done again."""

import csv
import json
import re
import signal
import subprocess
import sys
import time
from html.parser import HTMLParser
from pathlib import Path

import numpy as np
import pytest
from folders import contents
from known_tensors import head as diffusion_head
from phantoms import brain, layers
from tiny_models import store_thinning

import SuperResolutionLib
from SuperResolutionLib import files
from SuperResolutionLib.methods.classical import upsample
from SuperResolutionLib.methods.method import Runtime
from SuperResolutionLib.physics.degradation import degrade
from SuperResolutionLib.physics.interpolating import METHODS
from SuperResolutionLib.progress import Progress, finish
from SuperResolutionLib.quality.tensor_errors import reference, tensor_errors
from SuperResolutionLib.study import queue
from SuperResolutionLib.study.plan import Plan, chosen_models, chosen_series_models
from SuperResolutionLib.study.subjects import find_scans
from SuperResolutionLib.volume import Volume

ROOT = Path(SuperResolutionLib.__file__).parent.parent
VOID = {"meta", "img"}


class Page(HTMLParser):
    """A page read strictly: every element that opens closes, in order."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.open: list[str] = []
        self.seen: list[tuple[str, dict[str, str]]] = []
        self.words: list[str] = []
        self.feed(text)
        assert self.open == []

    def handle_starttag(self, tag, attrs):
        self.seen.append((tag, dict(attrs)))
        if tag not in VOID:
            self.open.append(tag)

    def handle_endtag(self, tag):
        assert self.open.pop() == tag

    def handle_data(self, data):
        self.words.append(data)

    def pictures(self) -> list[str]:
        return [attributes["src"] for tag, attributes in self.seen if tag == "img"]


@pytest.fixture
def scans(tmp_path) -> Path:
    """Two subjects, one of them with two scans, of different sizes; int16."""
    folder = tmp_path / "scans"
    folder.mkdir()
    for name, size in [("anna_T1w", (48, 44, 3)), ("anna_T2w", (44, 48, 4)), ("ben_T1w", (52, 44, 3))]:
        voxels = brain(size, seed=len(name)).voxels.astype(np.int16)
        files.write(Volume(voxels, (1.0, 1.0, 4.0)), folder / f"{name}.nii.gz")
    return folder


@pytest.fixture
def quick(model) -> list[object]:
    """Options that every run has here."""
    return ["--models", model, "--precision", "float32", "--threads", 1, "--progress", "none"]


def opened(folder: Path) -> Page:
    """The report, which must need nothing from outside."""
    text = (folder / "report.html").read_text()
    assert not re.search(r"(src|href)\s*=\s*[\"'](?!data:)", text)
    assert "url(" not in text
    assert set(re.findall("<script.*?>", text)) == {'<script type="application/json">', "<script>"}
    assert text.count("<script>") == 1
    assert len(text.encode()) <= 25_000_000
    return Page(text)


def test_the_report_holds_every_figure_and_table(command, scans, quick, tmp_path):
    out = tmp_path / "study"
    answer = command("study", scans, "--out", out, "--credit", "made up, <CC0>", *quick)
    assert answer.code == 0, answer.err
    report = opened(out)
    pngs = sorted(path.name for path in out.glob("*.png"))
    kinds = ["slices", "orientation", "histograms", "spectra"]
    names = ["anna_T1w", "anna_T2w", "ben_T1w"]
    each = [f"{name}-k_space-{kind}.png" for name in names for kind in ("crops", "errors", "slices")]
    assert pngs == sorted([f"k_space-{kind}.png" for kind in kinds] + each)
    assert len(report.pictures()) == len(pngs)
    assert all(picture.startswith("data:image/png;base64,iVBOR") for picture in report.pictures())
    text = " ".join(report.words)
    assert "made up, <CC0>" in text
    assert "Research use only" in text
    assert "3 scans of 2 subjects" in text
    assert "tiny-x2: made for these tests" in text
    assert "too few for a p value" in text
    table = json.loads((out / "study.json").read_text())
    assert [record["subject"] for record in table["records"]] == ["anna", "anna", "ben"]
    with (out / "methods.csv").open() as file:
        rows = list(csv.DictReader(file))
    assert len(rows) == 3 * 6
    assert {row["method"] for row in rows} == {"nearest", "linear", "bicubic", "bspline", "sinc", "tiny-x2"}
    best = table["records"][0]["methods"]["sinc"]["psnr_head"]
    assert float(next(row for row in rows if row["method"] == "sinc")["psnr_head"]) == best
    with (out / "slices.csv").open() as file:
        assert len(list(csv.DictReader(file))) == (3 + 4 + 3) * 6
    with (out / "differences.csv").open() as file:
        (line,) = (row for row in csv.DictReader(file) if row["measure"] == "psnr_head")
    assert (line["subjects"], line["volumes"]) == ("2", "3")


@pytest.fixture
def studied(scans, model, tmp_path):
    """One slice of one scan put through the queue of a study, which draws no report."""

    def study(*degradations: str, show=lambda _event: None) -> queue.Outcome:
        runtime = Runtime(device="cpu", precision="float32", threads=1)
        plan = Plan((str(model),), degradations=degradations, slices=1, runtime=runtime)
        todo = queue.tasks(find_scans([scans / "ben_T1w.nii.gz"]), plan)
        return finish(queue.working(todo, plan, tmp_path / "study"), show)

    return study


def test_what_is_done_is_told_in_parts_and_not_done_again_and_another_option_does_it_anew(studied, scans, monkeypatch):
    done, plain = [], queue._record
    monkeypatch.setattr(queue, "_record", lambda task, *rest: (done.append(task.label), plain(task, *rest))[1])
    events: list[Progress] = []
    first = studied("k_space", show=events.append)
    assert_growing([event.done + event.part for event in events], parts=18)
    assert studied("k_space") == first
    assert done == ["ben_T1w, k_space"]
    assert [record["degradation"] for record in studied("area", "k_space").records] == ["area", "k_space"]
    assert done == ["ben_T1w, k_space", "ben_T1w, area"]
    one = scans / "ben_T1w.nii.gz"
    volume = files.read(one)
    files.write(volume.with_voxels(volume.voxels + 1), one, overwrite=True)
    assert studied("k_space").folders != first.folders
    assert done[2:] == ["ben_T1w, k_space"]


def assert_growing(shares: list[float], parts: int) -> None:
    """Shares of what is done, from nothing to all of it, in more than so many parts."""
    assert shares == sorted(shares) and (shares[0], shares[-1]) == (0, 1)
    assert len(set(shares)) > parts


def test_a_study_made_again_writes_the_same_page(command, scans, quick, tmp_path):
    again = ["study", scans / "ben_T1w.nii.gz", "--no-truth", "--slices", 1, "--out", tmp_path / "study", *quick]
    assert command(*again).code == 0
    page = (tmp_path / "study" / "report.html").read_bytes()
    assert command(*again).code == 0
    assert (tmp_path / "study" / "report.html").read_bytes() == page


def test_progress_tells_how_much_of_a_scan_is_done(command, scans, quick, tmp_path):
    """With a truth, too: above, of the queue."""
    out = tmp_path / "study"
    answer = command("study", scans / "ben_T1w.nii.gz", "--out", out, *quick, "--progress", "json", "--no-truth")
    assert answer.code == 0, answer.err
    *steps, done = answer.events()
    assert_growing([event["done"] + event["part"] for event in steps], parts=2)
    assert {event["total"] for event in steps} == {1}
    assert all(event["left"] is not None for event in steps if event["part"])
    assert done["output"] == str(out / "report.html")


def test_one_bad_scan_among_many_is_reported_and_the_rest_is_done(command, scans, quick, tmp_path):
    (scans / "carl_T1w.nii.gz").write_bytes(b"not a scan")
    both = [scans / f"{name}_T1w.nii.gz" for name in ("carl", "ben")]
    answer = command("study", *both, "--out", tmp_path / "study", "--slices", 2, *quick)
    assert answer.code == 1
    assert "not studied: carl_T1w" in answer.err
    text = " ".join(opened(tmp_path / "study").words)
    assert "could not be studied" in text
    assert "carl_T1w" in text
    assert "1 scan of 1 subject" in text
    assert "tiny-x2: made for these tests" in text


def test_where_no_scan_can_be_studied_there_is_no_report(command, quick, tmp_path):
    (tmp_path / "bad.nii.gz").write_bytes(b"not a scan")
    answer = command("study", tmp_path / "bad.nii.gz", "--out", tmp_path / "study", *quick)
    assert answer.code == 2
    assert "bad.nii.gz" in answer.err
    assert not list((tmp_path / "study").glob("report*"))


def test_an_empty_folder_is_refused(refused, quick, tmp_path):
    (tmp_path / "empty").mkdir()
    refused(["study", tmp_path / "empty", "--out", tmp_path / "study", *quick], "There is no scan in")


def test_a_mask_on_another_grid_is_refused_before_any_work(refused, scans, quick, tmp_path):
    mask = tmp_path / "mask.nii.gz"
    files.write(Volume(np.ones((3, 20, 20), np.uint8)), mask)
    chosen = ["--out", tmp_path / "study", "--masks", mask, *quick]
    refused(["study", scans / "ben_T1w.nii.gz", *chosen], "another grid")


def test_a_mask_decides_what_is_called_brain(command, scans, quick, tmp_path):
    volume = files.read(scans / "ben_T1w.nii.gz")
    inside = np.zeros(volume.voxels.shape, np.uint8)
    inside[:, 18:26, 20:30] = 1
    mask = tmp_path / "ben_T1w_mask.nii.gz"
    files.write(volume.with_voxels(inside), mask)
    chosen = ["--out", tmp_path / "study", *quick]
    assert command("study", scans / "ben_T1w.nii.gz", "--masks", mask, *chosen).code == 0
    (record,) = json.loads((tmp_path / "study" / "study.json").read_text())["records"]
    assert record["mask"] == "ben_T1w_mask.nii.gz"
    sinc = record["methods"]["sinc"]
    assert sinc["psnr_brain"] != pytest.approx(sinc["psnr_head"], abs=0.01)


@pytest.mark.parametrize(
    ("chosen", "words"),
    [
        (["--degradations", "k_spice"], ["did you mean 'k_space'"]),
        (["--degradations", "k_space_zero_filled"], ["use 'k_space'"]),
        (["--models", "sinc"], ["is a classical method"]),
        (["--models", "mri-y2"], ["There is no installed model called 'mri-y2'"]),
        (["--scale", "2.5"], ["by a whole factor, not by 2.5", "--slice-spacing"]),
        (["--models", "mri-iso", "--scale", "2"], ["makes thin slices", "--isotropic", "--degradations slices"]),
        (["--models", "mri-x2", "--slice-spacing", "8"], ["makes the plane finer", "--scale 2"]),
        (["--models", "deconvolution", "--slice-spacing", "8"], ["is a classical method"]),
        (["--degradations", "slices", "k_space"], ["makes slices thick", "--slice-spacing"]),
        (["--thickness", "3"], ["with --no-truth", "slices:thickness=3"]),
        (["--no-truth", "--streamlines"], ["compared with the truth's"]),
        (["--no-truth", "--scale", "2", "--thickness", "3"], ["with --no-truth", "--isotropic"]),
    ],
)
def test_what_cannot_be_studied_is_refused_at_once(refused, scans, tmp_path, chosen, words):
    refused(["study", scans, "--out", tmp_path / "study", "--progress", "none", *chosen], *words)


def test_by_default_a_study_takes_the_model_for_any_scan_and_none_that_is_made_for_comparison():
    assert chosen_models(None, 2) == ("mri-x2",)
    assert {"mri-x2", "B-srgan-x2"} <= set(chosen_models(["all"], 2))
    assert "dwi-x2" not in chosen_models(["all"], 2)


def test_a_model_of_another_scale_is_refused(refused, scans, quick, tmp_path):
    refused(["study", scans, "--out", tmp_path / "study", "--scale", 4, *quick], "has scale 2, not 4")


def test_several_processes_find_what_one_finds(command, scans, quick, tmp_path):
    (scans / "anna_T2w.nii.gz").unlink()  # two scans are enough for two processes
    chosen = ["--no-truth", "--slices", 1, *quick]
    one, two = (["study", scans, "--out", tmp_path / n, "--jobs", n, *chosen] for n in ("1", "2"))
    assert command(*one).code == 0
    # In a process of its own: Python's tracker of shared resources stays behind in whoever started processes.
    asked = [sys.executable, "-m", "SuperResolutionLib.cli", *map(str, two)]
    answer = subprocess.run(asked, cwd=ROOT, capture_output=True, text=True)
    assert answer.returncode == 0, answer.stderr
    one, two = (json.loads((tmp_path / str(jobs) / "study.json").read_text()) for jobs in (1, 2))
    assert one == two


def test_an_interruption_leaves_what_is_done_and_no_half_report(scans, quick, tmp_path):
    out = tmp_path / "study"
    chosen = [str(option) for option in ["study", scans, "--out", out, "--no-truth", "--slices", 1, *quick]]
    child = subprocess.Popen([sys.executable, "-m", "SuperResolutionLib.cli", *chosen], cwd=ROOT)
    while child.poll() is None and not list(out.glob(".cache/*/record.json")):
        time.sleep(0.05)
    child.send_signal(signal.SIGTERM)
    assert child.wait(600) == 130
    left = contents(out)
    assert any(path.endswith("record.json") for path in left)
    assert all("/.cache/" in path for path in left)


# ---------------------------------------------------------------- thick slices


@pytest.fixture
def thinning(tmp_path) -> list[object]:
    """Options of a study by a model for thick slices."""
    model = store_thinning(tmp_path / "models")
    return ["--models", model, "--precision", "float32", "--threads", 1, "--progress", "none"]


@pytest.mark.parametrize("wish", [[], ["--degradations", "slices:spacing=4"], ["--slice-spacing", "4"]])
def test_thin_slices_are_the_truth_of_thick_ones(command, thinning, tmp_path, wish):
    files.write(layers(40), tmp_path / "anna_T1w.nii.gz")
    out = tmp_path / "study"
    answer = command("study", tmp_path / "anna_T1w.nii.gz", "--out", out, *wish, *thinning)
    assert answer.code == 0, answer.err
    text = " ".join(opened(out).words)
    assert "sliced into thick slices" in text and "six classical methods" in text and ", x4" in text
    assert not list(out.glob("*orientation*"))
    (record,) = json.loads((out / "study.json").read_text())["records"]
    assert set(record["methods"]) == {*METHODS, "deconvolution", "tiny-iso"}
    assert record["methods"]["deconvolution"]["classical"]
    assert len(record["methods"]["tiny-iso"]["psnr_slices"]) == 24  # coronal slices, not thick ones
    assert record["methods"]["deconvolution"]["psnr_head"] > record["methods"]["nearest"]["psnr_head"]


# ---------------------------------------------------------------- without a truth


def test_without_a_truth_the_report_says_what_can_be_trusted(command, scans, quick, tmp_path):
    out = tmp_path / "trust"
    answer = command("study", scans / "ben_T1w.nii.gz", "--no-truth", "--out", out, *quick)
    assert answer.code == 0, answer.err
    report = opened(out)
    assert sorted(path.name for path in out.glob("*.png")) == ["ben_T1w-intensities.png", "ben_T1w-tiny-x2-trust.png"]
    assert len(report.pictures()) == 2
    text = " ".join(report.words)
    for words in (
        "There is no truth",
        "cannot be seen",
        "above the scan's own Nyquist",
        "2603.04673",
        "of R",
        "made for these tests",
    ):
        assert words in text, words
    (record,) = json.loads((out / "study.json").read_text())["records"]
    (found,) = record["models"].values()
    assert found["consistency"]["k_space"] < record["classical"]["bicubic"]["consistency"]["k_space"] + 40
    assert found["spread"]["p99"] > found["spread"]["median"] > 0
    assert any("training scans" in sentence for sentence in found["unlike"])


@pytest.fixture
def thick(tmp_path) -> Path:
    """Slices 3 mm thick, 4 mm apart."""
    files.write(degrade(layers(64), "slices:spacing=4,thickness=3").cast(np.int16), tmp_path / "anna_T1w.nii.gz")
    return tmp_path / "anna_T1w.nii.gz"


@pytest.mark.parametrize("wish", [[], ["--isotropic"], ["--slice-spacing", "1"], ["--spacing", "1"]])
def test_of_thick_slices_the_report_says_what_can_be_trusted(command, thinning, thick, tmp_path, wish):
    out = tmp_path / "trust"
    answer = command("study", thick, "--no-truth", "--thickness", "3", "--out", out, *wish, *thinning)
    assert answer.code == 0, answer.err
    report = opened(out)
    assert len(report.pictures()) == 2
    text = " ".join(report.words)
    for words in (
        "3 mm thick, 4 mm apart, with gaps of 1 mm",
        "brought back to slices 3 mm thick and 4 mm apart, it differs from what was measured by",
        "of deconvolution",
        "eight turned and mirrored views",
        "averaging does not tell",
        "gaussian slices (dB)",
    ):
        assert words in text, words
    (record,) = json.loads((out / "study.json").read_text())["records"]
    (found,) = record["models"].values()
    assert record["made"] == [1, 1, 1]
    assert found["spread"]["p99"] > found["spread"]["median"] > 0
    assert record["classical"]["deconvolution"]["off"] < 0.02 < found["off"]  # of random weights


def test_without_a_thickness_the_report_says_what_it_takes_for_granted(command, thinning, thick, tmp_path):
    assert command("study", thick, "--no-truth", "--out", tmp_path / "trust", *thinning).code == 0
    words = " ".join(opened(tmp_path / "trust").words)
    assert "Taken for granted: the slices are taken to be as thick as they are apart, 4 mm" in words


@pytest.mark.parametrize(
    ("wish", "words"),
    [
        (["--spacing", "0.5", "0.5", "1"], "changes the voxels along x, y, z"),
        (["--spacing", "0.5", "0.5", "4"], "changes the voxels along x, y"),
        (["--isotropic", "--thickness", "9"], "cannot be; give a thickness above 0 mm"),
        (["--slice-spacing", "6"], "which is coarser"),
    ],
)
def test_a_grid_that_cannot_be_checked_is_one_sentence(refused, thinning, thick, tmp_path, wish, words):
    out = tmp_path / "trust"
    out.mkdir()
    (out / ".cache").mkdir()
    refused(["study", thick, "--no-truth", "--out", out, *wish, *thinning], words)


@pytest.fixture
def dwi(tmp_path) -> Path:
    """A diffusion series of a head with its gradients, beside the other scans' folder."""
    path = tmp_path / "scans" / "carl_dwi.nii.gz"
    path.parent.mkdir(exist_ok=True)
    files.write(diffusion_head(32, 6)[0].cast(np.float32), path)
    return path


def test_a_diffusion_series_is_studied_by_its_tensors(command, dwi, quick, tmp_path):
    out = tmp_path / "study"
    answer = command("study", dwi, "--out", out, "--streamlines", *quick)
    assert (answer.code, answer.err) == (0, "")
    page = opened(out)
    words = " ".join(page.words)
    assert words.count("tiny-x2: made for") == 1  # it restores series here, and is listed once
    for title in ("Diffusion series, k_space, x2", "FA bias grey", "S/S0 bias", "Dice of streamlines", "carl_dwi"):
        assert title in words
    assert len(page.pictures()) == 2
    rows = list(csv.DictReader((out / "series.csv").open()))
    assert {row["method"] for row in rows} == {*METHODS, "MP-PCA + sinc", "tiny-x2"}
    truth = files.read(dwi)
    low = degrade(truth, "k_space", 2)
    given = reference(truth.cast(np.float32))
    expected = tensor_errors(given, upsample(low, "sinc", 2), with_ssim=False)[0]
    (sinc,) = (row for row in rows if row["method"] == "sinc")
    assert float(sinc["fa_white"]) == pytest.approx(expected.fa_white, rel=1e-5)
    assert float(sinc["fa_grey_bias"]) == pytest.approx(expected.fa_grey_bias, rel=1e-4)
    assert not (out / "methods.csv").exists()  # which is of single volumes
    measured = {row["measure"] for row in csv.DictReader((out / "differences.csv").open())}
    assert {"psnr_weighted", "fa_white_bias", "streamline_dice"} <= measured
    assert "streamlines" not in measured  # a number that is neither better nor worse


def test_series_and_single_volumes_share_a_report(command, scans, dwi, quick, tmp_path):
    out = tmp_path / "study"
    answer = command("study", scans / "ben_T1w.nii.gz", dwi, "--out", out, *quick)
    assert (answer.code, answer.err) == (0, "")
    words = " ".join(opened(out).words)
    assert "k_space, x2" in words and "Diffusion series, k_space, x2" in words
    assert "streamlines" not in words.lower()  # not asked for
    assert {row["scan"] for row in csv.DictReader((out / "methods.csv").open())} == {"ben_T1w"}
    assert {row["scan"] for row in csv.DictReader((out / "series.csv").open())} == {"carl_dwi"}


def test_a_series_without_gradients_is_no_scan_of_a_study(command, dwi, quick, tmp_path):
    for path in dwi.parent.glob("*.bv*"):
        path.unlink()
    answer = command("study", dwi, "--out", tmp_path / "study", *quick)
    assert answer.code == 2
    assert "13 volumes without gradients" in answer.err and ".bval" in answer.err


def test_a_mask_is_for_single_volumes(command, dwi, quick, tmp_path):
    mask = tmp_path / "mask.nii.gz"
    files.write(Volume(np.ones(files.read(dwi).voxels.shape[1:], np.uint8), (2.0, 2.0, 3.0)), mask)
    answer = command("study", dwi, "--out", tmp_path / "study", "--masks", mask, *quick)
    assert answer.code == 2
    assert "without --masks" in answer.err


def test_series_are_restored_by_the_model_made_for_them_unless_others_are_named():
    assert chosen_series_models(None, 2) == ("dwi-x2",)
    assert chosen_series_models(["all"], 4) == ("dwi-x4",)
    assert chosen_series_models(["mri-x2", "dwi-x2"], 2) == ("mri-x2", "dwi-x2")
    assert chosen_models(["mri-x2", "dwi-x2"], 2) == ("mri-x2",)
    assert chosen_series_models(None, None) == chosen_models(None, None)


def test_a_model_for_series_restores_no_single_volume(command, scans, tmp_path):
    for more in ([], ["--no-truth"]):
        answer = command("study", scans / "ben_T1w.nii.gz", "--out", tmp_path / "study", "--models", "dwi-x2", *more)
        assert answer.code == 2
        assert "work on diffusion series" in answer.err


def test_a_series_with_other_b_values_is_measured_anew(command, dwi, quick, tmp_path):
    out, tables = tmp_path / "study", []
    for _ in range(2):
        assert command("study", dwi, "--out", out, *quick).code == 0
        tables.append((out / "series.csv").read_text())
        bvals = dwi.with_name("carl_dwi.bval")
        bvals.write_text(bvals.read_text().replace("1000", "2000"))
    assert tables[0] != tables[1]


def test_a_series_without_dipy_is_one_sentence_and_other_scans_are_studied(
    command, scans, dwi, quick, tmp_path, monkeypatch
):
    monkeypatch.setitem(sys.modules, "dipy.reconst.dti", None)
    answer = command("study", dwi, scans / "ben_T1w.nii.gz", "--out", tmp_path / "study", *quick)
    assert answer.code == 1
    assert "not studied: carl_dwi" in answer.err and "DIPY" in answer.err
    assert (tmp_path / "study" / "methods.csv").exists()


def test_what_a_truth_is_called_does_not_change_what_is_measured(command, dwi, quick, tmp_path):
    tables = []
    for name in ("carl_dwi", "carl_denoised"):
        path = tmp_path / "scans" / f"{name}.nii.gz"
        if not path.exists():
            files.write(files.read(dwi), path)
        assert degrade(files.read(path), "k_space", 2).header.denoised == ""
        assert command("study", path, "--out", tmp_path / name, *quick).code == 0
        tables.append((tmp_path / name / "series.csv").read_text().replace(name, ""))
    assert tables[0].splitlines()[1].split(",")[5:] == tables[1].splitlines()[1].split(",")[5:]
