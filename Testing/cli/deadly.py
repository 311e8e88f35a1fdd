"""A scan that kills whatever worker takes it. A module of its own, for workers import it: it must import little."""

import os
import signal
import time

from SuperResolutionLib.batch.job import DONE, Answer, Job
from SuperResolutionLib.batch.request import Request

NAME = "sub-02/anat/sub-02_FLAIR.nii.gz"


def slow(job: Job, _request: Request) -> Answer:
    """In place of `attempt`: nothing is done, and it takes longer than the scheduler lives."""
    time.sleep(2)
    return Answer(job.name, DONE)


def deadly(job: Job, request: Request) -> Answer:
    """In place of `attempt`: one of the scans kills its worker, and leaves a mark of each beside the results."""
    if job.name == NAME:
        (job.output.parents[3] / f"killed-{time.time_ns()}").touch()
        os.kill(os.getpid(), signal.SIGKILL)
    from SuperResolutionLib.batch.one_scan import attempt  # not before: it takes long, and the killed do not need it

    return attempt(job, request)
