"""Our arrangement of views comes and goes, and never gets into a saved scene."""

import zipfile

import pytest
import scans
import slicer
import slicer.util
from SuperResolutionSlicer.layouts import COMPARISON, LEFT, Layouts, register

PLOT = slicer.vtkMRMLLayoutNode.SlicerLayoutFourUpPlotTableView
CONVENTIONAL = slicer.vtkMRMLLayoutNode.SlicerLayoutConventionalView


@pytest.fixture
def layouts(session):
    found = Layouts()
    yield found
    found.close()


def layout_node():
    return slicer.app.layoutManager().layoutLogic().GetLayoutNode()


def scene_file(path) -> str:
    with zipfile.ZipFile(path) as archive:
        return next(archive.read(name).decode() for name in archive.namelist() if name.endswith(".mrml"))


@pytest.mark.parametrize("ours_before", [False, True])
def test_a_maximised_view_does_not_hide_our_views(layouts, ours_before):
    """Fault J4: with a view maximised the comparison stayed hidden behind it."""
    if ours_before:
        layouts.put_up(COMPARISON)
    layout_node().AddMaximizedViewNode(slicer.app.layoutManager().sliceWidget("Red").mrmlSliceNode())
    layouts.put_up(COMPARISON)
    assert layout_node().GetNumberOfMaximizedViewNodes() == 0
    assert slicer.app.layoutManager().sliceWidget(LEFT).mrmlSliceNode().IsMappedInLayout()


def test_a_scene_that_is_saved_while_our_views_are_shown_does_not_ask_for_them(session, layouts, tmp_path):
    """Fault J5: where the extension is missing such a scene opened without any view."""
    layouts.put_up(COMPARISON)
    session.save(tmp_path / "ours.mrb")
    assert f'"{COMPARISON}"' not in scene_file(tmp_path / "ours.mrb")
    assert layouts.current == COMPARISON, "the views are still there"
    slicer.app.layoutManager().setLayout(CONVENTIONAL)
    session.save(tmp_path / "own.mrb")
    assert f'currentViewArrangement="{CONVENTIONAL}"' in scene_file(tmp_path / "own.mrb")


def test_this_holds_after_the_scene_was_closed_too(session, layouts, tmp_path):
    """Fault J5: closing a scene resets what belongs to nodes."""
    layouts.put_up(COMPARISON)
    slicer.mrmlScene.Clear(0)
    scans.scalar("next")
    session.save(tmp_path / "next.mrb")
    assert f'"{COMPARISON}"' not in scene_file(tmp_path / "next.mrb")


def test_back_leads_to_a_usual_layout_from_a_scene_that_was_loaded_in_ours(session, layouts, tmp_path):
    """Fault J6: Back did nothing."""
    register()
    slicer.app.layoutManager().setLayout(COMPARISON)  # as versions before this one did, and left it in the scene
    session.save(tmp_path / "old.mrb")
    slicer.app.layoutManager().setLayout(CONVENTIONAL)
    session.load(tmp_path / "old.mrb")
    assert layouts.current == COMPARISON and layouts.away
    layouts.back()
    assert layouts.current == slicer.vtkMRMLLayoutNode.SlicerLayoutFourUpView
    assert not layouts.away


def test_back_leads_to_the_users_layout_and_not_to_the_plots_that_we_put_up(layouts):
    """Fault J6: after Measure it led to the plot layout."""
    slicer.app.layoutManager().setLayout(CONVENTIONAL)
    for ours in (COMPARISON, PLOT, COMPARISON):
        layouts.put_up(ours)
        assert layouts.away
    layouts.back()
    assert layouts.current == CONVENTIONAL


def test_a_layout_that_the_user_chooses_meanwhile_is_the_one_that_back_leads_to(layouts):
    layouts.put_up(COMPARISON)
    slicer.app.layoutManager().setLayout(CONVENTIONAL)
    assert not layouts.away
    layouts.back()
    assert layouts.current == CONVENTIONAL
    layouts.put_up(COMPARISON)
    layouts.back()
    assert layouts.current == CONVENTIONAL
