"""superresolution enhance: a sharper volume by a trained network."""

import argparse
import time
import warnings
from pathlib import Path
from typing import TYPE_CHECKING, Any

from SuperResolutionLib.cli import dicom_output, many, reporter
from SuperResolutionLib.cli import options as common
from SuperResolutionLib.errors import InputError

if TYPE_CHECKING:
    from SuperResolutionLib.geometry.sampling import Sampling
    from SuperResolutionLib.methods.method import Restoration
    from SuperResolutionLib.volume import Volume

THICK = 2.0  # times the pixels: slices that are meant to become thin sooner than the pixels finer


def add(commands: Any) -> None:
    """Add the command to the parser."""
    parser = common.command(
        commands,
        "enhance",
        "make a scan sharper, or thick slices thin, with a trained network; tensors (NRRD) in log-Euclidean space",
        "superresolution enhance brain.nii.gz brain_sr.nii.gz --scale 2",
        "superresolution enhance flair.nii.gz flair_iso.nii.gz --isotropic",
        "superresolution enhance flair.nii.gz flair_1mm.nii.gz --slice-spacing 1 --thickness 3",
        "superresolution enhance dicom_folder/ enhanced_folder/",
        "superresolution enhance brain.nii.gz enhanced_folder/ --dicom-source dicom_folder/",
        "superresolution enhance brain.nii.gz slice_40.nii.gz --slice 40",
        "superresolution enhance a.nii.gz b.nii.gz c.nii.gz --out-dir enhanced/",
        "superresolution enhance scans/ --out-dir enhanced/ --isotropic --n-procs 4",
        "superresolution enhance brain.nii.gz brain_sr.nii.gz --uncertainty brain_spread.nii.gz",
        "superresolution enhance dwi.nii.gz dwi_sr.nii.gz --denoise-first",
    )
    output = common.add_files(parser, dicom=True)
    common.add_request(parser)
    common.add_slice(parser)
    parser.add_argument(
        "--uncertainty",
        metavar="FILE",
        type=Path,
        help="also write how far the 8 flips and turns disagree about each voxel (standard deviation); with --ensemble",
    )
    if output is not None:
        many.add_out_dir(parser, output)
    reporter.add(parser)
    parser.set_defaults(run=run)


def run(options: argparse.Namespace) -> int:
    """Enhance a file, each series of a folder, or many files; returns 1 where some of many failed."""
    if options.out_dir is not None:
        return _enhance_many(options)
    many.check_alone(options)
    for one in dicom_output.each(options):
        _enhance(one)
    return 0


def _enhance_many(options: argparse.Namespace) -> int:
    """Each scan that is named into --out-dir."""
    from SuperResolutionLib.batch import folders
    from SuperResolutionLib.files.output import check_folder

    many.refuse_twice(options)
    request = many.request_of(options)
    named = [path for path in (options.input, options.output, *options.more) if path is not None]
    jobs = folders.jobs(named, options.out_dir)
    if options.dry_run:
        for job in jobs:
            reporter.put(f"{job.source} -> {job.output}{' (is there)' if job.output.exists() else ''}")
        return 0
    request.wish()  # which refuses a model that is not there before anything is written
    try:
        options.out_dir.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise InputError(f"The folder {options.out_dir} cannot be made ({error.strerror}); name another.") from error
    check_folder(options.out_dir)
    return many.run(jobs, request, options, options.out_dir)[0]


def _enhance(options: argparse.Namespace) -> None:
    with reporter.reporter(options.progress) as report:
        began = time.monotonic()
        request = common.request_of(options)
        sampling = request.sampling
        volume = request.prepared(common.read_intensities(options))
        _check_uncertainty(options)
        from SuperResolutionLib.batch.request import said
        from SuperResolutionLib.methods.checks import unprepared
        from SuperResolutionLib.progress import finish

        method = request.method(volume, uncertainty=options.uncertainty is not None)
        steps = method.restore(volume, sampling, request.runtime)
        if odd := method.unusual(volume, sampling):
            warnings.warn(f"{options.input.name} is unlike the training scans: {'; '.join(odd)}.", stacklevel=1)
        if raw := unprepared(volume):
            warnings.warn(f"{options.input.name}: {raw}.", stacklevel=1)
        result = finish(steps, report.show)
        _write(result, options, said(result, method, request))
        report.finish(options.output, time.monotonic() - began)
        if options.progress == "bar" and (thick := _thick(volume, sampling)):
            reporter.say(f"{options.input.name}: {thick}")


def _thick(volume: "Volume", sampling: "Sampling") -> str:
    """A hint, where the plane is refined of a stack whose slices are much thicker than its pixels."""
    from SuperResolutionLib.geometry.grid import stacking_axis
    from SuperResolutionLib.methods import zoo

    apart, pixel = volume.spacing[stacking_axis(volume)], min(volume.spacing)
    in_plane = not sampling.asked or sampling.factor is not None
    if not in_plane or apart < THICK * pixel or zoo.thinning_name() is None:
        return ""
    return f"its slices are {apart:.3g} mm apart and its pixels {pixel:.3g} mm wide; --isotropic makes the slices thin."


def _check_uncertainty(options: argparse.Namespace) -> None:
    """Refuse, before any work, a second output that could not be written."""
    if options.uncertainty is None:
        return
    from SuperResolutionLib.files.output import check_apart

    if dicom_output.is_meant(options):
        raise InputError("--uncertainty writes an image file beside another; name a file such as enhanced.nii.gz.")
    if options.uncertainty.absolute() == options.output.absolute():
        raise InputError(f"OUTPUT and --uncertainty are both {options.output}; name two files.")
    check_apart(options.output.absolute(), options.uncertainty.absolute())
    common.check_image(options, options.uncertainty)


def _write(result: "Restoration", options: argparse.Namespace, record: dict[str, Any]) -> None:
    """The result and the uncertainty map: both, or neither."""
    if result.uncertainty is None:
        common.write_output(result.volume, options, record)
        return
    from SuperResolutionLib.files.output import image_writer, write_files

    output, spread = options.output, options.uncertainty
    about = {**record, "operation": "uncertainty", "of": output.name, "plane": options.plane}
    whole = common.whole_record(options, {"plane": options.plane, **record})
    writers = {
        spread: image_writer(result.uncertainty, spread, common.whole_record(options, about)),
        output: image_writer(result.volume, output, whole),
    }
    write_files(writers, options.overwrite)
