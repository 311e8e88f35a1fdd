"""OUTPUT as a folder with a derived DICOM series, instead of an image file."""

import argparse
import warnings
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

from SuperResolutionLib.errors import InputError

if TYPE_CHECKING:
    from SuperResolutionLib.volume import Volume


def add(parser: argparse.ArgumentParser) -> None:
    """--dicom, --dicom-source, --all-series, --watermark."""
    parser.add_argument(
        "--dicom",
        action="store_true",
        help="OUTPUT is a folder for a derived DICOM series, as it is anyway where INPUT is DICOM and OUTPUT has no "
        "extension",
    )
    parser.add_argument(
        "--dicom-source",
        metavar="FOLDER",
        type=Path,
        help="the DICOM series that INPUT, a file, was converted from: OUTPUT is a series derived from it",
    )
    parser.add_argument(
        "--all-series",
        action="store_true",
        help="each series of INPUT, into OUTPUT/series-NUMBER",
    )
    add_watermark(parser)


def add_watermark(parser: argparse.ArgumentParser) -> None:
    """--watermark."""
    parser.add_argument(
        "--watermark",
        action="store_true",
        help="draw RESEARCH USE ONLY - SR into a corner of each image of a DICOM series; by itself nothing is drawn",
    )


def is_meant(options: argparse.Namespace) -> bool:
    """Whether OUTPUT is a folder with a DICOM series."""
    if getattr(options, "dicom", None) is None:  # of another command
        return False
    if options.dicom or options.dicom_source is not None or options.all_series:
        return True
    return not _is_file(options.input) and (not options.output.suffix or options.output.is_dir())


def check_absent(options: argparse.Namespace) -> None:
    """Refuse what only a DICOM series has, where OUTPUT is none. Raises InputError."""
    if getattr(options, "watermark", False):
        raise InputError(
            f"--watermark draws into the images of a DICOM series, and {options.output} is none; leave it out, or name "
            "a folder."
        )


def each(options: argparse.Namespace) -> Iterator[argparse.Namespace]:
    """The options for each series that is asked for; what cannot be used of all of them is left out and said.

    Raises InputError where that leaves none.
    """
    if not options.all_series:
        yield options
        return
    from SuperResolutionLib.files.claims import claimed_folder

    if options.series is not None or options.dicom_source is not None or _is_file(options.input):
        raise InputError("--all-series takes every series of a DICOM folder; give no --series and no --dicom-source.")
    _check_folder(options)
    options.claims.enter_context(claimed_folder(options.output))
    labels = _usable(options.input)
    if not labels:
        raise InputError(f"{options.input} has no DICOM series that can be enhanced; `superresolution info` lists all.")
    for label in labels:
        own = {"series": label, "output": options.output / f"series-{label}", "all_series": False, "dicom": True}
        yield argparse.Namespace(**{**vars(options), **own})


def _usable(folder: Path) -> list[str]:
    """The labels of the series from which others can be derived, each read as a trial; the others are warned of."""
    from SuperResolutionLib.files.common import ScanWarning
    from SuperResolutionLib.files.dicom.derived import check_source
    from SuperResolutionLib.files.dicom.series import read_series, series_in
    from SuperResolutionLib.methods.meaning import check_intensities

    labels, others = series_in(folder)
    usable = []
    for label in labels:
        try:
            with warnings.catch_warnings():
                warnings.simplefilter("ignore", ScanWarning)  # said when it is read to be enhanced
                source = read_series(folder, label)
            check_source(source)
            check_intensities(source.volume)
            usable.append(label)
        except InputError as error:
            others.append(f"{label} ({error})")
    if others:
        warnings.warn(f"{folder.name}: left out were series {'; '.join(others)}.", stacklevel=1)
    return usable


def read(options: argparse.Namespace) -> "Volume":
    """The input, with the series that it comes from kept for `write`; first what could not be written is refused."""
    from SuperResolutionLib import files
    from SuperResolutionLib.files.claims import claimed_folder
    from SuperResolutionLib.files.common import ScanWarning
    from SuperResolutionLib.files.dicom.derived import check_source
    from SuperResolutionLib.files.dicom.matching import check_alike, match
    from SuperResolutionLib.files.dicom.series import read_series

    _check_folder(options)
    options.claims.enter_context(claimed_folder(options.output))
    if options.dicom_source is None and _is_file(options.input):
        raise InputError(
            f"{options.input.name} is no DICOM, so it does not say which patient and study a DICOM series of it "
            "belongs to; name the series that it was converted from with --dicom-source."
        )
    if options.dicom_source is not None and not _is_file(options.input):
        raise InputError("INPUT is DICOM and its own source; give no --dicom-source.")
    options.source = read_series(options.dicom_source or options.input, options.series)
    for said in check_source(options.source):
        warnings.warn(ScanWarning(f"{said}."), stacklevel=1)
    if options.dicom_source is None:
        volume: Volume = options.source.volume
        return volume
    volume = files.read(options.input)
    check_alike(options.input.name, match(options.input.name, volume, options.source))
    return volume


def _is_file(path: Path) -> bool:
    """Whether an input is an image file rather than DICOM."""
    from SuperResolutionLib.files.common import extension

    return bool(extension(path))


def _check_folder(options: argparse.Namespace) -> None:
    from SuperResolutionLib.files.common import extension
    from SuperResolutionLib.files.dicom.derived import sidecar_of
    from SuperResolutionLib.files.output import check_new_folder

    if extension(options.output):
        raise InputError(f"A DICOM series is written into a folder, and {options.output} names a file; name a folder.")
    for given in (options.input, options.dicom_source):
        if given is not None and options.output.resolve().is_relative_to(given.resolve()):
            raise InputError(f"The output folder {options.output} lies in the input {given}; name one beside it.")
    check_new_folder(options.output, *([] if options.all_series else [sidecar_of(options.output)]))


def write(volume: "Volume", options: argparse.Namespace, record: dict[str, Any]) -> None:
    """Write the result as a series derived from the one that was read, and its sidecar beside the folder."""
    from SuperResolutionLib.files.dicom.derived import Derivation, write_series

    method = str(record.get("model") or record.get("method"))
    how = Derivation(method=method, model_sha256=record.get("model_sha256"), watermark=options.watermark)
    if options.dicom_source is not None:
        record = {**record, "dicom_source": options.dicom_source.name}
    write_series(volume, options.source, options.output, how, record)
