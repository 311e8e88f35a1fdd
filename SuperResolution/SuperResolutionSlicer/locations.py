"""Where the library and the resources lie: beside the module when installed, one folder up in a source checkout."""

import sys
from pathlib import Path

MODULE_FOLDER = Path(__file__).resolve().parents[1]


def home() -> Path:
    """The folder that holds SuperResolutionLib and Resources. Raises ModuleNotFoundError where there is none."""
    for folder in (MODULE_FOLDER, MODULE_FOLDER.parent):
        if (folder / "SuperResolutionLib" / "__init__.py").is_file():
            return folder
    raise ModuleNotFoundError(
        f"SuperResolutionLib is neither in {MODULE_FOLDER} nor beside it; install the extension again."
    )


def make_importable() -> None:
    """Let `import SuperResolutionLib` work: Slicer puts only the module's own folder on the path."""
    folder = str(home())
    if folder not in sys.path:
        sys.path.append(folder)


def forget() -> None:
    """Drop the library and this package from Python's memory, so that Reload reads every file anew."""
    for name in [name for name in sys.modules if name.split(".")[0] in ("SuperResolutionLib", "SuperResolutionSlicer")]:
        del sys.modules[name]


def resource(*parts: str) -> str:
    """The path of a file under Resources."""
    return str(home().joinpath("Resources", *parts))
