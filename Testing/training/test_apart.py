"""Training stays out of what only enhances."""

import subprocess
import sys
from pathlib import Path

from tiny_models import store

import SuperResolutionLib

SCRIPT = """
import sys
import numpy as np
import SuperResolutionLib as sr
from SuperResolutionLib.volume import Volume
assert sr.enhance(Volume(np.random.rand(3, 12, 12).astype("float32")), sys.argv[1]).size == (24, 24, 3)
print(*sorted({n for n in sys.modules if n == "matplotlib" or n.startswith("SuperResolutionLib.training")}))
"""


def test_enhancing_imports_neither_training_nor_its_extras(tmp_path):
    done = subprocess.run(
        [sys.executable, "-c", SCRIPT, store(tmp_path)],
        cwd=Path(SuperResolutionLib.__file__).parent.parent, capture_output=True, text=True, timeout=300,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    assert done.stdout.strip() == ""
