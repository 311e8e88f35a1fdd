"""The sidecar of an image in a BIDS derivatives data set: what the scanner's metadata still says, and what is new."""

from typing import Any

from SuperResolutionLib.batch.inherited import metadata
from SuperResolutionLib.batch.job import Job
from SuperResolutionLib.methods.method import Restoration

# What is no longer true of a finer plane (the readout in its time stays: TotalReadoutTime), and of thinner slices.
OF_THE_PLANE = ("EffectiveEchoSpacing", "ReconMatrixPE", "BaseResolution", "Rows", "Columns")
OF_THE_SLICES = ("SliceThickness", "SpacingBetweenSlices", "SliceTiming", "NumberOfSlices")


def derivative_sidecar(job: Job, result: Restoration, thinned: bool) -> dict[str, Any]:
    """What BIDS wants to know of a derived image: its sources, its resolution, and the scan's metadata that holds.

    thinned: whether it has other slices than the scan.
    """
    grid = result.record.sampling
    spacing = " x ".join(f"{mm:.4g}" for mm in result.volume.spacing)
    changed = (*OF_THE_PLANE, *OF_THE_SLICES) if thinned else OF_THE_PLANE
    kept = {key: value for key, value in metadata(job).items() if key not in changed}
    asked = ", ".join(f"{key} {value}" for key, value in grid.get("asked", {}).items()) or "as the model makes it"
    return {
        **kept,
        "Description": f"Made finer by the network {result.record.method}. Research use only.",
        "Sources": [job.described.uri] if job.described is not None else [],
        "Resolution": f"{spacing} mm ({asked}), over the field of view of the scan",
        "SkullStripped": bool(kept.get("SkullStripped", False)),
    }
