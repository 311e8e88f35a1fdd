"""Exports of a scanner, small and with all that an archive needs, and series derived from them."""

import shutil
from pathlib import Path

import pytest
from scanner_exports import BVALS, BVECS, OBLIQUE, TAGS, WEIGHTS, smooth

import SuperResolutionLib as sr
from SuperResolutionLib.files.dicom.derived import Derivation, write_series
from SuperResolutionLib.files.dicom.series import Series, read_series


@pytest.fixture(scope="session")
def exports(tmp_path_factory) -> Path:
    """The exports without more tags, each made once in folders by their kinds."""
    return tmp_path_factory.mktemp("exports")


@pytest.fixture
def exported(tmp_path, make, exports):
    """A folder with a series of `kind` as scanners export it; more tags are set in every file, None leaves one out."""

    def export(kind: str = "classic", name: str = "dicom", **tags) -> Path:
        if tags:
            return build(tmp_path / name, kind, tags)
        if not (exports / kind).is_dir():
            build(exports / kind, kind, tags)
        return Path(shutil.copytree(exports / kind, tmp_path / name))

    def build(folder: Path, kind: str, tags: dict) -> Path:
        axes = OBLIQUE[:, :2].T.ravel().tolist()
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
