"""Put the held-out figures where people read them: the README's table and the model cards.

python -m benchmarks.publish_figures     # after benchmarks.heldout
"""

import json
from dataclasses import replace
from pathlib import Path

import numpy as np

from benchmarks.heldout_report import HEADLINE, Rows, gains, harmed, headline, of_scale, selected
from SuperResolutionLib import zoo

ROOT = Path(__file__).parent.parent
STORE = ROOT / "benchmarks" / "heldout.json"
MARKS = ("<!-- heldout: written by benchmarks.publish_figures -->", "<!-- /heldout -->")


def table(rows: Rows) -> str:
    """The README's table: mean gain over the best classical method, per headline degradation, and how often."""
    lines = [
        "Gain in dB of PSNR over the head above the best of five classical methods, mean of the structural test",
        "volumes (the worst one in brackets); no training saw their subjects.",
        "",
        "| model | " + " | ".join(HEADLINE) + " | above the best classical |",
        "|---" * (len(HEADLINE) + 2) + "|",
    ]
    for name, scale in sorted((path, zoo.read_card(file).scale) for path, file in zoo.installed().items()):
        mine = of_scale(rows, scale)
        cells = []
        for degradation in HEADLINE:
            values = [gains(row, name)[0] for row in selected(mine, degradation, structural=True).values()]
            cells.append(f"{np.mean(values):+.2f} ({min(values):+.2f})" if values else "not measured")
        everything = selected(mine, structural=True)
        share = f"{len(everything) - len(harmed(mine, scale))} of {len(everything)} rows"
        lines.append(f"| {name} | " + " | ".join(cells) + f" | {share} |")
    return "\n".join(lines)


def fill(readme: str, rows: Rows) -> str:
    """The README with its table between the marks made anew."""
    before, _, rest = readme.partition(MARKS[0])
    _, _, after = rest.partition(MARKS[1])
    return f"{before}{MARKS[0]}\n{table(rows)}\n{MARKS[1]}{after}"


def main() -> None:
    """Write README.md and the cards."""
    rows: Rows = json.loads(STORE.read_text(encoding="utf-8"))
    readme = ROOT / "README.md"
    readme.write_text(fill(readme.read_text(encoding="utf-8"), rows), encoding="utf-8")
    for weights in zoo.installed().values():
        card = zoo.read_card(weights)
        figures = {f"gain over the best classical, {d}, dB": g for d, g in headline(rows, card.scale).items()}
        zoo.write_card(replace(card, held_out=figures), weights)


if __name__ == "__main__":
    main()
