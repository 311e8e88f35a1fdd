"""What doing many scans costs beside the scans: the queue with 10,000 of them that only sleep, and the three commands.

    python -m benchmarks.batch_overhead SCAN.nii.gz --out benchmarks/batch_overhead.md

The queue: a BIDS data set of 10,000 small scans; each only sleeps a millisecond and leaves a mark instead of a result,
on two threads of Dask in this process, so that what is timed is the queue and not the processes' turns on a busy
machine. The run is stopped after a tenth of them and started again. Measured are the seconds until the
scans are listed, until workers are there, until the first answer and the last, and how much this process grows, which
holds Dask's scheduler. The mark of a scan cannot be made twice, so that a scan that is done twice ends the benchmark.

The commands: CPU seconds of one scan by `enhance`, by `enhance --out-dir` and by `bids`, in turn, in one
process; medians, and the ratio to the first. The same command again finds the scan finished.
"""

import argparse
import shutil
import statistics
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import numpy as np

from benchmarks.results import Row, beside, find, load, put, table
from SuperResolutionLib import files
from SuperResolutionLib.batch import bids_layout, cluster, derivatives
from SuperResolutionLib.batch.job import DONE, KEPT, Answer, Job
from SuperResolutionLib.batch.request import Request
from SuperResolutionLib.cli import main as command
from SuperResolutionLib.files.common import stem
from SuperResolutionLib.geometry.grid import middle_slices
from SuperResolutionLib.geometry.sampling import Sampling
from SuperResolutionLib.volume import Volume

ROUNDS = 2
WORKERS = 2
STOPPED_AFTER = 10  # a tenth
QUIET = ["--progress", "none", "--device", "cpu", "--precision", "float32", "--threads", "1"]
SLEEPING = {
    "listed": "scans listed, s",
    "ready": "then workers ready, s",
    "first": "then the first answer, s",
    "again": "started again: the first new answer, once workers were ready, s",
    "rest": "then all other answers, s",
    "each": "each answer from there on, ms",
    "grown": "meanwhile this process, which holds the scheduler, grew by, MiB",
}


def sleep(job: Job, _request: Request) -> Answer:
    """In place of a scan; runs on the workers."""
    if job.output.exists():
        return Answer(job.name, KEPT)
    time.sleep(0.001)
    job.output.touch(exist_ok=False)
    return Answer(job.name, DONE)


def data_set(folder: Path, count: int) -> Path:
    """So many scans, two of each participant."""
    files.write(Volume(np.zeros((4, 8, 8), np.int16), (1.0, 1.0, 4.0)), folder / "one.nii.gz")
    for k in range(count):
        place = folder / f"raw/sub-{k // 2:05d}/anat"
        place.mkdir(parents=True, exist_ok=True)
        (place / f"sub-{k // 2:05d}_{('T1w', 'T2w')[k % 2]}.nii.gz").hardlink_to(folder / "one.nii.gz")
    (folder / "raw" / derivatives.DESCRIPTION).write_text('{"Name": "asleep", "BIDSVersion": "1.10.0"}')
    return folder / "raw"


def queue(count: int) -> dict[str, float]:
    """What became of so many sleeping scans: seconds and MiB."""
    usual, cluster.attempt = cluster.attempt, sleep  # type: ignore[assignment]
    try:
        with tempfile.TemporaryDirectory() as name:
            clock, raw, out = _Clock(), data_set(Path(name), count), Path(name, "out")
            out.mkdir()
            clock()
            scans = bids_layout.find(raw, bids_layout.Selection())
            named = derivatives.jobs(raw, out, scans, Sampling(factor=2))
            jobs = [Job(job.name, job.source, out / f"{k}") for k, job in enumerate(named)]
            found = {"listed": clock()}
            return {**found, **begun(jobs, clock), **resumed(jobs, clock)}
    finally:
        cluster.attempt = usual


@contextmanager
def threads() -> Iterator[cluster.Crew]:
    """Workers in this process, beside the scheduler."""
    from distributed import Client, LocalCluster

    usual = {"n_workers": 1, "threads_per_worker": WORKERS, "processes": False, "dashboard_address": None}
    with LocalCluster(**usual) as running, Client(running) as client:
        yield cluster.Crew(client)


def begun(jobs: list[Job], clock: "_Clock") -> dict[str, float]:
    """The first tenth of the jobs; then the run is stopped."""
    with threads() as crew:
        found = {"ready": clock()}
        answers = cluster.on_crew(crew, jobs, Request())
        next(answers)
        found["first"] = clock()
        for _ in range(len(jobs) // STOPPED_AFTER - 1):
            next(answers)
        answers.close()  # type: ignore[attr-defined]
    return found


def resumed(jobs: list[Job], clock: "_Clock") -> dict[str, float]:
    """All jobs again, of which a tenth is done already."""
    import psutil

    states, found, process = [], {}, psutil.Process()
    with threads() as crew:
        clock()
        for _, answer in cluster.on_crew(crew, jobs, Request()):
            states.append(answer.state if isinstance(answer, Answer) else "")
            if states[-1] == DONE and not found:
                found, before = {"again": clock()}, process.memory_info().rss
        rest, after = clock(), process.memory_info().rss
    done, kept = states.count(DONE), states.count(KEPT)
    begun = len(jobs) // STOPPED_AFTER
    if done + kept != len(jobs) or not begun <= kept <= begun + WORKERS:  # those under way may have been done or not
        raise SystemExit(f"{kept} were kept and {done} done of {len(jobs)}")
    return {**found, "rest": rest, "each": 1000 * rest / done, "grown": (after - before) / 2**20}


class _Clock:
    """Seconds since it was asked last."""

    def __init__(self) -> None:
        self.began = time.monotonic()

    def __call__(self) -> float:
        now = time.monotonic()
        passed, self.began = now - self.began, now
        return passed


def commands(path: Path) -> dict[str, list[float]]:
    """CPU seconds of one scan by each command, and of the same command again; medians."""
    times: dict[str, list[tuple[float, float]]] = {"enhance": [], "enhance --out-dir": [], "bids": []}
    for _ in range(ROUNDS + 1):
        with tempfile.TemporaryDirectory() as name:
            folder = Path(name)
            (folder / "raw/sub-1/anat").mkdir(parents=True)
            shutil.copy(path, folder / "raw/sub-1/anat/sub-1_T1w.nii.gz")
            (folder / "raw" / derivatives.DESCRIPTION).write_text('{"Name": "one", "BIDSVersion": "1.10.0"}')
            asked = {
                "enhance": ["enhance", path, folder / "a.nii.gz"],
                "enhance --out-dir": ["enhance", path, "--out-dir", folder / "b"],
                "bids": ["bids", folder / "raw", folder / "c", "participant"],
            }
            for key, words in asked.items():
                whole = [*map(str, words), *QUIET]
                times[key].append((_seconds(whole), 0.0 if key == "enhance" else _seconds(whole)))
    return {key: [statistics.median(column) for column in zip(*found[1:], strict=True)] for key, found in times.items()}


def _seconds(words: list[str]) -> float:
    """Of the CPU, which other work on the machine does not change much."""
    began = time.process_time()
    if command(words) != 0:
        raise SystemExit("a command failed")
    return time.process_time() - began


def report(rows: list[Row]) -> str:
    """What was measured, in words."""
    lines = [
        "# What many scans cost beside the scans",
        "",
        "Written by `python -m benchmarks.batch_overhead`; do not edit. On a machine that had other work at the same",
        "time: seconds of other machines differ, the ratios less.",
    ]
    for row in rows:
        if row.model == "sleep":
            lines += [
                "",
                f"{row.scan}, on {row['workers']} threads of Dask in one process; stopped after a tenth, and started",
                "again:",
                "",
            ]
            lines += table(["what", ""], [[SLEEPING[key], f"{row[key]:.3g}"] for key in SLEEPING])
        else:
            plain = row["enhance"][0]
            cells = [
                [f"`{key}`", f"{first:.2f}", f"{first / plain:.2f}", f"{again:.2f}" if again else "-"]
                for key, (first, again) in (row.figures or {}).items()
            ]
            lines += [
                "",
                f"{row.slices} slices of {row.scan}, in one process, one thread, medians of {ROUNDS}. What is added",
                "does not grow with the time that the network takes: of a larger scan it is less.",
                "",
            ]
            lines += table(["command", "CPU s", "of `enhance`", "found finished, CPU s"], cells)
    return "\n".join([*lines, ""])


def main() -> None:
    """Measure, and write the page."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("scan", type=Path)
    parser.add_argument("--scans", type=int, default=10_000, help="of the queue")
    parser.add_argument("--slices", type=int, default=2, help="of the scan, its middle ones")
    parser.add_argument("--out", type=Path, required=True)
    options = parser.parse_args()
    rows = beside(options.out)
    if find(load(rows), model="enhance", scan=stem(options.scan), slices=options.slices) is None:
        with tempfile.TemporaryDirectory() as name:
            few = Path(name, "scan.nii.gz")
            files.write(middle_slices(files.read(options.scan), 2, options.slices), few)
            put(Row("enhance", stem(options.scan), "", 2, slices=options.slices, figures=commands(few)), rows)
    found = {"workers": WORKERS, **queue(options.scans)}
    put(Row("sleep", f"{options.scans} scans that only sleep", "", 2, figures=found), rows)
    options.out.write_text(report(load(rows)), encoding="utf-8")
    print(options.out.read_text(encoding="utf-8"))


if __name__ == "__main__":
    main()
