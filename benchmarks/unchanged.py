"""Does a change of the code leave the results alone? Restore twelve scans before it and after it, and compare.

    python -m benchmarks.unchanged --data DIR --out before          # at the commit before the change
    python -m benchmarks.unchanged --data DIR --out after --than before

Every row goes through the command line in a process of its own, so that the two versions need nothing in common but
that. Voxels may differ by 1e-5 of the scan's range R, and a sidecar may say more than before, but not less. The scans
are the middles of the test volumes, to keep the minutes few.
"""

import argparse
import json
import subprocess
import sys
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np

from SuperResolutionLib import files
from SuperResolutionLib.volume import Volume

TOLERANCE = 1e-5  # of R
NEAR = 1e-5  # mm: a NIfTI header holds places no more exactly
CHANGING = ("date", "software", "input_sha256", "seconds")  # of a sidecar: different in every run, or in every version


@dataclass(frozen=True)
class Row:
    """One restoration: the scan, and what follows INPUT and OUTPUT on the command line.

    cut: voxels along x, y, z that are taken from the middle of the scan; scan "tensors": those fitted to the series.
    """

    name: str
    scan: str
    options: tuple[str, ...]
    command: str = "enhance"
    cut: tuple[int, int, int] = (96, 96, 12)


T1W, FLAIR = "structural/test/ds002748_sub-28_T1w.nii.gz", "structural/test/openms_patient01_FLAIR.nii.gz"
SERIES = "diffusion/test/uih_16dir.nii.gz"
ROWS = (
    Row("structural-x2", T1W, ("--scale", "2")),
    Row("structural-x4", FLAIR, ("--scale", "4"), cut=(48, 48, 8)),
    Row("structural-consistent", T1W, ("--scale", "2", "--consistent")),
    Row("structural-uncertainty", FLAIR, ("--scale", "2", "--uncertainty", "{spread}"), cut=(48, 48, 8)),
    Row("structural-ensemble-x4", T1W, ("--scale", "4", "--ensemble"), cut=(40, 40, 6)),
    Row("structural-slice", T1W, ("--scale", "2", "--slice", "5")),
    Row("structural-coronal", T1W, ("--scale", "2", "--plane", "coronal"), cut=(64, 12, 64)),
    Row("recognised-x2", T1W, ("--scale", "2"), cut=(160, 200, 10)),
    Row("series-x2", SERIES, ("--scale", "2"), cut=(64, 64, 6)),
    Row("series-slice-consistent", SERIES, ("--scale", "2", "--slice", "3", "--consistent"), cut=(64, 64, 6)),
    Row("tensors-x2", "tensors", ("--scale", "2"), cut=(64, 64, 6)),
    Row("sinc-x4", FLAIR, ("--scale", "4", "--method", "sinc"), "upsample"),
    Row("bspline-coronal", T1W, ("--scale", "2", "--method", "bspline", "--plane", "coronal"), "upsample"),
    Row("rician", T1W, ("--scale", "2", "--degradation", "rician:snr=20"), "degrade"),
    Row("area-axial-x4", FLAIR, ("--scale", "4", "--degradation", "area", "--plane", "axial"), "degrade"),
)


def make(row: Row, data: Path, out: Path) -> None:
    """Cut the scan, run the row, leave OUTPUT, the spread and their sidecars in `out`."""
    series = row.scan == "tensors"
    volume = files.read(data / (SERIES if series else row.scan))
    source = out / f"{row.name}-input.nii.gz"
    files.write(_middle(volume, row.cut), source, overwrite=True)
    if row.name.startswith("recognised"):  # a coarse scan whose forward model is known to the model
        _run("degrade", source, out / f"{row.name}-coarse.nii.gz", ("--degradation", "k_space"))
        source = out / f"{row.name}-coarse.nii.gz"
    if series:
        _call("tensor", str(source), str(out / "fitted"), "--overwrite")
        source = out / "fitted" / "tensor.nrrd"
    result = out / f"{row.name}.nrrd"
    options = tuple(option.format(spread=out / f"{row.name}-spread.nrrd") for option in row.options)
    _run(row.command, source, result, options)


def _run(command: str, source: Path, result: Path, options: tuple[str, ...]) -> None:
    _call(command, str(source), str(result), *options, "--overwrite")


def _call(*arguments: str) -> None:
    command = [sys.executable, "-m", "SuperResolutionLib.cli", *arguments]
    subprocess.run(command, check=True, stdout=subprocess.DEVNULL)


def _middle(volume: Volume, cut: tuple[int, int, int]) -> Volume:
    first = [max(0, (n - c) // 2) for n, c in zip(volume.size, cut, strict=True)]
    keep = tuple(slice(f, f + c) for f, c in zip(first, cut, strict=True))[::-1]
    origin = np.asarray(volume.origin) + volume.direction @ (np.array(first) * volume.spacing)
    x, y, z = (float(mm) for mm in origin)
    return replace(volume, voxels=volume.voxels[(..., *keep)], origin=(x, y, z))


def compare(before: Path, after: Path) -> list[str]:
    """The names of the results that are not as they were."""
    wrong = []
    for old in sorted(before.glob("*.nrrd")):
        one, other = (files.read(folder / old.name) for folder in (before, after))
        r = float(np.percentile(np.abs(one.voxels[0] if one.voxels.ndim == 4 else one.voxels), 99.9)) or 1.0
        away = np.abs(one.voxels.astype(np.float64) - other.voxels).max() / r
        moved = np.abs(one.bounds() - other.bounds()).max()
        missing = _missing(old.with_suffix(".json"), after)
        print(
            f"{old.name:<34} voxels differ by {away:.1e} of R, places by {moved:.1e} mm; lost: {missing or 'nothing'}"
        )
        if away > TOLERANCE or moved > NEAR or missing:
            wrong.append(old.name)
    return wrong


def _missing(sidecar: Path, after: Path) -> list[str]:
    """What a sidecar said before and no longer says, or says otherwise."""
    if not sidecar.exists():
        return []
    one, other = (json.loads((folder / sidecar.name).read_text()) for folder in (sidecar.parent, after))
    return [k for k, v in one.items() if k not in CHANGING and (k not in other or other[k] != v)]


def main() -> None:
    """Make every row; compare with those of before where there are any. Exit code 1 if something changed."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--data", type=Path, required=True)
    parser.add_argument("--out", type=Path, required=True, help="a folder for the results")
    parser.add_argument("--than", type=Path, help="the folder of the results before")
    parser.add_argument("--only", nargs="+", metavar="ROW", help="these rows")
    options = parser.parse_args()
    options.out.mkdir(parents=True, exist_ok=True)
    for row in ROWS:
        if options.only is None or row.name in options.only:
            make(row, options.data, options.out)
            print(row.name, flush=True)
    if options.than is not None and (wrong := compare(options.than, options.out)):
        sys.exit(f"changed: {', '.join(wrong)}")


if __name__ == "__main__":
    main()
