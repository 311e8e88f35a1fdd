"""The figures of a comparison as tables, in text and in HTML."""

from collections.abc import Sequence
from dataclasses import dataclass
from html import escape

from SuperResolutionLib.quality.tensor_errors import TensorErrors, best_of


@dataclass(frozen=True)
class Table:
    """head: a word for each column. rows: cells. widths: letters of each column in text. units: what is measured."""

    head: Sequence[str]
    rows: Sequence[Sequence[str]]
    widths: Sequence[int]
    units: str = ""

    def __str__(self) -> str:
        head = self._aligned(self.head)
        return "\n".join([f"{head}   {self.units}" if self.units else head, *map(self._aligned, self.rows)])

    def html(self) -> str:
        """The table in HTML; names may hold anything."""
        lines = [("th", self.head), *(("td", row) for row in self.rows)]
        body = "\n".join(
            f"<tr>{''.join(f'<{kind}>{escape(cell)}</{kind}>' for cell in cells)}</tr>" for kind, cells in lines
        )
        return f"<table>\n{body}\n</table>" + (f"<p>In the head mask; {self.units}.</p>" if self.units else "")

    def _aligned(self, cells: Sequence[str]) -> str:
        first, *others = zip(cells, self.widths, strict=True)
        return f"{first[0]:<{first[1]}}" + "".join(f"{cell:>{width}}" for cell, width in others)


def tensor_table(errors: Sequence[tuple[str, TensorErrors]], classical: Sequence[TensorErrors]) -> Table:
    """What each method loses of tensors; the last line takes the best of the classical methods in each measure."""
    best = [("best classical of each", best_of(classical))] if classical else []
    rows = [
        [method, f"{e.psnr:.2f}", *(figure(v, 4) for v in (e.fa, e.fa_white, e.md, e.md_white)), figure(e.angle, 2)]
        for method, e in [*errors, *best]
    ]
    head = ["in the head mask", "PSNR", "FA", "white", "MD", "white", "angle"]
    return Table(head, rows, (22, *[8] * 6), "mean absolute errors; MD in 1e-3 mm2/s; angle in degrees")


def figure(value: float | None, digits: int) -> str:
    """A number, or a dash for none."""
    return "-" if value is None else f"{value:.{digits}f}"
