"""superresolution upsample: the classical methods, on the same grid as the networks."""

import argparse
import time
from typing import Any

from SuperResolutionLib.cli import dicom_output, reporter
from SuperResolutionLib.cli import options as common


def add(commands: Any) -> None:
    """Add the command to the parser."""
    parser = common.command(
        commands,
        "upsample",
        "refine a scan by a classical method, on the grid that enhance uses; tensors (NRRD) in log-Euclidean space",
        "superresolution upsample brain.nii.gz brain_sinc.nii.gz --method sinc --scale 2",
        "superresolution upsample flair.nii.gz flair_1mm.nii.gz --method deconvolution --slice-spacing 1",
        "superresolution upsample dicom_folder/ finer_folder/ --method sinc",
    )
    common.add_files(parser, dicom=True)
    parser.add_argument(
        "--method",
        default="bicubic",
        help="nearest, linear, bicubic, bspline or sinc; of thick slices also deconvolution",
    )
    common.add_grid(parser, "finer")
    common.add_thickness(parser)
    common.add_slice(parser)
    common.add_as_intensities(parser)
    reporter.add(parser)
    parser.set_defaults(run=run)


def run(options: argparse.Namespace) -> int:
    """Refine a file, or each series of a folder."""
    for one in dicom_output.each(options):
        _upsample(one)
    return 0


def _upsample(options: argparse.Namespace) -> None:
    with reporter.reporter(options.progress) as report:
        began = time.monotonic()
        from SuperResolutionLib.methods.catalogue import classical
        from SuperResolutionLib.methods.method import Runtime
        from SuperResolutionLib.progress import finish

        method, sampling = classical(options.method), common.sampling_of(options)
        volume = common.read_intensities(options, nearest=options.method == "nearest", continuous=True)
        volume = common.with_thickness(volume, options)
        result = finish(method.restore(volume, sampling, Runtime()))
        record = {
            "operation": "upsample",
            "method": options.method,
            **common.space(volume),
            "scale": common.scale_of(sampling),
            "slice": options.slice,
            "sampling": result.record.sampling,
            "notes": list(result.record.notes),
        }
        common.write_output(result.volume, options, record)
        report.finish(options.output, time.monotonic() - began)
