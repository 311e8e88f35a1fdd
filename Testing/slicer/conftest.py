"""The module in a stand-in for Slicer (see standin/): the session, small nodes, waiting, screenshots.

Without slicer-core, vtk and PySide6 every test of this folder is skipped, with the reason.
"""

import importlib.util
import os
import re
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import numpy as np
import processes
import pytest
from needs import NO_PYTORCH
from skipped import skipped
from slicer_path import out_of_its_sight

os.environ.setdefault("QT_QPA_PLATFORM", "offscreen")
os.environ.setdefault("QT_LOGGING_RULES", "qt.qpa.*=false")
os.environ.setdefault("VTK_DEFAULT_OPENGL_WINDOW", "vtkEGLRenderWindow")
os.environ.setdefault("MPLBACKEND", "Agg")  # with a QApplication at hand, matplotlib would choose Qt

HERE = Path(__file__).resolve().parent


def import_all() -> None:
    """Import what standin/ needs. Raises ImportError."""
    with out_of_its_sight():
        import PySide6.QtUiTools  # noqa: F401 - needs Qt's system libraries too
        import slicer.util  # noqa: F401


try:
    import_all()
    import slicer.util
    import standin
    from PySide6 import QtWidgets
except ImportError as error:
    MISSING = f"the tests of the Slicer module need slicer-core, vtk, PySide6 and its system libraries ({error})"
else:
    MISSING = ""
    standin.install()
    sys.path.append(str(HERE.parents[1] / "SuperResolution"))  # as Slicer does with the folder of a module


def pytest_pycollect_makemodule(module_path: Path, parent: Any) -> pytest.Module | None:
    """Skip the files of this folder, before they are imported, where something is missing."""
    return skipped(module_path, parent, MISSING)


@pytest.fixture(scope="session")
def application() -> Any:
    """The one QApplication."""
    return QtWidgets.QApplication.instance() or QtWidgets.QApplication(["Slicer"])


@pytest.fixture
def session(application: Any) -> "Iterator[standin.Session]":
    """A session with an empty scene. A test fails if a slot or an observer raised; session.errors.clear() allows it."""
    session = standin.Session()
    yield session
    session.close()
    assert not session.errors, f"raised in slots or observers: {session.errors}"


@pytest.fixture
def wait_until(application: Any) -> Callable[..., None]:
    """wait_until(condition, seconds=10): run the event loop until the condition holds."""

    def wait(condition: Callable[[], Any], seconds: float = 10.0) -> None:
        end = time.monotonic() + seconds
        while not condition():
            assert not ENGINE_WANTED, NO_ENGINE
            assert time.monotonic() < end, f"not so within {seconds} s"
            application.processEvents()
            time.sleep(0.005)

    return wait


@pytest.fixture
def grab(application: Any, tmp_path: Path, request: pytest.FixtureRequest) -> Callable[..., Path]:
    """grab(widget, name): a screenshot, in the folder SUPERRESOLUTION_PICTURES or the test's own; gives its path."""

    def save(widget: Any, name: str = "") -> Path:
        folder = Path(os.environ.get("SUPERRESOLUTION_PICTURES", tmp_path))
        folder.mkdir(parents=True, exist_ok=True)
        widget.show()
        application.processEvents()
        path = folder / f"{name or re.sub(r'[^A-Za-z0-9]+', '-', request.node.name)}.png"
        assert widget.grab().save(str(path))
        return path

    return save


@pytest.fixture
def picture(session: Any, tmp_path: Path) -> Callable[[np.ndarray, str], Path]:
    """picture(pixels, name): rendered views as a PNG, in the folder SUPERRESOLUTION_PICTURES or the test's own."""

    def save(pixels: np.ndarray, name: str) -> Path:
        folder = Path(os.environ.get("SUPERRESOLUTION_PICTURES", tmp_path))
        folder.mkdir(parents=True, exist_ok=True)
        return session.save_png(pixels, folder / f"{name}.png")

    return save


@pytest.fixture(autouse=True)
def only_its_own_processes() -> None:
    """A test counts the processes it has started itself."""
    processes.begin()


@pytest.fixture(autouse=True)
def the_same_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    """A process of the engine goes on in the next test, whose name pytest writes into the environment."""
    if MISSING:
        return
    from SuperResolutionSlicer import process

    def without_the_test() -> dict[str, str]:
        return {name: value for name, value in os.environ.items() if name != "PYTEST_CURRENT_TEST"}

    monkeypatch.setattr(process, "environment", without_the_test)


NO_ENGINE = f"the engine is started, and {NO_PYTORCH}"
ENGINE_WANTED: list[str] = []


@pytest.fixture(autouse=True)
def without_pytorch(monkeypatch: pytest.MonkeyPatch) -> None:
    """Where there is no PyTorch, a test that starts the engine is skipped at that point."""
    ENGINE_WANTED.clear()
    if MISSING or importlib.util.find_spec("torch") is not None:
        return
    from SuperResolutionSlicer.logic import SuperResolutionLogic

    def skip(*_: Any) -> None:
        ENGINE_WANTED.append(NO_ENGINE)
        pytest.skip(NO_ENGINE)

    monkeypatch.setattr(SuperResolutionLogic, "_run", skip)


@pytest.hookimpl(hookwrapper=True)
def pytest_runtest_makereport(item: pytest.Item, call: pytest.CallInfo[None]) -> Any:
    """Started from a slot, which lets no exception out, the engine's absence shows as a failure: skipped as well."""
    outcome = yield
    report = outcome.get_result()
    if ENGINE_WANTED and report.failed:
        report.outcome, report.longrepr = "skipped", (str(item.path), 0, NO_ENGINE)


FIGURES: dict[str, float] = {}


@pytest.fixture
def figures() -> dict[str, float]:
    """figures["what (unit)"] = value: printed after the tests, for whoever wants to know how quick the panel is."""
    return FIGURES


def pytest_terminal_summary(terminalreporter: Any) -> None:
    """The figures of the panel."""
    if FIGURES:
        terminalreporter.section("the panel on this machine")
        for name, value in FIGURES.items():
            terminalreporter.line(f"{value:8.3f}  {name}")


def phantom() -> np.ndarray:
    """A head of sorts: (10, 20, 24), k, j, i, int16."""
    k, j, i = np.mgrid[-1:1:10j, -1:1:20j, -1:1:24j]
    return (800 * np.exp(-3 * (i**2 + 1.3 * j**2 + 0.5 * k**2)) + 100 * (1 + np.sin(9 * i) * np.cos(7 * j))).astype(
        np.int16
    )


def oblique_matrix() -> np.ndarray:
    """Voxel index to RAS: 0.9 x 1.1 x 4 mm, turned about two axes, right-handed."""
    (a, b), (c, d) = (np.cos(0.3), np.sin(0.3)), (np.cos(0.2), np.sin(0.2))
    turn = np.array([[a, -b, 0], [b, a, 0], [0, 0, 1]]) @ np.array([[1, 0, 0], [0, c, -d], [0, d, c]])
    matrix = np.eye(4)
    matrix[:3, :3], matrix[:3, 3] = turn * (0.9, 1.1, 4.0), (-10, 20, 30)
    return matrix


@pytest.fixture
def scalar_node(session: Any) -> Any:
    """A volume along the axes of RAS: 24 x 20 x 10 voxels of 1 x 1 x 4 mm, int16, named "scalar"."""
    return slicer.util.addVolumeFromArray(phantom(), ijkToRAS=np.diag([1.0, 1.0, 4.0, 1.0]), name="scalar")


@pytest.fixture
def oblique_node(session: Any) -> Any:
    """The same voxels on an oblique grid, named "oblique"."""
    return slicer.util.addVolumeFromArray(phantom(), ijkToRAS=oblique_matrix(), name="oblique")


@pytest.fixture
def dwi_node(session: Any) -> Any:
    """A diffusion series of 8 volumes on the oblique grid: one at b = 0, seven at b = 1000; named "dwi"."""
    directions = np.random.default_rng(1).normal(size=(7, 3))
    directions /= np.linalg.norm(directions, axis=1, keepdims=True)
    node = slicer.mrmlScene.AddNewNodeByClass("vtkMRMLDiffusionWeightedVolumeNode", "dwi")
    node.SetIJKToRASMatrix(slicer.util.vtkMatrixFromArray(oblique_matrix()))
    node.SetAndObserveImageData(series(phantom(), 8))
    node.SetNumberOfGradients(8)
    for index, direction in enumerate([np.zeros(3), *directions]):
        node.SetDiffusionGradient(index, direction.tolist())
        node.SetBValue(index, 1000.0 * (index > 0))
    return node


def series(voxels: np.ndarray, count: int) -> Any:
    """vtkImageData with `count` components, each fainter than the one before."""
    from vtk import vtkImageData
    from vtk.util.numpy_support import numpy_to_vtk

    image = vtkImageData()
    image.SetDimensions(voxels.shape[::-1])
    fading = np.stack([voxels * 0.9**index for index in range(count)], -1).astype(voxels.dtype)
    image.GetPointData().SetScalars(numpy_to_vtk(fading.reshape(-1, count), deep=True))
    return image
