"""Volumes go to the engine and come back with everything that belongs to them; what is no scan is refused."""

import sys
from pathlib import Path

import numpy as np
import pytest
import scans
import slicer
import slicer.util
import vtk
from SuperResolutionSlicer import nodes

import SuperResolutionLib as sr
from SuperResolutionLib.diffusion.components import matrices
from SuperResolutionLib.errors import InputError

pytestmark = pytest.mark.usefixtures("session")


def read(path, source, name="result"):
    """The node that `reading` makes, and in how many pieces."""
    steps, pieces = nodes.reading(path, source, name), 0
    try:
        while True:
            next(steps)
            pieces += 1
    except StopIteration as end:
        return end.value, pieces


def write(node, path) -> int:
    """Write a node; returns in how many pieces."""
    return sum(1 for _ in nodes.writing(node, path)) + 1


def there_and_back(node, tmp_path):
    write(node, tmp_path / "volume.nhdr")
    return read(tmp_path / "volume.nhdr", node)[0]


@pytest.mark.parametrize("dtype", [np.int16, np.uint16, np.uint8, np.int32, np.float32, np.float64])
def test_a_scalar_volume_survives_the_way_to_the_engine_and_back(dtype, tmp_path):
    node = scans.scalar(dtype=dtype)
    back = there_and_back(node, tmp_path)
    assert slicer.util.arrayFromVolume(back).dtype == dtype
    assert np.array_equal(slicer.util.arrayFromVolume(back), slicer.util.arrayFromVolume(node))
    assert np.allclose(scans.grid(back), scans.grid(node), atol=1e-9)


def test_a_left_handed_grid_survives(tmp_path):
    mirrored = scans.oblique() @ np.diag([-1, 1, 1, 1])
    back = there_and_back(scans.scalar(ijk_to_ras=mirrored), tmp_path)
    assert np.allclose(scans.grid(back), mirrored, atol=1e-9)


def test_the_library_reads_what_is_written_for_the_engine(tmp_path):
    node = scans.scalar()
    write(node, tmp_path / "volume.nhdr")
    volume = sr.read(tmp_path / "volume.nhdr")
    assert np.array_equal(volume.voxels, slicer.util.arrayFromVolume(node))
    assert np.allclose(volume.origin, np.array([-1, -1, 1]) * scans.grid(node)[:3, 3])
    assert np.allclose(volume.spacing, (1.5, 1.5, 4.0))


@pytest.mark.parametrize("count", [2, 6, 7, 12])
def test_a_diffusion_series_of_any_length_survives_with_its_gradients(count, tmp_path):
    turn = np.array([[0, -1, 0], [1, 0, 0], [0, 0, 1.0]])
    node = scans.diffusion(count=count, frame=turn)
    back = there_and_back(node, tmp_path)
    assert back.GetClassName() == nodes.DIFFUSION
    assert np.array_equal(slicer.util.arrayFromVolume(back), slicer.util.arrayFromVolume(node))
    for n in range(count):
        assert back.GetDiffusionGradient(n) == node.GetDiffusionGradient(n)
        assert back.GetBValue(n) == node.GetBValue(n)
    frame = vtk.vtkMatrix4x4()
    back.GetMeasurementFrameMatrix(frame)
    assert np.array_equal(slicer.util.arrayFromVTKMatrix(frame)[:3, :3], turn)


def test_the_engine_is_given_gradients_in_patient_space_whatever_the_measurement_frame():
    turn = np.array([[0, -1, 0], [1, 0, 0], [0, 0, 1.0]])
    node = scans.diffusion(frame=turn)
    given = nodes.volume_of(node).gradients
    in_ras = np.array([turn @ node.GetDiffusionGradient(n) for n in range(7)])
    assert np.allclose(given.bvecs, in_ras * [-1, -1, 1], atol=1e-12)
    assert given.bvals.tolist() == [node.GetBValue(n) for n in range(7)]


FRAMES = {
    "identity": np.eye(3),
    "turned": np.array([[0, -1, 0], [1, 0, 0], [0, 0, 1.0]]),
    "LPS": np.diag([-1.0, -1.0, 1.0]),
    "oblique": scans.oblique()[:3, :3] / (1.5, 1.5, 4.0),
}


@pytest.mark.parametrize("frame", FRAMES.values(), ids=FRAMES)
def test_tensors_survive_with_their_measurement_frame(frame, tmp_path):
    node = scans.tensors(frame=frame)
    back = there_and_back(node, tmp_path)
    assert back.GetClassName() == nodes.TENSORS
    assert back.GetImageData().GetPointData().GetScalars() is None
    assert np.allclose(slicer.util.arrayFromVolume(back), slicer.util.arrayFromVolume(node), rtol=0, atol=1e-9)
    assert np.allclose(scans.grid(back), scans.grid(node), atol=1e-9)
    found = vtk.vtkMatrix4x4()
    back.GetMeasurementFrameMatrix(found)
    assert np.allclose(slicer.util.arrayFromVTKMatrix(found)[:3, :3], frame)


@pytest.mark.parametrize("frame", FRAMES.values(), ids=FRAMES)
def test_the_engine_is_given_tensors_in_patient_space_whatever_the_measurement_frame(frame):
    node = scans.tensors(frame=frame)
    given, ras = nodes.volume_of(node), scans.tensors_in_ras(node)
    assert given.quantity == "tensor"
    flip = np.diag([-1.0, -1, 1])
    assert np.allclose(matrices(given.voxels), flip @ ras @ flip, atol=1e-9)


@pytest.mark.parametrize("frame", FRAMES.values(), ids=FRAMES)
@pytest.mark.parametrize("extension", [".nrrd", ".nhdr"])
def test_the_library_and_slicer_read_each_others_tensor_files(tmp_path, frame, extension):
    node = scans.tensors(frame=frame)
    storage = node.CreateDefaultStorageNode()
    storage.SetFileName(str(tmp_path / f"slicer{extension}"))
    assert storage.WriteData(node)
    volume = sr.read(tmp_path / f"slicer{extension}")
    assert np.allclose(volume.voxels, nodes.volume_of(node).voxels, rtol=0, atol=1e-9)
    assert np.allclose(volume.bounds(), nodes.volume_of(node).bounds(), atol=1e-6)

    sr.write(volume, tmp_path / f"library{extension}")
    logic = slicer.vtkSlicerVolumesLogic()
    logic.SetMRMLScene(slicer.mrmlScene)
    back = logic.AddArchetypeVolume(str(tmp_path / f"library{extension}"), "back")
    assert back.GetClassName() == nodes.TENSORS
    assert np.allclose(scans.tensors_in_ras(back), scans.tensors_in_ras(node), rtol=0, atol=1e-9)
    assert np.allclose(scans.grid(back), scans.grid(node), atol=1e-9)


def test_tensors_are_shown_like_their_source(tmp_path):
    source = scans.tensors()
    display = source.GetDisplayNode()
    display.SetScalarInvariantToTrace()
    display.AutoWindowLevelOff()
    display.SetWindowLevel(0.004, 0.002)
    back = there_and_back(source, tmp_path)
    nodes.add(back, source, {})
    shown = back.GetDisplayNode()
    assert shown.GetClassName() == display.GetClassName()
    assert shown is not display
    assert shown.GetScalarInvariant() == display.GetScalarInvariant()
    assert (shown.GetWindow(), shown.GetLevel()) == (0.004, 0.002)
    assert back.GetNumberOfDisplayNodes() == source.GetNumberOfDisplayNodes()


def test_the_glyphs_of_tensors_are_taken_over(tmp_path):
    source = scans.tensors()
    source.GetDisplayNode().AddSliceGlyphDisplayNodes(source)
    assert source.GetNumberOfDisplayNodes() > 1
    source.GetNthDisplayNode(1).SetVisibility(1)
    back = there_and_back(source, tmp_path)
    nodes.add(back, source, {})
    assert back.GetNumberOfDisplayNodes() == source.GetNumberOfDisplayNodes()
    for n in range(1, source.GetNumberOfDisplayNodes()):
        assert back.GetNthDisplayNode(n) is not source.GetNthDisplayNode(n)
        assert back.GetNthDisplayNode(n).GetVisibility() == source.GetNthDisplayNode(n).GetVisibility()
        assert back.GetNthDisplayNode(n).GetClassName() == source.GetNthDisplayNode(n).GetClassName()


def test_a_tensor_node_without_tensors_is_refused():
    node = slicer.mrmlScene.AddNewNodeByClass(nodes.TENSORS, "it")
    image = vtk.vtkImageData()
    image.SetDimensions(4, 4, 4)
    node.SetAndObserveImageData(image)
    with pytest.raises(InputError, match="it is empty: it has no tensors"):
        nodes.check(node)


def test_a_large_volume_is_written_and_copied_in_pieces_so_that_slicer_stays_responsive(tmp_path, monkeypatch):
    monkeypatch.setattr(nodes, "CHUNK", 2 * 24 * 20 * 2)  # two slices of int16
    node = scans.scalar()
    assert write(node, tmp_path / "volume.nhdr") == 4  # the last one closes the file
    back, pieces = read(tmp_path / "volume.nhdr", node)
    assert pieces == 3
    assert np.array_equal(slicer.util.arrayFromVolume(back), slicer.util.arrayFromVolume(node))


def test_a_result_lands_beside_its_source_shown_alike_under_the_same_transform(tmp_path):
    source = scans.scalar()
    hierarchy = slicer.vtkMRMLSubjectHierarchyNode.GetSubjectHierarchyNode(slicer.mrmlScene)
    study = hierarchy.CreateStudyItem(hierarchy.GetSceneItemID(), "study")
    hierarchy.SetItemParent(nodes.item_of(source), study)
    transform = slicer.mrmlScene.AddNewNodeByClass("vtkMRMLLinearTransformNode")
    source.SetAndObserveTransformNodeID(transform.GetID())
    display = source.GetDisplayNode()
    display.AutoWindowLevelOff()
    display.SetWindowLevel(321, 123)
    display.SetAndObserveColorNodeID("vtkMRMLColorTableNodeIron")
    display.SetThreshold(10, 800)
    display.ApplyThresholdOn()
    result = there_and_back(source, tmp_path)
    nodes.add(result, source, {"Model": "mri-x2", "Scale": 2})
    assert hierarchy.GetItemParent(nodes.item_of(result)) == study
    assert result.GetParentTransformNode() is transform
    shown = result.GetDisplayNode()
    assert (shown.GetWindow(), shown.GetLevel()) == (321, 123)
    assert shown.GetColorNodeID() == "vtkMRMLColorTableNodeIron"
    assert (shown.GetLowerThreshold(), shown.GetUpperThreshold(), shown.GetApplyThreshold()) == (10, 800, 1)
    assert result.GetAttribute("SuperResolution.Model") == "mri-x2"
    assert result.GetNodeReference(nodes.SOURCE) is source


def test_a_second_result_gets_a_name_of_its_own(tmp_path):
    source = scans.scalar()
    for _ in range(2):
        nodes.add(there_and_back(source, tmp_path), source, {})
        (tmp_path / "volume.nhdr").unlink()
    assert slicer.mrmlScene.GetNodesByName("result").GetNumberOfItems() == 1
    assert slicer.mrmlScene.GetNodesByName("result_1").GetNumberOfItems() == 1


def test_looking_for_a_free_name_keeps_no_volume_alive(tmp_path):
    source = scans.scalar("result")
    count = source.GetReferenceCount()
    assert nodes._taken("result") and not nodes._taken("free")
    assert source.GetReferenceCount() == count


def test_a_result_is_added_even_if_its_source_was_deleted_meanwhile(tmp_path):
    source = scans.scalar()
    result = there_and_back(source, tmp_path)
    slicer.mrmlScene.RemoveNode(source)
    nodes.add(result, source, {"Scale": 2})
    assert slicer.mrmlScene.GetNodeByID(result.GetID()) is result


def other(kind: str):
    node = slicer.mrmlScene.AddNewNodeByClass(kind, "it")
    if hasattr(node, "SetAndObserveImageData"):
        image = vtk.vtkImageData()
        image.SetDimensions(4, 4, 4)
        image.AllocateScalars(vtk.VTK_UNSIGNED_CHAR, 3 if "Vector" in kind else 1)
        node.SetAndObserveImageData(image)
    return node


@pytest.mark.parametrize(
    ("kind", "sentence"),
    [
        ("vtkMRMLLabelMapVolumeNode", "it is a label map; labels must not be mixed"),
        ("vtkMRMLSegmentationNode", "it is a segmentation; choose the scan"),
        ("vtkMRMLVectorVolumeNode", "it has several components per voxel"),
        ("vtkMRMLModelNode", r"it is not a volume \(vtkMRMLModelNode\)"),
    ],
)
def test_what_is_no_scan_is_refused_with_a_sentence(kind, sentence):
    with pytest.raises(InputError, match=sentence):
        nodes.check(other(kind))


def test_no_volume_at_all_is_refused():
    with pytest.raises(InputError, match="No volume is selected; load a scan"):
        nodes.check(None)


def test_a_volume_without_voxels_is_refused():
    with pytest.raises(InputError, match="it is empty: it has no voxels"):
        nodes.check(slicer.mrmlScene.AddNewNodeByClass(nodes.SCALAR, "it"))


def test_a_colour_image_in_a_scalar_node_is_refused():
    node = other(nodes.SCALAR)
    node.GetImageData().AllocateScalars(vtk.VTK_UNSIGNED_CHAR, 3)
    with pytest.raises(InputError, match="several components"):
        nodes.check(node)


def test_a_sheared_grid_is_refused():
    sheared = scans.oblique()
    sheared[:3, 2] += 0.2 * sheared[:3, 0]
    with pytest.raises(InputError, match="not at right angles"):
        nodes.check(scans.scalar(ijk_to_ras=sheared))


def test_a_plain_scan_gives_no_warning_and_is_accepted():
    node = scans.scalar()
    nodes.check(node)
    assert nodes.warnings(node) == []


def test_a_scan_under_a_non_linear_transform_gives_a_warning():
    node = scans.scalar()
    warp = slicer.mrmlScene.AddNewNodeByClass("vtkMRMLBSplineTransformNode")
    bspline = vtk.vtkThinPlateSplineTransform()
    warp.SetAndObserveTransformToParent(bspline)
    node.SetAndObserveTransformNodeID(warp.GetID())
    assert "non-linear transform" in nodes.warnings(node)[0]


def test_a_short_series_gives_a_warning_as_slicer_would_save_it_without_gradients():
    assert "only 6 volumes" in nodes.warnings(scans.diffusion(count=6))[0]
    assert nodes.warnings(scans.diffusion(count=7)) == []


def test_a_proxy_of_a_sequence_gives_a_warning():
    sequence = slicer.mrmlScene.AddNewNodeByClass("vtkMRMLSequenceNode")
    sequence.SetDataNodeAtValue(scans.scalar("item"), "0")
    browser = slicer.mrmlScene.AddNewNodeByClass("vtkMRMLSequenceBrowserNode")
    browser.SetAndObserveMasterSequenceNodeID(sequence.GetID())
    proxy = scans.scalar("proxy")
    browser.AddProxyNode(proxy, sequence, False)
    assert "one item of a sequence" in nodes.warnings(proxy)[0]
    assert nodes.warnings(slicer.util.getNode("item")) == []


def test_a_full_disk_is_told_in_one_sentence(monkeypatch, tmp_path):
    def refuse(volume, path):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(nodes, "writing_detached", refuse)
    with pytest.raises(InputError, match=r"cannot take head \(No space left on device\); free some space"):
        write(scans.scalar(), tmp_path / "job" / "volume.nhdr")


def test_a_node_is_looked_at_not_copied():
    volume = nodes.volume_of(scans.diffusion())
    assert volume.voxels.base is not None


def own_memory() -> int:
    """Bytes that this process holds for itself; pages of a mapped file, which the system can drop, do not count."""
    rows = Path("/proc/self/smaps_rollup").read_text().splitlines()
    return next(int(row.split()[1]) * 1024 for row in rows if row.startswith("Anonymous:"))


@pytest.mark.skipif(sys.platform != "linux", reason="only Linux tells what a process holds for itself")
def test_the_node_is_the_only_copy_of_a_results_voxels(tmp_path, figures):
    source = scans.scalar(size=(40, 512, 512), dtype=np.float32)
    size = slicer.util.arrayFromVolume(source).nbytes
    write(source, tmp_path / "volume.nhdr")
    before = peak = own_memory()
    steps, node = nodes.reading(tmp_path / "volume.nhdr", source, "result"), None
    while node is None:
        try:
            next(steps)
        except StopIteration as end:
            node = end.value
        peak = max(peak, own_memory())
    figures["memory of Slicer's side while a result is loaded, in sizes of the result"] = (peak - before) / size
    assert peak - before < 1.4 * size
