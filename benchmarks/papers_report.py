"""benchmarks/papers.md from the measured records: what was asked of each network, then each work's tables."""

from collections.abc import Mapping, Sequence

from benchmarks import results
from SuperResolutionLib.papers import table
from SuperResolutionLib.papers.measure import Record
from SuperResolutionLib.papers.table import Line, lines
from SuperResolutionLib.papers.works import WORKS, Case, Network

Tables = Mapping[str, Sequence[Sequence[Record]]]

INTRODUCTION = """# The five works, reproduced

Written by `python -m benchmarks.papers --data DIR`; do not edit. No training, tuning or choice of epoch saw these
subjects. docs/papers.md says how to read it.
"""
HEAD = ("network", "asked", "found", None)
LEAST = {"E-edsr-x2": 1.0, "E-wdsr-x4": 1.0}  # dB above the best classical method, mean of the scans; 0 for the others
TWIN_AT_MOST, POWER_NEARER, RMS_AT_LEAST = 1.0, 0.1, 0.5


def report(tables: Tables, pictures: Mapping[str, str]) -> str:
    """The whole page. tables: of each work that was measured. pictures: of those that have one."""
    parts = [INTRODUCTION, "## What was asked\n", "\n".join(results.table(HEAD, asked(tables)))]
    parts.append(f"\n## How to read the tables\n\n{table.KEY}\n")
    for letter, own in tables.items():
        parts.append(f"## {table.page(WORKS[letter], own, table.in_markdown)}\n")
        if letter in pictures:
            parts.append(f"![Work {letter}]({pictures[letter]})\n")
    return "\n".join(parts)


def asked(tables: Tables) -> list[list[str]]:
    """A row for each thing that is asked of a network: network, what, figures, verdict."""
    rows = []
    for letter, own in tables.items():
        for case, records in zip(WORKS[letter].cases, own, strict=True):
            found = {line.name: line for line in lines(case, records)} if records else {}
            for network in case.networks:
                rows += _of_network(case, network, records, found)
    return rows


def _of_network(case: Case, network: Network, records: Sequence[Record], found: Mapping[str, Line]) -> list[list[str]]:
    line = found.get(network.name)
    if line is None or not line.trained:
        return [[network.name, "", table.NOT_TRAINED, "-"]]
    if network.beside == f"{network.name}-twin":
        return _of_gan(network, records, line, found[network.beside])
    least = LEAST.get(network.name, 0.0)
    worst, gain = line.worst or 0.0, line.gain or 0.0
    rows = [
        _row(network, "above the best classical on every scan", f"worst {worst:+.2f} dB", worst > 0),
        *([_row(network, f"{least:g} dB above it, mean", f"{gain:+.2f} dB", gain >= least)] if least else []),
    ]
    if network.beside is not None:
        difference = "-" if line.beside is None else f"{line.beside:+.2f} dB, mean of {len(records)} scans"
        rows.append([network.name, f"what it gains over {network.beside}", difference, ""])
    return rows


def _of_gan(network: Network, records: Sequence[Record], line: Line, twin: Line) -> list[list[str]]:
    over = {m: [_over_bicubic(record, network.name, m) for record in records] for m in ("psnr_head", "ssim")}
    rows = [
        _row(
            network,
            "above bicubic in PSNR (head) and SSIM on every scan",
            f"worst {min(over['psnr_head']):+.2f} dB, {min(over['ssim']):+.4f}",
            min(min(values) for values in over.values()) > 0,
        )
    ]
    if not twin.trained or line.beside is None or line.rms is None or line.power is None or twin.power is None:
        return [*rows, [network.name, "against its twin", f"{network.beside}: {table.NOT_TRAINED}", "-"]]
    nearer = abs(twin.power - 1) - abs(line.power - 1)
    powers = f"{line.power:.2f}, twin {twin.power:.2f}"
    return [
        *rows,
        _row(network, "at most 1 dB below its twin", f"{line.beside:+.2f} dB", line.beside >= -TWIN_AT_MOST),
        _row(network, "RMS difference to the twin 0.5 % of R", f"{line.rms:.2f} %", line.rms >= RMS_AT_LEAST),
        _row(network, "power beyond Nyquist 0.1 nearer to 1 than the twin's", powers, nearer >= POWER_NEARER),
    ]


def _over_bicubic(record: Record, name: str, measure: str) -> float:
    return float(record["methods"][name][measure] - record["methods"]["bicubic"][measure])


def _row(network: Network, what: str, figures: str, passed: bool) -> list[str]:
    return [network.name, what, figures, "**passed**" if passed else "**FAILED**"]
