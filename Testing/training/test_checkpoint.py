"""Checkpoints that are damaged, and folders that another training works in."""

import json
import subprocess
import sys
from pathlib import Path

import pytest
import torch

import SuperResolutionLib
from SuperResolutionLib.training import checkpoint
from SuperResolutionLib.training.through_plane import thick_loop as through_plane

ROOT = Path(SuperResolutionLib.__file__).parent.parent
CPU = torch.device("cpu")


@pytest.fixture
def path(tmp_path):
    """A checkpoint of step 2, and that of step 1 from before."""
    for step in (1, 2):
        state = {"step": step, "weights": {"a": torch.arange(999.0)}, "recipe": json.dumps({"steps": 9})}
        checkpoint.save(state, tmp_path / "checkpoint.pt")
    assert checkpoint.load(tmp_path / "checkpoint.pt", CPU, print)["step"] == 2
    return tmp_path / "checkpoint.pt"


def flipped(content: bytes, place: float) -> bytes:
    damaged = bytearray(content)
    damaged[int(place * (len(content) - 1))] ^= 0x10
    return bytes(damaged)


DAMAGES = {
    "empty": lambda content: b"",
    "cut short": lambda content: content[:-200],
    "text": lambda content: b"not a checkpoint\xff\xfe",
    "another zip": lambda content: b"PK\x05\x06" + bytes(18),
    "in the weights": lambda content: flipped(content, 0.5),
    "in the names": lambda content: content.replace(b"weights", b"weighty", 1),
    "in the table of contents": lambda content: content.replace(b"PK\x01\x02", b"PK\x01\x03"),
}


@pytest.mark.parametrize("damage", DAMAGES)
def test_a_damaged_checkpoint_gives_way_to_the_one_before(path, damage):
    """Fault H7: an empty or bit-flipped checkpoint.pt was an IndexError or a UnicodeDecodeError, or was believed."""
    path.write_bytes(DAMAGES[damage](path.read_bytes()))
    said = []
    found = checkpoint.load(path, CPU, said.append)
    assert found["step"] == 1
    assert "checkpoint.pt cannot be read" in said[0] or "no checkpoint" in said[0]
    assert "going on with checkpoint.before.pt" in said[1]


def test_the_good_one_is_not_pushed_out_by_the_damaged_one(path):
    """Sibling of H7: the next save would have made the damaged one the one before."""
    path.write_bytes(b"")
    state = checkpoint.load(path, CPU, print)
    checkpoint.save({**state, "step": 3}, path)
    path.write_bytes(b"")
    assert checkpoint.load(path, CPU, print)["step"] == 1


def test_where_both_are_damaged_that_is_said(path, refuses):
    for one in (path, path.with_suffix(".before.pt")):
        one.write_bytes(flipped(one.read_bytes(), 0.5))
    with refuses("No checkpoint in", "can be read"):
        checkpoint.load(path, CPU, print)


def test_a_training_that_stopped_between_two_names_counts_as_one(path):
    """Sibling of H7: only checkpoint.before.pt is there."""
    path.unlink()
    assert checkpoint.is_there(path)
    assert checkpoint.load(path, CPU, print)["step"] == 1


def test_two_trainings_in_one_folder_are_refused(tmp_path, refuses):
    """Fault H5: two trainings shared checkpoint.tmp."""
    script = (
        "import sys; from pathlib import Path; from SuperResolutionLib.files.claims import claimed_folder\n"
        "with claimed_folder(Path(sys.argv[1])): print('held', flush=True); sys.stdin.read()"
    )
    asked = [sys.executable, "-c", script, str(tmp_path / "run")]
    with subprocess.Popen(asked, cwd=ROOT, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as other:
        assert other.stdout.readline() == "held\n"
        with refuses("is being written by another process", str(other.pid)):
            through_plane.train(None, tmp_path, tmp_path / "run")
        other.communicate("")
