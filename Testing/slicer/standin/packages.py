"""slicer.packaging and the PyTorch extension's PyTorchUtils: installations that are noted, never run.

Followed: Slicer, Base/Python/slicer/packaging.py; fepegar/SlicerPyTorch, PyTorchUtils/PyTorchUtils.py. slicer.util's
own pip_install is real and comes here.
"""

import importlib.metadata
import subprocess
import sys
from pathlib import Path
from types import ModuleType
from typing import Any, NamedTuple

import slicer
from packaging.requirements import Requirement

from .qt_module import named_module


class Call(NamedTuple):
    """What was asked for: pip_install, pip_uninstall or installTorch; the requirements; the other arguments."""

    function: str
    requirements: list[str]
    options: dict[str, Any]


class Packages:
    """calls: what was asked for. absent: names taken as not installed, until they are. fails: let the next fail.

    gives_up: installTorch() returns None, as when the user declines in the extension's own window.
    """

    def __init__(self) -> None:
        self.reset()

    def reset(self) -> None:
        """As at the start of a session."""
        self.calls: list[Call] = []
        self.absent: set[str] = set()
        self.fails = False
        self.gives_up = False

    def has(self, requirement: Requirement) -> bool:
        """Whether a package is installed at a version that fits."""
        if requirement.marker is not None and not requirement.marker.evaluate():
            return True
        if requirement.name.lower() in {name.lower() for name in self.absent}:
            return False
        try:
            return importlib.metadata.version(requirement.name) in requirement.specifier
        except importlib.metadata.PackageNotFoundError:
            return False

    def install(self, function: str, requirements: list[str], options: dict[str, Any]) -> None:
        """Note a call; what was absent is there now."""
        self.calls.append(Call(function, requirements, options))
        if self.fails:
            raise subprocess.CalledProcessError(1, "pip install")
        names = {Requirement(text).name.lower() for text in requirements if not text.startswith("-")}
        self.absent = {name for name in self.absent if name.lower() not in names}

    def remove_pytorch_extension(self) -> None:
        """From now on `import PyTorchUtils` fails, until the next session."""
        sys.modules["PyTorchUtils"] = None


packages = Packages()


def modules() -> dict[str, ModuleType]:
    """The two modules, by name."""
    functions = (pip_check, pip_ensure, pip_install, pip_uninstall, load_requirements, isPipInstallInProgress)
    contents = {function.__name__: function for function in functions}
    return {
        "slicer.packaging": named_module("slicer.packaging", **contents),
        "PyTorchUtils": named_module("PyTorchUtils", PyTorchUtilsLogic=PyTorchUtilsLogic),
    }


def _requirements(given: Any) -> list[Requirement]:
    given = given.split() if isinstance(given, str) else [given] if isinstance(given, Requirement) else given
    return [item if isinstance(item, Requirement) else Requirement(item) for item in given]


def load_requirements(path: str | Path) -> list[Requirement]:
    """The requirements of a file, without comments and pip's options."""
    lines = (line.strip() for line in Path(path).read_text(encoding="utf-8").splitlines())
    return [Requirement(line) for line in lines if line and line[0] not in "#-"]


def pip_check(req: Any, _seen: Any = None) -> bool:
    return all(packages.has(requirement) for requirement in _requirements(req))


def pip_ensure(
    requirements: Any,
    constraints: str | Path | None = None,
    skip_packages: list[str] | None = None,
    prompt_install: bool = True,
    prompt_restart: bool = True,
    requester: str | None = None,
    skip_in_testing: bool = True,
    show_progress: bool = True,
) -> list[str] | None:
    """Install what is missing, after asking; nothing under --testing. Raises RuntimeError where it is declined."""
    missing = [str(requirement) for requirement in _requirements(requirements) if not pip_check(requirement)]
    if not missing or (skip_in_testing and slicer.app.testingEnabled()):
        return None
    question = f"Install {len(missing)} Python packages?"
    if prompt_install and not slicer.util.confirmOkCancelDisplay(question, requester, detailedText="\n".join(missing)):
        raise RuntimeError("the user declined the installation")
    return pip_install(
        missing, constraints, skip_packages=skip_packages, show_progress=show_progress, requester=requester
    )


def pip_install(
    requirements: str | list[str],
    constraints: str | Path | None = None,
    no_deps_requirements: str | list[str] | None = None,
    skip_packages: list[str] | None = None,
    blocking: bool = True,
    show_progress: bool = True,
    requester: str | None = None,
    logCallback: Any = None,
    completedCallback: Any = None,
) -> list[str] | None:
    """Note it. Raises CalledProcessError where it fails; ValueError for arguments that do not go together."""
    if skip_packages is not None and (no_deps_requirements is not None or not blocking):
        raise ValueError("skip_packages goes neither with no_deps_requirements nor with blocking=False")
    options = {key: value for key, value in locals().items() if key != "requirements"}
    packages.install("pip_install", requirements.split() if isinstance(requirements, str) else requirements, options)
    if completedCallback is not None and not blocking:
        completedCallback(0)
    return [] if skip_packages is not None else None


def pip_uninstall(
    requirements: Any, blocking: bool = True, logCallback: Any = None, completedCallback: Any = None
) -> None:
    names = requirements.split() if isinstance(requirements, str) else requirements
    packages.calls.append(Call("pip_uninstall", names, {}))
    packages.absent |= set(names)


def isPipInstallInProgress() -> bool:
    return False


class PyTorchUtilsLogic:
    """The PyTorch extension's logic; the torch it gives is the one that is installed here."""

    @staticmethod
    def torchInstalled() -> bool:
        return pip_check("torch")

    @property
    def torch(self) -> Any:
        if not self.torchInstalled():
            return self.installTorch()
        import torch

        return torch

    def installTorch(
        self,
        askConfirmation: bool = False,
        forceComputationBackend: str | None = None,
        torchVersionRequirement: str | None = None,
        torchvisionVersionRequirement: str | None = None,
    ) -> Any:
        """torch, once it is installed; None where the user declined."""
        options = {key: value for key, value in locals().items() if key != "self"}
        declined = (
            askConfirmation
            and not slicer.app.testingEnabled()
            and not slicer.util.confirmOkCancelDisplay("Install PyTorch?")
        )
        if declined or packages.gives_up:
            packages.calls.append(Call("installTorch", [], options))
            return None
        packages.install("installTorch", ["torch" + (torchVersionRequirement or "")], options)
        import torch

        return torch
