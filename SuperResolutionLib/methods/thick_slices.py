"""Thick slices restored on thinner rows by a network, reformat by reformat."""

import hashlib
import json
from dataclasses import replace
from pathlib import Path

import numpy as np
import torch
from safetensors.torch import load as load_tensors

from SuperResolutionLib.errors import InputError
from SuperResolutionLib.geometry.neighbours import neighbours
from SuperResolutionLib.networks.through_plane import Scene, Shape, ThroughPlane, folded, series
from SuperResolutionLib.physics import interpolating
from SuperResolutionLib.physics.slice_profile import Slices
from SuperResolutionLib.physics.starts import starts

LOAD = 40_000  # coarse voxels that go through the network at once


def load(weights: Path) -> ThroughPlane:
    """A network from its safetensors and the JSON beside them (arguments, sha256).

    Raises InputError where one is missing, or they do not belong together.
    """
    table = weights.with_suffix(".json")
    for path in (weights, table):
        if not path.is_file():
            raise InputError(f"{path.name} is missing; weights and their JSON belong together.")
    content, card = weights.read_bytes(), json.loads(table.read_text(encoding="utf-8"))
    if hashlib.sha256(content).hexdigest() != card["sha256"]:
        raise InputError(f"{weights.name} is not the file that {table.name} describes; fetch the model again.")
    network = ThroughPlane(Shape(**card["arguments"])).to(memory_format=torch.channels_last)  # type: ignore[call-overload]
    network.load_state_dict({name: tensor.to(torch.float32) for name, tensor in load_tensors(content).items()})
    return network.eval()


@torch.inference_mode()
def restore(
    network: ThroughPlane, slices: np.ndarray, rows: int, scene: Scene, only: slice = slice(None)
) -> np.ndarray:
    """Slices (reformats, slices, columns) of range 1 on `rows` rows scene.wanted apart: (reformats, rows, columns).

    The first row begins where the first slice's half of the spacing does. only: the reformats to restore. float32.
    """
    count, size, columns = slices.shape
    position = interpolating.positions(rows, scene.wanted, scene.spacing)
    believed = Slices(scene.spacing, scene.thickness)
    begin_with = starts(believed, size, rows, scene.wanted, network.offers)
    functions = series(position, size, network.terms, scene.spacing / scene.wanted)
    folds = torch.from_numpy(folded(begin_with, functions, network.folds))
    classical, waves = torch.from_numpy(begin_with), torch.from_numpy(functions)
    told = torch.from_numpy(scene.conditions())
    chosen = range(count)[only]
    step = max(1, LOAD // (size * columns))
    result = np.empty((len(chosen), rows, columns), np.float32)
    for begin in range(0, len(chosen), step):
        part = chosen[begin : begin + step]
        near = np.stack([slices[neighbours(k, count, network.neighbours)] for k in part]).astype(np.float32)
        x = torch.from_numpy(near)
        begun = classical @ x[:, network.neighbours // 2, None]
        beside = folds @ x[:, network.neighbours // 2, None]
        coefficients = network(torch.cat([x, beside], dim=1), told.expand(len(part), -1))
        result[begin : begin + len(part)] = network.between(coefficients, waves, begun)[:, 0].numpy()
    return result


def restore_volume(network: ThroughPlane, thick: np.ndarray, rows: int, scene: Scene, both: bool = True) -> np.ndarray:
    """A stack (slices, height, width) of range 1 on `rows` rows: (rows, height, width) float32.

    scene: pixel is along the width, beside along the height. both: the mean of what reformats along the width and along
    the height say, twice the work.
    """
    result = restore(network, thick.transpose(1, 0, 2), rows, scene).transpose(1, 0, 2)
    if not both:
        return result
    turned = replace(scene, pixel=scene.beside, beside=scene.pixel)
    result += restore(network, thick.transpose(2, 0, 1), rows, turned).transpose(1, 2, 0)
    result /= 2
    return result
