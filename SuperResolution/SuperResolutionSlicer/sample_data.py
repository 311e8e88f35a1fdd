"""Samples to try the module on: Slicer's own MRHead made coarse, so that the true, fine one is there to compare."""

import tempfile
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np

from SuperResolutionLib.files.nrrd import write_detached
from SuperResolutionLib.geometry.grid import stacking_axis
from SuperResolutionLib.physics.degradation import degrade
from SuperResolutionLib.progress import finish
from SuperResolutionLib.volume import Volume
from SuperResolutionSlicer import nodes

CATEGORY = "Super Resolution"
COARSE, THICK = "MRHead, x2 coarser", "MRHead, thick slices"
TIMES = 3  # MRHead's slices are 1.3 mm apart; those of the thick sample 3.9 mm


def register() -> None:
    """List the samples in Slicer's Sample Data module."""
    import SampleData

    for name, make in ((COARSE, coarse), (THICK, thick)):
        SampleData.SampleDataLogic.registerCustomSampleDataSource(
            category=CATEGORY,
            sampleName=name,
            uris=["made from MRHead"],  # a source must have one; ours is asked of MRHead's own
            fileNames=[None],
            nodeNames=[name],
            customDownloader=partial(_load, make),
        )


def _load(make: Callable[[Any], Any], *_: Any) -> Any:
    """Download MRHead, and add what a coarser scan would have shown. Returns the coarse node."""
    import SampleData

    return make(SampleData.SampleDataLogic().downloadMRHead())


def coarse(node: Any, scale: int = 2) -> Any:
    """A new node beside `node`: its central k-space only, on the coarser grid."""
    low = degrade(nodes.volume_of(node).cast(np.float32), "k_space", scale)
    return _added(low, node, f"x{scale} coarser", f"k-space truncation x{scale}")


def thick(node: Any, times: int = TIMES) -> Any:
    """A new node beside `node`: slices that are `times` as thick and as far apart."""
    volume = nodes.volume_of(node).cast(np.float32)
    spacing = times * volume.spacing[stacking_axis(volume)]
    low = degrade(volume, f"slices:spacing={spacing:.6g}")
    return _added(low, node, "thick slices", f"slices of {spacing:.3g} mm")


def _added(low: Volume, node: Any, name: str, operation: str) -> Any:
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "coarse.nhdr"
        write_detached(low, path)
        result = finish(nodes.reading(path, node, f"{node.GetName()} {name}"))
    nodes.add(result, node, {"Operation": operation})
    return result
