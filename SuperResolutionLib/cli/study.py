"""superresolution study: restore scans by every method, and report where that helps and where it hurts."""

import argparse
import sys
import time
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from SuperResolutionLib.cli import options as common
from SuperResolutionLib.cli import reporter
from SuperResolutionLib.errors import InputError

if TYPE_CHECKING:
    from SuperResolutionLib.study.plan import Plan
    from SuperResolutionLib.study.queue import Outcome


def add(commands: Any) -> None:
    """Add the command to the parser."""
    parser = common.command(
        commands,
        "study",
        "measure methods on many scans and write a report with figures (HTML)",
        "superresolution study scans/ --out study",
        "superresolution study a_T1w.nii.gz b_T1w.nii.gz --degradations k_space area --out study --credit CC0",
        "superresolution study dwi/ --streamlines --out diffusion",
        "superresolution study t1_1mm.nii.gz --degradations slices:spacing=4 --out thick",
        "superresolution study clinical.nii.gz --no-truth --isotropic --out trust",
    )
    parser.add_argument("inputs", metavar="INPUT", nargs="+", type=Path, help="scans, folders of scans, a BIDS folder")
    common.add_series(parser, "where a DICOM folder")
    parser.add_argument("--out", metavar="DIR", type=Path, required=True, help="the folder of the report")
    common.add_overwrite(parser, "what is in DIR and of no study")
    parser.add_argument(
        "--models", nargs="+", metavar="NAME", help='models, or "all" of the scale (default: the one for any scan)'
    )
    common.add_grid(parser, "coarser")
    common.add_thickness(parser)
    parser.add_argument(
        "--degradations",
        nargs="+",
        metavar="NAME[:setting=value]",
        help="the forward models (default: k_space; of thick slices: slices)",
    )
    parser.add_argument("--no-truth", action="store_true", help="enhance the scans as they are: what can be trusted?")
    parser.add_argument("--masks", metavar="PATH", type=Path, help="a brain mask, or a folder of NAME_mask files")
    parser.add_argument("--slices", metavar="N", type=common.positive, help="only N slices in the middle of each scan")
    parser.add_argument("--subjects", metavar="REGEX", help="finds the subject in a path, by its one group (...)")
    parser.add_argument("--credit", metavar="TEXT", default="", help="source and licence of the scans, for captions")
    parser.add_argument("--jobs", metavar="N", type=common.positive, default=1, help="scans at a time")
    common.add_seed(parser)
    common.add_streamlines(parser)
    common.add_network(parser)
    common.add_as_intensities(parser)
    reporter.add(parser)
    parser.set_defaults(run=run)


def run(options: argparse.Namespace) -> int:
    """Study files; returns 1 where some of them could not be studied."""
    with reporter.reporter(options.progress, unit="scan") as report:
        began = time.monotonic()
        _check_folder(options)
        from SuperResolutionLib.progress import finish
        from SuperResolutionLib.study.queue import tasks, working
        from SuperResolutionLib.study.subjects import find_scans

        scans = find_scans(options.inputs, options.subjects, series=not options.no_truth)
        plan = _plan(options)
        todo = tasks(scans, plan)
        outcome = finish(working(todo, plan, options.out, options.jobs), report.show)
        if not outcome.records:
            raise InputError(next(iter(outcome.failures.values())))
        page = _write(outcome, plan, options)
        report.finish(page, time.monotonic() - began)
    for name, why in outcome.failures.items():
        print(f"superresolution: not studied: {name}: {why}", file=sys.stderr)
    return 1 if outcome.failures else 0


def _check_folder(options: argparse.Namespace) -> None:
    """Refuse, before any work, a folder that cannot take a report, or holds what no study of ours put there."""
    from SuperResolutionLib.study.queue import CACHE

    ours = (options.out / CACHE).is_dir()
    foreign = [p for p in sorted(options.out.glob("*")) if p.suffix in (".html", ".png", ".csv", ".json")]
    common.check_report(options, options.out)
    if foreign and not ours and not options.overwrite:
        raise InputError(
            f"{foreign[0]} exists already, and is of no study; name an empty folder with --out, or allow overwriting "
            "(--overwrite)."
        )


def _plan(options: argparse.Namespace) -> "Plan":
    from SuperResolutionLib.study.plan import (
        Plan,
        checked_degradations,
        chosen_models,
        chosen_series_models,
        study_grid,
    )

    if options.no_truth and options.streamlines:
        raise InputError("Streamlines are compared with the truth's, and there is none; leave out one of the options.")
    runtime = common.runtime_of(options)
    sampling = study_grid(common.sampling_of(options), options.models, options.degradations)
    scale = None if sampling.factor is None else int(sampling.factor)
    return Plan(
        models=chosen_models(options.models, scale),
        series_models=chosen_series_models(options.models, scale),
        streamlines=options.streamlines,
        sampling=sampling,
        degradations=checked_degradations(options.degradations, scale),
        seed=options.seed,
        slices=options.slices,
        masks=None if options.masks is None else str(options.masks),
        truth=not options.no_truth,
        runtime=replace(runtime, threads=common.share_of_threads(options.threads, options.jobs)),
        put_back=common.put_back_of(options),
        as_intensities=options.as_intensities,
        series=options.series,
        thickness=_thickness(options, scale),
    )


def _thickness(options: argparse.Namespace, scale: int | None) -> float | None:
    thickness = common.thickness_of(options)
    if thickness is not None and (scale is not None or not options.no_truth):
        raise InputError(
            "A thickness is that of scans whose slices are made thin as they are; give it with --no-truth and a grid "
            "such as --isotropic, or as --degradations slices:thickness=3."
        )
    return thickness


def _write(outcome: "Outcome", plan: "Plan", options: argparse.Namespace) -> Path:
    from SuperResolutionLib.study.report import write_report
    from SuperResolutionLib.study.trust_report import write_trust_report

    return (write_report if plan.truth else write_trust_report)(outcome, plan, options.out, options.credit)
