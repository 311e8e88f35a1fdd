"""Small whole files of every kind that the product takes in, and the command that takes each in."""

import gzip
import importlib.util
import json
import shutil
import sys
import warnings
import zipfile
from dataclasses import dataclass
from pathlib import Path

import numpy as np

TESTING = Path(__file__).parent.parent
RECIPE = """name = "tiny"
architecture = "edsr"
scale = 2
slices = 1
network = { features = 16, blocks = 1 }
degradation = "area"
validation = ["val_*"]
patch = 8
batch = 2
steps = 8
epoch = 2
warm_up = 2
precision = "float32"
trained_on = "one phantom"
licence = "CC0"

[[groups]]
pattern = "*"
planes = ["native"]
"""


@dataclass(frozen=True)
class Kind:
    """A kind of file. damaged: which files of its folder are changed, one a case. command: IN and OUT are put in."""

    damaged: tuple[str, ...]
    command: tuple[str, ...]


def made(folder: Path) -> dict[str, Kind]:
    """Write the whole files, a folder for each kind; returns the kinds by name."""
    sys.path.insert(0, str(TESTING))
    kinds: dict[str, Kind] = {}
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        for make in (_images, _dicom, _models, _trainings):
            kinds |= make(folder)
    return kinds


def _taking(name: str) -> tuple[str, ...]:
    return ("upsample", f"IN/{name}", "OUT/out.nrrd", "--method", "nearest", "--progress", "none")


def _images(folder: Path) -> dict[str, Kind]:
    import nibabel

    from SuperResolutionLib.files import write
    from SuperResolutionLib.volume import TENSOR, Gradients, Volume

    random = np.random.default_rng(0)
    volume = Volume(random.integers(0, 900, (4, 5, 6)).astype(np.int16), (1.0, 1.5, 2.0), (-9.0, 8.0, 7.0))
    bvecs = np.vstack([np.zeros(3), np.eye(3), -np.eye(3)])
    gradients = Gradients(np.array([0.0] + [1000.0] * 6), bvecs)
    series = Volume(random.integers(1, 900, (7, 3, 4, 5)).astype(np.int16), (2, 2, 2), gradients=gradients)
    tensors = Volume(random.normal(size=(6, 3, 4, 5)).astype(np.float32), quantity=TENSOR)
    given = {f"a{e}": volume for e in (".nii", ".nii.gz", ".nrrd", ".nhdr", ".mha", ".mhd")}
    given |= {"dwi.nii.gz": series, "dwi.nrrd": series, "dwi.nhdr": series, "dti.nrrd": tensors, "dti.nhdr": tensors}
    kinds = {}
    for name, one in given.items():
        place = folder / name
        place.mkdir(parents=True)
        write(one, place / name)
        kinds[name] = Kind((name,), _taking(name))
    kinds["bval and bvec"] = Kind(("dwi.bval", "dwi.bvec"), _taking("dwi.nii.gz"))
    shutil.copytree(folder / "dwi.nii.gz", folder / "bval and bvec")
    array, affine = volume.voxels.T, np.diag([1.0, 1.5, 2.0, 1.0])
    others = {
        "a.hdr": (nibabel.Nifti1Pair, "a.img"),
        "two.nii": (nibabel.Nifti2Image, "two.nii"),
        "a.mgz": (nibabel.MGHImage, "a.mgz"),
    }
    for name, (form, file) in others.items():
        (folder / name).mkdir()
        nibabel.save(form(np.ascontiguousarray(array), affine), folder / name / file)
        kinds[name] = Kind(tuple(sorted(p.name for p in (folder / name).iterdir())), _taking(name))
    return kinds


def _dicom(folder: Path) -> dict[str, Kind]:
    spec = importlib.util.spec_from_file_location("dicom_files", TESTING / "files" / "conftest.py")
    assert spec is not None and spec.loader is not None
    dicom = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(dicom)
    voxels = np.random.default_rng(0).integers(0, 900, (3, 4, 5)).astype(np.int16)
    dicom.classic(folder / "DICOM folder", voxels)
    (folder / "DICOM file").mkdir()
    shutil.copy(dicom.classic(folder / "one", voxels[:1])[0], folder / "DICOM file" / "a.dcm")
    (folder / "DICOM frames").mkdir()
    series = np.random.default_rng(0).integers(0, 900, (2, 3, 4, 5)).astype(np.int16)
    dicom.enhanced(folder / "DICOM frames" / "a.dcm", series, [0, 1000], np.eye(3)[:2])
    dicom.mosaic(folder / "DICOM mosaic", series, np.array([0.0, 0, 1]))
    (folder / "DICOM zip").mkdir()
    with zipfile.ZipFile(folder / "DICOM zip" / "a.zip", "w", zipfile.ZIP_DEFLATED) as archive:
        for path in sorted((folder / "DICOM folder").iterdir()):
            archive.write(path, path.name)
    (folder / "DICOM gzipped").mkdir()
    slices = sorted((folder / "DICOM folder").iterdir())
    for path in slices:
        (folder / "DICOM gzipped" / f"{path.name}.gz").write_bytes(gzip.compress(path.read_bytes(), 1))
    names = {name: tuple(sorted(p.name for p in (folder / name).iterdir())) for name in
             ("DICOM folder", "DICOM file", "DICOM frames", "DICOM mosaic", "DICOM zip", "DICOM gzipped")}  # fmt: skip
    single = {"DICOM file": "a.dcm", "DICOM frames": "a.dcm", "DICOM zip": "a.zip"}
    return {name: Kind(files, _taking(single.get(name, ""))) for name, files in names.items()}


def _models(folder: Path) -> dict[str, Kind]:
    from tiny_models import store

    from SuperResolutionLib.files import write
    from SuperResolutionLib.volume import Volume

    kinds = {}
    for name, file in (("model card", "tiny.json"), ("weights", "tiny.safetensors")):
        path = store(folder / name, "tiny")
        card = json.loads(path.with_suffix(".json").read_text())
        path.with_suffix(".json").write_text(json.dumps(card, indent=1))
        write(Volume(np.random.default_rng(0).integers(0, 900, (3, 6, 6)).astype(np.int16)), folder / name / "a.nii")
        chosen = ("--model", "IN/tiny.safetensors", "--precision", "float32", "--threads", "1", "--progress", "none")
        kinds[name] = Kind((file,), ("enhance", "IN/a.nii", "OUT/out.nrrd", *chosen))
    return kinds


def _trainings(folder: Path) -> dict[str, Kind]:
    import torch

    from SuperResolutionLib.training import checkpoint

    for name in ("recipe", "checkpoint"):
        (folder / name / "data").mkdir(parents=True)
    (folder / "recipe" / "tiny.toml").write_text(RECIPE)
    for step in (1, 2):
        state = {"step": step, "recipe": json.dumps({"steps": 4}), "weights": {"a": torch.arange(99.0)}, "best": None}
        checkpoint.save(state, folder / "checkpoint" / "checkpoint.pt")
    return {
        "recipe": Kind(("tiny.toml",), ("train", "IN/tiny.toml", "--data", "IN/data", "--out", "OUT/run")),
        "checkpoint": Kind(("checkpoint.pt", "checkpoint.before.pt"), ("checkpoint", "IN/checkpoint.pt")),
    }
