"""A scan among many: where it lies, where its result goes, what came of it. Values that go from machine to machine."""

from dataclasses import dataclass
from pathlib import Path

DONE, KEPT, FAILED = "done", "finished before", "failed"


@dataclass(frozen=True)
class Described:
    """What a BIDS data set says of a scan in other files than its own.

    uri: the scan, as "bids:raw:sub-01/anat/sub-01_T1w.nii.gz". tables: the JSON files that apply to it, the nearest
    last. gradients: its .bval and .bvec, where it has some.
    """

    uri: str
    tables: tuple[Path, ...] = ()
    gradients: tuple[Path, Path] | None = None


@dataclass(frozen=True)
class Job:
    """One scan to enhance.

    name: how progress and lists call it. source: an image, or a folder of DICOM files. output: the image that is made.
    log: where it is told what happened. picture: where the middle slices before and after go. described: of BIDS.
    """

    name: str
    source: Path
    output: Path
    log: Path | None = None
    picture: Path | None = None
    described: Described | None = None


@dataclass(frozen=True)
class Answer:
    """What came of a job. state: DONE, KEPT or FAILED. why: a sentence where it failed. notes: warnings."""

    name: str
    state: str
    why: str = ""
    notes: tuple[str, ...] = ()
    seconds: float = 0.0
