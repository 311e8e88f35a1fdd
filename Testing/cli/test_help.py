"""Help answers at once, with an example, and without what only running needs."""

import json
import subprocess
import sys
from pathlib import Path

import pytest

import SuperResolutionLib
from SuperResolutionLib.cli import COMMANDS, main

ROOT = Path(SuperResolutionLib.__file__).parent.parent
NAMES = [module.__name__.rpartition(".")[2] for module in COMMANDS]
ASK = """
import contextlib, io, json, sys, time
from SuperResolutionLib.cli import main
texts = {}
for name in sys.argv[1:]:
    with contextlib.redirect_stdout(io.StringIO()) as text, contextlib.suppress(SystemExit):
        main([name, "--help"] if name != "top" else ["--help"])
    texts[name] = text.getvalue()
print(json.dumps({"texts": texts, "seconds": time.process_time(), "modules": sorted(sys.modules)}))
"""


@pytest.fixture(scope="module")
def helped():
    """What a fresh interpreter says to --help of every command, the CPU time it took, and what it imported."""
    asked = [sys.executable, "-c", ASK, "top", *NAMES]
    return json.loads(subprocess.run(asked, cwd=ROOT, capture_output=True, check=True, text=True).stdout)


@pytest.mark.parametrize("name", ["top", *NAMES])
def test_help_shows_how_a_command_is_used_with_an_example(helped, name):
    text = helped["texts"][name]
    assert text.startswith("usage: superresolution")
    assert f"example: superresolution {'enhance' if name == 'top' else name}" in text


def test_help_of_all_commands_together_takes_less_than_half_a_second(helped):
    assert helped["seconds"] < 0.5


@pytest.mark.parametrize("module", ["torch", "numpy", "SimpleITK", "skimage", "matplotlib", "pydicom", "tqdm", "dipy"])
def test_help_imports_nothing_heavy(helped, module):
    assert module not in helped["modules"]
    assert "argparse" in helped["modules"]


def test_every_command_of_the_readme_is_there():
    assert NAMES == [
        "enhance",
        "bids",
        "upsample",
        "archive",
        "degrade",
        "compare",
        "study",
        "reproduce",
        "tensor",
        "models",
        "devices",
        "train",
        "info",
        "view",
    ]


@pytest.mark.parametrize("name", NAMES)
def test_the_examples_of_a_command_can_be_typed(helped, name, monkeypatch):
    """Their arguments are understood; nothing is run."""
    lines = helped["texts"][name].splitlines()
    examples = [line.removeprefix("example: ").split() for line in lines if line.startswith("example: ")]
    taken = []
    for module in COMMANDS:
        monkeypatch.setattr(module, "run", lambda options: taken.append(options.command) or 0)
    assert examples
    assert [main(example[1:]) for example in examples] == [0] * len(examples)
    assert taken == [name] * len(examples)


def test_the_version_is_told(capsys):
    with pytest.raises(SystemExit) as stop:
        main(["--version"])
    assert stop.value.code == 0
    assert SuperResolutionLib.__version__ in capsys.readouterr().out


@pytest.mark.parametrize(
    "arguments",
    [
        [],
        ["sharpen"],
        ["enhance"],
        ["upsample", "a", "b", "--scale", "1"],
        ["enhance", "a", "b", "--threads", "0"],
        ["degrade", "a", "b", "--seed", "-1"],
        ["train", "mri-x2", "--data", ".", "--out", "a", "--seed", "-1"],
    ],
)
def test_what_cannot_be_understood_shows_the_usage(arguments, capsys):
    with pytest.raises(SystemExit) as stop:
        main(arguments)
    assert stop.value.code == 2
    assert "usage: superresolution" in capsys.readouterr().err


def test_it_runs_as_a_module():
    asked = [sys.executable, "-m", "SuperResolutionLib.cli", "upsample", "nowhere.nii", "out.nii"]
    answer = subprocess.run(asked, cwd=ROOT, capture_output=True, text=True)
    assert answer.returncode == 2
    assert answer.stderr.startswith("superresolution: There is no file or folder nowhere.nii")
    assert answer.stderr.count("\n") == 1
