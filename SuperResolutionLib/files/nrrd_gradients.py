"""The diffusion weighting in an NRRD header, as Slicer reads and writes it.

https://www.na-mic.org/wiki/NAMIC_Wiki:DTI:Nrrd_format
"""

import re

import numpy as np

from SuperResolutionLib.errors import InputError
from SuperResolutionLib.files.nrrd_header import FRAME, to_lps, vectors
from SuperResolutionLib.volume import UNWEIGHTED, Gradients

IDENTITY = f"{FRAME}: (1,0,0) (0,1,0) (0,0,1)"
_KEY = re.compile(r"dwmri_gradient_(\d{1,9})")


def is_diffusion(header: dict[str, str]) -> bool:
    """Whether a header says that its volumes are diffusion-weighted."""
    return header.get("modality", "").upper() == "DWMRI"


def read_gradients(name: str, header: dict[str, str], count: int) -> Gradients | None:
    """The gradients of a DWMRI header in LPS; None for any other.

    b is that of the longest vector, and of another one b times the square of its share of that length.
    Raises InputError where they are not whole.
    """
    if not is_diffusion(header):
        return None
    numbered = sorted((int(found[1]), key) for key in header if (found := _KEY.fullmatch(key)))
    lines = [header[key] for _, key in numbered]
    try:
        nominal = float(header.get("dwmri_b-value", "nan"))
        rows = np.array([[float(word) for word in line.split()] for line in lines], dtype=float)
        frame = vectors(header[FRAME]).T if FRAME in header else np.eye(3)
    except ValueError as error:
        raise _unreadable(name, f"they cannot be read ({str(error)[:100]})") from error
    if rows.shape != (count, 3) or not np.isfinite(nominal) or nominal < 0:
        raise _unreadable(
            name, f"{count} volumes, {len(lines)} gradients, b-value {header.get('dwmri_b-value', 'missing')[:40]}"
        )
    if not np.isfinite(rows).all() or not np.isfinite(frame).all():
        raise _unreadable(name, "NaN or infinite numbers")
    length = np.linalg.norm(rows, axis=1)
    signs = to_lps(header.get("space", ""))
    turned = rows @ frame.T * (np.ones(3) if signs is None else signs)
    size = np.linalg.norm(turned, axis=1)
    return Gradients(nominal * (length / (length.max() or 1)) ** 2, turned / np.where(size > 0, size, 1)[:, None])


def can_hold(gradients: Gradients) -> bool:
    """Whether NRRD can state them: a b-value is the length of a direction there, so a trace image would become a b0."""
    return bool(gradients.bvecs[gradients.bvals > UNWEIGHTED].any(axis=1).all())


def gradient_lines(gradients: Gradients | None) -> list[str]:
    """The header's lines for a series, none where it has no gradients that NRRD can state."""
    if gradients is None or not can_hold(gradients):
        return []
    directed = gradients.bvals * gradients.bvecs.any(axis=1)
    largest = float(max(directed.max(), 0))
    scale = np.sqrt(np.clip(directed, 0, None) / largest) if largest else np.zeros(len(directed))
    scaled = gradients.bvecs * scale[:, None]
    keys = [f"DWMRI_gradient_{k:04d}:=" + " ".join(f"{n:.17g}" for n in row) for k, row in enumerate(scaled)]
    return [IDENTITY, "modality:=DWMRI", f"DWMRI_b-value:={largest:.17g}", *keys]


def _unreadable(name: str, found: str) -> InputError:
    return InputError(f"{name} says it is diffusion, but its gradients are not whole: {found}. Convert it again.")
