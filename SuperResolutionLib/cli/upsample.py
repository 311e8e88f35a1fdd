"""superresolution upsample: the classical methods, on the same grid as the networks."""

import argparse
from typing import Any

from SuperResolutionLib.cli import options as common


def add(commands: Any) -> None:
    """Add the command to the parser."""
    parser = common.command(
        commands,
        "upsample",
        "refine a scan by a classical method, on the grid that enhance uses",
        "superresolution upsample brain.nii.gz brain_sinc.nii.gz --method sinc --scale 2",
    )
    common.add_files(parser)
    parser.add_argument("--method", default="bicubic", help="nearest, linear, bicubic, bspline or sinc")
    parser.add_argument("--scale", type=common.at_least_two, default=2, help="how much finer")
    common.add_plane(parser)
    parser.set_defaults(run=run)


def run(options: argparse.Namespace) -> int:
    """Refine a file."""
    from SuperResolutionLib.errors import unknown
    from SuperResolutionLib.interpolation import METHODS, upsample

    if options.method not in METHODS:
        raise unknown("interpolation method", options.method, METHODS)
    result = upsample(common.read_input(options), options.method, options.scale, options.plane)
    common.write_output(result, options, {"operation": "upsample", "method": options.method, "scale": options.scale})
    print(f"{options.output} written.")
    return 0
