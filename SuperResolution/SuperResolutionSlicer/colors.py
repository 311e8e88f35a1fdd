"""Our two colour tables, and volumes shown in them: one for what has a sign, one for what has not.

Both are made once a scene, and can be told apart by those who see red and green alike. Slicer's own perceptual tables
are files of its installation; these are computed, so that they are there in every version.
"""

from typing import Any

import numpy as np
import slicer

from SuperResolutionSlicer import nodes

DIVERGING = "SuperResolutionBlueRed"
PERCEPTUAL = "SuperResolutionPerceptual"
SMALL = 0.25  # of the largest that is shown: Slicer knows a colour only as seen or not, nothing in between
OVER = "Over"  # of the name of a table that lets through what lies below where there is little to show
# From Oklab to linear RGB by way of the cones (Ottosson, "A perceptual color space for image processing", 2020)
_TO_CONES = np.array(
    [[1, 0.3963377774, 0.2158037573], [1, -0.1055613458, -0.0638541728], [1, -0.0894841775, -1.2914855480]]
)
_TO_RGB = np.array(
    [
        [4.0767416621, -3.3077115913, 0.2309699292],
        [-1.2684380046, 2.6097574011, -0.3413193965],
        [-0.0041960863, -0.7034186147, 1.7076147010],
    ]
)


def diverging() -> Any:
    """The table of differences: blue below 0, black at 0, orange to red above. Show it from -x to x."""
    return _table(DIVERGING, _blue_red(np.linspace(-1, 1, 255)))


def perceptual() -> Any:
    """The table of sizes: lightness rises evenly, from black over purple and orange to a light yellow."""
    return _table(PERCEPTUAL, _lighter(np.linspace(0, 1, 256)))


def diverging_over() -> Any:
    """The table of differences that lie over a picture: as `diverging`, and nothing where they are small."""
    strength = np.linspace(-1, 1, 255)
    return _table(DIVERGING + OVER, _blue_red(strength), np.abs(strength) > SMALL)


def perceptual_over() -> Any:
    """The table of sizes that lie over a picture: as `perceptual`, and nothing where they are small."""
    share = np.linspace(0, 1, 256)
    return _table(PERCEPTUAL + OVER, _lighter(share), share > SMALL)


def recolor(node: Any, table: Any) -> None:
    """Show a volume in the colours of a table, between the values it is shown between now."""
    node.GetDisplayNode().SetAndObserveColorNodeID(table.GetID())


def paint(node: Any, table: Any, low: float, high: float) -> None:
    """Show a volume in the colours of a table, between two values."""
    display = node.GetDisplayNode() or nodes.new_display("vtkMRMLScalarVolumeDisplayNode")
    display.AutoWindowLevelOff()
    display.SetApplyThreshold(0)
    display.SetWindowLevelMinMax(low, high)
    display.SetAndObserveColorNodeID(table.GetID())
    node.SetAndObserveDisplayNodeID(display.GetID())


def reach(values: np.ndarray, percent: float) -> float:
    """What so many percent of |values| stay below, from about 16 slices; 1 for a volume of zeros."""
    return float(np.percentile(np.abs(values[:: max(1, len(values) // 16)]), percent)) or 1.0


def _blue_red(strength: np.ndarray) -> np.ndarray:
    """The colours of the diverging table, RGB, for strengths from -1 to 1."""
    red, blue = np.maximum(strength, 0), np.maximum(-strength, 0)
    return np.stack([red, 0.55 * (red + blue), blue], 1)


def _lighter(share: np.ndarray) -> np.ndarray:
    """The colours of the perceptual table, RGB, at shares of its length."""
    hue, chroma = np.radians(290 + 170 * share), 0.15 * np.sin(np.pi * share)
    lab = np.stack([0.1 + 0.85 * share, chroma * np.cos(hue), chroma * np.sin(hue)], 1)
    linear = np.clip((lab @ _TO_CONES.T) ** 3 @ _TO_RGB.T, 0, 1)
    return np.where(linear > 0.0031308, 1.055 * linear ** (1 / 2.4) - 0.055, 12.92 * linear)


def _table(name: str, colors: np.ndarray, seen: np.ndarray | None = None) -> Any:
    known = slicer.mrmlScene.GetSingletonNode(name, "vtkMRMLColorTableNode")
    if known is not None:
        return known
    table = slicer.mrmlScene.CreateNodeByClass("vtkMRMLColorTableNode")
    table.UnRegister(None)
    table.SetSingletonTag(name)
    table.SetName(name)
    table.SetTypeToUser()
    table.SetNumberOfColors(len(colors))
    for n, (red, green, blue) in enumerate(colors):
        table.SetColor(n, str(n), red, green, blue, 1.0 if seen is None else float(seen[n]))
    return slicer.mrmlScene.AddNode(table)
