"""The browser that the machine has; none is ever downloaded."""

import shutil

import pytest

OPTIONS = ["--no-sandbox", "--disable-gpu"]


def chromium_path() -> str:
    """Where Chromium lies; the test is skipped where there is none."""
    path = shutil.which("chromium") or shutil.which("chromium-browser") or shutil.which("google-chrome")
    if path is None:
        pytest.skip("needs Chromium: apt-get install chromium")
    return path
