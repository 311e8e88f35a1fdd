"""A stand-in for 3D Slicer, in which a scripted module runs off screen: its panel, its logic and its .ui file.

The scene, the nodes, the logics, the layout and the slice pipeline are Slicer's own, from slicer-core. Stood in for is
what PyPI does not have: the application, PythonQt, Slicer's widgets, the base classes of modules, pip.
Testing/README.md says what is followed, file by file, and what cannot be proven here.

    import standin

    standin.install()                     # before the module under test is imported; can be repeated
    import SuperResolution                # finds slicer, qt, ctk, slicer.i18n, slicer.ScriptedLoadableModule ...

    session = standin.Session()           # slicer.mrmlScene, slicer.app, slicer.modules are there from now on
    session.modules.add("SuperResolution/SuperResolution.py")
    slicer.util.selectModule("SuperResolution")          # setup() and enter()
    panel = slicer.util.getModuleWidget("SuperResolution")
    session.close()

In a test, the fixture `session` does the first and the last; see conftest.py.
"""

import sys
from typing import Any

from . import pythonqt

__all__ = ["Session", "install"]


def install() -> None:
    """Let qt, ctk, slicer.ScriptedLoadableModule, .i18n, .packaging, PyTorchUtils and SampleData be imported."""
    pythonqt.install()
    import slicer

    from . import module_base, packages, qt_module, sample_data

    for source in (qt_module, module_base, packages, sample_data):
        for name, module in source.modules().items():
            module = module if sys.modules.get(name) is None else sys.modules[name]
            sys.modules[name] = module
            if name.startswith("slicer."):
                setattr(slicer, name.removeprefix("slicer."), module)


def __getattr__(name: str) -> Any:
    """standin.Session, imported when it is asked for."""
    if name == "Session":
        from .session import Session

        return Session
    raise AttributeError(name)
