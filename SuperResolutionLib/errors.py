"""The one exception that users meet: a sentence that says what is wrong, what was found, what to do."""

import difflib
from collections.abc import Iterable


class InputError(ValueError):
    """Something the user gave cannot be used; the message is one sentence meant for that user."""


class SeriesError(InputError):
    """Several DICOM series could be meant, or none. problem: the sentence's start. offered: a line for each series."""

    def __init__(self, problem: str, offered: list[str]) -> None:
        self.problem, self.offered = problem, offered
        super().__init__(self.saying("choose one by its number, its name or its UID"))

    def __reduce__(self) -> tuple[type, tuple[str, list[str]]]:
        """A process can hand it to another one."""
        return type(self), (self.problem, self.offered)

    def saying(self, hint: str) -> str:
        """The whole sentence, with a hint of what to do."""
        return f"{self.problem}; {hint}:\n" + "\n".join(self.offered)


LONGEST = 100  # characters of a name that a sentence repeats


def unknown(kind: str, given: str, known: Iterable[str]) -> InputError:
    """An error for a name that does not exist, offering the nearest ones that do; of a long name its beginning."""
    shown = given if len(given) <= LONGEST else f"{given[:LONGEST]}..."
    return InputError(f"There is no {kind} called '{shown}'; {nearest(shown, known)}")


def nearest(given: str, known: Iterable[str]) -> str:
    """The end of such a sentence: the known name that is most like the given one, or all of them."""
    names = sorted(known)
    near = difflib.get_close_matches(given, names, n=1, cutoff=0.4)
    return f"did you mean '{near[0]}'?" if near else f"known are: {', '.join(names)}."
