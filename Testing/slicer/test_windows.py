"""Fault J3: one window and level was promised, and copied only once."""

import pytest
import scans
import slicer
from SuperResolutionSlicer.labels import Side
from SuperResolutionSlicer.views import ComparisonViews
from SuperResolutionSlicer.windows import SharedWindow


@pytest.fixture
def shared(session):
    found = SharedWindow()
    yield found
    found.end()


def window(node):
    display = node.GetDisplayNode()
    return display.GetWindow(), display.GetLevel()


def set_window(node, low: float, high: float) -> None:
    """As the mouse in a view does it."""
    node.GetDisplayNode().SetAutoWindowLevel(0)
    node.GetDisplayNode().SetWindowLevelMinMax(low, high)


def test_whichever_of_two_is_changed_the_other_follows(shared):
    """Fault J3."""
    one, other = scans.scalar("one"), scans.scalar("other")
    shared.share([one, other])
    for node in (one, other, one):
        set_window(node, 10 + len(node.GetName()), 300)
        assert window(one) == window(other) == pytest.approx((290 - len(node.GetName()), 155 + len(node.GetName()) / 2))


def test_what_is_compared_follows_in_the_views_too(session):
    """Fault J3."""
    views, one, other = ComparisonViews(), scans.scalar("one"), scans.scalar("other")
    views.show(Side(one, "one"), Side(other, "other"), axis=2)
    set_window(other, 100, 200)
    assert window(one) == (100, 150)
    views.close()
    set_window(other, 0, 10)
    assert window(one) == (100, 150)


def test_a_third_volume_takes_the_window_that_two_share_already(shared):
    one, two, three = (scans.scalar(name) for name in ("one", "two", "three"))
    shared.share([one, two])
    set_window(two, 100, 200)
    set_window(three, 0, 7)
    shared.share([three, two])
    assert window(one) == window(two) == window(three) == (100, 150)
    set_window(three, 5, 15)
    assert window(one) == window(two) == (10, 10)


def test_another_pair_leaves_the_first_one_alone(shared):
    one, two, three, four = (scans.scalar(name) for name in ("one", "two", "three", "four"))
    shared.share([one, two])
    shared.share([three, four])
    set_window(four, 100, 200)
    assert window(three) == (100, 150) and window(one) != (100, 150)
    assert shared.volumes == [three, four]


def test_the_scans_own_automatic_window_stays_on(session):
    """Fault J7: it was switched off by looking."""
    source, result = scans.scalar("source"), scans.scalar("result")
    assert source.GetDisplayNode().GetAutoWindowLevel()
    views = ComparisonViews()
    views.show(Side(source, "source"), Side(result, "result"), axis=2)
    assert source.GetDisplayNode().GetAutoWindowLevel()
    assert window(result) == window(source)
    views.close()


def test_a_new_display_node_and_a_volume_that_goes_are_followed_without_a_fault(shared):
    one, other = scans.scalar("one"), scans.scalar("other")
    shared.share([one, other])
    display = slicer.mrmlScene.AddNewNodeByClass("vtkMRMLScalarVolumeDisplayNode")
    display.AutoWindowLevelOff()
    display.SetWindowLevelMinMax(1, 3)
    one.SetAndObserveDisplayNodeID(display.GetID())
    assert window(other) == (2, 2)
    slicer.mrmlScene.RemoveNode(other)
    set_window(one, 0, 50)
    assert window(one) == (50, 25)
