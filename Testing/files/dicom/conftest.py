"""Exports of a scanner, small and with all that an archive needs, and series derived from them."""

from pathlib import Path

import numpy as np
import pytest
from scipy.spatial.transform import Rotation

import SuperResolutionLib as sr
from SuperResolutionLib.files.dicom.derived import Derivation, write_series
from SuperResolutionLib.files.dicom.series import Series, read_series

KINDS = ("classic", "mosaic", "enhanced")
OBLIQUE = Rotation.from_euler("xyz", [10, 20, 30], degrees=True).as_matrix()
WEIGHTS = "5e" * 32
BVALS = [0.0, 1000.0, 700.0]
BVECS = np.array([[0, 0, 0], [0.6, 0, 0.8], [0, 1.0, 0]])
# What a scanner writes of the patient, the study and the sequence, and the test makers do not.
TAGS = {
    "SpecificCharacterSet": "ISO_IR 100",
    "PatientName": "Müller^Jürgen",
    "PatientID": "P-7",
    "PatientBirthDate": "19700102",
    "PatientSex": "M",
    "StudyInstanceUID": "1.2.3.4",
    "StudyDate": "20250102",
    "StudyTime": "101112",
    "StudyID": "S1",
    "AccessionNumber": "A1",
    "ReferringPhysicianName": "",
    "FrameOfReferenceUID": "1.2.3.5",
    "PositionReferenceIndicator": "",
    "SeriesNumber": 4,
    "SeriesDescription": "t2 tra",
    "BodyPartExamined": "HEAD",
    "PatientPosition": "HFS",
    "Manufacturer": "GE MEDICAL SYSTEMS",
    "ManufacturerModelName": "SIGNA",
    "ScanningSequence": "SE",
    "SequenceVariant": "NONE",
    "MRAcquisitionType": "2D",
    "ScanOptions": "",
    "RepetitionTime": 4000,
    "EchoTime": 90,
    "EchoTrainLength": 1,
    "MagneticFieldStrength": 3,
    "WindowCenter": 400,
    "WindowWidth": 800,
}


def smooth(count: int = 3) -> np.ndarray:
    """(count, 5, 6, 7) int16: a shape that no flip leaves alone, another height for each volume."""
    z, y, x = np.meshgrid(np.linspace(0, 1, 5), np.linspace(0, 1, 6), np.linspace(0, 1, 7), indexing="ij")
    shape = 300 * x + 200 * y**2 + 400 * z + 90 * np.sin(6 * x * y + 3 * z)
    return np.stack([shape * (1 + t / 4) for t in range(count)]).astype(np.int16)


@pytest.fixture
def exported(tmp_path, make):
    """A folder with a series of `kind` as scanners export it; more tags are set in every file, None leaves one out."""

    def export(kind: str = "classic", name: str = "dicom", **tags) -> Path:
        folder, axes = tmp_path / name, OBLIQUE[:, :2].T.ravel().tolist()
        folder.mkdir()
        if kind == "classic":
            make.classic(folder, smooth(1)[0], axes=axes, gap=4.0)
        elif kind == "mosaic":
            fields = [{"B_value": ("IS", [f"{b:.0f}"])} for b in BVALS]
            for field, vector in zip(fields[1:], BVECS[1:], strict=True):
                field["DiffusionGradientDirection"] = ("FD", [f"{n:.8f}" for n in vector])
            make.mosaic(folder, smooth(), OBLIQUE[:, 2], axes=axes, fields=fields)
        else:
            make.enhanced(folder / "e.dcm", smooth(), BVALS, BVECS)
        for path in sorted(folder.iterdir()):
            make.change(path, **{tag: value for tag, value in {**TAGS, **tags}.items() if value is not None})
        return folder

    return export


@pytest.fixture
def derive(tmp_path):
    """A series derived from a folder by interpolation: the source, the volume that was written, and where."""

    def run(source: Path, name: str = "out", volume=None, **sampling) -> tuple[Series, sr.Volume, Path]:
        series = read_series(source)
        if volume is None:
            volume = sr.upsample(series.volume, "linear", sampling=sr.Sampling(**sampling or {"factor": 2}))
        write_series(volume, series, tmp_path / name, Derivation(method="mri-x2", model_sha256=WEIGHTS))
        return series, volume, tmp_path / name

    return run
