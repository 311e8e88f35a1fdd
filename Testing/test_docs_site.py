"""The documentation: the site is built without a warning, and what its pages show of Python runs."""

import re
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from phantoms import blobs, middle

import SuperResolutionLib as sr
from SuperResolutionLib import cli

ROOT = Path(__file__).parents[1]


@pytest.fixture(scope="module")
def site(tmp_path_factory) -> Path:
    """The site as `make docs` builds it."""
    for needed in ("sphinx", "myst_parser", "furo"):
        pytest.importorskip(needed, reason="needs Sphinx: pip install '.[docs]'")
    folder = tmp_path_factory.mktemp("site")
    command = [sys.executable, "-m", "sphinx", "-q", "-E", "-W", "--keep-going", "-c", "docs", "-d", folder / "cache"]
    done = subprocess.run([*command, ".", folder / "html"], cwd=ROOT, capture_output=True, text=True, check=False)
    assert (done.returncode, done.stderr) == (0, "")
    return folder / "html"


def test_everything_that_the_package_offers_is_described(site):
    page = (site / "docs/api.html").read_text(encoding="utf-8")
    missing = [n for n in sr.__all__ if n[0] != "_" and f'id="SuperResolutionLib.{n}"' not in page]
    assert missing == []


def test_every_command_is_described_with_its_options(site):
    page = (site / "docs/commands.html").read_text(encoding="utf-8")
    (commands,) = (a.choices for a in cli.parser()._actions if isinstance(a.choices, dict))
    assert [name for name in commands if f'id="{name}"' not in page] == []
    assert "--slice-spacing" in page


def test_the_notebook_can_be_had_from_the_site(site):
    assert len(list(site.glob("_downloads/*/notebook.ipynb"))) == 1


@pytest.mark.parametrize("page", ["README.md", "docs/python.md", "docs/view.md"])
def test_what_a_page_shows_of_python_runs(page, tmp_path, monkeypatch):
    """On a small head with the names that the pages give to scans."""
    monkeypatch.chdir(tmp_path)
    head = sr.Volume(np.zeros((40, 36, 40)))
    head = head.with_voxels(blobs(head, middle(head), 16).astype(np.int16))
    thick = sr.degrade(head, "slices:spacing=4").cast(np.int16)
    low = sr.degrade(head, "k_space", 2).cast(np.int16)
    for name, volume in {"brain": head, "t1_1mm": head, "brain_sr": head, "flair": thick}.items():
        sr.write(volume, f"{name}.nii.gz")
    scope = {"low": low, "enhanced": head}
    for example in re.findall(r"```python\n(.*?)```", (ROOT / page).read_text(encoding="utf-8"), re.DOTALL):
        exec(example, scope)
