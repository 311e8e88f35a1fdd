"""The record in a sidecar by which a finished result is known again: of which scan, by which model, on what grid."""

import hashlib
import json
import os
from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

from SuperResolutionLib.batch.derivative_sidecar import derivative_sidecar
from SuperResolutionLib.batch.job import Job
from SuperResolutionLib.batch.request import Request, said
from SuperResolutionLib.errors import InputError
from SuperResolutionLib.files.common import stem
from SuperResolutionLib.files.gradients import SUFFIXES
from SuperResolutionLib.files.output import own_sidecar
from SuperResolutionLib.files.provenance import provenance
from SuperResolutionLib.files.sidecar import read_table, sha256, sidecar_path, write_sidecar
from SuperResolutionLib.geometry.grid import stacking_axis
from SuperResolutionLib.methods import zoo
from SuperResolutionLib.methods.method import Method, Restoration
from SuperResolutionLib.volume import Volume

OURS = "SuperResolution"  # the key of the record in a BIDS sidecar, whose other keys are BIDS's own
_CHANGED = "give another output folder, or allow overwriting (--overwrite)"


@dataclass(frozen=True)
class About:
    """What a sidecar will say: of the job, by the record of the work. thinned: whether it has other slices."""

    job: Job
    table: dict[str, Any]
    result: Restoration
    thinned: bool

    def writer(self) -> Callable[[Path], None]:
        """What writes the sidecar beside the image, which must lie there already."""
        return partial(_write, self)


def of_result(job: Job, request: Request, method: Method, pair: tuple[Volume, Restoration]) -> About:
    """The record of a result.

    job: whose. request: what was wanted. method: what made it. pair: the scan, and what came of it.
    """
    volume, result = pair
    axis = stacking_axis(volume)
    thinned = volume.size[axis] != result.volume.size[axis]
    table = {
        **provenance(job.source, said(result, method, request)),
        "wish": request.wish(),
        "beside_sha256": _beside(job),
    }
    return About(job, table, result, thinned)


def _write(about: About, path: Path) -> None:
    image = path.with_name(about.job.output.name)
    table = {**about.table, "output_sha256": sha256(image), "output_bytes": image.stat().st_size}
    if about.job.described is not None:
        table = {**derivative_sidecar(about.job, about.result, about.thinned), OURS: table}
    write_sidecar(path, table)


def is_finished(job: Job, request: Request) -> bool:
    """Whether the result is there, whole, and made of this scan by this model in this way.

    Raises InputError where another result is there, unless it may be replaced.
    """
    if not os.path.lexists(job.output) or is_half(job):
        return False
    differs = _differs(job, request)
    if differs and not request.overwrite:
        raise InputError(f"{job.output} exists already, and {differs}; {_CHANGED}.")
    return not differs


def is_half(job: Job) -> bool:
    """Whether the result is one of ours and shorter than it was written, as after a power failure."""
    table = _table(job)
    return bool(table) and job.output.is_file() and job.output.stat().st_size < table.get("output_bytes", 0)


def _differs(job: Job, request: Request) -> str:
    """What a result that is there differs in, in words; "" where in nothing."""
    table = _table(job)
    if "wish" not in table:
        return "no record beside it says that this command made it"
    if table.get("input_sha256") != sha256(job.source):
        return "it was made of another scan than is there now"
    if table.get("beside_sha256") != _beside(job):
        return "the files beside the scan (JSON, b-values) were others"
    if table["wish"] != json.loads(json.dumps(request.wish())):
        return "it was asked for in another way (model, grid or options)"
    if not _same_models(table, request):
        return "it was made by other weights of the model"
    return "" if table.get("output_sha256") == sha256(job.output) else "it was changed since it was written"


def _same_models(table: dict[str, Any], request: Request) -> bool:
    """Whether the weights that made a result are those that would be taken now."""
    known = {request.wish()["model"]}
    for name in str(table.get("model", "")).split(" + "):
        if name in zoo.installed():
            known.add(zoo.read_card(zoo.find(name)).sha256)
    return set(str(table.get("model_sha256", "")).split(" + ")) <= known


def _table(job: Job) -> dict[str, Any]:
    """The record beside a result; empty where there is none that can be read."""
    table = read_table(own_sidecar(job.output))
    own = table.get(OURS, table)
    return own if isinstance(own, dict) else {}


def _beside(job: Job) -> str:
    """One SHA-256 of all small files that say something of the scan."""
    paths = [sidecar_path(job.source), *(job.source.with_name(stem(job.source) + suffix) for suffix in SUFFIXES)]
    if job.described is not None:
        paths += [*job.described.tables, *(job.described.gradients or ())]
    digest = hashlib.sha256()
    for path in dict.fromkeys(paths):
        if path.is_file():
            digest.update(f"{path.name}\0{sha256(path)}\0".encode(errors="backslashreplace"))
    return digest.hexdigest()
