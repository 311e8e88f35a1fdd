"""Observers of VTK objects that keep nobody alive and can all be taken away at once."""

import weakref
from collections.abc import Callable
from typing import Any

import shiboken6
import vtk
from PySide6 import QtCore


class Observers:
    """What one object observes: add(object, event, method), remove(object), clear()."""

    def __init__(self) -> None:
        self._tags: list[tuple[Any, int]] = []

    def add(self, observed: Any, event: Any, method: Callable[[Any], None]) -> None:
        """Call a bound method with what the event carries (a node, or None), as long as its object lives."""
        weak = weakref.WeakMethod(method)

        def call(_caller: Any, _event: str, data: Any = None) -> None:
            if (alive := weak()) is not None and _usable(alive.__self__):
                alive(data)

        call.CallDataType = vtk.VTK_OBJECT
        self._tags.append((observed, observed.AddObserver(event, call)))

    def watches(self, observed: Any) -> bool:
        """Whether something of this object is observed."""
        return any(known is observed for known, _ in self._tags)

    def remove(self, observed: Any) -> None:
        """Stop observing one object."""
        for known, tag in self._tags:
            if known is observed:
                known.RemoveObserver(tag)
        self._tags = [pair for pair in self._tags if pair[0] is not observed]

    def clear(self) -> None:
        """Stop observing."""
        for observed, tag in self._tags:
            observed.RemoveObserver(tag)
        self._tags = []


def _usable(owner: Any) -> bool:
    """Whether a Qt object's C++ side is still there."""
    return not isinstance(owner, QtCore.QObject) or shiboken6.isValid(owner)
