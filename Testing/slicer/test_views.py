"""Two linked views side by side, rendered by Slicer's own slice pipeline: what is in them, and that they agree."""

import numpy as np
import pytest
import scans
import slicer
import slicer.util
import vtk
from SuperResolutionSlicer import layouts
from SuperResolutionSlicer.labels import Side
from SuperResolutionSlicer.views import LEFT, RIGHT, ComparisonViews, slice_on_screen

SIZE = 300


@pytest.fixture
def compared(session):
    """Our two views; what they observe is let go at the end."""
    found = ComparisonViews()
    yield found
    found.close()


@pytest.fixture
def shown(session, compared):
    """A coarse and a fine volume of one field of view, side by side."""
    coarse = scans.scalar("coarse")
    matrix = scans.oblique()
    fine_matrix = matrix @ np.diag([0.5, 0.5, 1, 1])
    fine_matrix[:3, 3] = (matrix @ [-0.25, -0.25, 0, 1])[:3]
    fine = scans.scalar("fine", ijk_to_ras=fine_matrix, size=(6, 48, 40))
    slicer.util.arrayFromVolume(fine)[:, 8:12, 8:12] = 900  # something only the fine one has
    found = compared
    found.show(Side(coarse, "bicubic x2"), Side(fine, "SR x2 (mri-x2)"), axis=2)
    return found, coarse, fine


def logic(tag: str):
    return slicer.app.layoutManager().sliceWidget(tag).sliceLogic()


def test_two_views_show_the_right_volume_each(shown):
    _, coarse, fine = shown
    assert logic(LEFT).GetSliceCompositeNode().GetBackgroundVolumeID() == coarse.GetID()
    assert logic(RIGHT).GetSliceCompositeNode().GetBackgroundVolumeID() == fine.GetID()


def test_what_is_rendered_is_what_the_volumes_hold(shown, session, picture):
    left, right = (session.render(logic(tag), SIZE, SIZE) for tag in (LEFT, RIGHT))
    picture(np.hstack([left, right]), "side-by-side")
    for image in (left, right):
        inside = image[..., 3] > 0
        assert 0.2 < inside.mean() <= 1  # the volume fills a good part of the view, and is not all of one grey
        assert image[..., 0][inside].std() > 10
    assert left.shape == right.shape == (SIZE, SIZE, 4)
    assert (np.abs(left[..., 0].astype(int) - right[..., 0]) > 60).sum() > 50  # the patch that only one has
    assert np.corrcoef(left[..., 0].ravel(), right[..., 0].ravel())[0, 1] > 0.8  # else the same place


def test_both_have_the_same_window_level_and_colours(shown):
    _, coarse, fine = shown
    one, other = coarse.GetDisplayNode(), fine.GetDisplayNode()
    assert (one.GetWindow(), one.GetLevel()) == (other.GetWindow(), other.GetLevel())
    assert one.GetColorNodeID() == other.GetColorNodeID()


def test_moving_through_one_moves_the_other(shown):
    left, right = logic(LEFT), logic(RIGHT)
    wanted = left.GetSliceOffset() + 4.0
    left.StartSliceOffsetInteraction()
    left.SetSliceOffset(wanted)
    left.EndSliceOffsetInteraction()
    assert right.GetSliceOffset() == pytest.approx(wanted)


def test_zooming_one_zooms_the_other(shown):
    left, right = logic(LEFT), logic(RIGHT)
    wide = left.GetSliceNode().GetFieldOfView()
    left.StartSliceNodeInteraction(slicer.vtkMRMLSliceNode.FieldOfViewFlag)
    left.GetSliceNode().SetFieldOfView(wide[0] / 2, wide[1] / 2, wide[2])
    left.EndSliceNodeInteraction()
    assert right.GetSliceNode().GetFieldOfView()[0] == pytest.approx(wide[0] / 2)


def test_both_look_at_the_same_place_in_the_plane_of_the_slices(shown):
    _, coarse, _ = shown
    to_ras = [slicer.util.arrayFromVTKMatrix(logic(tag).GetSliceNode().GetSliceToRAS()) for tag in (LEFT, RIGHT)]
    assert np.allclose(*to_ras)
    normal = scans.grid(coarse)[:3, 2] / 4.0
    assert abs(to_ras[0][:3, 2] @ normal) == pytest.approx(1, abs=1e-6)


def test_the_corner_says_which_is_which_and_that_it_is_for_research(shown):
    found, *_ = shown
    assert found.label(LEFT) == "bicubic x2\nresearch use only"
    assert found.label(RIGHT) == "SR x2 (mri-x2)\nresearch use only"


def test_showing_another_pair_keeps_place_and_zoom(shown):
    found, coarse, fine = shown
    logic(LEFT).StartSliceOffsetInteraction()
    logic(LEFT).SetSliceOffset(logic(LEFT).GetSliceOffset() + 4)
    logic(LEFT).EndSliceOffsetInteraction()
    place = slicer.util.arrayFromVTKMatrix(logic(LEFT).GetSliceNode().GetSliceToRAS())
    found.show(Side(fine, "SR"), Side(coarse, "other"), axis=2)
    assert np.allclose(slicer.util.arrayFromVTKMatrix(logic(RIGHT).GetSliceNode().GetSliceToRAS()), place)
    assert logic(LEFT).GetSliceCompositeNode().GetBackgroundVolumeID() == fine.GetID()


def test_back_restores_the_layout_from_before(session, compared):
    layout = slicer.app.layoutManager().layoutLogic().GetLayoutNode()
    layout.SetViewArrangement(slicer.vtkMRMLLayoutNode.SlicerLayoutConventionalView)
    found = compared
    found.show(Side(scans.scalar("a"), "a"), Side(scans.scalar("b"), "b"), axis=2)
    assert found.shown and layout.GetViewArrangement() == layouts.COMPARISON
    found.restore()
    assert not found.shown
    assert layout.GetViewArrangement() == slicer.vtkMRMLLayoutNode.SlicerLayoutConventionalView
    found.restore()  # a second time does nothing
    assert layout.GetViewArrangement() == slicer.vtkMRMLLayoutNode.SlicerLayoutConventionalView


def test_other_views_do_not_move_along(session, compared):
    layout = slicer.app.layoutManager().layoutLogic().GetLayoutNode()
    layout.SetViewArrangement(slicer.vtkMRMLLayoutNode.SlicerLayoutFourUpView)
    red = slicer.app.layoutManager().sliceWidget("Red").mrmlSliceNode()
    compared.show(Side(scans.scalar("a"), "a"), Side(scans.scalar("b"), "b"), axis=2)
    before = red.GetFieldOfView()
    left = logic(LEFT)
    left.StartSliceNodeInteraction(slicer.vtkMRMLSliceNode.FieldOfViewFlag)
    left.GetSliceNode().SetFieldOfView(11, 11, 1)
    left.EndSliceNodeInteraction()
    assert red.GetFieldOfView() == before


def test_the_layout_is_known_from_the_start_for_scenes_that_were_saved_in_it(session):
    layouts.register()
    assert slicer.app.layoutManager().layoutLogic().GetLayoutNode().IsLayoutDescription(layouts.COMPARISON)


def test_without_a_main_window_nothing_is_shown_and_nothing_breaks(session, compared, monkeypatch):
    with monkeypatch.context() as patched:
        patched.setattr(session, "layout_manager", None)
        assert not compared.shown
        compared.restore()
        compared.close()


def test_other_views_keep_what_they_show(session, compared):
    layout = slicer.app.layoutManager().layoutLogic().GetLayoutNode()
    layout.SetViewArrangement(slicer.vtkMRMLLayoutNode.SlicerLayoutFourUpView)
    own = scans.scalar("own")
    red = slicer.app.layoutManager().sliceWidget("Red").sliceLogic().GetSliceCompositeNode()
    red.SetBackgroundVolumeID(own.GetID())
    compared.show(Side(scans.scalar("a"), "a"), Side(scans.scalar("b"), "b"), axis=2)
    assert red.GetBackgroundVolumeID() == own.GetID()


@pytest.mark.parametrize(("axis", "orientation"), [(0, "Sagittal"), (1, "Coronal"), (2, "Axial")])
def test_the_slice_on_screen_is_found_in_the_view_that_looks_along_the_stack(session, axis, orientation):
    node = scans.scalar(ijk_to_ras=scans.matrix(np.eye(3), (2.0, 3.0, 4.0), (10.0, 20.0, 30.0)))
    layout = slicer.app.layoutManager().layoutLogic().GetLayoutNode()
    layout.SetViewArrangement(slicer.vtkMRMLLayoutNode.SlicerLayoutFourUpView)
    for name, view in (("Red", "Axial"), ("Green", "Coronal"), ("Yellow", "Sagittal")):
        found = slicer.app.layoutManager().sliceWidget(name).mrmlSliceNode()
        found.SetOrientation(view)
        if view == orientation:
            found.JumpSliceByCentering(*scans.grid(node)[:3, :3] @ [3.1, 3.1, 3.1] + (10.0, 20.0, 30.0))
    assert slice_on_screen(node, axis) == 3


def test_a_view_beyond_the_volume_means_its_last_slice(session):
    node = scans.scalar(ijk_to_ras=np.eye(4))
    layout = slicer.app.layoutManager().layoutLogic().GetLayoutNode()
    layout.SetViewArrangement(slicer.vtkMRMLLayoutNode.SlicerLayoutOneUpRedSliceView)
    red = slicer.app.layoutManager().sliceWidget("Red").sliceLogic()
    red.GetSliceNode().SetOrientation("Axial")
    red.SetSliceOffset(500.0)
    assert slice_on_screen(node, 2) == 5


@pytest.mark.parametrize("linear", [True, False])
def test_the_views_turn_into_the_plane_of_a_volume_that_a_linear_transform_has_moved(session, compared, linear):
    """Fault J7: any transform kept them from being turned."""
    a, b = scans.scalar("a"), scans.scalar("b")
    turn = vtk.vtkTransform()
    turn.RotateX(12)
    turn.RotateZ(25)
    kind = "vtkMRMLLinearTransformNode" if linear else "vtkMRMLGridTransformNode"
    transform = slicer.mrmlScene.AddNewNodeByClass(kind)
    if linear:
        transform.SetMatrixTransformToParent(turn.GetMatrix())
    for node in (a, b):
        node.SetAndObserveTransformNodeID(transform.GetID())
    compared.show(Side(a, "a"), Side(b, "b"), axis=2)
    moved = slicer.util.arrayFromVTKMatrix(turn.GetMatrix()) @ scans.grid(a) if linear else np.eye(4)
    normal = moved[:3, 2] / np.linalg.norm(moved[:3, 2])
    shown = slicer.util.arrayFromVTKMatrix(logic(LEFT).GetSliceNode().GetSliceToRAS())[:3, 2]
    assert abs(shown @ normal) == pytest.approx(1, abs=1e-6)
