"""slicer-core, imported although the tests of the Slicer module lie in a folder that is called slicer."""

import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

HERE = Path(__file__).resolve().parent


@contextmanager
def out_of_its_sight() -> Iterator[None]:
    """This folder off sys.path: slicer-core takes every folder called "slicer" on it for a part of itself."""
    path = sys.path[:]
    sys.path[:] = [entry for entry in path if Path(entry).resolve() != HERE]
    try:
        yield
    finally:
        sys.path[:] = path
