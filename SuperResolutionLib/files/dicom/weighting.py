"""The diffusion weighting of a DICOM image: the standard's own elements first, then those of the vendors.

Siemens, Philips: directions in patient space. United Imaging: in the image's axes. GE: in the axes of the sequence
(frequency, phase, slice), which are known for certain in one position only.
As dcm2niix (C. Rorden and others) reads them, and MRtrix3 (J.-D. Tournier and others), where it knows them.
"""

from collections.abc import Callable, Iterator
from dataclasses import dataclass

import numpy as np
from pydicom.dataset import Dataset

from SuperResolutionLib.files.dicom.headers import find, listed, private
from SuperResolutionLib.files.dicom.siemens import csa


@dataclass(frozen=True, eq=False)
class Weighting:
    """How one image is weighted.

    bval: s/mm2, None if not stated. bvec: (3,) LPS of any length, zero for no direction; None if none is stated.
    isotropic: a trace image, the mean over directions. doubt: why a direction that is stated is not believed.
    """

    bval: float | None = None
    bvec: np.ndarray | None = None
    isotropic: bool = False
    doubt: str = ""

    @property
    def whole(self) -> bool:
        """Whether nothing is left to be asked for."""
        return self.bval is not None and (self.bval == 0 or self.bvec is not None or self.isotropic)


def weighting(name: str, levels: list[Dataset], axes: np.ndarray) -> Weighting:
    """The weighting of an image, all of it from one source: the first that knows the whole.

    levels: of the header, nearest first, the file's own last. axes: (3, 3) LPS, columns: row, column, normal.
    Raises InputError where a CSA header is needed and nibabel is not installed.
    """
    found = list(_until_whole(name, levels, axes))
    return next((w for w in reversed(found) if w.whole), next((w for w in found if w.bval is not None), Weighting()))


def _until_whole(name: str, levels: list[Dataset], axes: np.ndarray) -> Iterator[Weighting]:
    header = levels[-1]
    sources: list[Callable[[], Weighting]] = [lambda: _standard(levels)]
    if "PerFrameFunctionalGroupsSequence" not in header:  # the vendors' elements speak of a whole file
        sources += [
            lambda: _siemens(header),
            lambda: _siemens_csa(name, header),
            lambda: _philips(header),
            lambda: _united_imaging(header, axes),
            lambda: _ge(header, axes),
        ]
    for source in sources:
        found = source()
        yield found
        if found.whole:
            return


def _standard(levels: list[Dataset]) -> Weighting:
    bval, vector = find(levels, "DiffusionBValue"), find(levels, "DiffusionGradientOrientation")
    isotropic = str(find(levels, "DiffusionDirectionality") or "") == "ISOTROPIC"
    return Weighting(None if bval is None else float(bval), _vector(vector), isotropic)


def _siemens(header: Dataset) -> Weighting:
    bval, kind, vector = (private(header, 0x0019, "SIEMENS MR HEADER", e) for e in (0x0C, 0x0D, 0x0E))
    return Weighting(None if bval is None else float(bval), _vector(vector), kind == "ISOTROPIC")


def _siemens_csa(name: str, header: Dataset) -> Weighting:
    if "DIFFUSION" not in listed(header.get("ImageType")):  # no other image needs nibabel
        return Weighting()
    fields = csa(name, header)
    bval, kind = fields.get("B_value"), fields.get("DiffusionDirectionality")
    vector = _vector(fields.get("DiffusionGradientDirection"))
    return Weighting(float(bval[0]) if bval else None, vector, kind == ["ISOTROPIC"])


def _philips(header: Dataset) -> Weighting:
    bval = private(header, 0x2001, "Philips Imaging DD 001", 0x03)
    parts = [private(header, 0x2005, "Philips MR Imaging DD 001", element) for element in (0xB0, 0xB1, 0xB2)]
    if not bval:  # 0 in every image that is not diffusion, too
        return Weighting()
    vector = None if None in parts else _vector(parts)
    return Weighting(float(bval), vector, isotropic=vector is not None and not vector.any())


def _united_imaging(header: Dataset, axes: np.ndarray) -> Weighting:
    bval = private(header, 0x0065, "Image Private Header", 0x09)
    vector = _vector(private(header, 0x0065, "Image Private Header", 0x37))
    return Weighting(None if bval is None else float(bval), None if vector is None else axes @ vector)


def _ge(header: Dataset, axes: np.ndarray) -> Weighting:
    """b is stated for the longest direction of a series; a shorter one has b times its length squared."""
    numbers = listed(private(header, 0x0043, "GEMS_PARM_01", 0x39))
    bval = float(int(numbers[0]) % 1_000_000_000) if numbers else 0.0  # newer software adds 1e9
    parts = [private(header, 0x0019, "GEMS_ACQU_01", element) for element in (0xBB, 0xBC, 0xBD)]
    if bval == 0 or None in parts:  # b is 0 in every image that is not diffusion, too
        return Weighting(bval or None)
    vector = np.array(parts, dtype=float)
    length = float(np.linalg.norm(vector))
    if length < 0.03:  # in a series of directions, the volumes of b = 0 carry the b-value of the others
        directed = float(private(header, 0x0019, "GEMS_ACQU_01", 0xE0) or 0) > 0
        return Weighting(0.0) if directed else Weighting(bval, isotropic=True)
    bval *= length**2 if length < 0.97 else 1.0
    phase, lying = header.get("InPlanePhaseEncodingDirection"), header.get("PatientPosition")
    axial = int(np.argmax(np.abs(axes[:, 2]))) == 2
    if phase != "COL" or lying != "HFS" or not axial:
        doubt = (
            "GE states directions in the axes of the sequence, which are known for certain only in axial slices, "
            "head first and supine, with phase encoding along columns"
        )
        return Weighting(bval, doubt=doubt)
    return Weighting(bval, axes @ (vector * (1, 1, -1)))


def _vector(value: object) -> np.ndarray | None:
    numbers = listed(value)
    return np.array(numbers, dtype=float) if len(numbers) == 3 else None
