"""superresolution enhance: a sharper volume by a trained network."""

import argparse
import time
import warnings
from collections.abc import Generator
from pathlib import Path
from typing import TYPE_CHECKING, Any

from SuperResolutionLib.cli import options as common
from SuperResolutionLib.cli import reporter
from SuperResolutionLib.errors import InputError

if TYPE_CHECKING:
    from SuperResolutionLib.methods.zoo import Model
    from SuperResolutionLib.progress import Progress
    from SuperResolutionLib.volume import Volume


def add(commands: Any) -> None:
    """Add the command to the parser."""
    parser = common.command(
        commands,
        "enhance",
        "make a scan sharper with a trained network; tensors (NRRD) in log-Euclidean space",
        "superresolution enhance brain.nii.gz brain_sr.nii.gz --scale 2",
        "superresolution enhance brain.nii.gz slice_40.nii.gz --slice 40",
        "superresolution enhance brain.nii.gz brain_sr.nii.gz --uncertainty brain_spread.nii.gz",
    )
    common.add_files(parser)
    parser.add_argument("--model", metavar="NAME|FILE", help="an installed model, or a .safetensors file with its card")
    parser.add_argument("--scale", type=common.at_least_two, help="how much finer: 2 or 4 (default: the model's, or 2)")
    common.add_plane(parser)
    common.add_slice(parser)
    common.add_network(parser)
    parser.add_argument(
        "--uncertainty",
        metavar="FILE",
        type=Path,
        help="also write how far the 8 flips and turns disagree about each voxel (standard deviation); with --ensemble",
    )
    reporter.add(parser)
    parser.set_defaults(run=run)


def run(options: argparse.Namespace) -> int:
    """Enhance a file."""
    with reporter.reporter(options.progress) as report:
        began = time.monotonic()
        volume = common.read_input(options)
        _check_uncertainty(options)
        from SuperResolutionLib.diffusion.guides import is_diffusion
        from SuperResolutionLib.methods import checks
        from SuperResolutionLib.methods.network import choose_model
        from SuperResolutionLib.progress import finish

        model = choose_model(options.model, options.scale, is_diffusion(volume))
        if odd := checks.unusual(volume, model.card, options.plane):
            warnings.warn(f"{options.input.name} is unlike the training scans: {'; '.join(odd)}.", stacklevel=1)
        result, spread = finish(_steps(volume, model, options), report.show)
        record = {
            "operation": "enhance",
            "model": model.card.name,
            "model_sha256": model.card.sha256,
            **common.space(volume),
            "scale": model.card.scale,
            "slice": options.slice,
            "ensemble": options.ensemble or spread is not None,
            "consistent": options.consistent,
            "ran": report.ran,
            "notes": report.notes,
            "unusual": odd,
        }
        _write(result, spread, options, record)
        report.finish(options.output, time.monotonic() - began)
    return 0


def _steps(
    volume: "Volume", model: "Model", options: argparse.Namespace
) -> "Generator[Progress, None, tuple[Volume, Volume | None]]":
    """The work: the result, and the spread where it is asked for."""
    from SuperResolutionLib.methods.network import enhancing, enhancing_with_spread

    where = {
        "plane": options.plane,
        "consistent": options.consistent,
        "device": options.device,
        "precision": options.precision,
        "threads": options.threads,
        "only": options.slice,
    }
    if options.uncertainty is not None:
        return (yield from enhancing_with_spread(volume, model, **where))
    return (yield from enhancing(volume, model, ensemble=options.ensemble, **where)), None


def _check_uncertainty(options: argparse.Namespace) -> None:
    """Refuse, before any work, a second output that could not be written."""
    if options.uncertainty is None:
        return
    from SuperResolutionLib import files

    if options.uncertainty.absolute() == options.output.absolute():
        raise InputError(f"OUTPUT and --uncertainty are both {options.output}; name two files.")
    files.check_output(options.uncertainty, options.input, options.overwrite)


def _write(result: "Volume", spread: "Volume | None", options: argparse.Namespace, record: dict[str, Any]) -> None:
    """The result and the uncertainty map: both, or neither."""
    if spread is None:
        common.write_output(result, options, record)
        return
    from SuperResolutionLib import files

    path: Path = options.uncertainty
    about = {**record, "operation": "uncertainty", "of": options.output.name, "plane": options.plane}
    files.write(spread, path, options.overwrite, common.whole_record(options, about))
    try:
        common.write_output(result, options, record)
    except BaseException:
        for written in (path, files.sidecar_path(path)):
            written.unlink(missing_ok=True)
        raise
