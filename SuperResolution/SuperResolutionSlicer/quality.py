"""The figures of a comparison as Slicer shows them: a table, a chart of every slice, and error maps."""

from collections.abc import Generator
from pathlib import Path
from typing import Any

import slicer
import vtk
from slicer.i18n import tr as _

from SuperResolutionLib.errors import InputError
from SuperResolutionSlicer import colors, nodes

CHART = "SuperResolution.Chart"  # the roles of the node references from table to chart and error maps
ERROR, CLASSICAL_ERROR, MODEL_ERROR = (f"SuperResolution.{name}" for name in ("Error", "ClassicalError", "ModelError"))
COLUMNS = {
    "psnr": "PSNR (dB)",
    "psnr_head": _("PSNR in head (dB)"),
    "ssim": "SSIM",
    "nmse": "NMSE",
    "gain_db": "Gain (dB)",
}
LINES = (
    "#0072B2",
    "#E69F00",
    "#009E73",
    "#CC79A7",
    "#D55E00",
    "#56B4E9",
    "#F0E442",
)  # Okabe and Ito: colour-blind-safe


def check(node: Any) -> None:
    """Raise InputError, one sentence, for a volume whose voxels are no intensities."""
    if node.GetClassName() == nodes.TENSORS:
        raise InputError(
            _(
                "{name} is a tensor volume; quality is measured on what a scanner measures: choose the "
                "diffusion series that the tensors were fitted to."
            ).format(name=node.GetName())
        )


def adding(source: Any, table: dict[str, Any], errors: dict[str, Path]) -> Generator[None, None, Any]:
    """Put a comparison into the scene, in one subject-hierarchy folder; returns the node of the table.

    table: what `superresolution compare --json` wrote. errors: method -> .nhdr of restored - truth, the best first.
    """
    title = f"{source.GetName()} quality ({table['degradation']} x{table['scale']})"
    maps = {}
    for method, path in errors.items():
        maps[method] = yield from nodes.reading(path, source, f"{title}: {method} minus truth")
    folder = _folder(source, title)
    figures = _table(table, title)
    slices, chart = _chart(table, title)
    for method, node in maps.items():
        nodes.add(node, source, {"Operation": "restored minus truth", "Method": method, "Axis": table["axis"]})
    for node in (figures, slices, chart, *maps.values()):
        nodes.put_in(folder, node)
    figures.SetNodeReferenceID(CHART, chart.GetID())
    for node in maps.values():
        figures.AddNodeReferenceID(ERROR, node.GetID())
    for role, best in ((CLASSICAL_ERROR, best_classical(table)), (MODEL_ERROR, best_model(table))):
        if best is not None:
            figures.SetNodeReferenceID(role, maps[best["method"]].GetID())
    _paint(list(maps.values()))
    return figures


def error_maps(figures: Any) -> tuple[Any, Any] | None:
    """The error maps of the best classical method and of the best model of a table of ours; None unless it has both."""
    found = [figures.GetNodeReference(role) for role in (CLASSICAL_ERROR, MODEL_ERROR)]
    return None if None in found else (found[0], found[1])


def best_classical(table: dict[str, Any]) -> dict[str, Any] | None:
    """The row of the best classical method."""
    return next((row for row in table["rows"] if row["classical"]), None)


def best_model(table: dict[str, Any]) -> dict[str, Any] | None:
    """The row of the best model."""
    return next((row for row in table["rows"] if not row["classical"]), None)


def summary(table: dict[str, Any]) -> str:
    """One sentence: how the best model compares with the best classical method."""
    best, model = best_classical(table), best_model(table)
    if best is None or model is None:
        return _("Measured; see the table.")
    gain = model["gain_db"]
    word = "above" if gain >= 0 else "BELOW"
    return _("{model} is {gain:.2f} dB {word} the best classical method, {best}.").format(
        model=model["method"], gain=abs(gain), word=word, best=best["method"]
    )


def _folder(source: Any, title: str) -> int:
    tree = nodes.hierarchy()
    return int(tree.CreateFolderItem(tree.GetItemParent(nodes.item_of(source)), title))


def _table(table: dict[str, Any], title: str) -> Any:
    node = slicer.mrmlScene.AddNewNodeByClass("vtkMRMLTableNode", title)
    rows = table["rows"]
    _add_text(node, "Method", [row["method"] for row in rows])
    for key, name in COLUMNS.items():
        _add_numbers(node, name, [row[key] for row in rows])
    best = best_classical(table)
    _add_text(node, "", ["best classical" if row is best else "" for row in rows])
    set_titles = getattr(node, "SetUseColumnTitleAsColumnHeader", None) or node.SetUseColumnNameAsColumnHeader
    set_titles(True)
    return node


def _chart(table: dict[str, Any], title: str) -> tuple[Any, Any]:
    rows = table["rows"]
    values = slicer.mrmlScene.AddNewNodeByClass("vtkMRMLTableNode", f"{title}: slices")
    _add_numbers(values, "Slice", list(range(len(rows[0]["psnr_slices"]))))
    chart = slicer.mrmlScene.AddNewNodeByClass("vtkMRMLPlotChartNode", f"{title}: chart")
    chart.SetTitle(title)
    chart.SetXAxisTitle("Slice")
    chart.SetYAxisTitle(_("PSNR in head (dB)"))
    for number, row in enumerate(rows):
        _add_numbers(values, row["method"], row["psnr_slices"])
        series = slicer.mrmlScene.AddNewNodeByClass("vtkMRMLPlotSeriesNode", row["method"])
        series.SetAndObserveTableNodeID(values.GetID())
        series.SetXColumnName("Slice")
        series.SetYColumnName(row["method"])
        series.SetPlotType(slicer.vtkMRMLPlotSeriesNode.PlotTypeScatter)
        series.SetMarkerStyle(slicer.vtkMRMLPlotSeriesNode.MarkerStyleNone)
        color = LINES[number % len(LINES)]
        series.SetColor(*(int(color[k : k + 2], 16) / 255 for k in (1, 3, 5)))
        series.SetLineWidth(1.5 if row["classical"] else 3)
        chart.AddAndObservePlotSeriesNodeID(series.GetID())
    return values, chart


def _add_text(node: Any, name: str, values: list[str]) -> None:
    column = vtk.vtkStringArray()
    column.SetName(name)
    for value in values:
        column.InsertNextValue(value)
    node.AddColumn(column)


def _add_numbers(node: Any, name: str, values: list[float | None]) -> None:
    column = vtk.vtkDoubleArray()
    column.SetName(name)
    for value in values:
        column.InsertNextValue(float("nan") if value is None else float(value))
    node.AddColumn(column)


def _paint(maps: list[Any]) -> None:
    """All error maps on one scale, with 0 in its middle: what 99 % of the best method's errors stay below."""
    top = colors.reach(slicer.util.arrayFromVolume(maps[0]), 99)
    for node in maps:
        colors.paint(node, colors.diverging(), -top, top)
