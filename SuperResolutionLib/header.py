"""What a file says of a scan beside its voxels and its grid, and what has to come back with the result."""

from dataclasses import dataclass, replace

import numpy as np

SECONDS = "sec"
INTENSITIES = "intensities"


@dataclass(frozen=True, eq=False)
class Forms:
    """How NIfTI says where the voxels lie: by two forms, each with a code (0: not used) of what its space is.

    by: the form that the volume's own grid is: "sform", "qform", or "pixdim" where both codes are 0.
    other: (4, 4), where both codes are above 0, from the space of that form to the space of the other one, in RAS mm:
    whatever becomes of the volume's grid, the other form is `other` times it.
    """

    sform_code: int = 1
    qform_code: int = 1
    by: str = "sform"
    other: np.ndarray | None = None


@dataclass(frozen=True)
class SliceTiming:
    """In which order and when slices were acquired, as NIfTI has it; it holds for `count` slices only."""

    code: int
    first: int
    last: int
    seconds: float
    count: int


@dataclass(frozen=True, eq=False)
class Header:
    """Part of a volume: a value, never changed in place; every field has what NIfTI means where nothing is known.

    time_step: from volume to volume, in `time_unit`; None where unknown. Of most series the repetition time.
    time_unit: "sec", or NIfTI's "hz", "ppm", "rads" for a fourth axis that is no time.
    four_axes: a single volume that is stored with a fourth axis of one.
    forms: None where the file is not NIfTI. dim_info: which axes are frequency, phase and slice, as NIfTI packs them.
    intent: code, three parameters, name. shown: the intensities that are black and white, (0, 0) for not stated.
    extensions: code and content of each header extension of NIfTI.
    thickness: mm of the slices as they were acquired, full width at half maximum; None where unknown. It may be less
    than their spacing (a gap) or more.
    slices: the axis (x, y, z = 0, 1, 2) that the slices were acquired along; None where the file does not know.
    modality: DICOM's, such as "MR" or "CT"; "" where unknown. kind: what the voxels are where they are no magnitude,
    such as "phase" or "ADC map"; "" for magnitude, and where unknown; INTENSITIES where the user says so.
    raw: what shows that a diffusion series is as the scanner made it, in words; "" where nothing does. denoised: what
    shows that its noise was taken out.
    """

    time_step: float | None = None
    time_unit: str = SECONDS
    four_axes: bool = False
    forms: Forms | None = None
    description: str = ""
    auxiliary: str = ""
    intent: tuple[int, tuple[float, float, float], str] = (0, (0.0, 0.0, 0.0), "")
    time_offset: float = 0.0
    dim_info: int = 0
    shown: tuple[float, float] = (0.0, 0.0)
    timing: SliceTiming | None = None
    extensions: tuple[tuple[int, bytes], ...] = ()
    thickness: float | None = None
    slices: int | None = None
    modality: str = ""
    kind: str = ""
    raw: str = ""
    denoised: str = ""

    def of_a_map(self, series: bool = False) -> "Header":
        """The header of a map on the same grid (FA, an uncertainty): without what is said of the intensities.

        series: whether the map has as many volumes as the scan, and so its axis of time.
        """
        about = replace(self, intent=(0, (0.0, 0.0, 0.0), ""), shown=(0.0, 0.0), kind="")
        return about if series else replace(about, time_step=None, time_offset=0.0, timing=None, four_axes=False)


def repeating(milliseconds: object) -> Header | None:
    """A header that knows a repetition time, as DICOM states it; None for what is no time above 0."""
    try:
        seconds = float(milliseconds) / 1000  # type: ignore[arg-type]
    except (TypeError, ValueError):
        return None
    return Header(time_step=seconds) if np.isfinite(seconds) and seconds > 0 else None
