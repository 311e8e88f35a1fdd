"""What a benchmark measured: rows with named fields, one a line of JSON; and the tables of its page.

A page is NAME.md, its rows are NAME.jsonl beside it. Whoever measures puts a row as soon as it is there (`put`), and
what is there for the same model file is not measured again; the page is written anew from all rows.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import msgspec

from SuperResolutionLib.papers.table import in_markdown

DIGITS = 9  # of a stored number: with fewer, a page would round some cells otherwise


@dataclass(frozen=True)
class Row:
    """One measurement.

    model: or the method, or the first of the networks that were measured together. degradation: empty where the scan
    was taken as it is. slices: so many in the middle of the scan, None for all. sha256: of the weights of each model.
    figures: what was found, by name; None where the scan is not of a kind that can be measured.
    """

    model: str
    scan: str
    degradation: str
    scale: int
    seed: int = 0
    slices: int | None = None
    sha256: dict[str, str] = field(default_factory=dict)
    figures: dict[str, Any] | None = None

    @property
    def identity(self) -> tuple[str, str, str, int, int]:
        """What it is a measurement of: another one of the same replaces it."""
        return self.model, self.scan, self.degradation, self.scale, self.seed

    def __getitem__(self, name: str) -> Any:
        """A figure. Raises KeyError for one that was not measured."""
        return (self.figures or {})[name]

    def __contains__(self, name: str) -> bool:
        return name in (self.figures or {})


def beside(page: Path) -> Path:
    """Where the rows of a page lie."""
    return page.with_suffix(".jsonl")


def load(path: Path) -> list[Row]:
    """The rows of a file, in their order; none before the first run. Raises msgspec.ValidationError for other rows."""
    return msgspec.json.Decoder(Row).decode_lines(path.read_bytes()) if path.exists() else []


def store(rows: Iterable[Row], path: Path) -> None:
    """Write rows: all of them, or nothing."""
    part = path.with_name(f".{path.name}.part")
    part.write_bytes(msgspec.json.Encoder().encode_lines([_plain(row) for row in rows]))
    part.replace(path)


def put(row: Row, path: Path) -> None:
    """Store a row in the place of the one of the same identity, or as the last one.

    The file is read anew each time, so that several processes may work on one page.
    """
    store(updated(load(path), row), path)


def updated(rows: Sequence[Row], row: Row) -> list[Row]:
    """The rows with this one in the place of the one of the same identity, or as the last one."""
    if all(one.identity != row.identity for one in rows):
        return [*rows, row]
    return [row if one.identity == row.identity else one for one in rows]


def select(rows: Iterable[Row], **fields: Any) -> list[Row]:
    """The rows whose fields have these values: select(rows, scale=2, degradation="k_space")."""
    return [row for row in rows if all(getattr(row, name) == value for name, value in fields.items())]


def find(rows: Iterable[Row], **fields: Any) -> Row | None:
    """The first row whose fields have these values."""
    return next(iter(select(rows, **fields)), None)


def values(rows: Iterable[Row], name: str) -> list[Any]:
    """One field of all rows, each value once, in order."""
    return list(dict.fromkeys(getattr(row, name) for row in rows))


def table(head: Sequence[str | None], rows: Iterable[Sequence[str | None]]) -> list[str]:
    """The lines of a Markdown table. None: a cell that is left out."""
    return in_markdown([head, *rows]).split("\n")


def _plain(row: Row) -> dict[str, Any]:
    """A row without what it does not say."""
    usual = Row("", "", "", 0)
    kept = {name: value for name, value in vars(row).items() if value != getattr(usual, name)}
    return {"model": row.model, "scan": row.scan, "degradation": row.degradation, "scale": row.scale} | _rounded(kept)


def _rounded(value: Any) -> Any:
    if isinstance(value, float):
        return float(f"{value:.{DIGITS}g}")
    if isinstance(value, dict):
        return {name: _rounded(one) for name, one in value.items()}
    return [_rounded(one) for one in value] if isinstance(value, (list, tuple)) else value
