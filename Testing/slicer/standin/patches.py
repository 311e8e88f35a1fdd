"""Names that are set for a while and put back."""

from typing import Any

_NOTHING = object()


class Patches:
    """set(owner, name, value) sets an attribute; undo() puts back what was there, newest first."""

    def __init__(self) -> None:
        self._before: list[tuple[Any, str, Any]] = []

    def set(self, owner: Any, name: str, value: Any) -> None:
        """Set an attribute of a module or a class."""
        self._before.append((owner, name, vars(owner).get(name, _NOTHING)))
        setattr(owner, name, value)

    def undo(self) -> None:
        """Put everything back."""
        while self._before:
            owner, name, value = self._before.pop()
            if value is not _NOTHING:
                setattr(owner, name, value)
            elif name in vars(owner):
                delattr(owner, name)
