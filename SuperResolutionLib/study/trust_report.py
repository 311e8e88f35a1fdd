"""The report on scans that have no truth: what speaks for and against each result, and what nobody can know."""

import csv
import json
from collections.abc import Callable, Mapping, Sequence
from functools import partial
from pathlib import Path
from typing import Any

from SuperResolutionLib import __version__
from SuperResolutionLib.files.output import write_group
from SuperResolutionLib.quality.hallucination import CORRELATION, EARLY
from SuperResolutionLib.study import page
from SuperResolutionLib.study.figures.intensities import intensities_figure
from SuperResolutionLib.study.plan import Plan
from SuperResolutionLib.study.queue import Outcome
from SuperResolutionLib.study.report import copy, licences

Record = Mapping[str, Any]


def write_trust_report(outcome: Outcome, plan: Plan, out: Path, credit: str = "") -> Path:
    """Write report.html, its PNGs, trust.csv and study.json: all of them, or nothing.

    outcome, plan: what was found, and how. out: the folder. credit: source and licence of the scans.
    """
    writers: dict[str, Callable[[Path], None]] = {}
    for record, folder in zip(outcome.records, outcome.folders, strict=True):
        writers |= {name: partial(copy, folder / name) for name in record["figures"].values()}
        writers[_intensities_name(record)] = partial(intensities_figure, record)
    writers["trust.csv"] = partial(_write_csv, outcome.records)
    writers["study.json"] = partial(_write_json, outcome, credit)
    writers["report.html"] = partial(_write_page, outcome, plan, credit)
    write_group(out, writers, overwrite=True)
    return out / "report.html"


def _intensities_name(record: Record) -> str:
    return f"{record['scan']}-intensities.png"


def _write_csv(records: Sequence[Record], path: Path) -> None:
    ways = _ways(records[0])
    titles = [
        "scan",
        "method",
        "suspect_share",
        "off",
        "far",
        "uneven",
        "spread_median",
        "spread_p95",
        "spread_p99",
        *ways,
    ]
    with path.open("w", newline="", encoding="utf-8") as file:
        writer = csv.writer(file)
        writer.writerow(titles)
        for record in records:
            for name, row in _rows(record).items():
                spread = row.get("spread", {})
                shares = [spread.get(key) for key in ("median", "p95", "p99")]
                writer.writerow(
                    [
                        record["scan"],
                        name,
                        row["suspect"],
                        row["off"],
                        row["far"],
                        row["uneven"],
                        *shares,
                        *row["consistency"].values(),
                    ]
                )


def _rows(record: Record) -> dict[str, Any]:
    return {**record["models"], **record["classical"]}


def _ways(record: Record) -> list[str]:
    """The ways in which results were brought back to the scan."""
    (row,) = record["classical"].values()
    return list(row["consistency"])


def _write_json(outcome: Outcome, credit: str, path: Path) -> None:
    table = {
        "software": f"SuperResolution {__version__}",
        "use": page.USE,
        "credit": credit,
        "failures": outcome.failures,
        "records": list(outcome.records),
    }
    path.write_text(json.dumps(table, indent=1, allow_nan=False) + "\n", encoding="utf-8")


def _write_page(outcome: Outcome, plan: Plan, credit: str, path: Path) -> None:
    page.write(
        path,
        "trust.html.j2",
        outcome,
        plan,
        scans=[_scan(record) for record in outcome.records],
        correlation=f"{CORRELATION:g}",
        early=f"{EARLY:g}",
        thin=plan.scale is None,
        licences=licences(credit),
    )


def _scan(record: Record) -> dict[str, Any]:
    """What the page says of one scan."""
    size, spacing = (" x ".join(f"{n:.3g}" for n in record[key]) for key in ("size", "spacing"))
    return {
        "name": record["scan"],
        "made": " x ".join(f"{mm:.3g}" for mm in record["made"]),
        "size": size,
        "spacing": spacing,
        "back": record["back"],
        "range": f"{record['range']:.5g}",
        "words": [*_note(record), *(s for name, row in record["models"].items() for s in words(record, name, row))],
        "table": _table(record),
        "maps": {name: record["figures"][name] for name in record["models"]},
        "intensities": _intensities_name(record),
        "viewer": record["viewer"],
    }


def _note(record: Record) -> list[str]:
    return [f"Taken for granted: {record['note']}. If that is wrong, give --thickness."] if record["note"] else []


def words(record: Record, name: str, row: Record) -> list[str]:
    """What the figures of a model on a scan say, in sentences."""
    label = name
    ((classical, plain),) = record["classical"].items()
    sentences = [f"{label}: {sentence}." for sentence in row["unlike"]]
    if not sentences:
        known = "voxel size, contrast, noise and sharpness" if row["looks_known"] else "voxel size"
        sentences.append(f"{label}: in {known} the scan is like the training scans.")
    if not row["looks_known"]:
        sentences.append(f"{label}: its card does not say which contrast, noise and sharpness it was trained on.")
    if row["suspect"] is None:
        sentences.append(f"{label}: the slices are too small for the check of patches.")
    else:
        usual = plain["suspect"]
        verdict = "some places contradict the scan; look at them" if row["suspect"] > usual + 0.01 else "as expected"
        sentences.append(
            f"{label}: {100 * row['suspect']:.1f} % of the patches of the head are suspect, of {classical} "
            f"{100 * usual:.1f} %: {verdict}."
        )
    off, worst, usual, noise = (
        f"{100 * v:.2f} %" for v in (row["off"], row["worst_off"], plain["off"], record["noise"])
    )
    sentences.append(
        f"{label}: brought back to {record['back']}, it differs from what was measured by {off} of R in the head "
        f"({classical} by {usual}; the noise of the scan is about {noise}), most in slice {row['worst']}: {worst}."
    )
    sentences.append(
        f"{label}: {100 * row['far']:.2f} % of the head differ from it by more than {100 * row['limit']:.0f} % of R "
        f"({classical}: {100 * plain['far']:.2f} %); no slice came back more than {100 * row['uneven']:.1f} % brighter "
        "or darker than the others."
    )
    half, most = (f"{100 * row['spread'][key]:.2f} %" for key in ("median", "p99"))
    sentences.append(
        f"{label}: eight turned and mirrored views of the scan differ by {half} of R in half of the head, and by more "
        f"than {most} in one voxel of a hundred."
    )
    return sentences


def _table(record: Record) -> page.Table:
    rows, ways = [], _ways(record)
    for name, row in _rows(record).items():
        spread = row.get("spread")
        shares = ["-"] * 2 if spread is None else [f"{100 * spread[key]:.2f}" for key in ("median", "p99")]
        suspect = "-" if row["suspect"] is None else f"{100 * row['suspect']:.1f} %"
        consistency = [f"{value:.1f}" for value in row["consistency"].values()]
        rows.append([name, *consistency, f"{100 * row['off']:.2f}", f"{100 * row['far']:.2f} %", suspect, *shares])
    titles = ["method", *(f"{name} (dB)" for name in ways), "differs", "far", "suspect", "spread median", "99th perc."]
    return page.Table(titles, rows, [name in record["models"] for name in _rows(record)])
