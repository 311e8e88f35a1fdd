"""A work's picture: truth, bicubic, best classical and the work's networks, at the slice of median gain."""

from collections.abc import Sequence
from pathlib import Path

import numpy as np

from SuperResolutionLib import files
from SuperResolutionLib.geometry.grid import stacks
from SuperResolutionLib.intensity import data_range
from SuperResolutionLib.methods import zoo
from SuperResolutionLib.methods.method import Runtime
from SuperResolutionLib.papers.measure import Record, common, has_network, located, restoring
from SuperResolutionLib.papers.table import best_classical
from SuperResolutionLib.papers.works import Case, Work
from SuperResolutionLib.progress import finish
from SuperResolutionLib.quality.comparison import Comparison, Row
from SuperResolutionLib.study.figure import aspect, detail, middle, upright
from SuperResolutionLib.study.figures import style
from SuperResolutionLib.study.figures.gains import ranked_slices
from SuperResolutionLib.study.subjects import Scan


def shown_record(case: Case, records: Sequence[Record]) -> Record:
    """That of median gain in psnr_head of the case's first network that all records have; of bicubic where none is."""
    there = common(records)
    name = next((name for name in case.names if name in there), "bicubic")

    def gain(record: Record) -> float:
        return float(record["methods"][name]["psnr_head"] - (best_classical(record, "psnr_head") or 0.0))

    return sorted(records, key=gain)[len(records) // 2]


def showing(
    work: Work,
    tables: Sequence[Sequence[Record]],
    scans: Sequence[Scan],
    folders: Sequence[Path] = (),
    slices: int | None = None,
    runtime: Runtime | None = None,
) -> list[tuple[str, Comparison]]:
    """Restore once more, for each case, the scan that is shown: its name, and the comparison.

    Of the cases that were measured those with a network of the work; all where there is none.
    tables: what was measured, by case. scans, folders, slices, runtime: as for `measuring`.
    """
    measured = [(case, records) for case, records in zip(work.cases, tables, strict=True) if records]
    shown = []
    for case, records in [pair for pair in measured if has_network(*pair)] or measured:
        record = shown_record(case, records)
        (scan,) = (scan for scan in scans if scan.name == record["scan"])
        networks = {model: where for model, where in located(case, folders).items() if model in case.names}
        steps = restoring(files.read(scan.path), case, networks, record["seed"], slices, runtime)
        shown.append((scan.name, finish(steps)))
    return shown


def papers_figure(shown: Sequence[tuple[str, Comparison]], path: Path, note: str = "") -> None:
    """Write the picture: for each case a row of whole slices and one of details, where the best classical method errs.

    shown: name of the scan, comparison with restored volumes. The slice is that of median gain of the network with the
    highest psnr_head; without a network, the middle one. Of a series its first volume is shown.
    """
    widest = max(len(_columns(result)) for _, result in shown)
    figure = style.canvas(2.5 * widest + 0.5, 5.4 * len(shown) + 0.4, dark=True)
    places = figure.subplots(2 * len(shown), widest, squeeze=False)
    for k, (name, result) in enumerate(shown):
        _draw(places[2 * k : 2 * k + 2], name, result)
    figure.supxlabel(style.words(f"{note}  Research use only.".strip()), color="#bbbbbb", fontsize=8)
    style.save(figure, path)


def _columns(result: Comparison) -> list[tuple[str, Row | None]]:
    """Title and row of each panel; no row for the truth."""
    bicubic = next(row for row in result.rows if row.method == "bicubic")
    best = result.best_classical
    assert best is not None
    networks = sorted((row for row in result.rows if not row.classical), key=lambda row: zoo.label(row.method))
    titles = [(f"{zoo.label(row.method)}\n{row.score.psnr_head:.2f} dB", row) for row in (bicubic, *networks)]
    return [
        ("truth", None),
        titles[0],
        (f"best classical: {best.method}\n{best.score.psnr_head:.2f} dB", best),
        *titles[1:],
    ]


def _draw(places: np.ndarray, name: str, result: Comparison) -> None:
    truth = stacks(result.truth, result.axis)[0]
    k = middle(truth) if result.best_model is None else ranked_slices(result, result.best_model)["median"][0]
    white, stretch = data_range(truth), aspect(result.truth, result.axis)
    columns = _columns(result)
    volumes = [result.truth if row is None else row.restored for _, row in columns]
    images = [upright(volume, result.axis, k) for volume in volumes if volume is not None]
    top, left, side = detail(np.abs(images[2] - images[0]))
    for axes in places.flat:
        axes.set_axis_off()
    for (title, _), image, whole, part in zip(columns, images, *places[:, : len(columns)], strict=True):
        style.panel(whole, image, title, "gray", (0, white), stretch)
        style.panel(part, image[top : top + side, left : left + side], "", "gray", (0, white), stretch)
    label = style.words(f"{result.degradation} x{result.scale}: {name}, slice {k}")
    places[0, 0].text(
        -0.06, 0.5, label, color="white", fontsize=8, rotation=90, va="center", ha="right",
        transform=places[0, 0].transAxes,
    )  # fmt: skip
