"""slicer.modules and slicer.app.moduleManager(): modules with a real logic, and scripted modules loaded from a file.

Followed: Slicer, Base/QTGUI/qSlicerScriptedLoadableModule.cxx, qSlicerScriptedLoadableModuleWidget.cxx,
Base/QTCore/qSlicerAbstractCoreModule.cxx (order of construction), Base/Python/slicerqt.py (names in slicer.modules).
"""

import importlib.util
import sys
from pathlib import Path
from types import ModuleType, SimpleNamespace
from typing import Any

import slicer
from PySide6 import QtCore, QtWidgets

from .widgets import qMRMLWidget


class LoadableModule:
    """A module of Slicer's own: its real logic, no panel."""

    path = ""

    def __init__(self, name: str, logic: Any) -> None:
        self.name, self._logic = name, logic

    def logic(self) -> Any:
        return self._logic

    def widgetRepresentation(self) -> None:
        return None


class qSlicerScriptedLoadableModule:
    """A module from a Python file: <Name>, and if it has one its panel <Name>Widget."""

    def __init__(self, python: ModuleType) -> None:
        self.path = python.__file__
        self.name = Path(self.path).stem
        self._panel: qSlicerScriptedLoadableModuleWidget | None = None
        setattr(slicer.modules, f"{self.name}Instance", getattr(python, self.name)(self))

    def logic(self) -> None:
        """The C++ logic, which a scripted module has no use for; see slicer.util.getModuleLogic."""
        return None

    def widgetRepresentation(self) -> Any:
        """The panel, made when it is first asked for."""
        if self._panel is None:
            self._panel = self.createNewWidgetRepresentation()
        return self._panel

    def createNewWidgetRepresentation(self) -> Any:
        panel = qSlicerScriptedLoadableModuleWidget(self.name)
        panel.reload()
        panel.setMRMLScene(slicer.mrmlScene)
        return panel


class qSlicerScriptedLoadableModuleWidget(qMRMLWidget):
    """The application's widget for a panel, and the parent of the Python object self()."""

    def __init__(self, module: str) -> None:
        super().__init__()
        self._module, self._self, self._entered = module, None, False
        self.name = f"{module}ModuleWidget"
        QtWidgets.QVBoxLayout(self)

    def self(self) -> Any:
        return self._self

    def reload(self) -> None:
        """Make the Python object, anew from what sys.modules has now."""
        kind = getattr(sys.modules[self._module], f"{self._module}Widget")
        self._self = kind(self)
        setattr(slicer.modules, kind.__name__, self._self)
        self._self.setup()

    isEntered = QtCore.Property(bool, lambda self: self._entered)

    def enter(self) -> None:
        self._entered = True
        getattr(self._self, "enter", lambda: None)()

    def exit(self) -> None:
        self._entered = False
        getattr(self._self, "exit", lambda: None)()


class ModuleManager(QtCore.QObject):
    """module(name), modulesNames(), add(file); select(name) does what the module selector does."""

    moduleLoaded = QtCore.Signal(str)
    moduleAboutToBeUnloaded = QtCore.Signal(str)

    def __init__(self) -> None:
        super().__init__()
        self.names = SimpleNamespace()  # slicer.modules
        self._modules: dict[str, Any] = {}
        self._selected: Any = None

    def module(self, name: str) -> Any:
        return self._modules.get(name)

    def modulesNames(self) -> list[str]:
        return list(self._modules)

    def add_logic(self, name: str, logic: Any) -> None:
        """A module of Slicer's own."""
        self._add(LoadableModule(name, logic))

    def add(self, file: Path | str) -> Any:
        """Load a scripted module as Slicer does: its folder on sys.path, its file as a module of the file's name."""
        return self._add(qSlicerScriptedLoadableModule(_imported(Path(file))))

    def _add(self, module: Any) -> Any:
        self._modules[module.name] = module
        setattr(self.names, module.name.lower(), module)
        self.moduleLoaded.emit(module.name)
        return module

    def select(self, module: Any) -> None:
        """Leave the selected module and enter this one. Raises RuntimeError for a module that is not there."""
        name = module if isinstance(module, str) else module.name
        if name not in self._modules:
            raise RuntimeError(f"there is no module {name}")
        self._leave()
        self._selected = self._modules[name]
        if (panel := self._selected.widgetRepresentation()) is not None:
            panel.show()
            panel.enter()

    def selected(self) -> Any:
        return self._selected

    def _leave(self) -> None:
        if self._selected is not None and (panel := self._selected.widgetRepresentation()) is not None:
            panel.exit()
            panel.hide()
        self._selected = None

    def close(self) -> None:
        """Unload all, as when the application ends."""
        self._leave()
        for module in self._modules.values():
            self.moduleAboutToBeUnloaded.emit(module.name)
            if isinstance(module, qSlicerScriptedLoadableModule) and module._panel is not None:
                module._panel.deleteLater()
        self._modules = {}


def _imported(file: Path) -> ModuleType:
    known = sys.modules.get(file.stem)
    if known is not None and hasattr(known, file.stem):
        return known
    if str(file.parent) not in sys.path:
        sys.path.append(str(file.parent))
    specification = importlib.util.spec_from_file_location(file.stem, file)
    module = importlib.util.module_from_spec(specification)
    sys.modules[file.stem] = module
    specification.loader.exec_module(module)
    return module
