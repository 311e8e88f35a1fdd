"""Reproducing a paper needs what was trained, not what trains."""

import subprocess
import sys
from pathlib import Path

import SuperResolutionLib
from SuperResolutionLib.papers.works import WORKS

ROOT = Path(SuperResolutionLib.__file__).parent.parent
SCRIPT = """
import sys
import SuperResolutionLib.papers.measure, SuperResolutionLib.papers.picture, SuperResolutionLib.papers.table
print(*sorted(name for name in sys.modules if name == "matplotlib" or name.startswith("SuperResolutionLib.training")))
"""


def test_reproducing_imports_neither_training_nor_what_draws_until_it_draws():
    done = subprocess.run([sys.executable, "-c", SCRIPT], cwd=ROOT, capture_output=True, text=True, timeout=300)
    assert done.returncode == 0, done.stderr
    assert done.stdout.strip() == ""


def test_the_documentation_names_every_network_of_every_work():
    text = (ROOT / "docs" / "papers.md").read_text(encoding="utf-8")
    named = [network.name for work in WORKS.values() for case in work.cases for network in case.networks]
    assert [name for name in named if f"`{name}`" not in text] == []
    assert [work.title.split(";")[0] for work in WORKS.values() if work.title.split(";")[0] not in text] == []
