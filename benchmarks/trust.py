"""Do the checks that need no truth go off for a GAN more than for its twin, the same network without the game?

    python -m benchmarks.trust --data DIR [--models runs/] [--slices 12]

Each held-out structural scan is enhanced as it is. *Suspect*: the share of the head's patches that contradict the
scan. *Spread*: how far the eight flips and turns disagree, median over the head. A GAN paints detail that nobody
measured, so at least one of the two should be larger for it than for its twin.
"""

import argparse
import tempfile
from collections.abc import Iterator, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

from benchmarks import results
from benchmarks.results import Row, table, values
from SuperResolutionLib.geometry.sampling import Sampling
from SuperResolutionLib.methods import zoo
from SuperResolutionLib.papers.measure import located
from SuperResolutionLib.papers.works import WORKS
from SuperResolutionLib.progress import finish
from SuperResolutionLib.study.plan import Plan
from SuperResolutionLib.study.subjects import Scan, held_out
from SuperResolutionLib.study.trust import examining_without_truth

INTRODUCTION = """# Checks without a truth, on GANs and their twins

Written by `python -m benchmarks.trust --data DIR`; do not edit. Each held-out structural scan is enhanced as it is,
{slices} slices in the middle. *Suspect*: share of the head's patches in which the result, brought back to the scan's
grid, contradicts it. *Spread*: how far the network's eight flips and turns disagree, median over the head, as a share
of R. The twin is the same network trained for the least error, with which the game began.
"""
CHECKS = (("suspect", 2), ("spread", 3))  # and the digits of their percentages
HEAD = ("GAN", "scan", "suspect", "its twin", "spread", "its twin", "goes off more")


def pairs(folders: Sequence[Path]) -> Iterator[tuple[str, str, str]]:
    """Name, file or name of the model, and of its twin, of each GAN of the works on structural scans that is there."""
    for case in (case for work in WORKS.values() for case in work.cases if not case.diffusion):
        there = located(case, folders)
        for network in case.networks:
            if network.beside == f"{network.name}-twin" and {network.name, network.beside} <= there.keys():
                yield network.name, there[network.name], there[network.beside]


def goes_off_more(row: Row) -> list[str]:
    """Which of the checks say more of the GAN than of its twin."""
    return [check for check, _ in CHECKS if row["gan"][check] > row["twin"][check]]


def report(rows: Sequence[Row]) -> str:
    """The page."""
    slices = " or ".join(map(str, sorted(values(rows, "slices"))))
    cells = [_cells(row) for row in sorted(rows, key=lambda row: row.identity)]
    more = sum(bool(goes_off_more(row)) for row in rows)
    last = f"\nAt least one of the two goes off more for the GAN in {more} of {len(rows)} rows."
    return "\n".join([INTRODUCTION.format(slices=slices), *table(HEAD, cells), last]) + "\n"


def _cells(row: Row) -> list[str]:
    sides = [row["gan"], row["twin"]]
    figures = [f"{100 * side[check]:.{digits}f} %" for check, digits in CHECKS for side in sides]
    return [row.model, row.scan, *figures, " and ".join(goes_off_more(row)) or "none"]


def measure(scan: Scan, gan: str, twin: str, slices: int) -> dict[str, Any]:
    """What the checks say of both models on one scan."""
    scale = zoo.read_card(zoo.find(gan)).scale
    plan = Plan((gan, twin), Sampling(factor=scale), slices=slices, truth=False)
    with tempfile.TemporaryDirectory() as folder:
        found = finish(examining_without_truth(scan, plan, Path(folder)))["models"]
    sides = {side: found[zoo.label(model)] for side, model in (("gan", gan), ("twin", twin))}
    return {side: {"suspect": one["suspect"], "spread": one["spread"]["median"]} for side, one in sides.items()}


def main() -> None:
    """Measure what is not yet measured, then write the page."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--data", type=Path, required=True)
    parser.add_argument("--models", type=Path, nargs="+", default=[])
    parser.add_argument("--slices", type=int, default=12)
    parser.add_argument("--out", type=Path, default=Path("benchmarks/trust.md"))
    options = parser.parse_args()
    store = results.beside(options.out)
    for name, gan, twin in pairs(options.models):
        cards = {model: zoo.read_card(zoo.find(model)) for model in (gan, twin)}
        asked = {"slices": options.slices, "sha256": {zoo.label(model): cards[model].sha256 for model in cards}}
        for scan in held_out(options.data / "structural"):
            row = Row(name, scan.name, "", cards[gan].scale, **asked)
            if results.find(results.load(store), model=name, scan=scan.name, **asked):
                continue
            found = replace(row, figures=measure(scan, gan, twin, options.slices))
            results.put(found, store)
            print(f"{name} {scan.name}: goes off more: {' and '.join(goes_off_more(found)) or 'none'}", flush=True)
    options.out.write_text(report(results.load(store)), encoding="utf-8")


if __name__ == "__main__":
    main()
