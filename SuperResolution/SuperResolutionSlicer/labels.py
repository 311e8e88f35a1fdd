"""The words in the corner of a view: there while the view shows what they were written for, and only then.

Anything can exchange the volume of a view: loading another scan, a script, a key, a scene that is imported. So the
words are looked at again whenever the view's composite node, one of the volumes or the scene changes.
"""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import slicer
import vtk
from slicer.i18n import tr as _

ALPHA = 0  # the way of blending in which the foreground hides the background as far as its opacity says


@dataclass(frozen=True)
class Side:
    """A volume, and the words for it: a text, or a function that gives it, for words that can change."""

    node: Any
    label: str | Callable[[], str]

    @property
    def words(self) -> str:
        """The words as they are now."""
        return self.label if isinstance(self.label, str) else self.label()

    def is_called(self, identity: str | None) -> bool:
        """Whether an ID is this very volume's: IDs are given again once a scene is closed."""
        return identity is not None and slicer.mrmlScene.GetNodeByID(identity) is self.node

    @property
    def gone(self) -> bool:
        """Whether the volume has left the scene."""
        return self.node.GetScene() is None


@dataclass(frozen=True)
class Layers:
    """What a view is to show. over: above the volume. see_through: whether it is seen below all the same.

    opacity: of what lies above, to begin with. revealed: what lies above is seen in a window around the mouse.
    """

    back: Side
    over: Side | None = None
    see_through: bool = False
    opacity: float = 0.0
    revealed: bool = False

    @property
    def sides(self) -> tuple[Side, ...]:
        """Its volumes."""
        return (self.back,) if self.over is None else (self.back, self.over)

    @property
    def alike(self) -> tuple[Side, ...]:
        """Those of its volumes that are pictures of one kind, to be seen in one window."""
        return (self.back,) if self.see_through else self.sides

    def words(self, composite: Any) -> str:
        """What a view with this composite node shows, in words; none where it shows anything else."""
        if not self.back.is_called(composite.GetBackgroundVolumeID()):
            return ""
        if composite.GetLabelVolumeID() or composite.GetCompositing() != ALPHA:
            return ""
        opacity = composite.GetForegroundOpacity()
        if self.revealed and opacity == 0 and self.over is not None:
            meant = self.over.is_called(composite.GetForegroundVolumeID())
            return _("{below}\n{above} under the mouse").format(below=self.back.words, above=self.over.words) * meant
        if not composite.GetForegroundVolumeID() or opacity == 0:
            return self.back.words
        if self.over is None or not self.over.is_called(composite.GetForegroundVolumeID()):
            return ""
        if opacity == 1 and not self.see_through:
            return self.over.words
        return f"{self.back.words}\n+ {self.over.words}"


class Label:
    """The words of one view. widget: a function that gives the slice widget, None where there is none."""

    def __init__(self, widget: Callable[[], Any], suffix: str) -> None:
        self._widget = widget
        self._suffix = suffix
        self._layers: Layers | None = None
        self._actor: Any = None
        self._observed: list[tuple[Any, int]] = []
        self._looking = False

    @property
    def text(self) -> str:
        """What is written in the view."""
        return str(self._actor.GetInput() or "") if self._actor is not None and self._actor.GetVisibility() else ""

    @property
    def layers(self) -> Layers | None:
        """What the view was to show; None where one of the volumes has gone."""
        return self._layers

    def write(self, layers: Layers) -> None:
        """Write what a view shows, from now on, for as long as it shows it."""
        self._layers = layers
        self.look_again()

    def close(self) -> None:
        """Take the words away, and stop looking."""
        self._layers = None
        self._forget_observers()
        widget = self._widget()
        if widget is not None and self._actor is not None:
            _renderer(widget.sliceView()).RemoveViewProp(self._actor)
        self._actor = None

    def look_again(self, *args: Any) -> None:
        """Write the words that are true now."""
        if self._looking:
            return
        self._looking = True
        try:
            if self._layers is not None and any(side.gone for side in self._layers.sides):
                self._layers = None  # which also lets go of its voxels
            self._observe()
            self._show(self._true_words())
        finally:
            self._looking = False

    def _true_words(self) -> str:
        widget = self._widget()
        if self._layers is None or widget is None:
            return ""
        composite = widget.sliceLogic().GetSliceCompositeNode()
        return "" if composite is None else self._layers.words(composite)

    def _observe(self) -> None:
        """Look again with the composite node, the volumes and the scene."""
        widget = self._widget()
        composite = None if widget is None else widget.sliceLogic().GetSliceCompositeNode()
        volumes = [] if self._layers is None else [side.node for side in self._layers.sides]
        wanted = [node for node in (composite, *volumes) if node is not None]
        if [node for node, number in self._observed] == [slicer.mrmlScene] * 3 + wanted:
            return
        self._forget_observers()
        scene = slicer.mrmlScene
        for event in (scene.NodeRemovedEvent, scene.EndCloseEvent, scene.EndImportEvent):
            self._observed.append((scene, scene.AddObserver(event, self.look_again)))
        for node in wanted:
            self._observed.append((node, node.AddObserver(vtk.vtkCommand.ModifiedEvent, self.look_again)))

    def _forget_observers(self) -> None:
        for node, observer in self._observed:
            node.RemoveObserver(observer)
        self._observed = []

    def _show(self, words: str) -> None:
        widget = self._widget()
        if widget is None:  # the view is gone, and what was written in it
            self._actor = None
            return
        if not words and self._actor is None:
            return
        view = widget.sliceView()
        renderer = _renderer(view)
        if self._actor is None or not renderer.HasViewProp(self._actor):  # a view can be made anew
            self._actor = _corner_actor()
            renderer.AddViewProp(self._actor)
        text = f"{words}\n{self._suffix}" if words else ""
        if text != self.text:
            self._actor.SetInput(text)
            self._actor.SetVisibility(bool(text))
            view.scheduleRender()


def _renderer(view: Any) -> Any:
    return view.renderWindow().GetRenderers().GetFirstRenderer()


def _corner_actor() -> Any:
    """Words for the upper left corner: an actor of our own, as others own the corner annotation."""
    actor = vtk.vtkTextActor()
    actor.GetPositionCoordinate().SetCoordinateSystemToNormalizedViewport()
    actor.SetPosition(0.02, 0.98)  # Slicer writes the name of the volume into the lower left
    actor.GetTextProperty().SetVerticalJustificationToTop()
    actor.GetTextProperty().SetFontSize(16)
    actor.GetTextProperty().SetColor(1.0, 0.85, 0.3)
    actor.GetTextProperty().ShadowOn()
    return actor
