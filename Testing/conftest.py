"""What the tests of several rooms share. (A conftest here also puts the modules beside it within their reach.)"""

from pathlib import Path
from typing import Any

import pytest
from browsers import OPTIONS, chromium_path
from pages import Opened

from SuperResolutionLib.errors import InputError
from SuperResolutionLib.methods import zoo


@pytest.fixture
def shelf(tmp_path, monkeypatch) -> Path:
    """The only folder in which models are installed; empty."""
    folder = tmp_path / "shelf"
    folder.mkdir()
    monkeypatch.setattr(zoo, "folders", lambda: [folder])
    return folder


@pytest.fixture
def refuses():
    """A context in which an InputError must be raised: one sentence, with all of the given words in it."""

    class Refusal:
        def __init__(self, *words: str) -> None:
            self.words = words

        def __enter__(self) -> None:
            pass

        def __exit__(self, kind, error, _trace) -> bool:
            assert kind is not None, "nothing was refused"
            if not issubclass(kind, InputError):
                return False
            assert "\n" not in str(error), f"more than one line: {error}"
            assert len(str(error)) < 600
            missing = [word for word in self.words if word not in str(error)]
            assert not missing, f"{missing} not in: {error}"
            return True

    return Refusal


@pytest.fixture(scope="module")
def chromium():
    """A real browser; the tests are skipped where there is none."""
    api = pytest.importorskip("playwright.sync_api", reason="needs Playwright: pip install playwright")
    path = chromium_path()
    with api.sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=path, args=OPTIONS)
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
