"""What a BIDS data set says of a scan in files of a higher folder: its slices' thickness, its gradients."""

from dataclasses import replace
from typing import Any

from SuperResolutionLib.batch.job import Job
from SuperResolutionLib.files import bids_sidecar
from SuperResolutionLib.files.gradients import read_pair
from SuperResolutionLib.files.raw_series import with_rawness
from SuperResolutionLib.files.sidecar import read_table
from SuperResolutionLib.volume import Volume


def with_inherited(volume: Volume, job: Job) -> Volume:
    """The scan as it was read, with the thickness and the gradients that only files of a higher folder state."""
    if job.described is None:
        return volume
    if volume.thickness is None:
        volume = bids_sidecar.with_stated_thickness(volume, metadata(job), "its metadata", job.source.name)
    if volume.gradients is None and volume.voxels.ndim == 4 and job.described.gradients is not None:
        gradients = read_pair(job.source.name, job.described.gradients, volume.count, volume.direction)
        volume = with_rawness(replace(volume, gradients=gradients), job.source)
    return volume


def metadata(job: Job) -> dict[str, Any]:
    """What the data set's JSON files say of a scan, nearer files before those of higher folders."""
    table: dict[str, Any] = {}
    for path in job.described.tables if job.described is not None else ():
        table |= read_table(path)
    return table
