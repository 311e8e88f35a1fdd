"""Scans that are told apart on a screen: each is a plate of one grey with its own letter on it."""

from typing import Any

import numpy as np
import slicer
import slicer.util
from PIL import Image, ImageDraw, ImageFont

GREYS = {"A": 200, "B": 400, "C": 600}  # of the plate; the letter is 1000, and the window 0 to 1000
SIZE = (6, 64, 64)  # k, j, i
IJK_TO_RAS = np.array([[-1.0, 0, 0, 32], [0, -1, 0, 32], [0, 0, 4, -10], [0, 0, 0, 1]])


def scan(letter: str) -> Any:
    """A volume of 1 x 1 x 4 mm voxels, axial slices; its name is its letter."""
    picture = Image.new("L", SIZE[:0:-1])
    font = ImageFont.load_default(44)
    ImageDraw.Draw(picture).text((32, 32), letter, fill=255, font=font, anchor="mm")
    plate = np.where(np.asarray(picture) > 127, 1000, GREYS[letter]).astype(np.int16)
    node = slicer.util.addVolumeFromArray(np.broadcast_to(plate, SIZE), ijkToRAS=IJK_TO_RAS, name=letter)
    node.CreateDefaultDisplayNodes()
    display = node.GetDisplayNode()
    display.AutoWindowLevelOff()
    display.SetWindowLevelMinMax(0, 1000)
    return node


def on_screen(pixels: np.ndarray) -> str:
    """Whose plate a picture (rows, columns, RGB) shows, in the window 0 to 1000; "" where it shows none."""
    grey = plate_grey(pixels)
    return next((letter for letter, value in GREYS.items() if abs(grey - value * 255 / 1000) < 3), "")


def plate_grey(pixels: np.ndarray) -> float:
    """The grey that most of a picture's pixels have that are neither black nor white; 0 where there are none."""
    grey = pixels[..., 0][(np.ptp(pixels, axis=-1) == 0) & (pixels[..., 0] > 5) & (pixels[..., 0] < 250)]
    return float(np.bincount(grey).argmax()) if grey.size > 0.05 * pixels[..., 0].size else 0.0


def words_in(pixels: np.ndarray) -> np.ndarray:
    """Where a picture has the colour of our labels: all else is grey. (rows, columns)"""
    red, green, blue = pixels.astype(int).transpose(2, 0, 1)
    return (red > 180) & (green > 140) & (blue < red - 90)


def words_on_screen(pixels: np.ndarray) -> bool:
    """Whether a picture shows words of ours."""
    return bool(words_in(pixels).sum() > 20)
