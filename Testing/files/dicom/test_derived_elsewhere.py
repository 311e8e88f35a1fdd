"""What other programs make of a derived series: a validator, converters, Slicer's own reader, an archive.

Real scans: with SUPERRESOLUTION_DATA. A program that is not installed skips its tests; `make test` installs them.
"""

import json
import os
import shutil
import subprocess
import sys
import tempfile
import warnings
import zipfile
from dataclasses import replace
from functools import cache
from pathlib import Path

import numpy as np
import pydicom
import pytest
import SimpleITK as sitk
from scanner_exports import KINDS

import SuperResolutionLib as sr
from SuperResolutionLib.files import read
from SuperResolutionLib.files.dicom.derived import Derivation, write_series
from SuperResolutionLib.files.dicom.series import Series, read_series
from SuperResolutionLib.geometry.grid import middle_slices
from SuperResolutionLib.volume import Gradients, Volume

DATA = Path(os.environ.get("SUPERRESOLUTION_DATA", "not set"))
SAMPLES = (
    "siemens_mosaic_dwi",
    "siemens_xa30_enhanced_dwi",
    "siemens_xa30_enhanced_t1",
    "uih_classic_dwi",
    "ge_classic_fmri",
)
REAL = [pytest.param(name, marks=pytest.mark.data) for name in SAMPLES]


def needs(*programs: str):
    lacking = [program for program in programs if shutil.which(program) is None]
    return pytest.mark.skipif(bool(lacking), reason=f"needs {', '.join(lacking)}, which `make test` installs on Debian")


@cache
def sample(name: str) -> Series:
    """A real series; of those with a file for each volume, the first four files."""
    with zipfile.ZipFile(DATA / f"dicom/{name}.zip") as whole, tempfile.TemporaryDirectory() as folder:
        files = sorted(info.filename for info in whole.infolist() if not info.is_dir())
        whole.extractall(folder, files if name == "ge_classic_fmri" else files[:4])
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # volumes are missing
            return read_series(folder)


def made(name: str, exported, tmp_path: Path) -> tuple[Volume, Path]:
    """A volume made finer, and the folder of the series derived from it: of a kind of source, or a real scan."""
    if name not in KINDS and not (DATA / "dicom").is_dir():
        pytest.skip("SUPERRESOLUTION_DATA does not name the data folder")
    series = few(sample(name)) if name not in KINDS else read_series(exported(name, name=f"source-{name}"))
    volume = sr.upsample(series.volume, "linear", 2)
    write_series(volume, series, tmp_path / name, Derivation(method="mri-x2"))
    return volume, tmp_path / name


@pytest.fixture(params=[*KINDS, *REAL])
def derived(request, exported, tmp_path):
    return made(request.param, exported, tmp_path)


def few(series: Series) -> Series:
    """Four slices and four volumes of a series: enough for other programs."""
    small, first = middle_slices(series.volume, 2, 4), (series.volume.size[2] - 4) // 2
    if small.voxels.ndim == 4:
        table = small.gradients and Gradients(small.gradients.bvals[:4], small.gradients.bvecs[:4])
        small = replace(small, voxels=small.voxels[:4], gradients=table)
    return replace(series, volume=small, volumes=[some[first : first + 4] for some in series.volumes[: small.count]])


def check(volume: Volume, other: Volume) -> None:
    """The same voxels in the same places, whatever the order of the axes, to half a step of 15 bits."""
    ours, theirs = upright(volume), upright(other)
    assert np.abs(ours.bounds() - theirs.bounds()).max() < 1e-3
    step = 0.06 if ours.voxels.dtype.kind == "f" else 0
    assert ours.voxels.shape == theirs.voxels.shape
    assert np.abs(ours.voxels - theirs.voxels.astype(ours.voxels.dtype)).max() <= step


def upright(volume: Volume) -> Volume:
    axes = [int(np.abs(row).argmax()) for row in volume.direction]
    lead = volume.voxels.ndim - 3
    voxels = np.transpose(volume.voxels, [*range(lead), *(lead + 2 - axis for axis in axes[::-1])])
    spacing, direction = [volume.spacing[axis] for axis in axes], volume.direction[:, axes].copy()
    origin = np.array(volume.origin)
    for axis in range(3):
        if direction[axis, axis] < 0:
            voxels = np.flip(voxels, lead + 2 - axis)
            origin += direction[:, axis] * spacing[axis] * (voxels.shape[lead + 2 - axis] - 1)
            direction[:, axis] *= -1
    return Volume(voxels, tuple(spacing), tuple(origin), direction)


def first_of(volume: Volume) -> Volume:
    one = volume.voxels if volume.voxels.ndim == 3 else volume.voxels[0]
    return Volume(one, volume.spacing, volume.origin, volume.direction)


def first_files(out: Path, volume: Volume) -> list[str]:
    return [str(path) for path in sorted(out.iterdir())[: volume.size[2]]]


@needs("dciodvfy")
def test_a_validator_of_the_standard_finds_no_errors(derived):
    _, out = derived
    paths = sorted(out.iterdir())
    for path in (paths[0], paths[len(paths) // 2], paths[-1]):
        done = subprocess.run(["dciodvfy", str(path)], capture_output=True, text=True)
        said = (done.stdout + done.stderr).splitlines()
        assert "MRImage" in said
        assert [line for line in said if line.startswith("Error")] == []


@needs("dcm2niix")
def test_dcm2niix_reads_the_same_volume_and_gradients(derived, tmp_path):
    volume, out = derived
    asked = ["dcm2niix", "-o", str(tmp_path), "-f", "converted", str(out)]
    said = subprocess.run(asked, capture_output=True, text=True, check=True).stdout
    assert [path.name for path in tmp_path.glob("*.nii*")] == ["converted.nii"], said
    back = read(tmp_path / "converted.nii")
    check(volume, back)
    if volume.gradients is None:
        assert back.gradients is None
        return
    weighted = volume.gradients.bvals > 50
    assert np.abs(back.gradients.bvals - volume.gradients.bvals)[weighted].max() < 0.01
    assert (back.gradients.bvals[~weighted] == 0).all()
    assert np.abs(back.gradients.bvecs - volume.gradients.bvecs)[weighted].max() < 1e-4


def test_simpleitk_reads_the_same_volume(derived):
    volume, out = derived
    reader = sitk.ImageSeriesReader()
    reader.SetFileNames(first_files(out, volume))
    check(first_of(volume), Volume.from_sitk(reader.Execute()))


SLICER = """
import json, sys
import numpy, slicer, vtk
from vtk.util.numpy_support import vtk_to_numpy
logic, scene = slicer.vtkSlicerVolumesLogic(), slicer.vtkMRMLScene()
logic.SetMRMLScene(scene)
for out, paths in json.loads(sys.stdin.read()).items():
    names = vtk.vtkStringArray()
    for path in paths:
        names.InsertNextValue(path)
    node = logic.AddArchetypeVolume(paths[0], "series", 0, names)
    matrix = vtk.vtkMatrix4x4()
    node.GetIJKToRASMatrix(matrix)
    image = node.GetImageData()
    voxels = vtk_to_numpy(image.GetPointData().GetScalars()).reshape(image.GetDimensions()[::-1])
    affine = [[matrix.GetElement(i, j) for j in range(4)] for i in range(4)]
    numpy.savez(out, voxels=voxels, affine=affine)
"""


@pytest.mark.parametrize("names", [KINDS, pytest.param(SAMPLES, marks=pytest.mark.data)], ids=["made", "real"])
def test_slicers_own_reader_reads_the_same_volumes(exported, tmp_path, names):
    pytest.importorskip("vtk", reason="slicer-core and vtk are not installed")
    every = {name: made(name, exported, tmp_path) for name in names}
    asked = {str(tmp_path / f"{name}.npz"): first_files(out, volume) for name, (volume, out) in every.items()}
    done = subprocess.run([sys.executable, "-c", SLICER], input=json.dumps(asked), capture_output=True, text=True)
    if "No module named 'slicer'" in done.stderr:
        pytest.skip("slicer-core is not installed")
    for name, (volume, _) in every.items():
        found = np.load(tmp_path / f"{name}.npz")
        columns = np.diag([-1, -1, 1]) @ found["affine"][:3]
        spacing = np.linalg.norm(columns[:, :3], axis=0)
        check(first_of(volume), Volume(found["voxels"], tuple(spacing), tuple(columns[:, 3]), columns[:, :3] / spacing))


def may_unshare() -> bool:
    tool = shutil.which("unshare")
    return tool is not None and subprocess.run([tool, "-n", "true"], capture_output=True).returncode == 0


@needs("Orthanc", "storescu", "findscu", "getscu", "ip")
@pytest.mark.skipif(not may_unshare(), reason="an archive of our own needs a network of its own (unshare -n)")
def test_an_archive_takes_two_derived_series_into_the_study_and_gives_them_back(exported, derive, tmp_path):
    """C-STORE, REST upload, C-FIND, C-GET with Orthanc."""
    source = exported()
    for name in ("once", "twice"):
        derive(source, name)
    for folder, names in (("stored", ("dicom", "once")), ("uploaded", ("twice",))):
        (tmp_path / folder).mkdir()
        for name in names:
            for path in (tmp_path / name).iterdir():
                shutil.copy(path, tmp_path / folder / f"{name}-{path.name}")
    (tmp_path / "work").mkdir()
    script, folders = (
        Path(__file__).with_name("archive.py"),
        [tmp_path / name for name in ("stored", "uploaded", "work")],
    )
    done = subprocess.run(
        ["unshare", "-n", sys.executable, script, *folders], capture_output=True, text=True, timeout=120
    )
    assert done.returncode == 0, done.stderr
    headers = [pydicom.dcmread(path) for path in tmp_path.glob("*ed/*.dcm")]
    sent = {header.SOPInstanceUID: header for header in headers}
    answers = [pydicom.dcmread(path, force=True) for path in (tmp_path / "work/found").iterdir()]
    assert {answer.StudyInstanceUID for answer in answers} == {"1.2.3.4"}
    assert {answer.SeriesInstanceUID for answer in answers} == {one.SeriesInstanceUID for one in sent.values()}
    assert len(answers) == 3
    back = [pydicom.dcmread(path) for path in (tmp_path / "work/fetched").iterdir()]
    assert {one.SOPInstanceUID for one in back} == set(sent)
    assert len(sent) == len(headers) == 15
    for one in back:
        given = sent[one.SOPInstanceUID]
        assert one.PixelData == given.PixelData
        assert one.PatientName == given.PatientName == "Müller^Jürgen"
        assert json.loads(one.to_json())["0020000E"] == json.loads(given.to_json())["0020000E"]
