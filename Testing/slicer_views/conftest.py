"""Our two views as Slicer's own slice views draw them, looked at in a browser: `make test-views`.

Without trame-slicer, or without a browser, every test of this folder is skipped, with the reason.
"""

import asyncio
import ctypes
import os
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from browsers import OPTIONS, chromium_path
from skipped import skipped
from slicer_path import out_of_its_sight

os.environ.setdefault("VTK_DEFAULT_OPENGL_WINDOW", "vtkEGLRenderWindow")
os.environ.setdefault("TRAME_ARGS", "")  # else trame takes the arguments of pytest for its own

try:
    ctypes.CDLL("libEGL.so.1")  # without it a view ends Python, with no exception
    with out_of_its_sight():
        import slicer.util  # noqa: F401
        import trame_slicer.core  # noqa: F401
        from playwright.async_api import async_playwright
except (ImportError, OSError) as error:
    MISSING = f"the tests in real slice views need trame-slicer, Playwright and libEGL: make test-views ({error})"
else:
    MISSING = ""
    import stage as stages

    stages.install()
    sys.path.append(str(Path(__file__).resolve().parents[2] / "SuperResolution"))


def pytest_pycollect_makemodule(module_path: Path, parent: Any) -> pytest.Module | None:
    """Skip the files of this folder, before they are imported, where something is missing."""
    return skipped(module_path, parent, MISSING)


@pytest.fixture(scope="session")
def loop() -> Iterator[asyncio.AbstractEventLoop]:
    """The event loop of the server and of the browser's driver."""
    found = asyncio.new_event_loop()
    asyncio.set_event_loop(found)
    yield found
    found.close()


@pytest.fixture(scope="session")
def browser(loop: asyncio.AbstractEventLoop) -> Iterator[Any]:
    """Chromium, driven from the event loop."""
    path = chromium_path()
    driver = loop.run_until_complete(async_playwright().start())
    found = loop.run_until_complete(driver.chromium.launch(executable_path=path, args=OPTIONS))
    yield found
    loop.run_until_complete(found.close())
    loop.run_until_complete(driver.stop())


@pytest.fixture
def stage(loop: asyncio.AbstractEventLoop, browser: Any) -> "Iterator[stages.Stage]":
    """An empty scene in two of Slicer's usual views, side by side, in the browser."""
    found = stages.Stage(loop, browser)
    yield found
    found.close()


@pytest.fixture
def picture(stage: "stages.Stage", tmp_path: Path) -> Callable[[str], None]:
    """picture(name): a screenshot in the folder SUPERRESOLUTION_PICTURES, or in the test's own."""
    folder = Path(os.environ.get("SUPERRESOLUTION_PICTURES", tmp_path))
    return lambda name: stage.picture(folder / f"{name}.png")
