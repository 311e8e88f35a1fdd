"""Slicer's layouts: ours put up, the user's put back, and never one of ours in a saved scene."""

from typing import Any

import slicer
import vtk

COMPARISON = 6209  # an arrangement of our own; Slicer's end below 1000
LEFT, RIGHT = "SuperResolutionLeft", "SuperResolutionRight"
_VIEW = (
    '<item><view class="vtkMRMLSliceNode" singletontag="{tag}">'
    '<property name="orientation" action="default">Axial</property>'
    '<property name="viewlabel" action="default">{label}</property>'
    '<property name="viewcolor" action="default">{color}</property>'
    '<property name="viewgroup" action="default">6209</property></view></item>'  # else the other views move along
)
_DESCRIPTION = (
    '<layout type="horizontal">'
    + _VIEW.format(tag=LEFT, label="L", color="#8C8C8C")
    + _VIEW.format(tag=RIGHT, label="R", color="#2C9FA3")
    + "</layout>"
)


def layout_node() -> Any:
    """The layout, or None: Slicer without a main window has none."""
    manager = slicer.app.layoutManager()
    return manager.layoutLogic().GetLayoutNode() if manager is not None else None


def register() -> None:
    """Make our arrangement known: a scene may have been saved in it, by a version that let that happen."""
    layout = layout_node()
    if layout is not None and not layout.IsLayoutDescription(COMPARISON):
        layout.AddLayoutDescription(COMPARISON, _DESCRIPTION)


class Layouts:
    """What layout the user had before ours, and the way back to it."""

    def __init__(self) -> None:
        self._users: int | None = None
        self._put_up: int | None = None
        self._observed: tuple[Any, int] | None = None

    @property
    def current(self) -> int | None:
        """The arrangement on screen; None without a main window."""
        layout = layout_node()
        return None if layout is None else int(layout.GetViewArrangement())

    @property
    def away(self) -> bool:
        """Whether what is on screen was put up here, not chosen by the user."""
        return self.current is not None and self.current in (COMPARISON, self._put_up)

    def put_up(self, arrangement: int) -> None:
        """Show an arrangement, and remember the one that the user had; a maximised view is made small again."""
        register()
        self._watch()
        if not self.away:
            self._users = self.current
        self._put_up = arrangement
        slicer.app.layoutManager().setLayout(arrangement)
        layout_node().RemoveAllMaximizedViewNodes()  # setLayout() leaves them where the arrangement is the same

    def back(self) -> None:
        """Show what the user had. Of a scene that was loaded in our arrangement nobody knows: Slicer's usual one."""
        if not self.away:
            return
        usual = slicer.vtkMRMLLayoutNode.SlicerLayoutFourUpView
        slicer.app.layoutManager().setLayout(usual if self._users is None else self._users)
        self._users = self._put_up = None

    def close(self) -> None:
        """Stop watching the layout."""
        if self._observed is not None:
            layout, observer = self._observed
            layout.RemoveObserver(observer)
            layout.SetSaveWithScene(True)
            self._observed = None

    def _watch(self) -> None:
        layout = layout_node()
        if self._observed is None or self._observed[0] is not layout:
            self.close()
            self._observed = layout, layout.AddObserver(vtk.vtkCommand.ModifiedEvent, _keep_out_of_scenes)


def _keep_out_of_scenes(layout: Any, _event: str) -> None:
    """Where this extension is missing, a scene that was saved in our arrangement would open without any view."""
    saved = layout.GetViewArrangement() != COMPARISON
    if bool(layout.GetSaveWithScene()) != saved:
        layout.SetSaveWithScene(saved)
