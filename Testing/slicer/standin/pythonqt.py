"""PySide6's objects, made to behave as PythonQt's do, for it is PythonQt that Slicer has.

Followed: MeVisLab/pythonqt, src/PythonQtInstanceWrapper.cpp (getattro, setattro), PythonQtClassInfo.cpp (name,
singleShot), PythonQtStdDecorators.cpp (connect, disconnect, findChild, findChildren):

* a Qt property is an attribute: `label.text` is a str, so `label.text()` raises; `label.text = "x"` sets it;
* a misspelt attribute cannot be set on a C++ object, and a method cannot be overwritten;
* `button.connect("clicked(bool)", function)` beside `button.clicked.connect(function)`;
* `.name` is `.objectName`, `.className()` is there, a child or a dynamic property is an attribute by its name;
* QTimer.singleShot stays a method: `timer.setSingleShot(True)`, and no `timer.singleShot = True`.

One rule is stricter here: connecting a signal that does not exist raises, where PythonQt prints and returns False.
"""

import ctypes
import inspect
import re
import sys
from collections.abc import Iterator
from types import MethodType
from typing import Any

import shiboken6
from PySide6 import QtCore, QtGui, QtNetwork, QtWidgets

QObject = QtCore.QObject
MODULES = (QtCore, QtGui, QtNetwork, QtWidgets)
_plain_get = QObject.__getattribute__
_plain_set = shiboken6.Shiboken.Object.__setattr__
_qt_connect, _qt_disconnect = QObject.connect, QObject.disconnect
_reading: set[tuple[int, str]] = set()
_kept: list[Any] = []


def install() -> None:
    """Change PySide6's classes; once a process, further calls do nothing."""
    if isinstance(vars(QObject).get("name"), QtProperty):
        return
    _keep_singletons()
    for kind in _classes():
        _show_properties(kind)
        if "__setattr__" in vars(kind):
            kind.__setattr__ = _set
    QObject.name = QtProperty("objectName", None)
    QObject.className = lambda self: self.metaObject().className()
    QObject.__getattribute__ = _get
    QObject.__getattr__ = _get_named


def cpp(kind: type) -> type:
    """Class decorator: this Python class stands in for a C++ class, so new attributes are refused on it too."""
    kind._cpp = True
    return kind


def keep(held: Any) -> None:
    """Keep something alive until the end of the session, as C++ would."""
    _kept.append(held)


def forget() -> None:
    """The end of a session: let go of all that was kept."""
    _kept.clear()


def _keep_singletons() -> None:
    """Up to Python 3.11 PySide6 6.12 gives back None, True and False more often than it took them, until Python aborts.

    It reckons with Python 3.12's immortal objects; so make them immortal, or nearly.
    """
    if sys.version_info < (3, 12):
        for singleton in (None, True, False):
            ctypes.c_ssize_t.from_address(id(singleton)).value += 1 << 40


def _classes() -> Iterator[type]:
    """Every QObject class of PySide6, parents first."""
    found = {getattr(module, name) for module in MODULES for name in dir(module) if name.startswith("Q")}
    kinds = [kind for kind in found if isinstance(kind, type) and issubclass(kind, QObject)]
    yield from sorted(kinds, key=lambda kind: len(kind.__mro__))


# --- attributes


class QtProperty:
    """A Qt property of a class as an attribute; asked of the class itself, what PySide6 has under that name."""

    def __init__(self, name: str, getter: Any) -> None:
        self.name, self.getter = name, getter

    def __get__(self, instance: Any, owner: type | None = None) -> Any:
        if instance is None:
            return self if self.getter is None else self.getter
        key = (id(instance), self.name)
        if key in _reading:  # C++ asks, while it reads the property, whether Python has overridden the getter
            return None if self.getter is None else self.getter.__get__(instance, owner)
        _reading.add(key)
        try:
            return self._read(instance)
        finally:
            _reading.discard(key)

    def _read(self, instance: Any) -> Any:
        if self.getter is not None:
            try:
                return self.getter(instance)
            except TypeError:  # a static method of the same name
                pass
        return QObject.property(instance, self.name)

    def __set__(self, instance: Any, value: Any) -> None:
        if not QObject.setProperty(instance, self.name, value):
            raise AttributeError(
                f"{type(instance).__name__}.{self.name} is read-only, or cannot be {value!r} ({type(value).__name__})"
            )


def _show_properties(kind: type) -> None:
    """Let a class's own Qt properties, and those whose getter it redefines, be attributes."""
    meta = kind.staticMetaObject
    for index in range(meta.propertyCount()):
        name = meta.property(index).name()
        own = index >= meta.propertyOffset()
        if (kind, name) == (QtCore.QTimer, "singleShot") or not (own or name in vars(kind)):
            continue
        getter = getattr(kind, name, None)
        setattr(kind, name, QtProperty(name, None if isinstance(getter, QtProperty) else getter))


def _get(self: Any, name: str) -> Any:
    """Python passes by a `connect` that is set on the class (it is static and bound at once), hence this hook."""
    method = _METHODS.get(name)
    return _plain_get(self, name) if method is None else MethodType(method, self)


def _get_named(self: Any, name: str) -> Any:
    """What is no attribute: a dynamic property or a child of that name."""
    if not name.startswith("_"):
        if _is_dynamic(self, name):
            return QObject.property(self, name)
        for child in QObject.children(self):
            if QObject.property(child, "objectName") == name:
                return child
    raise AttributeError(f"{type(self).__name__} has no attribute, property or child '{name}'")


def _set(self: Any, name: str, value: Any) -> None:
    """Let nothing be set on a C++ object but its properties; a Python object takes what it is given."""
    kind = type(self)
    known = inspect.getattr_static(kind, name, None)
    if isinstance(known, QtCore.Property):  # of a stand-in, written in Python
        return known.fset(self, value)
    bound = isinstance(value, QtCore.SignalInstance)  # PySide6 itself stores these
    if not (bound or name.startswith("_")) and (kind.__module__.startswith("PySide6.") or "_cpp" in vars(kind)):
        if known is None and _is_dynamic(self, name):
            return _set_dynamic(self, name, value)
        if known is None and isinstance(value, QObject) and QObject.property(value, "objectName") == name:
            return None  # PySide6's loader does this with every widget of a form, and swallows all errors but the last
        if known is None:
            raise AttributeError(f"{kind.__name__} has no property '{name}', and a C++ object gets no new attributes")
        if not hasattr(known, "__set__"):
            raise AttributeError(f"{kind.__name__}.{name} is a method or signal; only properties can be set")
    return _plain_set(self, name, value)


def _set_dynamic(self: Any, name: str, value: Any) -> None:
    QObject.setProperty(self, name, value)


def _is_dynamic(self: Any, name: str) -> bool:
    return name.encode() in [bytes(known.data()) for known in QObject.dynamicPropertyNames(self)]


# --- methods


def _connect(self: Any, signal: Any, receiver: Any, slot: Any = None) -> Any:
    """connect("clicked(bool)", function) or connect("clicked(bool)", receiver, "slot()")."""
    if not isinstance(signal, str):  # PySide6 calls itself: connect(sender, signal, function)
        return _qt_connect(signal, receiver, slot)
    function = receiver if slot is None else getattr(receiver, slot.partition("(")[0])
    keep(function)  # PySide6 would forget a method with its object, PythonQt holds on to it
    return bool(_qt_connect(self, "2" + _signature(self, signal), function))


def _disconnect(self: Any, signal: Any, receiver: Any = None, *more: Any) -> Any:
    """disconnect("clicked(bool)", function), or disconnect("clicked(bool)") from everything."""
    if not isinstance(signal, str):
        return _qt_disconnect(signal, receiver, *more)
    signature = _signature(self, signal)
    if receiver is None:
        return bool(getattr(self, signature.partition("(")[0]).disconnect())
    return bool(_qt_disconnect(self, "2" + signature, receiver))


def _signature(sender: QObject, signal: str) -> str:
    """The signal as Qt spells it here; pointers to VTK's objects travel as Python objects."""
    normal = bytes(QtCore.QMetaObject.normalizedSignature(signal).data()).decode()
    normal = re.sub(r"vtk\w+\*", "PyObject", normal)
    if QObject.metaObject(sender).indexOfSignal(normal) < 0:
        raise AttributeError(f"{type(sender).__name__} has no signal {signal}")
    return normal


def _find_children(self: Any, kind: Any, name: str | None = None) -> list[Any]:
    """All descendants of a class, given itself or by its name, and of an object name."""
    found = []
    for child in QObject.children(self):
        fits = QObject.inherits(child, kind) if isinstance(kind, str) else isinstance(child, kind)
        if fits and name in (None, QObject.property(child, "objectName")):
            found.append(child)
        found += _find_children(child, kind, name)
    return found


def _find_child(self: Any, kind: Any, name: str | None = None) -> Any:
    return next(iter(_find_children(self, kind, name)), None)


_METHODS = {
    "connect": _connect,
    "disconnect": _disconnect,
    "findChild": _find_child,
    "findChildren": _find_children,
}
