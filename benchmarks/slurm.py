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


def by_dask(asked: list[str], given: str, kill: bool, out: Path) -> int:
    """The exit code through dask-jobqueue; kill: end one of its jobs when the first result is there."""
    process = subprocess.Popen([*asked, "--slurm", given])
    if kill:
        threading.Thread(target=_kill_one, args=(out, process), daemon=True).start()
    return process.wait()


def _kill_one(out: Path, process: "subprocess.Popen[bytes]") -> None:
    while process.poll() is None and not list(out.rglob("*.nii.gz")):
        time.sleep(0.1)
    listed = subprocess.run(["squeue", "-h", "-t", "R", "-o", "%i"], capture_output=True, text=True).stdout.split()
    if listed:
        subprocess.run(["scancel", "--signal=KILL", "--full", listed[0]])
        print(f"job {listed[0]} was killed", flush=True)


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
    codes = {
        "in process": subprocess.run(asked["in process"]).returncode,
        "Dask": by_dask(asked["Dask"], options.words, options.kill, outs["Dask"]),
        "array": by_array(asked["array"], work, labels),
    }
    options.out.write_text(page(codes, {name: images(out) for name, out in outs.items()}, options))
    print(options.out.read_text())


def page(codes: dict[str, int], made: dict[str, dict[str, str]], options: argparse.Namespace) -> str:
    """The page: a line for each way."""
    version = subprocess.run(["sinfo", "--version"], capture_output=True, text=True).stdout.strip()
    nodes = subprocess.run(["sinfo", "-h", "-N", "-o", "%N"], capture_output=True, text=True).stdout.split()
    whole = made["in process"]
    lines = [
        f"| {name} | {codes[name]} | {len(found)} | {sum(whole.get(path) == sha for path, sha in found.items())} |"
        for name, found in made.items()
    ]
    killed = ["One of Dask's jobs was killed when the first result was there.", ""] if options.kill else []
    return "\n".join(
        [
            "# By Slurm: the same bits",
            "",
            f"{version}, {len(set(nodes))} nodes; `--slurm {options.words!r}`, and an array of one job a participant.",
            "Written by `python -m benchmarks.slurm`. Exit code 1: some scans failed; in the data set",
            "of the tests (`Testing/bids_tree.py`) that is the one that is cut short on purpose.",
            "",
            *killed,
            "| way | exit code | images | same bytes as in process |",
            "|---|---|---|---|",
            *lines,
            "",
        ]
    )


if __name__ == "__main__":
    main()
