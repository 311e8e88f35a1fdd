"""The tables of a study: means by method, and paired differences to the best classical method."""

import csv
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import numpy as np

from SuperResolutionLib.quality.statistics import Paired, paired
from SuperResolutionLib.study.figures.spectra import stored

Record = Mapping[str, Any]


@dataclass(frozen=True)
class Measure:
    """A column: what it is called, how many digits it has, whether more is better."""

    title: str
    digits: int
    higher: bool = True


MEASURES = {
    "psnr": Measure("PSNR whole (dB)", 2),
    "psnr_head": Measure("PSNR head (dB)", 2),
    "psnr_brain": Measure("PSNR brain (dB)", 2),
    "ssim": Measure("SSIM", 4),
    "ssim_brain": Measure("SSIM brain", 4),
    "ms_ssim": Measure("MS-SSIM", 4),
    "vif": Measure("VIF", 3),
    "nmse": Measure("NMSE", 5, higher=False),
    "hfen": Measure("HFEN", 4, higher=False),
    "gmsd": Measure("GMSD", 4, higher=False),
    "dice": Measure("Dice, 3 tissues", 4),
    "band_right": Measure("band restored", 3),
    "band_wrong": Measure("band wrong", 3, higher=False),
}
"""The last two: of the truth's power between the coarse and the fine Nyquist frequency."""


def value(record: Record, method: str, measure: str) -> float | None:
    """One number of a record; None where it could not be measured."""
    if measure.startswith("band_"):
        right, wrong = stored(record, method).band(1 / record["scale"])
        return right if measure == "band_right" else wrong
    return record["methods"][method][measure]


def by_subject(numbers: Sequence[tuple[str, float | None]]) -> dict[str, list[float]]:
    """(subject, number) pairs gathered; what was not measured is left out."""
    gathered: dict[str, list[float]] = {}
    for subject, number in numbers:
        if number is not None and np.isfinite(number):
            gathered.setdefault(subject, []).append(number)
    return gathered


def mean(records: Sequence[Record], method: str, measure: str) -> float | None:
    """Mean over subjects, each the mean of its scans."""
    own = by_subject([(record["subject"], value(record, method, measure)) for record in records])
    return float(np.mean([np.mean(values) for values in own.values()])) if own else None


def best_of(record: Record, measure: str) -> float | None:
    """The best that a classical method reaches in a measure on this scan."""
    found = [value(record, m, measure) for m, row in record["methods"].items() if row["classical"]]
    known = [number for number in found if number is not None]
    if not known:
        return None
    return max(known) if MEASURES[measure].higher else min(known)


def difference(record: Record, model: str, measure: str) -> float | None:
    """Model against the best classical method of this scan in this measure; above 0 is better, whatever the measure."""
    own, best = value(record, model, measure), best_of(record, measure)
    if own is None or best is None:
        return None
    return own - best if MEASURES[measure].higher else best - own


def compared(records: Sequence[Record], model: str, measure: str) -> Paired | None:
    """The paired statistics of a model over the records of one degradation."""
    differences = by_subject([(record["subject"], difference(record, model, measure)) for record in records])
    return paired(differences) if differences else None


def write_methods(records: Sequence[Record], path: Path) -> None:
    """CSV: one line a scan, degradation and method."""
    rows = [
        [r["scan"], r["subject"], r["degradation"], r["scale"], m, row["classical"]]
        + [value(r, m, measure) for measure in MEASURES]
        for r in records
        for m, row in r["methods"].items()
    ]
    _write(path, ["scan", "subject", "degradation", "scale", "method", "classical", *MEASURES], rows)


def write_slices(records: Sequence[Record], path: Path) -> None:
    """CSV: one line a scan, degradation, method and slice."""
    rows = [
        [r["scan"], r["subject"], r["degradation"], m, k, psnr, ssim]
        for r in records
        for m, row in r["methods"].items()
        for k, (psnr, ssim) in enumerate(zip(row["psnr_slices"], row["ssim_slices"], strict=True))
    ]
    _write(path, ["scan", "subject", "degradation", "method", "slice", "psnr_head", "ssim"], rows)


def write_differences(records: Sequence[Record], path: Path) -> None:
    """CSV: one line a degradation, model and measure: the paired statistics."""
    fields = list(Paired.__dataclass_fields__)
    rows = []
    for degradation, own in by_degradation(records).items():
        for model in models(own):
            for measure in MEASURES:
                if (found := compared(own, model, measure)) is not None:
                    rows.append([degradation, model, measure, *asdict(found).values()])
    _write(path, ["degradation", "model", "measure", *fields], rows)


def by_degradation(records: Sequence[Record]) -> dict[str, list[Record]]:
    """The records of each degradation, in their order."""
    gathered: dict[str, list[Record]] = {}
    for record in records:
        gathered.setdefault(record["degradation"], []).append(record)
    return gathered


def models(records: Sequence[Record]) -> list[str]:
    """The methods that are no classical ones, in the order in which the study names them."""
    return sorted(name for name, row in records[0]["methods"].items() if not row["classical"])


def ordered(records: Sequence[Record]) -> list[str]:
    """All methods, best mean psnr_head first."""
    return sorted(records[0]["methods"], key=lambda m: -(mean(records, m, "psnr_head") or 0.0))


def _write(path: Path, titles: list[str], rows: list[list[Any]]) -> None:
    with path.open("w", newline="", encoding="utf-8") as file:
        writer = csv.writer(file)
        writer.writerow(titles)
        writer.writerows(rows)
