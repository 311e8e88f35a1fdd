"""The text header of an NRRD file: its fields, and the vectors and numbers in them.

http://teem.sourceforge.net/nrrd/format.html
"""

import re
from pathlib import Path

import numpy as np

from SuperResolutionLib.errors import InputError
from SuperResolutionLib.files.common import cut_short, extension, looks_like

FRAME = "measurement frame"
_LONGEST = 1 << 22  # bytes of a header, key/value pairs and all
_ALIASES = {"datafile": "data file", "byteskip": "byte skip", "lineskip": "line skip", "axismins": "axis mins"}
_ALIASES |= {"centers": "centerings", "spacedimension": "space dimension", "spaceunits": "space units"}
_ALIASES |= {"spacedirections": "space directions", "spaceorigin": "space origin", "measurementframe": FRAME}
_SPACES = ("right-anterior-superior", "left-anterior-superior", "left-posterior-superior", "ras", "las", "lps")
_TIMED = ("-time", "t")  # a space may have time as a fourth axis


def read_header(path: Path) -> dict[str, str]:
    """Fields and key/value pairs of a header, both under names in small letters; a field goes before a pair."""
    return parsed(path)[0]


def parsed(path: Path) -> tuple[dict[str, str], int]:
    """The header, and the byte where it ends (at the first empty line). Raises InputError for a file without one."""
    fields: dict[str, str] = {}
    pairs: dict[str, str] = {}
    with path.open("rb") as file:
        if not re.fullmatch(rb"NRRD\d{4}\s*", file.readline(16)):
            raise InputError(
                f"{path.name} cannot be read as {extension(path)[1:] or 'NRRD'}: {looks_like(path)}. Export it again, "
                "or give it its right extension."
            )
        while raw := file.readline(_LONGEST):
            if file.tell() > _LONGEST:
                raise cut_short(path.name, f"its header is longer than {_LONGEST} bytes")
            line = raw.decode("utf-8", errors="surrogateescape").strip()
            if not line:
                return pairs | fields, file.tell()
            name, separator, value = line.partition(":")
            if separator and not line.startswith("#"):
                key = name.strip().lower()
                (pairs if value.startswith("=") else fields)[_ALIASES.get(key, key)] = value.removeprefix("=").strip()
        if "data file" not in fields:
            raise cut_short(path.name, "it ends within its header")
        return pairs | fields, file.tell()


def sizes_of(name: str, header: dict[str, str]) -> tuple[int, ...]:
    """Voxels along each axis, the fastest first. Raises InputError for what is no size."""
    words = header.get("sizes", "").split()
    stated = header.get("dimension", "")
    if not words or not all(word.isdecimal() and len(word) < 12 and int(word) for word in words):
        raise _odd(name, f"its sizes are {header.get('sizes', 'missing')[:60]}")
    if stated != str(len(words)):
        raise _odd(name, f"its dimension is {stated[:20] or 'missing'}, and it has {len(words)} sizes")
    return tuple(int(word) for word in words)


def words_of(name: str, header: dict[str, str], key: str, count: int, missing: str) -> list[str]:
    """A field with a word per axis.

    name: of the file, for the error. header: as it was parsed. key: the field. count: of the axes. missing: the word
    for each axis where the field is missing. Raises InputError where there are more or fewer.
    """
    words = header.get(key, "").split() or [missing] * count
    if len(words) != count:
        raise _odd(name, f"it has {count} axes, and its {key} are {header[key][:60]}")
    return words


def axis_vectors(name: str, header: dict[str, str], count: int) -> list[np.ndarray | None] | None:
    """The space direction of each axis, None for one that does not lie in space; None where the field is missing."""
    text = header.get("space directions")
    if text is None:
        return None
    found: list[np.ndarray | None] = []
    try:
        for word in re.findall(r"\([^)]*\)|[^\s()]+", text):
            numbers = None if word.lower() == "none" else numbers_of(word)
            found.append(None if numbers is None or np.isnan(numbers).all() else numbers)
    except ValueError:
        found = []
    if (
        len(found) != count
        or len({len(v) for v in found if v is not None}) > 1
        or not any(v is not None for v in found)
    ):
        raise InputError(
            f"{name} does not say where its voxels lie (space directions: {text[:200]}). Export it again with its "
            "geometry."
        )
    return found


def vector(numbers: np.ndarray) -> str:
    """A vector as a header has it: (x,y,z)."""
    return "(" + ",".join(f"{n:.17g}" for n in numbers) + ")"


def numbers_of(text: str) -> np.ndarray:
    """The numbers of one vector, "(x,y,z)". Raises ValueError for anything else."""
    return np.array([float(word) for word in text.strip().removeprefix("(").removesuffix(")").split(",")], dtype=float)


def vectors(text: str) -> np.ndarray:
    """The three vectors "(a,b,c) (d,e,f) (g,h,i)" of a header field as rows. Raises ValueError for anything else."""
    return np.array([numbers_of(item) for item in re.findall(r"\([^)]*\)", text)], dtype=float).reshape(3, 3)


def to_lps(space: str) -> np.ndarray | None:
    """The signs (3,) that take coordinates of an NRRD's space to LPS; None for a space that is not the patient's."""
    name = space.strip().strip('"').lower()
    if name not in _SPACES:
        name = next((name.removesuffix(end) for end in _TIMED if name.removesuffix(end) in _SPACES), "")
    if not name:
        return None
    right, anterior = name.startswith("r"), name in ("ras", "las") or "anterior" in name
    return np.array([-1.0 if right else 1.0, -1.0 if anterior else 1.0, 1.0])


def _odd(name: str, found: str) -> InputError:
    return InputError(f"{name} has a header that makes no sense ({found}); export it again.")
