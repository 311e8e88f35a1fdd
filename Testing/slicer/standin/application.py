"""slicer.app: the application, as far as scripts ask it for something.

Followed: Slicer, Base/QTCore/qSlicerCoreApplication.h (properties are attributes, Q_INVOKABLE are methods),
Base/QTGUI/qSlicerApplication.h. There is no main window, as in `Slicer --no-main-window`.
"""

import platform
from types import SimpleNamespace
from typing import Any

from PySide6 import QtCore, QtWidgets

from . import pythonqt
from .files import CoreIOManager

pythonqt.install()


class App(QtCore.QObject):
    """One for each session; connect("aboutToQuit()", function) as in Slicer."""

    aboutToQuit = QtCore.Signal()
    startupCompleted = QtCore.Signal()
    mrmlSceneChanged = QtCore.Signal(object)

    applicationName = mainApplicationName = "Slicer"
    applicationVersion, majorVersion, minorVersion = "5.12.3", 5, 12
    mainApplicationMajorVersion, mainApplicationMinorVersion, mainApplicationPatchVersion = 5, 12, 3
    documentationBaseUrl = "https://slicer.readthedocs.io/en/5.12/"
    os, arch = "linux", platform.machine()

    def __init__(self, session: Any, folder: str) -> None:
        super().__init__()
        self._session = session
        self._files = CoreIOManager(session)
        self.temporaryPath = self.slicerHome = folder
        self.restarts = 0

    def applicationLogic(self) -> Any:
        return self._session.application_logic

    def moduleLogic(self, name: str) -> Any:
        return self._session.modules.module(name).logic()

    def mrmlScene(self) -> Any:
        return self._session.scene

    def layoutManager(self) -> Any:
        return self._session.layout_manager

    def moduleManager(self) -> Any:
        return self._session.modules

    def coreIOManager(self) -> Any:
        return self._files

    ioManager = coreIOManager

    def testingEnabled(self) -> bool:
        return bool(self._session.testing)

    def commandOptions(self) -> Any:
        return SimpleNamespace(testingEnabled=self.testingEnabled(), noMainWindow=True)

    def isTranslationEnabled(self) -> bool:
        return False

    def translate(self, context: str, text: str) -> str:
        return text

    def processEvents(self, *_: Any) -> None:
        QtWidgets.QApplication.processEvents()

    def topLevelWidgets(self) -> list[Any]:
        return QtWidgets.QApplication.topLevelWidgets()

    def setOverrideCursor(self, cursor: Any) -> None:
        QtWidgets.QApplication.setOverrideCursor(cursor)

    def restoreOverrideCursor(self) -> None:
        QtWidgets.QApplication.restoreOverrideCursor()

    def startupEnvironment(self) -> Any:
        return QtCore.QProcessEnvironment.systemEnvironment()

    environment = startupEnvironment

    def settings(self) -> Any:
        return QtCore.QSettings()

    userSettings = settings

    def moduleDocumentationUrl(self, name: str) -> str:
        return f"{self.documentationBaseUrl}user_guide/modules/{name.lower()}.html"

    def pauseRender(self) -> None:
        """Nothing is rendered here."""

    def resumeRender(self) -> None:
        """Nothing is rendered here."""

    def restart(self) -> None:
        self.restarts += 1
