"""Options that several commands share, and the file handling around them."""

import argparse
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

from SuperResolutionLib.cli import dicom_output
from SuperResolutionLib.errors import InputError, SeriesError

if TYPE_CHECKING:
    from SuperResolutionLib.batch.request import Request
    from SuperResolutionLib.geometry.sampling import Sampling
    from SuperResolutionLib.methods.method import Runtime
    from SuperResolutionLib.volume import Volume

PLANES = ("native", "axial", "coronal", "sagittal")
MOST_SCALE = 16
CHOOSE = "choose one with --series, by its number, its name or its UID"
FORCE = "give --as-intensities if they are intensities nevertheless"


class _Defaults(argparse.ArgumentDefaultsHelpFormatter, argparse.RawDescriptionHelpFormatter):
    """Shows a default where there is one worth knowing; leaves each example its own line."""

    def _get_help_string(self, action: argparse.Action) -> str | None:
        if isinstance(action.default, list) and action.help:
            return f"{action.help} (default: {' '.join(action.default)})"
        return action.help if action.default in (None, False, "") else super()._get_help_string(action)


def command(commands: Any, name: str, help_text: str, *examples: str) -> argparse.ArgumentParser:
    """A sub-parser with a description and examples."""
    parser: argparse.ArgumentParser = commands.add_parser(
        name,
        help=help_text,
        description=help_text[0].upper() + help_text[1:] + ".",
        epilog="\n".join(f"example: {example}" for example in examples),
        formatter_class=_Defaults,
    )
    return parser


def add_files(parser: argparse.ArgumentParser, output: bool = True, dicom: bool = False) -> argparse.Action | None:
    """INPUT, and OUTPUT with --overwrite; returns OUTPUT. dicom: it may also be a folder with a DICOM series."""
    result = None
    parser.add_argument(
        "input", metavar="INPUT", type=Path, help="NIfTI, NRRD (also of tensors), MHA, or a DICOM folder or zip"
    )
    add_series(parser, "where INPUT")
    if output:
        written = "a .nii.gz, .nii, .nrrd, .mha or .mhd file" + (", or a folder for DICOM" if dicom else "")
        result = parser.add_argument("output", metavar="OUTPUT", type=Path, help=written)
        add_overwrite(parser, "OUTPUT")
    if dicom:
        dicom_output.add(parser)
    return result


def add_series(parser: argparse.ArgumentParser, where: str) -> None:
    """--series."""
    parser.add_argument(
        "--series", metavar="WHICH", help=f"which DICOM series, {where} holds several: its number, name or UID"
    )


def add_overwrite(parser: argparse.ArgumentParser, what: str) -> None:
    """--overwrite."""
    parser.add_argument("--overwrite", action="store_true", help=f"replace {what}, if it exists")


def add_plane(parser: argparse.ArgumentParser) -> None:
    """--plane."""
    parser.add_argument(
        "--plane",
        choices=PLANES,
        default="native",
        help="the slices to work in; native: as they were acquired",
    )


def add_slice(parser: argparse.ArgumentParser) -> None:
    """--slice."""
    parser.add_argument("--slice", metavar="K", type=int, help="only this slice of the plane, counted from 0")


def add_seed(
    parser: argparse.ArgumentParser,
    default: int | None = 0,
    explained: str = "of the noise; the same seed gives the same voxels",
) -> None:
    """--seed."""
    parser.add_argument("--seed", metavar="N", type=from_zero, default=default, help=explained)


def add_streamlines(parser: argparse.ArgumentParser) -> None:
    """--streamlines."""
    parser.add_argument(
        "--streamlines",
        action="store_true",
        help="of a diffusion series: follow streamlines too, and measure how far they agree with the truth's",
    )


def add_grid(parser: argparse.ArgumentParser, how: str, usual: str = "2") -> None:
    """What grid is wanted: --scale, --factors, --spacing, --isotropic, and --plane. how: "finer" or "coarser"."""
    words = "as the finest axis has" if how == "finer" else "as the coarsest axis has"
    wish = parser.add_mutually_exclusive_group()
    wish.add_argument("--scale", metavar="S", type=factor, help=f"how many times {how} in plane (default: {usual})")
    wish.add_argument(
        "--factors", metavar=("X", "Y", "Z"), nargs=3, type=float, help=f"how many times {how} along each voxel axis"
    )
    wish.add_argument(
        "--spacing", metavar="MM", nargs="+", type=float, help="the voxels that are wanted: one size, or three"
    )
    wish.add_argument(
        "--slice-spacing", metavar="MM", type=float, help=f"{how} slices so far apart, and the plane as it is"
    )
    wish.add_argument(
        "--isotropic",
        action="store_true",
        help=f"cubic voxels, {words}",
    )
    if how == "finer":
        parser.add_argument(
            "--allow-coarser",
            action="store_true",
            help="with --spacing: an axis may become coarser where that is asked",
        )
    add_plane(parser)


def add_thickness(parser: argparse.ArgumentParser) -> None:
    """--thickness."""
    parser.add_argument(
        "--thickness",
        metavar="MM",
        type=float,
        help="how thick the acquired slices are (default: as the file says, else as far as they are apart)",
    )


def with_thickness(volume: "Volume", options: argparse.Namespace) -> "Volume":
    """The scan with the thickness that the options give it. Raises InputError for one that is no length."""
    thickness = thickness_of(options)
    return volume if thickness is None else volume.with_thickness(thickness)


def thickness_of(options: argparse.Namespace) -> float | None:
    """The thickness that the options give, mm. Raises InputError for one that is no length."""
    if options.thickness is not None and not 0.01 <= options.thickness <= 100:  # neither is NaN
        raise InputError(f"A thickness of {options.thickness:g} mm cannot be; give one from 0.01 to 100 mm.")
    thickness: float | None = options.thickness
    return thickness


def sampling_of(options: argparse.Namespace) -> "Sampling":
    """The grid that the options ask for. Raises InputError for one that cannot be meant."""
    from SuperResolutionLib.geometry.sampling import Sampling

    mm = options.spacing
    if mm is not None and len(mm) not in (1, 3):
        raise InputError(f"--spacing has {len(mm)} numbers; give one for all axes, or three along x, y and z.")
    return Sampling(
        factor=options.scale,
        factors=None if options.factors is None else tuple(options.factors),
        spacing=None if mm is None else mm[0] if len(mm) == 1 else tuple(mm),
        slice_spacing=options.slice_spacing,
        isotropic=options.isotropic,
        plane=options.plane,
        only=getattr(options, "slice", None),
        allow_coarser=getattr(options, "allow_coarser", False),
    )


def scale_of(sampling: "Sampling", usual: float = 2) -> float | None:
    """The scale in plane that is meant; None where another kind of grid is asked for."""
    return sampling.usually(usual).factor


def runtime_of(options: argparse.Namespace) -> "Runtime":
    """Where and how the options say that networks run."""
    from SuperResolutionLib.methods.method import Runtime

    return Runtime(
        device=options.device,
        precision=options.precision,
        threads=options.threads,
        ensemble=getattr(options, "ensemble", False) or None,
    )


def put_back_of(options: argparse.Namespace) -> str:
    """How the options say that what was measured is put back."""
    return "k_space" if options.consistent else "auto"


def add_request(parser: argparse.ArgumentParser) -> None:
    """What is wanted of a scan: the options that `request_of` reads, but --overwrite."""
    parser.add_argument("--model", metavar="NAME|FILE", help="an installed model, or a .safetensors file with its card")
    add_grid(parser, "finer", "the model's, or 2")
    add_thickness(parser)
    add_as_intensities(parser)
    add_network(parser)
    add_denoise(parser)


def request_of(options: argparse.Namespace) -> "Request":
    """What the options want of a scan. Raises InputError for what cannot be meant."""
    from SuperResolutionLib.batch.request import Request

    return Request(
        model=options.model,
        sampling=sampling_of(options),
        runtime=runtime_of(options),
        put_back=put_back_of(options),
        denoise=options.denoise,
        denoise_first=options.denoise_first,
        thickness=thickness_of(options),
        as_intensities=options.as_intensities,
        overwrite=options.overwrite,
    )


def add_network(parser: argparse.ArgumentParser) -> None:
    """Where and how a network runs."""
    parser.add_argument(
        "--ensemble", action="store_true", help="average 8 flips and turns: a little better, up to 8 x slower"
    )
    parser.add_argument("--consistent", action="store_true", help="keep the scan's own k-space centre exactly")
    add_device(parser)
    add_precision(parser)


def add_denoise(parser: argparse.ArgumentParser) -> None:
    """--denoise and --denoise-first."""
    parser.add_argument(
        "--denoise",
        metavar="SHARE",
        type=share,
        default=1.0,
        help="of a single volume and of a series: how much of the noise stays out of what is put back from the scan "
        "into the result, 0 to 1 (default: 1; 0 puts all of it back); the scan itself is not denoised",
    )
    parser.add_argument(
        "--denoise-first",
        action="store_true",
        help="of a diffusion series: take its noise out by MP-PCA (needs DIPY) before the network, and put nothing of "
        "the scan back; a single volume is refused (in a data set choose the series with --suffix dwi)",
    )


def add_precision(parser: argparse.ArgumentParser) -> None:
    """--precision and --threads."""
    parser.add_argument(
        "--precision",
        choices=("auto", "float32", "bfloat16", "float16"),
        default="auto",
        help="auto: the fastest this machine has, tried on one slice",
    )
    parser.add_argument("--threads", metavar="N", type=positive, help="CPU threads (default: one per core)")


def add_device(parser: argparse.ArgumentParser) -> None:
    """--device."""
    parser.add_argument("--device", choices=("auto", "cpu", "cuda", "mps"), default="auto", help="where to compute")


def share_of_threads(threads: int | None, jobs: int) -> int | None:
    """The CPU threads of each of several processes; None (one per core) where nothing asks for fewer."""
    import os

    if threads is None and jobs == 1:
        return None
    return max(1, (threads or os.cpu_count() or 1) // jobs)


def from_zero(text: str) -> int:
    """A whole number from 0 on."""
    number = int(text)
    if number < 0:
        raise argparse.ArgumentTypeError(f"{text} is below 0")
    return number


def positive(text: str) -> int:
    """A whole number above 0."""
    number = int(text)
    if number < 1:
        raise argparse.ArgumentTypeError(f"{text} is not above 0")
    return number


def share(text: str) -> float:
    """A number; other words may be meant for --denoise-first."""
    try:
        return float(text)
    except ValueError:
        raise argparse.ArgumentTypeError(
            f"'{text}' is no share from 0 to 1; to take the noise out of a diffusion series by MP-PCA before the "
            "network, give --denoise-first"
        ) from None


def factor(text: str) -> float:
    """A scale: a number above 1, up to 16; a whole one is given as such."""
    try:
        number = float(text)
    except ValueError:
        raise argparse.ArgumentTypeError(f"a scale of '{text}' is no number; give one above 1, such as 2") from None
    if not 1 < number <= MOST_SCALE:
        raise argparse.ArgumentTypeError(f"a scale of {text} cannot be used; give a number above 1, up to 16")
    return int(number) if number == int(number) else number


def add_as_intensities(parser: argparse.ArgumentParser) -> None:
    """--as-intensities."""
    parser.add_argument(
        "--as-intensities",
        action="store_true",
        help="take the voxels for intensities of an MR scan though they look like labels, phases or another modality",
    )


def read_intensities(options: argparse.Namespace, nearest: bool = False, continuous: bool = False) -> "Volume":
    """The input; refused where its voxels are no intensities. nearest: they are not mixed. continuous: maps and
    other modalities will do.
    """
    from SuperResolutionLib.methods.meaning import check_continuous, check_intensities

    volume = read_input(options)
    if options.as_intensities:
        return volume.as_intensities()
    if not nearest:
        (check_continuous if continuous else check_intensities)(volume, FORCE)
    return volume


def read_input(options: argparse.Namespace) -> "Volume":
    """Refuse an impossible output first, then read the input."""
    from SuperResolutionLib import files

    if dicom_output.is_meant(options):
        with choosing():
            return dicom_output.read(options)
    dicom_output.check_absent(options)
    if hasattr(options, "output"):
        check_image(options, options.output)
    volume = read_scan(options)
    if hasattr(options, "output"):
        files.check_takes(volume, options.output)
    return volume


def check_image(options: argparse.Namespace, path: Path) -> None:
    """Refuse an image that could not be written later, and keep its name for this process until the command ends."""
    from SuperResolutionLib import files
    from SuperResolutionLib.files.output import claim

    if path.parent.is_dir():  # else the check says so, after what is worse
        options.claims.enter_context(claim(path))
    files.check_output(path, options.input, options.overwrite)


def read_scan(options: argparse.Namespace) -> "Volume":
    """INPUT as --series says. Raises InputError, of a SeriesError where several series could be meant."""
    from SuperResolutionLib import files

    with choosing():
        return files.read(options.input, options.series)


@contextmanager
def choosing() -> Iterator[None]:
    """Where several series could be meant, the sentence says by which option one is chosen."""
    try:
        yield
    except SeriesError as error:
        raise InputError(error.saying(CHOOSE)) from error


def are_tensors(volume: "Volume") -> bool:
    """Whether the input holds tensors, which some commands treat otherwise."""
    from SuperResolutionLib.volume import TENSOR

    return volume.quantity == TENSOR


def space(volume: "Volume") -> dict[str, str]:
    """What a sidecar says of tensors: in which space they were worked on; nothing of intensities."""
    return {"space": "log-Euclidean"} if are_tensors(volume) else {}


def write_output(volume: "Volume", options: argparse.Namespace, record: dict[str, Any]) -> None:
    """Write the result and its sidecar: what was done, to what, by which version."""
    from SuperResolutionLib import files

    whole = whole_record(options, {"plane": options.plane, **record})
    if dicom_output.is_meant(options):
        dicom_output.write(volume, options, whole)
    else:
        files.write(volume, options.output, options.overwrite, whole)


def whole_record(options: argparse.Namespace, record: dict[str, Any]) -> dict[str, Any]:
    """A sidecar's record with the input, the version and the date."""
    from SuperResolutionLib.files.provenance import provenance

    return provenance(options.input, record)


def check_report(options: argparse.Namespace, folder: Path, names: Sequence[str] = ()) -> None:
    """Refuse, before any work, a folder that cannot take a page with pictures, or pictures that cannot be drawn.

    names: of files that may not be there already. The folder is kept for this process until the command ends.
    """
    from SuperResolutionLib.files.claims import claimed_folder
    from SuperResolutionLib.files.output import check_group
    from SuperResolutionLib.study.figures.style import canvas

    check_group(folder, names, options.overwrite)
    options.claims.enter_context(claimed_folder(folder))
    canvas(1, 1)


def check_writable(options: argparse.Namespace, path: Path | None, extension: str, *beside: Path) -> None:
    """Refuse, before any work, a side output of another kind, or one that cannot be written later.

    beside: further files that are written with it. Its name is kept for this process until the command ends.
    """
    from SuperResolutionLib.files.output import check_files, claim

    if path is None:
        return
    if path.suffix.lower() != extension or path.is_dir():
        raise InputError(f"{path} cannot be written as {extension[1:].upper()}; name a file that ends in {extension}.")
    if not path.absolute().parent.is_dir():
        raise InputError(f"The folder {path.absolute().parent} does not exist; make it first, or name another file.")
    options.claims.enter_context(claim(path))
    check_files([path, *beside], getattr(options, "input", None), options.overwrite)


def write_table(table: dict[str, Any], path: Path) -> None:
    """Write figures as JSON."""
    import json

    path.write_text(json.dumps(table, indent=2) + "\n", encoding="utf-8")
