"""Fault J1: a view can show another volume at any time; the words in its corner are true or not there."""

import numpy as np
import pytest
import scans
import slicer
import slicer.util
import vtk
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from SuperResolutionSlicer.labels import Layers, Side
from SuperResolutionSlicer.views import LEFT, RIGHT, ComparisonViews


@pytest.fixture
def compared(session):
    """Our two views, shown, and the volumes in them."""
    found, left, right = ComparisonViews(), scans.scalar("left"), scans.scalar("right")
    found.show(Side(left, "Interpolated"), Side(right, "Enhanced"), axis=2)
    yield found, left, right
    found.close()


def composite(tag: str):
    return slicer.app.layoutManager().sliceWidget(tag).sliceLogic().GetSliceCompositeNode()


def load(name: str = "another patient"):
    """What Slicer does with a volume that is loaded: it becomes the active one, and is shown in the views."""
    node = scans.scalar(name)
    slicer.app.applicationLogic().GetSelectionNode().SetActiveVolumeID(node.GetID())
    slicer.app.applicationLogic().PropagateVolumeSelection()
    return node


def written(tag: str) -> str:
    """What is to be read in a view, by whatever text actor."""
    widget = slicer.app.layoutManager().sliceWidget(tag)
    props = widget.sliceView().renderWindow().GetRenderers().GetFirstRenderer().GetViewProps()
    return "\n".join(p.GetInput() or "" for p in props if isinstance(p, vtk.vtkTextActor) and p.GetVisibility())


def test_a_volume_that_is_loaded_does_not_come_into_our_views(compared):
    """Fault J1: another patient's scan stood under our labels."""
    _, left, right = compared
    load()
    assert composite(LEFT).GetBackgroundVolumeID() == left.GetID()
    assert composite(RIGHT).GetBackgroundVolumeID() == right.GetID()
    assert written(LEFT).startswith("Interpolated") and written(RIGHT).startswith("Enhanced")


def test_words_vanish_when_a_view_shows_something_else_and_come_back_with_their_volume(compared):
    """Fault J1."""
    _, left, _ = compared
    other = scans.scalar("another patient")
    composite(LEFT).SetBackgroundVolumeID(other.GetID())
    assert written(LEFT) == ""
    composite(LEFT).SetBackgroundVolumeID(left.GetID())
    assert written(LEFT).startswith("Interpolated")


def test_a_scan_loaded_after_the_scene_was_closed_has_no_label_though_it_has_the_same_id(compared):
    """Fault J1: closing the scene and loading another one."""
    _, left, _ = compared
    identity = left.GetID()
    slicer.mrmlScene.Clear(0)
    assert written(LEFT) == written(RIGHT) == ""
    other = load()
    assert other.GetID() == identity, "else this test shows nothing"
    composite(LEFT).SetBackgroundVolumeID(identity)
    assert written(LEFT) == written(RIGHT) == ""


def test_words_vanish_under_another_volume_a_label_map_and_another_way_of_blending(compared):
    """Fault J1: what lies above the volume is seen as well."""
    other = scans.scalar("another patient")
    composite(LEFT).SetForegroundVolumeID(other.GetID())
    assert written(LEFT).startswith("Interpolated"), "nothing is seen of it yet"
    composite(LEFT).SetForegroundOpacity(0.2)
    assert written(LEFT) == ""
    composite(LEFT).SetForegroundOpacity(0)
    composite(RIGHT).SetLabelVolumeID(slicer.mrmlScene.AddNewNodeByClass("vtkMRMLLabelMapVolumeNode").GetID())
    assert written(RIGHT) == ""
    composite(RIGHT).SetLabelVolumeID(None)
    assert written(RIGHT).startswith("Enhanced")
    composite(RIGHT).SetCompositing(2)
    assert written(RIGHT) == ""


def test_words_for_two_layers_say_which_of_them_is_seen(compared):
    found, left, right = compared
    added = scans.scalar("added")
    found.show(
        Layers(Side(left, "Interpolated"), Side(right, "Enhanced")),
        Layers(Side(right, "Enhanced"), Side(added, "what was added"), see_through=True),
    )
    assert written(LEFT).splitlines()[0] == "Interpolated"
    for tag in (LEFT, RIGHT):
        composite(tag).SetForegroundOpacity(1)
    assert written(LEFT).splitlines()[0] == "Enhanced"
    assert written(RIGHT).splitlines()[:2] == ["Enhanced", "+ what was added"]
    composite(LEFT).SetForegroundOpacity(0.5)
    assert written(LEFT).splitlines()[:2] == ["Interpolated", "+ Enhanced"]


def test_words_that_are_a_volumes_name_follow_its_new_name(compared):
    found, left, right = compared
    found.show(Side(left, left.GetName), Side(right, right.GetName))
    right.SetName("renamed")
    assert written(RIGHT).splitlines()[0] == "renamed"


def test_the_volume_of_a_label_is_let_go_when_it_leaves_the_scene(compared):
    found, left, _ = compared
    slicer.mrmlScene.RemoveNode(left)
    assert written(LEFT) == ""
    assert found._labels[LEFT]._layers is None


def test_after_closing_nothing_is_written_and_nothing_observed(compared):
    found, *_ = compared
    found.close()
    assert written(LEFT) == written(RIGHT) == ""
    composite(LEFT).SetForegroundOpacity(0.3)


# ---------------------------------------------------------------- whatever happens, in any order


class World:
    """A user and scripts that do anything; after each step every label in every view is true."""

    def __init__(self, views, mrb) -> None:
        self.views, self.mrb = views, mrb
        self.meant: dict[str, object] = {}

    def volumes(self):
        return slicer.util.getNodesByClass("vtkMRMLScalarVolumeNode")

    def pick(self, n: int):
        return self.volumes()[n % len(self.volumes())] if self.volumes() else scans.scalar("first")

    def load(self, n: int) -> None:
        load(f"patient {n % 3}")

    def close(self, n: int) -> None:
        slicer.mrmlScene.Clear(0)

    def import_scene(self, n: int) -> None:
        assert slicer.mrmlScene.ReadFromMRB(str(self.mrb), bool(n % 2))

    def propagate(self, n: int) -> None:
        slicer.util.setSliceViewerLayers(background=self.pick(n), foreground=self.pick(n + 1), foregroundOpacity=0.5)

    def propagate_selection(self, n: int) -> None:
        slicer.app.applicationLogic().GetSelectionNode().SetActiveVolumeID(self.pick(n).GetID())
        slicer.app.applicationLogic().PropagateVolumeSelection()

    def rename(self, n: int) -> None:
        self.pick(n).SetName(f"patient {n % 4}")

    def delete(self, n: int) -> None:
        slicer.mrmlScene.RemoveNode(self.pick(n))

    def transform(self, n: int) -> None:
        node = slicer.mrmlScene.AddNewNodeByClass("vtkMRMLLinearTransformNode")
        self.pick(n).SetAndObserveTransformNodeID(node.GetID())

    def switch_volume(self, n: int) -> None:
        found = [c for c in slicer.util.getNodesByClass("vtkMRMLSliceCompositeNode")]
        found[n % len(found)].SetBackgroundVolumeID(self.pick(n // 2).GetID())

    def switch_layout(self, n: int) -> None:
        layout = slicer.vtkMRMLLayoutNode
        choices = (layout.SlicerLayoutFourUpView, layout.SlicerLayoutConventionalView, 6209)
        slicer.app.layoutManager().setLayout(choices[n % 3])

    def show(self, n: int) -> None:
        left, right = self.pick(n), self.pick(n + 1)
        self.views.show(Side(left, left.GetName), Side(right, right.GetName), axis=2)
        self.meant = {LEFT: left, RIGHT: right}

    def back(self, n: int) -> None:
        self.views.restore()

    def check(self) -> None:
        for tag in slicer.app.layoutManager().sliceViewNames():
            words = written(tag)
            shown = slicer.mrmlScene.GetNodeByID(composite(tag).GetBackgroundVolumeID() or "")
            if words:
                assert shown is not None and shown is self.meant[tag], f"{tag} shows another volume under {words!r}"
                assert words.splitlines()[0] == shown.GetName()
            elif shown is not None and shown is self.meant.get(tag) and not composite(tag).GetForegroundVolumeID():
                raise AssertionError(f"{tag} shows what was meant, without its words")


STEPS = [name for name in vars(World) if name not in ("volumes", "pick", "check") and not name.startswith("_")]


@pytest.fixture(scope="module")
def saved_scene(tmp_path_factory):
    """Where a scene with two volumes lies, saved by a version that wrote our arrangement into it."""
    return tmp_path_factory.mktemp("scenes") / "scene.mrb"


@settings(max_examples=30, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(steps=st.lists(st.tuples(st.sampled_from(STEPS), st.integers(0, 11)), min_size=4, max_size=14))
def test_no_view_ever_shows_a_volume_under_a_label_that_is_not_its_own(session, saved_scene, steps):
    """Fault J1, for random sequences of whatever a user, a script or Slicer itself may do."""
    slicer.mrmlScene.Clear(0)
    views = ComparisonViews()
    try:
        if not saved_scene.exists():
            views.show(Side(scans.scalar("a"), "a"), Side(scans.scalar("b"), "b"), axis=2)
            views.close()
            session.save(saved_scene)
            slicer.mrmlScene.Clear(0)
        world = World(views, saved_scene)
        for name, number in [("show", 0), *steps]:
            getattr(world, name)(number)
            world.check()
    finally:
        views.close()


def test_what_is_meant_by_the_check_is_that_it_can_fail(compared):
    """A label that lies is found."""
    found, left, right = compared
    world = World(found, None)
    world.meant = {LEFT: right, RIGHT: right}
    found.show(Side(left, left.GetName), Side(right, right.GetName))
    with pytest.raises(AssertionError, match="shows another volume"):
        world.check()
    assert np.all([written(tag) for tag in (LEFT, RIGHT)])
