"""One window and level for several volumes, kept: whichever of them the user changes, the others follow."""

from typing import Any

import slicer

from SuperResolutionSlicer import nodes


class SharedWindow:
    """Volumes that are looked at together. `share` adds to them as long as one is of those before."""

    def __init__(self) -> None:
        self._observed: list[tuple[Any, int]] = []
        self._following = False

    @property
    def volumes(self) -> list[Any]:
        """The volumes that share a window now."""
        return [node for node, _ in self._observed]

    def share(self, volumes: list[Any]) -> None:
        """Show volumes in one window: that of the first of them that shares one already, or else of the first."""
        known = [node for node in self.volumes if node.GetScene() is not None]
        master = next((node for node in volumes if node in known), volumes[0])
        together = known if master in known else []
        self.end()
        together = [*together, *(node for node in volumes if node not in together)]
        for node in together:
            nodes.ensure_display(node)
        for node in together:
            observer = node.AddObserver(slicer.vtkMRMLDisplayableNode.DisplayModifiedEvent, self._follow)
            self._observed.append((node, observer))
        self._follow(master)

    def end(self) -> None:
        """Let each volume have a window of its own."""
        for node, observer in self._observed:
            node.RemoveObserver(observer)
        self._observed = []

    def _follow(self, changed: Any, *_: Any) -> None:
        """Show the others like the one that was changed."""
        display = changed.GetDisplayNode()
        if self._following or display is None or changed.GetScene() is None:
            return
        self._following = True
        try:
            for other in self.volumes:
                if other is not changed and other.GetScene() is not None and other.GetDisplayNode() is not None:
                    _set_window(other.GetDisplayNode(), display)
        finally:
            self._following = False


def _set_window(display: Any, like: Any) -> None:
    window, level = like.GetWindow(), like.GetLevel()
    if (display.GetWindow(), display.GetLevel()) == (window, level):
        return
    modifying = display.StartModify()
    display.AutoWindowLevelOff()  # else it would be put back
    display.SetWindowLevel(window, level)
    display.EndModify(modifying)
