"""The one exception that users meet: a sentence that says what is wrong, what was found, what to do."""

import difflib
from collections.abc import Iterable


class InputError(ValueError):
    """Something the user gave cannot be used; the message is one sentence meant for that user."""


def unknown(kind: str, given: str, known: Iterable[str]) -> InputError:
    """An error for a name that does not exist, offering the nearest ones that do."""
    return InputError(f"There is no {kind} called '{given}'; {nearest(given, known)}")


def nearest(given: str, known: Iterable[str]) -> str:
    """The end of such a sentence: the known name that is most like the given one, or all of them."""
    names = sorted(known)
    near = difflib.get_close_matches(given, names, n=1, cutoff=0.4)
    return f"did you mean '{near[0]}'?" if near else f"known are: {', '.join(names)}."
