"""superresolution bids: a BIDS App; the scans of a data set made finer, as a derivatives data set."""

import argparse
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

from SuperResolutionLib import __version__
from SuperResolutionLib.cli import many, reporter
from SuperResolutionLib.cli import options as common
from SuperResolutionLib.errors import InputError

if TYPE_CHECKING:
    from SuperResolutionLib.batch.bids_layout import Found
    from SuperResolutionLib.batch.engine import Outcome
    from SuperResolutionLib.batch.job import Job


def add(commands: Any) -> None:
    """Add the command to the parser."""
    parser = common.command(
        commands,
        "bids",
        "enhance the scans of a BIDS data set into a derivatives data set (a BIDS App)",
        "superresolution bids data/ data/derivatives/superresolution participant",
        "superresolution bids data/ results/ participant --participant-label 01 02 --suffix T2w FLAIR --isotropic",
        "superresolution bids data/ results/ participant --n-procs 4 --threads 16",
        "superresolution bids data/ results/ participant --scheduler tcp://10.0.0.1:8786",
        "superresolution bids data/ results/ participant --dry-run",
        "superresolution bids data/ results/ group",
    )
    parser.add_argument("bids_dir", metavar="BIDS_DIR", type=Path, help="the data set; nothing is written into it")
    parser.add_argument(
        "output_dir", metavar="OUT_DIR", type=Path, help="the results; it may be BIDS_DIR/derivatives/NAME"
    )
    parser.add_argument(
        "level",
        metavar="LEVEL",
        choices=("participant", "group"),
        help="participant: enhance scans; group: a report on all of them, without a truth (as study --no-truth)",
    )
    _add_choice(parser)
    common.add_request(parser)
    common.add_overwrite(parser, "a result that was made in another way")
    many.add(parser)
    parser.add_argument("-w", "--work-dir", metavar="DIR", type=Path, help="for what workers put aside")
    reporter.add(parser)
    parser.add_argument("--version", action="version", version=f"%(prog)s {__version__}")
    parser.set_defaults(run=run)


def _add_choice(parser: argparse.ArgumentParser) -> None:
    """Which scans."""
    parser.add_argument(
        "--participant-label", metavar="LABEL", nargs="+", default=(), help="only these, with or without sub-"
    )
    parser.add_argument("--session-label", metavar="LABEL", nargs="+", default=(), help="with or without ses-")
    parser.add_argument(
        "--suffix",
        metavar="SUFFIX",
        nargs="+",
        help="only such scans (default: T1w T2w PDw FLAIR inplaneT1 inplaneT2 dwi)",
    )
    parser.add_argument(
        "--skip-bids-validation",
        action="store_true",
        help="take a folder without dataset_description.json; use bids-validator for a full check",
    )
    parser.add_argument("--resume", action="store_true", help="finished results are kept; this is so anyhow")


def run(options: argparse.Namespace) -> int:
    """Enhance a data set, or report on it; returns 1 where some scans failed."""
    from SuperResolutionLib.batch import bids_layout, derivatives

    bids, out = options.bids_dir, options.output_dir
    found = bids_layout.find(bids, _selection(options))
    if not options.skip_bids_validation and not (bids / derivatives.DESCRIPTION).is_file():
        raise InputError(
            f"{bids} has no {derivatives.DESCRIPTION}, which every BIDS data set has; add it, or give "
            "--skip-bids-validation."
        )
    derivatives.check_place(bids, out)
    if options.level == "group":
        return _report(options, found)
    request = many.request_of(options)
    jobs = derivatives.jobs(bids, out, found, request.sampling)
    if options.dry_run:
        _tell(jobs, found, bids)
        return 0
    request.wish()  # which refuses a model that is not there before anything is written
    derivatives.write_about(bids, out)
    code, outcome = many.run(jobs, request, options, out)
    _write_pages(jobs, found, outcome, out)
    return code


def _write_pages(jobs: "list[Job]", found: "Found", outcome: "Outcome", out: Path) -> None:
    """A page for each participant; what hinders one is no reason to call the images failed."""
    from SuperResolutionLib.batch.participant_page import write_page

    own: dict[str, list[Job]] = {participant: [] for participant in found.participants}
    for job in jobs:
        own[job.name.partition("/")[0]].append(job)
    failures = outcome.failures()
    for participant, scans in own.items():
        try:
            write_page(out, participant, scans, failures)
        except InputError as error:
            print(f"warning: no page for {participant}: {error}", file=sys.stderr)


def _report(options: argparse.Namespace, found: "Found") -> int:
    """The study without a truth of all scans of one volume, in OUT_DIR/group."""
    from SuperResolutionLib.batch import derivatives
    from SuperResolutionLib.batch.bids_layout import entities
    from SuperResolutionLib.cli import study

    scans = [scan for scan in found.scans if entities(scan)[1] != "dwi"]
    if options.dry_run:
        for scan in scans:
            reporter.put(f"{scan} -> {options.output_dir / 'group'}")
        return 0
    derivatives.write_about(options.bids_dir, options.output_dir)
    asked = {
        "inputs": scans,
        "out": options.output_dir / "group",
        "models": None if options.model is None else [options.model],
        "no_truth": True,
        "streamlines": False,
        "degradations": ["k_space"],
        "jobs": options.n_procs,
        "subjects": "/(sub-[^/_]+)/",
        "seed": 0,
        "credit": "",
        **dict.fromkeys(("masks", "slices", "series")),
    }
    return study.run(argparse.Namespace(**{**vars(options), **asked}))


def _selection(options: argparse.Namespace) -> Any:
    from SuperResolutionLib.batch.bids_layout import SUFFIXES, Selection

    return Selection(tuple(options.participant_label), tuple(options.session_label), tuple(options.suffix or SUFFIXES))


def _tell(jobs: "list[Job]", found: "Found", bids: Path) -> None:
    """What would be done, a line a scan, and what would be left alone."""
    for job in jobs:
        reporter.put(f"{job.name} -> {job.output}{' (is there)' if job.output.exists() else ''}")
    for path, kind in found.left.items():
        print(f"left alone: {path.relative_to(bids)} holds {kind}", file=sys.stderr)
