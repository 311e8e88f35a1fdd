"""superresolution compare: degrade a scan, restore it by every method, measure."""

import argparse
import json
import time
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

from SuperResolutionLib.cli import options as common
from SuperResolutionLib.cli import reporter
from SuperResolutionLib.errors import InputError

if TYPE_CHECKING:
    from SuperResolutionLib.methods.method import Method
    from SuperResolutionLib.quality.comparison import Comparison
    from SuperResolutionLib.volume import Volume


def add(commands: Any) -> None:
    """Add the command to the parser."""
    parser = common.command(
        commands,
        "compare",
        "degrade a scan, restore it by every method, and measure each against the scan",
        "superresolution compare brain.nii.gz --degradation k_space --figure brain.png",
        "superresolution compare dwi.nii.gz --json dwi.json --figure dwi.png",
        "superresolution compare brain.nii.gz --json brain.json --errors errors --keep-restored",
    )
    common.add_files(parser, output=False)
    parser.add_argument("--methods", nargs="+", metavar="NAME", help="methods and models (default: all and the blind)")
    parser.add_argument("--degradation", default="k_space", metavar="NAME[:setting=value]", help="the forward model")
    common.add_grid(parser, "coarser")
    common.add_seed(parser)
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


def run(options: argparse.Namespace) -> int:
    """Compare on a file."""
    with reporter.reporter(options.progress, unit="step") as report:
        began = time.monotonic()
        common.check_writable(options.json, ".json")
        common.check_writable(options.figure, ".png")
        volume = common.read_intensities(options)
        _check_errors(options, volume)
        from SuperResolutionLib.progress import finish
        from SuperResolutionLib.quality.comparison import Experiment, comparing

        experiment = Experiment(
            degradation=options.degradation,
            sampling=common.sampling_of(options),
            seed=options.seed,
            keep=options.figure is not None or options.errors is not None,
        )
        methods = _methods(options, volume)
        result = finish(comparing(volume, experiment, methods, common.runtime_of(options)), report.show)
        report.close()
        if options.progress != "json":
            print(f"{options.input.name}, degraded by {options.degradation} x{result.scale:g}\n{result}")
        _write(result, options)
        report.finish(None, time.monotonic() - began)
    return 0


def _methods(options: argparse.Namespace, volume: "Volume") -> "dict[str, Method]":
    """The methods by name, the networks among them as the options have them."""
    from SuperResolutionLib.methods.catalogue import by_names, putting_back

    scale = common.scale_of(common.sampling_of(options))
    return putting_back(by_names(_names(options, volume), scale), common.put_back_of(options))


def _names(options: argparse.Namespace, volume: "Volume") -> list[str]:
    """What is compared: the methods that are named, or those that suit the scan."""
    from SuperResolutionLib.diffusion.guides import is_diffusion
    from SuperResolutionLib.methods.catalogue import default_methods

    scale = common.scale_of(common.sampling_of(options))
    return options.methods or default_methods(scale, is_diffusion(volume))


def _write(result: "Comparison", options: argparse.Namespace) -> None:
    """Everything that was asked for beside the table."""
    if options.json is not None:
        table = {"input": options.input.name, **result.as_table()}
        options.json.write_text(json.dumps(table, indent=2) + "\n", encoding="utf-8")
    if options.figure is not None:
        from SuperResolutionLib.study.figure import comparison_figure

        comparison_figure(result, options.figure)
        if any(row.tensors is not None for row in result.rows):
            from SuperResolutionLib.study.tensor_figure import tensor_figure

            tensor_figure(result, _tensor_figure_path(options.figure))
    if options.errors is not None:
        _write_errors(result, options)


def _tensor_figure_path(figure: Path) -> Path:
    """Where the picture of colour FA goes: brain.png -> brain-tensors.png."""
    return figure.with_name(f"{figure.stem}-tensors.png")


def _check_errors(options: argparse.Namespace, volume: "Volume") -> None:
    """Refuse, before any work, a folder for errors that cannot take them."""
    if options.errors is None:
        if options.keep_restored:
            raise InputError("--keep-restored has no folder to write to; name one with --errors DIR, or leave it out.")
        if options.signed:
            raise InputError("--signed has no errors to write; name a folder with --errors DIR, or leave it out.")
        return
    from SuperResolutionLib.files.output import check_folder
    from SuperResolutionLib.methods import zoo

    folder: Path = options.errors
    if folder.exists() and not folder.is_dir():
        raise InputError(f"{folder} is a file, and --errors needs a folder; name another.")
    check_folder(folder if folder.is_dir() else folder.parent)
    labels = [zoo.label(method) for method in dict.fromkeys(_names(options, volume))]
    names = ["low", *labels, *(f"{label}-restored" for label in labels if options.keep_restored)]
    if twice := [name for name in names if names.count(name) > 1]:
        raise InputError(f"Two volumes would be called {twice[0]}.nhdr in {folder}; rename a model, or leave one out.")
    files = [folder / (name + extension) for name in names for extension in (".nhdr", ".raw")]
    if taken := [path for path in files if path.exists()]:
        raise InputError(f"{taken[0]} exists already; name an empty folder with --errors, or move the file away.")


def _write_errors(result: "Comparison", options: argparse.Namespace) -> None:
    """All of them or none."""
    from SuperResolutionLib import files

    folder: Path = options.errors
    folder.mkdir(exist_ok=True)
    written: list[Path] = []
    try:
        for name, volume in _volumes(result, options.signed, options.keep_restored):
            path = folder / f"{name}.nhdr"
            files.write(volume, path)
            written += [path, folder / f"{name}.raw"]
    except BaseException:
        for path in written:
            path.unlink(missing_ok=True)
        raise


def _volumes(result: "Comparison", signed: bool, restored: bool) -> "Iterator[tuple[str, Volume]]":
    from SuperResolutionLib.methods import zoo

    yield "low", result.low
    for row in result.rows:
        label = zoo.label(row.method)
        yield label, result.error(row, signed)
        if restored and row.restored is not None:
            yield f"{label}-restored", row.restored
