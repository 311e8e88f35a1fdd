"""What the panel says before the click, and the ways to look at the result afterwards, with the real engine."""

import numpy as np
import pytest
import scans
import slicer
import slicer.util
from SuperResolutionSlicer import colors, locations
from SuperResolutionSlicer.views import LEFT, RIGHT
from test_labels import composite, written
from test_widget import click, open_panel, run_to_end, select


@pytest.fixture
def enhanced(session, wait_until):
    """The panel after a thick scan, with its uncertainty map, was enhanced: panel, result."""
    scans.scalar("flair", size=(20, 48, 40))
    panel = open_panel(session)
    select(panel.ui.makeComboBox, "2")
    panel.ui.uncertaintyCheckBox.setChecked(True)
    click(panel.ui.enhanceButton)
    run_to_end(panel, wait_until)
    assert panel.job.state == "done", panel.job.error + panel.job.log
    return panel, panel.job.result


def words(tag: str) -> list[str]:
    return written(tag).splitlines()[:-1]  # without the last line, on research use


def test_the_ways_of_looking_one_after_the_other(enhanced, grab, session, picture):
    """One enhancement, and every button of the group: each view says what it shows, and shows it."""
    panel, result = enhanced
    views = slicer.app.layoutManager().viewport()
    views.resize(900, 460)
    ui = panel.ui
    assert "A network can invent detail" in ui.warningLabel.text and ui.warningLabel.visible
    assert (words(LEFT), words(RIGHT)) == (["Interpolated, x2"], ["Enhanced, x2 (mri-x2)"])
    click(ui.showOriginalButton)
    assert (words(LEFT), words(RIGHT)) == (["Original"], ["Enhanced, x2 (mri-x2)"])
    click(ui.showAddedButton)
    assert words(RIGHT) == ["What was added: orange brighter, blue darker"]
    grab(views, "views-what-was-added")

    click(ui.flickerButton)
    assert (words(LEFT), words(RIGHT)) == (["Original"], ["Enhanced, x2 (mri-x2)"])
    grab(views, "views-flicker-enhanced")
    place = slicer.util.arrayFromVTKMatrix(composite_logic(RIGHT).GetSliceNode().GetSliceToRAS())
    one = session.render(composite_logic(RIGHT), 200, 200)
    panel.shortcut.activated.emit()  # what the key does
    assert words(RIGHT) == ["Interpolated, x2"]
    grab(views, "views-flicker-interpolated")
    other = session.render(composite_logic(RIGHT), 200, 200)
    assert (one != other).any() and np.array_equal(one[..., 3], other[..., 3])
    assert np.allclose(slicer.util.arrayFromVTKMatrix(composite_logic(RIGHT).GetSliceNode().GetSliceToRAS()), place)
    click(ui.flickerButton)
    assert np.array_equal(session.render(composite_logic(RIGHT), 200, 200), one)

    select(ui.overlayComboBox, "difference")
    assert words(RIGHT) == ["Enhanced, x2 (mri-x2)", "+ What was added: orange brighter, blue darker"]
    grab(views, "views-overlay-added")
    coloured = session.render(composite_logic(RIGHT), 200, 200)[..., :3].astype(int)
    assert (np.ptp(coloured, axis=-1) > 40).any(), "nothing has a colour"
    ui.overlaySlider.setValue(0)
    assert words(RIGHT) == ["Enhanced, x2 (mri-x2)"]
    assert np.ptp(session.render(composite_logic(RIGHT), 200, 200)[..., :3].astype(int), axis=-1).max() == 0
    ui.overlaySlider.setValue(80)
    select(ui.overlayComboBox, "uncertainty")
    assert words(RIGHT) == ["Enhanced, x2 (mri-x2)", "+ Where the network is unsure"]
    assert composite(RIGHT).GetForegroundVolumeID() == result.uncertainty.GetID()
    assert composite(RIGHT).GetForegroundOpacity() == pytest.approx(0.8)
    grab(views, "views-overlay-uncertainty")
    grab(panel.parent, "panel-looking")

    ui.revealCheckBox.setChecked(True)
    assert words(RIGHT) == ["Interpolated, x2", "Enhanced, x2 (mri-x2) under the mouse"]
    assert not panel.logic.views.can_flicker
    click(ui.showInterpolatedButton)
    assert not ui.revealCheckBox.checked and words(RIGHT) == ["Enhanced, x2 (mri-x2)"]

    click(ui.usualViewsButton)
    assert slicer.app.layoutManager().layout == slicer.vtkMRMLLayoutNode.SlicerLayoutFourUpView
    for name in ("Red", "Green", "Yellow"):
        assert composite(name).GetBackgroundVolumeID() == result.enhanced.GetID()
    assert not ui.backButton.enabled


def composite_logic(tag: str):
    return slicer.app.layoutManager().sliceWidget(tag).sliceLogic()


def test_where_an_overlay_has_nothing_to_show_the_picture_below_is_seen_as_it_is(session):
    head, nothing = scans.scalar("head"), scans.scalar("nothing", dtype=np.float32)
    slicer.util.arrayFromVolume(nothing)[:] = 0
    slicer.util.arrayFromVolume(nothing)[:, :12] = 5
    colors.paint(nothing, colors.diverging_over(), -5, 5)
    red = composite("Red")
    red.SetBackgroundVolumeID(head.GetID())
    composite_logic("Red").FitSliceToBackground()
    plain = session.render(composite_logic("Red"), 120, 120)[..., :3].astype(int)
    red.SetForegroundVolumeID(nothing.GetID())
    red.SetForegroundOpacity(1)
    over = session.render(composite_logic("Red"), 120, 120)[..., :3].astype(int)
    same = np.abs(plain - over).max(-1) <= 2
    assert 0.3 < same.mean() < 0.9
    assert np.abs(over[~same] - [255, 140, 0]).max(-1).min() <= 3


# ---------------------------------------------------------------- before the click


def test_one_line_says_what_will_happen_and_thick_slices_are_made_thin_by_default(session, grab):
    scans.scalar("flair", size=(20, 48, 40))
    panel = open_panel(session)
    assert panel.binding["make"] == "isotropic"
    plan = panel.ui.planLabel.text
    assert plan.startswith("40 x 48 x 20 at 1.5 x 1.5 x 4 mm becomes 40 x 48 x 53 at 1.5 x 1.5 x 1.51 mm; about ")
    assert "; model mri-iso; the slices are taken to be as thick as they are apart, 4 mm." in plan
    assert panel.ui.modelComboBox.itemText(0) == "Automatic (recommended): mri-iso"
    assert panel.ui.thicknessSpinBox.visible and not panel.ui.measureButton.enabled
    panel.ui.thicknessSpinBox.setValue(3)
    panel.ui.sliceSpacingSpinBox.setValue(1)
    assert "becomes 40 x 48 x 80 at 1.5 x 1.5 x 1 mm" in panel.ui.planLabel.text
    assert "slices 3 mm thick, 4 mm apart, with gaps of 1 mm" in panel.ui.planLabel.text
    panel.parent.resize(400, 760)
    grab(panel.parent, "panel-thick")
    panel.ui.thicknessSpinBox.setValue(15)
    assert not panel.ui.enhanceButton.enabled and "thick" in panel.ui.statusLabel.text


def test_a_volume_of_thin_slices_is_made_sharper_in_plane_and_another_one_anew_what_suits_it(session):
    thin = scans.scalar("thin", ijk_to_ras=np.diag([1.5, 1.5, 1.5, 1.0]))
    thick = scans.scalar("thick")
    panel = open_panel(session)
    panel.ui.inputSelector.setCurrentNode(thin)
    assert panel.binding["make"] == "2" and not panel.ui.thicknessSpinBox.visible
    assert "; model mri-x2." in panel.ui.planLabel.text
    panel.ui.inputSelector.setCurrentNode(thick)
    panel.ui.thicknessSpinBox.setValue(3)
    select(panel.ui.makeComboBox, "4")
    panel.update()
    assert panel.binding["make"] == "4", "what the user chose stays"
    panel.ui.inputSelector.setCurrentNode(thin)
    assert panel.binding["make"] == "2" and panel.settings().thickness is None


def test_what_is_unusual_is_said_before_the_click_and_beside_done(session, wait_until, grab):
    """Fault J2: it was an attribute of the result, and nowhere in the panel."""
    scans.scalar("fine", ijk_to_ras=np.diag([0.4, 0.4, 0.5, 1.0]), size=(4, 24, 20))
    panel = open_panel(session)
    said = panel.ui.unusualLabel
    assert said.visible and said.text.startswith("Unusual about fine: its in-plane voxels, 0.4 x 0.4 mm, are finer")
    assert "#c05a00" in said.styleSheet
    panel.parent.resize(400, 760)
    grab(panel.parent, "panel-unusual")
    click(panel.ui.enhanceButton)
    run_to_end(panel, wait_until)
    assert panel.ui.statusLabel.text == "Done." and "finer than mri-x2 was trained on" in said.text
    grab(panel.parent, "panel-unusual-done")


def test_a_diffusion_series_can_be_made_finer_in_all_directions(session, wait_until):
    node = scans.diffusion()
    panel = open_panel(session)
    select(panel.ui.makeComboBox, "2x2x2")
    assert "20 x 24 x 6 at 1.5 x 1.5 x 4 mm, 7 volumes becomes 40 x 48 x 12 at 0.75 x 0.75 x 2 mm" in (
        panel.ui.planLabel.text
    )
    click(panel.ui.enhanceButton)
    run_to_end(panel, wait_until)
    assert panel.job.state == "done", panel.job.error + panel.job.log
    result = panel.job.result.enhanced
    assert slicer.util.arrayFromVolume(result).shape == (12, 48, 40, 7)
    assert np.allclose(scans.corners(result), scans.corners(node), atol=1e-4)


def test_research_models_are_listed_where_they_are_asked_for(session):
    scans.scalar()
    panel = open_panel(session)
    box = panel.ui.modelComboBox
    listed = [box.itemData(n) for n in range(box.count)]
    assert listed[0] == "" and set(listed[1:]) == {"mri-x2", "mri-x4", "mri-iso", "dwi-x2", "dwi-x4"}
    panel.ui.researchModelsCheckBox.setChecked(True)
    assert box.findData("E-edsr-x2") > 0


def test_the_plain_part_of_the_panel_has_no_jargon(session):
    """LR, SR, bicubic and truncation are words of Advanced and Quality alone."""
    scans.scalar()
    panel = open_panel(session)
    plain = [panel.ui.inputsCollapsibleButton, panel.ui.compareCollapsibleButton]
    texts = [
        w.text for w in (panel.ui.enhanceButton, panel.ui.previewButton, panel.ui.planLabel, panel.ui.warningLabel)
    ]
    for group in plain:
        for child in group.children():
            for name in ("text", "toolTip"):
                texts.append(getattr(child, name, "") if isinstance(getattr(child, name, ""), str) else "")
    said = " ".join(texts)
    assert "Enhanced" in said
    for word in ("LR", "SR", "bicubic", "truncat", "k-space"):
        assert word not in said, word


def test_the_thickness_is_read_from_the_dicom_files_of_a_volume(session, monkeypatch):
    """The database of Slicer is not here; one of two values stands for it."""

    class Database:
        def instanceValue(self, uid: str, tag: str) -> str:
            return {("1.2.3", "0018,0050"): "3.5"}.get((uid, tag), "")

    monkeypatch.setattr(slicer, "dicomDatabase", Database(), raising=False)
    node = scans.scalar("flair", size=(20, 48, 40))
    panel = open_panel(session)
    node.SetAttribute("DICOM.instanceUIDs", "1.2.3 1.2.4")
    panel.update()
    assert "slices 3.5 mm thick, 4 mm apart, with gaps of 0.5 mm" in panel.ui.planLabel.text
    node.SetAttribute("DICOM.instanceUIDs", "1.9")
    panel.update()
    assert "taken to be as thick as they are apart" in panel.ui.planLabel.text


def test_the_documentation_uses_the_words_of_the_panel(session):
    panel = open_panel(session)
    page = (locations.MODULE_FOLDER.parent / "docs" / "slicer.md").read_text(encoding="utf-8")
    page = " ".join(page.replace("*", "").split())
    ui = panel.ui
    buttons = [ui.showInterpolatedButton, ui.showOriginalButton, ui.showAddedButton, ui.flickerButton]
    buttons += [
        ui.usualViewsButton,
        ui.saveDICOMButton,
        ui.backButton,
        ui.enhanceButton,
        ui.previewButton,
        ui.measureButton,
    ]
    said = [button.text for button in buttons]
    said += [ui.sliceSpacingLabel.text, ui.thicknessLabel.text, ui.overlayLabel.text, ui.researchModelsCheckBox.text]
    said += [ui.whatComboBox.itemText(n) for n in (1, 2)] + [ui.makeComboBox.itemText(n) for n in (0, 2, 3)]
    said += [ui.revealCheckBox.text]
    assert [words for words in said if words not in page] == []
