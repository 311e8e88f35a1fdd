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
SERIES = "series"  # the kind of a record of a diffusion series


@dataclass(frozen=True)
class Measure:
    """A column: what it is called, how many digits it has, whether more is better.

    signed: a bias, which is better the nearer to 0. counted: a number that is neither better nor worse.
    """

    title: str
    digits: int
    higher: bool = True
    signed: bool = False
    counted: bool = False

    def goodness(self, value: float) -> float:
        """A figure so turned that more is better."""
        return -abs(value) if self.signed else value if self.higher else -value


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

SERIES_MEASURES = {
    "psnr": Measure("PSNR head (dB)", 2),
    "psnr_weighted": Measure("PSNR weighted (dB)", 2),
    "ssim": Measure("SSIM", 4),
    "fa": Measure("FA error", 4, higher=False),
    "fa_white": Measure("FA error white", 4, higher=False),
    "fa_white_bias": Measure("FA bias white", 4, signed=True),
    "fa_grey_bias": Measure("FA bias grey", 4, signed=True),
    "fa_fluid_bias": Measure("FA bias fluid", 4, signed=True),
    "md": Measure("MD error (1e-3 mm2/s)", 4, higher=False),
    "md_white": Measure("MD error white", 4, higher=False),
    "angle": Measure("angle (degrees)", 2, higher=False),
    "signal_ratio": Measure("S/S0 change", 4, higher=False),
    "signal_ratio_bias": Measure("S/S0 bias", 4, signed=True),
    "streamline_dice": Measure("Dice of streamlines", 4),
    "streamlines": Measure("streamlines", 0, counted=True),
}
"""Of diffusion series; what they are: `quality.tensor_errors` and `quality.streamlines`."""


def is_series(record: Record) -> bool:
    """Whether a record is of a diffusion series."""
    return record.get("kind") == SERIES


def measures(records: Sequence[Record]) -> dict[str, Measure]:
    """The columns of records of one kind; of series those that there are figures of."""
    if not is_series(records[0]):
        return MEASURES
    rows = [row for record in records for row in record["methods"].values()]
    return {name: column for name, column in SERIES_MEASURES.items() if any(row[name] is not None for row in rows)}


def _column(record: Record, measure: str) -> Measure:
    return (SERIES_MEASURES if is_series(record) else MEASURES)[measure]


def value(record: Record, method: str, measure: str) -> float | None:
    """One number of a record; None where it could not be measured."""
    if measure.startswith("band_"):
        right, wrong = stored(record, method).band(1 / record["scale"])
        return right if measure == "band_right" else wrong
    row = record["methods"].get(method)  # MP-PCA has no row where a series is too small for it
    return None if row is None else row[measure]


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
    return max(known, key=_column(record, measure).goodness) if known else None


def difference(record: Record, model: str, measure: str) -> float | None:
    """Model against the best classical method of this scan in this measure; above 0 is better, whatever the measure."""
    own, best = value(record, model, measure), best_of(record, measure)
    if own is None or best is None:
        return None
    goodness = _column(record, measure).goodness
    return goodness(own) - goodness(best)


def compared(records: Sequence[Record], model: str, measure: str) -> Paired | None:
    """The paired statistics of a model over the records of one degradation."""
    differences = by_subject([(record["subject"], difference(record, model, measure)) for record in records])
    return paired(differences) if differences else None


def write_methods(records: Sequence[Record], path: Path) -> None:
    """CSV of records of one kind: one line a scan, degradation and method."""
    columns = measures(records)
    rows = [
        [r["scan"], r["subject"], r["degradation"], r["scale"], m, row["classical"]]
        + [value(r, m, measure) for measure in columns]
        for r in records
        for m, row in r["methods"].items()
    ]
    _write(path, ["scan", "subject", "degradation", "scale", "method", "classical", *columns], rows)


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
    for (degradation, _), own in by_case(records).items():
        for model in models(own):
            for measure in compared_measures(own):
                if (found := compared(own, model, measure)) is not None:
                    rows.append([degradation, model, measure, *asdict(found).values()])
    _write(path, ["degradation", "model", "measure", *fields], rows)


def compared_measures(records: Sequence[Record]) -> dict[str, Measure]:
    """The columns in which methods are better or worse."""
    return {name: column for name, column in measures(records).items() if not column.counted}


def by_case(records: Sequence[Record]) -> dict[tuple[str, bool], list[Record]]:
    """The records of each degradation, single volumes and series apart (True: series), in their order."""
    gathered: dict[tuple[str, bool], list[Record]] = {}
    for record in records:
        gathered.setdefault((record["degradation"], is_series(record)), []).append(record)
    return gathered


def models(records: Sequence[Record]) -> list[str]:
    """The methods that are no classical ones, in the order in which the study names them."""
    return sorted(name for name, row in records[0]["methods"].items() if not row["classical"])


def ordered(records: Sequence[Record]) -> list[str]:
    """All methods, best mean PSNR in the head first."""
    leading = "psnr" if is_series(records[0]) else "psnr_head"
    return sorted(records[0]["methods"], key=lambda m: -(mean(records, m, leading) or 0.0))


def _write(path: Path, titles: list[str], rows: list[list[Any]]) -> None:
    with path.open("w", newline="", encoding="utf-8") as file:
        writer = csv.writer(file)
        writer.writerow(titles)
        writer.writerows(rows)
