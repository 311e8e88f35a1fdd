"""The public sample: one real T1-weighted head, for whoever has no scan at hand. Never train on it.

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
MEMBER = "mappertrac/data/example_inputs/sub-011591/anat/sub-011591_T1w.nii.gz"
SHA256 = "54ced1a4611c90b1b604e1a80081b546324107c4d7240758d3ef538666fef6af"


def sample_scan(cache: Path | None = None) -> Path:
    """The path of the T1-weighted sample, fetched if `cache` does not hold it yet.

    cache: a folder; by default $XDG_CACHE_HOME/superresolution, or ~/.cache/superresolution.
    Raises InputError where it cannot be fetched, or is not the file it should be.
    """
    folder = cache or _cache_folder()
    scan = folder / Path(MEMBER).name
    if scan.is_file() and _is_the_sample(scan.read_bytes()):
        return scan
    print(f"Fetching a public sample scan (40 MB, once) into {folder} ...", file=sys.stderr, flush=True)
    try:
        folder.mkdir(parents=True, exist_ok=True)
        with TemporaryDirectory(prefix=".fetching-", dir=folder) as temporary:
            with ZipFile(_download(Path(temporary))) as wheel:
                content = wheel.read(MEMBER)
            if not _is_the_sample(content):
                raise InputError(f"The {scan.name} in {WHEEL} is not the file we know. {_OR_YOUR_OWN}")
            part = Path(temporary) / scan.name
            part.write_bytes(content)
            part.replace(scan)
    except (OSError, BadZipFile, KeyError) as error:
        raise InputError(f"The sample cannot be stored in {folder}: {error}. {_OR_YOUR_OWN}") from error
    return scan


_OR_YOUR_OWN = "Give a scan of your own: make demo INPUT=brain.nii.gz"


def _cache_folder() -> Path:
    return Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache") / "superresolution"


def _is_the_sample(content: bytes) -> bool:
    return hashlib.sha256(content).hexdigest() == SHA256


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
