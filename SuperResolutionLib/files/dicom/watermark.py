"""A text that is drawn into the pixels of a derived series where that is asked for: into a corner that shows air.

The letters are Pillow's own bitmap font, so that they look the same everywhere.
"""

from dataclasses import dataclass
from itertools import product

import numpy as np
from PIL import Image, ImageDraw, ImageFont

from SuperResolutionLib.errors import InputError
from SuperResolutionLib.intensity import data_range

TEXT = "RESEARCH USE ONLY - SR"
_LAYOUTS = (TEXT, "RESEARCH USE\nONLY - SR", "RESEARCH\nUSE ONLY\n- SR")  # the first that finds air is taken
_BETWEEN = 1  # voxels between lines
_MARGIN = 1  # voxels around the letters, and between them and the edge
_HEAD = 0.05  # of the volume's range: what is brighter is the head
_AIR = 0.01  # the share of voxels as bright as the head up to which a corner shows air


@dataclass(frozen=True, eq=False)
class Watermark:
    """The text in a corner, the same in each image.

    letters: (h, w) bool, with a margin. top, left: where they begin, in rows and columns. corner: where that is, in
    words. covered: the share of it that is as bright as the head in some image. light: what all of it adds up to there,
    in ranges of the volume.
    """

    letters: np.ndarray
    top: int
    left: int
    corner: str
    covered: float
    light: float

    @property
    def in_air(self) -> bool:
        """Whether nothing but air is covered."""
        return self.covered <= _AIR

    def on(self, image: np.ndarray, volume: np.ndarray) -> np.ndarray:
        """A copy of an image (h, w) with the text, in the brightest value of its volume on the darkest."""
        drawn, (rows, columns) = image.copy(), self._place
        drawn[rows, columns] = np.where(self.letters, volume.max(), volume.min())
        return drawn

    def record(self) -> dict[str, object]:
        """What a sidecar says of it."""
        return {"text": TEXT, "corner": self.corner, "over": "air" if self.in_air else "the image"}

    @property
    def _place(self) -> tuple[slice, slice]:
        height, width = self.letters.shape
        return slice(self.top, self.top + height), slice(self.left, self.left + width)


def watermark(series: np.ndarray, name: str) -> Watermark:
    """Where the text covers least of the head, over all images of a series.

    series: (t, z, y, x) voxels. name: of the series, for the sentence.
    Raises InputError where the images are too small for the text.
    """
    bright = np.max([volume.max(axis=0) / data_range(volume) for volume in series], axis=0)
    texts = [_letters(text) for text in _LAYOUTS]
    found = [_at(bright, letters, corner) for letters in texts for corner in _corners(bright, letters)]
    if not found:
        raise InputError(
            f"The images of {name} have {_across(bright)} voxels and the watermark needs {_across(texts[-1])}; leave "
            "--watermark out."
        )
    return next((one for one in found if one.in_air), min(found, key=lambda one: one.light))


def _across(image: np.ndarray) -> str:
    return " x ".join(map(str, image.shape[::-1]))


def _letters(text: str) -> np.ndarray:
    font, margin = ImageFont.load_default_imagefont(), _MARGIN
    _, _, width, height = ImageDraw.Draw(Image.new("1", (1, 1))).textbbox((0, 0), text, font, spacing=_BETWEEN)
    canvas = Image.new("1", (int(width) + 2 * margin, int(height) + 2 * margin))
    ImageDraw.Draw(canvas).text((margin, margin), text, 1, font, spacing=_BETWEEN)
    return np.array(canvas, bool)


def _corners(bright: np.ndarray, letters: np.ndarray) -> list[tuple[str, str]]:
    """The corners of an image, in words; none where the text is larger than the image."""
    fits = all(text <= image for text, image in zip(letters.shape, bright.shape, strict=True))
    return list(product(("bottom", "top"), ("left", "right"))) if fits else []


def _at(bright: np.ndarray, letters: np.ndarray, corner: tuple[str, str]) -> Watermark:
    last = np.subtract(bright.shape, letters.shape)
    top, left = (int(n) if side in ("bottom", "right") else 0 for n, side in zip(last, corner, strict=True))
    under = bright[top : top + letters.shape[0], left : left + letters.shape[1]]
    return Watermark(letters, top, left, " ".join(corner), float((under > _HEAD).mean()), float(under.sum()))
