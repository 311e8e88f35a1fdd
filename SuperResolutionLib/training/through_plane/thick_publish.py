"""From a finished training for thick slices to a model: weights, card, and the check that float16 costs nothing."""

from pathlib import Path
from typing import Any

import torch

from SuperResolutionLib.methods import zoo
from SuperResolutionLib.training.publish import HALF_COST, card_of
from SuperResolutionLib.training.through_plane.scans import training_scans
from SuperResolutionLib.training.through_plane.thick_loop import network_of
from SuperResolutionLib.training.through_plane.thick_recipe import ThickRecipe
from SuperResolutionLib.training.through_plane.ways import Case, cases, validate

Span = tuple[float, float]


def publish(recipe: ThickRecipe, best: dict[str, Any], data: Path, folder: Path) -> Path:
    """Write NAME.safetensors and its card into `folder`; float16 unless validation says that it costs too much.

    recipe: of the training. best: the kept epoch. data: the folder of scans.
    """
    path = folder / f"{recipe.name}.safetensors"
    network, weights, held = network_of(recipe), best["weights"], cases(data, recipe)
    halved = {name: tensor.half().float() for name, tensor in weights.items()}
    exact, stored = (_gain(recipe, chosen, held) for chosen in (weights, halved))
    half = exact - stored <= HALF_COST
    in_plane, between = spacings(data, recipe)
    reached = {"validation: above the best of B-spline and deconvolution, dB": round(stored if half else exact, 3)}
    card = card_of(
        recipe,
        network,
        arguments=recipe.network,
        scale=1,
        slices=network.neighbours,
        skip=None,
        input_grid="low",
        spacing=in_plane,
        slice_spacing=between,
        held_out=reached if held else {},
    )
    zoo.save(weights, card, path, half)
    return path


def spacings(data: Path, recipe: ThickRecipe) -> tuple[Span, Span]:
    """The least and greatest voxel size (mm) along the axes that were sliced, and the spacings that were drawn."""
    scans = training_scans(data, recipe)
    axes = [(scan.voxels.shape[k], scan.spacing[k]) for scan in scans for k in scan.axes]
    voxels = [float(voxel) for _, voxel in axes]
    drawn = [recipe.spacings(size, voxel, recipe.rows) for size, voxel in axes]
    least, most = min(least for least, _ in drawn), max(most for _, most in drawn)
    return (round(min(voxels), 3), round(max(voxels), 3)), (round(float(least), 3), round(float(most), 3))


def _gain(recipe: ThickRecipe, weights: dict[str, torch.Tensor], held: list[Case]) -> float:
    network = network_of(recipe)
    network.load_state_dict(weights)
    return validate(network, held)["gain"]
