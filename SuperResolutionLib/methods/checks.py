"""Does a volume lie inside what a model was trained on? Sentences about what is unusual."""

import numpy as np

from SuperResolutionLib.diffusion.guides import is_diffusion, lacking
from SuperResolutionLib.geometry.grid import slice_axis, stacking_axis
from SuperResolutionLib.methods.zoo import Card
from SuperResolutionLib.volume import SIGNAL, Volume

MARGIN = 2.0  # how far beyond the trained spacings, as a factor, a volume may lie before it is called unusual


def unusual(volume: Volume, card: Card, plane: str = "native") -> list[str]:
    """One sentence for each thing about the volume that the model has not seen in training."""
    axis = stacking_axis(volume, plane)
    in_plane = [volume.spacing[k] for k in range(3) if k != axis]
    low, high = card.spacing
    found = []
    if min(in_plane) < low / MARGIN or max(in_plane) > high * MARGIN:
        found.append(
            f"its in-plane voxels are {in_plane[0]:.3g} x {in_plane[1]:.3g} mm; "
            f"{card.name} was trained on {low:.3g} to {high:.3g} mm"
        )
    if max(in_plane) > 1.5 * min(in_plane):
        found.append(f"its in-plane voxels are {max(in_plane) / min(in_plane):.1f} times as long as they are wide")
    if axis != slice_axis(volume.spacing) and volume.spacing[slice_axis(volume.spacing)] > 2 * min(volume.spacing):
        found.append("the chosen plane cuts across thick slices")
    if card.guides and not is_diffusion(volume):
        found.append(f"it is no diffusion series with weighted volumes and directions; {card.name} was made for these")
    found += lacking(volume)
    if volume.quantity == SIGNAL:
        found += _unusual_voxels(volume.voxels)
    if min(n for k, n in enumerate(volume.size) if k != axis) < 16:
        found.append("its slices are smaller than 16 voxels")
    return found


def _unusual_voxels(voxels: np.ndarray) -> list[str]:
    if float(np.min(voxels)) == float(np.max(voxels)):
        return ["all its voxels have the same value"]
    negative = float(np.mean(voxels < 0))
    return [f"{100 * negative:.0f} % of its voxels are negative; is it a magnitude image?"] if negative > 0.05 else []
