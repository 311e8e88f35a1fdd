"""What the network adds to interpolation: the enhanced volume minus the interpolated one."""

from typing import Any

import numpy as np
import slicer
import vtk

from SuperResolutionLib.diffusion.components import components, fractional_anisotropy
from SuperResolutionSlicer import nodes

COLORS = "SuperResolutionBlueRed"


def difference(enhanced: Any, bicubic: Any) -> Any:
    """A volume node of enhanced minus bicubic: what the network added, red, and what it took away, blue.

    Of a series its first volume; of tensors their fractional anisotropy.
    """
    name = f"{enhanced.GetName()} minus bicubic"
    node = slicer.mrmlScene.AddNewNodeByClass(nodes.SCALAR, name)
    values = np.subtract(_shown(enhanced), _shown(bicubic), dtype=np.float32)
    slicer.util.updateVolumeFromArray(node, values)
    matrix = vtk.vtkMatrix4x4()
    enhanced.GetIJKToRASMatrix(matrix)
    node.SetIJKToRASMatrix(matrix)
    node.SetAndObserveTransformNodeID(enhanced.GetTransformNodeID())
    nodes.put_beside(node, enhanced)
    node.CreateDefaultDisplayNodes()
    top = float(np.percentile(np.abs(values[:: max(1, len(values) // 16)]), 99.5)) or 1.0
    display = node.GetDisplayNode()
    display.AutoWindowLevelOff()
    display.SetWindowLevelMinMax(-top, top)
    display.SetAndObserveColorNodeID(colors().GetID())
    return node


def _shown(node: Any) -> np.ndarray:
    array: np.ndarray = slicer.util.arrayFromVolume(node)
    if node.GetClassName() == nodes.TENSORS:
        return fractional_anisotropy(components(array))
    return array[..., 0] if array.ndim == 4 else array


def colors() -> Any:
    """Our colour table: blue below 0, black at 0, red above; made once a scene."""
    known = slicer.mrmlScene.GetSingletonNode(COLORS, "vtkMRMLColorTableNode")
    if known is not None:
        return known
    table = slicer.mrmlScene.CreateNodeByClass("vtkMRMLColorTableNode")
    table.UnRegister(None)
    table.SetSingletonTag(COLORS)
    table.SetName(COLORS)
    table.SetTypeToUser()
    table.SetNumberOfColors(255)
    for n in range(255):
        strength = (n - 127) / 127
        red, blue = max(0.0, strength), max(0.0, -strength)
        table.SetColor(n, str(n - 127), red, 0.55 * (red + blue), blue, 1.0)
    return slicer.mrmlScene.AddNode(table)
