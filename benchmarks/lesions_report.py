"""benchmarks/lesions.md from the measured rows: what comes back of blobs, by size and by contrast."""

from collections.abc import Sequence

import numpy as np

from benchmarks.results import Row, select, table, values

WEAKENED = 0.9  # of what comes back by sinc
Rows = Sequence[Row]

INTRODUCTION = """# Is a small lesion weakened?

Written by `python -m benchmarks.lesions --data DIR`; do not edit. Discs with a soft edge are painted into flat tissue
of test scans, the scan is made coarse with and without them (with the same noise), and restored. Each cell is the
mean of what comes back of a blob by the model / by sinc: the part of the difference that has the blob's form, 1 is
all of it.
"""


def report(rows: Rows) -> str:
    """The whole page."""
    parts = [INTRODUCTION]
    for model in values(rows, "model"):
        mine = select(rows, model=model)
        parts += [f"\n## {model}\n", _weakened(mine), _table(mine, 0, "diameter, coarse voxels")]
        parts.append(_table(mine, 1, "contrast"))
    return "\n".join(parts)


def _table(rows: Rows, place: int, name: str) -> str:
    """Means by diameter (place 0) or contrast (place 1), for each forward model."""
    ways = values(rows, "degradation")
    kinds = sorted({blob[place] for row in rows for blob in row["blobs"]["sinc"]})
    cells = [[f"{kind:g}", *(_cell(select(rows, degradation=way), place, kind) for way in ways)] for kind in kinds]
    return "\n".join(table([name, *ways], cells)) + "\n"


def _cell(rows: Rows, place: int, kind: float) -> str:
    ours, sinc = _means(rows, place, kind)
    return f"{ours:.2f} / {sinc:.2f}"


def _means(rows: Rows, place: int, kind: float) -> tuple[float, float]:
    """What comes back of blobs of one kind: by the model, by sinc."""
    model = rows[0].model
    own, sinc = (
        float(np.mean([blob[2] for row in rows for blob in row["blobs"][name] if blob[place] == kind]))
        for name in (model, "sinc")
    )
    return own, sinc


def _weakened(rows: Rows) -> str:
    """How many blobs the model weakens by more than a tenth against sinc."""
    model = rows[0].model
    pairs = [pair for row in rows for pair in zip(row["blobs"][model], row["blobs"]["sinc"], strict=True)]
    below = [(own, sinc) for own, sinc in pairs if own[2] < WEAKENED * sinc[2]]
    text = f"{len(below)} of {len(pairs)} blobs are weakened by more than a tenth against sinc"
    if below:
        worst = min(own[2] / sinc[2] for own, sinc in below)
        sizes = ", ".join(f"{d:g}: {sum(own[0] == d for own, _ in below)}" for d in sorted({o[0] for o, _ in below}))
        text += f" (the worst keeps {worst:.2f} of it; by diameter {sizes})"
    return text + ".\n"
