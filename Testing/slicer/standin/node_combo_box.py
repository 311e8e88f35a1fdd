"""qMRMLNodeComboBox: the list of the scene's nodes of some classes, and the one that is chosen.

Followed: Slicer, Libs/MRML/Widgets/qMRMLNodeComboBox.{h,cxx}, qMRMLSortFilterProxyModel.cxx (which nodes are shown),
qMRMLSceneModel.cxx (import and close). As there, a plain combo box inside holds "None", the nodes and the actions;
which row is current after a row comes or goes is that combo box's own doing. Only what PythonQt can reach is public:
Qt properties, slots and invokable methods; there is no setNodeTypes(), for instance, but `.nodeTypes = [...]`.
"""

from typing import Any

import vtk
from PySide6 import QtCore, QtWidgets

from . import pythonqt
from .ctk_widgets import ctkComboBox
from .observers import Observers

pythonqt.install()

ACTION = QtCore.Qt.ItemDataRole.UserRole + 1  # "CREATE/...", for rows that are neither a node nor "None"


def _option(kind: Any, name: str, default: Any, filters: bool = False) -> Any:
    """A property that is stored; `filters`: which nodes are shown depends on it."""

    def get(self: Any) -> Any:
        return self._options.get(name, default)

    def put(self: Any, value: Any) -> None:
        value = [text for text in value if text] if kind == "QStringList" else value
        if value == get(self):
            return
        self._options[name] = value
        self._filter() if filters else None
        self._update_extra_rows()

    return QtCore.Property(kind, get, put)


@pythonqt.cpp
class qMRMLNodeComboBox(QtWidgets.QWidget):
    """The stand-in; see the module's docstring."""

    currentNodeChanged = QtCore.Signal((object,), (bool,))
    currentNodeIDChanged = QtCore.Signal(str)
    nodeActivated = QtCore.Signal(object)
    nodeAdded = QtCore.Signal(object)
    nodeAddedByUser = QtCore.Signal(object)
    nodeAddedByUserAction = QtCore.Signal(object)
    nodeAboutToBeRemoved = QtCore.Signal(object)
    nodeAboutToBeEdited = QtCore.Signal(object)
    currentNodeRenamed = QtCore.Signal(str)

    nodeTypes = _option("QStringList", "nodeTypes", [], filters=True)
    hideChildNodeTypes = _option("QStringList", "hideChildNodeTypes", [], filters=True)
    showChildNodeTypes = _option(bool, "showChildNodeTypes", True, filters=True)
    showHidden = _option(bool, "showHidden", False, filters=True)
    noneEnabled = _option(bool, "noneEnabled", False)
    noneDisplay = _option(str, "noneDisplay", "None")
    addEnabled = _option(bool, "addEnabled", True)
    removeEnabled = _option(bool, "removeEnabled", True)
    editEnabled = _option(bool, "editEnabled", False)
    renameEnabled = _option(bool, "renameEnabled", False)
    selectNodeUponCreation = _option(bool, "selectNodeUponCreation", True)
    baseName = _option(str, "baseName", "")
    interactionNodeSingletonTag = _option(str, "interactionNodeSingletonTag", "Singleton")

    def __init__(self, parent: Any = None) -> None:
        super().__init__(parent)
        self._options: dict[str, Any] = {}
        self._attributes: list[tuple[str, str, str | None]] = []
        self._labels: dict[str, str] = {}
        self._scene: Any = None
        self._wanted = ""  # chosen before there was a scene
        self._switching = False
        self._observers = Observers()
        self._box = ctkComboBox(self)
        layout = QtWidgets.QHBoxLayout(self)
        layout.setContentsMargins(0, 0, 0, 0)
        layout.addWidget(self._box)
        self._box.currentIndexChanged.connect(self._emit_current)
        self._box.activated.connect(self._emit_activated)
        self._box.view().clicked.connect(lambda index: self._act(self._box.itemData(index.row(), ACTION)))
        self.setEnabled(False)

    # --- scene

    def mrmlScene(self) -> Any:
        return self._scene

    def setMRMLScene(self, scene: Any) -> None:
        if scene is self._scene:
            return
        before, had_nodes = self.currentNodeID, self.nodeCount() > 0
        self._observers.clear()
        self._scene, self._switching = scene, True
        self._repopulate()
        self._update_extra_rows()
        first = self.nodeFromIndex(0) if not self.noneEnabled else None
        wanted = self._wanted or (first.GetID() if first is not None else "")
        self.setCurrentNodeID(before if had_nodes else wanted)
        self._switching, self._wanted = False, ""
        self._emit_current()
        if scene is not None:
            self._observe(scene)
        self.setEnabled(scene is not None)

    def _observe(self, scene: Any) -> None:
        for event, method in (
            (scene.NodeAddedEvent, self._on_scene),
            (scene.NodeAboutToBeRemovedEvent, self._on_removed),
            (scene.NodeRemovedEvent, self._on_scene),
            (scene.EndImportEvent, self._repopulate),
            (scene.EndCloseEvent, self._repopulate),
        ):
            self._observers.add(scene, event, method)

    def _on_scene(self, _node: Any) -> None:
        """A node came or went; while a scene is loaded or closed, wait for its end."""
        if not (self._scene.IsImporting() or self._scene.IsClosing()):
            self._filter()

    def _on_removed(self, node: Any) -> None:
        self._observers.remove(node)
        if not self._scene.IsClosing():
            self._remove(self._row(node.GetID()))

    def _on_modified(self, _data: Any) -> None:
        """A node has another name, or is shown or hidden now."""
        if self._scene is None or self._scene.IsClosing() or self._scene.IsImporting():
            return
        self._filter()
        for row in self._node_rows():
            name = self._node_at(row).GetName()
            if self._box.itemText(row) != name:
                self._box.setItemText(row, name)
                if row == self._box.currentIndex:
                    self._emit_current()

    # --- rows

    def _accepts(self, node: Any) -> bool:
        """Whether a node belongs in the list."""
        if node.GetHideFromEditors() and not self.showHidden:
            return False
        for kind in self.nodeTypes or ["vtkMRMLNode"]:
            if not node.IsA(kind) or (not self.showChildNodeTypes and node.GetClassName() != kind):
                continue
            if self.showChildNodeTypes and any(node.IsA(hidden) for hidden in self.hideChildNodeTypes):
                return False
            wanted = [(name, value) for of, name, value in self._attributes if of == kind]
            return all(node.GetAttribute(n) is not None and v in (None, node.GetAttribute(n)) for n, v in wanted)
        return False

    def _node_rows(self) -> list[int]:
        return [row for row in range(self._box.count) if self._box.itemData(row)]

    def _row(self, identity: str) -> int:
        return self._box.findData(identity) if identity else -1

    def _repopulate(self, _data: Any = None) -> None:
        """All node rows anew, after import and close; as in Slicer, the choice does not survive that."""
        if rows := self._node_rows():
            self._box.model().removeRows(rows[0], len(rows))
            self._refresh()
        self._filter()

    def _filter(self) -> None:
        """Rows for those of the scene's nodes that belong in the list, in the scene's order."""
        nodes = [node for node in self._scene.GetNodes() if self._matches(node)] if self._scene is not None else []
        for node in nodes:
            if not self._observers.watches(node):
                self._observers.add(node, vtk.vtkCommand.ModifiedEvent, self._on_modified)
        shown = [node for node in nodes if self._accepts(node)]
        identities = [node.GetID() for node in shown]
        for row in reversed(self._node_rows()):
            if self._box.itemData(row) not in identities:
                self._remove(row)
        for place, node in enumerate(shown):
            if self._row(node.GetID()) < 0:
                self._box.insertItem(int(self._has_none_row()) + place, node.GetName(), node.GetID())
                self.nodeAdded.emit(node)

    def _matches(self, node: Any) -> bool:
        return any(node.IsA(kind) for kind in self.nodeTypes or ["vtkMRMLNode"])

    def _remove(self, row: int) -> None:
        if row >= 0:
            self.nodeAboutToBeRemoved.emit(self._node_at(row))
            self._box.removeItem(row)
            self._refresh()

    def _has_none_row(self) -> bool:
        return self._box.count > 0 and self._box.itemData(0) == ""

    def _update_extra_rows(self) -> None:
        """The "None" row before the nodes, the actions after them, as the properties ask; the choice stays."""
        for row in reversed(range(self._box.count)):
            if self._box.itemData(row) is None:
                self._box.removeItem(row)
        wants_none = self.noneEnabled and self._scene is not None
        if self._has_none_row() and not wants_none:
            self._box.removeItem(0)
        elif wants_none and not self._has_none_row():
            self._box.insertItem(0, self.noneDisplay, "")
        elif wants_none:
            self._box.setItemText(0, self.noneDisplay)
        self._add_actions(self._box.currentIndex)
        self._box.defaultText = f"Select a {self._label(self.nodeTypes[0] if self.nodeTypes else '')}"

    def _add_actions(self, current: int) -> None:
        for text, action in self._actions():
            self._box.addItem(text)
            row = self._box.count - 1
            self._box.setItemData(row, action, ACTION)
            self._box.model().item(row).setFlags(QtCore.Qt.ItemFlag.ItemIsEnabled)
        self._box.setCurrentIndex(current)

    def _actions(self) -> list[tuple[str, str]]:
        if self._scene is None:
            return []
        label = self._label(self.nodeTypes[0] if len(self.nodeTypes) == 1 else "")
        rows = [(f"Rename current {label}", "RENAME")] * self.renameEnabled
        rows += [(f"Edit current {label}", "EDIT")] * self.editEnabled
        for kind in self.nodeTypes * self.addEnabled:
            rows.append((f"Create new {self._label(kind)}", f"CREATE/{kind}"))
            rows += [(f"Create new {self._label(kind)} as...", f"CREATE_AS/{kind}")] * self.renameEnabled
        rows += [(f"Delete current {label}", "DELETE")] * self.removeEnabled
        return [("", "SEPARATOR"), *rows] if rows else []

    def _label(self, kind: str) -> str:
        known = self._scene.GetTypeDisplayNameByClassName(kind) if self._scene is not None and kind else ""
        return self._labels.get(kind) or known or "node"

    # --- the choice

    def currentNode(self) -> Any:
        return self._node_at(self._box.currentIndex)

    def _node_at(self, row: int) -> Any:
        identity = self._box.itemData(row) if row >= 0 else None
        return self._scene.GetNodeByID(identity) if identity and self._scene is not None else None

    def _get_current_id(self) -> str:
        node = self.currentNode()
        return node.GetID() if node is not None else ""

    def setCurrentNode(self, node: Any) -> None:
        self.setCurrentNodeID(node.GetID() if node is not None else "")

    def setCurrentNodeID(self, identity: str) -> None:
        if self._scene is None:
            self._wanted = identity or ""
        row = self._row(identity)
        self._box.setCurrentIndex(row if row >= 0 else self._none_index())

    currentNodeID = QtCore.Property(str, _get_current_id, setCurrentNodeID, notify=currentNodeIDChanged)

    def setCurrentNodeIndex(self, index: int) -> None:
        index = -1 if index >= self.nodeCount() else index
        self._box.setCurrentIndex(index + int(self.noneEnabled))

    def nodeCount(self) -> int:
        return len(self._node_rows())

    def nodeFromIndex(self, index: int) -> Any:
        return self._node_at(index + int(self._has_none_row()))

    def _none_index(self) -> int:
        return 0 if self.noneEnabled else -1

    def _refresh(self) -> None:
        """Rows went: what is no node any more must not stay current."""
        if self.currentNode() is None:
            self.setCurrentNode(None)

    def _emit_current(self, *_: Any) -> None:
        if self._switching:
            return
        node = self.currentNode()
        if node is None and self._box.currentIndex != self._none_index():  # an action's row; the last node, if any
            last = self.nodeFromIndex(self.nodeCount() - 1)
            if last is not None:
                self.setCurrentNode(last)
            return
        self.currentNodeChanged[object].emit(node)
        self.currentNodeChanged[bool].emit(node is not None)
        self.currentNodeIDChanged.emit(node.GetID() if node is not None else "")

    def _emit_activated(self, row: int) -> None:
        node = self._node_at(row)
        if node is not None or (self.noneEnabled and row == 0):
            self.nodeActivated.emit(node)

    # --- nodes made, removed and renamed from here

    def addNode(self, kind: str = "") -> Any:
        kind = kind or next(iter(self.nodeTypes), "")
        if kind not in self.nodeTypes:
            return None
        node = self._scene.CreateNodeByClass(kind)
        node.UnRegister(None)
        node.SetName(self._scene.GenerateUniqueName(self.baseName or node.GetNodeTagName()))
        for _, name, value in self._attributes:
            node.SetAttribute(name, value)
        self._scene.AddNode(node)
        if self.selectNodeUponCreation:
            self.setCurrentNode(node)
        self.nodeAddedByUser.emit(node)
        return node

    def removeCurrentNode(self) -> None:
        self._scene.RemoveNode(self.currentNode())

    def editCurrentNode(self) -> None:
        self.nodeAboutToBeEdited.emit(self.currentNode())

    def renameCurrentNode(self) -> None:
        if (node := self.currentNode()) is not None and (name := self._ask_name(node.GetName())):
            node.SetName(name)
            self.currentNodeRenamed.emit(name)

    def _ask_name(self, name: str) -> str:
        text, agreed = QtWidgets.QInputDialog.getText(self, "Name", "New name:", text=name)
        return text if agreed else ""

    def _act(self, action: str | None) -> None:
        """A row with an action was clicked."""
        verb, _, kind = (action or "").partition("/")
        if verb in ("CREATE", "CREATE_AS"):
            name = self._ask_name("") if verb == "CREATE_AS" else None
            if name == "" or (node := self.addNode(kind)) is None:
                return
            node.SetName(name or node.GetName())
            self.setCurrentNode(node)
            self.nodeAddedByUserAction.emit(node)
        elif verb in ("RENAME", "EDIT", "DELETE"):
            {"RENAME": self.renameCurrentNode, "EDIT": self.editCurrentNode, "DELETE": self.removeCurrentNode}[verb]()

    def addAttribute(self, kind: str, name: str, value: str | None = None) -> None:
        self._attributes.append((kind, name, value))
        self._filter()

    def removeAttribute(self, kind: str, name: str) -> None:
        self._attributes = [known for known in self._attributes if known[:2] != (kind, name)]
        self._filter()

    def setNodeTypeLabel(self, label: str, kind: str) -> None:
        self._labels[kind] = label
        self._update_extra_rows()

    def nodeTypeLabel(self, kind: str) -> str:
        return self._label(kind)
