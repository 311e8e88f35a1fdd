"""The qMRML and CTK widgets that a .ui file may name, as PySide6 classes over the real scene.

Followed here: Slicer, Libs/MRML/Widgets/qMRMLWidget.h. The others have files of their own.
"""

from typing import Any

from PySide6 import QtCore, QtWidgets

from . import pythonqt
from .ctk_widgets import ctkCheckableComboBox, ctkCollapsibleButton, ctkComboBox, ctkMessageBox, ctkSliderWidget
from .node_combo_box import qMRMLNodeComboBox

pythonqt.install()


@pythonqt.cpp
class qMRMLWidget(QtWidgets.QWidget):
    """A widget that knows the scene; its mrmlSceneChanged tells those that the .ui file connects to it."""

    mrmlSceneChanged = QtCore.Signal(object)

    def __init__(self, parent: Any = None) -> None:
        super().__init__(parent)
        self._scene: Any = None

    def mrmlScene(self) -> Any:
        return self._scene

    def setMRMLScene(self, scene: Any) -> None:
        if scene is not self._scene:
            self._scene = scene
            self.mrmlSceneChanged.emit(scene)


CTK = (ctkCheckableComboBox, ctkCollapsibleButton, ctkComboBox, ctkMessageBox, ctkSliderWidget)
QMRML = (qMRMLNodeComboBox, qMRMLWidget)
