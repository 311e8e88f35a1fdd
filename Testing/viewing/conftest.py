"""A real browser for the viewer's pages."""

import shutil
from pathlib import Path
from typing import Any

import pytest
from pages import Opened


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
