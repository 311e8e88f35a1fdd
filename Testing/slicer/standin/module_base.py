"""slicer.ScriptedLoadableModule and slicer.i18n: the four classes that a scripted module derives from, and tr().

Followed: Slicer, Base/Python/slicer/ScriptedLoadableModule.py and i18n.py. Left out: the developer section with its
buttons, and screenshots.
"""

import importlib
import os
import unittest
from types import ModuleType
from typing import Any

import slicer
import slicer.util
from PySide6 import QtGui, QtWidgets

from . import pythonqt
from .qt_module import named_module

pythonqt.install()


def modules() -> dict[str, ModuleType]:
    """The two modules, by name."""
    bases = (
        ScriptedLoadableModule,
        ScriptedLoadableModuleWidget,
        ScriptedLoadableModuleLogic,
        ScriptedLoadableModuleTest,
    )
    names = {base.__name__: base for base in bases}
    return {
        "slicer.ScriptedLoadableModule": named_module("slicer.ScriptedLoadableModule", __all__=list(names), **names),
        "slicer.i18n": named_module("slicer.i18n", tr=tr, translate=translate),
    }


def tr(text: str) -> str:
    """The text itself: no language but English is installed."""
    return text


def translate(context: str, text: str) -> str:
    """The text itself."""
    return text


class ScriptedLoadableModule:
    """What Slicer shows of a module before it is opened; `parent` is the application's module object."""

    def __init__(self, parent: Any) -> None:
        self.parent = parent
        self.moduleName = type(self).__name__
        parent.title = ""
        parent.categories, parent.dependencies, parent.contributors = [], [], []
        parent.helpText, parent.acknowledgementText = "", ""
        for extension in (".svg", ".png"):
            icon = self.resourcePath(f"Icons/{self.moduleName}{extension}")
            if os.path.isfile(icon):
                parent.icon = QtGui.QIcon(icon)
                break
        slicer.selfTests = {**getattr(slicer, "selfTests", {}), self.moduleName: self.runTest}

    def resourcePath(self, filename: str) -> str:
        return os.path.join(os.path.dirname(self.parent.path), "Resources", filename)

    def getDefaultModuleDocumentationLink(self, docPage: str | None = None) -> str:
        page = docPage or slicer.app.moduleDocumentationUrl(self.moduleName)
        return f'<p><a href="{page}">Documentation</a></p>'

    def runTest(self, msec: int = 100, **options: Any) -> None:
        """Run <Module>Test of the module's file."""
        kind = getattr(importlib.import_module(type(self).__module__), f"{self.moduleName}Test", None)
        if kind is None:
            raise AssertionError(f"no class {self.moduleName}Test")
        case = kind()
        case.messageDelay = msec
        case.runTest(**options)


class ScriptedLoadableModuleWidget:
    """A module's panel; `parent` is the application's widget for it, or one of its own."""

    def __init__(self, parent: Any = None) -> None:
        super().__init__()
        self.moduleName = type(self).__name__.removesuffix("Widget")
        self.developerMode = slicer.util.settingsValue("Developer/DeveloperMode", False, converter=slicer.util.toBool)
        self.parent = parent or slicer.qMRMLWidget()
        if not parent:
            self.parent.setLayout(QtWidgets.QVBoxLayout())
            self.parent.setMRMLScene(slicer.mrmlScene)
        self.layout = self.parent.layout()
        if not parent:
            self.setup()
            self.parent.show()
        slicer.app.moduleManager().connect("moduleAboutToBeUnloaded(QString)", self._onModuleAboutToBeUnloaded)

    def resourcePath(self, filename: str) -> str:
        return os.path.join(os.path.dirname(slicer.util.modulePath(self.moduleName)), "Resources", filename)

    def setup(self) -> None:
        """To be extended: build the panel."""

    def cleanup(self) -> None:
        """To be overridden: the panel goes."""

    def onReload(self) -> None:
        slicer.util.reloadScriptedModule(self.moduleName)

    def _onModuleAboutToBeUnloaded(self, name: str) -> None:
        if name == self.moduleName:
            self.cleanup()
            manager = slicer.app.moduleManager()
            manager.disconnect("moduleAboutToBeUnloaded(QString)", self._onModuleAboutToBeUnloaded)


class ScriptedLoadableModuleLogic:
    """A module's logic, and the parameter node that goes with a scene."""

    def __init__(self, parent: Any = None) -> None:
        super().__init__()
        self.moduleName = type(self).__name__.removesuffix("Logic")
        self.isSingletonParameterNode = True

    def getParameterNode(self) -> Any:
        """The scene's first parameter node of this module; a new one if there is none."""
        if not self.isSingletonParameterNode:
            nodes = self.getAllParameterNodes()
            return nodes[0] if nodes else slicer.mrmlScene.AddNode(self.createParameterNode())
        node = slicer.mrmlScene.GetSingletonNode(self.moduleName, "vtkMRMLScriptedModuleNode")
        if node is None:
            return slicer.mrmlScene.AddNode(self.createParameterNode())
        if node.GetAttribute("ModuleName") != self.moduleName:  # closing a scene takes it away
            node.SetAttribute("ModuleName", self.moduleName)
        return node

    def getAllParameterNodes(self) -> list[Any]:
        nodes = slicer.util.getNodesByClass("vtkMRMLScriptedModuleNode")
        return [node for node in nodes if node.GetAttribute("ModuleName") == self.moduleName]

    def createParameterNode(self) -> Any:
        """A parameter node that is not in the scene yet."""
        if slicer.mrmlScene is None:
            return None
        node = slicer.mrmlScene.CreateNodeByClass("vtkMRMLScriptedModuleNode")
        node.UnRegister(None)
        if self.isSingletonParameterNode:
            node.SetSingletonTag(self.moduleName)
        node.SetAttribute("ModuleName", self.moduleName)
        node.SetName(slicer.mrmlScene.GenerateUniqueName(self.moduleName))
        return node


class ScriptedLoadableModuleTest(unittest.TestCase):
    """A module's own tests, as "Reload and Test" runs them."""

    def __init__(self, *arguments: Any, **options: Any) -> None:
        super().__init__(*arguments, **options)
        self.enableScreenshots, self.screenshotScaleFactor = False, 1.0
        self.moduleTestNames = [name for name in dir(self) if "test" in name and callable(getattr(self, name))]

    def delayDisplay(self, message: str, requestedDelay: int | None = None, msec: int | None = None) -> None:
        delay = getattr(self, "messageDelay", msec or requestedDelay or 100)
        slicer.util.delayDisplay(message, delay)

    def takeScreenshot(self, name: str, description: str, type: int = -1) -> None:
        self.delayDisplay(description)

    def runTest(self) -> None:
        self.setUpClass()
        for name in self.moduleTestNames:
            self.setUp()
            getattr(self, name)()
            self.tearDown()
        self.tearDownClass()
