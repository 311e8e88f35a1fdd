"""What every sidecar says of where its image came from."""

import time
from pathlib import Path
from typing import Any

from SuperResolutionLib import __version__
from SuperResolutionLib.files.sidecar import sha256

USE = "Research use only. Not a medical device. The image was made sharper by computation, not by the scanner."


def provenance(source: Path, record: dict[str, Any]) -> dict[str, Any]:
    """A record with the input and its SHA-256 before it, and the version and the date behind it."""
    return {
        "input": str(source.name),
        "input_sha256": sha256(source),
        **record,
        "software": f"SuperResolution {__version__}",
        "date": time.strftime("%Y-%m-%dT%H:%M:%S%z"),
        "use": USE,
    }
