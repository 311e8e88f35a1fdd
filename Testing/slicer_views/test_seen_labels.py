"""Faults J1 and J3 in Slicer's real slice views: what the browser shows is under its own words, in one window."""

import random

import letters
import numpy as np
import pytest
import slicer
import slicer.util
from letters import scan
from SuperResolutionSlicer.labels import Layers, Side
from SuperResolutionSlicer.views import LEFT, RIGHT, ComparisonViews

MEANT = {"A": "Interpolated", "B": "Enhanced"}  # the words of each scan; C has none
OURS = {LEFT: ("A", "Interpolated"), RIGHT: ("B", "Enhanced")}


@pytest.fixture
def compared(stage):
    """A and B in our two views, on screen."""
    views, a, b = ComparisonViews(), scan("A"), scan("B")
    show(views, a, b)
    stage.settle()
    yield views, a, b
    views.close()


def show(views: ComparisonViews, *scans) -> None:
    views.show(*(Side(node, MEANT[node.GetName()]) for node in scans), axis=2)


def select(node) -> None:
    """What Slicer does with a scan that is loaded, and other modules with one that is chosen: into all views."""
    slicer.app.applicationLogic().GetSelectionNode().SetActiveVolumeID(node.GetID())
    slicer.app.applicationLogic().PropagateVolumeSelection()


def looked_at(stage) -> dict[str, tuple[str, str]]:
    """Of each view on screen the letter of the scan that the browser shows, and the words; they must be its own."""
    stage.settle()
    found = {}
    for tag in stage.tags:
        pixels, words = stage.seen(tag), stage.written(tag)
        letter = letters.on_screen(pixels)
        assert letters.words_on_screen(pixels) == bool(words), f"{tag}: {words!r} is not what the browser shows"
        assert not words or words.splitlines()[0] == MEANT.get(letter), f"{tag} shows {letter!r} under {words!r}"
        found[tag] = letter, words.partition("\n")[0]
    return found


def test_each_view_shows_its_own_scan_under_its_own_words(stage, compared, picture):
    assert looked_at(stage) == OURS
    assert stage.written(LEFT) == "Interpolated\nresearch use only"
    picture("1-compared")


def test_a_scan_that_is_loaded_and_selected_does_not_come_into_our_views(stage, compared, picture):
    """Fault J1: another patient's scan stood under our labels."""
    views, *_ = compared
    select(scan("C"))
    assert looked_at(stage) == OURS
    picture("2-another-selected")
    views.restore()
    assert looked_at(stage) == {"Red": ("C", ""), "Yellow": ("C", "")}, "it came into the user's views"
    picture("3-back-in-the-usual-views")


def test_words_go_with_their_scan_and_come_back_with_it(stage, compared, picture):
    """Fault J1: a script chooses another scan for one view."""
    _, a, _ = compared
    stage.composite(LEFT).SetBackgroundVolumeID(scan("C").GetID())
    assert looked_at(stage) == {LEFT: ("C", ""), RIGHT: OURS[RIGHT]}
    picture("4-another-in-the-left-view")
    stage.composite(LEFT).SetBackgroundVolumeID(a.GetID())
    assert looked_at(stage) == OURS


def test_no_words_stand_over_a_scan_that_a_user_chooses_for_both_linked_views(stage, compared, picture):
    """Fault J1: as the list of volumes above a view does it."""
    other, logic = scan("C"), stage.logic(LEFT)
    logic.StartSliceCompositeNodeInteraction(slicer.vtkMRMLSliceCompositeNode.BackgroundVolumeFlag)
    logic.GetSliceCompositeNode().SetBackgroundVolumeID(other.GetID())
    logic.EndSliceCompositeNodeInteraction()
    assert looked_at(stage) == {LEFT: ("C", ""), RIGHT: ("C", "")}


def test_no_words_stand_over_what_a_module_puts_into_all_views(stage, compared):
    """Fault J1: slicer.util.setSliceViewerLayers() asks nobody."""
    _, _, b = compared
    other = scan("C")
    slicer.util.setSliceViewerLayers(background=other)
    assert looked_at(stage) == {LEFT: ("C", ""), RIGHT: ("C", "")}
    slicer.util.setSliceViewerLayers(background=b, foreground=other, foregroundOpacity=0.5)
    stage.settle()
    assert not any(letters.words_on_screen(stage.seen(tag)) or stage.written(tag) for tag in (LEFT, RIGHT))


def test_a_scan_loaded_after_the_scene_was_closed_has_no_words_though_it_has_the_same_id(stage, compared, picture):
    """Fault J1: closing the scene and loading another one."""
    _, a, _ = compared
    identity = a.GetID()
    slicer.mrmlScene.Clear(0)
    assert looked_at(stage) == {LEFT: ("", ""), RIGHT: ("", "")}
    other = scan("C")
    assert other.GetID() == identity, "else this test shows nothing"
    select(other)
    for tag in (LEFT, RIGHT):
        stage.composite(tag).SetBackgroundVolumeID(identity)
        stage.logic(tag).FitSliceToBackground()
    assert looked_at(stage) == {LEFT: ("C", ""), RIGHT: ("C", "")}
    picture("5-another-scan-of-the-same-id")


def test_a_scan_that_is_deleted_takes_its_words_along(stage, compared):
    _, a, _ = compared
    slicer.mrmlScene.RemoveNode(a)
    assert looked_at(stage) == {LEFT: ("", ""), RIGHT: OURS[RIGHT]}


# ---------------------------------------------------------------- one window, by the mouse


def test_dragging_the_window_of_one_view_changes_the_other_too(stage, compared, picture):
    """Fault J3: window and level were copied once."""
    _, a, b = compared
    interaction = slicer.app.applicationLogic().GetInteractionNode()
    interaction.SetCurrentInteractionMode(interaction.AdjustWindowLevel)
    stage.mouse(LEFT, (0.5, 0.5), (0.6, 0.6), (0.7, 0.75), drag=True)
    stage.settle()
    picture("6-window-dragged")
    window, level = (getattr(a.GetDisplayNode(), name)() for name in ("GetWindow", "GetLevel"))
    assert (window, level) != (1000, 500), "the mouse changed it"
    assert (b.GetDisplayNode().GetWindow(), b.GetDisplayNode().GetLevel()) == (window, level)
    for tag, letter in ((LEFT, "A"), (RIGHT, "B")):
        grey = 255 * np.clip((letters.GREYS[letter] - level) / window + 0.5, 0, 1)
        assert letters.plate_grey(stage.seen(tag)) == pytest.approx(grey, abs=2)


def test_the_mouse_wheel_moves_through_both(stage, compared):
    before = stage.logic(LEFT).GetSliceOffset()
    stage.mouse(LEFT, (0.5, 0.5), wheel=-100)
    stage.settle()
    assert stage.logic(LEFT).GetSliceOffset() != before
    assert stage.logic(RIGHT).GetSliceOffset() == pytest.approx(stage.logic(LEFT).GetSliceOffset())


# ---------------------------------------------------------------- two scans in one view


def test_flicker_changes_scan_and_words_together(stage, compared, picture):
    views, a, b = compared
    views.show(Side(a, MEANT["A"]), Layers(Side(a, MEANT["A"]), Side(b, MEANT["B"]), opacity=1.0), axis=2)
    assert looked_at(stage) == OURS
    views.flicker()
    assert looked_at(stage) == {LEFT: OURS[LEFT], RIGHT: OURS[LEFT]}
    views.flicker()
    assert looked_at(stage) == OURS


def test_what_is_revealed_lies_under_the_mouse_and_the_words_stay_readable(stage, compared, picture):
    views, a, b = compared
    views.show(Side(a, MEANT["A"]), Layers(Side(a, MEANT["A"]), Side(b, MEANT["B"]), revealed=True), axis=2)
    stage.settle()
    before = stage.seen(RIGHT)
    stage.mouse(RIGHT, (0.4, 0.6), (0.5, 0.8))
    stage.settle()
    picture("7-revealed")
    pixels = stage.seen(RIGHT)
    assert letters.on_screen(pixels) == "A" and letters.on_screen(pixels[270:370, 150:250]) == "B"
    assert stage.written(RIGHT).splitlines()[:2] == ["Interpolated", "Enhanced under the mouse"]
    stage.mouse(RIGHT, (0.05, 0.05))
    stage.settle()
    picture("8-revealed-below-the-words")
    yellow = [letters.words_in(picture) for picture in (before, stage.seen(RIGHT))]
    assert yellow[1].sum() == pytest.approx(yellow[0].sum(), rel=0.2), "the window lies below the words"


# ---------------------------------------------------------------- whatever happens, in any order


def anything(stage, views, draw: random.Random) -> str:
    """One thing that a user, a script or Slicer may do; its name."""
    nodes = slicer.util.getNodesByClass("vtkMRMLScalarVolumeNode")
    pick = lambda: draw.choice(nodes) if nodes else scan(draw.choice("ABC"))  # noqa: E731
    named = {node.GetName(): node for node in nodes}
    ours = [named.get(letter) or scan(letter) for letter in "AB"]
    usual = slicer.vtkMRMLLayoutNode.SlicerLayoutSideBySideView
    things = {
        "load": lambda: select(scan("C")),
        "select": lambda: select(pick()),
        "put into all views": lambda: slicer.util.setSliceViewerLayers(background=pick()),
        "choose for a view": lambda: stage.composite(draw.choice(stage.tags)).SetBackgroundVolumeID(pick().GetID()),
        "lay over a view": lambda: stage.composite(draw.choice(stage.tags)).SetForegroundVolumeID(pick().GetID()),
        "blend": lambda: stage.composite(draw.choice(stage.tags)).SetForegroundOpacity(draw.choice([0.0, 0.5, 1.0])),
        "delete": lambda: slicer.mrmlScene.RemoveNode(pick()),
        "close the scene": lambda: slicer.mrmlScene.Clear(0),
        "compare": lambda: show(views, *ours),
        "compare the other way round": lambda: show(views, *ours[::-1]),
        "go back": views.restore,
        "choose the usual layout": lambda: slicer.app.layoutManager().setLayout(usual),
    }
    name = draw.choice(list(things))
    things[name]()
    return name


@pytest.mark.parametrize("seed", range(3))
def test_no_view_ever_shows_a_scan_under_words_that_are_not_its_own(stage, compared, seed):
    """Fault J1, for random sequences; what the browser shows is looked at after each step."""
    views, draw, done = compared[0], random.Random(seed), []
    for _ in range(12):
        done.append(anything(stage, views, draw))
        try:
            looked_at(stage)
        except AssertionError as error:
            raise AssertionError(f"after {done}: {error}") from error
