"""superresolution models: what is installed, on what it was trained, how good it is."""

import argparse
import json
from dataclasses import asdict
from typing import Any

from SuperResolutionLib.cli import options as common
from SuperResolutionLib.cli import reporter


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
        reporter.put(json.dumps([asdict(card) for card in cards], indent=2))
        return 0
    for card in cards:
        guides = f", guided by the diffusion series ({', '.join(card.guides)})" if card.guides else ""
        made = (
            "slices of {:g} to {:g} mm made thin".format(*card.slice_spacing)
            if card.slice_spacing
            else f"x{card.scale}"
        )
        what = f"{made}, {card.architecture}, {card.parameters:,} parameters"
        reporter.put(f"{card.name}: {what}, {card.slices} slices in{guides}")
        if card.made_for:
            reporter.put(f"  made for     {card.made_for}")
        reporter.put(f"  trained on   {card.trained_on}")
        reporter.put(f"  data licence {card.data_licence}")
        for name, value in card.held_out.items():
            reporter.put(f"  held out     {name}: {value}")
        reporter.put(f"  {card.use}")
    if not cards:
        reporter.put("No model is installed.")
    return 0
