"""benchmarks/robustness.md from what was counted, which lies beside it in robustness.json."""

import json
from collections import Counter
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from Testing.fuzz.cases import Found

HEAD = """# What damaged files come to

Made by `python -m Testing.fuzz --count N --seed S --out benchmarks/robustness.md`.
"""
FUZZ = """
{count} files (seed {seed}), each a small whole file with one to three changes: bits, bytes, numbers and words of the
header, ends cut off, pieces removed or there twice. Each is given to the command that takes it in. *Read*: exit code 0
and an output; *refused*: exit code 2, one sentence, no file. *Bad*: anything else, a traceback, a signal, more than 20
seconds or 600 MB, a file left behind.

| kind | files | read | refused | bad |
|---|---|---|---|---|
"""


def counted(found: Sequence[Found], seed: int) -> dict[str, Any]:
    """The counts by kind."""
    kinds: dict[str, Counter[str]] = {}
    for one in found:
        kinds.setdefault(one.kind, Counter())["bad" if one.bad else one.outcome] += 1
    return {"seed": seed, "count": len(found), "rows": {name: dict(kinds[name]) for name in sorted(kinds)}}


def store(path: Path, table: dict[str, Any]) -> None:
    """Write the page, and its counts beside it."""
    path.with_suffix(".json").write_text(json.dumps(table, indent=1, sort_keys=True) + "\n")
    path.write_text(text(table))


def text(table: dict[str, Any]) -> str:
    """The page."""
    lines = []
    for name, row in table["rows"].items():
        cells = [sum(row.values()), *(row.get(column, 0) for column in ("read", "refused", "bad"))]
        lines.append(f"| {name} | {' | '.join(map(str, cells))} |\n")
    return HEAD + FUZZ.format(**table) + "".join(lines)
