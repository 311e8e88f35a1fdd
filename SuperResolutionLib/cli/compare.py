"""superresolution compare: degrade a scan, restore it by every method, measure."""

import argparse
import json
from pathlib import Path
from typing import Any

from SuperResolutionLib.cli import options as common


def add(commands: Any) -> None:
    """Add the command to the parser."""
    parser = common.command(
        commands,
        "compare",
        "degrade a scan, restore it by every method, and measure each against the scan",
        "superresolution compare brain.nii.gz --degradation k_space --figure brain.png",
    )
    common.add_files(parser, output=False)
    parser.add_argument("--methods", nargs="+", metavar="NAME", help="methods and models (default: all and the blind)")
    parser.add_argument("--degradation", default="k_space", metavar="NAME[:setting=value]", help="the forward model")
    parser.add_argument("--scale", type=common.at_least_two, default=2, help="how much coarser")
    common.add_plane(parser)
    common.add_seed(parser)
    common.add_network(parser)
    parser.add_argument("--json", metavar="FILE", type=Path, help="write the figures here")
    parser.add_argument("--figure", metavar="FILE.png", type=Path, help="write a picture here")
    parser.set_defaults(run=run)


def run(options: argparse.Namespace) -> int:
    """Compare on a file."""
    common.check_writable(options.json, ".json")
    common.check_writable(options.figure, ".png")
    volume = common.read_input(options)
    from SuperResolutionLib.comparison import compare

    result = compare(
        volume,
        options.degradation,
        options.scale,
        options.methods,
        options.plane,
        options.seed,
        keep=options.figure is not None,
        ensemble=options.ensemble,
        consistent=options.consistent,
        device=options.device,
        precision=options.precision,
        threads=options.threads,
    )
    print(f"{options.input.name}, degraded by {options.degradation} x{options.scale}\n{result}")
    if options.json is not None:
        table = {"input": options.input.name, **result.as_table()}
        options.json.write_text(json.dumps(table, indent=2) + "\n", encoding="utf-8")
    if options.figure is not None:
        from SuperResolutionLib.study.figure import comparison_figure

        comparison_figure(result, options.figure)
    return 0
