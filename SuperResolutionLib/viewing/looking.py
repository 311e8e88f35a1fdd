"""A page to look through volumes, as a notebook shows it and as a file keeps it."""

import html
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from SuperResolutionLib.errors import InputError
from SuperResolutionLib.files.output import check_files, write_files
from SuperResolutionLib.viewing.layer import Layer, single
from SuperResolutionLib.viewing.viewer_page import viewer_page
from SuperResolutionLib.volume import Volume

_TALL = 760  # pixels in a notebook


@dataclass(frozen=True, repr=False)
class View:
    """A page that shows volumes. page: HTML that needs nothing but itself."""

    page: str

    def __repr__(self) -> str:
        return f"View, {len(self.page) / 1e6:.1f} MB; show it in a notebook, or save('page.html')"

    def _repr_html_(self) -> str:
        return (
            f'<iframe srcdoc="{html.escape(self.page)}" sandbox="allow-scripts" title="viewer" '
            f'style="width:100%;height:{_TALL}px;border:0"></iframe>'
        )

    def save(self, path: str | Path, overwrite: bool = False) -> None:
        """Write the page to a file that ends in .html. Raises InputError where that cannot be done."""
        path = Path(path)
        if path.suffix.lower() != ".html":
            raise InputError(f"{path} cannot be written as HTML; name a file that ends in .html.")
        check_files([path], None, overwrite)
        write_files({path: self.write}, overwrite)

    def write(self, path: Path) -> None:
        """Write the page, without any check."""
        path.write_text(self.page, encoding="utf-8")


def viewed(
    volumes: Sequence[Volume], names: Sequence[str], volume: int = 0, finest: bool = False, whole: bool = False
) -> View:
    """A view of volumes on any grids, all resampled to that of the first.

    volumes: or series, or tensors. names: of the volumes, any text. volume: which one of a series, counted from 0.
    finest: resample to the grid of the smallest voxels instead. whole: do not crop to the head.
    Raises InputError for none, for another number of names, for volumes that have no place in common.
    """
    if not volumes:
        raise InputError("There is no volume to view; give at least one.")
    if len(names) != len(volumes):
        raise InputError(f"There are {len(names)} names for {len(volumes)} volumes; give one for each.")
    layers = [single(Layer(name, one), volume) for name, one in zip(names, volumes, strict=True)]
    sizes = [float(np.prod(layer.volume.spacing)) for layer in layers]
    return View(viewer_page(layers, int(np.argmin(sizes)) if finest else 0, whole))


def names_of(paths: Sequence[Path]) -> list[str]:
    """The names of files; with their folders where two of them are the same."""
    short = [path.name or str(path) for path in paths]
    return [name if short.count(name) == 1 else str(path) for name, path in zip(short, paths, strict=True)]
