"""Two linked slice views side by side: same slice, same zoom, same window; a label says which is which."""

from dataclasses import dataclass
from typing import Any

import qt
import slicer
import vtk

from SuperResolutionSlicer import nodes

LAYOUT = 6209  # an arrangement of our own; Slicer's end below 1000
LEFT, RIGHT = "SuperResolutionLeft", "SuperResolutionRight"
USE = "research use only"
_VIEW = (
    '<item><view class="vtkMRMLSliceNode" singletontag="{tag}">'
    '<property name="orientation" action="default">Axial</property>'
    '<property name="viewlabel" action="default">{label}</property>'
    '<property name="viewcolor" action="default">{color}</property>'
    '<property name="viewgroup" action="default">6209</property></view></item>'  # else the other views move along
)
_LAYOUT = (
    '<layout type="horizontal">'
    + _VIEW.format(tag=LEFT, label="L", color="#8C8C8C")
    + _VIEW.format(tag=RIGHT, label="R", color="#2C9FA3")
    + "</layout>"
)
_ORIENTATIONS = ("Sagittal", "Coronal", "Axial")  # by the world axis (R, A, S) that the slices are stacked along


@dataclass(frozen=True)
class Side:
    """What one of the two views shows: a volume and the words for it."""

    node: Any
    label: str


class ComparisonViews:
    """The two views, and the layout from before."""

    def __init__(self) -> None:
        self._before: int | None = None
        self._labels: dict[str, Any] = {}

    @property
    def shown(self) -> bool:
        """Whether the two views are what the user sees."""
        return _layout_node() is not None and _layout_node().GetViewArrangement() == LAYOUT

    def show(self, left: Side, right: Side, axis: int | None = None, same_window: bool = True) -> None:
        """Show two volumes side by side. axis: of the left volume, along which its slices are stacked.

        same_window: the right volume is shown with the window, level and colours of the left one.
        """
        for side in (left, right):
            nodes.ensure_display(side.node)
        if same_window:
            nodes.copy_display(left.node, right.node)
        first = not self.shown
        self._arrange()
        for tag, side in ((LEFT, left), (RIGHT, right)):
            self._fill(tag, side)
        if first:
            self._turn(left.node, axis)
        self._show_same_place(fit=first)
        if first:
            qt.QTimer.singleShot(0, self._fit_again)

    def _fit_again(self) -> None:
        """New views get their size only after they are shown."""
        if self.shown:
            self._show_same_place(fit=True)

    def close(self) -> None:
        """Take the labels away."""
        for tag, actor in self._labels.items():
            widget = slicer.app.layoutManager().sliceWidget(tag) if slicer.app.layoutManager() else None
            if widget is not None:
                widget.sliceView().renderWindow().GetRenderers().GetFirstRenderer().RemoveViewProp(actor)
        self._labels.clear()

    def restore(self) -> None:
        """Back to the layout from before."""
        if self.shown and self._before is not None:
            _layout_node().SetViewArrangement(self._before)
        self._before = None

    def _arrange(self) -> None:
        layout = _layout_node()
        register_layout()
        if not self.shown:
            self._before = layout.GetViewArrangement()
            layout.SetViewArrangement(LAYOUT)

    def _fill(self, tag: str, side: Side) -> None:
        composite = _logic(tag).GetSliceCompositeNode()
        composite.SetLinkedControl(0)  # else what is set here would be set in the other view too
        composite.SetBackgroundVolumeID(side.node.GetID())
        composite.SetForegroundVolumeID(None)
        composite.SetLabelVolumeID(None)
        self._write(tag, f"{side.label}\n{USE}")

    def _turn(self, node: Any, axis: int | None) -> None:
        """Turn both views into the plane of the volume's own slices, so that no voxel is interpolated."""
        world = _to_world(node)
        for tag in (LEFT, RIGHT):
            slice_node = _logic(tag).GetSliceNode()
            if axis is not None:
                step = [abs(world.GetElement(row, axis)) for row in range(3)]
                slice_node.SetOrientation(_ORIENTATIONS[step.index(max(step))])
            if node.GetParentTransformNode() is None:
                slice_node.RotateToVolumePlane(node)

    def _show_same_place(self, fit: bool) -> None:
        left, right = _logic(LEFT), _logic(RIGHT)
        if fit:
            for logic in (left, right):
                logic.FitSliceToBackground()
                logic.SnapSliceOffsetToIJK()
        here, there = left.GetSliceNode(), right.GetSliceNode()
        there.GetSliceToRAS().DeepCopy(here.GetSliceToRAS())
        there.SetFieldOfView(*here.GetFieldOfView())
        there.SetXYZOrigin(*here.GetXYZOrigin())
        there.UpdateMatrices()
        for logic in (left, right):
            logic.GetSliceCompositeNode().SetLinkedControl(1)
            logic.GetSliceCompositeNode().SetHotLinkedControl(1)

    def _write(self, tag: str, text: str) -> None:
        """Write into the upper left corner of a view: an actor of our own, as others own the corner annotation."""
        view = slicer.app.layoutManager().sliceWidget(tag).sliceView()
        renderer = view.renderWindow().GetRenderers().GetFirstRenderer()
        if tag not in self._labels or not renderer.HasViewProp(self._labels[tag]):  # a view can be made anew
            actor = vtk.vtkTextActor()
            actor.GetPositionCoordinate().SetCoordinateSystemToNormalizedViewport()
            actor.SetPosition(0.02, 0.98)  # Slicer writes the name of the volume into the lower left
            actor.GetTextProperty().SetVerticalJustificationToTop()
            actor.GetTextProperty().SetFontSize(16)
            actor.GetTextProperty().SetColor(1.0, 0.85, 0.3)
            actor.GetTextProperty().ShadowOn()
            renderer.AddViewProp(actor)
            self._labels[tag] = actor
        self._labels[tag].SetInput(text)
        view.scheduleRender()

    def label(self, tag: str) -> str:
        """The words in the corner of a view."""
        return str(self._labels[tag].GetInput()) if tag in self._labels else ""


def register_layout() -> None:
    """Make the arrangement known: a scene may have been saved while it was shown."""
    layout = _layout_node()
    if layout is not None and not layout.IsLayoutDescription(LAYOUT):
        layout.AddLayoutDescription(LAYOUT, _LAYOUT)


def slice_on_screen(node: Any, axis: int) -> int:
    """The slice of a volume, counted along voxel axis `axis`, that the views on screen show best.

    Of the slice views in the layout, the one that looks along the axis most directly decides; without any, the
    middle of the volume.
    """
    world = _to_world(node)
    size = node.GetImageData().GetDimensions()[axis]
    step = [world.GetElement(row, axis) for row in range(3)]
    mapped = [n for n in slicer.util.getNodesByClass("vtkMRMLSliceNode") if n.IsMappedInLayout()]
    if not mapped:
        return size // 2

    def alignment(slice_node: Any) -> float:
        matrix = slice_node.GetSliceToRAS()
        return abs(sum(step[row] * matrix.GetElement(row, 2) for row in range(3)))

    best = max(mapped, key=alignment).GetSliceToRAS()
    inverse = vtk.vtkMatrix4x4()
    vtk.vtkMatrix4x4.Invert(world, inverse)
    centre = inverse.MultiplyPoint([best.GetElement(row, 3) for row in range(4)])
    return max(0, min(size - 1, round(centre[axis])))


def _to_world(node: Any) -> Any:
    """Voxel index to world RAS, through the node's own (linear) transform."""
    matrix = vtk.vtkMatrix4x4()
    node.GetIJKToRASMatrix(matrix)
    transform = node.GetParentTransformNode()
    if transform is not None and transform.IsTransformToWorldLinear():
        to_world = vtk.vtkMatrix4x4()
        transform.GetMatrixTransformToWorld(to_world)
        vtk.vtkMatrix4x4.Multiply4x4(to_world, matrix, matrix)
    return matrix


def _layout_node() -> Any:
    """The layout, or None: Slicer without a main window has none."""
    manager = slicer.app.layoutManager()
    return manager.layoutLogic().GetLayoutNode() if manager is not None else None


def _logic(tag: str) -> Any:
    return slicer.app.layoutManager().sliceWidget(tag).sliceLogic()
