"""The Python packages that enhancing needs and Slicer lacks: found, asked for, installed; nothing without a yes.

torch comes through the PyTorch extension, which chooses the build for this computer's GPU. What Slicer bundles
(numpy, scipy, SimpleITK, pydicom ...) is held at its version by constraints that pip is given.
"""

import contextlib
import importlib.metadata
import importlib.util
import os
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import slicer
from slicer.i18n import tr as _

from SuperResolutionLib.errors import InputError
from SuperResolutionSlicer import process

# The licence files of torch 2.13 have paths too long for Windows: the installation ends half way.
TORCH = ">=2.6,<2.13" if os.name == "nt" else ">=2.6"
PACKAGES = {  # module: (requirement, what it is for and its size)
    "torch": (f"torch{TORCH}", _("PyTorch, runs the network: 200 MB to download, with an NVIDIA GPU up to 3 GB")),
    "safetensors": ("safetensors>=0.4", _("safetensors, reads the network's weights: 1 MB")),
    "skimage": ("scikit-image>=0.24", _("scikit-image, measures similarity (SSIM): 20 MB")),
    "matplotlib": ("matplotlib>=3.8", _("Matplotlib, draws the figures of a report: 15 MB")),
}
ENHANCE = ("torch", "safetensors")
QUALITY = ("torch", "safetensors", "skimage")
REPORT = (*QUALITY, "matplotlib")
# Held at Slicer's versions. Not pip and setuptools: the PyTorch extension's installer wants older ones of its own.
BUNDLED = ("numpy", "scipy", "SimpleITK", "pydicom", "pillow", "requests", "packaging")


def missing(modules: tuple[str, ...]) -> list[str]:
    """Those of the modules that are not installed, or too old; none is imported."""
    importlib.invalidate_caches()
    return [name for name in modules if not (_installed(name) and _new_enough(name))]


def _installed(name: str) -> bool:
    """A folder that a broken installation left behind is found as well, but has no file of its own."""
    spec = importlib.util.find_spec(name)
    return spec is not None and spec.origin is not None


def _new_enough(name: str) -> bool:
    """Whether the version is one that we ask for; that of a package which does not say its version is believed."""
    if name not in PACKAGES:
        return True
    from packaging.requirements import Requirement

    wanted = Requirement(PACKAGES[name][0])
    try:
        version = importlib.metadata.version(wanted.name)
    except importlib.metadata.PackageNotFoundError:
        return True
    return bool(wanted.specifier.contains(version, prereleases=True))


def ensure(modules: tuple[str, ...]) -> None:
    """Install what is missing, after asking. Raises InputError, what to do, where it is declined or fails."""
    lacking = missing(modules)
    if not lacking:
        return
    if "torch" in lacking and importlib.util.find_spec("PyTorchUtils") is None:
        raise InputError(
            _("Super Resolution needs the PyTorch extension: install it in the Extensions Manager and restart Slicer.")
        )
    if not _agreed(lacking):
        raise InputError(
            _("The packages were not installed, so nothing was done; click again when you want to install them.")
        )
    process.end_resting()  # it would hold files that pip replaces, and know nothing of the new ones
    before = bundled_versions()
    with _constrained(before) as constraints:
        for name in lacking:
            _install(name, constraints)
    if still := missing(modules):
        raise _failed(still, _("pip ended, but a version that fits cannot be found"))
    if changed := [name for name, version in bundled_versions().items() if before.get(name) != version]:
        raise InputError(
            _(
                "The installation changed packages that Slicer itself needs ({packages}); please install Slicer "
                "again and report this."
            ).format(packages=", ".join(changed))
        )


def _agreed(lacking: list[str]) -> bool:
    """The user's word; Slicer's own tests, which show no windows, install what they need."""
    return slicer.app.testingEnabled() or slicer.util.confirmOkCancelDisplay(
        _question(lacking), _("Super Resolution: install Python packages")
    )


def _question(lacking: list[str]) -> str:
    lines = "\n".join(f"  - {PACKAGES[name][1]}" for name in lacking)
    return _(
        "To work, Super Resolution needs Python packages that Slicer does not have yet:\n"
        "{lines}\n\n"
        "They are downloaded from the internet (pypi.org, download.pytorch.org) into Slicer's own Python; "
        "packages that Slicer brings along keep their versions. This can take some minutes. Install them now?"
    ).format(lines=lines)


def _install(name: str, constraints: Path) -> None:
    requirement = PACKAGES[name][0]
    try:
        with slicer.util.displayPythonShell(slicer.util.mainWindow() is not None):  # shows what pip is doing
            if name == "torch":
                _install_torch()
            else:
                _pip_install(requirement, constraints)
    except InputError:
        raise
    except Exception as error:  # pip's exit status, a lost connection, a proxy that refuses ...
        if not missing((name,)):
            return  # it is there: only Slicer's own process could not import it, which nobody needs
        raise _failed([name], str(error).splitlines()[0] if str(error) else type(error).__name__) from error


def _install_torch() -> None:
    import PyTorchUtils

    logic: Any = PyTorchUtils.PyTorchUtilsLogic()
    if logic.installTorch(askConfirmation=False, torchVersionRequirement=TORCH) is None:
        raise _failed(["torch"], _("the PyTorch extension gave up"))


def _pip_install(requirement: str, constraints: Path) -> None:
    """slicer.packaging is there from Slicer 5.11 on; before, pip finds the constraints in its environment."""
    try:
        from slicer import packaging
    except ImportError:
        slicer.util.pip_install(requirement)
        return
    packaging.pip_install(requirement, constraints=str(constraints), requester="Super Resolution")


def _failed(names: list[str], reason: str) -> InputError:
    return InputError(
        _(
            "{names} could not be installed ({reason}). Check the internet connection; behind a proxy, set"
            " HTTPS_PROXY before starting Slicer, or ask your administrator to run in Slicer's Python "
            "console: pip_install({packages})."
        ).format(names=", ".join(names), reason=reason, packages=", ".join(repr(PACKAGES[name][0]) for name in names))
    )


def bundled_versions() -> dict[str, str]:
    """The versions of the packages that come with Slicer."""
    found = {}
    for name in BUNDLED:
        with contextlib.suppress(importlib.metadata.PackageNotFoundError):
            found[name] = importlib.metadata.version(name)
    return found


@contextlib.contextmanager
def _constrained(versions: dict[str, str]) -> Iterator[Path]:
    """A constraints file, which every pip that is started meanwhile obeys, whoever starts it."""
    before = os.environ.get("PIP_CONSTRAINT")
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "constraints.txt"
        path.write_text("".join(f"{name}=={version}\n" for name, version in versions.items()), encoding="utf-8")
        os.environ["PIP_CONSTRAINT"] = path.as_uri()  # a bare path would be split at its spaces
        try:
            yield path
        finally:
            if before is None:
                del os.environ["PIP_CONSTRAINT"]
            else:
                os.environ["PIP_CONSTRAINT"] = before
