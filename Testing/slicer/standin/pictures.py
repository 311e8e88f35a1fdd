"""What a slice view shows, as pixels: Slicer's own reslice, blend and colours, without OpenGL.

Followed: vtkMRMLSliceLogic's pipeline, whose image a real slice view puts on screen. Markups, models, the ruler and
the corner annotation are drawn by OpenGL and are not in it.
"""

from pathlib import Path
from typing import Any

import numpy as np
from PySide6 import QtGui
from vtk.util.numpy_support import vtk_to_numpy


def render(logic: Any, width: int = 256, height: int = 256) -> np.ndarray:
    """A slice logic's view at this size: (height, width, 4) uint8, RGBA, top row first; alpha 0 beside the volume."""
    logic.ResizeSliceNode(width, height)
    logic.UpdatePipeline()
    connection = logic.GetImageDataConnection()
    if connection is None:  # nothing is shown
        return np.zeros((height, width, 4), np.uint8)
    producer = connection.GetProducer()
    producer.Update()
    pixels = vtk_to_numpy(producer.GetOutputDataObject(0).GetPointData().GetScalars())
    return pixels.reshape(height, width, 4)[::-1].astype(np.uint8)


def picture(pixels: np.ndarray) -> QtGui.QImage:
    """RGBA pixels over black."""
    height, width = pixels.shape[:2]
    rgb = np.ascontiguousarray(pixels[..., :3] * (pixels[..., 3:] > 0))
    return QtGui.QImage(rgb.tobytes(), width, height, 3 * width, QtGui.QImage.Format.Format_RGB888).copy()


def save_png(pixels: np.ndarray, path: Path | str) -> Path:
    """Write RGBA pixels, over black."""
    path = Path(path)
    path.parent.mkdir(parents=True, exist_ok=True)
    if not picture(pixels).save(str(path)):
        raise OSError(f"{path} could not be written")
    return path
