"""superresolution tensor: the diffusion tensors of a series, and the maps read from them."""

import argparse
import time
from collections.abc import Callable
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

from SuperResolutionLib.cli import options as common
from SuperResolutionLib.cli import reporter

if TYPE_CHECKING:
    import numpy as np

    from SuperResolutionLib.diffusion.tensors import Tensors
    from SuperResolutionLib.volume import Volume

MEANINGS = {
    "colour-FA.nrrd": "|direction| x FA as RGB: red left-right, green anterior-posterior, blue superior-inferior",
    "direction.nrrd": "unit eigenvector of the largest eigenvalue, LPS, sign arbitrary",
    "tensor.nrrd": "xx, xy, xz, yy, yz, zz in LPS, mm2/s; 0 outside the mask",
}
UNITS = {"FA": "0 to 1", "MD": "mm2/s", "AD": "mm2/s", "RD": "mm2/s"}


def add(commands: Any) -> None:
    """Add the command to the parser."""
    parser = common.command(
        commands,
        "tensor",
        "fit diffusion tensors to a series and write FA, MD, AD, RD, colour FA, directions and tensors",
        "superresolution tensor dwi.nii.gz tensors",
        "superresolution tensor dicom_folder tensors --method ols --mask brain.nii.gz",
    )
    common.add_files(parser, output=False)
    parser.add_argument("folder", metavar="OUTDIR", type=Path, help="a folder, made where it is not there")
    common.add_overwrite(parser, "a file of the same name in OUTDIR")
    parser.add_argument(
        "--method",
        choices=("wls", "ols"),
        default="wls",
        help="weighted least squares, or ordinary ones as scanners fit",
    )
    parser.add_argument(
        "--mask", metavar="FILE|none", help="voxels to fit in: those above 0 of an image, or all (default: the head)"
    )
    parser.add_argument(
        "--largest-b",
        metavar="B",
        type=common.positive,
        default=1500,
        help="s/mm2: volumes above are left out of the fit, for there the signal is not that of a tensor",
    )
    parser.set_defaults(run=run)


def run(options: argparse.Namespace) -> int:
    """Fit the tensors of a file."""
    from SuperResolutionLib.files.claims import claimed_folder
    from SuperResolutionLib.files.output import check_group, write_group

    names = [*(f"{name}.nii.gz" for name in UNITS), "colour-FA.nrrd", "direction.nrrd", "tensor.nrrd", "tensor.json"]
    check_group(options.folder, names, options.overwrite)
    options.claims.enter_context(claimed_folder(options.folder))
    volume = common.read_scan(options)
    from SuperResolutionLib.diffusion.tensors import checked_gradients, fit_tensors

    checked_gradients(volume)
    began = time.monotonic()
    tensors = fit_tensors(volume, options.method, _mask(options.mask, volume), options.largest_b)
    record = {
        "operation": "tensor",
        "method": options.method,
        "mask": options.mask or "head: median-Otsu of the mean b0",
        "voxels": int(tensors.mask.sum()),
        "largest_b": options.largest_b,
        "note": tensors.note,
        "files": {**{f"{name}.nii.gz": f"{name}, {unit}" for name, unit in UNITS.items()}, **MEANINGS},
    }
    writers = _writers(tensors, common.whole_record(options, record))
    write_group(options.folder, {name: writers[name] for name in names}, options.overwrite)
    if tensors.note:
        reporter.say(f"The tensors were {tensors.note}.")
    seconds = time.monotonic() - began
    reporter.say(f"{options.folder}: {', '.join(names)} written in {seconds:.1f} s. Research use only.")
    return 0


def _mask(given: str | None, volume: "Volume") -> "np.ndarray | None":
    """The mask that is asked for, on the series' grid; None is the head."""
    import numpy as np

    from SuperResolutionLib.files.user_masks import read_mask

    if given is None:
        return None
    if given == "none":
        return np.ones(volume.voxels.shape[1:], bool)
    return read_mask(Path(given), volume)


def _writers(tensors: "Tensors", record: dict[str, Any]) -> "dict[str, Callable[[Path], None]]":
    """How each file is written, by its name."""
    import numpy as np

    from SuperResolutionLib.files import write_image, write_sidecar
    from SuperResolutionLib.files.vectors import write_colours, write_vectors
    from SuperResolutionLib.volume import SIGNAL

    grid = replace(tensors.tensor, voxels=tensors.fa, quantity=SIGNAL)
    maps = {"FA": tensors.fa, "MD": tensors.md, "AD": tensors.ad, "RD": tensors.rd}
    colours = grid.with_voxels(np.moveaxis(np.rint(255 * np.clip(tensors.colour, 0, 1)).astype(np.uint8), -1, 0))
    directions = grid.with_voxels(np.moveaxis(tensors.direction, -1, 0))
    return {
        **{f"{name}.nii.gz": partial(write_image, grid.with_voxels(voxels)) for name, voxels in maps.items()},
        "colour-FA.nrrd": lambda path: write_colours(colours, path),
        "direction.nrrd": lambda path: write_vectors(directions, path),
        "tensor.nrrd": partial(write_image, tensors.tensor),
        "tensor.json": lambda path: write_sidecar(path, record),
    }
