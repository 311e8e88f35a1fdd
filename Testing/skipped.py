"""Test files that cannot be imported here."""

from pathlib import Path
from typing import Any

import pytest


class SkippedModule(pytest.Module):
    """A test file that is skipped as a whole, before it is imported. reason: why."""

    reason = ""

    def collect(self) -> Any:
        pytest.skip(self.reason, allow_module_level=True)


def skipped(path: Path, parent: Any, reason: str) -> pytest.Module | None:
    """What pytest_pycollect_makemodule returns: a skipped file where there is a reason, else None (a usual one)."""
    if not reason:
        return None
    module: SkippedModule = SkippedModule.from_parent(parent, path=path)
    module.reason = reason
    return module
