"""The one exception that users meet: a sentence that says what is wrong, what was found, what to do."""

import difflib
from collections.abc import Iterable


class InputError(ValueError):
    """Something the user gave cannot be used; the message is one sentence meant for that user."""


def unknown(kind: str, given: str, known: Iterable[str]) -> InputError:
    """An error for a name that does not exist, offering the nearest ones that do."""
    names = sorted(known)
    near = difflib.get_close_matches(given, names, n=1, cutoff=0.4)
    hint = f"did you mean '{near[0]}'?" if near else f"known are: {', '.join(names)}."
    return InputError(f"There is no {kind} called '{given}'; {hint}")
