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
from SuperResolutionLib.study.report import FACES, USE, copy, licences, made_for
from SuperResolutionLib.study.trust import MODELS_OF_SCANNERS

Record = Mapping[str, Any]
HOW = (
    "These scans were enhanced as they are. There is no truth to compare with, so no figure here says how right a "
    "result is. What can be asked is whether it contradicts the scan, whether the network agrees with itself, and "
    "whether the scan is of a kind that the network knows. R is the 99.9th percentile of the scan."
)
LIMITS = (
    "What cannot be seen: detail that is invented above the scan's own Nyquist frequency vanishes when the result is "
    "brought back to the scan's grid, so neither the consistency map nor the patches can find it. The spread of the "
    "eight turns is there for that: invented detail often changes when the slice is turned. Often is not always; a "
    "network can be wrong and agree with itself."
)


def write_trust_report(outcome: Outcome, plan: Plan, out: Path, credit: str = "") -> Path:
    """Write report.html, its PNGs, trust.csv and study.json: all of them, or nothing."""
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
    titles = ["scan", "method", "suspect_share", "spread_median", "spread_p95", "spread_p99", *MODELS_OF_SCANNERS]
    with path.open("w", newline="", encoding="utf-8") as file:
        writer = csv.writer(file)
        writer.writerow(titles)
        for record in records:
            for name, row in _rows(record).items():
                spread = row.get("spread", {})
                shares = [spread.get(key) for key in ("median", "p95", "p99")]
                writer.writerow([record["scan"], name, row["suspect"], *shares, *row["consistency"].values()])


def _rows(record: Record) -> dict[str, Any]:
    return {**record["models"], "bicubic": record["bicubic"]}


def _write_json(outcome: Outcome, credit: str, path: Path) -> None:
    table = {
        "software": f"SuperResolution {__version__}",
        "use": USE,
        "credit": credit,
        "failures": outcome.failures,
        "records": list(outcome.records),
    }
    path.write_text(json.dumps(table, indent=1, allow_nan=False) + "\n", encoding="utf-8")


def _write_page(outcome: Outcome, plan: Plan, credit: str, path: Path) -> None:
    parts = [page.paragraph(USE, "warning")]
    if any(record["whole_head"] for record in outcome.records):
        parts.append(page.paragraph(FACES, "warning"))
    if outcome.failures:
        parts.append(page.paragraph("These could not be studied; everything below is without them.", "warning"))
        parts.append(page.items([f"{name}: {why}" for name, why in outcome.failures.items()]))
    parts += [page.paragraph(HOW), page.items(made_for(plan)), page.paragraph(LIMITS)]
    if plan.slices is not None:
        parts.append(page.paragraph(f"Only {plan.slices} slices in the middle of each scan: 0 is the first of them."))
    for record in outcome.records:
        parts += _record_parts(record, path.parent, licences(credit))
    parts += ["<footer>", page.paragraph(f"SuperResolution {__version__}. {licences(credit)} {USE}"), "</footer>"]
    path.write_text(page.page("Super-resolution without a truth", parts), encoding="utf-8")


def _record_parts(record: Record, folder: Path, source: str) -> list[str]:
    size, spacing = (" x ".join(f"{n:.3g}" for n in record[key]) for key in ("size", "spacing"))
    parts = [
        page.heading(f"{record['scan']}, x{record['scale']}"),
        page.paragraph(f"{size} voxels of {spacing} mm; R = {record['range']:.5g}. Slices are counted from 0."),
        page.heading("In words", 3),
        page.items([sentence for name, row in record["models"].items() for sentence in words(record, name, row)]),
        page.heading("In numbers", 3),
        _table(record),
        page.paragraph(
            "Consistency: PSNR of the result, made coarser again by each forward model, against the scan; the one that "
            "fits the scanner should be high. Suspect: share of the head's patches of 16 x 16 voxels whose Fourier "
            f"ring correlation with the scan falls below {CORRELATION:g} before {EARLY:g} of the scan's Nyquist "
            "frequency (after sFRC: Kc, Zeng, Soni, Badano, arXiv 2603.04673, FDA). Spread: standard deviation of the "
            "eight flips and quarter turns in the head, in % of R."
        ),
    ]
    for name in record["models"]:
        parts.append(
            page.figure(
                folder / record["figures"][name],
                f"{name}. From left: the scan; the result; the spread of the eight turns (bright: the "
                "network contradicts itself); the result brought back to the scan's grid by k-space truncation, minus "
                "the scan; up to which frequency each patch of the head agrees with the scan (dark: it contradicts "
                f"it). {source}",
            )
        )
    parts.append(
        page.figure(
            folder / _intensities_name(record),
            "Left: intensities of the scan and of each result; a result should not have many that the scan has not. "
            "Right: Fourier ring correlation of the patches with the scan, mean over the head; suspect is what falls "
            f"below the horizontal line left of the vertical one. {source}",
        )
    )
    return parts


def words(record: Record, name: str, row: Record) -> list[str]:
    """What the figures of a model on a scan say, in sentences."""
    label = name
    sentences = [f"{label}: {sentence}." for sentence in row["unlike"]]
    if not sentences:
        known = "voxel size, contrast, noise and sharpness" if row["looks_known"] else "voxel size"
        sentences.append(f"{label}: in {known} the scan is like the training scans.")
    if not row["looks_known"]:
        sentences.append(f"{label}: its card does not say which contrast, noise and sharpness it was trained on.")
    if row["suspect"] is None:
        sentences.append(f"{label}: the slices are too small for the check of patches.")
    else:
        bicubic = record["bicubic"]["suspect"]
        verdict = "some places contradict the scan; look at them" if row["suspect"] > bicubic + 0.01 else "as expected"
        sentences.append(
            f"{label}: {100 * row['suspect']:.1f} % of the patches of the head are suspect, of bicubic interpolation "
            f"{100 * bicubic:.1f} %: {verdict}."
        )
    spread = row["spread"]
    sentences.append(
        f"{label}: the eight turns differ by {100 * spread['median']:.2f} % of R in half of the head, and by more than "
        f"{100 * spread['p99']:.2f} % in one voxel of a hundred."
    )
    return sentences


def _table(record: Record) -> str:
    rows = []
    for name, row in _rows(record).items():
        spread = row.get("spread")
        shares = ["-"] * 2 if spread is None else [f"{100 * spread[key]:.2f}" for key in ("median", "p99")]
        suspect = "-" if row["suspect"] is None else f"{100 * row['suspect']:.1f} %"
        rows.append([name, *(f"{value:.1f}" for value in row["consistency"].values()), suspect, *shares])
    titles = ["method", *(f"{name} (dB)" for name in MODELS_OF_SCANNERS), "suspect", "spread median", "99th perc."]
    return page.table(titles, rows, [name != "bicubic" for name in _rows(record)])
