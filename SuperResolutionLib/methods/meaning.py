"""Are voxels intensities? Labels, phases, maps and other modalities are not what networks have learnt from.

What the file says counts first (DICOM's modality and image type, NIfTI's intent, the name), then the voxels themselves.
"""

from collections import Counter

import numpy as np

from SuperResolutionLib.errors import InputError
from SuperResolutionLib.files.kinds import LABELS, MAP, PHASE
from SuperResolutionLib.header import INTENSITIES, Header
from SuperResolutionLib.volume import TENSOR, Volume

FORCE = "if they are intensities nevertheless, give volume.as_intensities()"
_INTENT_LABEL = 1002  # of NIfTI
_SAMPLE = 2**20  # voxels by which most scans are known for one at once
_FEW, _MANY = 64, 512  # distinct values of most label images, and of the largest atlases
_ALIKE = 0.6  # share of equal neighbours in labelled regions; of the finest grey values of a scan it is half of that
_EVEN = 0.75  # spread of phases, as a share of that of an even distribution over the whole circle
_TURNS = ((2 * np.pi, 2e-3), (360.0, 0.5), (4096.0, 1.0))  # a whole turn, and how far beyond it rounding goes
_LEAST_SHARE = 0.03  # of the voxels in each eighth of a turn; evenly it would be 0.125
_LEAPS = 0.1  # neighbours that lie a turn apart, for each pair half a turn apart: 0.2 in noise, more where it is smooth
_CYCLES = ((np.pi, 2e-3), (4096.0, 1.0))  # half a turn, and how far beyond it rounding goes


def check_intensities(volume: Volume, force: str = FORCE) -> None:
    """Raise InputError for what a network must not enhance. force: what to do where the voxels are intensities."""
    if found := not_intensities(volume):
        raise InputError(f"The voxels are no intensities of an MR scan: {found[1]}; choose the scan, or {force}.")


def check_continuous(volume: Volume, force: str = FORCE) -> None:
    """Raise InputError for labels and phases, between which there is no mean. force: as in `check_intensities`."""
    found = not_intensities(volume)
    if found and found[0] in (LABELS, PHASE):
        raise InputError(
            f"The voxels are no intensities: {found[1]}, and means of these mean nothing; interpolate them by "
            f"'nearest', or {force}."
        )


def not_intensities(volume: Volume) -> tuple[str, str] | None:
    """What the voxels are instead: a kind, and what shows it, in words; None for intensities."""
    header = volume.header or Header()
    if volume.quantity == TENSOR or header.kind == INTENSITIES:
        return None
    if header.modality not in ("", "MR"):
        return header.modality, f"the file says that its modality is {header.modality}"
    if header.kind:
        return header.kind, f"by its name or header the file holds {header.kind}"
    if header.intent[0] == _INTENT_LABEL:
        return LABELS, "the file says that it holds labels"
    if half := _half_turn(volume.voxels):
        return PHASE, f"they fill the range from -{half:.4g} to {half:.4g} evenly, as phases do"
    if turn := _turn(volume.voxels):
        return PHASE, f"they fill the range from 0 to {turn:.4g} evenly and leap from its end to its beginning"
    if _unit_vectors(volume):
        return MAP, "the three volumes are the components of unit vectors, as fitted directions are"
    if count := _labels(volume.voxels):
        return LABELS, f"they have only {count} different values, in regions of one value each, as labels or masks have"
    return None


def _half_turn(voxels: np.ndarray) -> float:
    """Half a turn, in the unit of phases; 0 where the voxels are none: they fill the circle, evenly but for zeros."""
    low, high = float(np.min(voxels)), float(np.max(voxels))
    for half, beyond in _CYCLES:
        if -half - beyond <= low < -0.95 * half and 0.95 * half < high <= half + beyond:
            spread = float(np.std(voxels[voxels != 0], dtype=np.float64))
            return half if spread > _EVEN * half / np.sqrt(3) else 0.0
    return 0.0


def _turn(voxels: np.ndarray) -> float:
    """A whole turn, in the unit of phases that have no sign; 0 where the voxels are none.

    A bright scan may fill such a range too; then some shares of it are rare, and neighbours seldom lie at its two ends.
    """
    low, high = float(np.min(voxels)), float(np.max(voxels))
    turn = next((t for t, beyond in _TURNS if 0 <= low < 0.02 * t and 0.95 * t < high <= t + beyond), 0.0)
    if not turn:
        return 0.0
    far = near = 0
    shares = np.zeros(8)
    for index in np.ndindex(voxels.shape[:-2]):
        piece = voxels[index].astype(np.float32) / np.float32(turn)
        seen = piece != 0
        shares += np.histogram(piece[seen], 8, (0, 1))[0]
        steps = np.abs(np.diff(piece, axis=1))[seen[:, 1:] & seen[:, :-1]]
        far += int(np.count_nonzero(steps > 0.8))
        near += int(np.count_nonzero((steps > 0.4) & (steps < 0.6)))
    even = shares.min() > _LEAST_SHARE * shares.sum()
    return turn if even and far > _LEAPS * max(near, 1) else 0.0


def _unit_vectors(volume: Volume) -> bool:
    """Whether a series of three volumes is a vector of length 1 in every voxel, or none."""
    if volume.voxels.ndim != 4 or len(volume.voxels) != 3 or volume.voxels.dtype.kind != "f":
        return False
    unit = some = 0
    for z in range(volume.voxels.shape[1]):
        lengths = np.linalg.norm(volume.voxels[:, z].astype(np.float32), axis=0)
        some += int(np.count_nonzero(lengths))
        unit += int(np.count_nonzero(np.abs(lengths - 1) < 0.01))
    return unit > 0.99 * max(some, 1)


def _labels(voxels: np.ndarray) -> int:
    """How many labels there are; 0 where the voxels are none."""
    sample = voxels.ravel()[:: max(1, voxels.size // _SAMPLE)]
    if len(np.unique(sample)) > _MANY or not np.array_equal(sample, np.rint(sample)):
        return 0
    counts = _counts(voxels)
    count = len(counts)
    if not 2 <= count <= min(_MANY, voxels.size // 8) or any(value != round(value) for value in counts):
        return 0
    alike = _equal_neighbours(voxels, max(sorted(counts), key=counts.__getitem__))
    if count == 2 or (np.mean(alike) if count <= _FEW else min(alike)) > _ALIKE:
        return count
    return 0


def _counts(voxels: np.ndarray) -> Counter[float]:
    """How often each value occurs, slice by slice; it ends where there are too many values for labels."""
    found: Counter[float] = Counter()
    for index in np.ndindex(voxels.shape[:-2]):
        values, counts = np.unique(voxels[index], return_counts=True)
        found.update(dict(zip(values.tolist(), counts.tolist(), strict=True)))
        if len(found) > _MANY:
            break
    return found


def _equal_neighbours(voxels: np.ndarray, background: float) -> list[float]:
    """Along each axis of space, the share of neighbours outside the background that are equal; slice by slice."""
    equal, outside = np.zeros(3), np.zeros(3)
    for volume in voxels if voxels.ndim == 4 else voxels[None]:
        for k, piece in enumerate(volume):
            pairs = [(piece[:, 1:], piece[:, :-1]), (piece[1:], piece[:-1])] + [(volume[k - 1], piece)] * (k > 0)
            for axis, (one, other) in enumerate(pairs):
                seen = (one != background) | (other != background)
                outside[axis] += np.count_nonzero(seen)
                equal[axis] += np.count_nonzero(seen & (one == other))
    return [float(e / o) for e, o in zip(equal, outside, strict=True) if o] or [1.0]
