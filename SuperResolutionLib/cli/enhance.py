"""superresolution enhance: a sharper volume by a trained network."""

import argparse
import time
import warnings
from typing import Any

from SuperResolutionLib.cli import options as common
from SuperResolutionLib.cli import progress


def add(commands: Any) -> None:
    """Add the command to the parser."""
    parser = common.command(
        commands,
        "enhance",
        "make a scan sharper with a trained network; tensors (NRRD) in log-Euclidean space",
        "superresolution enhance brain.nii.gz brain_sr.nii.gz --scale 2",
        "superresolution enhance brain.nii.gz slice_40.nii.gz --slice 40",
    )
    common.add_files(parser)
    parser.add_argument("--model", metavar="NAME|FILE", help="an installed model, or a .safetensors file with its card")
    parser.add_argument("--scale", type=common.at_least_two, help="how much finer: 2 or 4 (default: the model's, or 2)")
    common.add_plane(parser)
    common.add_slice(parser)
    common.add_network(parser)
    progress.add(parser)
    parser.set_defaults(run=run)


def run(options: argparse.Namespace) -> int:
    """Enhance a file."""
    with progress.reporter(options.progress) as report:
        began = time.monotonic()
        volume = common.read_input(options)
        from SuperResolutionLib import checks
        from SuperResolutionLib.diffusion.guides import is_diffusion
        from SuperResolutionLib.inference import choose_model, enhancing
        from SuperResolutionLib.progress import finish

        model = choose_model(options.model, options.scale, is_diffusion(volume))
        if odd := checks.unusual(volume, model.card, options.plane):
            warnings.warn(f"{options.input.name} is unlike the training scans: {'; '.join(odd)}.", stacklevel=1)
        result = finish(
            enhancing(
                volume,
                model,
                plane=options.plane,
                ensemble=options.ensemble,
                consistent=options.consistent,
                device=options.device,
                precision=options.precision,
                threads=options.threads,
                only=options.slice,
            ),
            report.show,
        )
        record = {
            "operation": "enhance",
            "model": model.card.name,
            "model_sha256": model.card.sha256,
            **common.space(volume),
            "scale": model.card.scale,
            "slice": options.slice,
            "ensemble": options.ensemble,
            "consistent": options.consistent,
            "ran": report.ran,
            "unusual": odd,
        }
        common.write_output(result, options, record)
        report.finish(options.output, time.monotonic() - began)
    return 0
