"""benchmarks/robustness.md from what was counted, which lies beside it in robustness.json."""

import json
from collections import Counter
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from Testing.fuzz.cases import Found

HEAD = """# What damaged files and killed processes come to

Made by `python -m Testing.fuzz --count N --seed S --out benchmarks/robustness.md` (damaged files) and
`python -m Testing.fuzz.kills --count N --seed S --out benchmarks/robustness.md` (killed processes).
"""
FUZZ = """
## Damaged files

{count} files (seed {seed}), each a small whole file with one to three changes: bits, bytes, numbers and words of the
header, ends cut off, pieces removed or there twice. Each is given to the command that takes it in. *Read*: exit code 0
and an output; *refused*: exit code 2, one sentence, no file. *Bad*: anything else, a traceback, a signal, more than 20
seconds or 600 MB, a file left behind.

| kind | files | read | refused | bad |
|---|---|---|---|---|
"""
KILLS = """
## Killed processes

{count} commands (seed {seed}), each ended by a signal at a random moment. No command left half a file under its final
name, or anything at all after the next run of it, except where *bad* counts it.

| command | signal | killed while it worked | finished before | bad |
|---|---|---|---|---|
"""


def counted(found: Sequence[Found], seed: int) -> dict[str, Any]:
    """The counts by kind."""
    kinds: dict[str, Counter[str]] = {}
    for one in found:
        kinds.setdefault(one.kind, Counter())["bad" if one.bad else one.outcome] += 1
    return {"seed": seed, "count": len(found), "rows": {name: dict(kinds[name]) for name in sorted(kinds)}}


def held(path: Path, part: str) -> dict[str, Any]:
    """The counts of one part that lie beside a page; none where there are none."""
    beside = path.with_suffix(".json")
    found: dict[str, Any] = json.loads(beside.read_text()) if beside.exists() else {}
    return found.get(part, {})


def store(path: Path, part: str, table: dict[str, Any]) -> None:
    """Put the counts of one part beside those of the other, and make the page anew."""
    beside = path.with_suffix(".json")
    whole = json.loads(beside.read_text()) if beside.exists() else {}
    whole[part] = table
    beside.write_text(json.dumps(whole, indent=1, sort_keys=True) + "\n")
    path.write_text(text(whole))


def text(counts: dict[str, Any]) -> str:
    """The page."""
    page = HEAD
    if "fuzz" in counts:
        page += FUZZ.format(**counts["fuzz"]) + _rows(counts["fuzz"]["rows"], ("read", "refused", "bad"), whole=True)
    if "kills" in counts:
        page += KILLS.format(**counts["kills"]) + _rows(counts["kills"]["rows"], ("killed", "finished", "bad"))
    return page


def _rows(rows: dict[str, dict[str, int]], columns: Sequence[str], whole: bool = False) -> str:
    lines = []
    for name, row in rows.items():
        cells = [row.get(column, 0) for column in columns]
        lines.append(f"| {name} | {' | '.join(map(str, [sum(row.values()), *cells] if whole else cells))} |\n")
    return "".join(lines)
