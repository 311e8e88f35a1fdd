"""The stand-in for Slicer behaves as Slicer's sources say: what the module's tests rely on is pinned here."""

import os
import subprocess
import sys
from pathlib import Path

import ctk
import needs
import numpy as np
import pytest
import qt
import slicer
import slicer.util
import standin
import vtk
from slicer.packaging import load_requirements, pip_check, pip_ensure

LINKED = 1701
VIEW = (
    '<item><view class="vtkMRMLSliceNode" singletontag="{}"><property name="orientation" action="default">Axial'
    '</property><property name="viewlabel" action="default">{}</property></view></item>'
)
TWO_VIEWS = f'<layout type="horizontal">{VIEW.format("Left", "L")}{VIEW.format("Right", "R")}</layout>'
FORM = """<ui version="4.0"><class>Form</class>
 <widget class="qMRMLWidget" name="Form"><layout class="QVBoxLayout" name="column">
  <item><widget class="qMRMLNodeComboBox" name="inputSelector"><property name="nodeTypes"><stringlist>
   <string>vtkMRMLScalarVolumeNode</string></stringlist></property><property name="noneEnabled"><bool>true</bool>
   </property><property name="SlicerParameterName" stdset="0"><string>input</string></property></widget></item>
  <item><widget class="qMRMLNodeComboBox" name="forgottenSelector"/></item>
  <item><widget class="QCheckBox" name="box"/></item><item><widget class="QSpinBox" name="spin"/></item>
  <item><widget class="QPushButton" name="applyButton"><property name="text"><string>Apply</string></property>
   <property name="enabled"><bool>false</bool></property></widget></item>
 </layout></widget>
 <connections><connection><sender>Form</sender><signal>mrmlSceneChanged(vtkMRMLScene*)</signal>
  <receiver>inputSelector</receiver><slot>setMRMLScene(vtkMRMLScene*)</slot></connection>
  <connection><sender>box</sender><signal>toggled(bool)</signal><receiver>applyButton</receiver>
  <slot>setEnabled(bool)</slot></connection></connections></ui>"""
MODULE = """
import qt, slicer
from slicer.i18n import tr as _
from slicer.ScriptedLoadableModule import *
from slicer.util import VTKObservationMixin

class Tiny(ScriptedLoadableModule):
    def __init__(self, parent):
        ScriptedLoadableModule.__init__(self, parent)
        parent.title = _("Tiny module")

class TinyWidget(ScriptedLoadableModuleWidget, VTKObservationMixin):
    def __init__(self, parent=None):
        ScriptedLoadableModuleWidget.__init__(self, parent)
        VTKObservationMixin.__init__(self)
        self.steps = []

    def setup(self):
        ScriptedLoadableModuleWidget.setup(self)
        self.logic = TinyLogic()
        self.button = qt.QPushButton(_("Apply"))
        self.layout.addWidget(self.button)
        self.addObserver(slicer.mrmlScene, slicer.mrmlScene.EndCloseEvent, lambda *_: self.steps.append("closed"))
        self.steps.append("setup")

    def enter(self): self.steps.append("enter")
    def exit(self): self.steps.append("exit")
    def cleanup(self):
        self.removeObservers()
        self.steps.append("cleanup")

class TinyLogic(ScriptedLoadableModuleLogic): pass

class TinyTest(ScriptedLoadableModuleTest):
    def test_something(self):
        self.delayDisplay("something")
        self.assertIsNotNone(slicer.mrmlScene)
"""


@pytest.fixture
def events():
    """What happened, in order."""
    return []


# --- PythonQt


@pytest.mark.parametrize(
    ("kind", "name", "value"),
    [
        ("QLabel", "text", "words"),
        ("QPushButton", "enabled", False),
        ("QToolButton", "toolTip", "words"),
        ("QCheckBox", "checked", True),
        ("QRadioButton", "text", "words"),
        ("QProgressBar", "value", 7),
        ("QProgressBar", "maximum", 8),
        ("QSpinBox", "value", 7),
        ("QDoubleSpinBox", "value", 0.5),
        ("QLineEdit", "text", "words"),
        ("QPlainTextEdit", "plainText", "words"),
        ("QGroupBox", "title", "words"),
        ("QWidget", "visible", True),
        ("QWidget", "name", "words"),
        ("QTimer", "interval", 20),
        ("QProgressDialog", "labelText", "words"),
    ],
)
def test_a_qt_property_is_an_attribute(session, kind, name, value):
    widget = getattr(qt, kind)()
    setattr(widget, name, value)
    assert getattr(widget, name) == value


def test_calling_a_property_raises(session):
    with pytest.raises(TypeError, match="'str' object is not callable"):
        qt.QLabel("words").text()


def test_the_setters_are_there_too(session):
    label = qt.QLabel()
    label.setText("words")
    assert label.text == "words"


def test_a_combo_box_has_text_index_count_and_data(session):
    box = qt.QComboBox()
    box.addItem("first", "a")
    box.addItem("second", 2)
    box.currentIndex = 1
    assert (box.currentText, box.currentData, box.count) == ("second", 2, 2)
    assert (box.findData("a"), box.itemData(0), box.findText("second")) == (0, "a", 1)


def test_what_c_plus_plus_made_has_attributes_too(session):
    assert qt.QComboBox().view().enabled is True


def test_the_value_of_a_virtual_getter_is_an_attribute_too(session):
    bar = qt.QProgressBar()
    bar.value = 30
    assert (bar.text, bar.sizeHint.width() > 0) == ("30%", True)


@pytest.mark.parametrize(("name", "reason"), [("txet", "has no property"), ("setText", "only properties")])
def test_what_is_no_property_cannot_be_set(session, name, reason):
    with pytest.raises(AttributeError, match=reason):
        setattr(qt.QLabel(), name, "words")


def test_a_read_only_property_cannot_be_set(session):
    with pytest.raises(AttributeError, match="read-only"):
        qt.QLabel().width = 5


def test_a_class_written_in_python_takes_attributes(session):
    class Panel(qt.QWidget):
        pass

    panel = Panel()
    panel.anything = 1
    assert panel.anything == 1


def test_single_shot_is_a_method_of_a_timer(session, events, wait_until):
    timer = qt.QTimer()
    with pytest.raises(AttributeError):
        timer.singleShot = True
    timer.setSingleShot(True)
    timer.connect("timeout()", lambda: events.append("timer"))
    timer.start(1)
    assert timer.active
    qt.QTimer.singleShot(30, lambda: events.append("later"))
    wait_until(lambda: "later" in events)
    assert events == ["timer", "later"]
    assert not timer.active


def test_signals_are_connected_by_their_qt_signature(session, events):
    button = qt.QPushButton()
    button.connect("clicked(bool)", lambda checked: events.append(checked))
    button.connect("clicked()", lambda: events.append("clicked"))
    button.clicked.connect(lambda: events.append("new"))
    button.click()
    assert events == [False, "clicked", "new"]


def test_signals_are_disconnected_by_their_qt_signature(session, events):
    button, keep, drop = qt.QPushButton(), lambda: events.append("keep"), lambda: events.append("drop")
    button.connect("clicked(bool)", keep)
    button.connect("clicked(bool)", drop)
    assert button.disconnect("clicked(bool)", drop)
    button.click()
    assert events == ["keep"]


def test_a_signal_is_connected_to_a_slot_of_another_object(session):
    box, label = qt.QCheckBox(), qt.QLabel()
    box.connect("toggled(bool)", label, "setDisabled(bool)")
    box.checked = True
    assert not label.enabled


def test_a_signal_that_is_not_there_is_noticed(session):
    with pytest.raises(AttributeError, match="QPushButton has no signal pressd"):
        qt.QPushButton().connect("pressd()", print)


def test_a_connected_method_keeps_its_object_alive(session, events):
    class Listener:
        def listen(self):
            events.append("heard")

    button = qt.QPushButton()
    button.connect("clicked()", Listener().listen)
    button.click()
    assert events == ["heard"]


def test_children_are_found_by_class_and_name(session):
    parent = qt.QWidget()
    child = qt.QLabel("words", parent)
    child.name = "child"
    assert parent.child is child is parent.findChild("QLabel", "child")
    assert parent.findChildren(qt.QWidget) == [child]
    assert child.className() == "QLabel"


def test_qt_does_not_use_up_none_true_and_false(session):
    """PySide6 6.12 does, on Python 3.11; some thousand calls and Python aborts."""
    box = qt.QCheckBox()
    box.toggled.connect(lambda _: None)
    for _ in range(3000):
        qt.QApplication.processEvents()
        box.checked = not box.checked


def test_qt_has_nothing_that_pythonqt_lacks():
    assert not {"Signal", "Slot", "Property"} & set(dir(qt))


# --- .ui files


@pytest.fixture
def form(session, tmp_path):
    path = tmp_path / "form.ui"
    path.write_text(FORM)
    return slicer.util.loadUI(str(path))


def test_the_real_load_ui_finds_every_widget(form):
    ui = slicer.util.childWidgetVariables(form)
    assert {"inputSelector", "box", "spin", "applyButton"} <= set(dir(ui))
    assert (ui.applyButton.text, ui.applyButton.enabled) == ("Apply", False)
    assert ui.inputSelector.nodeTypes == ["vtkMRMLScalarVolumeNode"]
    assert ui.inputSelector.property("SlicerParameterName") == "input"


def test_the_connections_of_the_form_hold(form, session):
    form.setMRMLScene(session.scene)
    assert form.inputSelector.mrmlScene() is session.scene
    form.box.checked = True
    assert form.applyButton.enabled


def test_a_selector_that_the_form_does_not_connect_gets_no_scene(form, session):
    form.setMRMLScene(session.scene)
    assert form.forgottenSelector.mrmlScene() is None
    assert not form.forgottenSelector.enabled


def test_a_widget_without_a_stand_in_is_refused(session, tmp_path):
    path = tmp_path / "form.ui"
    path.write_text(FORM.replace('class="QSpinBox"', 'class="qMRMLRangeWidget"'))
    with pytest.raises(NotImplementedError, match="qMRMLRangeWidget"):
        slicer.util.loadUI(str(path))


def test_functions_of_slicer_util_for_parameter_widgets_work(form, session, events):
    node = session.scene.AddNewNodeByClass("vtkMRMLScriptedModuleNode")
    node.SetParameter("count", "7")
    slicer.util.updateParameterEditWidgetsFromNode([(form.spin, "count")], node)
    assert form.spin.value == 7


# --- the node selector


@pytest.fixture
def selector(session):
    """For scalar volumes only, with "None", without actions."""
    found = slicer.qMRMLNodeComboBox()
    found.nodeTypes = ["vtkMRMLScalarVolumeNode"]
    found.noneEnabled, found.addEnabled, found.removeEnabled = True, False, False
    found.setMRMLScene(session.scene)
    return found


def volume(name: str):
    return slicer.util.addVolumeFromArray(np.zeros((2, 3, 4), np.int16), name=name)


def listed(selector) -> list[str]:
    return [selector.nodeFromIndex(index).GetName() for index in range(selector.nodeCount())]


def test_a_selector_is_disabled_until_it_has_a_scene(session):
    selector = slicer.qMRMLNodeComboBox()
    assert not selector.enabled
    selector.setMRMLScene(session.scene)
    assert selector.enabled


def test_a_selector_follows_the_scene(selector, session):
    first, second = volume("first"), volume("second")
    assert listed(selector) == ["first", "second"]
    second.SetName("renamed")
    assert listed(selector) == ["first", "renamed"]
    session.scene.RemoveNode(first)
    assert listed(selector) == ["renamed"]
    session.scene.Clear(0)
    assert listed(selector) == []


def test_a_selector_shows_the_nodes_of_its_classes_only(selector, dwi_node):
    labels = slicer.mrmlScene.AddNewNodeByClass("vtkMRMLLabelMapVolumeNode", "labels")
    assert listed(selector) == ["dwi", "labels"]  # both classes derive from the scalar volume
    selector.hideChildNodeTypes = ["vtkMRMLDiffusionWeightedVolumeNode"]
    assert listed(selector) == ["labels"]
    selector.showChildNodeTypes = False
    assert listed(selector) == []
    selector.nodeTypes = [labels.GetClassName(), dwi_node.GetClassName()]
    assert listed(selector) == ["dwi", "labels"]


def test_a_selector_hides_what_is_hidden_from_editors(selector):
    node = volume("volume")
    node.SetHideFromEditors(True)
    node.Modified()
    assert listed(selector) == []
    selector.showHidden = True
    assert listed(selector) == ["volume"]


def test_with_none_nothing_is_chosen_at_first(selector):
    volume("volume")
    assert (selector.currentNode(), selector.currentNodeID) == (None, "")


def test_without_none_the_first_node_is_chosen(session, scalar_node, oblique_node):
    selector = slicer.qMRMLNodeComboBox()
    selector.nodeTypes = ["vtkMRMLScalarVolumeNode"]
    selector.setMRMLScene(session.scene)
    assert selector.currentNode() is scalar_node


def test_a_choice_made_before_there_is_a_scene_is_kept(session, scalar_node, oblique_node):
    selector = slicer.qMRMLNodeComboBox()
    selector.nodeTypes = ["vtkMRMLScalarVolumeNode"]
    selector.setCurrentNode(oblique_node)
    selector.setMRMLScene(session.scene)
    assert selector.currentNode() is oblique_node


@pytest.mark.parametrize("action", [False, True])
def test_the_first_node_to_come_is_chosen_only_in_a_list_without_actions(session, action):
    """A plain Qt rule: a combo box chooses its first row, but a row with an action is one too."""
    selector = slicer.qMRMLNodeComboBox()
    selector.nodeTypes = ["vtkMRMLScalarVolumeNode"]
    selector.addEnabled = selector.removeEnabled = action
    selector.setMRMLScene(session.scene)
    node = volume("volume")
    assert selector.currentNode() is (None if action else node)


def test_the_choice_is_told_by_three_signals(selector, events):
    node = volume("volume")
    selector.connect("currentNodeChanged(vtkMRMLNode*)", lambda node: events.append(node))
    selector.connect("currentNodeChanged(bool)", lambda valid: events.append(valid))
    selector.connect("currentNodeIDChanged(QString)", lambda identity: events.append(identity))
    selector.setCurrentNode(node)
    selector.setCurrentNode(node)
    selector.setCurrentNode(None)
    assert events == [node, True, node.GetID(), None, False, ""]


def test_a_selector_whose_signals_are_blocked_changes_in_silence(selector, events):
    node = volume("volume")
    selector.connect("currentNodeChanged(vtkMRMLNode*)", events.append)
    selector.blockSignals(True)
    selector.setCurrentNode(node)
    selector.blockSignals(False)
    assert (selector.currentNode(), events) == (node, [])


def test_when_the_chosen_node_goes_the_next_is_chosen(selector, session):
    first, second = volume("first"), volume("second")
    selector.setCurrentNode(first)
    session.scene.RemoveNode(first)
    assert selector.currentNode() is second
    session.scene.RemoveNode(second)
    assert selector.currentNode() is None


def test_closing_the_scene_unselects(selector, session, events):
    selector.setCurrentNode(volume("volume"))
    selector.connect("currentNodeChanged(vtkMRMLNode*)", lambda node: events.append(node))
    session.scene.Clear(0)
    assert (selector.currentNode(), events) == (None, [None])


def test_a_node_is_created_from_the_selector(selector):
    selector.baseName = "Output"
    node = selector.addNode()
    assert (node.GetName(), selector.currentNode()) == ("Output", node)


def test_setters_that_pythonqt_cannot_reach_are_not_there(selector):
    assert not any(hasattr(selector, name) for name in ("setNodeTypes", "setNoneEnabled", "nodes"))


# --- CTK's widgets


def test_a_collapsed_button_hides_its_children_but_not_what_was_hidden_before(session, events):
    button = ctk.ctkCollapsibleButton("Advanced")
    column = qt.QVBoxLayout(button)
    shown, hidden = qt.QLabel("shown"), qt.QLabel("hidden")
    column.addWidget(shown)
    column.addWidget(hidden)
    hidden.visible = False
    button.show()
    button.connect("contentsCollapsed(bool)", lambda collapsed: events.append(collapsed))
    button.collapsed = True
    assert (button.checked, shown.visible, hidden.visible) == (False, False, False)
    button.collapsed = False
    assert (button.text, shown.visible, hidden.visible) == ("Advanced", True, False)
    assert events == [True, False]


def test_a_child_shown_while_collapsed_appears_when_it_is_opened(session):
    button = ctk.ctkCollapsibleButton()
    label = qt.QLabel("words", button)
    label.visible = False
    button.show()
    button.collapsed = True
    label.visible = True
    assert not label.visible
    button.collapsed = False
    assert label.visible


def test_a_slider_widget_has_one_value(session, events):
    slider = ctk.ctkSliderWidget()
    slider.minimum, slider.maximum, slider.singleStep = 1.0, 4.0, 0.5
    slider.connect("valueChanged(double)", lambda value: events.append(value))
    slider.value = 2.5
    slider.setValue(9)
    assert (slider.value, events) == (4.0, [2.5, 4.0])
    assert not hasattr(slider, "setMaximum")


def test_items_of_a_checkable_combo_box_are_checked_by_index(session, events):
    box = ctk.ctkCheckableComboBox()
    box.connect("checkedIndexesChanged()", lambda: events.append([i.row() for i in box.checkedIndexes()]))
    for text in ("bicubic", "sinc"):
        box.addItem(text)
    second = box.model().index(1, 0)
    box.setCheckState(second, qt.Qt.Checked)
    assert (box.checkState(second), box.allChecked(), events) == (qt.Qt.Checked, False, [[1]])


def test_a_ctk_combo_box_finds_user_data_as_text(session):
    box = ctk.ctkComboBox()
    box.addItem("two", "2")
    box.addItem("four", "4")
    box.currentUserDataAsString = "4"
    box.defaultText = "Select a scale"
    assert box.currentText == "four"


# --- views


@pytest.fixture
def two_views(session, oblique_node):
    """A layout of two linked slice views of the same oblique volume: their slice logics."""
    oblique_node.CreateDefaultDisplayNodes()
    oblique_node.GetDisplayNode().AutoWindowLevelOff()
    oblique_node.GetDisplayNode().SetWindowLevelMinMax(0, 900)
    manager = slicer.app.layoutManager()
    manager.layoutLogic().GetLayoutNode().AddLayoutDescription(LINKED, TWO_VIEWS)
    manager.setLayout(LINKED)
    logics = [manager.sliceWidget(name).sliceLogic() for name in ("Left", "Right")]
    for logic in logics:
        logic.GetSliceCompositeNode().SetBackgroundVolumeID(oblique_node.GetID())
        logic.GetSliceCompositeNode().SetLinkedControl(1)
        logic.GetSliceCompositeNode().SetHotLinkedControl(1)
        logic.ResizeSliceNode(80, 60)
        logic.FitSliceToBackground()
    return logics


def test_slicer_starts_with_three_slice_views(session):
    manager = slicer.app.layoutManager()
    assert manager.layout == slicer.vtkMRMLLayoutNode.SlicerLayoutFourUpView
    assert set(manager.sliceViewNames()) == {"Red", "Green", "Yellow"}
    assert all(manager.sliceWidget(name).mrmlSliceNode().IsMappedInLayout() for name in manager.sliceViewNames())
    assert manager.sliceWidget("Purple") is None


def test_a_layout_of_two_views_makes_two_slice_widgets(session, two_views, events):
    manager = slicer.app.layoutManager()
    assert manager.layout == LINKED
    assert {"Left", "Right"} < set(manager.sliceViewNames())
    assert slicer.app.applicationLogic().GetSliceLogic(manager.sliceWidget("Left").mrmlSliceNode()) is two_views[0]
    assert not manager.sliceWidget("Red").mrmlSliceNode().IsMappedInLayout()
    manager.connect("layoutChanged(int)", lambda layout: events.append(layout))
    manager.layout = slicer.vtkMRMLLayoutNode.SlicerLayoutOneUpRedSliceView
    assert events[-1] == slicer.vtkMRMLLayoutNode.SlicerLayoutOneUpRedSliceView
    assert manager.sliceWidget("Red").mrmlSliceNode().IsMappedInLayout()
    assert not manager.sliceWidget("Left").mrmlSliceNode().IsMappedInLayout()


def test_moving_one_view_moves_the_linked_one_at_the_end_of_the_interaction(two_views):
    left, right = two_views
    left.StartSliceOffsetInteraction()
    left.SetSliceOffset(36.0)
    left.EndSliceOffsetInteraction()
    assert (left.GetSliceOffset(), right.GetSliceOffset()) == (36.0, 36.0)


def test_moving_one_view_without_an_interaction_moves_that_one_only(two_views):
    left, right = two_views
    before = right.GetSliceOffset()
    left.SetSliceOffset(before + 4)
    assert right.GetSliceOffset() == before


def test_a_view_shows_the_volume(session, two_views, oblique_node, tmp_path):
    left, right = two_views
    pixels = session.render(left, 80, 60)
    assert (pixels.shape, pixels.dtype) == ((60, 80, 4), np.uint8)
    assert pixels[30, 40, 3] == 255 > pixels[0, 0, 3]  # inside the volume, and beside it
    assert pixels[30, 40, 0] > 150
    assert np.array_equal(pixels, session.render(right, 80, 60))
    slicer.util.updateVolumeFromArray(oblique_node, slicer.util.arrayFromVolume(oblique_node) // 4)
    assert session.render(left, 80, 60)[30, 40, 0] < pixels[30, 40, 0] // 2
    assert qt.QImage(str(session.save_png(pixels, tmp_path / "left.png"))).size() == qt.QSize(80, 60)


def test_a_view_of_nothing_is_empty(session):
    assert not session.render(slicer.app.layoutManager().sliceWidget("Red").sliceLogic(), 30, 20).any()


def test_a_slice_view_has_a_renderer_and_a_corner_annotation(two_views):
    view = slicer.app.layoutManager().sliceWidget("Left").sliceView()
    renderer = view.renderWindow().GetRenderers().GetFirstRenderer()
    view.cornerAnnotation().SetText(vtk.vtkCornerAnnotation.UpperRight, "bicubic")
    assert renderer.HasViewProp(view.cornerAnnotation())
    view.scheduleRender()
    view.forceRender()


def test_a_move_of_the_mouse_is_told_only_to_those_who_come_before_the_tools_of_the_view(two_views, events):
    interactor = slicer.app.layoutManager().sliceWidget("Left").sliceView().interactor()
    for priority in (0.0, 0.1):
        interactor.AddObserver("MouseMoveEvent", lambda *_, priority=priority: events.append(priority), priority)
    interactor.InvokeEvent("MouseMoveEvent")
    assert events == [0.1]


def test_the_viewport_shows_the_views_of_the_layout_side_by_side(two_views, grab):
    viewport = slicer.app.layoutManager().viewport()
    viewport.resize(400, 200)
    image = qt.QImage(str(grab(viewport, "views")))
    assert image.pixelColor(100, 100).red() > 100 < image.pixelColor(300, 100).red()


def test_the_real_slicer_util_sets_and_fits_the_views(session, scalar_node):
    scalar_node.CreateDefaultDisplayNodes()
    slicer.util.setSliceViewerLayers(background=scalar_node, fit=True)
    red = slicer.app.layoutManager().sliceWidget("Red")
    assert red.mrmlSliceCompositeNode().GetBackgroundVolumeID() == scalar_node.GetID()
    assert session.render(red.sliceLogic(), 50, 50)[25, 25, 3] == 255


# --- the session


def test_there_is_no_main_window_and_testing_is_on(session):
    assert slicer.util.mainWindow() is None
    assert slicer.app.testingEnabled() is True
    assert (slicer.app.majorVersion, slicer.app.minorVersion, slicer.app.applicationVersion) == (5, 12, "5.12.3")


@pytest.mark.parametrize(
    ("name", "kind"), [("errorDisplay", "error"), ("warningDisplay", "warning"), ("infoDisplay", "info")]
)
def test_messages_are_noted(session, name, kind):
    getattr(slicer.util, name)("words", windowTitle="title", detailedText="more words")
    assert session.messages == [(kind, "words", "more words")]


@pytest.mark.parametrize("answer", [True, False])
def test_questions_are_answered(session, answer):
    session.answer = answer
    assert slicer.util.confirmOkCancelDisplay("go on?") is answer
    assert slicer.util.confirmYesNoDisplay("sure?") is answer
    button = qt.QMessageBox.question(None, "title", "really?", qt.QMessageBox.Yes | qt.QMessageBox.No)
    assert button == (qt.QMessageBox.Yes if answer else qt.QMessageBox.No)
    assert [message.text for message in session.messages] == ["go on?", "sure?", "really?"]


def test_a_message_box_does_not_wait(session):
    box = ctk.ctkMessageBox()
    box.text = "words"
    box.setStandardButtons(qt.QMessageBox.Ok | qt.QMessageBox.Cancel)
    assert box.exec_() == qt.QMessageBox.Ok
    assert slicer.util.messageBox("words") == qt.QMessageBox.Ok


def test_a_file_dialog_gives_the_file_that_the_session_names(session):
    session.file = "/tmp/table.csv"
    assert qt.QFileDialog.getSaveFileName(None, "Save the table", "", "*.csv") == "/tmp/table.csv"
    session.answer = False
    assert qt.QFileDialog.getSaveFileName() == ""


def test_an_error_is_displayed_only_without_testing(session):
    """As the real one has it: under --testing the exception is all there is."""
    for testing in (True, False):
        session.testing = testing
        with pytest.raises(ValueError), slicer.util.tryWithErrorDisplay("It failed.", waitCursor=True):
            raise ValueError("deep inside")
    assert [message.text for message in session.messages] == ["It failed.\n\ndeep inside"]


def test_temporary_folders_settings_and_processes_are_there(session):
    assert Path(slicer.util.tempDirectory()).parent == Path(slicer.app.temporaryPath)
    assert slicer.util.settingsValue("SuperResolution/Nothing", 5, converter=int) == 5
    qt.QSettings().setValue("SuperResolution/Something", 7)
    assert slicer.util.settingsValue("SuperResolution/Something", 5, converter=int) == 7
    assert slicer.util.startupEnvironment()["PATH"] == os.environ["PATH"]


def test_settings_do_not_outlive_a_session(session):
    assert slicer.util.settingsValue("SuperResolution/Something", 5, converter=int) == 5


def test_a_non_blocking_process_reports_through_the_event_loop(session, events, wait_until):
    ended = []
    slicer.util.launchConsoleProcess(
        [sys.executable, "-c", "print('line')"],
        useStartupEnvironment=False,
        blocking=False,
        logCallback=events.append,
        completedCallback=ended.append,
    )
    wait_until(lambda: ended, 30)
    assert (ended, [line.strip() for line in events]) == ([0], ["line"])


def test_the_application_tells_of_its_start_and_end(session, events):
    slicer.app.connect("startupCompleted()", lambda: events.append("started"))
    slicer.app.connect("aboutToQuit()", lambda: events.append("quit"))
    session.start_up()
    session.quit()
    assert events == ["started", "quit"]


def test_there_is_one_session_at_a_time(session):
    with pytest.raises(RuntimeError, match="another session is open"):
        standin.Session()


def test_closing_a_session_takes_the_names_away_and_puts_functions_back(application):
    error_display = slicer.util.errorDisplay
    session = standin.Session()
    folder = Path(slicer.app.temporaryPath)
    assert folder.is_dir() and slicer.util.errorDisplay is not error_display
    session.close()
    assert not any(hasattr(slicer, name) for name in ("mrmlScene", "app", "modules", "qMRMLNodeComboBox"))
    assert slicer.util.errorDisplay is error_display
    assert not folder.exists()


def test_what_a_slot_or_an_observer_raises_is_kept(session, capsys):
    button = qt.QPushButton()
    button.connect("clicked()", lambda: 1 / 0)
    button.click()
    slicer.mrmlScene.AddObserver(slicer.mrmlScene.NodeAddedEvent, lambda *_: [][0])
    volume("volume")
    assert {type(error) for error in session.errors} == {ZeroDivisionError, IndexError}
    session.errors.clear()


def test_errors_of_vtk_are_kept(session, capfd):
    reader = vtk.vtkXMLImageDataReader()
    reader.SetFileName("/nothing.vti")
    reader.Update()
    assert "nothing.vti" in session.vtk_errors[0]


def test_a_saved_scene_brings_the_parameters_and_the_volume_back(session, oblique_node, dwi_node, tmp_path):
    voxels = slicer.util.arrayFromVolume(oblique_node).copy()
    parameters = parameter_logic().getParameterNode()
    parameters.SetParameter("scale", "4")
    parameters.SetNodeReferenceID("input", oblique_node.GetID())
    session.save(tmp_path / "scene.mrb")
    session.scene.Clear(0)
    assert slicer.mrmlScene.GetFirstNodeByName("oblique") is None
    session.load(tmp_path / "scene.mrb")
    parameters = parameter_logic().getParameterNode()
    assert (parameters.GetParameter("scale"), parameters.GetNodeReference("input").GetName()) == ("4", "oblique")
    assert np.array_equal(slicer.util.arrayFromVolume(slicer.util.getNode("oblique")), voxels)
    assert slicer.util.getNode("dwi").GetBValue(7) == pytest.approx(1000)
    assert set(slicer.app.layoutManager().sliceViewNames()) == {"Red", "Green", "Yellow"}


@pytest.mark.parametrize("name", ["volume.nrrd", "volume.nii.gz", "volume.mha"])
def test_volumes_are_written_and_read_by_slicers_own_functions(session, oblique_node, tmp_path, name):
    assert slicer.util.saveNode(oblique_node, str(tmp_path / name))
    assert slicer.util.exportNode(oblique_node, str(tmp_path / f"exported-{name}"))
    for path in (tmp_path / name, tmp_path / f"exported-{name}"):
        read = slicer.util.loadVolume(str(path))
        assert np.array_equal(slicer.util.arrayFromVolume(read), slicer.util.arrayFromVolume(oblique_node))


# --- modules


def parameter_logic():
    from slicer.ScriptedLoadableModule import ScriptedLoadableModuleLogic

    class TinyLogic(ScriptedLoadableModuleLogic):
        pass

    return TinyLogic()


@pytest.fixture
def module(session, tmp_path, monkeypatch):
    """A scripted module of a few lines, loaded as Slicer does."""
    (tmp_path / "Tiny.py").write_text(MODULE)
    monkeypatch.setattr(sys, "path", sys.path[:])
    yield session.modules.add(tmp_path / "Tiny.py")
    sys.modules.pop("Tiny", None)


def test_a_module_is_known_by_its_name(module):
    assert slicer.util.getModule("Tiny") is module is slicer.modules.tiny
    assert (module.name, module.title) == ("Tiny", "Tiny module")
    assert Path(slicer.util.modulePath("Tiny")).name == "Tiny.py"
    assert isinstance(slicer.modules.TinyInstance, sys.modules["Tiny"].Tiny)


def test_a_panel_is_set_up_entered_left_and_cleaned_up(session, module):
    slicer.util.selectModule("Tiny")
    panel = slicer.util.getModuleWidget("Tiny")
    assert panel is slicer.modules.TinyWidget
    slicer.util.selectModule("Volumes")
    session.scene.Clear(0)
    session.modules.close()
    session.scene.Clear(0)
    assert panel.steps == ["setup", "enter", "exit", "closed", "cleanup"]


def test_the_logic_of_a_panel_is_the_modules_logic(module):
    assert slicer.util.getModuleLogic("Tiny") is slicer.util.getModuleWidget("Tiny").logic
    assert slicer.util.getModuleLogic("Volumes").IsA("vtkSlicerVolumesLogic")
    with pytest.raises(RuntimeError, match="Nothing"):
        slicer.util.selectModule("Nothing")


def test_a_module_is_reloaded_from_its_file(module):
    before = slicer.util.getModuleWidget("Tiny")
    Path(module.path).write_text(MODULE.replace('"setup"', '"setup again"'))
    before.onReload()
    assert before.steps[-1] == "cleanup"
    assert slicer.util.getModuleWidget("Tiny").steps == ["setup again"]


def test_a_modules_own_tests_run(session, module):
    slicer.selfTests["Tiny"]()
    assert session.messages == [("delay", "something", "")]


def test_there_is_one_parameter_node_and_it_survives_the_closing_of_the_scene(session):
    logic = parameter_logic()
    node = logic.getParameterNode()
    assert (node.GetSingletonTag(), node.GetAttribute("ModuleName")) == ("Tiny", "Tiny")
    session.scene.Clear(0)
    assert node.GetAttribute("ModuleName") is None
    assert logic.getParameterNode() is node
    assert logic.getAllParameterNodes() == [node]


def test_a_logic_may_have_several_parameter_nodes(session):
    logic = parameter_logic()
    logic.isSingletonParameterNode = False
    first = logic.getParameterNode()
    second = session.scene.AddNode(logic.createParameterNode())
    assert logic.getAllParameterNodes() == [first, second]


# --- packages and sample data


@needs.pytorch
def test_packages_are_asked_for_and_noted(session, tmp_path):
    session.testing, session.packages.absent = False, {"torch"}
    assert pip_check("numpy>=1") and not pip_check("torch")
    pip_ensure(["numpy", "torch>=2.6"], requester="SuperResolution", constraints="c.txt")
    assert session.messages[0].kind == "okCancel"
    (call,) = session.packages.calls
    assert (call.function, call.requirements) == ("pip_install", ["torch>=2.6"])
    assert (call.options["constraints"], call.options["requester"]) == ("c.txt", "SuperResolution")
    assert pip_check("torch")


def test_slicer_utils_pip_install_comes_here_too(session):
    slicer.util.pip_install("scikit-image>=0.24", constraints="c.txt")
    assert session.packages.calls[0].requirements == ["scikit-image>=0.24"]


def test_installing_can_be_declined_and_can_fail(session):
    session.testing, session.packages.absent, session.answer = False, {"torch"}, False
    with pytest.raises(RuntimeError, match="declined"):
        pip_ensure("torch")
    session.answer, session.packages.fails = True, True
    with pytest.raises(subprocess.CalledProcessError):
        pip_ensure("torch")


def test_nothing_is_installed_under_testing(session):
    session.packages.absent = {"torch"}
    pip_ensure("torch")
    assert session.packages.calls == []


def test_requirements_are_read_without_comments_and_options(session, tmp_path):
    (tmp_path / "requirements.txt").write_text("# torch comes otherwise\n--no-cache\nsafetensors>=0.4\n\n")
    assert [str(r) for r in load_requirements(tmp_path / "requirements.txt")] == ["safetensors>=0.4"]


@needs.pytorch
def test_torch_comes_from_the_pytorch_extension(session):
    import PyTorchUtils

    logic, session.packages.absent = PyTorchUtils.PyTorchUtilsLogic(), {"torch"}
    session.packages.gives_up = True
    assert logic.installTorch(torchVersionRequirement=">=2.6") is None
    assert not logic.torchInstalled()
    session.packages.gives_up = False
    assert logic.installTorch(torchVersionRequirement=">=2.6").__name__ == "torch"
    assert logic.torchInstalled()
    assert [call.requirements for call in session.packages.calls] == [[], ["torch>=2.6"]]


def test_the_pytorch_extension_can_be_missing(session):
    session.packages.remove_pytorch_extension()
    with pytest.raises(ModuleNotFoundError):
        import PyTorchUtils  # noqa: F401


def test_sample_data_is_registered_once(session):
    import SampleData

    sample = {"sampleName": "Small", "uris": [], "fileNames": [], "nodeNames": []}
    for _ in range(2):
        SampleData.SampleDataLogic.registerCustomSampleDataSource("Test", customDownloader=small_volume, **sample)
    (source,) = slicer.modules.sampleDataSources["Test"]
    assert SampleData.SampleDataLogic().downloadSample("Small").GetName() == source.sampleName


def small_volume(source):
    return volume(source.sampleName)


def test_what_would_be_downloaded_is_refused_or_stood_in_for(session):
    import SampleData

    with pytest.raises(RuntimeError, match="MRHead is not on this computer"):
        SampleData.SampleDataLogic().downloadMRHead()
    session.samples["MRHead"] = lambda: volume("MRHead")
    assert SampleData.SampleDataLogic().downloadMRHead().GetName() == "MRHead"


# --- this folder


def test_without_qt_the_folder_is_skipped_with_a_reason(tmp_path):
    (tmp_path / "PySide6").mkdir()
    (tmp_path / "PySide6" / "__init__.py").write_text("raise ImportError('libEGL.so.1 is missing')")
    test = Path(__file__).with_name("test_standin.py")
    result = subprocess.run(
        [sys.executable, "-m", "pytest", "-rs", "-p", "no:cacheprovider", str(test)],
        env={**os.environ, "PYTHONPATH": str(tmp_path)},
        cwd=test.parents[2],
        capture_output=True,
        text=True,
        check=False,
    )
    assert "1 skipped" in result.stdout
    assert "libEGL.so.1 is missing" in result.stdout
    assert not result.returncode & ~5


def test_slicer_holds_none_of_our_test_files():
    """slicer-core imports what it finds in any folder called "slicer"; this one is kept out of its sight."""
    assert not hasattr(slicer, "conftest")
    assert all(Path(path).resolve() != Path(__file__).parent for path in slicer.__path__)


def test_set_layout_clears_maximised_views_and_knows_no_unknown_arrangement(session):
    """As qMRMLLayoutManager::setLayout of 5.10 to 5.13: a stand-in that did less hid fault J4."""
    manager = slicer.app.layoutManager()
    layout = manager.layoutLogic().GetLayoutNode()
    layout.AddMaximizedViewNode(manager.sliceWidget("Red").mrmlSliceNode())
    assert not manager.sliceWidget("Green").mrmlSliceNode().IsMappedInLayout()
    manager.setLayout(layout.GetViewArrangement())
    assert layout.GetNumberOfMaximizedViewNodes() == 1, "the same arrangement again does nothing"
    manager.setLayout(4711)
    assert layout.GetViewArrangement() == slicer.vtkMRMLLayoutNode.SlicerLayoutConventionalView
    assert layout.GetNumberOfMaximizedViewNodes() == 0
