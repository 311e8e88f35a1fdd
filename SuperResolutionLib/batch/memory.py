"""How much memory enhancing a scan takes, reckoned from its header before it is read."""

from typing import Any

import numpy as np

from SuperResolutionLib.batch.job import Job
from SuperResolutionLib.errors import InputError
from SuperResolutionLib.geometry.sampling import Sampling
from SuperResolutionLib.volume import Volume

COPIES = 6  # of the result in float32 that there are at most at one time, with what was read
LEAST = 600 * 2**20  # bytes that Python, torch and a model take by themselves


def needed(job: Job, sampling: Sampling) -> int:
    """Bytes, from above; of what is no NIfTI by the size of the file. sampling: the grid that is wanted."""
    try:
        import nibabel

        header: Any = nibabel.load(job.source).header
        shape = header.get_data_shape()
        x, y, z = (float(mm) for mm in header.get_zooms()[:3])
        # one voxel's memory, however large it looks
        empty = Volume(np.broadcast_to(np.uint8(0), shape[:3][::-1]), (x, y, z))
        voxels = float(np.prod(sampling.usually(2).finer(empty).wanted.size)) * float(np.prod(shape[3:]))
    except (InputError, OSError, ValueError, IndexError, TypeError, nibabel.filebasedimages.ImageFileError):
        voxels = 4.0 * job.source.stat().st_size if job.source.is_file() else 0.0
    return int(LEAST + COPIES * 4 * voxels)
