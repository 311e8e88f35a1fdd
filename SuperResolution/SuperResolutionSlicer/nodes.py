"""MRML volumes to files for the engine, and its results back into nodes, with all that belongs to them.

Voxels are numpy (k, j, i), of a diffusion series (k, j, i, volume), of tensors (k, j, i, 3, 3) in the axes of the
node's measurement frame. Slicer counts in RAS, the library in LPS.
"""

from collections.abc import Generator
from pathlib import Path
from typing import Any

import numpy as np
import slicer
import vtk
from slicer.i18n import tr as _
from vtk.util import numpy_support

from SuperResolutionLib.diffusion.components import components, matrices, turned
from SuperResolutionLib.errors import InputError
from SuperResolutionLib.files.nrrd import TENSOR_KIND, UPPER_HALF, open_voxels, read_header, vectors, writing_detached
from SuperResolutionLib.volume import SIGNAL, TENSOR, Gradients, Volume, orthonormal

SCALAR, DIFFUSION = "vtkMRMLScalarVolumeNode", "vtkMRMLDiffusionWeightedVolumeNode"
TENSORS = "vtkMRMLDiffusionTensorVolumeNode"
KINDS = (SCALAR, DIFFUSION, TENSORS)  # what can be enhanced
PREFIX = "SuperResolution."  # of the attributes that say how a volume was made
SOURCE = "SuperResolution.Source"  # the role of the node reference to the volume it was made from
RAS_TO_LPS = np.diag([-1.0, -1.0, 1.0])
CHUNK = 2**22  # bytes copied into a node at a time, so that Slicer stays responsive
SHORT_SERIES = 7  # volumes below which Slicer's NRRD writer drops the gradients of a series
_OTHERS = {
    "vtkMRMLLabelMapVolumeNode": _("is a label map; labels must not be mixed, so they are never enhanced"),
    "vtkMRMLSegmentationNode": _("is a segmentation; choose the scan it was drawn on"),
    "vtkMRMLVectorVolumeNode": _(
        "has several components per voxel (a vector or colour image); convert it to grey first"
    ),
}


def check(node: Any) -> None:
    """Raise InputError, one sentence, for a node that cannot be enhanced."""
    if node is None:
        raise InputError(_("No volume is selected; load a scan and choose it as the input volume."))
    name, kind = node.GetName(), node.GetClassName()
    if kind not in KINDS:
        raise InputError(f"{name} {_OTHERS.get(kind, _('is not a volume ({kind}); choose a scan').format(kind=kind))}.")
    image = node.GetImageData()
    if image is None or 0 in image.GetDimensions():
        raise InputError(_("{name} is empty: it has no voxels; load it again.").format(name=name))
    if kind == TENSORS and image.GetPointData().GetTensors() is None:
        raise InputError(_("{name} is empty: it has no tensors; load it again.").format(name=name))
    if kind == SCALAR and image.GetNumberOfScalarComponents() != 1:
        raise InputError(f"{name} {_OTHERS['vtkMRMLVectorVolumeNode']}.")
    axes = _axes(node)
    if not np.allclose(axes.T @ axes, np.diag(np.diag(axes.T @ axes)), atol=1e-3 * np.abs(axes).max() ** 2):
        raise InputError(
            _("The axes of {name} are not at right angles (a tilted gantry?); resample it first.").format(name=name)
        )


def warnings(node: Any) -> list[str]:
    """What a user should know before a node that can be enhanced is enhanced."""
    found = []
    transform = node.GetParentTransformNode()
    if transform is not None and not transform.IsTransformToWorldLinear():
        found.append(
            _(
                "it is under a non-linear transform: its own voxels are enhanced, and the result is warped "
                "like the input"
            )
        )
    if browser(node) is not None:
        found.append(_("it shows one item of a sequence: only the item on screen is enhanced"))
    if node.GetClassName() == DIFFUSION and node.GetNumberOfGradients() < SHORT_SERIES:
        found.append(
            _(
                "it has only {count} volumes, and Slicer saves gradients to NRRD from {least} on: save "
                "it as NIfTI with .bval and .bvec"
            ).format(count=node.GetNumberOfGradients(), least=SHORT_SERIES)
        )
    return found


def thickness(node: Any) -> float | None:
    """How thick the slices are by the DICOM files that a volume was loaded from, mm; None where that is not known."""
    uids, database = node.GetAttribute("DICOM.instanceUIDs"), getattr(slicer, "dicomDatabase", None)
    if not uids or database is None:
        return None
    try:
        return float(database.instanceValue(uids.split()[0], "0018,0050")) or None
    except ValueError:  # the tag is empty
        return None


def browser(node: Any) -> Any:
    """The sequence browser whose proxy a node is, if any."""
    browsers = slicer.util.getNodesByClass("vtkMRMLSequenceBrowserNode")
    return next((b for b in browsers if b.IsProxyNodeID(node.GetID())), None)


# ---------------------------------------------------------------- node -> file


def volume_of(node: Any) -> Volume:
    """A node's voxels (not copied, but for tensors), grid and gradients as the library's Volume, in LPS."""
    axes = _axes(node)
    spacing = np.linalg.norm(axes, axis=0)
    matrix = _matrix(node)
    array = slicer.util.arrayFromVolume(node)
    series, tensors = node.GetClassName() == DIFFUSION, node.GetClassName() == TENSORS
    if tensors:
        array = turned(components(array), RAS_TO_LPS @ _measurement_frame(node))
    return Volume(
        np.moveaxis(array, -1, 0) if series else array,
        tuple(float(s) for s in spacing),
        tuple(float(x) for x in RAS_TO_LPS @ matrix[:3, 3]),
        orthonormal(RAS_TO_LPS @ axes / spacing),
        _gradients(node) if series else None,
        TENSOR if tensors else SIGNAL,
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
            _(
                "The folder for temporary files, {parent}, cannot take {name} ({strerror}); free some space, "
                "or choose another folder in Slicer's application settings."
            ).format(parent=path.parent.parent, name=node.GetName(), strerror=error.strerror)
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
    stored = np.array([node.GetDiffusionGradient(n) for n in range(count)], dtype=float).reshape(count, 3)
    directions = stored @ _measurement_frame(node).T @ RAS_TO_LPS
    length = np.linalg.norm(directions, axis=1, keepdims=True)
    return Gradients(
        np.array([node.GetBValue(n) for n in range(count)], dtype=float), directions / np.where(length, length, 1)
    )


def _measurement_frame(node: Any) -> np.ndarray:
    """From the axes that gradients or tensors are stored in to RAS: (3, 3)."""
    frame = vtk.vtkMatrix4x4()
    node.GetMeasurementFrameMatrix(frame)
    return slicer.util.arrayFromVTKMatrix(frame)[:3, :3]


# ---------------------------------------------------------------- file -> node


def reading(path: Path, source: Any, name: str) -> Generator[None, None, Any]:
    """A new node, not yet in the scene, with a result's voxels and grid; yields between chunks of work.

    path: an .nhdr of the engine. source: the node it was made from, whose gradients are copied as they are.
    The file is mapped, not loaded: the node's own voxels are the only copy.
    """
    voxels, header = open_voxels(path), read_header(path)
    tensors = TENSOR_KIND in header.get("kinds", "")
    kind = TENSORS if tensors else DIFFUSION if voxels.ndim == 4 else SCALAR
    node = _created(kind, name)
    if kind != SCALAR:
        _copy_measurement_frame(source, node)
    yield from _filling_tensors(node, voxels) if tensors else _filling(node, voxels)
    _set_grid(node, header)
    if kind == DIFFUSION:
        _copy_gradients(source, node)
    return node


def reading_one(path: Path, name: str) -> Generator[None, None, Any]:
    """As `reading`, but always a scalar volume: of a series the root mean square of its volumes, float32."""
    voxels = open_voxels(path)
    node = _created(SCALAR, name)
    yield from _filling(node, (yield from _root_mean_square(voxels)) if voxels.ndim == 4 else voxels)
    _set_grid(node, read_header(path))
    return node


def _created(kind: str, name: str) -> Any:
    node = slicer.mrmlScene.CreateNodeByClass(kind)
    node.UnRegister(None)
    node.SetName(name)
    return node


def _root_mean_square(volumes: np.ndarray) -> Generator[None, None, np.ndarray]:
    total = np.zeros(volumes.shape[1:], np.float32)
    for volume in volumes:
        for part in _chunks(total):
            total[part] += np.square(volume[part]) / len(volumes)
            yield
    return np.sqrt(total)


def _filling(node: Any, voxels: np.ndarray) -> Generator[None, None, None]:
    components = len(voxels) if voxels.ndim == 4 else 1
    image = _image(voxels)
    image.AllocateScalars(numpy_support.get_vtk_array_type(voxels.dtype), components)
    depth, rows, columns = voxels.shape[-3:]
    flat = numpy_support.vtk_to_numpy(image.GetPointData().GetScalars())
    target = flat.reshape(depth, rows, columns, components)
    source = voxels.reshape(components, depth, rows, columns)
    for part in _chunks(target):
        target[part] = np.moveaxis(source[:, part], 0, -1)
        yield
    node.SetAndObserveImageData(image)


def _filling_tensors(node: Any, voxels: np.ndarray) -> Generator[None, None, None]:
    """Tensors (9, k, j, i) in LPS, row by row, into a node, in the axes of its measurement frame."""
    image = _image(voxels)
    array = vtk.vtkDataArray.CreateDataArray(numpy_support.get_vtk_array_type(voxels.dtype))
    array.SetName("tensors")
    array.SetNumberOfComponents(9)
    array.SetNumberOfTuples(image.GetNumberOfPoints())
    target = numpy_support.vtk_to_numpy(array).reshape(*voxels.shape[1:], 3, 3)
    turn = np.linalg.inv(_measurement_frame(node)) @ RAS_TO_LPS
    for part in _chunks(target):
        target[part] = matrices(turned(np.asarray(voxels[:, part])[UPPER_HALF], turn))
        yield
    image.GetPointData().SetTensors(array)
    node.SetAndObserveImageData(image)


def _image(voxels: np.ndarray) -> Any:
    image = vtk.vtkImageData()
    image.SetDimensions(*voxels.shape[:-4:-1])
    return image


def _chunks(target: np.ndarray) -> list[slice]:
    """Parts of an array along its first axis that are copied at a time."""
    slabs = max(1, CHUNK // target[0].nbytes)
    return [slice(first, first + slabs) for first in range(0, len(target), slabs)]


def _set_grid(node: Any, header: dict[str, str]) -> None:
    """The engine writes in LPS."""
    matrix = np.eye(4)
    matrix[:3, :3] = RAS_TO_LPS @ vectors(header["space directions"].replace("none", "")).T
    matrix[:3, 3] = RAS_TO_LPS @ [float(word) for word in header["space origin"].strip("()").split(",")]
    node.SetIJKToRASMatrix(slicer.util.vtkMatrixFromArray(matrix))


def _copy_gradients(source: Any, target: Any) -> None:
    count = source.GetNumberOfGradients()
    target.SetNumberOfGradients(count)
    for n in range(count):
        target.SetDiffusionGradient(n, source.GetDiffusionGradient(n))
        target.SetBValue(n, source.GetBValue(n))


def _copy_measurement_frame(source: Any, target: Any) -> None:
    frame = vtk.vtkMatrix4x4()
    source.GetMeasurementFrameMatrix(frame)
    target.SetMeasurementFrameMatrix(frame)


# ---------------------------------------------------------------- into the scene


def add(node: Any, source: Any, record: dict[str, Any]) -> None:
    """Put a result into the scene beside its source, shown like it."""
    place(node, source, record)
    copy_display(source, node)


def place(node: Any, source: Any, record: dict[str, Any]) -> None:
    """Put a volume into the scene beside its source: hierarchy, transform and provenance; no display yet."""
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
    """Show a volume exactly as another one: window, level, threshold and colours; tensors: invariant and glyphs."""
    old = source.GetDisplayNode()
    if old is None:
        target.CreateDefaultDisplayNodes()
        return
    new = target.GetDisplayNode() or new_display(old.GetClassName())
    new.AutoWindowLevelOff()
    new.SetWindowLevel(old.GetWindow(), old.GetLevel())
    target.SetAndObserveDisplayNodeID(new.GetID())
    copy_colors(source, target)


def copy_colors(source: Any, target: Any) -> None:
    """Show a volume in the colours of another one, above the same threshold; both have a display node."""
    old, new = source.GetDisplayNode(), target.GetDisplayNode()
    if old.GetColorNodeID():
        new.SetAndObserveColorNodeID(old.GetColorNodeID())
    new.SetInterpolate(old.GetInterpolate())
    if old.GetApplyThreshold():
        new.SetThreshold(old.GetLowerThreshold(), old.GetUpperThreshold())
        new.ApplyThresholdOn()
    if source.GetClassName() == target.GetClassName() == TENSORS:
        new.SetScalarInvariant(old.GetScalarInvariant())
        _copy_glyphs(source, target)


def _copy_glyphs(source: Any, target: Any) -> None:
    """A node of its own for each slice's glyphs; their properties are shared with the source's."""
    for n in range(1, source.GetNumberOfDisplayNodes()):
        old = source.GetNthDisplayNode(n)
        new = target.GetNthDisplayNode(n)
        if new is None:
            new = slicer.mrmlScene.CreateNodeByClass(old.GetClassName())
            new.UnRegister(None)
            slicer.mrmlScene.AddNode(new)
            target.AddAndObserveDisplayNodeID(new.GetID())
        new.CopyContent(old)


def new_display(kind: str) -> Any:
    """A display node that is told its window before it sees a volume: a default one would look at every voxel."""
    new = slicer.mrmlScene.CreateNodeByClass(kind)
    new.UnRegister(None)
    new.AutoWindowLevelOff()
    slicer.mrmlScene.AddNode(new)
    return new


def ensure_display(node: Any) -> None:
    """A display node: without one nothing is shown. One that is there stays as the user has it."""
    if node.GetDisplayNode() is None:
        node.CreateDefaultDisplayNodes()
