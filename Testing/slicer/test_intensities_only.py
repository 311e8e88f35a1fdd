"""The panel's logic refuses what is no intensity before any work, as the library does."""

import numpy as np
import pytest
import scans
import slicer.util
from SuperResolutionSlicer.logic import Settings, SuperResolutionLogic

from SuperResolutionLib.errors import InputError


@pytest.fixture
def logic(session):
    found = SuperResolutionLogic()
    yield found
    found.close()


def nodes():
    mask = slicer.util.addVolumeFromArray((scans.head() > 400).astype(np.uint8), name="brain")
    return {"by its voxels": mask, "by its name": scans.scalar("sub-01_part-phase_bold")}


@pytest.mark.parametrize("kind", ["by its voxels", "by its name"])
def test_every_kind_of_work_is_refused(logic, tmp_path, kind):
    """Fault F."""
    node = nodes()[kind]
    for work in (logic.enhance, logic.preview, logic.compare, lambda n: logic.saveReport(n, tmp_path)):
        with pytest.raises(InputError, match=r"no intensities .* Settings\(as_intensities=True\)"):
            work(node)
    Settings(as_intensities=True).check(node)
    assert "--as-intensities" in Settings(as_intensities=True).arguments()


def test_a_scan_is_taken(session):
    Settings().check(scans.scalar("MRHead"))
