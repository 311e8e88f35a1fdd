"""The panel's widgets and the parameter node, kept equal: what the user set comes back with a saved scene.

A widget takes part by its dynamic property SlicerParameterName, set in the .ui file. The node is a plain
vtkMRMLScriptedModuleNode: text parameters, and node references for volumes.
"""

from typing import Any

import qt
import slicer
import vtk

DEFAULTS = {
    "make": "2",
    "suits": "",
    "what": "volume",
    "sliceSpacing": "0",
    "thickness": "0",
    "model": "",
    "plane": "native",
    "device": "auto",
    "precision": "auto",
    "ensemble": "false",
    "consistent": "false",
    "uncertainty": "false",
    "keepTemporary": "false",
    "degradation": "k_space",
    "seed": "0",
    "withoutTruth": "false",
}
NAME = "SlicerParameterName"


class Binding:
    """Two-way connection of widgets and a parameter node; .node may be exchanged at any time."""

    def __init__(self, widgets: list[Any], changed: Any) -> None:
        self.widgets = {w.property(NAME): w for w in widgets if w.property(NAME)}
        self._changed = changed
        self._node: Any = None
        self._observer: int | None = None
        self._showing = False
        for name, widget in self.widgets.items():
            _connect(widget, lambda *_, name=name: self._store(name))

    def connect(self, node: Any) -> None:
        """Show the parameters of a node and follow it; None: follow none."""
        if self._node is not None:
            self._node.RemoveObserver(self._observer)
        self._node = node
        if node is None:
            return
        for name, value in DEFAULTS.items():
            if not node.GetParameter(name) and value:
                node.SetParameter(name, value)
        self._observer = node.AddObserver(vtk.vtkCommand.ModifiedEvent, lambda *_: self._show())
        self._show()

    @property
    def lost(self) -> bool:
        """Whether the node that is followed has left the scene."""
        return self._node is not None and self._node.GetScene() is None

    def __getitem__(self, name: str) -> str:
        """A parameter's value; its default without a node."""
        value = self._node.GetParameter(name) if self._node is not None else ""
        return value or DEFAULTS[name]

    def node(self, name: str) -> Any:
        """The node that a parameter refers to, or None."""
        return self._node.GetNodeReference(name) if self._node is not None else None

    def set(self, name: str, value: str) -> None:
        """Give a parameter a value, as a user would by its widget."""
        if self._node is not None:
            self._node.SetParameter(name, value)

    def refer(self, name: str, node: Any) -> None:
        """Let a parameter refer to a node."""
        if self._node is not None:
            self._node.SetNodeReferenceID(name, node.GetID() if node is not None else None)

    def _store(self, name: str) -> None:
        """A widget was changed: write it to the node."""
        if self._showing or self._node is None:
            return
        widget = self.widgets[name]
        if _holds_node(widget):
            self.refer(name, widget.currentNode())
        else:
            self._node.SetParameter(name, _value(widget))
        self._changed()

    def _show(self) -> None:
        """The node was changed: show it in the widgets."""
        if self._showing:
            return
        self._showing = True
        try:
            for name, widget in self.widgets.items():
                if _holds_node(widget):
                    if widget.currentNode() is not self.node(name):
                        widget.setCurrentNode(self.node(name))
                else:
                    _set(widget, self[name])
        finally:
            self._showing = False
        self._changed()


def first_volume(kinds: tuple[str, ...]) -> Any:
    """The volume that the user sees in a slice view, else the first that was loaded: a sensible first choice."""
    shown = [c.GetBackgroundVolumeID() for c in slicer.util.getNodesByClass("vtkMRMLSliceCompositeNode")]
    found = [slicer.mrmlScene.GetNodeByID(identity) for identity in shown if identity]
    found += [node for kind in kinds for node in slicer.util.getNodesByClass(kind)]
    return next((node for node in found if node is not None and node.GetClassName() in kinds), None)


# PythonQt's classes do not inherit from each other in Python: isinstance() knows a widget's own class only.


def _holds_node(widget: Any) -> bool:
    return hasattr(widget, "setCurrentNode")


def _connect(widget: Any, function: Any) -> None:
    if _holds_node(widget):
        widget.connect("currentNodeChanged(vtkMRMLNode*)", function)
    elif isinstance(widget, qt.QCheckBox):
        widget.connect("toggled(bool)", function)
    elif isinstance(widget, qt.QSpinBox):
        widget.connect("valueChanged(int)", function)
    elif isinstance(widget, qt.QDoubleSpinBox):
        widget.connect("valueChanged(double)", function)
    else:
        widget.connect("currentIndexChanged(int)", function)


def _value(widget: Any) -> str:
    if isinstance(widget, qt.QCheckBox):
        return "true" if widget.checked else "false"
    if isinstance(widget, (qt.QSpinBox, qt.QDoubleSpinBox)):
        return str(widget.value)
    data = widget.itemData(widget.currentIndex)
    return "" if data is None else str(data)


def _set(widget: Any, value: str) -> None:
    if isinstance(widget, qt.QCheckBox):
        widget.setChecked(value == "true")
    elif isinstance(widget, qt.QSpinBox):
        widget.setValue(int(value))
    elif isinstance(widget, qt.QDoubleSpinBox):
        widget.setValue(float(value))
    else:
        if widget.findData(value) < 0:  # of a scene from elsewhere: a model that is not here, or not listed
            widget.addItem(value, value)
        widget.setCurrentIndex(widget.findData(value))
