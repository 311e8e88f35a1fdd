"""The report of a study on scans taken as the truth: one HTML page, its figures and tables beside it."""

import json
import shutil
from collections.abc import Callable, Mapping, Sequence
from functools import partial
from pathlib import Path
from typing import Any

from SuperResolutionLib import __version__
from SuperResolutionLib.files.output import write_group
from SuperResolutionLib.methods import zoo
from SuperResolutionLib.study import page, tables
from SuperResolutionLib.study.examine import ERROR_MOST
from SuperResolutionLib.study.figures.gains import crossings
from SuperResolutionLib.study.figures.histograms import histogram_figure
from SuperResolutionLib.study.figures.orientations import orientation_figure
from SuperResolutionLib.study.figures.slice_rows import slices_figure
from SuperResolutionLib.study.figures.spectra import spectra_figure
from SuperResolutionLib.study.plan import Plan
from SuperResolutionLib.study.queue import Outcome

Record = Mapping[str, Any]
USE = "Research use only. Not a medical device. Restored images were made sharper by computation, not by the scanner."
FACES = (
    "Whole heads are shown, and a face can be recognised in a scan. Remove faces, or crop to the brain, before you "
    "publish this report or send it on."
)
HOW = (
    "Each scan is taken as the truth. It is made coarser in plane by a forward model, restored by five classical "
    "methods and by the networks, and compared on its own grid. R is the 99.9th percentile of the truth, and the data "
    "range of every PSNR and SSIM here; nothing is clipped. Head: where the truth exceeds 5 % of R. The best classical "
    "method is that of each scan, degradation and measure: beating bicubic alone is not news. A subject counts once, "
    "however many scans there are of it."
)


def write_report(outcome: Outcome, plan: Plan, out: Path, credit: str = "") -> Path:
    """Write report.html, its PNGs, methods.csv, slices.csv, differences.csv and study.json: all of them, or nothing."""
    records = outcome.records
    writers: dict[str, Callable[[Path], None]] = {}
    for degradation, own in tables.by_degradation(records).items():
        writers |= _curves(degradation, own)
    for record, folder in zip(records, outcome.folders, strict=True):
        writers |= {name: partial(copy, folder / name) for name in record["figures"].values()}
        writers[_slices_name(record)] = partial(slices_figure, [record])
    writers["methods.csv"] = partial(tables.write_methods, records)
    writers["slices.csv"] = partial(tables.write_slices, records)
    writers["differences.csv"] = partial(tables.write_differences, records)
    writers["study.json"] = partial(_write_json, outcome, plan, credit)
    writers["report.html"] = partial(_write_page, outcome, plan, credit)
    write_group(out, writers, overwrite=True)
    return out / "report.html"


def _curves(degradation: str, records: Sequence[Record]) -> dict[str, Callable[[Path], None]]:
    """The figures over all scans of a degradation, by file name."""
    base = _file(degradation)
    return {
        f"{base}-slices.png": partial(slices_figure, records),
        f"{base}-orientation.png": partial(orientation_figure, records),
        f"{base}-histograms.png": partial(histogram_figure, records, ERROR_MOST),
        f"{base}-spectra.png": partial(spectra_figure, records),
    }


def copy(source: Path, path: Path) -> None:
    """A picture that was drawn with its record, put beside the report."""
    shutil.copyfile(source, path)


def _file(degradation: str) -> str:
    return degradation.replace(":", "-")


def _slices_name(record: Record) -> str:
    return f"{record['scan']}-{_file(record['degradation'])}-slices.png"


def _write_json(outcome: Outcome, plan: Plan, credit: str, path: Path) -> None:
    table = {
        "software": f"SuperResolution {__version__}",
        "use": USE,
        "credit": credit,
        "scale": plan.scale,
        "models": {zoo.label(m): zoo.read_card(zoo.find(m)).sha256 for m in plan.models},
        "failures": outcome.failures,
        "records": list(outcome.records),
    }
    path.write_text(json.dumps(table, indent=1, allow_nan=False) + "\n", encoding="utf-8")


def _write_page(outcome: Outcome, plan: Plan, credit: str, path: Path) -> None:
    records, folder = outcome.records, path.parent
    subjects = list(dict.fromkeys(record["subject"] for record in records))
    scans = list(dict.fromkeys(record["scan"] for record in records))
    parts = [page.paragraph(USE, "warning")]
    if any(record["whole_head"] for record in records):
        parts.append(page.paragraph(FACES, "warning"))
    if outcome.failures:
        parts.append(page.paragraph("These could not be studied; everything below is without them.", "warning"))
        parts.append(page.items([f"{name}: {why}" for name, why in outcome.failures.items()]))
    parts.append(page.paragraph(f"{_plural(len(scans), 'scan')} of {_plural(len(subjects), 'subject')}, restored by:"))
    parts += [page.items(made_for(plan)), page.paragraph(HOW)]
    if plan.slices is not None:
        parts.append(page.paragraph(f"Only {plan.slices} slices in the middle of each scan: 0 is the first of them."))
    for degradation, own in tables.by_degradation(records).items():
        parts += _degradation_parts(degradation, own, plan, folder, credit)
    parts += ["<footer>", page.paragraph(f"SuperResolution {__version__}. {licences(credit)} {USE}"), "</footer>"]
    path.write_text(page.page("Super-resolution study", parts), encoding="utf-8")


def made_for(plan: Plan) -> list[str]:
    """Each model, and what it was made for: one that is made for another forward model does badly, and should."""
    purposes = {zoo.label(model): zoo.read_card(zoo.find(model)).made_for for model in plan.models}
    return [f"{label}: made for {purpose}" if purpose else label for label, purpose in purposes.items()]


def licences(credit: str) -> str:
    """What captions say of the scans' source."""
    return f"Scans: {credit}." if credit else "Source and licence of the scans were not given (--credit)."


def _plural(count: int, what: str) -> str:
    return f"{count} {what}{'' if count == 1 else 's'}"


def _degradation_parts(degradation: str, records: list[Record], plan: Plan, folder: Path, credit: str) -> list[str]:
    base, source = _file(degradation), f" {licences(credit)}"
    many = len({record["subject"] for record in records}) > 1
    spread = "Lines: mean of subjects; bands: lowest to highest subject. " if many else ""
    nyquist = f"the coarse scan's Nyquist frequency (1/{plan.scale})"
    return [
        page.heading(f"{degradation}, x{plan.scale}"),
        page.heading("Means over subjects", 3),
        _means(records),
        page.paragraph(
            "Less is better for NMSE, HFEN, GMSD and 'band wrong'. Band: the truth's power between the coarse and the "
            "fine Nyquist frequency; 'restored' follows the truth (1: all of it), 'wrong' does not. Brain: "
            + _brain_words(records)
            + " Dice: three classes of intensity by Otsu in the brain, of each volume by its own thresholds, against "
            "the truth's."
        ),
        page.heading("Each model against the best classical method", 3),
        _differences(records),
        page.paragraph(_statistics_words(records)),
        page.heading("Along the volume", 3),
        page.figure(
            folder / f"{base}-slices.png",
            f"PSNR in the head and SSIM of each slice. {spread}Crosses: where a model falls below bicubic, or rises "
            f"above it again; {_crossing_words(records)}{source}",
        ),
        page.heading("By orientation", 3),
        page.figure(
            folder / f"{base}-orientation.png",
            "PSNR in the head of five slices, turned and flipped before they were degraded. Flips, 0 and 90 degrees "
            "move voxels without changing them; at any other angle the truth itself was resampled first (cubic "
            f"spline), which smooths it and makes it easier for every method: compare lines, not angles.{source}",
        ),
        page.heading("How large the errors are", 3),
        page.figure(
            folder / f"{base}-histograms.png", f"|restored - truth| of the voxels of the head, in % of R.{source}"
        ),
        page.heading("What is restored at which frequency", 3),
        page.figure(
            folder / f"{base}-spectra.png",
            f"By spatial frequency; the dotted line is {nyquist}: what lies to its right was not in the scan, "
            "but for the corners of its square of k-space, which reach 1.41 times as far. Left: "
            "power beside the truth's; a sharp look alone can reach 1. Middle: power of the error beside the truth's; "
            "above 1 it would be better to show nothing. Right: Fourier ring correlation with the truth (Saxton and "
            f"Baumeister 1982).{source}",
        ),
        *(part for record in records for part in _scan_parts(record, folder, source)),
    ]


def _means(records: list[Record]) -> str:
    order = tables.ordered(records)
    rows = [
        [name, *(_number(tables.mean(records, name, m), column.digits) for m, column in _columns())] for name in order
    ]
    strong = [not records[0]["methods"][name]["classical"] for name in order]
    return page.table(["method", *(column.title for _, column in _columns())], rows, strong)


def _columns() -> list[tuple[str, tables.Measure]]:
    return list(tables.MEASURES.items())


def _differences(records: list[Record]) -> str:
    rows = []
    for model in tables.models(records):
        for measure, column in _columns():
            found = tables.compared(records, model, measure)
            if found is None or measure.startswith("band_"):
                continue
            interval = (
                "-" if found.low is None else f"{found.low:+.{column.digits}f} to {found.high:+.{column.digits}f}"
            )
            p = "-" if found.p is None else f"{found.p:.3g}"
            wins = f"{100 * found.wins:.0f} % of {found.volumes}"
            mean, worst = (f"{number:+.{column.digits}f}" for number in (found.mean, found.worst))
            rows.append([model, column.title, mean, interval, p, wins, worst])
    titles = ["model", "measure", "better by", "95 % interval", "Wilcoxon p", "better in", "worst scan"]
    return page.table(titles, rows)


def _statistics_words(records: list[Record]) -> str:
    count = len({record["subject"] for record in records})
    words = (
        "Above 0 is better, whatever the measure. Interval: bootstrap over subjects, 10 000 draws with a fixed seed."
    )
    if count == 1:
        return words + " One subject has no interval."
    if count < 6:
        return words + f" {count} subjects are too few for a p value, and make the interval a rough one."
    return words + " p: Wilcoxon signed-rank by subject, two-sided, not corrected for the number of measures."


def _brain_words(records: list[Record]) -> str:
    own = sorted({record["mask"] for record in records})
    if own == ["automatic: Otsu and morphology"]:
        return "an automatic mask (Otsu and morphology), rough where skull is in the picture."
    return f"masks {', '.join(own)}."


def _crossing_words(records: list[Record]) -> str:
    found = []
    for record in records:
        reference = record["methods"]["bicubic"]["psnr_slices"]
        for model in tables.models([record]):
            if at := crossings(record["methods"][model]["psnr_slices"], reference):
                found.append(f"{model} in {record['scan']} at slice {', '.join(map(str, at))}")
    return "; ".join(found) + "." if found else "in PSNR no model crosses bicubic in any slice of any scan."


def _scan_parts(record: Record, folder: Path, source: str) -> list[str]:
    spacing = " x ".join(f"{s:.3g}" for s in record["spacing"])
    size = " x ".join(map(str, record["size"]))
    best = record["best_classical"]
    return [
        page.heading(f"{record['scan']} ({record['degradation']})", 3),
        page.paragraph(
            f"Subject {record['subject']}; {size} voxels of {spacing} mm; R = {record['range']:.5g}; best classical "
            f"method {best}. Slices are counted from 0."
        ),
        page.figure(folder / _slices_name(record), f"{record['scan']}: each slice.{source}"),
        page.figure(
            folder / record["figures"]["errors"],
            "For each model the slice of its median gain. |error| of the best classical method and of the model on one "
            "scale, which ends at the best classical method's 99.5th percentile; right, which of the two is nearer to "
            f"the truth.{source}",
        ),
        page.figure(
            folder / record["figures"]["crops"],
            "Details at the slices of best, median and worst gain in PSNR of the best model (of the slices that show "
            f"at least half as much head as the fullest), where {best} errs most. Black is 0, white is R.{source}",
        ),
    ]


def _number(value: float | None, digits: int) -> str:
    return "-" if value is None else f"{value:.{digits}f}"
