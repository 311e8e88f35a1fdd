"""What the exported series of these tests are made of."""

import numpy as np
from scipy.spatial.transform import Rotation

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
