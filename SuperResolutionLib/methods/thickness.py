"""How thick the slices of a scan are taken to be, and why."""

from SuperResolutionLib.errors import InputError
from SuperResolutionLib.geometry.grid import stacking_axis
from SuperResolutionLib.geometry.sampling import Grids
from SuperResolutionLib.physics.slice_profile import Slices
from SuperResolutionLib.physics.slicing import check_thickness
from SuperResolutionLib.volume import Volume


def believed(volume: Volume, grids: Grids) -> tuple[Slices, str]:
    """The slices along the axis that is to be made finer, and a sentence on where their thickness comes from.

    Where the scan does not say, or means another axis, they are taken to be as thick as they are apart.
    Raises InputError for one slice, of which nothing between slices can be known, and for a thickness that cannot be.
    """
    axis, spacing = grids.axis, grids.given.spacing[grids.axis]
    if grids.given.size[axis] < 2:
        raise InputError(
            "The scan has one slice, and nothing between slices can be known from it; ask for a finer plane instead."
        )
    if volume.thickness is None or axis != stacking_axis(volume):
        return Slices(spacing, spacing), f"the slices are taken to be as thick as they are apart, {spacing:.4g} mm"
    check_thickness(volume.thickness, spacing)
    gap = spacing - volume.thickness
    how = f", with gaps of {gap:.3g} mm" if gap > 0.01 else f", overlapping by {-gap:.3g} mm" if gap < -0.01 else ""
    return Slices(spacing, volume.thickness), f"slices {volume.thickness:.4g} mm thick, {spacing:.4g} mm apart{how}"
