"""Scans on the workers of Dask: processes of this machine, a cluster that runs already, or jobs of Slurm.

As many scans are handed out as there are workers, so that the scheduler holds few tasks however many scans there are,
and a worker that dies takes one scan with it: that is done again once, and given up when it kills a second worker.
"""

import asyncio
import logging
import os
import shlex
import time
from collections import deque
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, TypeAlias

from SuperResolutionLib.batch.engine import Answers
from SuperResolutionLib.batch.job import FAILED, Answer, Job
from SuperResolutionLib.batch.memory import needed
from SuperResolutionLib.batch.one_scan import attempt
from SuperResolutionLib.batch.request import Request
from SuperResolutionLib.errors import InputError

if TYPE_CHECKING:
    from distributed import Client

ASKING = 1  # seconds after which workers are counted again
JOINING = 30  # seconds until a scheduler has to answer
_GONE = "The Dask scheduler is gone; what was finished stays, and the same command goes on from there."
_SLURM = ("queue", "account", "cores", "memory", "walltime", "jobs")
_HOW = "--slurm takes words such as 'queue=short cores=4 memory=16GB walltime=02:00:00 jobs=10 --gres=gpu:1'"

UnderWay: TypeAlias = dict[Any, tuple[int, int]]
"""By future: the number of its job, and the bytes that it takes."""


@dataclass(frozen=True)
class Crew:
    """Workers. client: by which they are reached. memory: bytes that they share, None where each has its own."""

    client: "Client"
    memory: int | None = None

    @property
    def hands(self) -> int:
        """How many scans can be worked on at once; at least one, for workers may still be starting."""
        return max(1, sum(self.client.nthreads().values()))

    @property
    def dashboard(self) -> str:
        """Where Dask shows what its workers do; "" where it does not."""
        try:
            import bokeh  # noqa: F401
        except ImportError:
            return ""
        return str(self.client.dashboard_link or "")


@contextmanager
def local(processes: int, folder: str | None = None) -> Iterator[Crew]:
    """Processes of this machine; with CUDA devices, these are dealt out among them.

    folder: for what workers put aside. Connections are encrypted, for other users of the machine could use them else.
    """
    distributed = _dask()
    import psutil
    from distributed.security import Security

    options: dict[str, Any] = {
        "n_workers": processes,
        "threads_per_worker": 1,
        "processes": True,
        "memory_limit": 0,  # what fits together is reckoned before scans are handed out
        "host": "127.0.0.1",
        "dashboard_address": "127.0.0.1:0",
        "silence_logs": logging.CRITICAL,
        "local_directory": folder,
    }
    with (
        _settings(),
        distributed.LocalCluster(**options, security=Security.temporary()) as cluster,
        distributed.Client(cluster) as client,
    ):
        _deal_devices(client)
        yield Crew(client, int(0.8 * psutil.virtual_memory().available))


@contextmanager
def running(address: str) -> Iterator[Crew]:
    """The workers of a scheduler that runs already, which must see the same files by the same names."""
    distributed = _dask()
    _hush()
    try:
        client = distributed.Client(address, timeout=JOINING)
    except (OSError, ValueError) as error:
        raise InputError(
            f"No Dask scheduler answers at {address} ({error}); check the address, or start one."
        ) from error
    with client:
        yield Crew(client)


@contextmanager
def slurm(words: str, logs: str) -> Iterator[Crew]:
    """Workers that Slurm starts, one a job. words: of `sbatch`, such as "queue=short cores=4 memory=16GB jobs=10".

    logs: the folder for what the jobs print.
    """
    distributed = _dask()
    try:
        from dask_jobqueue import SLURMCluster
    except ImportError as error:
        raise _missing("dask-jobqueue") from error
    given, count = slurm_options(words)
    with (
        _settings(),
        SLURMCluster(processes=1, log_directory=logs, **given) as cluster,
        distributed.Client(cluster) as client,
    ):
        cluster.adapt(minimum_jobs=count, maximum_jobs=count)  # a job that ends before its time is replaced
        yield Crew(client)


def slurm_options(words: str) -> tuple[dict[str, Any], int]:
    """The arguments of dask-jobqueue's SLURMCluster, and how many jobs there are to be. Raises InputError."""
    given: dict[str, Any] = {"cores": 1, "memory": "8GB"}
    directives = []
    for word in shlex.split(words):
        key, _, value = word.partition("=")
        if word.startswith("-"):
            directives.append(word)
        elif key not in _SLURM or not value:
            raise InputError(f"'{word}' is unknown; {_HOW}.")
        else:
            given[key] = value
    for key in {"cores", "jobs"} & set(given):
        if not str(given[key]).isdecimal() or int(given[key]) < 1:
            raise InputError(f"'{key}={given[key]}' is no number of {key}; {_HOW}.")
        given[key] = int(given[key])
    count = given.pop("jobs", 1)
    # Dask's worker takes one scan at a time, which uses all cores of the job
    given["job_cpu"], given["cores"] = given["cores"], 1
    return {**given, "job_extra_directives": directives}, count


def on_crew(crew: Crew, jobs: Sequence[Job], request: Request) -> Answers:
    """The scans on workers, in order of their ends; a few at a time, as many as there are workers and memory for."""
    from distributed import client, wait

    lost = (asyncio.CancelledError, getattr(client, "FuturesCancelledError", asyncio.CancelledError))
    waiting = deque(enumerate(jobs))
    under_way: UnderWay = {}
    hands, asked = 0, -float(ASKING)
    try:
        while waiting or under_way:
            if time.monotonic() - asked > ASKING:
                hands, asked = crew.hands, time.monotonic()
            _hand_out(crew, hands, waiting, under_way, request)
            try:
                wait(list(under_way), timeout=5, return_when="FIRST_COMPLETED")
            except TimeoutError:
                pass
            except lost as error:
                raise InputError(_GONE) from error
            for future in [future for future in under_way if future.done()]:
                index, _ = under_way.pop(future)
                yield index, _answer(future, jobs[index])
            if crew.client.status not in ("running", "connecting"):
                raise InputError(_GONE)
    finally:
        with suppress(Exception):
            crew.client.cancel(list(under_way), force=True)


def _hand_out(crew: Crew, hands: int, waiting: "deque[tuple[int, Job]]", under_way: UnderWay, request: Request) -> None:
    """Give workers scans, as long as some are idle and the memory suffices; one that would never fit runs alone."""
    while waiting and len(under_way) < hands:
        index, job = waiting[0]
        need = needed(job, request.sampling) if crew.memory is not None else 0
        if under_way and crew.memory is not None and need + sum(n for _, n in under_way.values()) > crew.memory:
            return
        waiting.popleft()
        under_way[crew.client.submit(attempt, job, request, pure=False)] = index, need


def _answer(future: Any, job: Job) -> Answer:
    from distributed import KilledWorker

    error = future.exception() if future.status == "error" else None
    if future.status == "finished":
        answer: Answer = future.result()
        return answer
    if isinstance(error, KilledWorker):
        return Answer(job.name, FAILED, "its worker died, and the next one too: out of memory, or out of time?")
    return Answer(job.name, FAILED, f"its worker was lost ({error or future.status}); run the same command again.")


def _settings() -> Any:
    """A scan that loses its worker is done once more; no worker gets a second scan before it has done its first."""
    import dask

    return dask.config.set(
        {"distributed.scheduler.allowed-failures": 1, "distributed.scheduler.worker-saturation": 1.0}
    )


def _deal_devices(client: "Client") -> None:
    """Each worker sees one CUDA device, in turn."""
    import torch

    count = torch.cuda.device_count()
    for k, address in enumerate(sorted(client.scheduler_info(n_workers=-1)["workers"])):
        if count:
            client.run(_see_device, str(k % count), workers=[address])


def _see_device(which: str) -> None:
    os.environ["CUDA_VISIBLE_DEVICES"] = which


def _dask() -> Any:
    try:
        import distributed
    except ImportError as error:
        raise _missing("Dask") from error
    return distributed


def _hush() -> None:
    """Dask's own logs are silent from now on: what matters is told in sentences of ours."""
    for name in [name for name in logging.root.manager.loggerDict if name.partition(".")[0] == "distributed"]:
        logging.getLogger(name).setLevel(logging.CRITICAL)


def _missing(what: str) -> InputError:
    return InputError(
        f'{what} is not installed, which runs scans side by side; install it with pip install ".[cluster]" in the '
        "folder of the repository, or leave out --n-procs, --scheduler and --slurm."
    )
