"""What lies in a folder, to see that nothing was left behind."""

from pathlib import Path


def contents(folder: Path) -> dict[str, bytes]:
    """Every file under a folder."""
    return {str(path): path.read_bytes() for path in folder.rglob("*") if path.is_file()}
