"""A real browser for the viewer's pages."""

import shutil
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from pages import Opened
from phantoms import orientation

from SuperResolutionLib.viewing.looking import viewed
from SuperResolutionLib.volume import Volume


@pytest.fixture(scope="session")
def chromium():
    """A real browser; the tests are skipped where there is none."""
    api = pytest.importorskip("playwright.sync_api", reason="needs Playwright: pip install playwright")
    path = shutil.which("chromium") or shutil.which("chromium-browser") or shutil.which("google-chrome")
    if path is None:
        pytest.skip("needs Chromium: apt-get install chromium")
    with api.sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=path, args=["--no-sandbox", "--disable-gpu"])
        yield browser
        browser.close()


@pytest.fixture
def opened(chromium):
    """Open a page; it is closed with the test."""
    pages = []

    def open_page(path: Path, **context: Any) -> Opened:
        pages.append(Opened(chromium, path, **context))
        return pages[-1]

    yield open_page
    for one in pages:
        one.page.close()


def textured(seed: int) -> Volume:
    """1 mm voxels with other values everywhere, whose file runs to the right, the front and the head."""
    voxels = np.random.default_rng(seed).integers(-300, 3000, (14, 18, 22)).astype(np.int16)
    return Volume(voxels, (1.0, 1.0, 1.0), (10, 20, -5), orientation("R", "A", "S"))


@pytest.fixture(scope="session")
def pair(tmp_path_factory):
    """Two volumes, and a page of them."""
    volumes = textured(0), textured(1)
    path = tmp_path_factory.mktemp("pages") / "pair.html"
    viewed(volumes, ["one", "two"], whole=True).save(path)
    return path, volumes


@pytest.fixture(scope="session")
def kept(chromium, pair):
    """The page of `pair`, opened once for all tests."""
    return Opened(chromium, pair[0]).ready()


@pytest.fixture
def page(kept):
    """The page of `pair`, as when it was opened."""
    kept.renew()
    return kept
