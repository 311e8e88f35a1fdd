"""superresolution degrade: what a coarser scan of the same head would look like."""

import argparse
from typing import Any

from SuperResolutionLib.cli import options as common
from SuperResolutionLib.cli import reporter


def add(commands: Any) -> None:
    """Add the command to the parser."""
    parser = common.command(
        commands,
        "degrade",
        "simulate a coarser scan by one of the forward models",
        "superresolution degrade brain.nii.gz coarse.nii.gz --degradation rician:snr=15 --scale 2",
        "superresolution degrade t1_1mm.nii.gz thick.nii.gz --degradation slices:spacing=4,thickness=3,profile=box",
    )
    common.add_files(parser)
    parser.add_argument("--degradation", default="k_space", metavar="NAME[:setting=value]", help="the forward model")
    common.add_grid(parser, "coarser")
    common.add_seed(parser)
    common.add_as_intensities(parser)
    parser.set_defaults(run=run)


def run(options: argparse.Namespace) -> int:
    """Degrade a file."""
    from SuperResolutionLib.physics.degradation import by_name, degrade

    model = by_name(options.degradation)
    sampling = common.sampling_of(options)
    volume = common.read_intensities(options, continuous=True)
    result = degrade(volume, model, sampling=sampling, seed=options.seed)
    record = {
        "operation": "degrade",
        "degradation": options.degradation,
        "scale": common.scale_of(model.wish(sampling)),
        "seed": options.seed,
        **({} if result.thickness is None else {"SliceThickness": result.thickness}),
    }
    common.write_output(result, options, record)
    reporter.say(f"{options.output} written.")
    return 0
