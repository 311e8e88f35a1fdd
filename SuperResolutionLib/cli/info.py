"""superresolution info: what was read, and whether the models know such scans."""

import argparse
from typing import TYPE_CHECKING, Any

from SuperResolutionLib.cli import options as common
from SuperResolutionLib.cli import reporter
from SuperResolutionLib.errors import InputError, SeriesError

if TYPE_CHECKING:
    from SuperResolutionLib.volume import Volume


def add(commands: Any) -> None:
    """Add the command to the parser."""
    parser = common.command(commands, "info", "show what is read from a file", "superresolution info brain.nii.gz")
    common.add_files(parser, output=False)
    parser.set_defaults(run=run)


def run(options: argparse.Namespace) -> int:
    """Describe a file, or list the DICOM series that a folder holds, where none of them was chosen."""
    try:
        describe(common.read_input(options))
    except InputError as error:
        several = error.__cause__
        if options.series is not None or not isinstance(several, SeriesError):
            raise
        reporter.put(several.saying(common.CHOOSE))
    return 0


def describe(volume: "Volume") -> None:
    """Print what is known of a volume."""
    import numpy as np

    from SuperResolutionLib.geometry.grid import stacking_axis
    from SuperResolutionLib.methods import checks, meaning, zoo
    from SuperResolutionLib.methods.measured import measured_of

    axis = stacking_axis(volume)
    lines = {
        "size": " x ".join(map(str, volume.size)) + (f", {volume.count} volumes" if volume.count > 1 else ""),
        "spacing": " x ".join(f"{s:.4g}" for s in volume.spacing) + " mm",
        "voxel type": str(volume.voxels.dtype),
        **(_tensors(volume) if common.are_tensors(volume) else _intensities(volume)),
        **({} if volume.thickness is None else {"thickness": f"{volume.thickness:.4g} mm"}),
        "slices": f"along {'xyz'[axis]}, {volume.size[axis]} of them, {_facing(volume.direction[:, axis])}",
    }
    if (found := measured_of(volume, axis)) is not None:
        lines["measured"] = f"about {found.words} voxels of a slice; its scanner interpolated it"
    if volume.gradients is not None:
        values, counts = np.unique(np.round(volume.gradients.bvals, -1), return_counts=True)
        shells = ", ".join(f"{n} of b {b:.0f}" for b, n in zip(values, counts, strict=True))
        lines["diffusion"] = f"{shells} s/mm2"
    if doubts := meaning.not_intensities(volume):
        lines["no intensities"] = doubts[1]
    for name, path in zoo.installed().items():
        odd = checks.unusual(volume, zoo.read_card(path))
        lines[f"for {name}"] = "; ".join(odd) or "inside what it was trained on"
    for name, line in lines.items():
        reporter.put(f"{name + ':':<14}{line}")


def _intensities(volume: "Volume") -> dict[str, str]:
    import numpy as np

    from SuperResolutionLib.intensity import data_range

    voxels = volume.voxels
    return {"intensities": f"{np.min(voxels):.6g} to {np.max(voxels):.6g}, range {data_range(voxels):.6g}"}


def _tensors(volume: "Volume") -> dict[str, str]:
    from SuperResolutionLib.diffusion.log_euclidean import indefinite, present, typical

    there = present(volume)
    return {
        "tensors": f"in {there.sum()} of {there.size} voxels, {indefinite(volume)} of them not positive definite; "
        f"median diffusivity {typical(volume):.3g}"
    }


def _facing(normal: Any) -> str:
    """The anatomical plane nearest to slices with this normal (LPS)."""
    import numpy as np

    largest = int(np.argmax(np.abs(normal)))
    oblique = "" if abs(normal[largest]) > 0.999 else ", oblique"
    return ("sagittal", "coronal", "axial")[largest] + oblique
