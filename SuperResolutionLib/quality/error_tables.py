"""The figures of a comparison as tables, in text and in HTML."""

from collections.abc import Sequence
from dataclasses import dataclass
from html import escape

from SuperResolutionLib.quality.shell_errors import ShellErrors
from SuperResolutionLib.quality.streamlines import TractErrors
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


def tract_table(errors: Sequence[tuple[str, TractErrors]]) -> Table:
    """How far the streamlines of each method agree with the truth's."""
    rows = [[method, figure(e.dice, 4), str(e.count), str(e.true_count)] for method, e in errors]
    return Table(["streamlines", "Dice", "number", "truth's"], rows, (22, 8, 8, 8))


def shell_table(errors: Sequence[tuple[str, ShellErrors]], classical: Sequence[ShellErrors]) -> Table:
    """What each method loses over shells; the best of the classical methods in each measure; the truth as it is."""
    first = errors[0][1]
    lines = [(method, _figures(one)) for method, one in errors]
    if classical:
        columns = zip(*map(_figures, classical), strict=True)
        lines.append(("best classical of each", [_least(column) for column in columns]))
    lines.append(("truth", [*[None] * (len(first.harmonics) + 2), 100 * first.not_falling_truth]))
    digits = (*[2] * len(first.harmonics), 4, 4, 2)
    rows = [[name, *map(figure, values, digits)] for name, values in lines]
    head = ["over the shells", *(f"b {label}" for label in first.harmonics), "MSK", "white", "rising"]
    units = "harmonics in % of b0; mean signal kurtosis (MSK): mean absolute errors; rising: % of voxels"
    return Table(head, rows, (22, *[8] * (len(head) - 1)), units)


def _figures(errors: ShellErrors) -> list[float | None]:
    """The measures in the order of the columns, shares in per cent."""
    harmonics = [None if share is None else 100 * share for share in errors.harmonics.values()]
    return [*harmonics, errors.msk, errors.msk_white, 100 * errors.not_falling]


def _least(values: Sequence[float | None]) -> float | None:
    return min((value for value in values if value is not None), default=None)


def figure(value: float | None, digits: int) -> str:
    """A number, or a dash for none."""
    return "-" if value is None else f"{value:.{digits}f}"
