"""superresolution reproduce: what a paper prints, and what our networks reach under its degradation."""

import argparse
import time
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

from SuperResolutionLib import __version__
from SuperResolutionLib.cli import options as common
from SuperResolutionLib.cli import reporter

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from SuperResolutionLib.papers.measure import Record
    from SuperResolutionLib.papers.works import Work
    from SuperResolutionLib.study.subjects import Scan


def add(commands: Any) -> None:
    """Add the command to the parser."""
    parser = common.command(
        commands,
        "reproduce",
        "print a paper's table beside ours, under its degradation",
        "superresolution reproduce D --data scans/",
        "superresolution reproduce A --data dwi/ --models runs/ --out work-a --json a.json",
    )
    parser.add_argument("work", metavar="WORK", help="A, B, C, D or E (docs/papers.md says which papers they are)")
    parser.add_argument(
        "--data", metavar="DIR", type=Path, required=True, help='scans; of a folder with "test" folders only those'
    )
    parser.add_argument("--out", metavar="DIR", type=Path, help="write the table (Markdown) and a picture here")
    parser.add_argument("--json", metavar="FILE", type=Path, help="write the figures here")
    common.add_overwrite(parser, "any of these files")
    parser.add_argument(
        "--models", metavar="DIR", nargs="+", type=Path, default=[], help="folders of models beside the installed ones"
    )
    parser.add_argument("--slices", metavar="N", type=common.positive, help="only N slices in the middle of each scan")
    parser.add_argument("--credit", metavar="TEXT", default="", help="source and licence of the scans, for the picture")
    common.add_device(parser)
    common.add_precision(parser)
    reporter.add(parser)
    parser.set_defaults(run=run)


def run(options: argparse.Namespace) -> int:
    """Measure a work's networks and print its table."""
    from SuperResolutionLib.papers.works import by_letter

    with reporter.reporter(options.progress, unit="%") as report:
        began = time.monotonic()
        work = by_letter(options.work)
        _check_outputs(work, options)
        from SuperResolutionLib.files.provenance import USE
        from SuperResolutionLib.papers import table
        from SuperResolutionLib.papers.measure import measuring
        from SuperResolutionLib.progress import finish
        from SuperResolutionLib.study.subjects import held_out

        scans = held_out(options.data)
        steps = measuring(work, scans, options.models, options.slices, common.runtime_of(options))
        tables = finish(steps, report.show)
        report.close()
        _write(work, tables, scans, options)
        if options.progress != "json":
            reporter.put(f"{table.page(work, tables, table.in_characters)}\n\n{table.KEY}\n{USE}")
        report.finish(options.out, time.monotonic() - began)
    return 0


def _check_outputs(work: "Work", options: argparse.Namespace) -> None:
    """Refuse, before any work, outputs that cannot be written and folders that are not there."""
    from SuperResolutionLib.errors import InputError

    common.check_writable(options, options.json, ".json")
    for folder in options.models:
        if not folder.is_dir():
            raise InputError(f"The folder of models {folder} does not exist; name another with --models.")
    if options.out is not None:
        common.check_report(options, options.out, _names(work))


def _plain(work: "Work", tables: "Sequence[list[Record]]") -> dict[str, Any]:
    from SuperResolutionLib.files.provenance import USE
    from SuperResolutionLib.papers.table import as_plain

    return {
        "work": work.letter,
        "title": work.title,
        "words": work.words,
        "differs": work.differs,
        "cases": [as_plain(case, records) for case, records in zip(work.cases, tables, strict=True)],
        "software": f"SuperResolution {__version__}",
        "use": USE,
    }


def _write(
    work: "Work", tables: "Sequence[list[Record]]", scans: "Sequence[Scan]", options: argparse.Namespace
) -> None:
    """The figures, the table and the picture: all that were asked for, or nothing."""
    from SuperResolutionLib.files.output import write_files
    from SuperResolutionLib.files.provenance import USE
    from SuperResolutionLib.papers import table
    from SuperResolutionLib.papers.picture import papers_figure, showing
    from SuperResolutionLib.study.report import licences

    writers: dict[Path, Callable[[Path], None]] = {}
    if options.json is not None:
        writers[options.json] = partial(common.write_table, _plain(work, tables))
    if options.out is not None:
        shown = showing(work, tables, scans, options.models, options.slices, common.runtime_of(options))
        text = f"# {table.page(work, tables, table.in_markdown)}\n\n{table.KEY}\n\n{USE}\n"
        page, picture = (options.out / name for name in _names(work))
        writers[page] = partial(_write_text, text)
        writers[picture] = partial(papers_figure, shown, note=licences(options.credit))
    if writers:
        write_files(writers, options.overwrite)


def _names(work: "Work") -> tuple[str, str]:
    """The files in --out."""
    return f"work-{work.letter.lower()}.md", f"work-{work.letter.lower()}.png"


def _write_text(text: str, path: Path) -> None:
    path.write_text(text, encoding="utf-8")
