"""The sidecar: a small JSON beside each output that says how it was made."""

import hashlib
import json
from pathlib import Path
from typing import Any

import numpy as np

from SuperResolutionLib.files.common import stem


def sidecar_path(output: str | Path) -> Path:
    """Where the sidecar of an output lies: brain.nii.gz -> brain.json."""
    output = Path(output)
    return output.with_name(stem(output) + ".json")


def write_sidecar(path: str | Path, record: dict[str, Any]) -> None:
    """Write a record as indented JSON; numpy values and paths are written as plain ones."""
    text = json.dumps(record, indent=2, ensure_ascii=False, default=_plain)
    # a file name that is no text is written as JSON's own escapes
    Path(path).write_text(text + "\n", encoding="utf-8", errors="backslashreplace")


def read_table(path: Path) -> dict[str, Any]:
    """The table in a JSON file; empty where there is none that can be read."""
    try:
        table = json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError, RecursionError):
        return {}
    return table if isinstance(table, dict) else {}


def sha256(path: str | Path) -> str:
    """The SHA-256 of a file, or of a folder: the names and contents of its files, in order of name."""
    path = Path(path)
    digest = hashlib.sha256()
    if path.is_file():
        _feed(digest, path)
    else:
        files = sorted((p.relative_to(path).as_posix(), p) for p in path.rglob("*") if p.is_file())
        for name, file in files:
            digest.update(f"{name}\0{file.stat().st_size}\0".encode())
            _feed(digest, file)
    return digest.hexdigest()


def _feed(digest: "hashlib._Hash", path: Path) -> None:
    with path.open("rb") as file:
        while block := file.read(1 << 20):
            digest.update(block)


def _plain(value: object) -> object:
    if isinstance(value, np.ndarray | np.generic):
        return value.tolist()
    return str(value)
