"""What damage and malice do to a file: bits, bytes, numbers and words of its header, pieces gone or there twice."""

import gzip
import io
import re
import struct
import zipfile
from collections.abc import Callable

import numpy as np

Content = bytes
Random = np.random.Generator
HEADER = 700  # bytes, where most of what is said about the voxels lies
NUMBERS = [0, 1, -1, 2, 7, 127, 128, 255, 256, 32767, -32768, 65535]
NUMBERS += [2**31 - 1, -(2**31), 2**32 - 1, 2**63 - 1, -(2**63)]
FLOATS = [float("nan"), float("inf"), -float("inf"), 0.0, -0.0, 1e-45, 1e10, 1e19, 3e38, -1.0, 0.5]
WORDS = [
    *("nan", "inf", "-inf", "-1", "0", "1", "2", "3", "4", "1e999", "1e-999", "99999", "99999999999", "1.5", "0x10"),
    *("9" * 400, "9" * 5000, "x" * 5000, "", " ", "%s%n%s%n", "%03d", "../../x", "/dev/zero", "/etc/passwd", "LIST"),
    *("none", "None", "null", "true", "[]", "{}", "[" * 2000, '{"a":' * 2000, "'", '"', "\\", "\0", "é", "\ud7ff"),
    *("gzip", "bzip2", "raw", "ascii", "float", "double", "short", "uchar", "block", "MET_DOUBLE", "MET_CHAR", "False"),
]
TOKEN = re.compile(rb"[A-Za-z_][\w\-]*|[+-]?\d[\d.eE+-]*")


def mutated(content: Content, random: Random, text: bool = False) -> Content:
    """The content with one to three changes. text: words are changed as well as bytes, anywhere."""
    for _ in range(int(random.integers(1, 4))):
        chosen = [*_BINARY, *(_TEXT * 3 if text else [])]
        content = chosen[int(random.integers(len(chosen)))](content, random)
    return content


def mutated_file(name: str, content: Content, random: Random) -> Content:
    """A file's content with changes, outside or inside of its compression."""
    text = name.endswith((".nrrd", ".nhdr", ".mha", ".mhd", ".json", ".toml", ".bval", ".bvec"))
    if name.endswith((".gz", ".mgz")) and random.random() < 0.7:
        return gzip.compress(mutated(gzip.decompress(content), random), 1)
    if name.endswith((".zip", ".pt")) and random.random() < 0.6:
        return _repacked(content, random)
    return mutated(content, random, text)


def _repacked(content: Content, random: Random) -> Content:
    """A zip with one of its members changed, and its sums right."""
    made = io.BytesIO()
    with zipfile.ZipFile(io.BytesIO(content)) as given, zipfile.ZipFile(made, "w", zipfile.ZIP_STORED) as archive:
        chosen = given.namelist()[int(random.integers(len(given.namelist())))]
        for name in given.namelist():
            archive.writestr(name, mutated(given.read(name), random) if name == chosen else given.read(name))
    return made.getvalue()


def _place(content: Content, random: Random) -> int:
    most = len(content) if random.random() < 0.3 else min(len(content), HEADER)
    return int(random.integers(max(most, 1)))


def _bits(content: Content, random: Random) -> Content:
    changed = bytearray(content)
    for _ in range(int(random.integers(1, 9))):
        if changed:
            changed[_place(content, random)] ^= 1 << int(random.integers(8))
    return bytes(changed)


def _bytes(content: Content, random: Random) -> Content:
    changed, at = bytearray(content), _place(content, random)
    changed[at : at + 1] = bytes([int(random.choice([0, 1, 10, 32, 45, 57, 127, 128, 255, random.integers(256)]))])
    return bytes(changed)


def _number(content: Content, random: Random) -> Content:
    """A number of 2, 4 or 8 bytes, whole or not, in either order, is a hostile one."""
    kind = "hifqdHIQ"[int(random.integers(8))]
    values = FLOATS if kind in "fd" else [n & (2 ** (8 * struct.calcsize(kind)) - 1) for n in NUMBERS]
    size, order = struct.calcsize(kind), "<>"[int(random.integers(2))]
    at = _place(content, random) // size * size
    word = struct.pack(order + (kind if kind in "fd" else kind.upper()), values[int(random.integers(len(values)))])
    return content[:at] + word + content[at + size :]


def _cut(content: Content, random: Random) -> Content:
    return content[: _place(content, random)]


def _doubled(content: Content, random: Random) -> Content:
    at, size = _place(content, random), int(random.integers(1, 200))
    return content[: at + size] + content[at : at + size] + content[at + size :]


def _removed(content: Content, random: Random) -> Content:
    at, size = _place(content, random), int(random.integers(1, 200))
    return content[:at] + content[at + size :]


def _word(content: Content, random: Random) -> Content:
    """A word or number of a text is a hostile one."""
    found = list(TOKEN.finditer(content[:8000]))
    if not found:
        return content
    token = found[int(random.integers(len(found)))]
    word = WORDS[int(random.integers(len(WORDS)))].encode()
    return content[: token.start()] + word + content[token.end() :]


def _line(content: Content, random: Random) -> Content:
    """A line is missing, there twice, or elsewhere."""
    lines = content.split(b"\n")
    at, to = (int(random.integers(len(lines))) for _ in range(2))
    line = lines[at]
    if random.random() < 0.5:
        del lines[at]
    if random.random() < 0.6:
        lines.insert(to, line)
    return b"\n".join(lines)


_BINARY: list[Callable[[Content, Random], Content]] = [_bits, _bytes, _number, _number, _cut, _doubled, _removed]
_TEXT: list[Callable[[Content, Random], Content]] = [_word, _word, _line]
