"""python -m Testing.fuzz.kills --count 200 --seed 0 --out benchmarks/robustness.md

Commands of every kind are ended by a signal at a random moment. No half file may lie under its final name, nothing may
be left after the next run, and what can go on must go on. What is counted is kept after each command; with the same
seed and the same --out, the next run goes on from there.
"""

import argparse
import json
import os
import signal
import subprocess
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from Testing.fuzz import page
from Testing.fuzz.seeds import RECIPE, TESTING

SIGNALS = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP, signal.SIGKILL)
NAMES = ("enhance", "compare", "study", "train")
SECONDS = 300
# Ctrl-C works though a shell may have started us with it ignored.
LISTENING = "import signal; signal.signal(signal.SIGINT, signal.default_int_handler)"


@dataclass(frozen=True)
class Kill:
    """What came of a command that was ended. finished: it was done before. bad: what was wrong, or nothing."""

    name: str
    number: int
    finished: bool
    bad: str = ""


def main() -> int:
    """Kill commands; returns 1 where one of them left what it should not."""
    parser = argparse.ArgumentParser(prog="python -m Testing.fuzz.kills")
    parser.add_argument("--count", type=int, default=20)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--minutes", type=float, default=float("inf"), help="begin no command after that")
    parser.add_argument("--out", type=Path)
    options = parser.parse_args()
    table = page.held(options.out, "kills") if options.out else {}
    if table.get("seed") != options.seed:
        table = {"seed": options.seed, "count": 0, "rows": {}}
    until, bad = time.monotonic() + 60 * options.minutes, 0
    with tempfile.TemporaryDirectory(prefix="kills-") as folder:
        for kill in kills(Path(folder), range(table["count"], options.count), options.seed):
            table = with_one_more(table, kill)
            bad += bool(kill.bad)
            if kill.bad:
                print(f"{kill.name}, {signal.Signals(kill.number).name}: {kill.bad}", flush=True)
            if options.out is not None:
                page.store(options.out, "kills", table)
            if time.monotonic() > until:
                break
    working = sum(row.get("killed", 0) for row in table["rows"].values())
    print(f"{table['count']} commands, {working} killed while they worked, {bad} bad in this run")
    return 1 if bad else 0


def with_one_more(table: dict[str, Any], kill: Kill) -> dict[str, Any]:
    """The counts by command and signal, after one more command."""
    name = f"{kill.name} | {signal.Signals(kill.number).name}"
    row = Counter(table["rows"].get(name, {}))
    row["finished" if kill.finished else "killed"] += 1
    row["bad"] += bool(kill.bad)
    rows = {**table["rows"], name: dict(row)}
    return {**table, "count": table["count"] + 1, "rows": dict(sorted(rows.items()))}


def kills(folder: Path, numbers: range, seed: int) -> Iterator[Kill]:
    """Commands of every kind, one after the other. folder: an empty one. numbers: which of those of the seed."""
    given = made(folder)
    random = np.random.default_rng(seed)
    usual: dict[str, tuple[float, set[str]]] = {}
    for name in NAMES:
        place = folder / f"whole-{name}"
        began, process = time.monotonic(), started(name, given, place)
        _, said = process.communicate(timeout=SECONDS)
        if process.returncode:
            raise RuntimeError(f"{name} fails without being killed: {said[-500:]}")
        usual[name] = time.monotonic() - began, lying(place)
    shares = random.uniform(0, 1.05, numbers.stop)
    for number in numbers:
        name, kind = NAMES[number % len(NAMES)], SIGNALS[number // len(NAMES) % len(SIGNALS)]
        seconds, whole = usual[name]
        yield killed(name, kind, given, folder / f"run-{number}", (shares[number] * seconds, whole))


def killed(name: str, kind: signal.Signals, given: Path, place: Path, usual: tuple[float, set[str]]) -> Kill:
    """End a command by a signal after some seconds, look, and run it again. usual: the seconds, and what it makes."""
    after, whole = usual
    process = started(name, given, place)
    time.sleep(after)
    finished = process.poll() is not None
    process.send_signal(kind)
    process.communicate(timeout=SECONDS)
    wrong = half(place)
    left = {name for name in lying(place) if ".superresolution-" in name}
    if not wrong and left and kind != signal.SIGKILL:
        wrong = f"hidden files left: {sorted(left)[:3]}"
    again = started(name, given, place, again=True)
    _, said = again.communicate(timeout=SECONDS)
    if (not wrong and again.returncode not in (0, 2)) or "Traceback" in said:
        wrong = f"the next run: {again.returncode} {said[-300:]}"
    if not wrong and again.returncode == 2 and "exists already" not in said:
        wrong = f"the next run was refused: {said[-300:]}"
    wrong = wrong or half(place)
    if not wrong and lying(place) != whole:
        wrong = f"after the next run: {sorted(lying(place) ^ whole)[:4]}"
    return Kill(name, int(kind), finished, wrong)


def half(place: Path) -> str:
    """Which file under its final name cannot be read, or has not all that belongs to it."""
    from SuperResolutionLib import files
    from SuperResolutionLib.errors import InputError

    for path in sorted(p for p in place.rglob("*") if p.is_file() and ".superresolution-" not in str(p)):
        if any(part.startswith(".") for part in path.relative_to(place).parts) or path.suffix == ".tmp":
            continue
        try:
            if path.suffix in (".nrrd", ".nhdr"):
                files.read(path)
                if path.suffix == ".nrrd" and not path.with_suffix(".json").exists():
                    return f"{path.name} has no sidecar"
            elif path.suffix == ".json":
                json.loads(path.read_text())
            elif path.suffix == ".png" and not path.read_bytes().endswith(b"IEND\xaeB`\x82"):
                return f"{path.name} is half a picture"
            elif path.suffix == ".html" and not path.read_text().rstrip().endswith("</html>"):
                return f"{path.name} is half a page"
        except (InputError, ValueError) as error:
            return f"{path.name}: {error}"
    return ""


def lying(place: Path) -> set[str]:
    """The files and folders in a place; of a study's cache only whether it is there."""
    names = {p.relative_to(place).as_posix() for p in place.rglob("*")}
    return {name for name in names if "/.cache/" not in f"/{name}" and "/samples/" not in f"/{name}"}


def started(name: str, given: Path, place: Path, again: bool = False) -> subprocess.Popen[str]:
    """A command that has just been started, with its output in a place."""
    place.mkdir(exist_ok=True)
    models = ["--precision", "float32", "--threads", "1", "--progress", "none"]
    chosen = {
        "enhance": [given / "a.nrrd", place / "a.nrrd", "--model", given / "tiny.safetensors", "--uncertainty",
                    place / "spread.nrrd", *models],
        "compare": [given / "a.nrrd", "--methods", "linear", given / "tiny.safetensors", "--json", place / "a.json",
                    "--figure", place / "a.png", "--errors", place / "errors", *(["--overwrite"] * again), *models],
        "study": [given / "a.nrrd", "--models", given / "tiny.safetensors", "--out", place / "study", *models],
        "train": [given / "tiny.toml", "--data", given / "data", "--out", place / "run", *(["--resume"] * again)],
    }[name]  # fmt: skip
    script = f"{LISTENING}; import sys; from SuperResolutionLib.cli import main; sys.exit(main())"
    environment = {**os.environ, "OMP_NUM_THREADS": "1", "TMPDIR": str(given)}
    return subprocess.Popen(
        [sys.executable, "-c", script, name, *map(str, chosen)],
        cwd=TESTING.parent, env=environment, text=True, stdout=subprocess.PIPE, stderr=subprocess.PIPE,
    )  # fmt: skip


def made(folder: Path) -> Path:
    """A scan, a model, scans to train on and a recipe."""
    sys.path.insert(0, str(TESTING))
    from phantoms import brain
    from tiny_models import store

    from SuperResolutionLib.files import write
    from SuperResolutionLib.volume import Volume

    given = folder / "given"
    (given / "data").mkdir(parents=True)
    store(given, "tiny")
    for path in (given / "a.nrrd", given / "data" / "anna_T1w.nrrd", given / "data" / "val_T1w.nrrd"):
        write(Volume(brain((48, 48, 3)).voxels.astype(np.int16), (1.0, 1.0, 4.0)), path)
    (given / "tiny.toml").write_text(RECIPE)
    return given


if __name__ == "__main__":
    sys.exit(main())
