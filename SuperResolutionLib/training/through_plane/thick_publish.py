"""From a training to a model: python -m SuperResolutionLib.training.through_plane.thick_publish OUT --data D --to F.

Takes the epoch that validation chose out of the training in OUT and writes its moving average with a card; as float16
where validation says that this costs nothing.
"""

import argparse
import json
import sys
import time
from pathlib import Path
from typing import Any

import torch

from SuperResolutionLib.errors import InputError
from SuperResolutionLib.methods import zoo
from SuperResolutionLib.networks import parameters
from SuperResolutionLib.networks.through_plane import Shape, ThroughPlane
from SuperResolutionLib.training import checkpoint
from SuperResolutionLib.training.publish import HALF_COST
from SuperResolutionLib.training.through_plane.ways import Case, cases, validate

IN_PLANE = (0.4, 1.6)  # mm of the pixels beside the slice axis, of what the recipe's scans have


def publish(out: Path, data: Path, target: Path) -> zoo.Card:
    """Write `target` (safetensors) and its card, which is returned. Raises InputError for no training."""
    state = checkpoint.load(out / "checkpoint.pt", torch.device("cpu"), print)
    if state is None or state["best"] is None:
        raise InputError(f"{out} holds no training that has come to its first validation; train first.")
    recipe, weights, held = json.loads(state["recipe"]), state["best"]["weights"], cases(data)
    halved = {name: tensor.half().float() for name, tensor in weights.items()}
    exact, stored = (_gain(recipe["network"], chosen, held) for chosen in (weights, halved))
    network = ThroughPlane(Shape(**recipe["network"]))
    card = zoo.Card(
        name=recipe["name"],
        architecture="through_plane",
        arguments=recipe["network"],
        scale=1,
        slices=network.neighbours,
        skip=None,
        input_grid="low",
        intensity="divided by the 99.9th percentile of the 3-D volume",
        spacing=IN_PLANE,
        slice_spacing=tuple(recipe["spacing"]),
        parameters=parameters(network),
        sha256="",
        trained_on=recipe["trained_on"],
        data_licence=recipe["licence"],
        recipe=recipe["name"],
        date=time.strftime("%Y-%m-%d"),
        made_for=recipe["made_for"],
        held_out={"validation: above the best of B-spline and deconvolution, dB": round(stored, 3)},
    )
    target.parent.mkdir(parents=True, exist_ok=True)
    return zoo.save(weights, card, target, half=exact - stored <= HALF_COST)


def _gain(arguments: dict[str, Any], weights: dict[str, torch.Tensor], held: list[Case]) -> float:
    network = ThroughPlane(Shape(**arguments)).to(memory_format=torch.channels_last)  # type: ignore[call-overload]
    network.load_state_dict(weights)
    return validate(network, held)["gain"]


def main() -> None:
    """Read the command line, publish, say what was wrong in one sentence."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("out", type=Path, help="folder of the training")
    parser.add_argument("--data", type=Path, required=True, help="folder of training volumes, for the validation")
    parser.add_argument("--to", type=Path, required=True, help="the safetensors to write")
    given = parser.parse_args()
    try:
        card = publish(given.out, given.data, given.to)
    except InputError as error:
        sys.exit(f"error: {error}")
    print(f"{given.to}: {card.parameters} parameters, {card.held_out}")


if __name__ == "__main__":
    main()
