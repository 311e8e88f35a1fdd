"""The command line, called as a user calls it, in a folder with a scan and a model."""

import json
import signal
import warnings
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from folders import contents
from phantoms import brain
from tiny_models import store

from SuperResolutionLib import files
from SuperResolutionLib.cli import main
from SuperResolutionLib.volume import Volume


@dataclass(frozen=True)
class Answer:
    """What a command said and its exit code."""

    code: int
    out: str
    err: str

    def events(self) -> list[dict[str, Any]]:
        """Standard output as JSON, one object a line."""
        return [json.loads(line) for line in self.out.splitlines()]


@pytest.fixture
def command(capsys):
    """Run the command line in this process."""
    numbers = (signal.SIGINT, signal.SIGTERM)
    handlers, show = [signal.getsignal(number) for number in numbers], warnings.showwarning
    signal.signal(signal.SIGINT, signal.default_int_handler)  # a shell may have started us with Ctrl-C ignored

    def run(*arguments: object) -> Answer:
        capsys.readouterr()
        try:
            code = main([str(argument) for argument in arguments])
        except SystemExit as stop:
            code = int(stop.code or 0)
        return Answer(code, *capsys.readouterr())

    yield run
    for number, handler in zip(numbers, handlers, strict=True):
        signal.signal(number, handler)
    warnings.showwarning = show


@pytest.fixture
def scan(tmp_path) -> Path:
    """A head of 26 x 28 x 4 voxels of 1 x 1 x 4 mm, int16."""
    path = tmp_path / "scan.nii.gz"
    files.write(Volume(brain().voxels.astype(np.int16), (1.0, 1.0, 4.0), (-10.0, 20.0, 5.0)), path)
    return path


@pytest.fixture
def model(tmp_path) -> Path:
    return store(tmp_path / "models")


@pytest.fixture
def refused(command, tmp_path):
    """Run a command that must fail: exit code 2, one sentence with these words, and no file more than before."""

    def run(arguments: list[object], *words: str) -> Answer:
        before = contents(tmp_path)
        answer = command(*arguments)
        assert answer.code == 2, answer
        assert answer.err.startswith("superresolution: ")
        assert answer.err.count("\n") == 1
        missing = [word for word in words if word not in answer.err]
        assert not missing, f"{missing} not in: {answer.err}"
        assert contents(tmp_path) == before
        return answer

    return run
