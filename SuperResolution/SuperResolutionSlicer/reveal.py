"""A window around the mouse, in which a slice view shows what lies above its volume: one sees both, in one place."""

from collections.abc import Callable
from typing import Any

import vtk

HALF = 60  # pixels from the mouse to the edges of the window
FIRST = 1.0  # before Slicer itself (0.0), which lets nobody else know of a move that one of its tools has used


class Reveal:
    """Follows the mouse in one slice view until `end`.

    widget: the slice widget; its foreground volume is what is revealed. true: whether that is still the one meant.
    """

    def __init__(self, widget: Any, true: Callable[[], bool]) -> None:
        self._view = widget.sliceView()
        self._true = true
        self._window = vtk.vtkExtractVOI()
        self._layer = widget.sliceLogic().GetForegroundLayer()
        self._mapper = vtk.vtkImageMapper()
        self._mapper.SetInputConnection(self._window.GetOutputPort())
        self._mapper.SetColorWindow(255)
        self._mapper.SetColorLevel(127.5)
        self._actor = vtk.vtkActor2D()
        self._actor.SetMapper(self._mapper)
        self._actor.GetProperty().SetDisplayLocationToBackground()  # above the slice, below words and markups
        self._actor.SetVisibility(False)
        self._renderer.AddViewProp(self._actor)
        self._interactor = self._view.interactor()
        self._observers = [
            self._interactor.AddObserver(event, self._moved, FIRST) for event in ("MouseMoveEvent", "EnterEvent")
        ]
        self._observers.append(self._interactor.AddObserver("LeaveEvent", self._left, FIRST))

    @property
    def pixels(self) -> Any:
        """The image in the window, as it is drawn; None while nothing is revealed."""
        return self._window.GetOutput() if self._actor.GetVisibility() else None

    def end(self) -> None:
        """Take the window away, and stop following the mouse."""
        for observer in self._observers:
            self._interactor.RemoveObserver(observer)
        self._observers = []
        self._renderer.RemoveViewProp(self._actor)
        self._view.scheduleRender()

    @property
    def _renderer(self) -> Any:
        return self._view.renderWindow().GetRenderers().GetFirstRenderer()

    def _moved(self, *_: Any) -> None:
        """Cut the window out of the foreground's own picture, and lay it where the mouse is."""
        image = self._layer.GetImageDataConnection()
        if image is None or not self._true():
            self._left()
            return
        image.GetProducer().Update()
        size = image.GetProducer().GetOutputDataObject(image.GetIndex()).GetDimensions()
        x, y = self._interactor.GetEventPosition()
        low = [max(0, at - HALF) for at in (x, y)]
        high = [min(many - 1, at + HALF) for many, at in zip(size[:2], (x, y), strict=True)]
        if low[0] > high[0] or low[1] > high[1]:
            self._left()
            return
        self._window.SetInputConnection(image)
        self._window.SetVOI(low[0], high[0], low[1], high[1], 0, 0)
        self._window.Update()
        self._actor.SetPosition(0, 0)  # a part of an image keeps its place: its extent says where
        self._actor.SetVisibility(True)
        self._view.scheduleRender()

    def _left(self, *_: Any) -> None:
        self._actor.SetVisibility(False)
        self._view.scheduleRender()
