"""The public sample: one real head, T1-weighted and diffusion, for whoever has no scan at hand. Never train on it.

It is sub-011591 of the wheel mappertrac 1.3.1 (BSD 3-clause, Lawrence Livermore National Security), fetched
once from the package index into a cache outside the tree. `python -m benchmarks.sample` prints where it lies.
"""

import hashlib
import os
import subprocess
import sys
from pathlib import Path
from tempfile import TemporaryDirectory
from zipfile import BadZipFile, ZipFile

from SuperResolutionLib.errors import InputError

WHEEL = "mappertrac==1.3.1"
SUBJECT = "mappertrac/data/example_inputs/sub-011591"
MEMBER = f"{SUBJECT}/anat/sub-011591_T1w.nii.gz"
SHA256 = {
    MEMBER: "54ced1a4611c90b1b604e1a80081b546324107c4d7240758d3ef538666fef6af",
    f"{SUBJECT}/dwi/sub-011591_dwi.bval": "4c93e312703c3047fcb33473ec44c7bfb0d13790ddfb2074729fe0532ae009cc",
    f"{SUBJECT}/dwi/sub-011591_dwi.bvec": "5418f828f44101fc6a678f47aaaca6579466ddd0eaa618ef3fbc6e2ded21618c",
    f"{SUBJECT}/dwi/sub-011591_dwi.nii.gz": "bb99265f6dd7b5c4abc473d8e784b8e178a529c75b494a35bfa28972bb155850",
}


def sample_scan(cache: Path | None = None) -> Path:
    """The path of the T1-weighted sample, fetched if `cache` does not hold it yet.

    cache: a folder; by default $XDG_CACHE_HOME/superresolution, or ~/.cache/superresolution.
    Raises InputError where it cannot be fetched, or is not the file it should be.
    """
    return _fetched([MEMBER], cache)[0]


def sample_series(cache: Path | None = None) -> Path:
    """The path of the sample's diffusion series (70 volumes, b 0 and 1000), its .bval and .bvec beside it.

    cache and errors: as `sample_scan`.
    """
    return _fetched([member for member in SHA256 if "/dwi/" in member], cache)[-1]


def _fetched(members: list[str], cache: Path | None) -> list[Path]:
    """Where members of the wheel lie, once they are there."""
    folder = cache or _cache_folder()
    paths = [folder / Path(member).name for member in members]
    if all(p.is_file() and _is_the_sample(m, p.read_bytes()) for m, p in zip(members, paths, strict=True)):
        return paths
    print(f"Fetching a public sample scan (40 MB, once) into {folder} ...", file=sys.stderr, flush=True)
    try:
        folder.mkdir(parents=True, exist_ok=True)
        with TemporaryDirectory(prefix=".fetching-", dir=folder) as temporary:
            with ZipFile(_download(Path(temporary))) as wheel:
                contents = [wheel.read(member) for member in members]
            for member, path, content in zip(members, paths, contents, strict=True):
                if not _is_the_sample(member, content):
                    raise InputError(f"The {path.name} in {WHEEL} is not the file we know. {_OR_YOUR_OWN}")
                part = Path(temporary) / path.name
                part.write_bytes(content)
                part.replace(path)
    except (OSError, BadZipFile, KeyError) as error:
        raise InputError(f"The sample cannot be stored in {folder}: {error}. {_OR_YOUR_OWN}") from error
    return paths


_OR_YOUR_OWN = "Give a scan of your own: make demo INPUT=brain.nii.gz"


def _cache_folder() -> Path:
    return Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache") / "superresolution"


def _is_the_sample(member: str, content: bytes) -> bool:
    return hashlib.sha256(content).hexdigest() == SHA256[member]


def _download(folder: Path) -> Path:
    """The wheel, fetched into `folder` by pip, which knows the user's mirrors, proxies and certificates."""
    pip = [sys.executable, "-m", "pip", "download", "--quiet", "--no-deps", "--only-binary=:all:"]
    done = subprocess.run([*pip, "--retries=2", "--dest", folder, WHEEL], capture_output=True, text=True)
    wheels = list(folder.glob("*.whl"))
    if done.returncode or not wheels:
        reason = (done.stderr.strip().splitlines() or ["pip said nothing"])[-1]
        raise InputError(f"The sample scan cannot be fetched; is there a network? ({reason}) {_OR_YOUR_OWN}")
    return wheels[0]


if __name__ == "__main__":
    try:
        print(sample_scan())
    except InputError as error:
        sys.exit(f"{error}")
