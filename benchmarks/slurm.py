"""The same data set in this process, by Slurm through Dask, and as an array of Slurm's jobs: the same bits, or not.

Run it where `sbatch` works, on a BIDS data set and a folder that all nodes see:

    python -m benchmarks.slurm BIDS_DIR WORK_DIR --out benchmarks/slurm.md --words "jobs=2 memory=2GB"

It says nothing of speed, which a cluster's load decides. With --kill it also runs a shell command as soon as Dask's run
has a result, to end a job or a node: no result may be lost or half.

    --kill 'scancel --signal=KILL --full $(squeue --noheader --states=R --format=%i | head -1)'
    --kill 'ssh node2 systemctl poweroff --force --force'
"""

import argparse
import hashlib
import os
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


def by_dask(asked: list[str], given: str, kill: str, out: Path) -> int:
    """The exit code through dask-jobqueue. kill: a shell command for when the first result is there; "" for none."""
    process = subprocess.Popen([*asked, "--slurm", given])
    if kill:
        threading.Thread(target=_at_first_result, args=(kill, out, process), daemon=True).start()
    return process.wait()


def _at_first_result(command: str, out: Path, process: "subprocess.Popen[bytes]") -> None:
    while process.poll() is None and not _has_result(out):
        time.sleep(0.1)
    if process.poll() is None:
        print(f"{command}: exit code {subprocess.run(command, shell=True).returncode}", flush=True)


def _has_result(out: Path) -> bool:
    """Whether an image is there under its final name; folders of unfinished ones come and go meanwhile."""
    walk = ((Path(folder).name, names) for folder, _, names in os.walk(out))
    return any(name.endswith(".nii.gz") for folder, names in walk if folder[0] != "." for name in names)


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
    parser.add_argument("--kill", metavar="COMMAND", default="", help="run at the first result of Dask's run")
    options = parser.parse_args()
    work = options.work_dir.resolve()
    work.mkdir(parents=True, exist_ok=True)
    bids, outs = options.bids_dir.resolve(), {name: work / name for name in ("in process", "Dask", "array")}
    asked = {name: words(bids, out, options.model) for name, out in outs.items()}
    labels = sorted(path.name for path in bids.glob("sub-*") if path.is_dir())
    by_itself = subprocess.run(asked["in process"]).returncode
    nodes = told("sinfo", "-N", "-o", "%N %P %T %c %m")
    shared = by_dask(asked["Dask"], options.words, options.kill, outs["Dask"])
    after = told("sinfo", "-N", "-h", "-o", "%N %T")
    codes = {"in process": by_itself, "Dask": shared, "array": by_array(asked["array"], work, labels)}
    shown = [*told("sinfo", "--version"), *nodes, "", "after Dask's run:", *after]
    options.out.write_text(page(codes, outs, options, shown), encoding="utf-8")
    print(options.out.read_text(encoding="utf-8"))


def page(codes: dict[str, int], outs: dict[str, Path], options: argparse.Namespace, shown: list[str]) -> str:
    """The page: a line for each way, and what Slurm says of its nodes.

    codes, outs: the exit code and the folder of each way. options: of the command. shown: Slurm's lines.
    """
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
        f"Written by `python -m benchmarks.slurm`; do not edit. `--slurm {options.words!r}` through dask-jobqueue,",
        "and an array of one job a participant. Exit code 1: some scans failed. In the data set of the tests",
        "(`Testing/bids_tree.py`) one is cut short on purpose. Left over: unfinished results that stayed behind.",
        "",
        *(["At the first result of Dask's run this was run:", "", f"    {options.kill}", ""] if options.kill else []),
        *table(["way", "exit code", "images", "same bytes as in process", "left over", "failed"], rows),
        "",
        "```",
        *(line.rstrip() for line in shown),
        "```",
        "",
    ]
    return "\n".join(lines)


if __name__ == "__main__":
    main()
