"""What the network adds to interpolation: the enhanced volume minus the interpolated one."""

from typing import Any

import numpy as np
import slicer
import vtk

from SuperResolutionLib.diffusion.components import components, fractional_anisotropy
from SuperResolutionSlicer import colors, nodes


def difference(enhanced: Any, bicubic: Any) -> Any:
    """A volume node of enhanced minus bicubic: what the network added, red, and what it took away, blue.

    Of a series its first volume; of tensors their fractional anisotropy.
    """
    name = f"{enhanced.GetName()}: what was added"
    node = slicer.mrmlScene.AddNewNodeByClass(nodes.SCALAR, name)
    values = np.subtract(_shown(enhanced), _shown(bicubic), dtype=np.float32)
    slicer.util.updateVolumeFromArray(node, values)
    matrix = vtk.vtkMatrix4x4()
    enhanced.GetIJKToRASMatrix(matrix)
    node.SetIJKToRASMatrix(matrix)
    node.SetAndObserveTransformNodeID(enhanced.GetTransformNodeID())
    nodes.put_beside(node, enhanced)
    top = colors.reach(values, 99.5)
    colors.paint(node, colors.diverging(), -top, top)
    return node


def _shown(node: Any) -> np.ndarray:
    array: np.ndarray = slicer.util.arrayFromVolume(node)
    if node.GetClassName() == nodes.TENSORS:
        return fractional_anisotropy(components(array))
    return array[..., 0] if array.ndim == 4 else array
