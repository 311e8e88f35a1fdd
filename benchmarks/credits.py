"""Whose scans the pages and pictures show, and under which licence."""

from collections.abc import Iterable
from fnmatch import fnmatch

SOURCES = {
    "ds002748_*": "OpenNeuro ds002748 (Bezmaternykh, Melnikov, Savelov, Petrovskii), CC0",
    "openms_*": "openms (Laboratory of Imaging Technologies, University of Ljubljana; Lesjak et al.), CC-BY",
    "*dir": "dcm_qa (C. Rorden and colleagues), BSD-2-Clause",
    "sub-011591_*": "sub-011591 of mappertrac 1.3.1 (Lawrence Livermore National Security), BSD-3-Clause",
}


def credit(names: Iterable[str]) -> str:
    """Source and licence of scans, by their names; empty where none is known."""
    found = {text for name in names for pattern, text in SOURCES.items() if fnmatch(name, pattern)}
    return "; ".join(sorted(found))
