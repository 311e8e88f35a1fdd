"""Memory: what lies between input and output stays small, however large they are."""

from pathlib import Path

import pytest

from benchmarks.memory import Case, beside, measured
from benchmarks.results import Row

pytestmark = pytest.mark.skipif(not Path("/proc/self/status").exists(), reason="measures memory as Linux tells it")
PLAIN = 150  # MB: Python with numpy and nibabel takes 62, and slabs of slices 46


def test_upsampling_holds_input_and_output_and_no_copy_of_them(tmp_path):
    """Issue 25, part 7: it was ten times the output, then twice. Another copy of the 75 MB here would show."""
    figures = measured(Case(("upsample",), (144, 256, 256)), tmp_path)
    row = Row("upsample", "", "", 2, figures=figures)
    assert figures["output"] > 70
    assert beside(row) < PLAIN
