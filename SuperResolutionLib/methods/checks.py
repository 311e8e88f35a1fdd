"""Does a volume lie inside what a model was trained on? Sentences about what is unusual."""

import numpy as np

from SuperResolutionLib.diffusion.guides import is_diffusion, lacking
from SuperResolutionLib.geometry.grid import stacking_axis, stacks
from SuperResolutionLib.methods.zoo import Card
from SuperResolutionLib.physics.slice_evidence import smoother
from SuperResolutionLib.physics.slice_profile import Slices
from SuperResolutionLib.volume import SIGNAL, Volume

FEW = 8  # slices, below which a stack is too short
THINNEST, THICKEST = 0.55, 1.2  # of slices, in spacings: what the networks for thick slices are trained on
UNEVEN = 0.03  # of the mean: how much brighter every second slice may be
MARGIN = 1.02  # how far beyond the trained spacings, as a factor, a volume may lie: headers round


def unusual(volume: Volume, card: Card, plane: str = "native") -> list[str]:
    """One sentence for each thing about the volume that the model has not seen in training."""
    if card.thins:
        return _unusual_slices(volume, card, plane)
    axis = stacking_axis(volume, plane)
    in_plane = [volume.spacing[k] for k in range(3) if k != axis]
    low, high = card.spacing
    found = []
    if card.learnt_from != Card.learnt_from:
        found.append(f"{card.name} was trained on {card.learnt_from}, not on {Card.learnt_from}")
    elif min(in_plane) < low / MARGIN or max(in_plane) > high * MARGIN:
        found.append(
            f"its in-plane voxels, {in_plane[0]:.3g} x {in_plane[1]:.3g} mm, are "
            f"{'finer' if min(in_plane) < low / MARGIN else 'coarser'} than {card.name} was trained on: "
            f"{low:.3g} to {high:.3g} mm"
        )
    if max(in_plane) > 1.5 * min(in_plane):
        found.append(f"its in-plane voxels are {max(in_plane) / min(in_plane):.1f} times as long as they are wide")
    thick = stacking_axis(volume)
    if axis != thick and volume.spacing[thick] > 2 * min(volume.spacing):
        found.append("the chosen plane cuts across thick slices")
    if card.guides and not is_diffusion(volume):
        found.append(f"it is no diffusion series with weighted volumes and directions; {card.name} was made for these")
    found += lacking(volume)
    if volume.quantity == SIGNAL:
        found += _unusual_voxels(volume.voxels)
    if min(n for k, n in enumerate(volume.size) if k != axis) < 16:
        found.append("its slices are smaller than 16 voxels")
    return found


def unprepared(volume: Volume) -> str:
    """What is wrong with a diffusion series that its files show to be raw, and what to do; "" where they do not."""
    if volume.header is None or not volume.header.raw or not is_diffusion(volume):
        return ""
    return (
        f"it seems to be a raw diffusion series ({volume.header.raw}); denoise, unring and correct it for motion and "
        "distortions first: see docs/diffusion.md"
    )


def _unusual_slices(volume: Volume, card: Card, plane: str = "native") -> list[str]:
    """One sentence for each thing about a stack of thick slices that a model for these has not seen in training."""
    axis = stacking_axis(volume, plane)
    spacing, (low, high) = volume.spacing[axis], card.slice_spacing or (0.0, np.inf)
    found = []
    if not low * (1 - 1e-3) <= spacing <= high * (1 + 1e-3):
        found.append(f"its slices are {spacing:.3g} mm apart; {card.name} was trained on {low:.3g} to {high:.3g} mm")
    share = (volume.thickness or spacing) / spacing
    if axis == stacking_axis(volume) and not THINNEST <= share <= THICKEST:
        found.append(f"its slices are {share:.2f} times as thick as they are apart")
    if volume.size[axis] < FEW:
        found.append(f"it has {volume.size[axis]} slices; little is known between so few")
    if volume.quantity == SIGNAL:
        found += _unusual_voxels(volume.voxels) + _interleaved(stacks(volume, axis)[0]) + _contradicted(volume, axis)
    return found


def _contradicted(volume: Volume, axis: int) -> list[str]:
    """Whether neighbouring slices are more alike than slices of the thickness that is believed can be."""
    stated = volume.thickness if axis == stacking_axis(volume) else None
    spacing = volume.spacing[axis]
    slices = Slices(spacing, stated or spacing)
    height, width = (volume.spacing[k] for k in (2, 1, 0) if k != axis)
    if not smoother(stacks(volume, axis)[0], slices, (height, width)):
        return []
    return [
        f"neighbouring slices are more alike than slices {slices.thickness:.3g} mm thick and {spacing:.3g} mm apart "
        "can be: they are thicker, or were interpolated from fewer; say how thick they are, or use the scan as acquired"
    ]


def _interleaved(stack: np.ndarray) -> list[str]:
    """Whether every second slice is brighter: slices that were acquired in turn and not brought to one scale."""
    means = stack.reshape(len(stack), -1).mean(axis=1, dtype=np.float64)
    if len(means) < FEW or means.mean() <= 0:
        return []
    apart = means[1:-1] - (means[:-2] + means[2:]) / 2
    uneven = abs(float(np.mean(apart * (-1.0) ** np.arange(len(apart))))) / float(means.mean())
    if uneven < UNEVEN:
        return []
    return [f"every second slice is {100 * uneven:.0f} % brighter than its neighbours, which will show as stripes"]


def _unusual_voxels(voxels: np.ndarray) -> list[str]:
    if float(np.min(voxels)) == float(np.max(voxels)):
        return ["all its voxels have the same value"]
    negative = float(np.mean(voxels < 0))
    return [f"{100 * negative:.0f} % of its voxels are negative; is it a magnitude image?"] if negative > 0.05 else []
