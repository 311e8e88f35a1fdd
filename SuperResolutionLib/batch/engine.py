"""Many scans, one after the other or on the workers of a cluster: the same work, the same bits."""

import time
from collections.abc import Generator, Iterator, Sequence
from dataclasses import dataclass, field
from functools import partial
from typing import TypeAlias

from SuperResolutionLib.batch.job import FAILED, KEPT, Answer, Job
from SuperResolutionLib.batch.one_scan import attempting
from SuperResolutionLib.batch.request import Request
from SuperResolutionLib.progress import Progress, mapped

Answers: TypeAlias = Iterator[tuple[int, Answer | float]]
"""The number of a job, and its answer; before that, where it can be told, the share of it that is done."""


@dataclass
class Outcome:
    """What came of the jobs so far: the answers as they came, of so many jobs."""

    total: int
    answers: list[Answer] = field(default_factory=list)

    def failures(self) -> dict[str, str]:
        """The scans that failed, by name, and why."""
        return {answer.name: answer.why for answer in self.answers if answer.state == FAILED}

    def told(self) -> str:
        """The counts, in words."""
        states = [answer.state for answer in self.answers]
        failed, kept = states.count(FAILED), states.count(KEPT)
        parts = [f"{len(states) - failed - kept} of {self.total} scans enhanced"]
        parts += [f"{kept} finished before"] if kept else []
        parts += [f"{failed} failed"] if failed else []
        return ", ".join(parts)


def in_process(jobs: Sequence[Job], request: Request) -> Answers:
    """Each scan in this process, one after the other."""
    for index, job in enumerate(jobs):
        answer = yield from mapped(attempting(job, request), partial(_of_job, index))
        yield index, answer


def working(answers: Answers, outcome: Outcome) -> Generator[Progress, None, None]:
    """The answers into the outcome as they come; a step of progress is a scan."""
    began = time.monotonic()
    yield Progress(0, outcome.total, 0.0)
    for _, answer in answers:
        message, part = "", 0.0
        if isinstance(answer, float):
            part = answer
        else:
            outcome.answers.append(answer)
            message = "\n".join(_lines(answer))
        yield Progress(len(outcome.answers), outcome.total, time.monotonic() - began, message, part)


def _lines(answer: Answer) -> list[str]:
    lines = [f"{answer.name}: {note}" for note in answer.notes] if answer.state != KEPT else []
    return [*lines, f"{answer.name}: failed"] if answer.state == FAILED else lines


def _of_job(index: int, share: float) -> tuple[int, Answer | float]:
    return index, share
