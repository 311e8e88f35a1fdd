"""A session: the names that Slicer's Python has, over a real scene with real logics."""

import os
import sys
import tempfile
from pathlib import Path
from typing import Any

import slicer
import slicer.util
import vtk
from PySide6 import QtCore, QtWidgets

from . import install, pictures, pythonqt, widgets
from .application import App
from .layout import qMRMLLayoutManager
from .module_manager import ModuleManager, qSlicerScriptedLoadableModule, qSlicerScriptedLoadableModuleWidget
from .packages import packages
from .patches import Patches
from .popups import Message, Popups
from .sample_data import samples

pythonqt.install()

LOGICS = {
    "Volumes": "vtkSlicerVolumesLogic",
    "SubjectHierarchy": "vtkSlicerSubjectHierarchyModuleLogic",
    "Segmentations": "vtkSlicerSegmentationsModuleLogic",
    "Sequences": "vtkSlicerSequencesLogic",
    "Plots": "vtkSlicerPlotsLogic",
    "Tables": "vtkSlicerTablesLogic",
    "Colors": "vtkMRMLColorLogic",
}
OURS = (qSlicerScriptedLoadableModule, qSlicerScriptedLoadableModuleWidget, *widgets.QMRML)


class Session:
    """Slicer, started with --testing and without a main window; one at a time. close() ends it.

    scene, application_logic, layout_manager, app, modules: what slicer.mrmlScene, slicer.app ... then are.
    messages: what windows would have said. answer: what the user would answer. file: what file dialogs would give.
    errors: exceptions that slots and observers raised, which neither Qt nor VTK passes on. vtk_errors: VTK's own.
    packages: what was to be installed, and whether that works. testing: what slicer.app.testingEnabled() says.
    """

    def __init__(self, testing: bool = True) -> None:
        os.environ.setdefault("VTK_DEFAULT_OPENGL_WINDOW", "vtkEGLRenderWindow")  # without a warning about X
        QtWidgets.QApplication.instance() or QtWidgets.QApplication(sys.argv[:1])
        if hasattr(slicer, "app"):
            raise RuntimeError("another session is open: close() it first")
        install()
        self.testing, self._has_quit = testing, False
        self.errors: list[BaseException] = []
        self.vtk_errors: list[str] = []
        self.packages, self.samples = packages, samples
        packages.reset()
        samples.clear()
        self._folder = tempfile.TemporaryDirectory(prefix="Slicer-", ignore_cleanup_errors=True)
        self._patches = Patches()
        self._popups = Popups()
        self._make_scene()
        self._make_names()
        self._make_logics()
        self.layout_manager = qMRMLLayoutManager(self.scene, self.application_logic)

    # --- messages

    @property
    def messages(self) -> list[Message]:
        """What windows would have said: (kind, text, detailedText)."""
        return self._popups.messages

    @property
    def answer(self) -> Any:
        """What the user answers to every question: True, False, or a function of the Message."""
        return self._popups.answer

    @answer.setter
    def answer(self, value: Any) -> None:
        self._popups.answer = value

    @property
    def file(self) -> str:
        """What the user chooses in a file dialog; "" to cancel it."""
        return self._popups.file

    @file.setter
    def file(self, value: Any) -> None:
        self._popups.file = str(value)

    # --- what happens in a session

    def start_up(self) -> None:
        """All modules are loaded: Slicer tells those who wait for it."""
        self.app.startupCompleted.emit()

    def quit(self) -> None:
        """The user closes Slicer; close() says so too, if that was not said yet."""
        self._has_quit = True
        self.app.aboutToQuit.emit()

    def save(self, path: Path | str) -> None:
        """Save the scene as .mrb. Raises OSError."""
        if not self.scene.WriteToMRB(str(path)):
            raise OSError(f"{path} could not be written")

    def load(self, path: Path | str) -> None:
        """Close the scene and load a .mrb. Raises OSError."""
        if not self.scene.ReadFromMRB(str(path), True):
            raise OSError(f"{path} could not be read")

    def render(self, logic: Any, width: int = 256, height: int = 256) -> Any:
        """The pixels of a slice view; see pictures.render."""
        return pictures.render(logic, width, height)

    def save_png(self, pixels: Any, path: Path | str) -> Path:
        """Write such pixels."""
        return pictures.save_png(pixels, path)

    def close(self) -> None:
        """End the session: panels and observers go, the temporary folder too; slicer.mrmlScene ... are no more."""
        try:
            if not self._has_quit:
                self.quit()
            self.modules.close()
            QtWidgets.QApplication.processEvents()
            self._close_widgets()
            self.scene.RemoveAllObservers()
        finally:
            pythonqt.forget()
            self._patches.undo()
            vtk.vtkOutputWindow.SetInstance(None)
            self._folder.cleanup()

    def _close_widgets(self) -> None:
        self.layout_manager.close()
        for widget in QtWidgets.QApplication.allWidgets():
            if isinstance(widget, widgets.QMRML):
                widget.setMRMLScene(None)
        for widget in QtWidgets.QApplication.topLevelWidgets():
            widget.hide()
            widget.deleteLater()
        QtWidgets.QApplication.sendPostedEvents(None, QtCore.QEvent.Type.DeferredDelete)

    # --- building it

    def _make_scene(self) -> None:
        """The scene, the application logic, colours, and what reading and writing scenes needs."""
        self.scene = scene = slicer.vtkMRMLScene()
        self.application_logic = logic = slicer.vtkSlicerApplicationLogic()
        logic.SetMRMLScene(scene)
        logic.GetColorLogic().SetMRMLScene(scene)
        logic.GetColorLogic().AddDefaultColorNodes()
        logic.SetSliceLogics(vtk.vtkCollection())
        logic.SetViewLogics(vtk.vtkCollection())
        logic.SetTemporaryPath(self._folder.name)
        self._remote, self._data_io = slicer.vtkMRMLRemoteIOLogic(), slicer.vtkDataIOManagerLogic()
        for part in (self._remote, self._data_io):
            part.SetMRMLScene(scene)
            part.SetMRMLApplicationLogic(logic)
        self._remote.GetCacheManager().SetRemoteCacheDirectory(self._folder.name)  # else a .mrb is not read
        self._data_io.SetAndObserveDataIOManager(self._remote.GetDataIOManager())
        self._remote.AddDataIOToScene()
        crosshair = slicer.vtkMRMLCrosshairNode()
        crosshair.SetCrosshairName("default")
        scene.AddNode(crosshair)
        slicer.vtkMRMLSliceNode.AddDefaultSliceOrientationPresets(scene, True)

    def _make_names(self) -> None:
        """What is in `slicer` and not in slicer-core; messages, settings and errors come to this session."""
        self.app, self.modules = App(self, self._folder.name), ModuleManager()
        names = {"mrmlScene": self.scene, "app": self.app, "modules": self.modules.names, "selfTests": {}}
        for name, value in (names | {kind.__name__: kind for kind in OURS}).items():
            self._patches.set(slicer, name, value)
        self._popups.install(self._patches, slicer.util)
        self._replace_main_window()
        settings = QtCore.QSettings
        settings.setDefaultFormat(settings.Format.IniFormat)
        settings.setPath(settings.Format.IniFormat, settings.Scope.UserScope, self._folder.name)
        QtCore.QCoreApplication.setOrganizationName("SlicerStandIn")
        self._catch_errors()

    def _replace_main_window(self) -> None:
        """Functions of slicer.util that need the main window, which is not there."""
        selected = self.modules.selected
        self._patches.set(slicer.util, "selectModule", self.modules.select)
        self._patches.set(slicer.util, "selectedModule", lambda: getattr(selected(), "name", ""))
        self._patches.set(slicer.util, "restart", self.app.restart)

    def _catch_errors(self) -> None:
        before = sys.excepthook

        def note(kind: type[BaseException], error: BaseException, trace: Any) -> None:
            self.errors.append(error)
            before(kind, error, trace)

        self._patches.set(sys, "excepthook", note)
        window = vtk.vtkOutputWindow()
        window.SetDisplayModeToAlwaysStdErr()
        vtk.vtkOutputWindow.SetInstance(window)

        def note_vtk(_caller: Any, _event: str, text: str) -> None:
            self.vtk_errors.append(text)

        note_vtk.CallDataType = vtk.VTK_STRING
        window.AddObserver("ErrorEvent", note_vtk)

    def _make_logics(self) -> None:
        for name, kind in LOGICS.items():
            if hasattr(slicer, kind):
                logic = getattr(slicer, kind)()
                logic.SetMRMLScene(self.scene)
                logic.SetMRMLApplicationLogic(self.application_logic)
                self.application_logic.SetModuleLogic(name, logic)
                self.modules.add_logic(name, logic)
