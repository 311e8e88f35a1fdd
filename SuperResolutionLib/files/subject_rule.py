"""Whose scan is it? One rule for studies, which count people, and for trainings, which must not divide them."""

import re
from pathlib import Path

from SuperResolutionLib.files.common import stem

# All files with one BIDS "sub-..." up to it, or with one name before a last part that begins with a letter: p1_T1w and
# p1_T2w are one person, scan_1 and scan_2 are two.
RULE = r"(.*?sub-[^_]+|.+(?=_[A-Za-z][^_]*$)).*"
BIDS_FOLDER = re.compile(r"sub-[A-Za-z0-9]+")


def subject_named(name: str, rule: str = RULE) -> str:
    """The subject of a file of this name, without extension: the rule's first group, or the name where it fits not."""
    found = re.fullmatch(rule, name)
    return found[1] if found else name


def subject_at(path: Path) -> str:
    """The subject of a file: by its name, or by a BIDS folder "sub-..." that it lies in."""
    name = stem(path)
    folder = BIDS_FOLDER.search(path.absolute().parent.as_posix())
    return folder[0] if folder and "sub-" not in name else subject_named(name)
