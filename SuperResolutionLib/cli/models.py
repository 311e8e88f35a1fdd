"""superresolution models: what is installed, on what it was trained, how good it is."""

import argparse
import json
from dataclasses import asdict
from typing import Any

from SuperResolutionLib.cli import options as common


def add(commands: Any) -> None:
    """Add the command to the parser."""
    parser = common.command(commands, "models", "list the installed models", "superresolution models --json")
    parser.add_argument("--json", action="store_true", help="print the cards as JSON")
    parser.set_defaults(run=run)


def run(options: argparse.Namespace) -> int:
    """List the models."""
    from SuperResolutionLib.methods import zoo

    cards = [zoo.read_card(path) for path in zoo.installed().values()]
    if options.json:
        print(json.dumps([asdict(card) for card in cards], indent=2))
        return 0
    for card in cards:
        guides = f", guided by the diffusion series ({', '.join(card.guides)})" if card.guides else ""
        what = f"x{card.scale}, {card.architecture}, {card.parameters:,} parameters"
        print(f"{card.name}: {what}, {card.slices} slices in{guides}")
        if card.made_for:
            print(f"  made for     {card.made_for}")
        print(f"  trained on   {card.trained_on}")
        print(f"  data licence {card.data_licence}")
        for name, value in card.held_out.items():
            print(f"  held out     {name}: {value}")
        print(f"  {card.use}")
    if not cards:
        print("No model is installed.")
    return 0
