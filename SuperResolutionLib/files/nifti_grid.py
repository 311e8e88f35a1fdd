"""Where the voxels of a NIfTI file lie: its sform, its qform, its voxel sizes and its codes, held against each other.

The field's rules (nibabel, FSL): the sform where its code is above 0, else the qform where its code is, else the voxel
sizes with x reversed about the middle of the image. Here the forms may not contradict each other as well.
https://nifti.nimh.nih.gov/nifti-1/documentation/nifti1fields/nifti1fields_pages/qsform.html
"""

import warnings
from typing import Any

import numpy as np

from SuperResolutionLib.errors import InputError
from SuperResolutionLib.files.common import LPS_FROM_RAS, ScanWarning, sheared
from SuperResolutionLib.header import Forms
from SuperResolutionLib.volume import Volume, orthonormal

_METRES = {1: 1000.0, 2: 1.0, 3: 0.001}  # NIfTI's units of length in mm
_SHEAR = 1e-3  # how far the products of an affine's unit columns may lie from those of axes at right angles
_SIZES = 0.01  # how far the voxel sizes of two forms may differ, as a share
_FAR, _TURNED = 0.05, 0.05  # mm, degrees: forms that differ by less say the same
ALIGNED = 2  # NIFTI_XFORM_ALIGNED_ANAT: the space of another image


def placed(name: str, header: Any) -> tuple[np.ndarray, Forms]:
    """Voxel indices (x, y, z) to RAS mm, (4, 4), and what has to be known to write both forms again.

    Warns where the forms disagree. Raises InputError where they contradict each other, or none can be used.
    """
    unit = _millimetres(name, header)
    codes = int(header["sform_code"]), int(header["qform_code"])
    sform = _in_mm(header.get_sform(), unit) if codes[0] > 0 else None
    qform = _in_mm(_qform(header), unit) if codes[1] > 0 else None
    if sform is not None and qform is not None:
        both = _of_both(name, sform, qform, codes)
        if both[1].by == "sform":
            _warn_of_difference(name, sform, qform, _centre(header))
        return both
    if sform is None and qform is None:
        if max(codes) > 0:
            raise _impossible(name, header)
        return _by_sizes(name, header, unit), Forms(0, 0, "pixdim")
    used, lost = ("sform", "qform") if sform is not None else ("qform", "sform")
    if min(codes) > 0:
        _warn(f"{name} has a {lost} that is no grid (a size of 0, or numbers that are none); its {used} is used.")
    affine = sform if sform is not None else qform
    assert affine is not None
    if _sheared(affine):
        raise sheared(name)
    kept = Forms(codes[0], 0, "sform") if used == "sform" else Forms(0, codes[1], "qform")
    return affine, kept


def set_forms(header: Any, volume: Volume) -> None:
    """Write into a NIfTI header, whose shape is set, where a volume lies: both forms with their codes, voxel sizes."""
    affine = ras_affine(volume)
    forms = volume.header.forms if volume.header is not None and volume.header.forms is not None else Forms()
    header.set_zooms((*volume.spacing, *header.get_zooms()[3:]))
    if forms.by == "pixdim":
        if np.abs(header.get_base_affine() - affine).max() < 1e-3:
            header["qform_code"] = header["sform_code"] = 0
            return
        forms = Forms(ALIGNED, ALIGNED)  # a part of an image whose place is not known: it has one beside the whole
    other = affine if forms.other is None else forms.other @ affine
    sform, qform = (affine, other) if forms.by == "sform" else (other, affine)
    header.set_qform(qform if forms.qform_code else affine, 1)
    header.set_sform(sform if forms.sform_code else affine, 1)
    header["qform_code"], header["sform_code"] = forms.qform_code, forms.sform_code


def ras_affine(volume: Volume) -> np.ndarray:
    """Voxel indices (x, y, z) of a volume to RAS mm, (4, 4)."""
    affine = np.eye(4)
    affine[:3, :3] = LPS_FROM_RAS[:, None] * volume.direction * volume.spacing
    affine[:3, 3] = LPS_FROM_RAS * volume.origin
    return affine


def lps_grid(affine: np.ndarray) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Spacing, origin and axes (columns) in LPS of voxel indices to RAS mm."""
    steps = LPS_FROM_RAS[:, None] * affine[:3, :3]
    spacing = np.linalg.norm(steps, axis=0)
    return spacing, LPS_FROM_RAS * affine[:3, 3], steps / np.where(spacing > 0, spacing, 1)


def _of_both(name: str, sform: np.ndarray, qform: np.ndarray, codes: tuple[int, int]) -> tuple[np.ndarray, Forms]:
    if np.linalg.det(sform[:3, :3]) * np.linalg.det(qform[:3, :3]) < 0:
        raise InputError(
            f"{name} has an sform and a qform that are mirror images of each other, so left and right are not known; "
            "correct its header, or convert it again from DICOM."
        )
    if _sheared(sform):
        _warn(f"{name} has an sform with axes that are not at right angles (a sheared grid); its qform is used.")
        return qform, Forms(*codes, "qform", sform @ np.linalg.inv(qform))
    sizes, others = np.linalg.norm(sform[:3, :3], axis=0), np.linalg.norm(qform[:3, :3], axis=0)
    if np.abs(sizes / others - 1).max() > _SIZES:
        raise InputError(
            f"{name} contradicts itself: its voxels are {_sizes(sizes)} mm by the sform and {_sizes(others)} mm by the "
            "qform; correct its header, or convert it again from DICOM."
        )
    return sform, Forms(*codes, "sform", qform @ np.linalg.inv(sform))


def _warn_of_difference(name: str, sform: np.ndarray, qform: np.ndarray, centre: np.ndarray) -> None:
    """Say how far the two forms are apart; of forms that contradict each other something else is said."""
    one, other = (orthonormal(affine[:3, :3] / np.linalg.norm(affine[:3, :3], axis=0)) for affine in (sform, qform))
    turned = float(np.degrees(np.arccos(np.clip((np.trace(one @ other.T) - 1) / 2, -1, 1))))
    away = float(np.linalg.norm(((sform - qform) @ centre)[:3]))
    if turned > _TURNED or away > _FAR:
        _warn(
            f"{name} says twice where it lies: its sform and its qform are {turned:.3g} degrees and, in the middle, "
            f"{away:.3g} mm apart; the sform is used, and both are kept in what is written as NIfTI."
        )


def _centre(header: Any) -> np.ndarray:
    """The middle of an image in voxels, (4,), the last being 1."""
    dim = [int(n) if k < int(header["dim"][0]) else 1 for k, n in enumerate(header["dim"][1:4])]
    return np.array([*((np.array(dim) - 1) / 2), 1.0])


def _qform(header: Any) -> np.ndarray | None:
    """The qform of a header, with FSL's leniency: any qfac but -1 is 1, sizes count without their sign."""
    lenient = header.copy()
    lenient["pixdim"][0] = -1 if header["pixdim"][0] == -1 else 1
    lenient["pixdim"][1:4] = np.abs(header["pixdim"][1:4])
    try:
        with np.errstate(invalid="ignore"):
            qform: np.ndarray = lenient.get_qform()
    except ValueError:  # a quaternion longer than 1
        return None
    return qform


def _in_mm(affine: np.ndarray | None, unit: float) -> np.ndarray | None:
    """An affine in mm; None for one that is no grid."""
    if affine is None or not np.isfinite(affine).all():
        return None
    scaled = np.array(affine, dtype=float)
    scaled[:3] *= unit
    sizes = np.linalg.norm(scaled[:3, :3], axis=0)
    if sizes.min() <= 0 or abs(np.linalg.det(scaled[:3, :3] / sizes)) < 1e-3:
        return None
    return scaled


def _by_sizes(name: str, header: Any, unit: float) -> np.ndarray:
    sizes = np.abs(np.array(header["pixdim"][1:4], dtype=float)) * unit
    if int(header["dim"][0]) < 3:
        sizes[2] = sizes[2] or 1.0
    if not np.isfinite(sizes).all() or sizes.min() <= 0:
        raise _impossible(name, header)
    _warn(
        f"{name} does not say how it lies in the patient (both of its codes are 0); as in nibabel and FSL its first "
        "axis is taken to run from right to left, and the codes stay 0 in what is written as NIfTI."
    )
    affine = np.diag([-sizes[0], sizes[1], sizes[2], 1.0])
    affine[:3, 3] = -_centre(header)[:3] * np.diag(affine)[:3]
    return affine


def _millimetres(name: str, header: Any) -> float:
    code = int(header["xyzt_units"]) & 7
    if code not in _METRES or _METRES[code] == 1:
        return 1.0
    unit = {1: "metres", 3: "micrometres"}[code]
    _warn(f"{name} states its sizes in {unit}; they were converted to mm.")
    return _METRES[code]


def _sheared(affine: np.ndarray) -> bool:
    axes = affine[:3, :3] / np.linalg.norm(affine[:3, :3], axis=0)
    return bool(np.abs(axes.T @ axes - np.eye(3)).max() > _SHEAR)


def _impossible(name: str, header: Any) -> InputError:
    sizes = _sizes(header["pixdim"][1:4])
    return InputError(
        f"{name} has an impossible grid: voxel sizes {sizes} mm, and no form in its header that can be used instead. "
        "Export it again, or correct its header."
    )


def _sizes(sizes: np.ndarray) -> str:
    return " x ".join(f"{float(size):.4g}" for size in sizes)


def _warn(sentence: str) -> None:
    warnings.warn(ScanWarning(sentence), stacklevel=3)
