"""A sample of what `python -m Testing.fuzz` does, and that it notices what is wrong."""

import json
import signal
import sys
import time
from collections import Counter
from pathlib import Path

import numpy as np
import pytest

from Testing.fuzz import cases as case_module
from Testing.fuzz import page
from Testing.fuzz.__main__ import all_found
from Testing.fuzz.cases import Cases, Found
from Testing.fuzz.mutations import mutated_file

pytestmark = pytest.mark.skipif(not Path("/proc/self/status").exists(), reason="measures memory as Linux tells it")
MINUTES = 0.15
REFUSED = {"a.hdr", "recipe"}  # whole, too: a pair of files, and a training without scans


@pytest.fixture
def cases(tmp_path, monkeypatch):
    monkeypatch.setattr("tempfile.tempdir", None)
    handlers = {number: signal.getsignal(number) for number in (signal.SIGTERM, signal.SIGHUP)}
    yield Cases(tmp_path, seed=1)
    for number, handler in handlers.items():
        signal.signal(number, handler)


def test_whole_files_of_every_kind_are_read(cases, monkeypatch):
    monkeypatch.setattr(case_module, "mutated_file", lambda name, content, random: content)
    found = {found.kind: found for found in map(cases.run, range(len(cases.names)))}
    assert len(found) == len(cases.names) > 20
    assert {kind: one.words for kind, one in found.items() if one.bad} == {}
    assert {kind for kind, one in found.items() if one.outcome == "refused"} == REFUSED


def raising(_command):
    raise ZeroDivisionError


def silent(_command):
    return 2


def leaving(command):
    Path(command[2]).with_name(".half").touch()
    return 0


def hungry(_command):
    np.ones(100_000_000)
    return 0


@pytest.mark.parametrize(
    ("run", "outcome"),
    [(raising, "ZeroDivisionError"), (silent, "no sentence"), (leaving, "left behind"), (hungry, "memory")],
)
def test_what_is_wrong_is_noticed(cases, monkeypatch, run, outcome):
    monkeypatch.setattr(case_module, "_run", run)
    number = cases.names.index("a.nii")
    assert cases.run(number).outcome == outcome


WORKER = """
import json, os, signal, sys
begin, count = (int(word.split("=")[1]) for word in sys.argv[1:3])
print(json.dumps({"names": ["a", "b"]}), flush=True)
for number in range(begin, begin + count):
    if number in (1, 3):
        os.kill(os.getpid(), signal.SIGSEGV if number == 1 else signal.SIGALRM)
    print(json.dumps({"number": number, "kind": "a", "outcome": "read"}), flush=True)
"""


def test_what_ends_a_process_or_never_ends_is_noticed(tmp_path):
    (tmp_path / "worker.py").write_text(WORKER)
    found = list(all_found(0, 5, 0, [sys.executable, str(tmp_path / "worker.py")]))
    assert [one.outcome for one in found] == ["read", "signal 11", "read", "hang", "read"]
    assert [one.number for one in found] == list(range(5))


def test_the_same_seed_damages_in_the_same_way():
    content = bytes(range(256)) * 4
    first, second, other = (
        [mutated_file("a.nrrd", content, np.random.default_rng([seed, n])) for n in range(50)] for seed in (0, 0, 1)
    )
    assert first == second != other
    assert sum(one != content for one in first) > 45


def test_a_sample_of_damaged_files_comes_to_nothing_worse_than_a_sentence():
    """Faults I2 to I5 and their siblings: some seconds of files, other ones than the benchmark's."""
    until, found = time.monotonic() + 60 * MINUTES, []
    for one in all_found(10**6, 2000, 7):
        found.append(one)
        if time.monotonic() > until:
            break
    assert [one for one in found if one.bad] == []
    assert Counter(one.outcome for one in found)["refused"] > 0


def test_the_page_is_the_one_that_its_counts_make():
    root = Path(__file__).parent.parent / "benchmarks"
    assert page.text(json.loads((root / "robustness.json").read_text())) == (root / "robustness.md").read_text()


def test_what_is_bad_is_counted():
    table = page.counted([Found(0, "a", "read"), Found(1, "a", "hang"), Found(2, "b", "refused")], seed=3)
    assert table == {"seed": 3, "count": 3, "rows": {"a": {"read": 1, "bad": 1}, "b": {"refused": 1}}}
