"""superresolution upsample: the classical methods, on the same grid as the networks."""

import argparse
import time
from typing import Any

from SuperResolutionLib.cli import options as common
from SuperResolutionLib.cli import reporter


def add(commands: Any) -> None:
    """Add the command to the parser."""
    parser = common.command(
        commands,
        "upsample",
        "refine a scan by a classical method, on the grid that enhance uses; tensors (NRRD) in log-Euclidean space",
        "superresolution upsample brain.nii.gz brain_sinc.nii.gz --method sinc --scale 2",
    )
    common.add_files(parser)
    parser.add_argument("--method", default="bicubic", help="nearest, linear, bicubic, bspline or sinc")
    parser.add_argument("--scale", type=common.at_least_two, default=2, help="how much finer")
    common.add_plane(parser)
    common.add_slice(parser)
    reporter.add(parser)
    parser.set_defaults(run=run)


def run(options: argparse.Namespace) -> int:
    """Refine a file."""
    with reporter.reporter(options.progress) as report:
        began = time.monotonic()
        from SuperResolutionLib.errors import unknown
        from SuperResolutionLib.methods.classical import upsample
        from SuperResolutionLib.physics.interpolating import METHODS

        if options.method not in METHODS:
            raise unknown("interpolation method", options.method, METHODS)
        volume = common.read_input(options)
        result = upsample(volume, options.method, options.scale, options.plane, options.slice)
        record = {
            "operation": "upsample",
            "method": options.method,
            **common.space(volume),
            "scale": options.scale,
            "slice": options.slice,
        }
        common.write_output(result, options, record)
        report.finish(options.output, time.monotonic() - began)
    return 0
