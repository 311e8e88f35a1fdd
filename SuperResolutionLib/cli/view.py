"""superresolution view: one page to look through volumes beside each other."""

import argparse
import time
from pathlib import Path
from typing import Any

from SuperResolutionLib.cli import options as common
from SuperResolutionLib.cli import reporter


def add(commands: Any) -> None:
    """Add the command to the parser."""
    parser = common.command(
        commands,
        "view",
        "make one page (HTML, offline) to look through volumes beside each other: swipe, flicker, difference",
        "superresolution view brain_sr.nii.gz brain.nii.gz --out look.html",
        "superresolution view coarse.nii.gz enhanced.nii.gz truth.nii.gz --finest --out look.html",
        "superresolution view dwi.nii.gz dwi_sr.nii.gz --volume 7 --names before after --out look.html",
    )
    parser.add_argument(
        "inputs",
        metavar="INPUT",
        nargs="+",
        type=Path,
        help="volumes on any grids; all are resampled to the grid of the first",
    )
    common.add_series(parser, "where a DICOM folder")
    parser.add_argument("--out", metavar="FILE.html", type=Path, required=True, help="the page, at most 25 MB")
    common.add_overwrite(parser, "FILE.html")
    parser.add_argument("--names", metavar="NAME", nargs="+", help="what the page calls them (default: their files)")
    parser.add_argument(
        "--volume", metavar="K", type=common.from_zero, default=0, help="which volume of a series, counted from 0"
    )
    parser.add_argument("--finest", action="store_true", help="resample to the grid of the smallest voxels instead")
    parser.add_argument("--whole", action="store_true", help="do not crop to the head")
    reporter.add(parser)
    parser.set_defaults(run=run)


def run(options: argparse.Namespace) -> int:
    """Make the page of some files."""
    with reporter.reporter(options.progress, unit="volume") as report:
        began = time.monotonic()
        from SuperResolutionLib import files
        from SuperResolutionLib.files.output import check_files, write_files
        from SuperResolutionLib.viewing.looking import names_of, viewed

        common.check_writable(options, options.out, ".html")
        for path in options.inputs:
            check_files([options.out], path, options.overwrite)
        with common.choosing():
            volumes = [files.read(path, options.series if path.is_dir() else None) for path in options.inputs]
        names = options.names or names_of(options.inputs)
        page = viewed(volumes, names, options.volume, options.finest, options.whole)
        write_files({options.out: page.write}, options.overwrite)
        report.finish(options.out, time.monotonic() - began)
    return 0
