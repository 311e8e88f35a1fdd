"""The BIDS App: a data set in, a derivatives data set out; what is finished stays, what fails fails alone."""

import json
import shlex
import shutil
import signal
import subprocess
import sys
from pathlib import Path

import bids_tree
import numpy as np
import pytest
from folders import contents
from tiny_models import store, store_thinning

import SuperResolutionLib
from SuperResolutionLib import files
from SuperResolutionLib.batch import one_scan
from SuperResolutionLib.cli import main, parser

ROOT = Path(SuperResolutionLib.__file__).parent.parent
QUICK = ["--precision", "float32", "--threads", "1", "--progress", "none", "--device", "cpu"]
FLAIR = "sub-02/anat/sub-02_res-x2_desc-superres_FLAIR"
DWI = "sub-01/ses-a/dwi/sub-01_ses-a_res-x2_desc-superres_dwi"


@pytest.fixture(scope="module")
def world(tmp_path_factory) -> Path:
    """A data set in raw/, a model, and in out/ what the command made of them."""
    folder = tmp_path_factory.mktemp("world")
    bids_tree.make(folder / "raw")
    model = store(folder / "models")
    before = contents(folder / "raw")
    code = main([str(a) for a in ("bids", folder / "raw", folder / "out", "participant", "--model", model, *QUICK)])
    assert code == 1  # one scan is cut short
    assert contents(folder / "raw") == before
    return folder


@pytest.fixture
def again(world, tmp_path, command):
    """The same world in a place of its own, and the same command in it: with more arguments, on another level."""
    shutil.copytree(world, tmp_path / "world")

    class Again:
        folder, raw, out = tmp_path / "world", tmp_path / "world/raw", tmp_path / "world/out"
        model = tmp_path / "world/models/tiny-x2.safetensors"

        def __call__(self, *more: object, level: str = "participant"):
            return command("bids", self.raw, self.out, level, "--model", self.model, *QUICK, *more)

    return Again()


def images(out: Path) -> dict[str, bytes]:
    return {path.name: path.read_bytes() for path in out.rglob("*.nii.gz")}


def test_each_scan_that_can_be_enhanced_has_an_image_a_sidecar_and_a_picture(world):
    made = sorted(path.relative_to(world / "out").as_posix() for path in (world / "out").rglob("*.nii.gz"))
    assert len(made) == len(bids_tree.GOOD)
    assert f"{FLAIR}.nii.gz" in made
    assert not [name for name in made if "phase" in name or "run-2" in name]
    for name in made:
        assert (world / "out" / name).with_suffix("").with_suffix(".json").is_file()
        assert (world / "out/figures" / Path(name).name.replace(".nii.gz", ".png")).read_bytes().startswith(b"\x89PNG")


def test_the_image_is_the_one_that_enhance_makes(world, command, tmp_path):
    scan = world / "raw" / bids_tree.THICK
    assert (
        command("enhance", scan, tmp_path / "o.nii.gz", "--model", world / "models/tiny-x2.safetensors", *QUICK).code
        == 0
    )
    assert (tmp_path / "o.nii.gz").read_bytes() == (world / "out" / f"{FLAIR}.nii.gz").read_bytes()


def test_the_sidecar_names_its_source_and_keeps_what_the_scanner_said(world):
    table = json.loads((world / "out" / f"{FLAIR}.json").read_text())
    assert table["Sources"] == [f"bids:raw:{bids_tree.THICK}"]
    assert table["Resolution"].startswith("0.5 x 0.5 x 4 mm")
    assert table["SkullStripped"] is False
    assert (table["EchoTime"], table["FlipAngle"], table["SliceThickness"]) == (0.03, 90, 3)
    assert table["SuperResolution"]["model"] == "tiny-x2"


def test_gradients_of_a_higher_folder_come_with_the_series(world):
    series = files.read(world / "out" / f"{DWI}.nii.gz")
    assert series.gradients.bvals.tolist() == [0, 1000, 1000]
    raw = np.loadtxt(world / "raw/sub-01/sub-01_dwi.bvec")
    assert np.allclose(np.loadtxt(world / "out" / f"{DWI}.bvec"), raw)


def test_the_thickness_comes_from_the_metadata_and_thin_slices_lose_it(shelf, command, world, tmp_path):
    store_thinning(shelf)
    wish = ["--isotropic", "--suffix", "FLAIR", "--precision", "float32", "--progress", "none", "--device", "cpu"]
    answer = command("bids", world / "raw", tmp_path / "out", "participant", *wish)
    assert answer.code == 0, answer.err
    table = json.loads(next((tmp_path / "out").rglob("*res-iso*FLAIR.json")).read_text())
    assert table["SuperResolution"]["notes"][0] == "slices 3 mm thick, 4 mm apart, with gaps of 1 mm"
    assert "SliceThickness" not in table and "SpacingBetweenSlices" not in table
    assert table["FlipAngle"] == 90


def test_the_results_are_a_data_set_of_their_own(world):
    about = json.loads((world / "out/dataset_description.json").read_text())
    assert about["DatasetType"] == "derivative"
    assert about["GeneratedBy"][0]["Version"] == SuperResolutionLib.__version__
    assert about["SourceDatasets"] == [{"URL": (world / "raw").as_uri()}]
    assert about["License"] == "CC0"
    assert "Research use only" in (world / "out/README").read_text()
    assert (world / "out/CHANGES").read_text().startswith("1.0.0 ")
    assert (world / "out/sub-02.html").read_text().count("data:image/png;base64,") == 3


def test_each_scan_has_a_log_and_the_one_that_failed_says_why(world):
    logs = sorted((world / "out/logs").glob("*.log"))
    assert len(logs) == len(bids_tree.GOOD) + 1
    (failed,) = [log for log in logs if "run-2" in log.name]
    assert "cut short or damaged" in failed.read_text()


def test_bids_own_validator_finds_no_error_in_the_data_set_nor_in_the_results(world):
    pytest.importorskip("bids_validator_deno", reason="bids-validator-deno is not installed")
    tool = Path(sys.executable).parent / "bids-validator-deno"
    (world / "raw" / bids_tree.CORRUPT).rename(world / "corrupt")  # which is an error, and is meant to be one
    try:
        for folder in ("raw", "out"):
            done = subprocess.run(
                [tool, world / folder, "--format", "json"], capture_output=True, text=True, timeout=200
            )
            issues = json.loads(done.stdout)["issues"]["issues"]
            assert [issue for issue in issues if issue.get("severity") == "error"] == []
    finally:
        (world / "corrupt").rename(world / "raw" / bids_tree.CORRUPT)


def test_pybids_finds_each_result_by_its_entities(world):
    bids = pytest.importorskip("bids", reason="pybids is not installed")
    layout = bids.BIDSLayout(world / "out", validate=False, config=["bids", "derivatives"])
    found = layout.get(desc="superres", res="x2", extension=".nii.gz")
    assert len(found) == len(bids_tree.GOOD)
    (one,) = layout.get(subject="01", session="b", suffix="T1w", extension=".nii.gz")
    assert one.get_metadata()["Sources"] == ["bids:raw:sub-01/ses-b/anat/sub-01_ses-b_T1w.nii.gz"]


def test_finished_results_are_kept_and_only_what_is_missing_is_done(again, monkeypatch):
    before, read = images(again.out), []
    monkeypatch.setattr(one_scan.files, "read", lambda path, plain=files.read: read.append(path.name) or plain(path))
    (again.out / f"{FLAIR}.nii.gz").unlink()
    (again.out / f"{FLAIR}.json").unlink()
    assert again("--overwrite").code == 1
    assert sorted(read) == ["sub-02_FLAIR.nii.gz", "sub-02_run-2_T1w.nii.gz"]
    assert images(again.out) == before


def test_a_result_that_is_shorter_than_it_was_written_is_made_anew(again):
    whole = (again.out / f"{FLAIR}.nii.gz").read_bytes()
    (again.out / f"{FLAIR}.nii.gz").write_bytes(whole[:1000])
    again("--suffix", "FLAIR")
    assert (again.out / f"{FLAIR}.nii.gz").read_bytes() == whole


@pytest.mark.parametrize(
    ("change", "words"),
    [
        (lambda w: (w.raw / bids_tree.THICK).write_bytes((w.raw / bids_tree.GOOD[5]).read_bytes()), "another scan"),
        (lambda w: (w.raw / "FLAIR.json").write_text('{"EchoTime": 0.1}'), "files beside the scan"),
        (lambda w: (w.out / f"{FLAIR}.nii.gz").write_bytes(bytes(20000)), "was changed since"),
        (lambda w: store(w.folder / "models", blocks=2), "asked for in another way"),
        (lambda w: (w.out / f"{FLAIR}.json").write_text("{}"), "no record"),
    ],
)
def test_a_result_of_another_scan_model_or_hand_is_told_and_replaced_only_when_allowed(again, change, words):
    change(again)
    before = contents(again.out)
    answer = again("--suffix", "FLAIR")
    assert answer.code == 1
    assert words in answer.err and "--overwrite" in answer.err
    after = contents(again.out)
    assert {k: v for k, v in after.items() if not k.endswith((".log", ".html"))} == {
        k: v for k, v in before.items() if not k.endswith((".log", ".html"))
    }
    assert again("--suffix", "FLAIR", "--overwrite").code == 0
    assert again("--suffix", "FLAIR").code == 0


def test_only_the_participants_sessions_and_suffixes_that_are_named_are_done(world, command, tmp_path):
    ask = ["bids", world / "raw", tmp_path / "o", "participant", "--dry-run"]
    answer = command(*ask, "--participant-label", "01", "--session-label", "ses-a", "--suffix", "T1w", "dwi")
    assert [line.split(" -> ")[0] for line in answer.out.splitlines()] == [bids_tree.GOOD[2], bids_tree.GOOD[0]][::-1]
    answer = command(*ask)
    assert len(answer.out.splitlines()) == len(bids_tree.GOOD) + 1
    assert f"left alone: {bids_tree.PHASE} holds phase" in answer.err
    assert not (tmp_path / "o").exists()


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (["raw", "o", "participant", "--participant-label", "03"], ("no participant 'sub-03'", "did you mean")),
        (["raw", "o", "participant", "--session-label", "c"], ("session 'ses-c'", "ses-a, ses-b")),
        (["raw", "o", "participant", "--suffix", "bold"], ("no scan to enhance", "bold")),
        (["raw", "raw", "participant"], ("never written into", "derivatives")),
        (["raw", "raw/sub-01/o", "participant"], ("never written into", "derivatives")),
        (["raw", "raw/derivatives", "participant"], ("for several data sets",)),
        (["raw", "raw2", "participant"], ("another data set", "Not ours")),
        (["raw", "raw/README", "participant"], ("never written into",)),
        (["nowhere", "o", "participant"], ("no folder", "nowhere")),
        (["bare", "o", "participant"], ("dataset_description.json", "--skip-bids-validation")),
        (["raw", "o", "participant", "--model", "none.safetensors"], ("none.safetensors",)),
        (["raw", "o", "participant", "--thickness", "0"], ("thickness of 0 mm",)),
    ],
)
def test_what_cannot_be_meant_is_refused_before_anything_is_written(again, refused, tmp_path, arguments, words):
    (again.folder / "raw2").mkdir()
    (again.folder / "raw2/dataset_description.json").write_text('{"Name": "Not ours"}')
    (again.folder / "bare/sub-1/anat").mkdir(parents=True)
    shutil.copy(again.raw / bids_tree.THICK, again.folder / "bare/sub-1/anat/sub-1_T1w.nii.gz")
    bids, out, *rest = arguments
    refused(["bids", again.folder / bids, again.folder / out, *rest], *words)


def test_results_may_lie_in_the_data_sets_own_derivatives(again):
    out = again.raw / "derivatives/superresolution"
    again.out = out
    assert again("--suffix", "FLAIR").code == 0
    about = json.loads((out / "dataset_description.json").read_text())
    assert about["DatasetLinks"] == {"raw": "../.."}
    assert again("--suffix", "FLAIR").code == 0  # the results are not taken for scans


def test_names_that_no_standard_knows_do_no_harm(again):
    odd = "sub-02/anat/sub-02_acq-ü $x(1)_T1w.nii.gz"
    shutil.copy(again.raw / bids_tree.THICK, again.raw / odd)
    (again.raw / "sub-02/anat/sub-02_acq-gone_T1w.nii.gz").symlink_to(again.folder / "nowhere.nii.gz")
    (again.raw / "sub-02/anat/sub-02_run-9_T1w.nii.gz").write_bytes(b"")
    answer = again("--participant-label", "sub-02", "--suffix", "T1w")
    assert answer.code == 1
    assert "datalad get" in answer.err
    assert "0 bytes" in answer.err or "cut short" in answer.err
    assert len(answer.err.splitlines()) == 3  # run-2, run-9 and the link
    assert next(again.out.rglob("*acq-ü $x(1)_res-x2_desc-superres_T1w.nii.gz")).is_file()


@pytest.mark.skipif(not Path("/proc/self").is_dir(), reason="there is no folder here that not even root may write to")
@pytest.mark.parametrize(("out", "words"), [("/proc", "cannot be written to"), ("/proc/none", "cannot be made")])
def test_a_folder_that_takes_no_files_is_refused(again, refused, out, words):
    refused(["bids", again.raw, out, "participant"], words)


def test_a_name_that_is_a_file_is_refused(again, refused):
    (again.folder / "file").write_text("mine")
    refused(["bids", again.raw, again.folder / "file", "participant"], "is a file")


def test_a_killed_run_leaves_nothing_half_and_goes_on(again):
    shutil.rmtree(again.out)
    script = (
        "import os, signal, sys\n"
        "from SuperResolutionLib.batch import record\n"
        "plain = record._write\n"
        "def die(about, path):\n"
        "    plain(about, path)\n"
        "    if 'ses-b' in str(about.job.output): os.kill(os.getpid(), signal.SIGKILL)\n"
        "record._write = die\n"
        "from SuperResolutionLib.cli import main\n"
        "main(sys.argv[1:])\n"
    )
    asked = ["bids", again.raw, again.out, "participant", "--model", again.model, *QUICK, "--suffix", "T1w"]
    done = subprocess.run([sys.executable, "-c", script, *map(str, asked)], cwd=ROOT, capture_output=True, timeout=200)
    assert done.returncode == -signal.SIGKILL
    assert len(images(again.out)) == 1 + 1  # one finished, one in its hidden folder
    answer = again("--suffix", "T1w")
    assert answer.code == 1 and "run-2" in answer.err
    left = [path for path in again.out.rglob(".superresolution-*")]
    assert (len(images(again.out)), left) == (3, [])


def test_group_reports_on_all_participants(again):
    answer = again("--suffix", "FLAIR", level="group")
    assert answer.code == 0, answer.err
    assert "sub-02_FLAIR" in (again.out / "group/report.html").read_text()


@pytest.mark.parametrize("page", ["docs/bids.md"])
def test_every_command_of_the_page_can_be_typed(page):
    lines = [line.partition("    ")[0].strip() for line in (ROOT / page).read_text().splitlines()]
    commands = [shlex.split(line, comments=True)[1:] for line in lines if line.startswith("superresolution ")]
    assert len(commands) >= 5
    for words in commands:
        parser().parse_args(words)
