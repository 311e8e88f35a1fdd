"""How a volume shows itself: in one line, as three slices in a notebook, as a figure."""

import base64
import html as escaping
import struct
import zlib
from dataclasses import replace
from io import BytesIO
from typing import TYPE_CHECKING

import numpy as np

from SuperResolutionLib.errors import InputError
from SuperResolutionLib.volume import SIGNAL, TENSOR, Volume

if TYPE_CHECKING:
    from matplotlib.figure import Figure

_SIDE = 220  # pixels of the longest side of a slice in a notebook
_NAMES = ("axial", "coronal", "sagittal")


def line(volume: Volume) -> str:
    """Size, spacing, plane, voxel type and gradients, as "Volume 7 x 8 x 9, 1.00 x 1.00 x 4.00 mm, axial, int16"."""
    from SuperResolutionLib.geometry.grid import anatomical_plane

    size, spacing = " x ".join(map(str, volume.size)), " x ".join(f"{s:.2f}" for s in volume.spacing)
    parts = [f"Volume {size}", f"{spacing} mm", anatomical_plane(volume), str(volume.voxels.dtype)]
    if volume.quantity == TENSOR:
        parts.append("diffusion tensors")
    elif volume.voxels.ndim == 4:
        parts.append(f"{volume.count} volumes" if volume.count != 1 else "1 volume")
    if volume.gradients is None:
        return ", ".join(parts)
    bvals = volume.gradients.bvals
    return f"{', '.join(parts)}: b {bvals.min():.0f} to {bvals.max():.0f}"


def upright(volume: Volume) -> tuple[np.ndarray, tuple[int, int, int], tuple[bool, bool, bool]]:
    """The voxels of a 3-D volume as a patient stands: a view (s, p, l) that runs to the head, the back and the left.

    Also the voxel axis (x, y, z = 0, 1, 2) that each of them is, and whether it is turned round. Of an oblique grid the
    nearest axes.
    """
    from SuperResolutionLib.geometry.grid import stacking_axis

    s, p, left = (stacking_axis(volume, name) for name in _NAMES)
    turned = [bool(volume.direction[world, axis] < 0) for world, axis in ((2, s), (1, p), (0, left))]
    steps = tuple(slice(None, None, -1) if turn else slice(None) for turn in turned)
    voxels = volume.voxels.transpose(2 - s, 2 - p, 2 - left)[steps]
    return voxels, (s, p, left), (turned[0], turned[1], turned[2])


def middle_slices(volume: Volume) -> list[tuple[str, np.ndarray, float]]:
    """The name, the voxels (rows, columns) and the height of a row by the width of a column of three slices.

    Axial, coronal and sagittal through the middle of the first volume of a series, or of the mean diffusivity of
    tensors. As radiologists look: axial and coronal with the patient's left on the right side, head up; sagittal with
    the nose to the left. Of an oblique grid the nearest planes.
    """
    voxels = volume.voxels
    if volume.quantity == TENSOR:
        voxels = (voxels[0] + voxels[3] + voxels[5]) / 3
    single = voxels[0] if voxels.ndim == 4 else voxels
    body, order, _ = upright(replace(volume, voxels=single, gradients=None, quantity=SIGNAL))
    s, p, left = (n // 2 for n in body.shape)
    high, deep, wide = (volume.spacing[axis] for axis in order)
    return [
        ("axial", body[s], deep / wide),
        ("coronal", body[::-1, p], high / wide),
        ("sagittal", body[::-1, :, left], high / deep),
    ]


def html(volume: Volume) -> str:
    """The line, and below it the three slices as one picture."""
    text = f"<div>{escaping.escape(line(volume))}</div>"
    content = base64.b64encode(_png(_side_by_side(volume, _window(volume)))).decode()
    return f'{text}<img alt="axial, coronal and sagittal slice" src="data:image/png;base64,{content}">'


def compared(low: Volume, high: Volume) -> bytes:
    """A PNG: the three slices of a scan, and below them those of what was made of it, in the window of the scan."""
    window = _window(low)
    rows = [_side_by_side(volume, window, 2 * _SIDE) for volume in (low, high)]
    wide = max(row.shape[1] for row in rows)
    return _png(np.vstack([np.pad(row, ((0, 4), (0, wide - row.shape[1]))) for row in rows]))


def figure(volume: Volume) -> "Figure":
    """The three slices as a figure of matplotlib, titled by the line. Raises InputError where it is not installed."""
    try:
        from matplotlib.figure import Figure
    except ImportError as error:
        raise InputError(
            "A plot needs matplotlib, which is not installed; install it: pip install matplotlib."
        ) from error

    class Shown(Figure):
        """A notebook shows figures of pyplot by itself, this one by what it says of itself."""

        def _repr_png_(self) -> bytes:
            self.savefig(content := BytesIO(), format="png")
            return content.getvalue()

    drawn = Shown(figsize=(9, 3.4), layout="constrained")
    low, high = _window(volume)
    for place, (name, pixels, aspect) in zip(drawn.subplots(1, 3), middle_slices(volume), strict=True):
        place.imshow(pixels, cmap="gray", vmin=low, vmax=high, aspect=aspect, interpolation="nearest")
        place.set_title(name, fontsize=9)
        place.set_axis_off()
    drawn.suptitle(line(volume), fontsize=9)
    return drawn


def _window(volume: Volume) -> tuple[float, float]:
    """What is black and what is white: the middle 99 % of the three slices."""
    values = np.concatenate([pixels.ravel() for _, pixels, _ in middle_slices(volume)]).astype(np.float64)
    values = values[np.isfinite(values)]
    if not len(values):
        return 0.0, 1.0
    low, high = np.percentile(values, (0.5, 99.5))
    return float(low), float(high) if high > low else float(low) + 1


def _side_by_side(volume: Volume, window: tuple[float, float], side: int = _SIDE) -> np.ndarray:
    """The three slices beside each other: (rows, columns) uint8, at true proportions, nearest neighbours."""
    low, high = window
    tiles = [_sized(pixels, aspect, side) for _, pixels, aspect in middle_slices(volume)]
    tall = max(tile.shape[0] for tile in tiles)
    padded = [np.pad(tile.astype(np.float64), ((0, tall - len(tile)), (0, 4)), constant_values=low) for tile in tiles]
    grey = np.clip((np.nan_to_num(np.hstack(padded), nan=low) - low) / (high - low), 0, 1)
    return np.rint(255 * grey).astype(np.uint8)


def _sized(pixels: np.ndarray, aspect: float, side: int) -> np.ndarray:
    rows, columns = pixels.shape
    scale = side / max(rows * aspect, columns)
    tall, wide = max(1, round(rows * aspect * scale)), max(1, round(columns * scale))
    nearest: np.ndarray = pixels[np.ix_(np.arange(tall) * rows // tall, np.arange(wide) * columns // wide)]
    return nearest


def _png(pixels: np.ndarray) -> bytes:
    """A grey picture, (rows, columns) uint8, as PNG (https://www.w3.org/TR/png-3/)."""
    rows, columns = pixels.shape
    lines = np.concatenate([np.zeros((rows, 1), np.uint8), pixels], axis=1)  # each line begins with its filter: none
    head = struct.pack(">2I5B", columns, rows, 8, 0, 0, 0, 0)
    blocks = ((b"IHDR", head), (b"IDAT", zlib.compress(lines.tobytes())), (b"IEND", b""))
    return b"\x89PNG\r\n\x1a\n" + b"".join(
        struct.pack(">I", len(content)) + name + content + struct.pack(">I", zlib.crc32(name + content))
        for name, content in blocks
    )
