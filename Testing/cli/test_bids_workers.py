"""The BIDS App on workers: the same bits as in process, and no scan lost with a worker."""

import sys
import threading
from collections import deque
from importlib.util import find_spec
from pathlib import Path

import bids_tree
import deadly
import pytest
from tiny_models import store

from SuperResolutionLib.batch import cluster
from SuperResolutionLib.batch.job import Job
from SuperResolutionLib.batch.memory import LEAST, needed
from SuperResolutionLib.batch.request import Request
from SuperResolutionLib.geometry.sampling import Sampling

QUICK = ["--precision", "float32", "--progress", "none", "--device", "cpu"]
dask = pytest.mark.skipif(find_spec("distributed") is None, reason="Dask is not installed")


@pytest.fixture(scope="module")
def data(tmp_path_factory) -> Path:
    folder = tmp_path_factory.mktemp("data")
    bids_tree.make(folder / "raw")
    store(folder / "models")
    return folder


@pytest.fixture
def ask(data):
    """The words of the command on the data set, into a folder."""
    return lambda out, *more: [
        str(word)
        for word in (
            *("bids", data / "raw", out, "participant", "--model", data / "models/tiny-x2.safetensors"),
            *(*QUICK, *more),
        )
    ]


def images(out: Path) -> dict[str, bytes]:
    return {path.relative_to(out).as_posix(): path.read_bytes() for path in out.rglob("*.nii.gz")}


@dask
def test_two_processes_make_the_same_bits_as_one_and_a_scan_that_kills_two_workers_fails_alone(
    command, ask, tmp_path, monkeypatch
):
    few = ("--participant-label", "02")  # one that kills, one cut short, two others
    alone = command(*ask(tmp_path / "one", "--threads", "1", *few))
    monkeypatch.setattr(cluster, "attempt", deadly.deadly)
    shared = command(*ask(tmp_path / "two", "--n-procs", "2", "--threads", "2", *few))
    assert (alone.code, shared.code) == (1, 1)
    assert "run-2" in alone.err
    assert "run-2" in shared.err and f"{deadly.NAME}: its worker died, and the next one too" in shared.err
    assert len(shared.err.splitlines()) == 2
    assert len(list(tmp_path.glob("killed-*"))) == 2
    made, whole = images(tmp_path / "two"), images(tmp_path / "one")
    assert (len(made), len(whole)) == (2, 3)
    assert made.items() <= whole.items()
    assert not list((tmp_path / "two").rglob(".superresolution-*"))
    assert command(*ask(tmp_path / "two", "--threads", "1", *few)).code == 1  # goes on in process: one is left to do
    assert images(tmp_path / "two") == whole


@dask
def test_a_scheduler_that_runs_already_is_used(command, ask, tmp_path):
    from distributed import LocalCluster

    options = {
        "n_workers": 1,
        "threads_per_worker": 1,
        "processes": False,
        "protocol": "tcp",
        "dashboard_address": None,
    }
    with LocalCluster(**options, host="127.0.0.1") as running:
        out = tmp_path / "out"
        answer = command(*ask(out, "--suffix", "FLAIR", "--scheduler", running.scheduler_address, "--threads", "1"))
    assert answer.code == 0, answer.err
    assert len(images(out)) == 1


@dask
def test_a_scheduler_that_ends_before_the_work_does_is_told(command, ask, tmp_path, monkeypatch):
    from distributed import LocalCluster

    monkeypatch.setattr(cluster, "attempt", deadly.slow)
    options = {"n_workers": 1, "threads_per_worker": 1, "processes": False, "protocol": "tcp", "host": "127.0.0.1"}
    with LocalCluster(**options, dashboard_address=None) as running:
        end = threading.Timer(1, running.close)
        end.start()
        answer = command(*ask(tmp_path / "out", "--scheduler", running.scheduler_address))
        end.join()
    assert answer.code == 2
    assert answer.err == f"superresolution: {cluster._GONE}\n"


@dask
def test_a_scheduler_that_is_not_there_is_told(command, ask, tmp_path, monkeypatch):
    monkeypatch.setattr(cluster, "JOINING", 1)
    answer = command(*ask(tmp_path / "out", "--scheduler", "tcp://127.0.0.1:1"))
    assert answer.code == 2
    assert "No Dask scheduler answers at tcp://127.0.0.1:1" in answer.err


def test_without_dask_the_way_out_is_told(command, ask, tmp_path, monkeypatch):
    monkeypatch.setitem(sys.modules, "distributed", None)
    answer = command(*ask(tmp_path / "out", "--n-procs", "2"))
    assert answer.code == 2
    assert 'pip install ".[cluster]" in the folder of the repository' in answer.err


@pytest.mark.parametrize(
    ("words", "given", "count"),
    [
        ("", {"job_cpu": 1, "memory": "8GB"}, 1),
        ("queue=short cores=4 jobs=10", {"queue": "short", "job_cpu": 4}, 10),
        (
            "--gres=gpu:1 '--comment=a b' walltime=02:00:00",
            {"job_extra_directives": ["--gres=gpu:1", "--comment=a b"]},
            1,
        ),
    ],
)
def test_slurm_is_asked_in_its_own_words(words, given, count):
    options, jobs = cluster.slurm_options(words)
    assert (options["cores"], jobs) == (1, count)
    assert given.items() <= options.items()


@pytest.mark.parametrize("words", ["cores=0", "jobs=many", "speed=9", "queue="])
def test_what_slurm_would_not_know_is_refused(refuses, words):
    with refuses(words.split("=")[0], "--slurm takes words such as"):
        cluster.slurm_options(words)


def test_the_memory_of_a_scan_is_reckoned_from_its_header(data):
    flair, series = (Job("a", data / "raw" / name, data / "o") for name in (bids_tree.THICK, bids_tree.GOOD[2]))
    twice = needed(flair, Sampling(factor=2)) - LEAST
    assert twice == 6 * 4 * (52 * 56 * 4)
    assert needed(series, Sampling(factor=2)) - LEAST == 3 * twice
    assert needed(flair, Sampling(isotropic=True)) - LEAST == twice
    assert needed(Job("b", data / "raw" / bids_tree.CORRUPT, data / "o"), Sampling()) > 0
    assert needed(Job("c", data / "raw/README", data / "o"), Sampling()) > LEAST


class _Client:
    """Counts what it is given, and never ends any of it."""

    def __init__(self, hands: int) -> None:
        self.hands, self.given = hands, []

    def nthreads(self) -> dict[str, int]:
        return dict.fromkeys(range(self.hands), 1)

    def submit(self, _work, job, _request, pure):
        self.given.append(job.name)
        return object()


@pytest.mark.parametrize(("memory", "handed"), [(None, 3), (10**12, 3), (2 * LEAST + 10**7, 2), (10, 1)])
def test_no_more_scans_are_handed_out_than_there_are_workers_and_memory_for(data, memory, handed):
    client = _Client(3)
    jobs = deque(enumerate(Job(str(k), data / "raw" / bids_tree.THICK, data / "o") for k in range(5)))
    crew = cluster.Crew(client, memory)
    cluster._hand_out(crew, crew.hands, jobs, {}, Request())
    assert len(client.given) == handed
