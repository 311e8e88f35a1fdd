"""Options of commands that work on many scans, and the run itself: in this process or on workers, with one list of
failures at the end.
"""

import argparse
import sys
import time
from contextlib import AbstractContextManager
from pathlib import Path
from typing import TYPE_CHECKING, Any

from SuperResolutionLib.cli import options as common
from SuperResolutionLib.cli import reporter
from SuperResolutionLib.errors import InputError

if TYPE_CHECKING:
    from collections.abc import Sequence

    from SuperResolutionLib.batch.cluster import Crew
    from SuperResolutionLib.batch.engine import Answers, Outcome
    from SuperResolutionLib.batch.job import Job
    from SuperResolutionLib.batch.request import Request

STOPPED = 130


class OutDir(argparse.Action):
    """--out-dir DIR. Where it is given, OUTPUT is one more input, and need not be there."""

    def __init__(self, *given: Any, freed: argparse.Action, **options: Any) -> None:
        super().__init__(*given, **options)
        self.freed = freed

    def __call__(self, _parser: Any, namespace: argparse.Namespace, values: Any, _option: str | None = None) -> None:
        """Keep the folder, and let OUTPUT go."""
        setattr(namespace, self.dest, values)
        self.freed.required = False


def add_out_dir(parser: argparse.ArgumentParser, output: argparse.Action) -> None:
    """MORE and --out-dir, of a command on one scan. output: OUTPUT."""
    parser.add_argument(
        "more", metavar="MORE", nargs="*", type=Path, default=[], help="with --out-dir: scans, folders, 'patterns*'"
    )
    parser.add_argument(
        "--out-dir",
        metavar="DIR",
        type=Path,
        action=OutDir,
        freed=output,
        help="many scans: everything that is named is a scan, a folder or a pattern, and the results go here",
    )
    add(parser)


def check_alone(options: argparse.Namespace) -> None:
    """Refuse what only many scans have. Raises InputError."""
    if options.more:
        raise InputError(f"{2 + len(options.more)} files are named; give many scans with --out-dir DIR.")
    if options.dry_run or options.n_procs != 1 or options.scheduler is not None or options.slurm is not None:
        raise InputError("--dry-run, --n-procs, --scheduler and --slurm are for many scans; give --out-dir DIR, too.")


def add(parser: argparse.ArgumentParser) -> None:
    """--n-procs, --scheduler, --slurm, --dry-run."""
    where = parser.add_mutually_exclusive_group()
    where.add_argument(
        "--n-procs", metavar="N", type=common.positive, default=1, help="scans at a time on this machine (Dask)"
    )
    where.add_argument("--scheduler", metavar="ADDRESS", help="a Dask scheduler that runs, such as tcp://10.0.0.1:8786")
    where.add_argument(
        "--slurm", metavar="WORDS", help="start workers by Slurm: 'queue=short cores=4 memory=16GB jobs=10 ...'"
    )
    parser.add_argument("--dry-run", action="store_true", help="list what would be done, and write nothing")


def request_of(options: argparse.Namespace) -> "Request":
    """What the options want of each scan; workers of this machine share its threads."""
    from dataclasses import replace

    request = common.request_of(options)
    threads = common.share_of_threads(options.threads, options.n_procs)
    if options.slurm is not None and threads is None:
        from SuperResolutionLib.batch.cluster import slurm_options

        threads = slurm_options(options.slurm)[0]["job_cpu"]
    return replace(request, runtime=replace(request.runtime, threads=threads))


def run(jobs: "Sequence[Job]", request: "Request", options: argparse.Namespace, out: Path) -> "tuple[int, Outcome]":
    """Do the jobs; returns the exit code, 1 where some failed, and what came of each.

    jobs, request: the scans, and what is wanted of each. options: where they run. out: the folder, for the last line.
    """
    from SuperResolutionLib.batch.engine import Outcome

    outcome, began = Outcome(len(jobs)), time.monotonic()
    code = 0
    with reporter.reporter(options.progress, unit="scan") as report:
        try:
            _work(jobs, request, options, out, report, outcome)
            report.finish(None, time.monotonic() - began)
        except KeyboardInterrupt:
            code = STOPPED
            print("superresolution: stopped; the same command goes on from here.", file=sys.stderr)
    for name, why in outcome.failures().items():
        print(f"superresolution: not enhanced: {name}: {why}", file=sys.stderr)
    if options.progress == "bar":
        reporter.say(f"{out}: {outcome.told()} in {time.monotonic() - began:.1f} s. Research use only.")
    return code or (1 if outcome.failures() else 0), outcome


def _work(
    jobs: "Sequence[Job]",
    request: "Request",
    options: argparse.Namespace,
    out: Path,
    report: reporter.Reporter,
    outcome: "Outcome",
) -> None:
    from SuperResolutionLib.batch.engine import in_process, working
    from SuperResolutionLib.progress import finish

    crew = _crew(options, len(jobs), out)
    if crew is None:
        finish(working(in_process(jobs, request), outcome), report.show)
        return
    from SuperResolutionLib.batch.cluster import on_crew

    with crew as workers:
        if workers.dashboard:
            print(f"Dask shows its workers at {workers.dashboard}", file=sys.stderr)
        answers: Answers = on_crew(workers, jobs, request)
        finish(working(answers, outcome), report.show)


def _crew(options: argparse.Namespace, count: int, out: Path) -> "AbstractContextManager[Crew] | None":
    """The workers that are asked for; None for this process alone."""
    if options.n_procs == 1 and options.scheduler is None and options.slurm is None:
        return None
    from SuperResolutionLib.batch import cluster

    if options.scheduler is not None:
        return cluster.running(options.scheduler)
    if options.slurm is not None:
        print("Slurm starts the workers; `squeue` shows them.", file=sys.stderr)
        return cluster.slurm(options.slurm, str(out / "logs"))
    if count == 1:
        return None
    folder = getattr(options, "work_dir", None)
    return cluster.local(min(options.n_procs, count), None if folder is None else str(folder))


def refuse_twice(options: argparse.Namespace) -> None:
    """Refuse options that belong to one scan alone. Raises InputError."""
    for name in ("uncertainty", "dicom_source", "series"):
        if getattr(options, name, None) is not None:
            raise InputError(f"--{name.replace('_', '-')} is for one scan, and --out-dir for many; leave one out.")
    for name in ("dicom", "all_series", "watermark"):
        if getattr(options, name, False):
            raise InputError(f"--{name.replace('_', '-')} and --out-dir do not go together; leave one out.")
