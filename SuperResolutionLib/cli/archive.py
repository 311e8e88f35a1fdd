"""superresolution archive: an image that was enhanced before, as a series derived from the one that it came from."""

import argparse
import time
from pathlib import Path
from typing import Any

from SuperResolutionLib.cli import dicom_output, reporter
from SuperResolutionLib.cli import options as common


def add(commands: Any) -> None:
    """Add the command to the parser."""
    parser = common.command(
        commands,
        "archive",
        "write an image that was enhanced before as a derived DICOM series; the JSON beside it says what made it",
        "superresolution archive brain_sr.nii.gz enhanced_folder/ --dicom-source dicom_folder/",
    )
    parser.add_argument("input", metavar="IMAGE", type=Path, help="NIfTI, NRRD or MHA")
    parser.add_argument("output", metavar="FOLDER", type=Path, help="new or empty")
    parser.add_argument(
        "--dicom-source",
        metavar="FOLDER",
        type=Path,
        required=True,
        help="the DICOM series that IMAGE was made of",
    )
    common.add_series(parser, "where it")
    dicom_output.add_watermark(parser)
    reporter.add(parser)
    parser.set_defaults(run=run, dicom=True, all_series=False)


def run(options: argparse.Namespace) -> None:
    """Write the image as a series."""
    with reporter.reporter(options.progress) as report:
        began = time.monotonic()
        from SuperResolutionLib.files.output import own_sidecar
        from SuperResolutionLib.files.sidecar import read_table

        with common.choosing():
            volume = dicom_output.read(options)
        made = read_table(own_sidecar(options.input))
        made = made.get("SuperResolution", made)  # where the sidecar is one of BIDS
        known = {key: made[key] for key in ("method", "model", "model_sha256") if isinstance(made.get(key), str)}
        record = {"operation": "archive", **({"method": "SuperResolution"} | known)}
        dicom_output.write(volume, options, common.whole_record(options, record))
        report.finish(options.output, time.monotonic() - began)
