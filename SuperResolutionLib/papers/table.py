"""The paper's figures beside ours: a table for each case, in characters or in Markdown."""

from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass
from typing import Any

import numpy as np

from SuperResolutionLib.papers.measure import ZERO_FILLED, Record, common
from SuperResolutionLib.papers.works import Case, Figures, Work
from SuperResolutionLib.physics.interpolating import METHODS

BEST = "best of five classical"
NONE_PRINTED = "none printed"
NOT_TRAINED = "not trained yet"
LABELS = {"nearest": "LR, each voxel repeated"}
KEY = (
    "Paper: as printed. Ours, by the protocol: PSNR of the whole volume and of the head (dB) and SSIM, R the 99.9th "
    "percentile of the truth; gain: dB in the head above the best of five classical methods of each scan, its mean "
    "and its worst scan, and SSIM above the best SSIM of the five. Slices: as papers average, PSNR and SSIM of whole "
    "slices with MAX the largest voxel of the volume. Beside: of a GAN against its twin (the same network, trained "
    "for the least error), of a 2.5-D network against its 2-D one: dB in the head, and the RMS difference of the two "
    "in % of R. Power: beyond the coarse Nyquist frequency, as a ratio to the truth's. The line of the five classical "
    "methods has the best of them in each measure and scan."
)
HEAD = (
    *("", "paper PSNR", "SSIM", "ours PSNR", "head", "gain", "worst", "SSIM", "gain"),
    *("slices PSNR", "SSIM", "beside dB", "RMS %", "power"),
)


@dataclass(frozen=True)
class Line:
    """A row of the table: means over scans; None where there is nothing to print. network: one of the work's own."""

    name: str
    published: Figures | None = None
    network: bool = False
    trained: bool = True
    psnr: float | None = None
    psnr_head: float | None = None
    gain: float | None = None
    worst: float | None = None
    ssim: float | None = None
    ssim_gain: float | None = None
    mean_psnr: float | None = None
    mean_ssim: float | None = None
    beside: float | None = None
    rms: float | None = None
    power: float | None = None


def lines(case: Case, records: Sequence[Record]) -> list[Line]:
    """The rows of a case: the coarse slice, bicubic, the best classical ones, the work's networks, ours."""
    low = ["nearest", ZERO_FILLED] if case.zero_filled else ["nearest"]
    there = common(records)
    found = [_line(case, records, name) for name in (*low, "bicubic")]
    found.append(_best(records))
    for name in (*case.names, *case.ours):
        if name in there:
            found.append(_line(case, records, name))
        elif name in case.names:
            found.append(Line(name, case.published(name), _is_network(case, name), trained=False))
    return found


def _line(case: Case, records: Sequence[Record], name: str) -> Line:
    own = [record["methods"][name] for record in records]
    gains = [_above(record, name, "psnr_head") for record in records]
    other = {network.name: network.beside for network in case.networks}.get(name)
    differences = [_minus(_psnr_head(record, name), _psnr_head(record, other)) for record in records]
    return Line(
        name=name,
        published=case.published(name),
        network=_is_network(case, name),
        psnr=_mean(row["psnr"] for row in own),
        psnr_head=_mean(row["psnr_head"] for row in own),
        gain=_mean(gains),
        worst=min((gain for gain in gains if gain is not None), default=None),
        ssim=_mean(row["ssim"] for row in own),
        ssim_gain=_mean(_above(record, name, "ssim") for record in records),
        mean_psnr=_mean(row["mean_psnr"] for row in own),
        mean_ssim=_mean(row["mean_ssim"] for row in own),
        beside=_mean(differences),
        rms=_mean(row["rms"] for row in own),
        power=_mean(row["power"] for row in own),
    )


def _is_network(case: Case, name: str) -> bool:
    return name in {network.name for network in case.networks}


def _best(records: Sequence[Record]) -> Line:
    measures = ("psnr", "psnr_head", "ssim", "mean_psnr", "mean_ssim")
    best: dict[str, Any] = {m: _mean(best_classical(record, m) for record in records) for m in measures}
    return Line(BEST, **best)


def best_classical(record: Record, measure: str) -> float | None:
    """The best that a classical method reaches in a measure on a scan."""
    found = [record["methods"][name][measure] for name in METHODS]
    return max((value for value in found if value is not None), default=None)


def _above(record: Record, name: str, measure: str) -> float | None:
    return _minus(record["methods"][name][measure], best_classical(record, measure))


def _psnr_head(record: Record, name: str | None) -> float | None:
    found: float | None = record["methods"].get(name, {}).get("psnr_head")
    return found


def _minus(one: float | None, other: float | None) -> float | None:
    return None if one is None or other is None else one - other


def _mean(values: Any) -> float | None:
    known = [value for value in values if value is not None]
    return float(np.mean(known)) if known else None


def cells(found: Sequence[Line]) -> list[list[str]]:
    """The table as text, its head first."""
    return [list(HEAD), *([LABELS.get(line.name, line.name), *_figures(line)] for line in found)]


def _figures(line: Line) -> list[str]:
    if line.published is not None:
        printed = [str(line.published.psnr), str(line.published.ssim)]
    else:
        printed = [NONE_PRINTED, ""] if line.network else ["-", "-"]
    if not line.trained:
        return [*printed, NOT_TRAINED, *[""] * (len(HEAD) - 4)]
    return [
        *printed,
        *(_number(value, ".2f") for value in (line.psnr, line.psnr_head)),
        *(_number(value, "+.2f") for value in (line.gain, line.worst)),
        _number(line.ssim, ".4f"),
        _number(line.ssim_gain, "+.4f"),
        _number(line.mean_psnr, ".2f"),
        _number(line.mean_ssim, ".4f"),
        _number(line.beside, "+.2f"),
        *(_number(value, ".2f") for value in (line.rms, line.power)),
    ]


def _number(value: float | None, form: str) -> str:
    return "-" if value is None else format(value, form)


def in_characters(table: list[list[str]]) -> str:
    """Columns of equal width."""
    widths = [max(len(row[k]) for row in table if row[k] != NOT_TRAINED) for k in range(len(HEAD))]
    aligned = [
        [row[0].ljust(widths[0]), *(c.rjust(w) for c, w in zip(row[1:], widths[1:], strict=True))] for row in table
    ]
    return "\n".join("  ".join(row).rstrip() for row in aligned)


def in_markdown(table: Sequence[Sequence[str | None]]) -> str:
    """A Markdown table, its head first. None: a cell that is left out."""
    head, *rows = ("|" + "".join(" |" if cell is None else f" {cell} |" for cell in row) for row in table)
    return "\n".join([head, "|---" * len(table[0]) + "|", *rows])


def caption(case: Case, records: Sequence[Record]) -> str:
    """What a table was measured on."""
    subjects, slices = {record["subject"] for record in records}, records[0]["slices"]
    near = f", slices no more than {case.thickest:g} mm apart" if np.isfinite(case.thickest) else ""
    part = "" if slices is None else f", {slices} slices in the middle of each"
    scans, seeds = {record["scan"] for record in records}, {record["seed"] for record in records}
    count = f"{_plural(len(scans), 'scan')} of {_plural(len(subjects), 'subject')}"
    noise = f", noise of {len(seeds)} seeds" if len(seeds) > 1 else ""
    return f"{case.degradation} x{case.scale}: {count}{noise}{near}{part}"


def _plural(count: int, what: str) -> str:
    return f"{count} {what}{'' if count == 1 else 's'}"


def page(work: Work, tables: Sequence[Sequence[Record]], layout: Callable[[list[list[str]]], str]) -> str:
    """A work's tables, one for each case that was measured, with what the paper says and what differs."""
    parts = [f"Work {work.letter}: {work.title}"]
    for case, records in zip(work.cases, tables, strict=True):
        if records:
            parts += [caption(case, records) + ".", layout(cells(lines(case, records)))]
    return "\n\n".join([*parts, work.words, f"What differs: {work.differs}"])


def as_plain(case: Case, records: Sequence[Record]) -> dict[str, Any]:
    """A case as plain values, for JSON."""
    table = [asdict(line) for line in lines(case, records)] if records else []
    return {"degradation": case.degradation, "scale": case.scale, "table": table, "records": list(records)}
