"""What the console calls, with the real engine in its real process and the real network."""

import time
from dataclasses import fields, replace
from pathlib import Path

import numpy as np
import pytest
import scans
import slicer
import slicer.util
from in_words import restored
from processes import workers
from SuperResolutionSlicer import colors, nodes, process, quality, views
from SuperResolutionSlicer import logic as logic_module
from SuperResolutionSlicer.difference import difference
from SuperResolutionSlicer.jobs import JobCancelledError, JobError
from SuperResolutionSlicer.logic import Settings, SuperResolutionLogic
from SuperResolutionSlicer.sample_data import coarse

import SuperResolutionLib as sr
from SuperResolutionLib import cli
from SuperResolutionLib.cli import options
from SuperResolutionLib.errors import InputError
from SuperResolutionLib.geometry.grid import single_slice
from SuperResolutionLib.geometry.sampling import Sampling
from SuperResolutionLib.methods.method import Runtime

EXACT = Settings(runtime=Runtime(precision="float32"))
ALL_TURNS = Settings(runtime=Runtime(ensemble=True))


@pytest.fixture
def logic(session):
    found = SuperResolutionLogic()
    yield found
    found.close()


def values(node) -> np.ndarray:
    return slicer.util.arrayFromVolume(node)


def temporary_files() -> list[Path]:
    return list(Path(slicer.app.temporaryPath).glob("SR-*"))


def wait_for(condition, seconds: float = 30.0):
    began = time.monotonic()
    while not condition() and time.monotonic() - began < seconds:
        time.sleep(0.02)
    return condition()


def step_until(job, condition, seconds: float = 60.0):
    """Drive a job as the event loop would, until something holds or it ends."""
    began = time.monotonic()
    while job.running and not condition() and time.monotonic() - began < seconds:
        job.step()
        time.sleep(0.01)


@pytest.mark.parametrize("dtype", [np.int16, np.float32])
def test_enhancing_gives_what_the_library_gives_on_the_same_field_of_view(logic, dtype):
    node = scans.scalar(dtype=dtype)
    before = values(node).copy()
    enhanced = logic.enhance(node, settings=replace(EXACT, model="mri-x2"))
    expected = sr.enhance(nodes.volume_of(node), "mri-x2", runtime=EXACT.runtime)
    assert values(enhanced).dtype == dtype
    assert np.allclose(values(enhanced), expected.voxels, atol=1.01 if np.issubdtype(dtype, np.integer) else 1e-2)
    assert np.allclose(scans.corners(enhanced), scans.corners(node), atol=1e-6)
    assert np.array_equal(values(node), before)
    assert temporary_files() == []


def test_the_result_says_how_it_was_made_and_nothing_about_the_patient(logic):
    node = scans.scalar("DOE^JANE 1970")
    enhanced = logic.enhance(node)
    assert enhanced.GetName() == "DOE^JANE 1970 enhanced x2 (mri-x2)"
    made = {name: enhanced.GetAttribute(name) for name in enhanced.GetAttributeNames()}
    assert made["SuperResolution.Model"] == "mri-x2"
    assert len(made["SuperResolution.ModelSHA256"]) == 64
    assert made["SuperResolution.SourceNodeID"] == node.GetID()
    assert made["SuperResolution.Version"] == sr.__version__
    assert {"SuperResolution.Scale", "SuperResolution.Plane", "SuperResolution.Date"} <= set(made)
    assert not any("DOE" in value for value in made.values())
    assert sum(len(key) + len(value) for key, value in made.items()) < 1000


def test_a_diffusion_series_stays_one_with_its_gradients_and_order(logic):
    node = scans.diffusion()
    enhanced = logic.enhance(node)
    assert enhanced.GetClassName() == nodes.DIFFUSION
    assert values(enhanced).shape == (6, 48, 40, 7)
    for n in range(7):
        assert enhanced.GetDiffusionGradient(n) == node.GetDiffusionGradient(n)
        assert enhanced.GetBValue(n) == node.GetBValue(n)
        ratio = values(enhanced)[..., n].mean() / values(node)[..., n].mean()
        assert ratio == pytest.approx(1, abs=0.05)


def test_a_preview_is_that_slice_of_the_whole_result_in_its_place(logic):
    node = scans.scalar()
    volume = nodes.volume_of(node)
    whole = sr.enhance(volume, "mri-x2", runtime=EXACT.runtime)
    part = logic.preview(node, EXACT, index=4)
    for one, all_of_it in ((part.enhanced, whole), (part.bicubic, sr.upsample(volume, "bicubic", 2))):
        assert values(one).shape == (1, 48, 40)
        assert np.allclose(values(one)[0], all_of_it.voxels[4], atol=1)
        assert np.allclose(nodes.volume_of(one).bounds(), single_slice(all_of_it, 2, 4).bounds(), atol=1e-6)
    again = logic.preview(node, index=1)
    assert slicer.mrmlScene.GetNodeByID(again.enhanced.GetID()) is again.enhanced
    assert len([n for n in slicer.util.getNodesByClass(nodes.SCALAR) if "preview" in n.GetName()]) == 2


def test_a_second_preview_goes_on_in_the_process_of_the_first(logic, figures):
    node = scans.scalar("fine", size=(3, 256, 256))
    logic.preview(node, EXACT, index=1)
    first, began = process.resting(), time.monotonic()
    part = logic.preview(node, EXACT, index=2)
    seconds = float(part.enhanced.GetAttribute("SuperResolution.Seconds"))
    figures["a second preview, in times of what its slice takes"] = (time.monotonic() - began) / seconds
    assert first is not None and process.resting() == first


def test_tensors_give_tensors_on_the_same_field_of_view_side_by_side_as_anisotropy(session, logic):
    node = scans.tensors(frame=np.array([[0, -1, 0], [1, 0, 0], [0, 0, 1.0]]))
    node.GetDisplayNode().AutoWindowLevelOff()
    node.GetDisplayNode().SetWindowLevelMinMax(0, 1)
    result = logic.enhanceAndInterpolate(node, EXACT)
    expected = sr.enhance(nodes.volume_of(node), "mri-x2", runtime=EXACT.runtime)
    assert result.enhanced.GetClassName() == nodes.TENSORS
    assert result.enhanced.GetName() == "dti enhanced x2 (mri-x2)"
    assert np.allclose(nodes.volume_of(result.enhanced).voxels, expected.voxels, rtol=0, atol=1e-7)
    assert np.allclose(scans.corners(result.enhanced), scans.corners(node), atol=1e-6)
    assert (np.linalg.eigvalsh(values(result.enhanced)[values(result.enhanced).any((-1, -2))]) > 0).all()
    added = values(difference(result.enhanced, result.bicubic))
    assert added.shape == values(result.enhanced).shape[:3]
    assert np.abs(added).max() < 1
    logic.showComparison(result.bicubic, result.enhanced)
    for tag in (views.LEFT, views.RIGHT):
        shown = session.render(slicer.app.layoutManager().sliceWidget(tag).sliceLogic(), 96, 96)
        assert shown[..., :3][shown[..., 3] > 0].max() > 100, "no anisotropy is seen"


def test_a_preview_of_tensors_is_that_slice_of_the_whole_result(logic):
    node = scans.tensors()
    whole = sr.enhance(nodes.volume_of(node), "mri-x2", runtime=EXACT.runtime)
    part = logic.preview(node, EXACT, index=2)
    assert np.allclose(nodes.volume_of(part.enhanced).voxels, whole.voxels[:, 2:3], rtol=0, atol=1e-7)


def test_quality_is_not_measured_on_tensors(logic):
    with pytest.raises(InputError, match="dti is a tensor volume; quality is measured on what a scanner measures"):
        logic.compare(scans.tensors())


def test_the_bicubic_volume_is_the_librarys_own_and_there_is_no_uncertainty_map_unless_asked_for(logic):
    node = scans.scalar()
    result = logic.enhanceAndInterpolate(node, Settings())
    expected = sr.upsample(nodes.volume_of(node), "bicubic", 2)
    assert np.array_equal(values(result.bicubic), expected.voxels)
    assert np.array_equal(scans.grid(result.bicubic), scans.grid(result.enhanced))
    added = difference(result.enhanced, result.bicubic)
    assert np.array_equal(values(added), values(result.enhanced).astype(np.float32) - values(result.bicubic))
    low, high = added.GetDisplayNode().GetWindowLevelMin(), added.GetDisplayNode().GetWindowLevelMax()
    assert low == -high
    assert result.uncertainty is None, "it was not asked for"
    assert [n.GetName() for n in slicer.util.getNodesByClass(nodes.SCALAR) if "uncertainty" in n.GetName()] == []


def test_the_uncertainty_map_is_the_librarys_own_on_the_grid_of_the_result(logic):
    node = scans.scalar()
    enhanced = logic.enhance(node, settings=replace(EXACT, uncertainty=True))
    spread = enhanced.GetNodeReference("SuperResolution.Uncertainty")
    expected = restored(nodes.volume_of(node), "mri-x2", uncertainty=True, precision="float32")
    assert (spread.GetName(), spread.GetClassName()) == ("head enhanced x2 (mri-x2) uncertainty", nodes.SCALAR)
    assert values(spread).dtype == np.float32
    assert np.allclose(values(spread), expected.uncertainty.voxels, rtol=0, atol=1e-2) and values(spread).max() > 1
    assert np.allclose(values(enhanced), expected.volume.voxels, rtol=0, atol=1)
    assert np.array_equal(scans.grid(spread), scans.grid(enhanced))
    display = spread.GetDisplayNode()
    assert display.GetColorNode() is colors.perceptual()
    assert display.GetWindowLevelMin() == 0 and 0 < display.GetWindowLevelMax() <= values(spread).max()
    assert spread.GetAttribute("SuperResolution.Model") == "mri-x2"
    assert spread.GetNodeReference(nodes.SOURCE) is node


def test_the_uncertainty_of_a_series_is_one_scalar_volume_the_root_mean_square(logic):
    node = scans.diffusion(count=3)
    enhanced = logic.enhance(node, settings=replace(EXACT, uncertainty=True))
    spread = enhanced.GetNodeReference("SuperResolution.Uncertainty")
    expected = restored(nodes.volume_of(node), "dwi-x2", uncertainty=True, precision="float32").uncertainty
    assert spread.GetClassName() == nodes.SCALAR
    assert spread.GetDisplayNode().GetClassName() == "vtkMRMLScalarVolumeDisplayNode"
    assert np.allclose(values(spread), np.sqrt((expected.voxels**2).mean(0)), rtol=1e-3, atol=1e-2)


def test_a_preview_with_uncertainty_is_that_slice_of_the_map_and_the_next_one_takes_its_place(logic):
    node = scans.scalar()
    wanted = replace(EXACT, uncertainty=True)
    whole = restored(nodes.volume_of(node), "mri-x2", uncertainty=True, precision="float32").uncertainty
    for index in (2, 4):
        part = logic.preview(node, wanted, index=index)
        assert np.allclose(values(part.uncertainty)[0], whole.voxels[index], rtol=1e-3, atol=1e-2)
    previews = [n.GetName() for n in slicer.util.getNodesByClass(nodes.SCALAR) if "preview" in n.GetName()]
    assert sorted(previews) == sorted(
        [
            "head enhanced x2 (mri-x2) preview",
            "head enhanced x2 (mri-x2) uncertainty preview",
            "head interpolated x2 preview",
        ]
    )


def test_tensors_have_no_uncertainty_map(logic):
    before = scans.names() | {scans.tensors().GetID()}
    with pytest.raises(InputError, match="dti is a tensor volume, and the uncertainty map is one of intensities"):
        logic.enhance(slicer.util.getNode("dti"), uncertainty=True)
    assert before <= scans.names() and workers() == []


def test_every_kind_of_volume_gets_the_model_that_suits_it(session):
    assert Settings().model_for(scans.scalar()) == "mri-x2"
    assert Settings(sampling=Sampling(factor=4)).model_for(scans.diffusion()) == "dwi-x4"
    assert Settings().model_for(scans.tensors()) == "mri-x2"
    assert Settings(model="my.safetensors").model_for(scans.diffusion()) == "my.safetensors"


def test_comparing_fills_a_folder_with_table_chart_and_error_maps(logic):
    node = scans.scalar(dtype=np.float32)
    table = logic.compare(node, degradation="k_space", scale=2, methods=["bicubic", "sinc", "mri-x2"])
    expected = sr.compare(nodes.volume_of(node), "k_space", 2, methods=["bicubic", "sinc", "mri-x2"])
    columns = [table.GetColumnName(c) for c in range(table.GetNumberOfColumns())]
    assert columns[:5] == ["Method", "PSNR (dB)", "PSNR in head (dB)", "SSIM", "NMSE"]
    shown = {table.GetCellText(r, 0): float(table.GetCellText(r, 2)) for r in range(table.GetNumberOfRows())}
    assert shown == pytest.approx({row.method: row.score.psnr_head for row in expected.rows}, abs=0.01)
    chart = table.GetNodeReference("SuperResolution.Chart")
    assert chart.GetNumberOfPlotSeriesNodes() == 3
    slices = chart.GetNthPlotSeriesNode(0).GetTableNode().GetTable()
    assert slices.GetNumberOfRows() == 6
    errors = [table.GetNthNodeReference("SuperResolution.Error", n) for n in range(3)]
    best = next(row for row in expected.rows if row.method == "mri-x2")
    mine = next(e for e in errors if e.GetName().endswith("mri-x2 minus truth"))
    assert np.sqrt((values(mine) ** 2).mean()) == pytest.approx(
        np.sqrt(best.score.nmse * (nodes.volume_of(node).voxels ** 2).mean()), rel=1e-2
    )
    hierarchy = slicer.vtkMRMLSubjectHierarchyNode.GetSubjectHierarchyNode(slicer.mrmlScene)
    parents = {hierarchy.GetItemParent(nodes.item_of(n)) for n in (table, chart, *errors)}
    assert len(parents) == 1
    assert hierarchy.GetItemName(parents.pop()) == "head quality (k_space x2)"
    assert "mri-x2 is" in table.GetAttribute("SuperResolution.Summary")


def test_error_maps_are_restored_minus_truth_on_one_scale_too_bright_orange_too_dark_blue(session, logic):
    node = scans.scalar(dtype=np.float32)
    table = logic.compare(node, methods=["linear", "bicubic", "mri-x2"])
    low = sr.degrade(nodes.volume_of(node), "k_space", 2)
    maps = {n.GetAttribute("SuperResolution.Method"): n for n in slicer.util.getNodes("*minus truth").values()}
    assert maps.keys() == {"bicubic", "mri-x2"}
    error = sr.upsample(low, "bicubic", 2).voxels - values(node)
    assert np.allclose(values(maps["bicubic"]), error, atol=1e-2)
    assert error.min() < -1 and error.max() > 1
    shown = [n.GetDisplayNode() for n in maps.values()]
    (scale,) = {(d.GetWindowLevelMin(), d.GetWindowLevelMax()) for d in shown}
    assert scale[0] == -scale[1] < 0
    assert {d.GetColorNode() for d in shown} == {colors.diverging()}
    assert np.allclose(scans.grid(maps["mri-x2"]), scans.grid(node))
    assert quality.error_maps(table) == (maps["bicubic"], maps["mri-x2"])
    left, right = maps["bicubic"], maps["mri-x2"]
    values(left)[:] = -1e4
    values(right)[:] = 1e4
    for error in (left, right):
        slicer.util.arrayFromVolumeModified(error)
    logic.showErrorMaps(table)
    assert logic.views.label(views.LEFT).startswith("bicubic minus truth")
    assert logic.views.label(views.RIGHT).startswith("mri-x2 minus truth")
    for tag, wanted in ((views.LEFT, [0, 140, 255]), (views.RIGHT, [255, 140, 0])):
        pixels = session.render(slicer.app.layoutManager().sliceWidget(tag).sliceLogic(), 96, 96)
        assert np.abs(pixels[48, 48, :3].astype(int) - wanted).max() <= 2


def test_error_maps_that_are_gone_or_never_were_give_a_sentence(logic):
    table = logic.compare(scans.scalar(), methods=["bicubic", "mri-x2"])
    slicer.mrmlScene.RemoveNode(quality.error_maps(table)[1])
    with pytest.raises(InputError, match="has no error maps of a classical method and of a model; measure again"):
        logic.showErrorMaps(table)
    with pytest.raises(InputError, match="measure again, with both"):
        logic.showErrorMaps(logic.compare(slicer.util.getNode("head"), methods=["bicubic", "sinc"]))


def test_a_coarse_sample_is_made_beside_the_fine_scan(logic):
    node = scans.scalar()
    low = coarse(node)
    assert values(low).shape == (6, 12, 10)
    assert np.allclose(scans.corners(low), scans.corners(node), atol=1e-5)


def test_the_devices_are_named_by_the_engine(logic):
    assert logic.devices()["cpu"]["name"].startswith("CPU")


def big(name: str = "big", slices: int = 60):
    """Enough slices for the engine to be caught at its work."""
    return scans.scalar(name, size=(slices, 128, 128))


def test_cancelling_in_mid_run_leaves_no_process_no_file_and_the_scene_as_it_was(logic):
    node = big()
    before = scans.names()
    job = logic.enhance(node, settings=EXACT, blocking=False)
    step_until(job, lambda: (job.progress.share or 0) > 0)
    assert workers() and temporary_files()
    began = time.monotonic()
    job.cancel()
    assert wait_for(lambda: not workers(), 3)
    assert time.monotonic() - began < 3
    assert job.state == "cancelled"
    assert temporary_files() == []
    assert scans.names() == before
    with pytest.raises(JobCancelledError):
        job.wait()


def test_cancelling_an_uncertainty_map_leaves_the_scene_as_it_was(logic):
    node = big()
    before = scans.names()
    job = logic.enhance(node, blocking=False, uncertainty=True)
    step_until(job, lambda: (job.progress.share or 0) > 0)
    job.cancel()
    assert wait_for(lambda: not workers(), 3)
    assert scans.names() == before and temporary_files() == []


def test_closing_the_scene_in_mid_run_ends_the_worker(logic):
    job = logic.enhance(big(), settings=ALL_TURNS, blocking=False)
    step_until(job, lambda: workers() != [])
    slicer.mrmlScene.Clear(0)
    assert job.state == "cancelled"
    assert wait_for(lambda: not workers(), 3)
    assert temporary_files() == []


def test_slicer_quitting_ends_the_worker(logic, session):
    job = logic.enhance(big(), settings=ALL_TURNS, blocking=False)
    step_until(job, lambda: workers() != [])
    session.quit()
    assert job.state == "cancelled"
    assert wait_for(lambda: not workers(), 3)


def test_a_worker_that_is_killed_gives_a_message_and_leaves_the_scene_as_it_was(logic):
    node = big()
    before = scans.names()
    job = logic.enhance(node, settings=EXACT, blocking=False)
    step_until(job, lambda: (job.progress.share or 0) > 0)
    workers()[0].kill()
    step_until(job, lambda: False)
    assert job.state == "failed"
    assert "lack of memory" in job.error
    assert "run_engine.py" in job.log
    assert scans.names() == before
    assert temporary_files() == []
    with pytest.raises(JobError, match="lack of memory"):
        job.wait()


def test_a_model_that_was_damaged_meanwhile_is_refused_by_its_checksum(logic, tmp_path, monkeypatch):
    for name in ("mri-x2.safetensors", "mri-x2.json"):
        (tmp_path / name).write_bytes((process.home() / "Resources" / "Models" / name).read_bytes())
    weights = tmp_path / "mri-x2.safetensors"
    weights.write_bytes(weights.read_bytes()[:-1] + b"\0")
    with pytest.raises(JobError, match="is not the file its card describes"):
        logic.enhance(scans.scalar(), model=str(weights))


def test_voxels_that_are_not_numbers_are_refused_and_the_scene_is_untouched(logic):
    node = scans.scalar(dtype=np.float32)
    values(node)[2, 3, 4] = np.nan
    before = scans.names()
    with pytest.raises(JobError, match="NaN"):
        logic.enhance(node)
    assert scans.names() == before


def test_what_is_no_scan_raises_a_sentence_in_the_console(logic):
    labels = slicer.mrmlScene.AddNewNodeByClass("vtkMRMLLabelMapVolumeNode", "labels")
    with pytest.raises(InputError, match="labels is a label map"):
        logic.enhance(labels)


def test_a_volume_of_one_slice_is_enhanced(logic):
    enhanced = logic.enhance(scans.scalar(size=(1, 24, 20)))
    assert values(enhanced).shape == (1, 48, 40)


def test_a_disk_that_is_full_gives_a_sentence_and_no_file(logic, monkeypatch):
    def refuse(volume, path):
        path.write_bytes(b"part")
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(nodes, "writing_detached", refuse)
    with pytest.raises(JobError, match="No space left on device"):
        logic.enhance(scans.scalar())
    assert temporary_files() == []


def test_temporary_files_stay_where_the_user_wants_to_look_at_them(logic):
    logic.enhanceAndInterpolate(scans.scalar(), Settings(keep_temporary=True))
    assert {p.name for p in temporary_files()[0].iterdir()} >= {"input.nhdr", "enhanced.nhdr", "enhanced.json"}


def test_a_scene_that_is_saved_and_loaded_keeps_where_a_result_came_from(logic, tmp_path):
    source = scans.scalar()
    logic.enhance(source)
    path = str(tmp_path / "scene.mrb")
    assert slicer.mrmlScene.WriteToMRB(path, None)
    slicer.mrmlScene.Clear(0)
    assert slicer.mrmlScene.ReadFromMRB(path)
    loaded = slicer.util.getNode("head enhanced x2 (mri-x2)")
    assert loaded.GetAttribute("SuperResolution.Model") == "mri-x2"
    assert loaded.GetNodeReference(nodes.SOURCE).GetName() == "head"
    assert values(loaded).shape == (6, 48, 40)


# ---------------------------------------------------------------- every setting reaches the engine

GRIDS = {
    "factor": Sampling(factor=4),
    "factors": Sampling(factors=(2.0, 2.0, 1.5)),
    "spacing": Sampling(spacing=(0.5, 0.5, 2.0)),
    "isotropic": Sampling(isotropic=True),
    "slice_spacing": Sampling(slice_spacing=0.7),
    "allow_coarser": Sampling(factor=2, allow_coarser=True),
    "plane": Sampling(factor=2, plane="coronal"),
    "only": Sampling(factor=2, only=3),
}
RUNTIMES = {
    "device": Runtime(device="cpu"),
    "precision": Runtime(precision="bfloat16"),
    "threads": Runtime(threads=2),
    "ensemble": Runtime(ensemble=True),
}
OTHERS = [
    Settings(thickness=3.0, sampling=Sampling(isotropic=True)),
    Settings(consistent=True),
    Settings(degradation="area", seed=5),
    Settings(model="mri-x2"),
]
CALLS = {
    "enhance": lambda logic, node, settings: logic.enhance(node, settings=settings),
    "preview": lambda logic, node, settings: logic.preview(node, settings, index=2),
    "quality": lambda logic, node, settings: logic.measure(node, settings),
    "report": lambda logic, node, settings: logic.saveReport(node, slicer.app.temporaryPath, settings),
}


def test_every_field_has_a_value_that_is_looked_for():
    assert set(GRIDS) == {f.name for f in fields(Sampling)}
    assert set(RUNTIMES) == {f.name for f in fields(Runtime)}


@pytest.mark.parametrize("call", CALLS)
@pytest.mark.parametrize(
    "settings",
    [*(Settings(sampling=s) for s in GRIDS.values()), *(Settings(runtime=r) for r in RUNTIMES.values()), *OTHERS],
    ids=[*GRIDS, *RUNTIMES, "thickness", "consistent", "degradation", "model"],
)
def test_every_setting_reaches_the_engine_whatever_is_asked_of_it(logic, monkeypatch, call, settings):
    """Fault J8: Quality measured another method than Enhance ran."""
    commands = []

    def noted(command, _folder):
        commands.append(command)
        raise InputError("enough")
        yield

    monkeypatch.setattr(logic_module, "running", noted)
    with pytest.raises(JobError, match="enough"):
        CALLS[call](logic, scans.scalar(), settings)
    given = cli.parser().parse_args(commands[0])
    wanted = settings.sampling
    if call == "preview":
        wanted = replace(wanted, only=2)
    elif call != "enhance":
        wanted = replace(wanted, only=None, allow_coarser=False)  # of the whole volume, made coarse first
    assert options.sampling_of(given) == wanted
    assert options.runtime_of(given) == settings.runtime
    assert options.put_back_of(given) == ("k_space" if settings.consistent else "auto")
    if call in ("enhance", "preview"):
        assert given.thickness == settings.thickness
    if call == "quality":
        assert (given.degradation, given.seed) == (settings.degradation, settings.seed)
    if call == "report":
        assert (given.degradations, given.seed) == ([settings.degradation], settings.seed)
    assert "mri-" in " ".join(commands[0])


def test_the_preview_of_thin_slices_is_the_one_in_the_middle_of_the_thick_slice_on_screen(logic, monkeypatch):
    commands = []

    def noted(command, _folder):
        commands.append(command)
        raise InputError("enough")
        yield

    monkeypatch.setattr(logic_module, "running", noted)
    monkeypatch.setattr(views, "slice_on_screen", lambda node, axis: 3)
    with pytest.raises(JobError, match="enough"):
        logic.preview(scans.scalar(), Settings(sampling=Sampling(slice_spacing=1.0)))
    assert cli.parser().parse_args(commands[0]).slice == 14  # 4 mm slices: 12 to 15 lie in the fourth
