"""Super Resolution, the module as Slicer finds it; what it does lives in SuperResolutionSlicer."""

import importlib.util
import os

import slicer
from slicer.i18n import tr as _
from slicer.i18n import translate
from slicer.ScriptedLoadableModule import ScriptedLoadableModule, ScriptedLoadableModuleTest
from SuperResolutionSlicer.locations import make_importable, resource

make_importable()

from SuperResolutionSlicer import installer  # noqa: E402
from SuperResolutionSlicer.logic import SuperResolutionLogic  # noqa: E402 - found here by name
from SuperResolutionSlicer.widget import SuperResolutionWidget  # noqa: E402, F401

URL = "https://github.com/superresolution/SlicerSuperResolution"


class SuperResolution(ScriptedLoadableModule):
    """What the module is called and where it appears."""

    def __init__(self, parent):
        ScriptedLoadableModule.__init__(self, parent)
        parent.title = _("Super Resolution")
        parent.categories = [translate("qSlicerAbstractCoreModule", "Filtering")]
        parent.dependencies = []
        parent.contributors = ["The SuperResolution contributors"]
        parent.helpText = _(
            "Makes an MRI or diffusion MRI volume sharper in plane, or its thick slices thin, with a trained network, "
            "and shows it beside plain interpolation. Choose a volume; the panel says in one line what will be made of "
            "it and what is unusual about it; click Enhance. A network can invent detail: look at what was added "
            "before you believe it. Research use only, not a medical device."
        )
        parent.helpText += f' <a href="{URL}#in-3d-slicer">{_("Tutorial")}</a>'
        parent.acknowledgementText = _(
            "The networks were trained on public scans: ds002748 (Bezmaternykh, Melnikov, Savelov, Petrovskii; "
            "OpenNeuro, CC0), openms (Lesjak et al., University of Ljubljana, CC-BY), dcm_qa (C. Rorden and "
            "colleagues, BSD), studyforrest (PDDL), bch (FNNDSC, Apache-2.0), rorden (CC0), torchio (MIT), "
            "prostatex (TCIA, CC BY 3.0). Each model's card says which."
        )
        slicer.app.connect("startupCompleted()", onStartupCompleted)
        icon = resource("Icons", "SuperResolution.png")
        if os.path.isfile(icon):
            import qt

            parent.icon = qt.QIcon(icon)


def onStartupCompleted():
    """List our samples in the Sample Data module, and make our layout known to scenes that were saved in it."""
    from SuperResolutionSlicer import layouts, sample_data

    sample_data.register()
    layouts.register()


class SuperResolutionTest(ScriptedLoadableModuleTest):
    """Runs in Slicer (Reload and Test, or ctest): a real network on a small volume, through the real process."""

    def setUp(self):
        """An empty scene."""
        if installer.missing(installer.QUALITY) and importlib.util.find_spec("PyTorchUtils") is None:
            self.skipTest("the PyTorch extension is not installed")
        slicer.mrmlScene.Clear(0)
        self.logic = SuperResolutionLogic()

    def tearDown(self):
        """No job stays behind."""
        self.logic.close()

    def runTest(self):
        """All tests; Slicer calls this."""
        for test in (self.test_enhance, self.test_compare, self.test_cancel):
            self.setUp()
            test()
            self.tearDown()

    def test_enhance(self):
        """Enhancing gives a new volume, twice as fine in plane, with the same field of view."""
        import numpy as np

        self.delayDisplay("Enhancing a small volume")
        node = self.phantom()
        enhanced = self.logic.enhance(node)
        self.assertEqual(slicer.util.arrayFromVolume(enhanced).shape, (6, 48, 40))
        bounds, wanted = [0.0] * 6, [0.0] * 6
        enhanced.GetSliceBounds(bounds, None)
        node.GetSliceBounds(wanted, None)
        self.assertTrue(np.allclose(bounds, wanted))
        self.assertEqual(enhanced.GetAttribute("SuperResolution.Model"), "mri-x2")
        self.assertEqual(slicer.util.arrayFromVolume(node).shape, (6, 24, 20))

    def test_compare(self):
        """Comparing gives a table with a row for each method."""
        self.delayDisplay("Measuring on a small volume")
        table = self.logic.compare(self.phantom(), methods=["bicubic", "mri-x2"])
        self.assertEqual(table.GetNumberOfRows(), 2)

    def test_cancel(self):
        """A cancelled job leaves the scene as it was."""
        self.delayDisplay("Cancelling")
        node = self.phantom()
        before = slicer.mrmlScene.GetNumberOfNodes()
        job = self.logic.enhance(node, blocking=False)
        job.cancel()
        self.assertEqual(job.state, "cancelled")
        self.assertEqual(slicer.mrmlScene.GetNumberOfNodes(), before)

    def phantom(self):
        """A small head-like volume, oblique, of int16."""
        import numpy as np

        k, j, i = np.mgrid[-1:1:6j, -1:1:24j, -1:1:20j]
        head = 900 * np.exp(-3 * (i**2 + 1.3 * j**2 + 0.5 * k**2)) + 100 * np.sin(9 * i) * np.cos(7 * j)
        c, s = np.cos(0.3), np.sin(0.3)
        matrix = np.array([[c, -s, 0, 5], [s, c, 0, -9], [0, 0, 3, 2], [0, 0, 0, 1.0]])
        return slicer.util.addVolumeFromArray(head.astype(np.int16), ijkToRAS=matrix, name="phantom")
