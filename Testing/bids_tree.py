"""A small BIDS data set, made on the spot: eight scans to enhance, and what has to be left alone beside them."""

import json
from pathlib import Path

import numpy as np
from phantoms import brain

from SuperResolutionLib import files
from SuperResolutionLib.volume import Gradients, Volume

RESONANCE = {"MagneticFieldStrength": 3, "Manufacturer": "None", "EchoTime": 0.03, "RepetitionTime": 2}
GOOD = (
    "sub-01/ses-a/anat/sub-01_ses-a_T1w.nii.gz",
    "sub-01/ses-a/anat/sub-01_ses-a_T2w.nii.gz",
    "sub-01/ses-a/dwi/sub-01_ses-a_dwi.nii.gz",
    "sub-01/ses-b/anat/sub-01_ses-b_T1w.nii.gz",
    "sub-02/anat/sub-02_FLAIR.nii.gz",
    "sub-02/anat/sub-02_run-1_T1w.nii.gz",
    "sub-02/anat/sub-02_part-mag_T2w.nii.gz",
)
CORRUPT = "sub-02/anat/sub-02_run-2_T1w.nii.gz"
PHASE = "sub-02/anat/sub-02_part-phase_T2w.nii.gz"
THICK = "sub-02/anat/sub-02_FLAIR.nii.gz"


def make(folder: Path) -> Path:
    """The data set: two participants, one with two sessions; T1w, T2w, FLAIR of 4 mm, dwi; one cut short, one phase."""
    folder.mkdir(parents=True)
    about = {"Name": "Made for tests", "BIDSVersion": "1.10.0", "DatasetType": "raw", "License": "CC0"}
    _json(folder / "dataset_description.json", {**about, "Authors": ["Nobody At All", "Somebody Else"]})
    (folder / "README").write_text(
        "A data set that was made for tests: ellipses full of noise, which show nobody.\n" * 3
    )
    for suffix in ("T1w", "T2w", "FLAIR", "dwi"):
        _json(folder / f"{suffix}.json", RESONANCE)
    for seed, name in enumerate((*GOOD, CORRUPT, PHASE)):
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        files.write(_scan(name, seed), path)
    _json(folder / PHASE.replace(".nii.gz", ".json"), {"Units": "arbitrary"})
    whole = (folder / CORRUPT).read_bytes()
    (folder / CORRUPT).write_bytes(whole[: len(whole) // 2])
    _json(folder / THICK.replace(".nii.gz", ".json"), {"SliceThickness": 3, "SpacingBetweenSlices": 4, "FlipAngle": 90})
    weighting = folder / "sub-01/ses-a/dwi/sub-01_ses-a_dwi"
    for end in (".bval", ".bvec"):  # they hold for both sessions, from the folder above
        weighting.with_name(weighting.name + end).rename(folder / "sub-01" / f"sub-01_dwi{end}")
    return folder


def _scan(name: str, seed: int) -> Volume:
    voxels = brain((26, 28, 4), seed).voxels.astype(np.int16)
    if "dwi" in name:
        series = np.stack([voxels, voxels // 2, voxels // 3])
        gradients = Gradients(np.array([0.0, 1000.0, 1000.0]), np.array([[0, 0, 0], [1, 0, 0], [0, 0.6, 0.8]]))
        return Volume(series, (1.0, 1.0, 4.0), gradients=gradients)
    if "phase" in name:
        rng = np.random.default_rng(seed)
        return Volume(rng.integers(-4096, 4096, voxels.shape).astype(np.int16), (1.0, 1.0, 4.0))
    return Volume(voxels, (1.0, 1.0, 4.0))


def _json(path: Path, table: dict) -> None:
    path.write_text(json.dumps(table, indent=1))
