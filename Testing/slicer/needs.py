"""What some tests need and not every Python has: PyTorch, whose small build is for one Python only on some machines."""

import importlib.util

import pytest

NO_PYTORCH = "PyTorch is not installed in this Python"
pytorch = pytest.mark.skipif(importlib.util.find_spec("torch") is None, reason=NO_PYTORCH)
