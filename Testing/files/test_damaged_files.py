"""Damaged bytes: whatever a file holds, the user gets a volume or a sentence, never a traceback."""

import numpy as np
import pytest

from SuperResolutionLib.errors import InputError
from SuperResolutionLib.files import EXTENSIONS, read, write
from SuperResolutionLib.volume import Volume


@pytest.mark.filterwarnings("ignore")
@pytest.mark.parametrize("kind", [*EXTENSIONS, "classic", "enhanced"])
def test_damage_ends_in_a_volume_or_a_sentence(tmp_path, make, series, kind):
    if kind == "classic":
        path = make.classic(tmp_path / "scan", np.ones((1, 4, 5), np.int16))[0]
    elif kind == "enhanced":
        path = make.enhanced(tmp_path / "e.dcm", np.ones((2, 3, 4, 5)), [0, 1000], np.eye(3)[:2])
    else:
        path = tmp_path / f"b{kind}"
        write(series, path)
    whole = path.read_bytes()
    random = np.random.default_rng(7)
    for turn in range(25):
        damaged = bytearray(whole)
        for place in random.integers(0, min(len(whole), 900 if turn % 2 else len(whole)), 4):
            damaged[place] = random.integers(256)
        path.write_bytes(damaged)
        try:
            assert isinstance(read(path), Volume)
        except InputError:
            continue
