"""What is no intensity of an MR scan is refused, by what its file says and by its voxels; scans are not."""

from dataclasses import replace

import nibabel
import numpy as np
import pytest
from phantoms import brain
from scipy.ndimage import gaussian_filter
from tiny_models import tiny

import SuperResolutionLib as sr
from SuperResolutionLib.header import Header
from SuperResolutionLib.methods.meaning import check_continuous, not_intensities
from SuperResolutionLib.volume import Volume

RANDOM = np.random.default_rng


def blobs(seed: int = 0, size: tuple[int, int, int] = (12, 40, 44)) -> np.ndarray:
    """Smooth texture from 0 to 1."""
    smooth = gaussian_filter(RANDOM(seed).normal(size=size), 3)
    return (smooth - smooth.min()) / np.ptp(smooth)


def mask() -> np.ndarray:
    return (blobs() > 0.6).astype(np.uint8)


def labels(count: int) -> np.ndarray:
    """As an atlas has them: regions, numbered in no order."""
    from scipy.spatial import cKDTree

    random, places = RANDOM(count), np.argwhere(np.ones((24, 48, 48)))
    _, nearest = cKDTree(random.uniform(0, 48, (count, 3)) * (0.5, 1, 1)).query(places)
    values = random.choice(np.arange(1, 3000), count, replace=False)
    return np.where(blobs(size=(24, 48, 48)) > 0.35, values[nearest].reshape(24, 48, 48), 0)


def phase(half: float) -> np.ndarray:
    return half * (2 * RANDOM(1).random((8, 40, 40)) - 1)


OTHERS = {
    "mask": mask(),
    "mask of 255": 255 * mask(),
    "mask of floats": mask().astype(np.float32),
    "lesions": (RANDOM(0).random((8, 40, 40)) > 0.995).astype(np.int16),
    "three tissues": np.digitize(blobs(), (0.4, 0.6)).astype(np.uint8) * 10,
    "40 labels": labels(40).astype(np.int16),
    "100 labels": labels(100).astype(np.int32),
    "signed labels": np.digitize(blobs(), (0.4, 0.6)).astype(np.int8) - 1,
    "radians": phase(np.pi).astype(np.float32),
    "phase from 0 on": np.rint(phase(2048) + 2048).clip(0, 4095).astype(np.uint16),
    "smooth phase from 0 on": (4096 * (3 * blobs() % 1)).clip(0, 4095).astype(np.uint16),
    "degrees": (360 * (3 * blobs(1) % 1)).astype(np.float32),
    "radians from 0 on": (phase(np.pi) + np.pi).astype(np.float32),
    "Siemens phase": np.rint(phase(4096)).clip(-4096, 4094).astype(np.int16),
}


@pytest.mark.parametrize("kind", OTHERS)
def test_labels_and_phases_are_known_by_their_voxels(refuses, kind):
    """Fault F: a mask of 0 and 1 came back with 0, 1 and 2, labels as others between them."""
    volume = Volume(OTHERS[kind], (1.0, 1.0, 2.0))
    with refuses("are no intensities", "as_intensities()"):
        sr.enhance(volume, tiny())
    with refuses("are no intensities", "nearest"):
        sr.upsample(volume, "bicubic")
    with refuses("are no intensities", "nearest"):
        sr.degrade(volume, "area")
    with refuses("are no intensities"):
        sr.compare(volume, methods=["nearest"])
    assert set(np.unique(sr.upsample(volume, "nearest").voxels)) == set(np.unique(volume.voxels))
    assert sr.enhance(volume.as_intensities(), tiny()).size == (2 * volume.size[0], 2 * volume.size[1], volume.size[2])


def scan() -> np.ndarray:
    """A head in the units of a scanner, with noise."""
    return np.hypot(600 * blobs() * (blobs(3) > 0.4), 8 * RANDOM(2).normal(size=(12, 40, 44)))


phantom = np.where(blobs() > 0.5, 100.0, 0.0)
SCANS = {
    "float": scan().astype(np.float32),
    "small crop": scan()[:4, 10:18, 10:18].astype(np.int16),
    "tiny crop": scan()[:2, 10:14, 10:14].astype(np.int16),
    "uint8 of 200 values": np.rint(scan() / scan().max() * 200).astype(np.uint8),
    "uint8 of 40 values": np.rint(scan() / scan().max() * 40).astype(np.uint8),
    "phantom with noise": np.rint(phantom + RANDOM(4).normal(0, 1.5, phantom.shape)).clip(0).astype(np.int16),
    "noise-free phantom of floats": np.where(blobs() > 0.5, 0.75, 0.1),
    "brain-extracted": (scan() * (blobs(3) > 0.4)).astype(np.int16),
    "nearest x4": np.rint(scan()).astype(np.int16).repeat(4, 1).repeat(4, 2),
    "z-scored": ((scan() - scan().mean()) / scan().std()).astype(np.float32),
    "from -1 to 1": scan() / scan().max() * 2 - 1,
    "12 bits": np.rint(scan() / scan().max() * 4095).astype(np.uint16),
    "12 bits, saturated": np.rint(scan() / scan().max() * 9000).clip(0, 4095).astype(np.uint16),
    "12 bits, two tissues in noise": np.rint(3700 * (blobs() > 0.5) + np.abs(RANDOM(5).normal(0, 200, blobs().shape)))
    .clip(0, 4095)
    .astype(np.uint16),
    "blank": np.zeros((4, 20, 20), np.int16),
}


@pytest.mark.parametrize("kind", SCANS)
def test_scans_are_not_refused(kind):
    """Fault F: false refusals are bad too."""
    assert not_intensities(Volume(SCANS[kind], (1.0, 1.0, 2.0))) is None


def test_directions_in_three_volumes_are_no_series(refuses):
    """Fault F, sibling: FSL's dti_V1 under another name is a series of three volumes by its shape."""
    vectors = RANDOM(0).normal(size=(3, 6, 20, 20))
    vectors *= (blobs(size=(6, 20, 20)) > 0.3) / np.linalg.norm(vectors, axis=0)
    with refuses("unit vectors", "as_intensities()"):
        sr.enhance(Volume(vectors.astype(np.float32), (1.0, 1.0, 2.0)), tiny())
    assert not_intensities(Volume(np.abs(vectors).astype(np.float32) * 700, (1.0, 1.0, 2.0))) is None


@pytest.mark.parametrize(
    ("name", "kind"),
    [
        ("sub-01_dseg.nii.gz", "labels"),
        ("sub-01_desc-brain_mask.nii", "labels"),
        ("brain_label.nrrd", "labels"),
        ("sub-1_label-GM_probseg.nii.gz", "labels"),
        ("aparc+aseg.nii.gz", "labels"),
        ("sub-01_part-phase_bold.nii.gz", "phase"),
        ("sub-01_part-real_T1w.nii.gz", "part of complex numbers"),
        ("sub-01_part-imag_T1w.nii.gz", "part of complex numbers"),
        ("gre_phase.mha", "phase"),
        ("sub-01_phasediff.nii.gz", "phase"),
        ("dwi_ADC.nii.gz", "map"),
        ("dti_V1.nii.gz", "map"),
        ("sub-01_MD.nii.gz", "map"),
        ("dti_colFA.nrrd", "map"),
    ],
)
def test_names_say_what_files_hold(tmp_path, refuses, name, kind):
    """Fault F: unsigned phase named part-phase came back from -258 to 4937."""
    volume = Volume(np.rint(SCANS["12 bits"]), (1.0, 1.0, 2.0))
    sr.write(volume, tmp_path / name)
    with refuses("are no intensities", f"the file holds {kind}"):
        sr.enhance(tmp_path / name, tiny())


@pytest.mark.parametrize(
    "name",
    [
        "sub-01_part-mag_T1w",
        "sub-01_T1w",
        "masked_T1w",
        "phaseless_T1w",
        "sub-segal_T1w",
        "unmask",
        "label2_T2w",
        "FA20",
    ],
)
def test_other_names_say_nothing(tmp_path, name):
    sr.write(Volume(SCANS["12 bits"], (1.0, 1.0, 2.0)), tmp_path / f"{name}.nii.gz")
    assert sr.enhance(tmp_path / f"{name}.nii.gz", tiny()).size == (88, 80, 12)


def test_the_intent_of_a_nifti_file_counts(tmp_path, refuses):
    image = nibabel.Nifti1Image(SCANS["12 bits"].astype(np.int16).T, np.eye(4))
    image.header.set_intent("label")
    nibabel.save(image, tmp_path / "a.nii")
    with refuses("says that it holds labels"):
        sr.enhance(tmp_path / "a.nii", tiny())


@pytest.mark.parametrize(("known", "found"), [({"modality": "CT"}, "CT"), ({"kind": "ADC map"}, "ADC map")])
def test_what_dicom_says_counts(refuses, known, found):
    """Fault F: DICOM's modality and image type."""
    volume = replace(brain(), header=Header(**known))
    with refuses(found, "as_intensities()"):
        sr.enhance(volume, tiny())
    assert sr.upsample(volume).size == (52, 56, 4)
    assert not_intensities(replace(volume, header=Header(modality="MR"))) is None
    check_continuous(volume)
