"""One schema for what users write: plain values become a frozen dataclass, or one sentence says what is wrong.

The limits stand in the dataclass, `turns: Annotated[int, limits(ge=1, le=8)]`, and msgspec checks them. Inside 3D
Slicer there is none: the dataclasses are imported without it all the same, and `plain` builds what was checked before.
"""

import re
from collections.abc import Callable, Mapping
from dataclasses import fields, is_dataclass
from pathlib import Path
from types import NoneType
from typing import Annotated, Any, TypeVar, get_args, get_origin, get_type_hints

from SuperResolutionLib.errors import InputError, nearest

MOST_BYTES = 500_000  # of a card or a recipe
DEEPEST, LONGEST, MOST_ENTRIES = 8, 5000, 1000  # tables in tables, characters of a text, entries of a list or table
LARGEST = 1e12  # of any number: more digits than anyone means
KINDS = {int: "a whole number", float: "a number", str: "text", bool: "true or false", tuple: "a list", list: "a list"}

T = TypeVar("T")


def limits(words: str = "", **rules: Any) -> Any:
    """What a value must be, for Annotated: msgspec's ge, gt, le, lt, pattern, min_length, max_length.

    words: how to say it; made from the rules where left out. None where msgspec is missing.
    """
    try:
        from msgspec import Meta
    except ImportError:
        return None
    return Meta(description=words or None, **rules)


Word = Annotated[str, limits(max_length=64)]


def component(most: int) -> Any:
    """The limits of a name that is one component of a path, on every system."""
    words = f"1 to {most} letters, digits, '.', '_' or '-', the first a letter or digit"
    return limits(words, pattern=rf"^[A-Za-z0-9][A-Za-z0-9._-]{{0,{most - 1}}}\Z")


Sentence = Annotated[str, limits(max_length=4000)]
Share = Annotated[float, limits(ge=0, le=1)]
Amount = Annotated[float, limits(ge=0, le=1e6)]
Count = Annotated[int, limits(ge=-1024, le=1024)]
Option = Annotated[
    bool
    | Count
    | Annotated[float, limits(ge=-1e6, le=1e6)]
    | Annotated[str, limits(max_length=256)]
    | Annotated[tuple[Count, ...], limits(max_length=64)]
    | None,
    limits("true or false, a whole number up to 1024, a number up to 1e6, a short text, or a list of whole numbers"),
]
"""An argument of a network or a loss: its widths, depths and switches."""


def available() -> bool:
    """Whether msgspec is there to check with."""
    return limits() is not None


def read(path: Path, what: str) -> str:
    """The text of a file. what: "a model card". Raises InputError for one that is too large, or not UTF-8."""
    if (size := path.stat().st_size) > MOST_BYTES:
        raise InputError(f"{path.name} is not {what}: it has {size:,} bytes, more than {MOST_BYTES:,}; give another.")
    try:
        return path.read_text(encoding="utf-8")
    except UnicodeDecodeError as error:
        raise InputError(f"{path.name} is not {what}: {error}; compare it with one of ours.") from error


def parsed(text: str, name: str, what: str, parse: Callable[[str], Any]) -> dict[str, Any]:
    """The table in a text. name, what: of the file, for the sentences. parse: json.loads or tomllib.loads.

    Raises InputError for what is not of the format, is nested without end, or holds something else than a table.
    """
    try:
        table = parse(text)
    except RecursionError as error:
        raise InputError(f"{name} is not {what}: tables lie in tables without end; compare it with ours.") from error
    except ValueError as error:  # the parsers' own errors, and a number of thousands of digits
        reason = " ".join(str(error).split())[:200]
        raise InputError(f"{name} is not {what}: {reason}; compare it with one of ours.") from error
    if not isinstance(table, dict):
        raise InputError(f"{name} is not {what}: it holds no table of names and values; compare it with one of ours.")
    return table


def convert(kind: type[T], table: Mapping[str, Any], who: str, part: str) -> T:
    """A dataclass from plain values, every one checked. who, part: "The recipe", "setting", for the sentences.

    kind: the dataclass. table: its values by name.
    Raises InputError, naming the key, for one that is unknown, missing, of another kind or beyond its limits; and
    where msgspec is missing.
    """
    try:
        import msgspec
    except ImportError as error:
        raise InputError(
            f"{who} cannot be checked without msgspec; install it with: pip install msgspec "
            "(in 3D Slicer's Python console: pip_install('msgspec'))."
        ) from error
    _check_bounds(table, who)
    _check_keys(kind, table, who, part)
    try:
        return msgspec.convert(table, kind)
    except msgspec.ValidationError as error:
        raise _refusal(kind, table, who, part, str(error)) from error


def plain(kind: type[T], table: Mapping[str, Any]) -> T:
    """What `convert` makes, for values that are known to be right: nothing is checked, and msgspec is not needed."""
    return _built(kind, table)


def _built(hint: Any, value: Any) -> Any:
    kinds = _alternatives(hint)
    if isinstance(value, Mapping):
        entries = {key: _built(_inside(hint, key), one) for key, one in value.items()}
        kind: Any = next((one for one in kinds if is_dataclass(one)), dict)
        return kind(**entries)
    if isinstance(value, list) and any(get_origin(one) is tuple for one in kinds):
        return tuple(_built(_inside(hint, k), one) for k, one in enumerate(value))
    return value


# ---------------------------------------------------------------- what may be in any file


def _check_bounds(value: Any, who: str, path: str = "", depth: int = 0) -> None:
    """Raise InputError for numbers, texts, lists and tables that no schema needs to see."""
    if isinstance(value, (dict, list, tuple)):
        if depth > DEEPEST or len(value) > MOST_ENTRIES:
            raise InputError(
                f"{who} has {_called(path)} with more than {MOST_ENTRIES} entries or {DEEPEST} tables in each other; "
                "give less."
            )
        for key, one in value.items() if isinstance(value, dict) else enumerate(value):
            _check_text(str(key), who, path)
            _check_bounds(one, who, _joined(path, key), depth + 1)
    elif isinstance(value, (int, float)) and not abs(value) <= LARGEST:
        raise InputError(f"{who} has {_called(path)}, which is no number up to {LARGEST:g}; give a smaller one.")
    elif isinstance(value, str):
        _check_text(value, who, path)


def _check_text(text: str, who: str, path: str) -> None:
    """Raise InputError for a text that is too long, or none: JSON can hold halves of characters."""
    if len(text) > LONGEST:
        raise InputError(f"{who} has {_called(path)} of {len(text)} characters; give at most {LONGEST}.")
    if any("\ud800" <= character <= "\udfff" for character in text):
        raise InputError(f"{who} has {_called(path)} with characters that are none; write it again.")


def _joined(path: str, key: Any) -> str:
    if isinstance(key, int):
        return f"{path}[{key}]"
    return f"{path}.{key}".lstrip(".")


def _called(path: str) -> str:
    return _shortened(path) if path else "a table"


def _shortened(text: str) -> str:
    """A text for a sentence: one line, and not too long a one."""
    shown = text if text.isprintable() else ascii(text)[1:-1]
    return shown if len(shown) <= 80 else f"{shown[:77]}..."


def _check_keys(kind: Any, table: Mapping[str, Any], who: str, part: str, path: str = "") -> None:
    """Raise InputError for a key that a dataclass does not have, or one inside it; msgspec would pass it over."""
    hints = get_type_hints(kind, include_extras=True)
    known = [f.name for f in fields(kind)]
    for key, value in table.items():
        where = _joined(path, key)
        if key not in known:
            raise InputError(
                f"{who} has '{_shortened(where)}', but there is no such {part}; {nearest(str(key), known)}"
            )
        for inner in (one for one in _alternatives(hints[key]) if is_dataclass(one)):
            if isinstance(value, dict):
                _check_keys(inner, value, who, part, where)
        for inner in (one for one in _alternatives(_inside(hints[key], 0)) if is_dataclass(one)):
            for k, one in enumerate(value if isinstance(value, (list, tuple)) else ()):
                if isinstance(one, dict):
                    _check_keys(inner, one, who, part, f"{where}[{k}]")


# ---------------------------------------------------------------- msgspec's refusal in our words


def _refusal(kind: Any, table: Mapping[str, Any], who: str, part: str, reason: str) -> InputError:
    """The sentence for what msgspec says: `Expected `int` <= 8 - at `$.turns``."""
    found = re.search(r"at `\$([^`]*)`$", reason)
    path, value, hint = _followed(kind, table, found[1] if found else "")
    if missing := re.search(r"missing required field `(\w+)`", reason):
        return InputError(f"{who} lacks the {part} '{_joined(path, missing[1])}'; add it.")
    return InputError(f"{who} has {_called(path)} = {_shown(value)}; give {_wanted(hint)}.")


def _followed(hint: Any, value: Any, steps: str) -> tuple[str, Any, Any]:
    """Where msgspec's path leads: as we write it, the value there, and what it should be."""
    path = ""
    for name, number in re.findall(r"\.(\w+)|\[(\d+|\.\.\.)\]", steps):
        key: Any = name or (_culprit(hint, value) if number == "..." else int(number))
        path, value, hint = _joined(path, key), value[key], _inside(hint, key)
    return path, value, hint


def _culprit(hint: Any, table: Mapping[str, Any]) -> str:
    """The key whose value does not fit: msgspec does not name keys that no schema names."""
    import msgspec

    for key, value in table.items():
        try:
            msgspec.convert({key: value}, hint)
        except msgspec.ValidationError:
            return key
    raise AssertionError("every value fits")


def _alternatives(hint: Any) -> list[Any]:
    """The kinds that a value may have, without their limits: int | None -> [int, NoneType]."""
    if get_origin(hint) is Annotated:
        return _alternatives(get_args(hint)[0])
    if get_origin(hint) in (None, dict, list, tuple):
        return [hint]
    return [kind for one in get_args(hint) for kind in _alternatives(one)]


def _inside(hint: Any, key: Any) -> Any:
    """What an entry of a table or list should be."""
    for kind in _alternatives(hint):
        given = get_args(kind)
        if is_dataclass(kind) and isinstance(key, str):
            return get_type_hints(kind, include_extras=True)[key]
        if get_origin(kind) is dict and isinstance(key, str):
            return given[1]
        if get_origin(kind) in (tuple, list) and isinstance(key, int):
            return given[0] if len(given) < 2 or given[1] is Ellipsis else given[min(key, len(given) - 1)]
    return Any


def _shown(value: Any) -> str:
    return _shortened(repr(list(value) if isinstance(value, tuple) else value))


def _wanted(hint: Any) -> str:
    """What a value should be, in words."""
    if get_origin(hint) is Annotated:
        kind, rule = get_args(hint)[:2]
        said: str | None = rule.description
        return said or f"{_wanted(kind)}{_range(rule)}"
    if get_origin(hint) in (None, dict, list, tuple):
        given = get_args(hint)
        if get_origin(hint) is tuple and Ellipsis not in given:
            return f"a list of {len(given)} entries, each {_wanted(given[0])}"
        return KINDS.get(get_origin(hint) or hint, "a table")
    return " or ".join(dict.fromkeys(_wanted(one) for one in get_args(hint) if one is not NoneType))


def _range(rule: Any) -> str:
    """The limits of a number or a length."""
    if rule.max_length is not None:
        return f" of at most {rule.max_length} characters or entries"
    if rule.ge is not None and rule.le is not None:
        return f" from {rule.ge:g} to {rule.le:,g}" if rule.le < 1e6 else f", {rule.ge:g} or more, up to {rule.le:g}"
    if rule.ge is not None and rule.lt is not None:
        return f" from {rule.ge:g} to below {rule.lt:g}"
    if rule.gt is not None and rule.le is not None:
        return f" above {rule.gt:g}, up to {rule.le:g}"
    return ""
