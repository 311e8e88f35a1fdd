"""slicer.app.layoutManager(): the real layout logic, and a slice widget for every slice node it makes.

Followed: Slicer, Libs/MRML/Widgets/qMRMLLayoutManager.{h,cxx}, qMRMLLayoutViewFactory.cxx (when views come and go),
qMRMLSliceWidget.h, qMRMLSliceControllerWidget.h, qMRMLSliceView.h; CTK, ctkVTKAbstractView.h. Logic, nodes and linking
are the real ones; 3D, plot and table views are not here.
"""

from typing import Any

import slicer
import vtk
from PySide6 import QtCore, QtGui, QtWidgets

from . import pictures, pythonqt
from .observers import Observers
from .widgets import qMRMLWidget

pythonqt.install()


@pythonqt.cpp
class qMRMLSliceView(QtWidgets.QWidget):
    """Paints what pictures.render gives, and the words of text actors; the render window is there but never renders."""

    def __init__(self, logic: Any, parent: Any = None) -> None:
        super().__init__(parent)
        self._logic = logic
        self._window, self._renderer, self._interactor = None, vtk.vtkRenderer(), None
        self._corner = vtk.vtkCornerAnnotation()
        self._renderer.AddViewProp(self._corner)
        self.setMinimumSize(120, 120)

    def renderWindow(self) -> Any:
        if self._window is None:  # takes 40 ms, so only for those who ask
            self._window = vtk.vtkRenderWindow()
            self._window.AddRenderer(self._renderer)
        return self._window

    def interactor(self) -> Any:
        """A real one, whose events scripts invoke: the mouse moves nothing here.

        As in Slicer (vtkMRMLViewInteractorStyle.cxx) a move that one of the view's tools has used, such as the
        crosshair, is kept from all observers that come after it: those of priority 0.
        """
        if self._interactor is None:
            self._interactor = vtk.vtkGenericRenderWindowInteractor()
            tag = self._interactor.AddObserver("MouseMoveEvent", lambda caller, _: caller.GetCommand(tag).AbortFlagOn())
        return self._interactor

    def cornerAnnotation(self) -> Any:
        return self._corner

    def mrmlSliceNode(self) -> Any:
        return self._logic.GetSliceNode()

    def scheduleRender(self) -> None:
        self.update()

    def forceRender(self) -> None:
        self.update()

    def paintEvent(self, _event: Any) -> None:
        painter = QtGui.QPainter(self)
        painter.drawImage(0, 0, pictures.picture(pictures.render(self._logic, self.width, self.height)))
        painter.setPen(QtGui.QColor(255, 217, 77))
        align = QtCore.Qt.AlignmentFlag
        for corner in range(4):
            vertical = align.AlignBottom if corner < 2 else align.AlignTop
            horizontal = align.AlignRight if corner % 2 else align.AlignLeft
            painter.drawText(
                self.rect.adjusted(6, 6, -6, -6), vertical | horizontal, self._corner.GetText(corner) or ""
            )
        actors = self._renderer.GetViewProps()
        for actor in (actor for actor in actors if isinstance(actor, vtk.vtkTextActor) and actor.GetVisibility()):
            x, y = actor.GetPosition()
            at, left = round((1 - y) * self.height), round(x * self.width)
            hangs = actor.GetTextProperty().GetVerticalJustification() == vtk.VTK_TEXT_TOP
            area = QtCore.QRect(left, at, self.width, self.height) if hangs else QtCore.QRect(left, 0, self.width, at)
            vertical = align.AlignTop if hangs else align.AlignBottom
            painter.drawText(area, vertical | align.AlignLeft, actor.GetInput() or "")
        painter.end()


@pythonqt.cpp
class qMRMLSliceControllerWidget(qMRMLWidget):
    """The bar above a slice view; here without buttons, only what scripts call."""

    def __init__(self, logic: Any, parent: Any = None) -> None:
        super().__init__(parent)
        self._logic = logic

    def sliceLogic(self) -> Any:
        return self._logic

    def mrmlSliceNode(self) -> Any:
        return self._logic.GetSliceNode()

    def mrmlSliceCompositeNode(self) -> Any:
        return self._logic.GetSliceCompositeNode()

    def fitSliceToBackground(self) -> None:
        self._logic.FitSliceToBackground()

    def setSliceOffsetValue(self, offset: float) -> None:
        self._logic.StartSliceOffsetInteraction()
        self._logic.SetSliceOffset(offset)
        self._logic.EndSliceOffsetInteraction()

    def setSliceLink(self, linked: bool) -> None:
        self._logic.GetSliceCompositeNode().SetLinkedControl(linked)

    def setHotLinked(self, hot: bool) -> None:
        self._logic.GetSliceCompositeNode().SetHotLinkedControl(hot)

    def setSliceVisible(self, visible: bool) -> None:
        self._logic.GetSliceNode().SetSliceVisible(visible)

    def setSliceOrientation(self, orientation: str) -> None:
        self._logic.GetSliceNode().SetOrientation(orientation)


@pythonqt.cpp
class qMRMLSliceWidget(qMRMLWidget):
    """A slice view and its controller, over one real slice logic."""

    def __init__(self, logic: Any, parent: Any = None) -> None:
        super().__init__(parent)
        self._controller = qMRMLSliceControllerWidget(logic)
        self._view = qMRMLSliceView(logic)
        layout = QtWidgets.QVBoxLayout(self)
        layout.setContentsMargins(0, 0, 0, 0)
        layout.setSpacing(0)
        layout.addWidget(self._controller)
        layout.addWidget(self._view, 1)
        self.name = f"qMRMLSliceWidget{logic.GetSliceNode().GetLayoutName()}"

    def sliceLogic(self) -> Any:
        return self._controller.sliceLogic()

    def sliceView(self) -> Any:
        return self._view

    def sliceController(self) -> Any:
        return self._controller

    def mrmlSliceNode(self) -> Any:
        return self._controller.mrmlSliceNode()

    def mrmlSliceCompositeNode(self) -> Any:
        return self._controller.mrmlSliceCompositeNode()

    def fitSliceToBackground(self) -> None:
        self._controller.fitSliceToBackground()


@pythonqt.cpp
class qMRMLLayoutManager(QtCore.QObject):
    """Follows the layout node and the scene's slice nodes; viewport() shows the views of the layout in a row."""

    layoutChanged = QtCore.Signal(int)

    def __init__(self, scene: Any, application_logic: Any) -> None:
        super().__init__()
        self._scene, self._application_logic = scene, application_logic
        self._widgets: dict[str, qMRMLSliceWidget] = {}  # by the slice node's ID
        self._observers = Observers()
        self._viewport = QtWidgets.QWidget()
        QtWidgets.QHBoxLayout(self._viewport).setContentsMargins(0, 0, 0, 0)
        self._logic = slicer.vtkMRMLLayoutLogic()
        self._logic.SetMRMLApplicationLogic(application_logic)
        self._logic.SetMRMLScene(scene)
        for event in (scene.NodeAddedEvent, scene.NodeRemovedEvent):
            self._observers.add(scene, event, self._on_node)
        self._observers.add(scene, scene.EndBatchProcessEvent, self._match_slice_nodes)
        self._observers.add(self._logic.GetLayoutNode(), vtk.vtkCommand.ModifiedEvent, self._on_layout)
        self.setLayout(slicer.vtkMRMLLayoutNode.SlicerLayoutFourUpView)
        self._on_layout()

    def layoutLogic(self) -> Any:
        return self._logic

    def mrmlScene(self) -> Any:
        return self._scene

    def mrmlSliceLogics(self) -> Any:
        return self._application_logic.GetSliceLogics()

    def setLayout(self, layout: int) -> None:
        """As in Slicer: nothing where the arrangement is shown already; an unknown one becomes the conventional one."""
        node = self._logic.GetLayoutNode()
        if node.GetViewArrangement() == layout:
            return
        if not node.IsLayoutDescription(layout):
            layout = slicer.vtkMRMLLayoutNode.SlicerLayoutConventionalView
        node.RemoveAllMaximizedViewNodes()
        node.SetViewArrangement(layout)

    layout = QtCore.Property(
        int, lambda self: self._logic.GetLayoutNode().GetViewArrangement(), setLayout, notify=layoutChanged
    )
    threeDViewCount = QtCore.Property(int, lambda self: 0)
    tableViewCount = QtCore.Property(int, lambda self: 0)
    plotViewCount = QtCore.Property(int, lambda self: 0)

    def sliceWidget(self, name: str) -> Any:
        """The slice widget of a view's name, also of a view that is not in the layout; None if there is none."""
        return next((widget for widget in self._widgets.values() if widget.mrmlSliceNode().GetName() == name), None)

    def sliceViewNames(self) -> list[str]:
        return [widget.mrmlSliceNode().GetName() for widget in self._widgets.values()]

    def viewWidget(self, node: Any) -> Any:
        return self._widgets.get(node.GetID())

    def viewport(self) -> QtWidgets.QWidget:
        return self._viewport

    def resetSliceViews(self) -> None:
        for widget in self._widgets.values():
            widget.fitSliceToBackground()

    def pauseRender(self) -> None:
        """Nothing is rendered here."""

    def resumeRender(self) -> None:
        """Nothing is rendered here."""

    def _on_node(self, node: Any) -> None:
        """While a scene is loaded, wait for its end: a slice node may come before what belongs to it."""
        if node.IsA("vtkMRMLSliceNode") and not self._scene.IsBatchProcessing():
            self._match_slice_nodes()

    def _match_slice_nodes(self, _data: Any = None) -> None:
        """A widget for every slice node of the main layout, none for those that are gone."""
        nodes = slicer.util.getNodesByClass("vtkMRMLSliceNode", self._scene)
        mine = {node.GetID(): node for node in nodes if node.GetParentLayoutNode() is None}
        for identity in [known for known in self._widgets if known not in mine]:
            self._drop(identity)
        for identity, node in mine.items():
            if identity not in self._widgets:
                self._widgets[identity] = qMRMLSliceWidget(self._new_logic(node), self._viewport)
                self._widgets[identity].setMRMLScene(self._scene)
                self._widgets[identity].setVisible(False)

    def _new_logic(self, node: Any) -> Any:
        logic = slicer.vtkMRMLSliceLogic()
        self.mrmlSliceLogics().AddItem(logic)
        logic.SetMRMLApplicationLogic(self._application_logic)
        logic.SetSliceNode(node)
        logic.SetMRMLScene(self._scene)
        return logic

    def _drop(self, identity: str) -> None:
        widget = self._widgets.pop(identity)
        self.mrmlSliceLogics().RemoveItem(widget.sliceLogic())
        widget.hide()
        widget.deleteLater()

    def _on_layout(self, _data: Any = None) -> None:
        """Show the views of the layout in a row, hide the others."""
        self._match_slice_nodes()
        shown = self._shown()
        for identity, widget in self._widgets.items():
            widget.mrmlSliceNode().SetMappedInLayout(identity in shown)
            self._viewport.layout().removeWidget(widget)
            widget.setVisible(False)
        for identity in (identity for identity in shown if identity in self._widgets):
            self._viewport.layout().addWidget(self._widgets[identity])
            self._widgets[identity].setVisible(True)
        self.layoutChanged.emit(self.layout)

    def _shown(self) -> list[str]:
        """The IDs of the views on screen: a maximised one hides all others."""
        layout = self._logic.GetLayoutNode()
        maximised = [layout.GetMaximizedViewNode(n) for n in range(layout.GetNumberOfMaximizedViewNodes())]
        return [node.GetID() for node in maximised or self._logic.GetViewNodes()]

    def close(self) -> None:
        """Forget the scene; not a name of the real class."""
        self._observers.clear()
        for identity in list(self._widgets):
            self._drop(identity)
        self._viewport.deleteLater()
        self._logic.SetMRMLScene(None)
