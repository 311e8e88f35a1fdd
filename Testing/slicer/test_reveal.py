"""The window around the mouse holds the volume above, cut out where the mouse is; pixels and events are real."""

import numpy as np
import pytest
import scans
import slicer
from SuperResolutionSlicer.labels import Layers, Side
from SuperResolutionSlicer.reveal import HALF
from SuperResolutionSlicer.views import LEFT, RIGHT, ComparisonViews
from test_labels import composite, written
from vtk.util.numpy_support import vtk_to_numpy

SIZE = 300


@pytest.fixture
def revealing(session):
    """Views whose right one shows `below`, and `above` under the mouse."""
    views, below, above = ComparisonViews(), scans.scalar("below"), scans.scalar("above")
    slicer.util.arrayFromVolume(above)[:] = 1000 - slicer.util.arrayFromVolume(above)
    views.show(Side(below, "Original"), Layers(Side(below, "below"), Side(above, "above"), revealed=True), axis=2)
    logic = slicer.app.layoutManager().sliceWidget(RIGHT).sliceLogic()
    logic.ResizeSliceNode(SIZE, SIZE)
    logic.FitSliceToBackground()
    yield views, logic, above
    views.close()


def move_to(x: int, y: int) -> None:
    interactor = slicer.app.layoutManager().sliceWidget(RIGHT).sliceView().interactor()
    interactor.SetEventInformation(x, y)
    interactor.InvokeEvent("MouseMoveEvent")


def window(views) -> np.ndarray:
    image = views._revealing.pixels
    width, height, _ = image.GetDimensions()
    return vtk_to_numpy(image.GetPointData().GetScalars()).reshape(height, width, -1)


def test_the_window_holds_the_upper_volume_where_the_mouse_is(revealing, session):
    views, logic, _ = revealing
    assert views._revealing.pixels is None
    move_to(140, 120)
    shown = window(views)
    assert shown.shape[:2] == (2 * HALF + 1, 2 * HALF + 1)
    composite(RIGHT).SetForegroundOpacity(1)
    whole = session.render(logic, SIZE, SIZE)[::-1]  # from below
    part = whole[120 - HALF : 121 + HALF, 140 - HALF : 141 + HALF, :3].astype(int)
    assert np.abs(part - shown[..., :3]).max() <= 1
    assert views._revealing.pixels.GetExtent()[:4] == (80, 200, 60, 180)


def test_at_the_edge_of_the_view_the_window_is_cut_and_outside_there_is_none(revealing):
    views, *_ = revealing
    move_to(5, 290)
    assert window(views).shape[:2] == (HALF + 10, HALF + 6)
    move_to(900, 10)
    assert views._revealing.pixels is None
    move_to(150, 150)
    slicer.app.layoutManager().sliceWidget(RIGHT).sliceView().interactor().InvokeEvent("LeaveEvent")
    assert views._revealing.pixels is None


def test_nothing_is_revealed_of_a_volume_that_is_not_the_one_meant(revealing):
    """Fault J1, for the window around the mouse."""
    views, _, above = revealing
    assert written(RIGHT).splitlines()[:2] == ["below", "above under the mouse"]
    composite(RIGHT).SetForegroundVolumeID(scans.scalar("another patient").GetID())
    assert written(RIGHT) == ""
    move_to(150, 150)
    assert views._revealing.pixels is None
    composite(RIGHT).SetForegroundVolumeID(above.GetID())
    move_to(150, 150)
    assert views._revealing.pixels is not None


def test_another_way_of_looking_ends_it(revealing):
    views, _, above = revealing
    views.show(Side(above, "a"), Side(above, "b"))
    assert views._revealing is None
    move_to(150, 150)
    assert written(LEFT).startswith("a")
