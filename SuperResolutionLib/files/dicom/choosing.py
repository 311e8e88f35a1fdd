"""Which of the volumes in a folder is read: the one that was asked for, or the only one that can be meant."""

import warnings

from SuperResolutionLib.errors import InputError, SeriesError
from SuperResolutionLib.files.common import ScanWarning
from SuperResolutionLib.files.dicom.described import Image
from SuperResolutionLib.files.dicom.grouping import WAYS, Candidate, differences, series_number
from SuperResolutionLib.files.dicom.headers import image_type

_OF_ONE_SIGNAL = ("phase", "real part", "imaginary part")


def chosen(name: str, offered: list[Candidate], series: str | None) -> Candidate:
    """The candidate that is asked for by number, name or UID; or, for None, the only volume that can be meant.

    Of one series magnitude goes before phase and maps, and of several series the only volume before localizers and
    pictures; what is left out is said in a ScanWarning. Raises SeriesError where that leaves none, or several.
    """
    fitting = offered if series is None else _fitting(offered, series)
    volumes = [candidate for candidate in fitting if candidate.is_volumetric] if series is None else fitting
    left = _measured(name, volumes or fitting)
    alone = len(left) == 1 and not any(_is_lost_slice(one, left[0]) for one in fitting)
    if alone and (series is not None or not left[0].joined):
        _tell(name, left[0], [candidate for candidate in fitting if candidate is not left[0]])
        return left[0]
    raise SeriesError(_problem(name, fitting, series), lines(fitting or offered))


def lines(offered: list[Candidate]) -> list[str]:
    """A line for each candidate: its number, its UID, and what it is."""
    return [f"  {one.label}  {one.uid or '-'}  {described(one, offered)}" for one in offered]


def described(one: Candidate, beside: list[Candidate]) -> str:
    """What a candidate is, with all that tells it from the other parts of its series."""
    parts = [other for other in beside if other.series == one.series]
    magnitude = "magnitude" if any(other.kind in _OF_ONE_SIGNAL for other in parts) else ""
    words = [one.called or "without a name", one.kind or magnitude, one.contrast]
    words += [WAYS[way](one.images[0]) for way in differences(parts) if way != "kind of image"]
    words += ["localizer" if one.is_localizer else one.picture]
    words += ["each image a series of its own, joined"] if one.joined else []
    return f"{', '.join(word for word in words if word)}  ({len(one.images)} images)"


def _fitting(offered: list[Candidate], series: str) -> list[Candidate]:
    """The candidates that are meant, by the first way that fits any: number, UID, start of a UID, name, part of one."""
    wanted = series.strip().lower()
    whole = [_alone(one, image) for one in offered if one.joined for image in one.images]
    ways = (
        [one for one in offered if wanted == one.label],
        [one for one in offered if wanted == str(series_number(one.images[0])) and not one.joined],
        [one for one in offered + whole if wanted == one.uid.lower() and not one.joined],
        [one for one in offered + whole if one.uid.startswith(wanted) and not one.joined],
        [one for one in offered if wanted == one.called.lower()],
        [one for one in offered if wanted in described(one, offered).lower()],
    )
    return next((way for way in ways if way and wanted), [])


def _alone(one: Candidate, image: Image) -> Candidate:
    return Candidate(one.label, [image])


def _measured(name: str, some: list[Candidate]) -> list[Candidate]:
    """The candidates without phase, maps and what else was made of another one in the same series.

    Raises InputError where those lie elsewhere than the magnitude, so that it is not whole.
    """
    kept: list[Candidate] = []
    for series in dict.fromkeys(one.series for one in some):
        parts = [one for one in some if one.series == series]
        plain = [one for one in parts if not one.kind and one.contrast != "trace-weighted"]
        first = [one for one in plain if "DERIVED" not in image_type(one.images[0].levels)]
        best = first if len(first) == 1 and not differences(plain) else plain
        if len(best) == 1 and len(parts) > 1:
            _check_whole(name, best[0], [one for one in parts if one is not best[0] and one.kind in _OF_ONE_SIGNAL])
        kept += best or parts
    return kept


def _is_lost_slice(one: Candidate, volume: Candidate) -> bool:
    """Whether a candidate may be a slice that damage or an odd header has parted from its volume."""
    related = one.uid == volume.uid or (one.called, one.kind, one.contrast) == (
        volume.called,
        volume.kind,
        volume.contrast,
    )
    aside = one is volume or one.picture or one.is_localizer or one.kind or volume.kind
    return related and not aside and len(one.places) == 1


def _check_whole(name: str, magnitude: Candidate, others: list[Candidate]) -> None:
    for one in others:
        if one.places - magnitude.places:
            raise InputError(
                f"{name} mixes magnitude and phase images: {one.kind} images of '{one.called}' lie where there is "
                "no magnitude image; export the series again."
            )


def _tell(name: str, taken: Candidate, others: list[Candidate]) -> None:
    """Warn of what was not read."""
    if others:
        every = [taken, *others]
        first, *rest = (f"{one.label}, {described(one, every)}" for one in every)
        left = "; ".join(rest[:6]) + ("; ..." if len(rest) > 6 else "")
        warnings.warn(ScanWarning(f"{name} has {len(every)} DICOM series: read is {first}, not {left}."), stacklevel=3)


def _problem(name: str, fitting: list[Candidate], series: str | None) -> str:
    which = "" if series is None else f" that '{series}' names"
    if fitting and all(one.joined for one in fitting):
        return f"{name} has {len(fitting[0].images)} DICOM series of one image each, which are alike and can be joined"
    ways = differences(fitting) if len({one.series for one in fitting}) == 1 else []
    apart = f" in one, which differ in {' and '.join(ways)}" if ways else ""
    if "orientation" in ways:
        apart = ", which are one by their UID, of different orientations, as a localizer has them"
    return f"{name} has {len(fitting) or 'no'} DICOM series{which}{apart}"
