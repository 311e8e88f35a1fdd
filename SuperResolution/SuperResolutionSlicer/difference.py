"""What the network adds to interpolation: the enhanced volume minus the interpolated one."""

from typing import Any

import numpy as np
import slicer
import vtk

from SuperResolutionSlicer import nodes

COLORS = "SuperResolutionBlueRed"


def difference(enhanced: Any, bicubic: Any) -> Any:
    """A volume node of enhanced minus bicubic: what the network added, red, and what it took away, blue."""
    name = f"{enhanced.GetName()} minus bicubic"
    node = slicer.mrmlScene.AddNewNodeByClass(nodes.SCALAR, name)
    one, other = (slicer.util.arrayFromVolume(n) for n in (enhanced, bicubic))
    if one.ndim == 4:
        one, other = one[..., 0], other[..., 0]
    values = np.subtract(one, other, dtype=np.float32)
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
