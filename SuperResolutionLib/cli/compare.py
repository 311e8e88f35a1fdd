"""superresolution compare: degrade a scan, restore it by every method, measure."""

import argparse
import time
from collections.abc import Callable, Iterator
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

from SuperResolutionLib.cli import options as common
from SuperResolutionLib.cli import reporter
from SuperResolutionLib.errors import InputError

if TYPE_CHECKING:
    from SuperResolutionLib.geometry.sampling import Grids
    from SuperResolutionLib.quality.comparison import Comparison
    from SuperResolutionLib.volume import Volume


def add(commands: Any) -> None:
    """Add the command to the parser."""
    parser = common.command(
        commands,
        "compare",
        "degrade a scan, restore it by every method, and measure each against the scan",
        "superresolution compare brain.nii.gz --degradation k_space --figure brain.png",
        "superresolution compare t1_1mm.nii.gz --degradation slices:spacing=4,thickness=3 --figure thick.png",
        "superresolution compare dwi.nii.gz --streamlines --json dwi.json --figure dwi.png",
        "superresolution compare brain.nii.gz --json brain.json --errors errors --keep-restored",
    )
    common.add_files(parser, output=False)
    parser.add_argument("--methods", nargs="+", metavar="NAME", help="methods and models (default: all and the blind)")
    parser.add_argument("--degradation", default="k_space", metavar="NAME[:setting=value]", help="the forward model")
    common.add_grid(parser, "coarser")
    common.add_seed(parser)
    common.add_streamlines(parser)
    common.add_network(parser)
    common.add_as_intensities(parser)
    _add_outputs(parser)
    reporter.add(parser)
    parser.set_defaults(run=run)


def _add_outputs(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--json", metavar="FILE", type=Path, help="write the figures here")
    parser.add_argument(
        "--figure",
        metavar="FILE.png",
        type=Path,
        help="write a picture here; of a diffusion series, colour FA beside it in FILE-tensors.png",
    )
    parser.add_argument(
        "--errors", metavar="DIR", type=Path, help="write each method's |restored - truth|, and the coarse scan, here"
    )
    parser.add_argument("--signed", action="store_true", help="with --errors: write restored - truth, with its sign")
    parser.add_argument("--keep-restored", action="store_true", help="with --errors: write the restored volumes too")
    common.add_overwrite(parser, "any of these files")


def run(options: argparse.Namespace) -> int:
    """Compare on a file."""
    with reporter.reporter(options.progress, unit="step") as report:
        began = time.monotonic()
        common.check_writable(options, options.json, ".json")
        common.check_writable(options, options.figure, ".png", *_tensor_figures(options.figure))
        volume = common.read_intensities(options)
        from SuperResolutionLib.methods.catalogue import by_names, putting_back, scale_of
        from SuperResolutionLib.progress import finish
        from SuperResolutionLib.quality.comparison import Experiment, comparing

        experiment = Experiment(
            degradation=options.degradation,
            sampling=common.sampling_of(options),
            seed=options.seed,
            keep=options.figure is not None or options.errors is not None,
            with_streamlines=options.streamlines,
        )
        _, grids = experiment.resolved(volume)
        names = options.methods or _usual(volume, grids)
        _check_errors(options, names)
        methods = putting_back(by_names(names, scale_of(grids)), common.put_back_of(options))
        result = finish(comparing(volume, experiment, methods, common.runtime_of(options)), report.show)
        report.close()
        _write(result, options)
        if options.progress != "json":
            reporter.put(f"{options.input.name}, degraded by {options.degradation} {result.times}\n{result}")
        report.finish(None, time.monotonic() - began)
    return 0


def _usual(volume: "Volume", grids: "Grids") -> list[str]:
    """What is compared where nothing is named: the methods that suit the scan."""
    from SuperResolutionLib.diffusion.guides import is_diffusion
    from SuperResolutionLib.methods.catalogue import default_methods

    return default_methods(grids, is_diffusion(volume))


def _write(result: "Comparison", options: argparse.Namespace) -> None:
    """Everything that was asked for beside the table: all of it, or nothing."""
    from SuperResolutionLib.files.output import write_files

    writers: dict[Path, Callable[[Path], None]] = {}
    if options.json is not None:
        writers[options.json] = partial(common.write_table, {"input": options.input.name, **result.as_table()})
    if options.figure is not None:
        from SuperResolutionLib.study.figure import comparison_figure
        from SuperResolutionLib.study.tensor_figure import tensor_figure

        writers[options.figure] = partial(comparison_figure, result)
        if any(row.tensors is not None for row in result.rows):
            writers |= {path: partial(tensor_figure, result) for path in _tensor_figures(options.figure)}
    if options.errors is not None:
        for name, volume in _volumes(result, options.signed, options.keep_restored):
            path = options.errors / f"{name}.nhdr"
            writers[path] = partial(_write_volume, volume, path)
    if writers:
        write_files(writers, options.overwrite)


def _write_volume(volume: "Callable[[], Volume]", place: Path, path: Path) -> None:
    """A volume that is computed only now: errors of many methods need not all be in memory."""
    from SuperResolutionLib.files.output import image_writer

    image_writer(volume(), place)(path)


def _tensor_figures(figure: Path | None) -> list[Path]:
    """Where the picture of colour FA goes: brain.png -> brain-tensors.png."""
    return [] if figure is None else [figure.with_name(f"{figure.stem}-tensors.png")]


def _check_errors(options: argparse.Namespace, names: list[str]) -> None:
    """Refuse, before any work, a folder for errors that cannot take them."""
    if options.errors is None:
        if options.keep_restored:
            raise InputError("--keep-restored has no folder to write to; name one with --errors DIR, or leave it out.")
        if options.signed:
            raise InputError("--signed has no errors to write; name a folder with --errors DIR, or leave it out.")
        return
    from SuperResolutionLib.files.claims import claimed_folder
    from SuperResolutionLib.files.output import check_folder
    from SuperResolutionLib.methods import zoo

    folder: Path = options.errors
    if folder.exists() and not folder.is_dir():
        raise InputError(f"{folder} is a file, and --errors needs a folder; name another.")
    check_folder(folder if folder.is_dir() else folder.parent)
    options.claims.enter_context(claimed_folder(folder))
    labels = [zoo.label(method) for method in dict.fromkeys(names)]
    stems = ["low", *labels, *(f"{label}-restored" for label in labels if options.keep_restored)]
    if twice := [stem for stem in stems if stems.count(stem) > 1]:
        raise InputError(f"Two volumes would be called {twice[0]}.nhdr in {folder}; rename a model, or leave one out.")
    files = [folder / (stem + extension) for stem in stems for extension in (".nhdr", ".raw")]
    if taken := [path for path in files if path.exists() and not options.overwrite]:
        raise InputError(f"{taken[0]} exists already; name an empty folder with --errors, or move the file away.")


def _volumes(result: "Comparison", signed: bool, restored: bool) -> "Iterator[tuple[str, Callable[[], Volume]]]":
    """The volumes beside the table by name, each by what computes it."""
    from SuperResolutionLib.methods import zoo

    yield "low", lambda: result.low
    for row in result.rows:
        label = zoo.label(row.method)
        yield label, partial(result.error, row, signed)
        if restored and row.restored is not None:
            yield f"{label}-restored", partial(_same, row.restored)


def _same(volume: "Volume") -> "Volume":
    return volume
