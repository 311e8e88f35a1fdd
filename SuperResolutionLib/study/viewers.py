"""The viewers of a report: what each shows of a scan, kept beside its record until the page is made."""

from collections.abc import Mapping
from pathlib import Path

from SuperResolutionLib.errors import InputError
from SuperResolutionLib.methods import zoo
from SuperResolutionLib.quality.comparison import Comparison
from SuperResolutionLib.viewing.contents import Limits, as_json, contents, cut, from_json
from SuperResolutionLib.viewing.layer import UNCERTAINTY, Layer
from SuperResolutionLib.viewing.viewer_page import element
from SuperResolutionLib.volume import Volume

# A page may hold many scans: steps of a 4000th of the range are finer than the noise of any, and deflate better.
_LIMITS = Limits(levels=4000, most=8_000_000)


def write_compared(result: Comparison, path: Path) -> None:
    """Keep what a comparison is looked at by: the best classical method, the best model, the truth, the coarse scan.

    Their volumes must have been kept.
    """
    best = {"best classical": result.best_classical, "enhanced": result.best_model}
    layers = [
        Layer(f"{zoo.label(row.method)} ({what})", row.restored)
        for what, row in best.items()
        if row is not None and row.restored is not None
    ]
    layers += [Layer("truth", result.truth), Layer("coarse scan", result.low, nearest=True)]
    _write(layers, len(layers) - 2, path)


def write_enhanced(
    low: Volume, smooth: tuple[str, Volume], made: Mapping[str, tuple[Volume, Volume]], path: Path
) -> None:
    """Keep what a scan without a truth is looked at by: interpolated, enhanced, the scan, and the uncertainty.

    low: the scan. smooth: the name of a classical method, and its result. made: model -> its result and the spread of
    its eight turns. path: of a file.
    """
    layers = [Layer(f"{smooth[0]} (interpolated)", smooth[1])]
    layers += [Layer(f"{name} (enhanced)", restored) for name, (restored, _) in made.items()]
    layers += [Layer("scan", low, nearest=True)]
    layers += [Layer(f"{name} (uncertainty)", spread, UNCERTAINTY) for name, (_, spread) in made.items()]
    _write(layers, 0, path)


def _write(layers: list[Layer], reference: int, path: Path) -> None:
    path.write_text(as_json(contents(layers, reference, _LIMITS)), encoding="ascii")


def fitting(kept: Mapping[str, Path], room: int) -> dict[str, str]:
    """The elements of viewers by name, with so few slices that all of them fit into `room` bytes.

    kept: the files that were written. What needs less than its share leaves the rest to the others; one of which not a
    slice fits is left out.
    """
    found: dict[str, str] = {}
    order = sorted(kept, key=lambda name: kept[name].stat().st_size)
    for number, name in enumerate(order):
        share = room // (len(order) - number)
        try:
            found[name] = element(cut(from_json(kept[name].read_text(encoding="ascii")), share - 200))
        except InputError:
            continue
        room -= len(found[name])
    return found
