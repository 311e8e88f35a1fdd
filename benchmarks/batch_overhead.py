"""What doing many scans costs beside the scans: the queue with 10,000 of them that only sleep, and a scan with records.

    python -m benchmarks.batch_overhead SCAN.nii.gz --out benchmarks/batch_overhead.md

The queue: tasks that sleep a millisecond on one process of Dask; seconds from the start to the first answer and to the
last, and how much this process, which holds the scheduler, grows. The scan: enhanced and written by the library alone,
and by the engine with its hashes and log, in turn, in one process; the ratio of the medians.
"""

import argparse
import statistics
import tempfile
import time
from pathlib import Path

from SuperResolutionLib.batch import cluster
from SuperResolutionLib.batch.engine import in_process
from SuperResolutionLib.batch.job import DONE, FAILED, KEPT, Answer, Job
from SuperResolutionLib.batch.request import Request
from SuperResolutionLib.methods.method import Runtime

ROUNDS = 5


def sleep(job: Job, _request: Request) -> Answer:
    """In place of a scan."""
    time.sleep(0.001)
    return Answer(job.name, DONE)


def queue(count: int) -> dict[str, float]:
    """Seconds to the first and to the last answer, and MiB by which this process grew."""
    import psutil

    jobs = [Job(f"{k}", Path(f"/data/{k}.nii.gz"), Path(f"/out/{k}.nii.gz")) for k in range(count)]
    usual, cluster.attempt = cluster.attempt, sleep  # type: ignore[assignment]
    try:
        began = time.monotonic()
        with cluster.local(1) as crew:
            ready, before = time.monotonic(), psutil.Process().memory_info().rss
            crew = cluster.Crew(crew.client)
            answers = cluster.on_crew(crew, jobs, Request())
            next(answers)
            first = time.monotonic()
            rest = sum(1 for _ in answers)
            last, after = time.monotonic(), psutil.Process().memory_info().rss
    finally:
        cluster.attempt = usual
    assert rest == count - 1
    return {
        "workers ready after, s": ready - began,
        "first answer after that, s": first - ready,
        "all answers after that, s": last - ready,
        "of each scan, ms": 1000 * (last - ready) / count,
        "this process grew, MiB": (after - before) / 2**20,
    }


def scan(path: Path) -> dict[str, float]:
    """Seconds of a scan by the library alone, by the engine, and for finding it finished; medians."""
    import SuperResolutionLib as sr
    from SuperResolutionLib import files

    runtime = Runtime(device="cpu", precision="float32", threads=1)
    times: dict[str, list[float]] = {"library": [], "engine": [], "finished before": []}
    for _ in range(ROUNDS + 1):
        with tempfile.TemporaryDirectory() as name:
            folder = Path(name)
            began = time.monotonic()
            files.write(sr.enhance(path, runtime=runtime), folder / "a.nii.gz")
            times["library"].append(time.monotonic() - began)
            job = Job("scan", path, folder / "b.nii.gz", folder / "b.log")
            for key, state in (("engine", DONE), ("finished before", KEPT)):
                began = time.monotonic()
                answers = [answer for _, answer in in_process([job], Request(runtime=runtime))]
                times[key].append(time.monotonic() - began)
                if not isinstance(answers[-1], Answer) or answers[-1].state != state:
                    raise SystemExit(f"not {state}: {answers[-1] or FAILED}")
    medians = {key: statistics.median(found[1:]) for key, found in times.items()}  # the first one warms up
    return {
        "by the library alone, s": medians["library"],
        "by the engine, s": medians["engine"],
        "ratio": medians["engine"] / medians["library"],
        "found finished, s": medians["finished before"],
    }


def main() -> None:
    """Measure, and write the page."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("scan", type=Path)
    parser.add_argument("--scans", type=int, default=10_000, help="of the queue")
    parser.add_argument("--out", type=Path, required=True)
    options = parser.parse_args()
    count = options.scans
    rows = [f"| {count} scans that only sleep 1 ms: {name} | {value:.3g} |" for name, value in queue(count).items()]
    rows += [f"| {options.scan.name}: {name} | {value:.3g} |" for name, value in scan(options.scan).items()]
    head = ["# What many scans cost beside the scans", "", "Written by `python -m benchmarks.batch_overhead`."]
    told = "On a machine that had other work at the same time; seconds of other machines differ, the ratio less."
    options.out.write_text("\n".join([*head, told, "", "| what | |", "|---|---|", *rows, ""]))
    print(options.out.read_text())


if __name__ == "__main__":
    main()
