"""The modules `qt` and `ctk` as Slicer's Python has them, made of PySide6 and the stand-in widgets.

`qt` holds every Q class of Qt Core, Gui, Network and Widgets flat; no Signal, Slot or Property, which PythonQt lacks.
Its QUiLoader makes the stand-in widgets and wires the .ui file's connections to them by hand, as Qt cannot resolve
VTK's types here: a selector whose setMRMLScene is not connected in the .ui file stays empty, as it would in Slicer.
"""

from importlib.machinery import ModuleSpec
from types import ModuleType
from typing import Any
from xml.etree import ElementTree

from PySide6 import QtCore, QtUiTools

from . import pythonqt, widgets


def modules() -> dict[str, ModuleType]:
    """The two modules, by name."""
    qt, ctk = (named_module(name) for name in ("qt", "ctk"))
    for source in pythonqt.MODULES:
        vars(qt).update({name: getattr(source, name) for name in dir(source) if name.startswith("Q")})
    qt.QUiLoader = QUiLoader
    vars(ctk).update({kind.__name__: kind for kind in widgets.CTK})
    return {"qt": qt, "ctk": ctk}


def named_module(name: str, **contents: Any) -> ModuleType:
    """A module that importlib finds too."""
    module = ModuleType(name)
    module.__spec__ = ModuleSpec(name, None)
    vars(module).update(contents)
    return module


class QUiLoader(QtUiTools.QUiLoader):
    """Loads a .ui file with the stand-ins for Slicer's widgets."""

    def __init__(self, parent: Any = None) -> None:
        super().__init__(parent)
        self._kinds = {kind.__name__: kind for kind in (*widgets.CTK, *widgets.QMRML)}
        for kind in self._kinds.values():
            self.registerCustomWidget(kind)

    def load(self, device: Any, parent: Any = None) -> Any:
        """The root widget. Raises NotImplementedError for a widget that has no stand-in."""
        form = ElementTree.fromstring(bytes(device.readAll().data()))
        unknown = {element.get("class") for element in form.iter("widget")} - set(self.availableWidgets())
        if unknown:
            raise NotImplementedError(f"no stand-in for {', '.join(sorted(unknown))}: write one in standin/")
        connections = self._take_connections(form)
        buffer = QtCore.QBuffer()
        buffer.setData(ElementTree.tostring(form))
        buffer.open(QtCore.QIODevice.OpenModeFlag.ReadOnly)
        root = super().load(buffer, parent)
        for sender, signal, receiver, slot in connections:
            _named(root, sender).connect(signal, _named(root, receiver), slot)
        return root

    def createWidget(self, kind: str, parent: Any = None, name: str = "") -> Any:
        """Qt calls this for every widget."""
        widget = super().createWidget(kind, parent, name)
        pythonqt.keep(widget)  # else its Python side, and what that remembers, could go before its C++ side
        return widget

    def _take_connections(self, form: Any) -> list[list[str]]:
        """The connections that a stand-in takes part in, (sender, signal, receiver, slot), out of the form."""
        kinds = {element.get("name"): element.get("class") for element in form.iter("widget")}
        taken = []
        for group in form.iter("connections"):
            for connection in list(group):
                ends = [connection.findtext(key) for key in ("sender", "signal", "receiver", "slot")]
                if kinds.get(ends[0]) in self._kinds or kinds.get(ends[2]) in self._kinds:
                    group.remove(connection)
                    taken.append(ends)
        return taken


def _named(root: Any, name: str) -> Any:
    return root if root.objectName == name else root.findChild(QtCore.QObject, name)
