"""Two linked slice views side by side: same slice, same zoom, same window; a label says which is which."""

from functools import partial
from typing import Any

import qt
import slicer
import vtk

from SuperResolutionSlicer import nodes
from SuperResolutionSlicer.labels import Label, Layers, Side
from SuperResolutionSlicer.layouts import COMPARISON, LEFT, RIGHT, Layouts, layout_node
from SuperResolutionSlicer.reveal import Reveal
from SuperResolutionSlicer.windows import SharedWindow

USE = "research use only"
_ORIENTATIONS = ("Sagittal", "Coronal", "Axial")  # by the world axis (R, A, S) that the slices are stacked along


class ComparisonViews:
    """The two views, their labels, and the layout from before."""

    def __init__(self) -> None:
        self.layouts = Layouts()
        self._window = SharedWindow()
        self._revealing: Reveal | None = None
        self._labels = {tag: Label(partial(_widget, tag), USE) for tag in (LEFT, RIGHT)}

    @property
    def shown(self) -> bool:
        """Whether the two views are what the user sees."""
        return self.layouts.current == COMPARISON

    def show(
        self, left: Side | Layers, right: Side | Layers, axis: int | None = None, same_window: bool = True
    ) -> None:
        """Show two volumes side by side. axis: of the left volume, along which its slices are stacked.

        same_window: both are shown with one window and level, whichever of them it is changed in, and in the colours
        of the left one.
        """
        views = {LEFT: _layers(left), RIGHT: _layers(right)}
        for layers in views.values():
            for side in layers.sides:
                nodes.ensure_display(side.node)
        first = not self.shown
        self._share_window(views, same_window)
        self.layouts.put_up(COMPARISON)
        for tag, layers in views.items():
            self._fill(tag, layers)
        if first:
            _turn(views[LEFT].back.node, axis)
        self._show_same_place(fit=first)
        if first:
            qt.QTimer.singleShot(0, self._fit_again)

    def _share_window(self, views: dict[str, Layers], same: bool) -> None:
        if not same:
            return
        shown = [side.node for layers in views.values() for side in layers.alike]
        volumes = [node for n, node in enumerate(shown) if node not in shown[:n]]
        for other in volumes[1:]:
            nodes.copy_colors(volumes[0], other)
        self._window.share(volumes)

    def _fit_again(self) -> None:
        """New views get their size only after they are shown."""
        if self.shown:
            self._show_same_place(fit=True)

    def close(self) -> None:
        """Take the labels away, and stop following what the user does."""
        if self._revealing is not None:
            self._revealing.end()
            self._revealing = None
        for label in self._labels.values():
            label.close()
        self._window.end()
        self.layouts.close()

    def restore(self) -> None:
        """Back to the layout from before."""
        self.layouts.back()

    def _fill(self, tag: str, layers: Layers) -> None:
        composite = _logic(tag).GetSliceCompositeNode()
        composite.SetLinkedControl(0)  # else what is set here would be set in the other view too
        composite.SetDoPropagateVolumeSelection(False)  # else every volume that is loaded would be shown here
        composite.SetCompositing(0)
        composite.SetBackgroundVolumeID(layers.back.node.GetID())
        composite.SetForegroundVolumeID(None if layers.over is None else layers.over.node.GetID())
        composite.SetForegroundOpacity(layers.opacity)
        composite.SetLabelVolumeID(None)
        self._labels[tag].write(layers)
        if tag == RIGHT:
            self._reveal(layers)

    def _reveal(self, layers: Layers) -> None:
        """Begin, or end, to follow the mouse in the right view."""
        if self._revealing is not None:
            self._revealing.end()
            self._revealing = None
        if layers.revealed:
            label = self._labels[RIGHT]
            self._revealing = Reveal(_widget(RIGHT), lambda: bool(label.text))

    @property
    def can_flicker(self) -> bool:
        """Whether two volumes lie in the right view, one hiding the other."""
        layers = self._labels[RIGHT].layers
        plain = layers is not None and layers.over is not None and not (layers.see_through or layers.revealed)
        return self.shown and plain

    def flicker(self) -> None:
        """Take the upper one of the right view's two volumes away, or put it back: in place, nothing else changes."""
        composite = _logic(RIGHT).GetSliceCompositeNode()
        composite.SetForegroundOpacity(0 if composite.GetForegroundOpacity() > 0.5 else 1)

    def blend(self, opacity: float) -> None:
        """How much is seen of what lies over the right view's volume, 0 to 1."""
        layers = self._labels[RIGHT].layers
        if layers is not None and layers.see_through:
            _logic(RIGHT).GetSliceCompositeNode().SetForegroundOpacity(opacity)

    def show_as_usual(self, node: Any) -> None:
        """One volume in the user's own views, in their layout."""
        self.layouts.back()
        logic = slicer.app.applicationLogic()
        logic.GetSelectionNode().SetActiveVolumeID(node.GetID())
        logic.PropagateVolumeSelection(0)  # all views but ours, as they are; 0: without fitting them anew

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

    def label(self, tag: str) -> str:
        """The words in the corner of a view."""
        return self._labels[tag].text


def _layers(given: Side | Layers) -> Layers:
    return given if isinstance(given, Layers) else Layers(given)


def _turn(node: Any, axis: int | None) -> None:
    """Turn both views into the plane of the volume's own slices, so that no voxel is interpolated."""
    world = _to_world(node)
    transform = node.GetParentTransformNode()
    for tag in (LEFT, RIGHT):
        slice_node = _logic(tag).GetSliceNode()
        if axis is not None:
            step = [abs(world.GetElement(row, axis)) for row in range(3)]
            slice_node.SetOrientation(_ORIENTATIONS[step.index(max(step))])
        if transform is None or transform.IsTransformToWorldLinear():  # of a warped volume no plane is one of slices
            slice_node.RotateToVolumePlane(node)


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


def _widget(tag: str) -> Any:
    """The slice widget of one of our views; None before it was shown, and without a main window."""
    manager = slicer.app.layoutManager()
    return None if layout_node() is None else manager.sliceWidget(tag)


def _logic(tag: str) -> Any:
    return _widget(tag).sliceLogic()
