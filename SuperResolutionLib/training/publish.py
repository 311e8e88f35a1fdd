"""From a finished training to a model: weights, card, and the check that float16 costs nothing."""

import time
from dataclasses import replace
from pathlib import Path
from typing import Any

import torch
from torch import nn

from SuperResolutionLib.errors import InputError
from SuperResolutionLib.geometry.grid import stacking_axis
from SuperResolutionLib.methods import zoo
from SuperResolutionLib.methods.devices import autocast
from SuperResolutionLib.networks import build, grid_of, parameters
from SuperResolutionLib.training import split
from SuperResolutionLib.training.any_recipe import AnyRecipe
from SuperResolutionLib.training.recipe import Recipe
from SuperResolutionLib.training.recognising import learn
from SuperResolutionLib.training.validation import cases, validate

HALF_COST = 0.005  # dB that storing float16 may cost
TWIN = "comparison under {recipe.degradation}: what the game of {recipe.name} began with"


def starting_weights(recipe: AnyRecipe[Any]) -> dict[str, torch.Tensor] | None:
    """The weights of the model that the recipe starts from, None where it starts afresh."""
    if recipe.start_from is None:
        return None
    return zoo.load(recipe.start_from).network.state_dict()


def finished(recipe: Recipe, learnt: dict[str, torch.Tensor]) -> dict[str, torch.Tensor]:
    """The weights of the finished model: those that were learnt, or their mean with those it started from.

    learnt: by name, float32. Raises InputError where the model it started from is of another shape.
    """
    start = starting_weights(recipe) if recipe.start_share else None
    if start is None:
        return learnt
    if {n: t.shape for n, t in start.items()} != {n: t.shape for n, t in learnt.items()}:
        raise InputError(
            f"The recipe's start_share takes a mean with the weights of '{recipe.start_from}', whose network is "
            "another; leave start_share out, or start from a model of the same network."
        )
    return {n: torch.lerp(t.float(), start[n].float(), recipe.start_share) for n, t in learnt.items()}


def card_of(recipe: AnyRecipe[Any], network: nn.Module, **own: Any) -> zoo.Card:
    """The card of a recipe's model. own: what its kind of network says beside what all of them do."""
    common: dict[str, Any] = {
        "name": recipe.name,
        "architecture": recipe.architecture,
        "intensity": "divided by the 99.9th percentile of the 3-D volume",
        "parameters": parameters(network),
        "sha256": "",  # known when the weights are written
        "trained_on": recipe.trained_on,
        "data_licence": recipe.licence,
        "recipe": recipe.name,
        "date": time.strftime("%Y-%m-%d"),
        "made_for": recipe.made_for,
    }
    return zoo.Card(**(common | own))


def publish(recipe: Recipe, best: dict[str, Any], data: Path, folder: Path, twin: bool = False) -> Path:
    """Write NAME.safetensors and its card into `folder`; float16 unless validation says that it costs too much.

    twin: it is the model that the recipe's game began with.
    recipe: of the training. best: the kept epoch. data: the folder of scans.
    """
    name = f"{recipe.name}-twin" if twin else recipe.name
    path = folder / f"{name}.safetensors"
    network = build(recipe.architecture, recipe.arguments(), recipe.skip, beside=recipe.beside)
    card = card_of(
        recipe,
        network,
        name=name,
        arguments=recipe.arguments(),
        scale=recipe.scale,
        slices=recipe.slices,
        skip=recipe.skip,
        input_grid=grid_of(recipe.architecture),
        spacing=coarse_spacing(data, recipe),
        guides=recipe.guides,
        told_noise=recipe.told_noise,
        turns=recipe.turns,
        learnt_from=recipe.source if recipe.source == "photographs" else zoo.Card.learnt_from,
        made_for=TWIN.format(recipe=recipe) if twin else recipe.made_for,
    )
    weights = finished(recipe, best["weights"])
    half = _half_is_enough(recipe, weights, data)
    if recipe.recognise:
        card = replace(card, recognition=learn(_stored(recipe, weights, half), recipe, data).table())
    zoo.save(weights, card, path, half)
    return path


def _stored(recipe: Recipe, weights: dict[str, torch.Tensor], half: bool) -> nn.Module:
    """The network with weights as they are stored."""
    network = build(recipe.architecture, recipe.arguments(), recipe.skip, beside=recipe.beside).eval()
    kind = torch.float16 if half else torch.float32
    network.load_state_dict({n: t.to(kind).to(torch.float32) for n, t in weights.items()})
    return network


def coarse_spacing(data: Path, recipe: Recipe) -> tuple[float, float]:
    """The least and greatest in-plane spacing (mm) of the coarse slices that the recipe trains on.

    Photographs have none, and what was learnt from them is tied to none.
    """
    if recipe.source == "photographs":
        return 0.1, 100.0
    spacings: list[float] = []
    for path, group in split.training_files(data, recipe):
        volume = split.read(path, recipe)
        axes = {stacking_axis(volume, plane) for plane in group.planes}
        in_plane = [volume.spacing[k] * recipe.scale for axis in axes for k in range(3) if k != axis]
        spacings += [mm * voxels for mm in in_plane for voxels in group.voxels]
    return round(min(spacings), 3), round(max(spacings), 3)


def _half_is_enough(recipe: Recipe, weights: dict[str, torch.Tensor], data: Path) -> bool:
    held = cases(data, recipe)
    if not held:
        return True
    exact = autocast(torch.device("cpu"), "float32")
    figures = [validate(_stored(recipe, weights, half), held, exact)["psnr_head"] for half in (False, True)]
    return figures[0] - figures[1] <= HALF_COST
