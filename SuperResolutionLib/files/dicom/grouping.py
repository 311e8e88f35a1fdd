"""What belongs together: the images of a folder as the volumes and series that they are.

`candidates` alone decides it, from what the headers say of series, kind of image, echo, plane and place.
"""

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from functools import cached_property

import numpy as np

from SuperResolutionLib.files.dicom import placing, shown
from SuperResolutionLib.files.dicom.described import Image, images_of
from SuperResolutionLib.files.dicom.headers import damage_named, find, image_type, listed, number
from SuperResolutionLib.files.dicom.sources import Source

_SAME_PLACE = 0.05  # mm
_TOLERANCE = {"echo": 0.02, "plane": 1e-3, "spacing": 1e-3}  # ms, of unit vectors, mm


@dataclass(frozen=True, eq=False)
class Candidate:
    """Images that belong together: one volume, or one series of volumes.

    label: the number by which it is offered. joined: every image claims to be a series of its own. turned: its series
    has images of other orientations.
    """

    label: str
    images: list[Image]
    joined: bool = False
    turned: bool = False

    @cached_property
    def uid(self) -> str:
        """Its SeriesInstanceUID, '' for none."""
        return str(self.images[0].header.get("SeriesInstanceUID") or "")

    @cached_property
    def series(self) -> tuple[str, ...]:
        """What all parts of one series share."""
        return _series(self.images[0])

    @cached_property
    def kind(self) -> str:
        """What its voxels are; '' for magnitude."""
        return shown.kind(self.images[0].levels)

    @cached_property
    def contrast(self) -> str:
        """Which of several images of one signal it is."""
        return shown.contrast(self.images[0].levels)

    @cached_property
    def called(self) -> str:
        """What the scanner calls its series."""
        header = self.images[0].header
        return str(header.get("SeriesDescription") or header.get("ProtocolName") or "").strip()

    @cached_property
    def places(self) -> set[tuple[int, ...]]:
        """Where its images lie, in steps of a twentieth of a millimetre."""
        return {tuple(np.rint(image.place / _SAME_PLACE).astype(int).tolist()) for image in self.images}

    @cached_property
    def picture(self) -> str:
        """Why it is a picture rather than a scan; '' for a scan."""
        return shown.picture(self.images[0].levels)

    @cached_property
    def has_place(self) -> bool:
        """Whether it says where it lies."""
        return shown.has_place(self.images[0].levels)

    @cached_property
    def is_localizer(self) -> bool:
        """Whether it is there to plan others on."""
        return shown.is_localizer(self.images[0].levels)

    @cached_property
    def is_volumetric(self) -> bool:
        """Whether it is a scan in three dimensions, and there for itself."""
        if self.picture or self.is_localizer or self.turned:
            return False
        return self.images[0].holds_volume or len(self.places) > 1


def candidates(sources: Iterable[Source]) -> list[Candidate]:
    """The volumes and series that the images of a folder are, in the order of their series' numbers.

    Of one series apart go: kinds of image, echoes, planes, sizes, and whatever else differs between images at one
    place. Images that are a series each, and otherwise alike, are joined. Raises InputError for damaged headers.
    """
    images = [image for source in sources for image in images_of(source)]
    groups: list[list[Image]] = []
    for alike in _by(images, _exact):
        for near in _near(alike):
            groups += _apart_at_one_place(near)
    joined, single = _joined(groups)
    return _labelled(joined, single)


def series_number(image: Image) -> int:
    """The SeriesNumber, 0 for none."""
    return int(number(image.header.get("SeriesNumber")))


def differences(some: list[Candidate]) -> list[str]:
    """In what the candidates of one series differ, the names of `WAYS`; the last two only where nothing else."""
    found = [way for way, text in WAYS.items() if len({text(candidate.images[0]) for candidate in some}) > 1]
    return [way for way in found if way not in _FINE_PRINT] or found


def _kind(image: Image) -> str:
    return shown.kind(image.levels) or shown.contrast(image.levels)


def _plane(image: Image) -> str:
    if not shown.has_place(image.levels):
        return ""
    normal = placing.axes(image.name, image.levels)[:, 2]
    plane = ("sagittal", "coronal", "axial")[int(np.abs(normal).argmax())]
    return f"{plane} (normal {' '.join(f'{part:.2f}' for part in normal)})"


def _dimensions(image: Image) -> str:
    rows, columns = _size(image)
    y, x = (number(part) for part in listed(find(image.levels, "PixelSpacing"))[:2] or (0, 0))
    return f"{columns} x {rows} of {x:.3g} x {y:.3g} mm"


# What tells parts of one series from each other, as it is said.
WAYS: dict[str, Callable[[Image], str]] = {
    "kind of image": _kind,
    "echo time": lambda image: f"TE {_echo(image):.4g} ms",
    "inversion time": lambda image: f"TI {number(find(image.levels, 'InversionTime')):.5g} ms",
    "flip angle": lambda image: f"flip angle {number(find(image.levels, 'FlipAngle')):.4g}",
    "orientation": _plane,
    "size": _dimensions,
    "echo number": lambda image: f"echo {find(image.levels, 'EchoNumbers')}",
    "type of image": lambda image: " ".join(image_type(image.levels)).lower(),
}
_FINE_PRINT = ("echo number", "type of image")


_ALIKE = ("PatientID", "StudyInstanceUID", "SeriesDescription", "Modality", "SOPClassUID")


def _by(images: Iterable[Image], key: Callable[[Image], object]) -> list[list[Image]]:
    found: dict[object, list[Image]] = {}
    for image in images:
        with damage_named(image.name):
            found.setdefault(key(image), []).append(image)
    return list(found.values())


def _series(image: Image) -> tuple[str, ...]:
    words = ("SeriesInstanceUID", "SeriesNumber", *_ALIKE)
    return tuple(str(image.header.get(word) or "") for word in words)


def _exact(image: Image) -> tuple[object, ...]:
    """What has to be equal, word for word."""
    levels = image.levels
    kinds = (shown.kind(levels), shown.contrast(levels), "LOCALIZER" in image_type(levels), shown.picture(levels))
    return (*_series(image), *kinds, _size(image), image.holds_volume, shown.has_place(levels))


def _size(image: Image) -> tuple[int, int]:
    """Rows and columns."""
    return int(image.header.Rows), int(image.header.Columns)


def _echo(image: Image) -> float:
    return number(find(image.levels, "EffectiveEchoTime") or find(image.levels, "EchoTime"))


def _numeric(image: Image) -> dict[str, np.ndarray]:
    """What has to be equal but for rounding; of its place nothing where it has none."""
    if not shown.has_place(image.levels):
        return {"echo": np.array([_echo(image)]), "plane": np.zeros(6), "spacing": np.zeros(2)}
    return {
        "echo": np.array([_echo(image)]),
        "plane": placing.axes(image.name, image.levels)[:, :2].ravel(),
        "spacing": np.array(placing.spacing(image.name, image.levels)),
    }


def _near(images: list[Image]) -> list[list[Image]]:
    """The images by echo, plane and pixel size, which headers round."""
    found: list[tuple[dict[str, np.ndarray], list[Image]]] = []
    for image in images:
        with damage_named(image.name):
            own = _numeric(image)
        for other, group in found:
            if all(np.abs(own[way] - other[way]).max() <= most for way, most in _TOLERANCE.items()):
                group.append(image)
                break
        else:
            found.append((own, [image]))
    return [group for _, group in found]


def _apart_at_one_place(images: list[Image]) -> list[list[Image]]:
    """The images by the rest of what makes contrast, where images of two kinds lie at one place.

    Where they do not, the difference is one between the slices of one volume, as scanners write it.
    """
    if not shown.has_place(images[0].levels):
        return [images]
    kinds = _by(images, _rest)
    if len(kinds) == 1:
        return [images]
    count = sum(len(Candidate("", kind).places) for kind in kinds)
    return kinds if len(Candidate("", images).places) < count else [images]


def _rest(image: Image) -> tuple[object, ...]:
    settings = [round(number(find(image.levels, word)), 1) for word in ("InversionTime", "FlipAngle")]
    return tuple(image_type(image.levels)), str(find(image.levels, "EchoNumbers") or ""), *settings


def _joined(groups: list[list[Image]]) -> tuple[list[list[Image]], list[list[Image]]]:
    """Lone images that differ in their series and their place only, joined; and all the groups that stay."""
    lone = [g[0] for g in groups if len(g) == 1 and shown.has_place(g[0].levels) and not g[0].holds_volume]
    together = [near for alike in _by(lone, lambda image: _exact(image)[2:]) for near in _near(alike) if _stacked(near)]
    inside = {id(image) for images in together for image in images}
    return together, [group for group in groups if id(group[0]) not in inside]


def _stacked(images: list[Image]) -> bool:
    uids = {str(image.header.get("SeriesInstanceUID")) for image in images}
    return len(images) > 1 and len(uids) == len(Candidate("", images).places) == len(images)


def _labelled(joined: list[list[Image]], single: list[list[Image]]) -> list[Candidate]:
    """Each group with the number of its series; parts of one series as 5a, 5b; numbers that are free for the rest."""
    parts: dict[tuple[int, tuple[str, ...]], list[list[Image]]] = {}
    for group in single:
        parts.setdefault((series_number(group[0]), _series(group[0])), []).append(group)
    stated = [count for count, _ in parts]
    free = (k for k in range(1, 1 << 31) if k not in stated)
    found: list[Candidate] = []
    for (count, _), groups in sorted(parts.items(), key=lambda pair: pair[0]):
        base = count if count and stated.count(count) == 1 else next(free)
        labels = [f"{base}{_letters(k)}" for k in range(len(groups))] if len(groups) > 1 else [str(base)]
        turned = "orientation" in differences([Candidate("", group) for group in groups])
        found += [Candidate(label, group, turned=turned) for label, group in zip(labels, groups, strict=True)]
    return found + [Candidate(str(next(free)), group, joined=True) for group in joined]


def _letters(k: int) -> str:
    return ("" if k < 26 else _letters(k // 26 - 1)) + chr(ord("a") + k % 26)
