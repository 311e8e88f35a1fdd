"""The five works on the test scans: their networks, their twins and ours; a table and a picture of each.

    python -m benchmarks.papers --data DIR [--works A B] [--models runs/] [--slices N] [--minutes M]

DIR holds test scans under folders called "test" (or scans of your own, all taken). --models: folders of models beside
the installed ones, a fresh training's before one that is installed. Each record is kept beside --out as soon as it is
measured; a model that it has figures of, from the same file, is not measured again. The page and the pictures are made
anew from all records; a work none of whose networks is there gets no picture.
"""

import argparse
import os
import time
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from pathlib import Path

from benchmarks import results
from benchmarks.credits import credit
from benchmarks.papers_report import report
from benchmarks.results import Row
from SuperResolutionLib.papers.measure import Record, examining, fingerprints, has_network, located
from SuperResolutionLib.papers.picture import papers_figure, showing
from SuperResolutionLib.papers.works import WORKS, Case, Work
from SuperResolutionLib.progress import finish
from SuperResolutionLib.study.subjects import Scan, held_out

Part = tuple[Work, Case, Scan, int]
"""What is measured at once: a case of a work on a scan, with a seed."""


def parts(works: Sequence[str], scans: Sequence[Scan]) -> Iterator[Part]:
    """What there is to measure."""
    for work in map(WORKS.__getitem__, works):
        for case in work.cases:
            yield from ((work, case, scan, seed) for scan in scans for seed in case.seeds)


def row_of(case: Case, scan: str, seed: int, record: Record | None = None) -> Row:
    """A record as it is stored; None for a scan that the case does not take."""
    row = Row(case.networks[0].name, scan, case.degradation, case.scale, seed)
    if record is None:
        return row
    figures = {name: record[name] for name in ("subject", "methods")}
    return replace(row, slices=record["slices"], sha256=record["sha256"], figures=figures)


def record_of(row: Row | None) -> Record | None:
    """A stored record as the library takes it; None where there is none, or the case does not take the scan."""
    if row is None or row.figures is None:
        return None
    return {"scan": row.scan, "seed": row.seed, "slices": row.slices, "sha256": row.sha256, **row.figures}


def records_of(case: Case, rows: Sequence[Row]) -> list[Record]:
    """All records of a case, by scan and seed."""
    own = results.select(rows, model=case.networks[0].name, degradation=case.degradation, scale=case.scale)
    ordered = sorted(own, key=lambda row: (row.scan, row.seed))
    return [record for row in ordered if (record := record_of(row)) is not None]


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


def tables(rows: Sequence[Row], folders: Sequence[Path], slices: int | None) -> dict[str, list[list[Record]]]:
    """The records that may be printed, of each work that has some and each of its cases."""
    found = {}
    for letter, work in WORKS.items():
        models = [fingerprints(located(case, folders)) for case in work.cases]
        own = [
            [record for record in records_of(case, rows) if current(record, sha256, slices)]
            for case, sha256 in zip(work.cases, models, strict=True)
        ]
        if any(own):
            found[letter] = own
    return found


def measured_anew(row: Row, part: Part, folders: Sequence[Path], slices: int | None) -> Row | None:
    """The row with figures of every model that it lacks; None where it lacks none. row: as it is stored, or empty."""
    _, case, scan, seed = part
    record = record_of(row)
    models = located(case, folders)
    kept = record if record is not None and record["slices"] == slices else None
    if kept is not None:
        models = {name: models[name] for name in missing(kept, case, fingerprints(models))}
        if not models:
            return None
    found = finish(examining(scan, case, models, seed, slices))
    return row_of(case, scan.name, seed, joined(kept, found) if kept and found else found)


def pictured(letter: str, own: list[list[Record]], options: argparse.Namespace, fresh: bool) -> Path:
    """Where a work's picture lies; drawn where it has a network, and figures are fresh or there is none."""
    path: Path = options.pictures / f"papers-{letter.lower()}.png"
    if any(map(has_network, WORKS[letter].cases, own)) and (fresh or not path.exists()):
        shown = showing(WORKS[letter], own, held_out(options.data), options.models, options.slices)
        sources = credit(name for name, _ in shown)
        papers_figure(shown, path, f"Scans: {sources}." if sources else "")
    return path


def main() -> None:
    """Measure what is not yet measured, then write the page and the pictures."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--data", type=Path, required=True)
    parser.add_argument("--works", nargs="+", choices=WORKS, default=list(WORKS))
    parser.add_argument("--scans", nargs="+", metavar="NAME", help="these test volumes")
    parser.add_argument("--models", type=Path, nargs="+", default=[])
    parser.add_argument("--slices", type=int, help="only so many in the middle of each scan: to see that it works")
    parser.add_argument("--minutes", type=float, default=float("inf"), help="stop measuring after this long")
    parser.add_argument("--out", type=Path, default=Path("benchmarks/papers.md"))
    parser.add_argument("--pictures", type=Path, default=Path("docs"))
    options = parser.parse_args()
    store, began, fresh = results.beside(options.out), time.monotonic(), set()
    scans = [scan for scan in held_out(options.data) if options.scans is None or scan.name in options.scans]
    for part in parts(options.works, scans):
        work, case, scan, seed = part
        empty = row_of(case, scan.name, seed)
        there = next((row for row in results.load(store) if row.identity == empty.identity), None)
        if there is not None and there.figures is None:  # a scan that the case does not take
            continue
        if time.monotonic() - began > options.minutes * 60:
            break
        row = measured_anew(there or empty, part, options.models, options.slices)
        if row is not None:
            results.put(row, store)
            fresh.add(work.letter)
            said = "" if row.figures else ": not of this kind"
            print(f"{time.monotonic() - began:6.0f} s  {' '.join(map(str, row.identity))}{said}", flush=True)
    found = tables(results.load(store), options.models, options.slices)
    pictures = {letter: pictured(letter, own, options, letter in fresh) for letter, own in found.items()}
    options.out.write_text(report(found, linked(pictures, options.out.parent)), encoding="utf-8")


def linked(pictures: Mapping[str, Path], folder: Path) -> dict[str, str]:
    """The address of each picture that is there, from the page's folder."""
    return {letter: os.path.relpath(path, folder) for letter, path in pictures.items() if path.exists()}


if __name__ == "__main__":
    main()
