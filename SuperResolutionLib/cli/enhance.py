"""superresolution enhance: a sharper volume by a trained network."""

import argparse
import time
import warnings
from pathlib import Path
from typing import TYPE_CHECKING, Any

from SuperResolutionLib.cli import options as common
from SuperResolutionLib.cli import reporter
from SuperResolutionLib.errors import InputError

if TYPE_CHECKING:
    from SuperResolutionLib.methods.method import Restoration


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
    common.add_grid(parser, "finer", "the model's, or 2")
    common.add_slice(parser)
    common.add_as_intensities(parser)
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
        sampling, runtime = common.sampling_of(options), common.runtime_of(options)
        volume = common.read_intensities(options)
        _check_uncertainty(options)
        from SuperResolutionLib.methods import checks
        from SuperResolutionLib.methods.catalogue import network
        from SuperResolutionLib.progress import finish

        spread = options.uncertainty is not None
        method = network(volume, options.model, sampling, common.put_back_of(options), spread)
        steps = method.restore(volume, sampling, runtime)
        if odd := checks.unusual(volume, method.model.card, options.plane):
            warnings.warn(f"{options.input.name} is unlike the training scans: {'; '.join(odd)}.", stacklevel=1)
        result = finish(steps, report.show)
        _write(result, options, {**_said(result, options), **common.space(volume), "scale": method.model.card.scale})
        report.finish(options.output, time.monotonic() - began)
    return 0


def _said(result: "Restoration", options: argparse.Namespace) -> dict[str, Any]:
    """What the sidecar says of the work."""
    record = result.record
    return {
        "operation": "enhance",
        "model": record.method,
        **{key: value for key, value in record.as_table().items() if key not in ("method", "seconds")},
        "slice": options.slice,
        "ensemble": options.ensemble or result.uncertainty is not None,
        "consistent": options.consistent,
        "ran": record.ran,
        "seconds": round(record.seconds, 3),
    }


def _check_uncertainty(options: argparse.Namespace) -> None:
    """Refuse, before any work, a second output that could not be written."""
    if options.uncertainty is None:
        return
    from SuperResolutionLib import files

    if options.uncertainty.absolute() == options.output.absolute():
        raise InputError(f"OUTPUT and --uncertainty are both {options.output}; name two files.")
    files.check_output(options.uncertainty, options.input, options.overwrite)


def _write(result: "Restoration", options: argparse.Namespace, record: dict[str, Any]) -> None:
    """The result and the uncertainty map: both, or neither."""
    if result.uncertainty is None:
        common.write_output(result.volume, options, record)
        return
    from SuperResolutionLib import files

    path: Path = options.uncertainty
    about = {**record, "operation": "uncertainty", "of": options.output.name, "plane": options.plane}
    files.write(result.uncertainty, path, options.overwrite, common.whole_record(options, about))
    try:
        common.write_output(result.volume, options, record)
    except BaseException:
        for written in (path, files.sidecar_path(path)):
            written.unlink(missing_ok=True)
        raise
