"""The same data set in this process, by Slurm through Dask, and as an array of Slurm's jobs: the same bits, or not.

Run it where `sbatch` works, on a BIDS data set and a folder that all nodes see:

    python -m benchmarks.slurm BIDS_DIR WORK_DIR --out benchmarks/slurm.md --words "jobs=2 memory=2GB"

It says nothing of speed, which a cluster's load decides. With --kill it also ends the first of Dask's jobs by `scancel`
as soon as a result is there: no result may be lost or half.
"""

import argparse
import hashlib
import shlex
import subprocess
import sys
import threading
import time
from pathlib import Path

from benchmarks.results import table

COMMAND = [sys.executable, "-m", "SuperResolutionLib.cli", "bids"]
ARRAY = """#!/bin/bash
label=$(sed -n "${{SLURM_ARRAY_TASK_ID}}p" {labels})
{command} --participant-label "$label"
"""


def images(out: Path) -> dict[str, str]:
    """The SHA-256 of each image of a folder of results, by its name."""
    paths = sorted(out.rglob("*.nii.gz"))
    return {path.relative_to(out).as_posix(): hashlib.sha256(path.read_bytes()).hexdigest() for path in paths}


def words(bids: Path, out: Path, model: str | None) -> list[str]:
    """The command on a data set, with what makes the same bits on every machine."""
    chosen = [] if model is None else ["--model", model]
    fixed = ["--precision", "float32", "--threads", "1", "--device", "cpu", "--progress", "none"]
    return [*COMMAND, str(bids), str(out), "participant", *chosen, *fixed]


def by_dask(asked: list[str], given: str, kill: bool, out: Path) -> tuple[int, list[str]]:
    """The exit code through dask-jobqueue, and the jobs that were killed.

    kill: end one of the jobs when the first result is there.
    """
    process, killed = subprocess.Popen([*asked, "--slurm", given]), list[str]()
    if kill:
        threading.Thread(target=_kill_one, args=(out, process, killed), daemon=True).start()
    return process.wait(), killed


def _kill_one(out: Path, process: "subprocess.Popen[bytes]", killed: list[str]) -> None:
    while process.poll() is None and not list(out.rglob("*.nii.gz")):
        time.sleep(0.1)
    for job in told("squeue", "-h", "-t", "R", "-o", "%i")[:1]:
        if subprocess.run(["scancel", "--signal=KILL", "--full", job]).returncode == 0:
            killed.append(job)


def told(*asked: str) -> list[str]:
    """The lines that a command prints."""
    return subprocess.run(asked, capture_output=True, text=True, check=True).stdout.splitlines()


def failed(out: Path) -> list[str]:
    """The scans whose logs end with a failure."""
    logs = sorted((out / "logs").glob("*.log"))
    return [log.stem for log in logs if "\nfailed after " in log.read_text(encoding="utf-8")]


def by_array(asked: list[str], work: Path, labels: list[str]) -> int:
    """The exit code of an array of jobs, one a participant, which is waited for."""
    (work / "labels.txt").write_text("\n".join(labels) + "\n")
    script = work / "array.sh"
    script.write_text(ARRAY.format(labels=shlex.quote(str(work / "labels.txt")), command=shlex.join(asked)))
    log = f"--output={work}/array-%a.log"
    return subprocess.run(["sbatch", "--wait", f"--array=1-{len(labels)}", log, "--mem=2G", str(script)]).returncode


def main() -> None:
    """Do all three, compare, and write the page."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("bids_dir", type=Path)
    parser.add_argument("work_dir", type=Path)
    parser.add_argument("--out", type=Path, required=True)
    parser.add_argument("--model")
    parser.add_argument("--words", default="jobs=2 memory=2GB", help="for --slurm")
    parser.add_argument("--kill", action="store_true")
    options = parser.parse_args()
    work = options.work_dir.resolve()
    work.mkdir(parents=True, exist_ok=True)
    bids, outs = options.bids_dir.resolve(), {name: work / name for name in ("in process", "Dask", "array")}
    asked = {name: words(bids, out, options.model) for name, out in outs.items()}
    labels = sorted(path.name for path in bids.glob("sub-*") if path.is_dir())
    by_itself = subprocess.run(asked["in process"]).returncode
    shared, killed = by_dask(asked["Dask"], options.words, options.kill, outs["Dask"])
    codes = {"in process": by_itself, "Dask": shared, "array": by_array(asked["array"], work, labels)}
    options.out.write_text(page(codes, outs, killed, options.words), encoding="utf-8")
    print(options.out.read_text(encoding="utf-8"))


def page(codes: dict[str, int], outs: dict[str, Path], killed: list[str], given: str) -> str:
    """The page: what Slurm says of itself, and a line for each way."""
    whole = images(outs["in process"])
    rows = []
    for name, out in outs.items():
        found = images(out)
        same = sum(whole.get(path) == sha for path, sha in found.items())
        half = len(list(out.rglob(".superresolution-*")))
        rows.append([name, str(codes[name]), str(len(found)), str(same), str(half), ", ".join(failed(out)) or "-"])
    lines = [
        "# By Slurm: the same bits",
        "",
        f"Written by `python -m benchmarks.slurm`; do not edit. `--slurm {given!r}` through dask-jobqueue, and an",
        "array of one job a participant. Exit code 1: some scans failed. In the data set of the tests",
        "(`Testing/bids_tree.py`) one is cut short on purpose. Left over: unfinished results that stayed behind.",
        "",
        *[f"Of Dask's jobs, number {job} was ended by `scancel --signal=KILL` at the first result." for job in killed],
        *([""] if killed else []),
        *table(["way", "exit code", "images", "same bytes as in process", "left over", "failed"], rows),
        "",
        "```",
        *told("sinfo", "--version"),
        *(line.rstrip() for line in told("sinfo", "-N", "-o", "%N %P %T %c %m")),
        "```",
        "",
    ]
    return "\n".join(lines)


if __name__ == "__main__":
    main()
