"""A sample to try the module on: Slicer's own MRHead made coarse, so that the true, fine one is there to compare."""

import tempfile
from pathlib import Path
from typing import Any

import numpy as np

from SuperResolutionLib.files.nrrd import write_detached
from SuperResolutionLib.physics.degradation import degrade
from SuperResolutionLib.progress import finish
from SuperResolutionSlicer import nodes

CATEGORY = "Super Resolution"
NAME = "MRHead, x2 coarser"


def register() -> None:
    """List the sample in Slicer's Sample Data module."""
    import SampleData

    SampleData.SampleDataLogic.registerCustomSampleDataSource(
        category=CATEGORY,
        sampleName=NAME,
        uris=["made from MRHead"],  # a source must have one; ours is asked of MRHead's own
        fileNames=[None],
        nodeNames=[NAME],
        customDownloader=load,
    )


def load(*_: Any) -> Any:
    """Download MRHead, and add what a scan with half its k-space would have shown. Returns the coarse node."""
    import SampleData

    return coarse(SampleData.SampleDataLogic().downloadMRHead())


def coarse(node: Any, scale: int = 2) -> Any:
    """A new node beside `node`: its central k-space only, on the coarser grid."""
    low = degrade(nodes.volume_of(node).cast(np.float32), "k_space", scale)
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "coarse.nhdr"
        write_detached(low, path)
        result = finish(nodes.reading(path, node, f"{node.GetName()} x{scale} coarser"))
    nodes.add(result, node, {"Operation": f"k-space truncation x{scale}"})
    return result
