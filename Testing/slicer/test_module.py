"""The module file as Slicer loads it: its name and place, its own tests, its sample, the console."""

import ast
import json
import re
from itertools import pairwise
from pathlib import Path

import pytest
import scans
import slicer
import slicer.util
from SuperResolutionSlicer import locations, sample_data

MODULE = locations.MODULE_FOLDER / "SuperResolution.py"


@pytest.fixture
def module(session):
    session.modules.add(MODULE)
    import SuperResolution

    return SuperResolution


def test_the_module_is_found_under_filtering_with_its_icon(session, module):
    found = slicer.util.getModule("SuperResolution")
    assert found.title == "Super Resolution"
    assert found.categories == ["Filtering"]
    assert "Research use only" in found.helpText
    assert not found.icon.isNull()


def test_the_modules_own_test_class_passes(session, module):
    module.SuperResolutionTest().runTest()


def test_the_console_snippet_of_the_readme_works(session, module):
    node = scans.scalar("MRHead")
    logic = slicer.util.getModuleLogic("SuperResolution")
    enhanced = logic.enhance(slicer.util.getNode("MRHead"), model="mri-x2", scale=2)
    table = logic.compare(node, degradation="k_space", scale=2, methods=["bicubic", "mri-x2"])
    logic.showComparison(node, enhanced)
    assert table.GetNumberOfRows() == 2
    assert logic.views.shown


def test_the_sample_is_offered_and_made_from_mrhead(session, module):
    session.start_up()
    import SampleData

    source, thick = slicer.modules.sampleDataSources[sample_data.CATEGORY]
    session.samples["MRHead"] = lambda: scans.scalar("MRHead")
    assert source.sampleName == "MRHead, x2 coarser"
    low = source.customDownloader(source)
    assert low.GetName() == "MRHead x2 coarser"
    assert slicer.util.getNode("MRHead") is not low
    assert SampleData is not None
    session.samples["MRHead"] = lambda: scans.scalar("MRHead", size=(30, 24, 20))
    slices = thick.customDownloader(thick)
    assert slices.GetName() == "MRHead thick slices"
    assert slices.GetImageData().GetDimensions() == (20, 24, 10) and slices.GetSpacing()[2] == pytest.approx(12)


def test_every_data_set_behind_the_models_is_named(module):
    text = slicer.util.getModule("SuperResolution").acknowledgementText
    for name in ("mri-x2", "mri-x4", "mri-iso", "dwi-x2", "dwi-x4"):
        card = json.loads(Path(locations.resource("Models", f"{name}.json")).read_text(encoding="utf-8"))
        sources = re.findall(r"(?:^|; )(?!doi)([a-z]\w+)", card["data_licence"])
        assert len(sources) >= 3 and all(source in text for source in sources), sources


def sentences_that_are_not_translated(path: Path) -> list[str]:
    """Texts of two words and more that a user would read, and that no call of _() stands around."""
    found = []

    def look(node: ast.AST, shown: bool) -> None:
        if isinstance(node, ast.Call):
            name = getattr(node.func, "id", getattr(node.func, "attr", ""))
            if name == "_":
                return
            shown = shown or name in ("InputError", "Step", "always", "errorDisplay", "warningDisplay", "JobError")
        if shown and isinstance(node, ast.Constant) and isinstance(node.value, str) and node.value.strip().count(" "):
            found.append(f"{path.name}:{node.lineno} {node.value}")
        for child in ast.iter_child_nodes(node):
            look(child, shown)

    look(ast.parse(path.read_text(encoding="utf-8")), False)
    return found


def test_what_a_user_reads_can_be_translated():
    """Fault J7: only the strings of SuperResolution.py could."""
    folder = locations.MODULE_FOLDER / "SuperResolutionSlicer"
    assert [line for path in folder.glob("*.py") for line in sentences_that_are_not_translated(path)] == []


def test_a_sentence_that_cannot_be_translated_is_found(tmp_path):
    (tmp_path / "x.py").write_text('raise InputError("two words")\nraise InputError(_("two {a}").format(a="b"))\n')
    assert len(sentences_that_are_not_translated(tmp_path / "x.py")) == 1


def test_reload_reads_the_library_anew(session, module):
    import sys

    before = sys.modules["SuperResolutionLib.volume"]
    slicer.util.selectModule("SuperResolution")
    kept = dict(sys.modules)
    try:
        locations.forget()
        assert "SuperResolutionLib.volume" not in sys.modules
        import SuperResolutionLib.volume

        assert SuperResolutionLib.volume is not before
    finally:
        library_names = [n for n in sys.modules if n.split(".")[0] in ("SuperResolutionLib", "SuperResolutionSlicer")]
        for name in library_names:
            del sys.modules[name]
        sys.modules.update(
            {n: m for n, m in kept.items() if n.split(".")[0] in ("SuperResolutionLib", "SuperResolutionSlicer")}
        )


def test_nothing_but_the_module_file_lies_where_slicer_looks_for_modules():
    assert [p.name for p in locations.MODULE_FOLDER.glob("*.py")] == ["SuperResolution.py"]


def test_the_library_knows_nothing_of_slicer():
    for path in Path(locations.home(), "SuperResolutionLib").rglob("*.py"):
        words = path.read_text().split()
        assert not {"slicer", "qt", "ctk", "vtk"} & {b.split(".")[0] for a, b in pairwise(words) if a == "import"}, path


def test_no_widget_is_asked_for_a_base_class_which_pythonqt_would_deny():
    """In PythonQt a QPushButton is no instance of QWidget; PySide6, which the stand-in builds on, would say it is."""
    for path in locations.MODULE_FOLDER.rglob("*.py"):
        asked = re.findall(r"isinstance\([^()]*, qt\.(\w+)\)", path.read_text())
        assert set(asked) <= {"QCheckBox", "QSpinBox", "QDoubleSpinBox", "QComboBox"}, path
