"""MRML volumes to files for the engine, and its results back into nodes, with all that belongs to them.

Voxels are numpy (k, j, i), of a diffusion series (k, j, i, volume). Slicer counts in RAS, the library in LPS.
"""

from collections.abc import Generator
from pathlib import Path
from typing import Any

import numpy as np
import SimpleITK as sitk
import slicer
import vtk
from vtk.util import numpy_support

from SuperResolutionLib.errors import InputError
from SuperResolutionLib.files.nrrd import open_voxels, writing_detached
from SuperResolutionLib.volume import Gradients, Volume

SCALAR, DIFFUSION = "vtkMRMLScalarVolumeNode", "vtkMRMLDiffusionWeightedVolumeNode"
PREFIX = "SuperResolution."  # of the attributes that say how a volume was made
SOURCE = "SuperResolution.Source"  # the role of the node reference to the volume it was made from
RAS_TO_LPS = np.diag([-1.0, -1.0, 1.0])
CHUNK = 2**22  # bytes copied into a node at a time, so that Slicer stays responsive
SHORT_SERIES = 7  # volumes below which Slicer's NRRD writer drops the gradients of a series
_OTHERS = {
    "vtkMRMLLabelMapVolumeNode": "is a label map; labels must not be mixed, so they are never enhanced",
    "vtkMRMLSegmentationNode": "is a segmentation; choose the scan it was drawn on",
    "vtkMRMLDiffusionTensorVolumeNode": "is a tensor volume; enhance the diffusion series it was fitted to",
    "vtkMRMLVectorVolumeNode": "has several components per voxel (a vector or colour image); convert it to grey first",
}


def check(node: Any) -> None:
    """Raise InputError, one sentence, for a node that cannot be enhanced."""
    if node is None:
        raise InputError("No volume is selected; load a scan and choose it as the input volume.")
    name, kind = node.GetName(), node.GetClassName()
    if kind not in (SCALAR, DIFFUSION):
        raise InputError(f"{name} {_OTHERS.get(kind, f'is not a volume ({kind}); choose a scan')}.")
    image = node.GetImageData()
    if image is None or 0 in image.GetDimensions():
        raise InputError(f"{name} is empty: it has no voxels; load it again.")
    if kind == SCALAR and image.GetNumberOfScalarComponents() != 1:
        raise InputError(f"{name} {_OTHERS['vtkMRMLVectorVolumeNode']}.")
    axes = _axes(node)
    if not np.allclose(axes.T @ axes, np.diag(np.diag(axes.T @ axes)), atol=1e-3 * np.abs(axes).max() ** 2):
        raise InputError(f"The axes of {name} are not at right angles (a tilted gantry?); resample it first.")


def warnings(node: Any) -> list[str]:
    """What a user should know before a node that can be enhanced is enhanced."""
    found = []
    transform = node.GetParentTransformNode()
    if transform is not None and not transform.IsTransformToWorldLinear():
        found.append(
            "it is under a non-linear transform: its own voxels are enhanced, and the result is warped like the input"
        )
    if _browser(node) is not None:
        found.append("it shows one item of a sequence: only the item on screen is enhanced")
    if node.GetClassName() == DIFFUSION and node.GetNumberOfGradients() < SHORT_SERIES:
        found.append(
            f"it has only {node.GetNumberOfGradients()} volumes, and Slicer saves gradients to NRRD "
            f"from {SHORT_SERIES} on: save it as NIfTI with .bval and .bvec"
        )
    return found


def _browser(node: Any) -> Any:
    """The sequence browser whose proxy a node is, if any."""
    browsers = slicer.util.getNodesByClass("vtkMRMLSequenceBrowserNode")
    return next((b for b in browsers if b.IsProxyNode(node.GetID())), None)


# ---------------------------------------------------------------- node -> file


def volume_of(node: Any) -> Volume:
    """A node's voxels (not copied), grid and gradients as the library's Volume, in LPS."""
    axes = _axes(node)
    spacing = np.linalg.norm(axes, axis=0)
    matrix = _matrix(node)
    array = slicer.util.arrayFromVolume(node)
    series = node.GetClassName() == DIFFUSION
    return Volume(
        np.moveaxis(array, -1, 0) if series else array,
        tuple(float(s) for s in spacing),
        tuple(float(x) for x in RAS_TO_LPS @ matrix[:3, 3]),
        RAS_TO_LPS @ axes / spacing,
        _gradients(node) if series else None,
    )


def writing(node: Any, path: Path) -> Generator[None, None, None]:
    """Write a node for the engine: .nhdr with raw voxels beside it; yields between chunks of work.

    Raises InputError where the disk is full.
    """
    written = 0
    try:
        for size in writing_detached(volume_of(node), path):
            written += size
            if written >= CHUNK:
                written = 0
                yield
    except OSError as error:
        raise InputError(
            f"The folder for temporary files, {path.parent.parent}, cannot take {node.GetName()} "
            f"({error.strerror}); free some space, or choose another folder in Slicer's application settings."
        ) from error


def _matrix(node: Any) -> np.ndarray:
    matrix = vtk.vtkMatrix4x4()
    node.GetIJKToRASMatrix(matrix)
    return slicer.util.arrayFromVTKMatrix(matrix)


def _axes(node: Any) -> np.ndarray:
    """The step from voxel to voxel along i, j, k, as columns, in RAS mm."""
    return _matrix(node)[:3, :3]


def _gradients(node: Any) -> Gradients:
    count = node.GetNumberOfGradients()
    frame = vtk.vtkMatrix4x4()
    node.GetMeasurementFrameMatrix(frame)
    vectors = np.array([node.GetDiffusionGradient(n) for n in range(count)], dtype=float).reshape(count, 3)
    vectors = vectors @ slicer.util.arrayFromVTKMatrix(frame)[:3, :3].T @ RAS_TO_LPS
    length = np.linalg.norm(vectors, axis=1, keepdims=True)
    return Gradients(
        np.array([node.GetBValue(n) for n in range(count)], dtype=float), vectors / np.where(length, length, 1)
    )


# ---------------------------------------------------------------- file -> node


def reading(path: Path, source: Any, name: str) -> Generator[None, None, Any]:
    """A new node, not yet in the scene, with a result's voxels and grid; yields between chunks of work.

    path: an .nhdr of the engine. source: the node it was made from, whose gradients are copied as they are.
    The file is mapped, not loaded: the node's own voxels are the only copy.
    """
    voxels = open_voxels(path)
    series = voxels.ndim == 4
    node = slicer.mrmlScene.CreateNodeByClass(DIFFUSION if series else SCALAR)
    node.UnRegister(None)
    node.SetName(name)
    yield from _filling(node, voxels)
    _set_grid(node, path)
    if series:
        _copy_gradients(source, node)
    return node


def _filling(node: Any, voxels: np.ndarray) -> Generator[None, None, None]:
    components = len(voxels) if voxels.ndim == 4 else 1
    depth, rows, columns = voxels.shape[-3:]
    image = vtk.vtkImageData()
    image.SetDimensions(columns, rows, depth)
    image.AllocateScalars(numpy_support.get_vtk_array_type(voxels.dtype), components)
    flat = numpy_support.vtk_to_numpy(image.GetPointData().GetScalars())
    target = flat.reshape(depth, rows, columns, components)
    source = voxels.reshape(components, depth, rows, columns)
    slabs = max(1, CHUNK // (rows * columns * components * voxels.dtype.itemsize))
    for first in range(0, depth, slabs):
        target[first : first + slabs] = np.moveaxis(source[:, first : first + slabs], 0, -1)
        yield
    node.SetAndObserveImageData(image)


def _set_grid(node: Any, path: Path) -> None:
    reader = sitk.ImageFileReader()
    reader.SetFileName(str(path))
    reader.ReadImageInformation()
    direction = np.array(reader.GetDirection()).reshape(int(len(reader.GetDirection()) ** 0.5), -1)[:3, :3]
    matrix = np.eye(4)
    matrix[:3, :3] = RAS_TO_LPS @ direction * reader.GetSpacing()[:3]
    matrix[:3, 3] = RAS_TO_LPS @ reader.GetOrigin()[:3]
    node.SetIJKToRASMatrix(slicer.util.vtkMatrixFromArray(matrix))


def _copy_gradients(source: Any, target: Any) -> None:
    count = source.GetNumberOfGradients()
    target.SetNumberOfGradients(count)
    for n in range(count):
        target.SetDiffusionGradient(n, source.GetDiffusionGradient(n))
        target.SetBValue(n, source.GetBValue(n))
    frame = vtk.vtkMatrix4x4()
    source.GetMeasurementFrameMatrix(frame)
    target.SetMeasurementFrameMatrix(frame)


# ---------------------------------------------------------------- into the scene


def add(node: Any, source: Any, record: dict[str, Any]) -> None:
    """Put a result into the scene beside its source: hierarchy, transform, display and provenance."""
    scene = slicer.mrmlScene
    node.SetName(scene.GenerateUniqueName(node.GetName()) if _taken(node.GetName()) else node.GetName())
    for key, value in record.items():
        node.SetAttribute(PREFIX + key, str(value))
    scene.AddNode(node)
    if scene.GetNodeByID(source.GetID() or "") is source:  # it may have been deleted meanwhile
        node.SetAttribute(f"{PREFIX}SourceNodeID", source.GetID())
        node.SetNodeReferenceID(SOURCE, source.GetID())
        node.SetAndObserveTransformNodeID(source.GetTransformNodeID())
        put_beside(node, source)
    copy_display(source, node)


def _taken(name: str) -> bool:
    return slicer.mrmlScene.GetFirstNodeByName(name) is not None


def put_beside(node: Any, source: Any) -> None:
    """Give a node the source's parent in the subject hierarchy."""
    put_in(hierarchy().GetItemParent(item_of(source)), node)


def put_in(parent: int, node: Any) -> None:
    """Give a node a parent in the subject hierarchy."""
    hierarchy().SetItemParent(item_of(node), parent)


def item_of(node: Any) -> int:
    """A node's item in the subject hierarchy, made where the application has not made it."""
    tree = hierarchy()
    return tree.GetItemByDataNode(node) or tree.CreateItem(tree.GetSceneItemID(), node)


def hierarchy() -> Any:
    """The subject hierarchy of the scene."""
    return slicer.vtkMRMLSubjectHierarchyNode.GetSubjectHierarchyNode(slicer.mrmlScene)


def copy_display(source: Any, target: Any) -> None:
    """Show a volume exactly as another one: window, level, threshold and colours."""
    old = source.GetDisplayNode()
    if old is None:
        target.CreateDefaultDisplayNodes()
        return
    new = target.GetDisplayNode() or _display_like(old)
    new.AutoWindowLevelOff()
    new.SetWindowLevel(old.GetWindow(), old.GetLevel())
    new.SetAndObserveColorNodeID(old.GetColorNodeID())
    new.SetInterpolate(old.GetInterpolate())
    if old.GetApplyThreshold():
        new.SetThreshold(old.GetLowerThreshold(), old.GetUpperThreshold())
        new.ApplyThresholdOn()
    target.SetAndObserveDisplayNodeID(new.GetID())


def _display_like(old: Any) -> Any:
    """A display node that is told its window before it sees a volume: a default one would look at every voxel."""
    new = slicer.mrmlScene.CreateNodeByClass(old.GetClassName())
    new.UnRegister(None)
    new.AutoWindowLevelOff()
    slicer.mrmlScene.AddNode(new)
    return new


def ensure_display(node: Any) -> None:
    """A display node with a fixed window: without one nothing is shown, and an automatic one would differ."""
    if node.GetDisplayNode() is None:
        node.CreateDefaultDisplayNodes()
    node.GetDisplayNode().AutoWindowLevelOff()
