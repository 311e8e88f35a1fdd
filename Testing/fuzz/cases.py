"""One damaged file, taken in as the command line takes it in: what may come of it, and what may not."""

import contextlib
import hashlib
import io
import json
import shutil
import tempfile
import traceback
import warnings
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from Testing.fuzz.mutations import mutated_file
from Testing.fuzz.seeds import Kind, made

MOST_MEMORY = 600e6  # bytes that a case may take beyond what the process has
SECONDS = 20


@dataclass(frozen=True)
class Found:
    """What came of a case. outcome: "read", "refused", or what was wrong."""

    number: int
    kind: str
    outcome: str
    words: str = ""

    @property
    def bad(self) -> bool:
        """Whether it is a fault of the product."""
        return self.outcome not in ("read", "refused")


class Cases:
    """All cases of a seed, each by its number: which kind, which file of it, which damage."""

    def __init__(self, folder: Path, seed: int) -> None:
        """folder: an empty one, for the whole files, the damaged ones, and the temporary ones."""
        self.folder, self.seed = folder, seed
        self.kinds = made(folder / "seeds")
        self.names = sorted(self.kinds)
        tempfile.tempdir = str(folder / "temporary")
        (folder / "temporary").mkdir()

    def kind(self, number: int) -> str:
        """The kind of a case."""
        return self.names[number % len(self.names)]

    def prepare(self, number: int) -> Kind:
        """Put the damaged file of a case among its whole ones."""
        kind = self.kinds[self.kind(number)]
        for name in ("in", "out"):
            shutil.rmtree(self.folder / name, ignore_errors=True)
        shutil.copytree(self.folder / "seeds" / self.kind(number), self.folder / "in")
        (self.folder / "out").mkdir()
        random = np.random.default_rng([self.seed, number])
        path = self.folder / "in" / kind.damaged[int(random.integers(len(kind.damaged)))]
        path.write_bytes(mutated_file(path.name, path.read_bytes(), random))
        card = path.with_suffix(".json")
        if path.suffix == ".safetensors" and random.random() < 0.8:  # or the sum alone would refuse all
            text = {**json.loads(card.read_text()), "sha256": hashlib.sha256(path.read_bytes()).hexdigest()}
            card.write_text(json.dumps(text))
        return kind

    def run(self, number: int) -> Found:
        """What comes of a case in this process."""
        kind = self.prepare(number)
        command = [word.replace("IN", str(self.folder / "in"), 1) if word.startswith("IN/") else
                   word.replace("OUT", str(self.folder / "out"), 1) if word.startswith("OUT/") else word
                   for word in kind.command]  # fmt: skip
        before = reset_peak()
        said = io.StringIO()
        try:
            with contextlib.redirect_stdout(io.StringIO()), contextlib.redirect_stderr(said), warnings.catch_warnings():
                code = _run(command)
        except BaseException as error:
            return Found(number, self.kind(number), type(error).__name__, traceback.format_exc()[-1500:])
        return self._judged(number, code, said.getvalue(), peak() - before)

    def _judged(self, number: int, code: int, said: str, memory: float) -> Found:
        name = self.kind(number)
        last = said.strip().splitlines()[-1] if said.strip() else ""
        errors = [line for line in said.splitlines() if line.startswith("superresolution: ")]
        left = [path.name for folder in ("out", "temporary") for path in (self.folder / folder).rglob("*")]
        hidden = [path for path in left if path.startswith(".")]
        if memory > MOST_MEMORY:
            return Found(number, name, "memory", f"{memory / 1e6:.0f} MB; {last}"[:300])
        if code not in (0, 2) or (code == 2) != bool(errors) or "Traceback" in said:
            return Found(number, name, "no sentence", f"code {code}: {said[-1000:]}")
        if hidden or (code == 2 and left):
            return Found(number, name, "left behind", f"{left}; {last}"[:300])
        return Found(number, name, "refused" if code else "read", last[:200])


def _run(command: list[str]) -> int:
    """The exit code of a command of ours, or of reading a checkpoint."""
    from SuperResolutionLib.cli import main

    if command[0] != "checkpoint":
        return main(command)
    import sys

    import torch

    from SuperResolutionLib.errors import InputError
    from SuperResolutionLib.training import checkpoint

    try:
        checkpoint.load(Path(command[1]), torch.device("cpu"), lambda line: None)
    except InputError as error:
        print(f"superresolution: {error}", file=sys.stderr)
        return 2
    return 0


def reset_peak() -> float:
    """Bytes of memory in use; the greatest use is counted from now on."""
    with contextlib.suppress(OSError):
        Path("/proc/self/clear_refs").write_text("5")
    return _status("VmRSS")


def peak() -> float:
    """The most bytes of memory in use since it was counted anew; 0 where the system does not tell."""
    return _status("VmHWM")


def _status(field: str) -> float:
    try:
        text = Path("/proc/self/status").read_text()
    except OSError:
        return 0.0
    return next((1024.0 * int(line.split()[1]) for line in text.splitlines() if line.startswith(field)), 0.0)
