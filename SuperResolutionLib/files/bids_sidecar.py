"""What the JSON beside an image says of its slices, as BIDS and dcm2niix name it."""

import json
import math
import warnings
from collections.abc import Mapping
from pathlib import Path

from SuperResolutionLib.files.common import ScanWarning
from SuperResolutionLib.files.sidecar import sidecar_path
from SuperResolutionLib.geometry.grid import stacking_axis
from SuperResolutionLib.volume import Volume

LARGEST = 2**24  # bytes: no sidecar is longer
APART = 0.05  # how far, as a share, its spacing of slices may lie from the image's


def with_thickness(volume: Volume, path: Path) -> Volume:
    """The volume with the SliceThickness of the JSON beside its file, where there is one.

    Warns of a JSON that cannot be read, and of a SpacingBetweenSlices that is not the image's: then they may not belong
    together, and the thickness is left out.
    """
    beside = sidecar_path(path)
    return with_stated_thickness(volume, _table(beside), beside.name, path.name)


def with_stated_thickness(volume: Volume, table: Mapping[str, object], whose: str, name: str) -> Volume:
    """The volume with the SliceThickness of a table of metadata, where it states one that can be meant.

    whose, name: how a warning calls the table and the image.
    """
    thickness = _length(table.get("SliceThickness"))
    if thickness is None or min(volume.size) < 2:
        return volume
    stated, spacing = _length(table.get("SpacingBetweenSlices")), volume.spacing[stacking_axis(volume)]
    if stated is not None and abs(stated - spacing) > APART * spacing:
        warnings.warn(
            f"{whose} says that slices are {stated:.4g} mm apart, and in {name} they are "
            f"{spacing:.4g} mm apart; its slice thickness is not used.",
            ScanWarning,
            stacklevel=4,
        )
        return volume
    return volume.with_thickness(thickness)


def _table(path: Path) -> dict[str, object]:
    if not path.is_file() or path.stat().st_size > LARGEST:
        return {}
    try:
        table = json.loads(path.read_text(encoding="utf-8"))
    except (ValueError, RecursionError, OSError):
        warnings.warn(
            f"{path.name} cannot be read as JSON; what it says of slices is not known.", ScanWarning, stacklevel=4
        )
        return {}
    return table if isinstance(table, dict) else {}


def _length(value: object) -> float | None:
    """A length in mm, None for what is none."""
    if not isinstance(value, (int, float)) or isinstance(value, bool):
        return None
    return float(value) if math.isfinite(value) and 0.01 <= value <= 100 else None
