"""Small real MRML volumes for the tests: a head-like blob on any grid, in any voxel type, or as a diffusion series."""

import numpy as np
import slicer
import slicer.util
import vtk
from vtk.util.numpy_support import numpy_to_vtk

SIZE = (6, 24, 20)  # k, j, i


def oblique() -> np.ndarray:
    """IJK to RAS of 2 x 1.5 x 4 mm voxels, turned about two axes."""
    c, s = np.cos(0.4), np.sin(0.4)
    turn = np.array([[c, -s, 0], [s, c, 0], [0, 0, 1]]) @ np.array([[1, 0, 0], [0, c, -s], [0, s, c]])
    return matrix(turn, (1.5, 1.5, 4.0), (7.0, -20.0, 33.0))


def matrix(turn: np.ndarray, spacing: tuple[float, float, float], origin: tuple[float, float, float]) -> np.ndarray:
    result = np.eye(4)
    result[:3, :3] = turn * spacing
    result[:3, 3] = origin
    return result


def head(size: tuple[int, int, int] = SIZE) -> np.ndarray:
    """A bright blob with some texture, 0 to about 1000, dark around."""
    k, j, i = np.mgrid[tuple(slice(-1, 1, n * 1j) for n in size)]
    return 900 * np.exp(-3 * (i**2 + 1.3 * j**2 + 0.5 * k**2)) * (1 + 0.1 * np.sin(25 * i) * np.cos(21 * j))


def scalar(name: str = "head", dtype=np.int16, ijk_to_ras: np.ndarray | None = None, size=SIZE):
    """A scalar volume node with a display of its own."""
    values = head(size)
    values = values / 4 if np.dtype(dtype).itemsize == 1 else values
    node = slicer.util.addVolumeFromArray(
        values.astype(dtype), ijkToRAS=oblique() if ijk_to_ras is None else ijk_to_ras, name=name
    )
    node.CreateDefaultDisplayNodes()
    return node


def diffusion(name: str = "dwi", count: int = 7, frame: np.ndarray | None = None):
    """A diffusion series: the first volume b = 0, the others weighted by directions that all differ."""
    rng = np.random.default_rng(5)
    node = slicer.mrmlScene.AddNewNodeByClass("vtkMRMLDiffusionWeightedVolumeNode", name)
    image = vtk.vtkImageData()
    image.SetDimensions(*SIZE[::-1])
    image.AllocateScalars(vtk.VTK_SHORT, count)
    node.SetAndObserveImageData(image)
    node.SetNumberOfGradients(count)
    for n in range(count):
        direction = rng.normal(size=3)
        weighting = 0.0 if n == 0 else 700.0 + 50 * n
        node.SetDiffusionGradient(n, [0, 0, 0] if n == 0 else (direction / np.linalg.norm(direction)).tolist())
        node.SetBValue(n, weighting)
        slicer.util.arrayFromVolume(node)[..., n] = head() * np.exp(-weighting / 1500)
    node.SetIJKToRASMatrix(slicer.util.vtkMatrixFromArray(oblique()))
    _set_frame(node, frame)
    node.CreateDefaultDisplayNodes()
    return node


def tensors(name: str = "dti", frame: np.ndarray | None = None):
    """Tensors that turn from voxel to voxel inside the head, 0 outside it, in mm2/s; float32."""
    k, j, i = np.mgrid[tuple(slice(-1, 1, n * 1j) for n in SIZE)]
    axis = np.stack([np.cos(3 * i), np.sin(2 * j) + 0.3, np.cos(k)], -1)
    axis /= np.linalg.norm(axis, axis=-1, keepdims=True)
    whole = 0.4e-3 * np.eye(3) + 1.1e-3 * axis[..., :, None] * axis[..., None, :]
    whole = np.where((i**2 + j**2 < 0.8)[..., None, None], whole, 0).astype(np.float32)
    node = slicer.mrmlScene.AddNewNodeByClass("vtkMRMLDiffusionTensorVolumeNode", name)
    image = vtk.vtkImageData()
    image.SetDimensions(*SIZE[::-1])
    array = numpy_to_vtk(whole.reshape(-1, 9), deep=True)
    array.SetName("tensors")
    image.GetPointData().SetTensors(array)
    node.SetAndObserveImageData(image)
    node.SetIJKToRASMatrix(slicer.util.vtkMatrixFromArray(oblique()))
    _set_frame(node, frame)
    node.CreateDefaultDisplayNodes()
    return node


def _set_frame(node, frame: np.ndarray | None) -> None:
    if frame is not None:
        whole = np.eye(4)
        whole[:3, :3] = frame
        node.SetMeasurementFrameMatrix(slicer.util.vtkMatrixFromArray(whole))


def tensors_in_ras(node) -> np.ndarray:
    """A node's tensors, (k, j, i, 3, 3), turned out of its measurement frame."""
    found = vtk.vtkMatrix4x4()
    node.GetMeasurementFrameMatrix(found)
    frame = slicer.util.arrayFromVTKMatrix(found)[:3, :3]
    return frame @ slicer.util.arrayFromVolume(node) @ frame.T


def grid(node) -> np.ndarray:
    """A node's IJK to RAS matrix."""
    found = vtk.vtkMatrix4x4()
    node.GetIJKToRASMatrix(found)
    return slicer.util.arrayFromVTKMatrix(found)


def corners(node) -> np.ndarray:
    """The outer corners of the field of view, RAS mm: (8, 3)."""
    size = np.array(node.GetImageData().GetDimensions())
    index = np.array([[x, y, z] for x in (0, 1) for y in (0, 1) for z in (0, 1)]) * size - 0.5
    return (grid(node) @ np.c_[index, np.ones(8)].T).T[:, :3]


def names() -> set[str]:
    """The IDs of everything in the scene: equal before and after, nothing has come or gone."""
    scene = slicer.mrmlScene
    return {scene.GetNthNode(n).GetID() for n in range(scene.GetNumberOfNodes())}
