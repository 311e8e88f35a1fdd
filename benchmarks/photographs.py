"""Photographs for the recipe A-natural-image: scikit-image's samples and Debian's desktop backgrounds.

python -m benchmarks.photographs DIR, then superresolution train A-natural-image --data DIR --out runs/A-natural-image.
Elsewhere than on Debian or Ubuntu, the folder holds scikit-image's alone; add any of your own.
"""

import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

PACKAGE = "mate-backgrounds"
FOLDER = "usr/share/backgrounds/mate/nature"  # its other folders hold drawings
SAMPLES = (
    *("astronaut.png", "brick.png", "camera.png", "chelsea.png", "coffee.png", "coins.png"),
    *("grass.png", "gravel.png", "motorcycle_left.png", "motorcycle_right.png", "rocket.jpg"),
)


def collect(folder: Path) -> list[Path]:
    """Put the photographs into `folder`; returns them. What the wheel or the system does not have is left out."""
    import skimage

    folder.mkdir(parents=True, exist_ok=True)
    bundled = Path(skimage.__file__).parent / "data"
    found = [bundled / name for name in SAMPLES if (bundled / name).is_file()]
    with tempfile.TemporaryDirectory() as scratch:
        found += backgrounds(Path(scratch))
        return [Path(shutil.copy(path, folder)) for path in found]


def backgrounds(scratch: Path) -> list[Path]:
    """The photographs of Debian's package, unpacked under `scratch` and not installed; none where there is no apt."""
    if shutil.which("apt-get") is None:
        return []
    got = subprocess.run(["apt-get", "download", "-q", PACKAGE], cwd=scratch, capture_output=True, check=False)
    for package in scratch.glob("*.deb") if got.returncode == 0 else ():
        subprocess.run(["dpkg-deb", "-x", package, scratch], check=True)
    return sorted((scratch / FOLDER).glob("*.jpg"))


if __name__ == "__main__":
    for photograph in collect(Path(sys.argv[1])):
        print(photograph)
