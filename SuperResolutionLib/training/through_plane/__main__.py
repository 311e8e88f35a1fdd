"""Train the network for thick slices: python -m SuperResolutionLib.training.through_plane mri-iso --data D --out O."""

import argparse
import json
import sys
from functools import partial
from pathlib import Path

from SuperResolutionLib.errors import InputError
from SuperResolutionLib.training.through_plane import thick_recipe as recipe
from SuperResolutionLib.training.through_plane.thick_loop import CLOCKS, Budget, Start, train


def main() -> None:
    """Read the command line, train, say what was wrong in one sentence."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("recipe", help="a recipe's name, or a TOML file")
    parser.add_argument("--data", type=Path, required=True, help="folder of training volumes")
    parser.add_argument("--out", type=Path, required=True, help="folder for checkpoint and figures")
    parser.add_argument("--resume", action="store_true", help="go on with the training in --out")
    parser.add_argument("--begin", type=Path, metavar="FILE", help="weights (safetensors) to begin with")
    parser.add_argument("--budget", type=float, help="minutes in which the whole schedule passes")
    parser.add_argument("--clock", choices=CLOCKS, default="wall", help="what the minutes are counted by")
    parser.add_argument(
        "--set", type=json.loads, default={}, help="settings in place of the recipe's: '{\"batch\": 8}'"
    )
    given = parser.parse_args()
    try:
        chosen = recipe.load(given.recipe, given.set)
        start = Start(given.resume, given.begin)
        train(chosen, given.data, given.out, start, Budget(given.budget, given.clock), partial(print, flush=True))
    except InputError as error:
        sys.exit(f"error: {error}")


main()
