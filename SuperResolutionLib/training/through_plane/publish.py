"""From a training to a model: python -m SuperResolutionLib.training.through_plane.publish OUT --data D --to FILE.

Takes the epoch that validation chose out of the training in OUT and writes its moving average as float16, with a JSON
of what it is; validation has to say that float16 costs nothing.
"""

import argparse
import hashlib
import json
import sys
import time
from pathlib import Path
from typing import Any

import torch
from safetensors.torch import save as to_bytes

from SuperResolutionLib.errors import InputError
from SuperResolutionLib.networks import parameters
from SuperResolutionLib.networks.through_plane import Shape, ThroughPlane
from SuperResolutionLib.training import checkpoint
from SuperResolutionLib.training.publish import HALF_COST
from SuperResolutionLib.training.through_plane.validation import Case, cases, validate


def publish(out: Path, data: Path, target: Path) -> dict[str, Any]:
    """Write `target` (safetensors) and its JSON; returns what the JSON holds. Raises InputError for no training."""
    state = checkpoint.load(out / "checkpoint.pt", torch.device("cpu"), print)
    if state is None or state["best"] is None:
        raise InputError(f"{out} holds no training that has come to its first validation; train first.")
    recipe, best, held = json.loads(state["recipe"]), state["best"], cases(data)
    half = {name: tensor.half().contiguous() for name, tensor in best["weights"].items()}
    exact, stored = (_figures(recipe["network"], weights, held) for weights in (best["weights"], half))
    kept = half if exact["gain"] - stored["gain"] <= HALF_COST else best["weights"]
    target.parent.mkdir(parents=True, exist_ok=True)
    target.write_bytes(to_bytes(kept))
    card = {
        "name": recipe["name"],
        "architecture": "through_plane",
        "arguments": recipe["network"],
        "parameters": parameters(ThroughPlane(Shape(**recipe["network"]))),
        "sha256": hashlib.sha256(target.read_bytes()).hexdigest(),
        "date": time.strftime("%Y-%m-%d"),
        "step": best["step"],
        "steps": state["step"],
        "minutes": round(state["minutes"], 1),
        "cost of float16, dB": round(exact["gain"] - stored["gain"], 5),
        "validation, dB above the best classical method": {name: round(value, 3) for name, value in stored.items()},
        "recipe": recipe,
        "history": state["history"],
    }
    target.with_suffix(".json").write_text(json.dumps(card, indent=2) + "\n", encoding="utf-8")
    return card


def _figures(arguments: dict[str, Any], weights: dict[str, torch.Tensor], held: list[Case]) -> dict[str, float]:
    network = ThroughPlane(Shape(**arguments)).to(memory_format=torch.channels_last)  # type: ignore[call-overload]
    network.load_state_dict({name: tensor.float() for name, tensor in weights.items()})
    return validate(network, held)


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
    print({name: value for name, value in card.items() if name not in ("recipe", "history")})


if __name__ == "__main__":
    main()
