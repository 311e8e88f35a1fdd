"""The picture of the README: the panel on the stand-in, and the views rendered by Slicer's own slice pipeline.

    python Testing/slicer/picture_for_readme.py docs/panel.png [SCAN]

SCAN: by default the public sample of `make demo`. It is made coarse (x2, k-space truncation), and Enhance is clicked.
"""

import os
import sys
import time
from pathlib import Path

os.environ.setdefault("QT_QPA_PLATFORM", "offscreen")
HERE = Path(__file__).resolve().parent
sys.path[:0] = [str(HERE), str(HERE.parent), str(HERE.parents[1])]

from conftest import MISSING  # noqa: E402 - it makes `slicer` importable and puts the module on the path

if MISSING:
    sys.exit(MISSING)

import slicer  # noqa: E402
import slicer.util  # noqa: E402
import standin  # noqa: E402
from PySide6 import QtCore, QtGui, QtWidgets  # noqa: E402
from SuperResolutionSlicer import locations, nodes, sample_data  # noqa: E402
from SuperResolutionSlicer.views import LEFT, RIGHT  # noqa: E402

from SuperResolutionLib.files import read, write  # noqa: E402


def node_of(path: Path, folder: Path):
    """The scan as a node, through a file as Slicer's reader takes it."""
    write(read(path), folder / "scan.nrrd")
    return slicer.modules.volumes.logic().AddArchetypeVolume(str(folder / "scan.nrrd"), "T1 head")


def settle(application) -> None:
    """Let everything happen that waits for the event loop."""
    for _ in range(20):
        application.processEvents()


def look_at_the_brain(node) -> None:
    """Zoom in on the brain: shows more, and no face."""
    bounds = [0.0] * 6
    node.GetRASBounds(bounds)
    centre = [(bounds[k] + bounds[k + 1]) / 2 for k in (0, 2, 4)]
    for tag in (LEFT, RIGHT):
        view = slicer.app.layoutManager().sliceWidget(tag).mrmlSliceNode()
        width, height, depth = view.GetFieldOfView()
        view.SetFieldOfView(0.45 * width, 0.45 * height, depth)
        view.JumpSliceByCentering(centre[0] + 12, centre[1] - 20, centre[2] + 42)


def main(target: Path, scan: Path) -> None:
    """Click Enhance, wait, and put panel and views into one picture."""
    application = QtWidgets.QApplication.instance() or QtWidgets.QApplication(["Slicer"])
    session = standin.Session()
    fine = node_of(scan, Path(slicer.app.temporaryPath))
    low = sample_data.coarse(fine)
    slicer.mrmlScene.RemoveNode(fine)
    session.modules.add(locations.MODULE_FOLDER / "SuperResolution.py")
    slicer.util.selectModule("SuperResolution")
    panel = slicer.util.getModuleWidget("SuperResolution")
    views = slicer.app.layoutManager().viewport()
    panel.parent.resize(380, 640)
    views.resize(820, 640)
    panel.parent.show()
    views.show()
    panel.ui.inputSelector.setCurrentNode(low)
    panel.ui.makeComboBox.setCurrentIndex(panel.ui.makeComboBox.findData("2"))
    panel.ui.enhanceButton.click()
    while panel.job is not None and panel.job.running:
        application.processEvents()
        time.sleep(0.02)
    assert panel.job.state == "done", panel.job.error
    settle(application)
    look_at_the_brain(low)
    settle(application)
    pictures = [panel.parent.grab(), views.grab()]
    whole = QtGui.QPixmap(sum(p.width() for p in pictures), max(p.height() for p in pictures))
    whole.fill(QtCore.Qt.black)
    painter, x = QtGui.QPainter(whole), 0
    for picture in pictures:
        painter.drawPixmap(x, 0, picture)
        x += picture.width()
    painter.end()
    # 64 greys and the few colours of the panel: a third of the size, and nobody sees it
    assert whole.toImage().convertToFormat(QtGui.QImage.Format.Format_Indexed8).save(str(target))
    session.close()
    print(f"{target} written; {nodes.PREFIX}Ran: {panel.job.result.enhanced.GetAttribute(nodes.PREFIX + 'Ran')}")


if __name__ == "__main__":
    from benchmarks.sample import sample_scan

    main(Path(sys.argv[1]), Path(sys.argv[2]) if len(sys.argv) > 2 else sample_scan())
