"""superresolution devices: on what a network can run here, and in which precision."""

import argparse
import json
from typing import Any

from SuperResolutionLib.cli import options as common
from SuperResolutionLib.cli import reporter


def add(commands: Any) -> None:
    """Add the command to the parser."""
    parser = common.command(
        commands, "devices", "list the devices a network can run on here", "superresolution devices --json"
    )
    parser.add_argument("--json", action="store_true", help="print one JSON object")
    parser.set_defaults(run=run)


def run(options: argparse.Namespace) -> int:
    """List the devices."""
    import torch

    from SuperResolutionLib.methods.devices import available, choose_precision

    found = {
        name: {"name": text, "precision": choose_precision("auto", torch.device(name))}
        for name, text in available().items()
    }
    if options.json:
        reporter.put(json.dumps({"event": "done", "devices": found}))
        return 0
    for name, facts in found.items():
        reporter.put(f"{name}: {facts['name']}, {facts['precision']}")
    return 0
