"""Many volumes in one queue: a study of the subject hierarchy, a sequence; the real engine on small volumes."""

import numpy as np
import pytest
import scans
import slicer
import slicer.util
from processes import workers
from SuperResolutionSlicer import batch, nodes
from SuperResolutionSlicer.jobs import Step
from SuperResolutionSlicer.logic import Settings, SuperResolutionLogic
from test_logic import step_until, temporary_files, wait_for
from test_widget import click, open_panel, run_to_end, select

from SuperResolutionLib.errors import InputError


@pytest.fixture
def logic(session):
    found = SuperResolutionLogic()
    yield found
    found.close()


def study_of(*members) -> int:
    tree = nodes.hierarchy()
    patient = tree.CreateSubjectItem(tree.GetSceneItemID(), "patient")
    study = tree.CreateStudyItem(patient, "study")
    for node in members:
        nodes.put_in(study, node)
    return study


def sequence(count: int = 2):
    """A sequence of small scans, its browser, and the volume that shows one of them."""
    found = slicer.mrmlScene.AddNewNodeByClass("vtkMRMLSequenceNode", "cine")
    found.SetIndexName("time")
    found.SetIndexUnit("s")
    for n in range(count):
        item = scans.scalar(f"frame {n}")
        slicer.util.arrayFromVolume(item)[:] += 10 * n
        found.SetDataNodeAtValue(item, str(n / 2))
        slicer.mrmlScene.RemoveNode(item)
    browser = slicer.mrmlScene.AddNewNodeByClass("vtkMRMLSequenceBrowserNode", "browser")
    browser.SetAndObserveMasterSequenceNodeID(found.GetID())
    slicer.modules.sequences.logic().UpdateAllProxyNodes()
    return found, browser, browser.GetProxyNode(found)


def test_all_volumes_of_a_study_are_enhanced_and_what_fails_is_listed(logic):
    one, two, other = scans.scalar("one"), scans.scalar("two"), scans.scalar("elsewhere")
    mask = scans.scalar("mask")
    slicer.util.arrayFromVolume(mask)[:] = slicer.util.arrayFromVolume(mask) > 300
    study = study_of(one, mask, two)
    found = logic.enhanceStudy(one)
    assert [node.GetName() for node in found.made] == ["one enhanced x2 (mri-x2)", "two enhanced x2 (mri-x2)"]
    ((name, why),) = found.failed
    assert name == "mask" and "the file holds labels" in why
    assert found.summary.startswith("Done: 2 of 3 enhanced.\nmask: ")
    tree = nodes.hierarchy()
    assert all(tree.GetItemParent(nodes.item_of(node)) == study for node in found.made)
    assert not [n for n in slicer.util.getNodes("elsewhere*").values() if n is not other]
    assert batch.of_study(one) == [one, mask, two], "results are not enhanced again"


def test_a_volume_without_a_study_is_told_where_to_put_it(logic):
    with pytest.raises(InputError, match="head lies in no study; put the volumes into one"):
        logic.enhanceStudy(scans.scalar())


def test_all_items_of_a_sequence_become_a_sequence_in_step_with_it(logic):
    source, browser, proxy = sequence()
    found = logic.enhanceSequence(proxy)
    assert len(found.made) == 2 and found.failed == ()
    (result,) = [n for n in slicer.util.getNodesByClass("vtkMRMLSequenceNode") if n is not source]
    assert result.GetName() == "cine enhanced x2 (mri-x2)"
    assert [result.GetNthIndexValue(n) for n in range(2)] == ["0.0", "0.5"]
    assert (result.GetIndexName(), result.GetIndexUnit()) == ("time", "s")
    means = [slicer.util.arrayFromVolume(result.GetNthDataNode(n)).mean() for n in range(2)]
    assert np.allclose(np.diff(means), 10, atol=1.5)
    assert slicer.util.arrayFromVolume(result.GetNthDataNode(0)).shape == (6, 48, 40)
    assert browser.IsSynchronizedSequenceNode(result)
    assert source.GetNumberOfDataNodes() == 2
    assert temporary_files() == []


def test_a_volume_of_no_sequence_is_refused(logic):
    with pytest.raises(InputError, match="head is no item of a sequence"):
        logic.enhanceSequence(scans.scalar())


def test_cancelling_keeps_what_was_made_and_ends_the_rest(logic):
    members = [scans.scalar("small"), scans.scalar("big", size=(60, 128, 128)), scans.scalar("last")]
    study_of(*members)
    job = logic.enhanceStudy(members[0], Settings(), blocking=False)
    step_until(job, lambda: job.progress.text.startswith("2 of 3, big: ") and "slices" in job.progress.text)
    assert 1 / 3 <= job.progress.share < 2 / 3
    job.cancel()
    assert wait_for(lambda: not workers(), 3)
    made = [n.GetName() for n in slicer.util.getNodesByClass(nodes.SCALAR) if "enhanced" in n.GetName()]
    assert made == ["small enhanced x2 (mri-x2)"]
    assert temporary_files() == []


def test_progress_of_a_queue_grows_and_names_what_is_done():
    def work():
        yield Step(None, "begin")
        yield Step(0.5, "half")
        return "result"

    def failing():
        yield Step(0.2, "soon")
        raise InputError("no")

    steps, queue = [], batch.queue([("a", work), ("b", failing), ("c", work)])
    try:
        while True:
            steps.append(next(queue))
    except StopIteration as end:
        found = end.value
    assert [round(step.share, 3) for step in steps] == [0, 0.167, 0.4, 0.667, 0.833]
    assert steps[2].text == "2 of 3, b: soon"
    assert found == batch.Batch(("result", "result"), (("b", "no"),))


def test_the_panel_enhances_a_study_and_lists_what_failed(session, wait_until, grab):
    one, mask = scans.scalar("one"), scans.scalar("mask")
    slicer.util.arrayFromVolume(mask)[:] = slicer.util.arrayFromVolume(mask) > 300
    study_of(one, mask)
    panel = open_panel(session)
    panel.ui.inputSelector.setCurrentNode(one)
    select(panel.ui.makeComboBox, "2")
    select(panel.ui.whatComboBox, "study")
    click(panel.ui.enhanceButton)
    run_to_end(panel, wait_until)
    assert panel.job.state == "done", panel.job.error + panel.job.log
    assert panel.ui.statusLabel.text.startswith("Done: 1 of 2 enhanced.\nmask: ")
    panel.parent.resize(400, 760)
    grab(panel.parent, "panel-batch")
