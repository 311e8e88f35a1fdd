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


def write_report(outcome: Outcome, plan: Plan, out: Path, credit: str = "") -> Path:
    """Write report.html, its PNGs, methods.csv, slices.csv, differences.csv and study.json: all of them, or nothing.

    Diffusion series have a table of their own, series.csv; methods.csv and slices.csv are of single volumes.

    outcome, plan: what was found, and how. out: the folder. credit: source and licence of the scans.
    """
    records = outcome.records
    writers: dict[str, Callable[[Path], None]] = {}
    singles, series = _of_kind(records, series=False), _of_kind(records, series=True)
    for (degradation, _), own in tables.by_case(singles).items():
        writers |= _curves(degradation, own)
    for record, folder in zip(records, outcome.folders, strict=True):
        writers |= {name: partial(copy, folder / name) for name in record["figures"].values()}
    writers |= {_slices_name(record): partial(slices_figure, [record]) for record in singles}
    if singles:
        writers["methods.csv"] = partial(tables.write_methods, singles)
        writers["slices.csv"] = partial(tables.write_slices, singles)
    if series:
        writers["series.csv"] = partial(tables.write_methods, series)
    writers["differences.csv"] = partial(tables.write_differences, records)
    writers["study.json"] = partial(_write_json, outcome, plan, credit)
    writers["report.html"] = partial(_write_page, outcome, plan, credit)
    write_group(out, writers, overwrite=True)
    return out / "report.html"


def _of_kind(records: Sequence[Record], series: bool) -> list[Record]:
    return [record for record in records if tables.is_series(record) == series]


def _curves(degradation: str, records: Sequence[Record]) -> dict[str, Callable[[Path], None]]:
    """The figures over all scans of a degradation, by file name."""
    base = _file(degradation)
    found: dict[str, Callable[[Path], None]] = {
        f"{base}-slices.png": partial(slices_figure, records),
        f"{base}-histograms.png": partial(histogram_figure, records, ERROR_MOST),
        f"{base}-spectra.png": partial(spectra_figure, records),
    }
    if records[0]["orientation"] is not None:
        found[f"{base}-orientation.png"] = partial(orientation_figure, records)
    return found


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
        "use": page.USE,
        "credit": credit,
        "scale": plan.scale,
        "models": {zoo.label(m): zoo.read_card(zoo.find(m)).sha256 for m in (*plan.models, *plan.series_models)},
        "failures": outcome.failures,
        "records": list(outcome.records),
    }
    path.write_text(json.dumps(table, indent=1, allow_nan=False) + "\n", encoding="utf-8")


def _write_page(outcome: Outcome, plan: Plan, credit: str, path: Path) -> None:
    records = outcome.records
    subjects, scans = ({record[key] for record in records} for key in ("subject", "scan"))
    page.write(
        path,
        "report.html.j2",
        outcome,
        plan,
        counted=f"{_plural(len(scans), 'scan')} of {_plural(len(subjects), 'subject')}",
        thin=plan.scale is None,
        cases=[_case(name, own) for (name, series), own in tables.by_case(records).items() if not series],
        series_cases=[_series_case(name, own) for (name, series), own in tables.by_case(records).items() if series],
        licences=licences(credit),
    )


def licences(credit: str) -> str:
    """What captions say of the scans' source."""
    return f"Scans: {credit}." if credit else "Source and licence of the scans were not given (--credit)."


def _plural(count: int, what: str) -> str:
    return f"{count} {what}{'' if count == 1 else 's'}"


def _case(degradation: str, records: list[Record]) -> dict[str, Any]:
    """What the page says of one degradation."""
    return {
        **_compared(degradation, records),
        "base": _file(degradation),
        "turned": records[0]["orientation"] is not None,
        "brain": _brain_words(records),
        "crossings": _crossing_words(records),
        "scans": [_scan(record) for record in records],
    }


def _series_case(degradation: str, records: list[Record]) -> dict[str, Any]:
    """What the page says of the diffusion series under one degradation."""
    scans = [
        {**_described(record), "volumes": record["volumes"], "note": record["note"], **record["figures"]}
        for record in records
    ]
    followed = "streamline_dice" in tables.measures(records)
    return {**_compared(degradation, records), "followed": followed, "scans": scans}


def _compared(degradation: str, records: list[Record]) -> dict[str, Any]:
    """What the page says of single volumes and of series alike."""
    return {
        "degradation": degradation,
        "scale": ", ".join(dict.fromkeys(f"{record['scale']:.3g}" for record in records)),
        "subjects": len({record["subject"] for record in records}),
        "means": _means(records),
        "differences": _differences(records),
    }


def _scan(record: Record) -> dict[str, str]:
    """What the page says of one scan."""
    shown = {"range": f"{record['range']:.5g}", "slices": _slices_name(record)}
    return {**_described(record), **shown, **record["figures"]}


def _described(record: Record) -> dict[str, str]:
    """What every scan is described by."""
    return {
        "name": record["scan"],
        "subject": record["subject"],
        "spacing": " x ".join(f"{s:.3g}" for s in record["spacing"]),
        "size": " x ".join(map(str, record["size"])),
        "best": str(record["best_classical"]),
        "viewer": record["viewer"],
    }


def _means(records: list[Record]) -> page.Table:
    order = tables.ordered(records)
    columns = tables.measures(records)
    rows = [
        [name, *(_number(tables.mean(records, name, m), column) for m, column in columns.items())] for name in order
    ]
    strong = [not records[0]["methods"][name]["classical"] for name in order]
    return page.Table(["method", *(column.title for column in columns.values())], rows, strong)


def _differences(records: list[Record]) -> page.Table:
    rows = []
    for model in tables.models(records):
        for measure, column in tables.compared_measures(records).items():
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
    return page.Table(titles, rows)


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


def _number(value: float | None, column: tables.Measure) -> str:
    sign = "+" if column.signed else ""
    return "-" if value is None else f"{value:{sign}.{column.digits}f}"
