"""One page a participant: each scan before and after, and what its sidecar says."""

import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from SuperResolutionLib.batch.job import Job
from SuperResolutionLib.batch.record import OURS
from SuperResolutionLib.files.output import own_sidecar, write_files
from SuperResolutionLib.study.page import rendered


def write_page(out: Path, participant: str, jobs: Sequence[Job], failed: Mapping[str, str]) -> None:
    """Write OUT/sub-01.html, in place of an older one, where the participant has a result.

    out: the folder of the results. participant: as "sub-01". jobs: its scans. failed: which of them failed, and why.
    Raises InputError where Jinja2 is missing or the disk refuses.
    """
    scans = [_scan(job) for job in jobs if job.output.is_file() and own_sidecar(job.output).is_file()]
    if not scans:
        return
    own = {job.name: failed[job.name] for job in jobs if job.name in failed}
    values: dict[str, Any] = {"participant": participant, "scans": scans, "failed": own, "failures": {}}
    # a face may be in the picture, and nobody looked
    text = rendered("participant.html.j2", out / "figures", whole_heads=True, slices=None, licences="", **values)
    write_files({out / f"{participant}.html": lambda path: _put(path, text)}, overwrite=True)


def _scan(job: Job) -> dict[str, Any]:
    table = json.loads(own_sidecar(job.output).read_text(encoding="utf-8"))
    own = table.get(OURS, {})
    picture = job.picture.name if job.picture is not None and job.picture.is_file() else None
    return {
        "name": job.name,
        "resolution": table.get("Resolution", ""),
        "model": own.get("model", ""),
        "notes": own.get("notes", []),
        "unusual": own.get("unusual", []),
        "picture": picture,
    }


def _put(path: Path, text: str) -> None:
    path.write_text(text, encoding="utf-8", errors="backslashreplace")
