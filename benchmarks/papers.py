"""The five works on the test scans: their networks, their twins and ours; a table and a picture of each.

    python -m benchmarks.papers --data DIR [--works A B] [--models runs/] [--slices N] [--minutes M]

DIR holds test scans under folders called "test" (or scans of your own, all taken). --models: folders of models beside
the installed ones, a fresh training's before one that is installed. Each record is kept in the JSON beside --out as
soon as it is measured; a model that it has figures of, from the same file, is not measured again. The page and the
pictures are made anew from all records; a work none of whose networks is there gets no picture.
"""

import argparse
import json
import os
import time
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

from benchmarks.credits import credit
from benchmarks.papers_report import report
from SuperResolutionLib.papers.measure import Record, examining, fingerprints, has_network, located
from SuperResolutionLib.papers.picture import papers_figure, showing
from SuperResolutionLib.papers.works import WORKS, Case, Work
from SuperResolutionLib.progress import finish
from SuperResolutionLib.study.subjects import Scan, held_out

Rows = dict[str, Any]


def parts(work: Work, scans: Sequence[Scan]) -> Iterator[tuple[str, Case, Scan, int]]:
    """What there is to measure of a work: key, case, scan, seed."""
    for case in work.cases:
        for scan in scans:
            for seed in case.seeds:
                yield f"{work.letter}|{case.networks[0].name}|{scan.name}|{seed}", case, scan, seed


def missing(row: Record, case: Case, sha256: Mapping[str, str]) -> set[str]:
    """The models that a record has no figures of, or of another file; and what is set against one of these, or it."""
    changed = {name for name, own in sha256.items() if row["sha256"].get(name) != own}
    pairs = ({network.name, network.beside} for network in case.networks)
    return sha256.keys() & changed.union(*(pair for pair in pairs if pair & changed))


def joined(old: Record, new: Record) -> Record:
    """A record with the figures of both; the new ones where both have some."""
    return {**new, **{part: {**old[part], **new[part]} for part in ("sha256", "methods")}}


def current(row: Record | None, sha256: Mapping[str, str], slices: int | None) -> bool:
    """Whether a record may be printed: it is of these slices, and of no model file that has been replaced since."""
    if row is None or row["slices"] != slices:
        return False
    return all(sha256.get(name, measured) == measured for name, measured in row["sha256"].items())


def tables(
    work: Work, rows: Rows, scans: Sequence[Scan], folders: Sequence[Path], slices: int | None
) -> list[list[Record]]:
    """The records of each case, of those scans that were measured."""
    found: dict[Case, list[Record]] = {case: [] for case in work.cases}
    for key, case, _, _ in parts(work, scans):
        if current(rows.get(key), fingerprints(located(case, folders)), slices):
            found[case].append(rows[key])
    return list(found.values())


def main() -> None:
    """Measure what is not yet measured, then write the page and the pictures."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--data", type=Path, required=True)
    parser.add_argument("--works", nargs="+", choices=WORKS, default=list(WORKS))
    parser.add_argument("--models", type=Path, nargs="+", default=[])
    parser.add_argument("--slices", type=int, help="only so many in the middle of each scan: to see that it works")
    parser.add_argument("--minutes", type=float, default=float("inf"), help="stop measuring after this long")
    parser.add_argument("--out", type=Path, default=Path("benchmarks/papers.md"))
    parser.add_argument("--pictures", type=Path, default=Path("docs"))
    options = parser.parse_args()
    store = options.out.with_suffix(".json")
    rows: Rows = json.loads(store.read_text(encoding="utf-8")) if store.exists() else {}
    scans, began, fresh = held_out(options.data), time.monotonic(), set()
    todo = [(work, *part) for work in map(WORKS.__getitem__, options.works) for part in parts(work, scans)]
    for work, key, case, scan, seed in todo:
        models, row = located(case, options.models), rows.get(key)
        if key in rows and row is None:  # a scan that the case does not take
            continue
        kept = row if row is not None and row["slices"] == options.slices else None
        if kept is not None:
            models = {name: models[name] for name in missing(kept, case, fingerprints(models))}
            if not models:
                continue
        if time.monotonic() - began > options.minutes * 60:
            break
        found = finish(examining(scan, case, models, seed, options.slices))
        rows[key] = joined(kept, found) if kept and found else found
        fresh.add(work.letter)
        store.write_text(json.dumps(rows, indent=0) + "\n", encoding="utf-8")
        print(f"{time.monotonic() - began:6.0f} s  {key}{'' if rows[key] else ': not of this kind'}", flush=True)
    given = (rows, scans, options.models, options.slices)
    measured = {letter: own for letter, work in WORKS.items() if any(own := tables(work, *given))}
    pictures = {letter: options.pictures / f"papers-{letter.lower()}.png" for letter in measured}
    for letter, path in pictures.items():
        if any(map(has_network, WORKS[letter].cases, measured[letter])) and (letter in fresh or not path.exists()):
            shown = showing(WORKS[letter], measured[letter], scans, options.models, options.slices)
            sources = credit(name for name, _ in shown)
            papers_figure(shown, path, f"Scans: {sources}." if sources else "")
    links = {letter: os.path.relpath(path, options.out.parent) for letter, path in pictures.items() if path.exists()}
    options.out.write_text(report(measured, links), encoding="utf-8")


if __name__ == "__main__":
    main()
