"""What every command writes: nothing over anything unless it is allowed, one process a name, all or nothing."""

import json
import os
import signal
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from folders import contents
from phantoms import brain
from tiny_models import store

import SuperResolutionLib
from SuperResolutionLib import files
from SuperResolutionLib.files.claims import claimed, claimed_folder
from SuperResolutionLib.methods import network_run
from SuperResolutionLib.volume import Volume

ROOT = Path(SuperResolutionLib.__file__).parent.parent
QUIET = ["--progress", "none"]


def process(*arguments: object, **options) -> subprocess.CompletedProcess:
    asked = [sys.executable, "-m", "SuperResolutionLib.cli", *map(str, arguments)]
    return subprocess.run(asked, cwd=ROOT, text=True, stderr=subprocess.PIPE, check=False, **options)


# ---------------------------------------------------------------- nothing over anything


@pytest.mark.parametrize("name", ["x.json", "x.png"])
def test_compare_overwrites_only_what_it_may(command, refused, scan, tmp_path, name):
    """Fault H2: compare --json and --figure replaced files without asking."""
    (tmp_path / name).write_text("mine")
    chosen = ["--methods", "linear", "--json", tmp_path / "x.json", "--figure", tmp_path / "x.png", *QUIET]
    refused(["compare", scan, *chosen], f"{name} exists already", "--overwrite")
    assert command("compare", scan, *chosen, "--overwrite").code == 0
    assert json.loads((tmp_path / "x.json").read_text())["input"] == "scan.nii.gz"
    assert (tmp_path / "x.png").read_bytes().startswith(b"\x89PNG")


def test_compare_never_overwrites_what_belongs_to_its_input(refused, scan, tmp_path):
    """Sibling of H2: the JSON beside a scan of BIDS."""
    (tmp_path / "scan.json").write_text("{}")
    chosen = ["--methods", "linear", "--json", tmp_path / "scan.json", "--overwrite", *QUIET]
    refused(["compare", scan, *chosen], "scan.json", "belongs to the input")


def test_compare_may_replace_errors(command, scan, tmp_path):
    chosen = ["--methods", "linear", "--errors", tmp_path / "errors", *QUIET]
    assert command("compare", scan, *chosen).code == 0
    assert command("compare", scan, *chosen).code == 2
    assert command("compare", scan, *chosen, "--overwrite").code == 0
    made = sorted(path.name for path in (tmp_path / "errors").iterdir())
    assert made == ["linear.nhdr", "linear.raw", "low.nhdr", "low.raw"]


@pytest.mark.parametrize("name", ["c.json", "out/work-d.md", "out/work-d.png"])
def test_reproduce_overwrites_only_what_it_may(command, refused, shelf, tmp_path, name):
    """Fault H2: reproduce --json replaced files without asking."""
    files.write(Volume(brain((26, 28, 3)).voxels.astype(np.int16), (1.0, 1.0, 4.0)), tmp_path / "a_T1w.nii.gz")
    (tmp_path / "out").mkdir()
    (tmp_path / name).write_text("mine")
    chosen = ["--data", tmp_path, "--json", tmp_path / "c.json", "--out", tmp_path / "out", "--slices", 1, *QUIET]
    refused(["reproduce", "D", *chosen], f"{Path(name).name} exists already", "--overwrite")


def test_a_study_replaces_only_what_a_study_wrote(command, refused, scan, model, tmp_path):
    """Sibling of H2: pictures and tables in a folder of the user's were replaced."""
    out = tmp_path / "study"
    out.mkdir()
    (out / "report.html").write_text("mine")
    chosen = ["--out", out, "--models", model, "--slices", 1, *QUIET]
    refused(["study", scan, *chosen], "report.html exists already", "of no study")


def test_a_training_replaces_no_model_that_it_did_not_make(refused, tmp_path):
    """Sibling of H2: --out in a folder of models."""
    (tmp_path / "data").mkdir()
    for name in ("anna_T1w", "val_T1w"):
        files.write(Volume(brain((48, 48, 3)).voxels.astype(np.int16)), tmp_path / "data" / f"{name}.nii.gz")
    (tmp_path / "tiny.toml").write_text(RECIPE)
    store(tmp_path / "models", "tiny")
    chosen = ["--data", tmp_path / "data", "--out", tmp_path / "models"]
    refused(["train", tmp_path / "tiny.toml", *chosen], "tiny.safetensors exists already", "no training of it")


RECIPE = """
name = "tiny"
architecture = "edsr"
scale = 2
validation = ["val_*"]
steps = 2
epoch = 1
batch = 2
patch = 8
warm_up = 1
precision = "float32"
[network]
features = 8
blocks = 1
"""


# ---------------------------------------------------------------- one process a name, all or nothing


@pytest.mark.parametrize("name", ["enhance", "upsample", "degrade"])
def test_a_name_that_another_process_writes_is_refused_before_any_work(refused, scan, model, tmp_path, name):
    """Fault H4, for images."""
    chosen = ["--model", model, *QUIET] if name == "enhance" else []
    with elsewhere(tmp_path, "out"):
        refused([name, scan, tmp_path / "out.nii", *chosen], "out.nii is being written by another process")


@pytest.mark.parametrize("option", ["--json x.json", "--figure x.png", "--errors x"])
def test_so_are_side_outputs(refused, scan, tmp_path, option):
    """Sibling of H4."""
    option, name = option.split()
    (tmp_path / "x").mkdir()
    folder, held = (tmp_path / "x", "") if name == "x" else (tmp_path, "x")
    with elsewhere(folder, held):
        refused(["compare", scan, "--methods", "linear", option, tmp_path / name, *QUIET], "by another process")


def test_so_is_the_folder_of_a_study(refused, scan, model, tmp_path):
    """Fault H5: a second study in one folder deleted the first's work."""
    (tmp_path / "study").mkdir()
    with elsewhere(tmp_path / "study", ""):
        refused(["study", scan, "--out", tmp_path / "study", "--models", model, *QUIET], "by another process")


class elsewhere:  # noqa: N801
    """A name that is held by another process for a while."""

    def __init__(self, folder: Path, name: str) -> None:
        script = (
            "import sys; from pathlib import Path; from SuperResolutionLib.files.claims import claimed\n"
            "with claimed(Path(sys.argv[1]), sys.argv[2]): print('held', flush=True); sys.stdin.read()"
        )
        asked = [sys.executable, "-c", script, str(folder), name]
        self.process = subprocess.Popen(asked, cwd=ROOT, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)

    def __enter__(self) -> None:
        assert self.process.stdout.readline() == "held\n"

    def __exit__(self, *_error: object) -> None:
        self.process.communicate("")


def test_outputs_of_one_command_that_share_a_file_are_refused_before_the_run(refused, scan, model, tmp_path):
    """Fault H3: they clashed only after the whole run."""
    chosen = ["--model", model, "--uncertainty", tmp_path / "out.nrrd", *QUIET]
    refused(["enhance", scan, tmp_path / "out.nii", *chosen], "would both have the file out.json")
    chosen[3] = tmp_path / "sub" / ".." / "out.nii"
    refused(["enhance", scan, tmp_path / "out.nii", *chosen])


def test_a_result_that_cannot_be_written_leaves_the_old_one_and_its_map(command, scan, model, tmp_path, monkeypatch):
    """Sibling of H2: with --overwrite, an older map of uncertainty was lost where the result could not be written."""
    chosen = ["--model", model, "--uncertainty", tmp_path / "spread.nrrd", "--overwrite", *QUIET]
    assert command("enhance", scan, tmp_path / "out.nrrd", *chosen).code == 0
    before, write_image = contents(tmp_path), files.images.write_image

    def full(volume: Volume, path: Path) -> None:
        write_image(volume, path)
        if path.name == "out.nrrd":
            raise OSError(28, "No space left on device")

    monkeypatch.setattr(files.output, "write_image", full)
    assert command("enhance", scan, tmp_path / "out.nrrd", *chosen).code == 2
    assert contents(tmp_path) == before


# ---------------------------------------------------------------- signals and standard output


@pytest.mark.skipif(not hasattr(signal, "SIGHUP"), reason="no terminal hangs up here")
def test_a_terminal_that_hangs_up_leaves_nothing(command, scan, model, tmp_path, monkeypatch):
    """Fault H6: SIGHUP left a hidden folder."""
    kept = signal.getsignal(signal.SIGHUP)
    monkeypatch.setattr(network_run, "run_network", lambda *_: signal.raise_signal(signal.SIGHUP))
    before = contents(tmp_path)
    try:
        signal.signal(signal.SIGHUP, signal.SIG_DFL)
        answer = command("enhance", scan, tmp_path / "out.nrrd", "--model", model, *QUIET)
    finally:
        signal.signal(signal.SIGHUP, kept)
    assert answer.code == 130
    assert answer.err.endswith("superresolution: stopped; no unfinished output was left.\n")
    assert contents(tmp_path) == before
    assert not list(tmp_path.rglob(".superresolution-*"))


@pytest.mark.skipif(not hasattr(signal, "SIGHUP"), reason="no terminal hangs up here")
def test_nohup_stays_in_force(command, scan, tmp_path):
    """Sibling of H6."""
    kept = signal.signal(signal.SIGHUP, signal.SIG_IGN)
    try:
        command("upsample", scan, tmp_path / "out.nrrd", *QUIET)
        assert signal.getsignal(signal.SIGHUP) is signal.SIG_IGN
    finally:
        signal.signal(signal.SIGHUP, kept)


full = pytest.mark.skipif(not Path("/dev/full").exists(), reason="needs /dev/full")


@full
@pytest.mark.parametrize("name", ["upsample", "degrade"])
def test_a_result_that_was_written_is_no_failure_though_nobody_can_be_told(scan, tmp_path, name):
    """Fault H8: exit code 2 though the output was written."""
    with open("/dev/full", "w") as out:
        answer = process(name, scan, tmp_path / "out.nrrd", stdout=out)
    assert answer.returncode == 0, answer.stderr
    assert "out.nrrd written" in answer.stderr.splitlines()[-1]
    assert "Exception" not in answer.stderr
    assert files.read(tmp_path / "out.nrrd").voxels.ndim == 3


SENTENCE = "superresolution: Standard output could not be written: No space left on device.\n"


@full
def test_a_table_that_cannot_be_printed_is_a_failure_in_one_sentence(scan, tmp_path):
    """Sibling of H8; what was asked for in files is there."""
    with open("/dev/full", "w") as out:
        answer = process("compare", scan, "--methods", "linear", "--json", tmp_path / "x.json", *QUIET, stdout=out)
    assert (answer.returncode, answer.stderr) == (2, SENTENCE)
    assert json.loads((tmp_path / "x.json").read_text())["rows"]


def test_claims_end_with_the_command(command, scan, tmp_path):
    assert command("upsample", scan, tmp_path / "out.nrrd", *QUIET).code == 0
    with claimed(tmp_path, "out"), claimed_folder(tmp_path):
        assert len([p for p in os.listdir(tmp_path) if p.startswith(".superresolution-")]) == 2
