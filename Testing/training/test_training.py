"""A training learns, can be stopped and killed at any step, and goes on as if nothing had happened."""

import csv
import os
import subprocess
import sys
import time
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch
from in_words import enhance
from small_networks import ON_FINE_GRID, SMALL

import SuperResolutionLib
from SuperResolutionLib import files
from SuperResolutionLib.methods import zoo
from SuperResolutionLib.methods.classical import upsample
from SuperResolutionLib.networks import NETWORKS
from SuperResolutionLib.networks.high_grid import refine
from SuperResolutionLib.physics.degradation import degrade
from SuperResolutionLib.training import checkpoint as checkpoints
from SuperResolutionLib.training import loop, time_left
from SuperResolutionLib.training.begin import Begin
from SuperResolutionLib.training.loop import train
from SuperResolutionLib.training.publish import publish
from SuperResolutionLib.training.schedule import factor
from SuperResolutionLib.training.state import Place

CPU = torch.device("cpu")

ROOT = Path(SuperResolutionLib.__file__).parent.parent
HERE = Path(__file__).parent
ENVIRONMENT = {
    **os.environ,
    "OMP_NUM_THREADS": "1",
    "PYTHONPATH": os.pathsep.join(map(str, (ROOT, ROOT / "Testing", HERE))),
}
DRIVER = """
import sys, time
from pathlib import Path
from small_world import tiny_recipe
from SuperResolutionLib.training import begin, history, loop
history.find_spec = lambda name: None  # no curves are drawn
"""


def quietly(*arguments, **options):
    return train(*arguments, Begin(**options), device="cpu", log=lambda _line: None)


# ---------------------------------------------------------------- learning


def test_forty_steps_are_enough_to_be_better_than_bicubic(finished):
    with (finished.out / "curves.csv").open() as file:
        curve = [{name: float(value) for name, value in row.items()} for row in csv.DictReader(file)]
    assert [row["step"] for row in curve] == [10, 20, 30, 40]
    assert curve[-1]["gain"] > 0.2
    assert curve[-1]["gain"] == curve[-1]["gain_bicubic_blur3"] > curve[0]["gain"]
    assert 0 < curve[-1]["ssim"] < 1


def test_the_best_epoch_is_the_one_of_greatest_gain(finished):
    history = torch.load(finished.out / "checkpoint.pt", weights_only=True)["history"]
    best = max(history, key=lambda row: row["gain"])
    assert finished.best["step"] == best["step"]
    assert finished.best["figures"]["gain"] == best["gain"]


def test_the_curves_are_drawn(drawing, scans, recipe, tmp_path):
    quietly(recipe(steps=2, epoch=2, warm_up=1), scans("a", "val_c"), tmp_path / "run")
    assert (tmp_path / "run" / "curves.png").read_bytes().startswith(b"\x89PNG")


def test_without_matplotlib_there_is_a_table_of_the_curves(finished):
    names = {path.name for path in finished.out.iterdir()}
    assert "curves.csv" in names and "curves.png" not in names


def test_each_epoch_is_logged_with_the_time_left(finished):
    assert finished.log[0].startswith("tiny: 40 steps on cpu in float32; 2 training stacks, 1 validation cases")
    assert [line.split()[1] for line in finished.log[1:]] == ["10/40", "20/40", "30/40", "40/40"]
    assert all("min left" in line and "gain" in line for line in finished.log[1:])


def test_a_training_leaves_arithmetic_as_it_was_for_whatever_comes_next(finished):
    assert finished.best
    assert sys.float_info.min / 2 > 0


def test_training_starts_at_the_interpolation(recipe):
    run, x = loop.Run(recipe(), torch.device("cpu")), torch.rand(1, 3, 8, 8)
    smooth = torch.nn.functional.interpolate(x[:, 1:2], scale_factor=2, mode="bicubic")
    with torch.inference_mode():
        assert torch.allclose(run.network(x), smooth, atol=1e-6)


def test_a_training_can_start_from_another_models_body(scans, recipe, tmp_path):
    lines, data = [], scans("a")
    given = loop.Run(recipe(), torch.device("cpu")).network.state_dict()
    given = {name: torch.full_like(tensor, 0.01) for name, tensor in given.items()}
    still = recipe(scale=4, patch=6, steps=1, learning_rate=0.0, muon_rate=0.0)
    train(still, data, tmp_path / "x4", Begin(start=given), device="cpu", log=lines.append)
    network = torch.load(tmp_path / "x4" / "checkpoint.pt", weights_only=True)["network"]
    assert lines[0] == f"starting from {len(given)} of {len(given)} given tensors"
    assert torch.equal(network["network.head.weight"], given["network.head.weight"])
    assert network["network.upscale.2.weight"].std() > 0.01


@pytest.mark.parametrize("skip", ["bicubic", "none"])
def test_a_deeper_network_begins_as_the_shallower_one_it_starts_from(scans, recipe, tmp_path, skip):
    before, lines = loop.Run(recipe(skip=skip), CPU).network.eval(), []
    given = {name: torch.rand_like(tensor) / 10 for name, tensor in before.state_dict().items()}
    before.load_state_dict(given)
    deeper = recipe(skip=skip, network={"features": 16, "blocks": 3}, steps=1, learning_rate=0.0, muon_rate=0.0)
    train(deeper, scans("a"), tmp_path / "run", Begin(start=given), device="cpu", log=lines.append)
    after = loop.Run(deeper, CPU).network.eval()
    after.load_state_dict(torch.load(tmp_path / "run" / "checkpoint.pt", weights_only=True)["network"])
    x = torch.rand(1, 3, 8, 8)
    with torch.inference_mode():
        assert torch.allclose(after(x), before(x), rtol=1e-5)
    assert lines[0] == f"starting from {len(given)} of {len(given)} given tensors"
    blocks = [getattr(after, "network", after).body[n] for n in (1, 2)]
    assert all(block.conv1.weight.std() > 0.01 for block in blocks)


def test_what_restores_whole_images_is_no_beginning_for_what_adds_to_interpolation(scans, recipe, tmp_path, refuses):
    whole = loop.Run(recipe(skip="none"), CPU).network.state_dict()
    with refuses("Only 0 of the", "fit 'edsr'"):
        quietly(recipe(steps=1), scans("a"), tmp_path / "run", start=whole)


def test_what_fits_in_few_places_by_chance_is_no_beginning(scans, recipe, tmp_path, refuses):
    own = loop.Run(recipe(), CPU).network.state_dict()
    strange = {f"layer{n}.weight": torch.zeros(4) for n in range(len(own))}
    strange["network.tail.bias"] = own["network.tail.bias"]
    with refuses(f"Only 1 of the {len(own) + 1}", "fit 'edsr'", "same architecture"):
        quietly(recipe(steps=1), scans("a"), tmp_path / "run", start=strange)
    assert not (tmp_path / "run").exists()


def test_a_guided_network_begins_as_the_unguided_one_it_starts_from(diffusion, recipe, tmp_path):
    files.write(diffusion, tmp_path / "data.nrrd")
    before = loop.Run(recipe(skip="none"), CPU).network.eval()
    guided = recipe(skip="none", guides=["mean_b0", "fitted"], steps=1, patch=4, learning_rate=0.0, muon_rate=0.0)
    train(guided, tmp_path, tmp_path / "run", Begin(start=before.state_dict()), device="cpu", log=lambda line: None)
    after = loop.Run(guided, CPU).network.eval()
    after.load_state_dict(torch.load(tmp_path / "run" / "checkpoint.pt", weights_only=True)["network"])
    x = torch.rand(1, 5, 8, 8)
    with torch.inference_mode():
        assert torch.allclose(after(x), before(x[:, :3]), atol=1e-6)


def test_a_guided_network_trains_is_published_and_enhances(diffusion, recipe, tmp_path):
    for name in ("a", "val_b"):
        files.write(diffusion, tmp_path / f"{name}.nrrd")
    chosen = recipe(guides=["mean_b0", "mean_weighted", "fitted"], degradation="diffusion", patch=8, steps=20)
    path = publish(chosen, quietly(chosen, tmp_path, tmp_path / "run"), tmp_path, tmp_path)
    low = degrade(diffusion, "k_space", 2)
    enhanced = enhance(low, str(path))
    assert zoo.read_card(path).guides == ("mean_b0", "mean_weighted", "fitted")
    assert enhanced.size == (36, 36, 4)
    assert np.array_equal(enhanced.gradients.bvecs, diffusion.gradients.bvecs)
    assert not np.array_equal(enhanced.voxels, upsample(low, "bicubic", 2).voxels)


def test_a_diverging_training_stops_with_a_sentence(scans, recipe, tmp_path, refuses):
    with refuses("Training diverged at step", "lower the learning rate"):
        quietly(replace(recipe(optimiser="adam"), learning_rate=1e30), scans("a"), tmp_path / "run")


@pytest.mark.parametrize("architecture", sorted(NETWORKS))
def test_every_network_trains_is_published_and_enhances(scans, recipe, tmp_path, architecture):
    own = SMALL[architecture]
    chosen = recipe(architecture=architecture, network=own, steps=6, epoch=3, skip="bicubic", optimiser="adam")
    data = scans("train/a", "train/val_c")
    best = quietly(chosen, data, tmp_path / "run")
    path = publish(chosen, best, data, tmp_path)
    low = files.read(data / "train" / "a.nii.gz")
    enhanced = enhance(low, str(path))
    assert enhanced.size == (72, 72, 4)
    assert zoo.read_card(path).input_grid == ("high" if architecture in ON_FINE_GRID else "low")
    smooth = upsample(low, "bicubic", 2)
    assert abs(enhanced.voxels.astype(float) - smooth.voxels).mean() < 60  # it starts at interpolation


def test_a_network_with_a_shortcut_of_its_own_starts_at_its_input(recipe):
    run = loop.Run(recipe(architecture="circle", network={"filters": [8, 6], "shortcut": True}, skip="none"), CPU)
    coarse = torch.rand(1, 3, 12, 12)
    assert torch.allclose(run.network.eval()(coarse), refine(coarse[:, 1:2], 2, "windowed_sinc"), atol=1e-6)


def test_weights_of_another_architecture_are_refused(scans, recipe, tmp_path, refuses):
    other = loop.Run(recipe(architecture="srcnn", network={"features": [16, 8]}), CPU).network.state_dict()
    with refuses("Only 0 of the", "fit 'edsr'", "same architecture"):
        quietly(recipe(steps=2), scans("a"), tmp_path / "run", start=other)


def test_a_checkpoint_cut_off_in_the_middle_is_passed_over_for_the_one_before(scans, recipe, tmp_path):
    data, out = scans("a", "val_c"), tmp_path / "run"
    quietly(recipe(steps=20, epoch=10), data, out)
    checkpoint = out / "checkpoint.pt"
    checkpoint.write_bytes(checkpoint.read_bytes()[:5000])
    lines = []
    train(recipe(steps=20, epoch=10), data, out, Begin(resume=True), device="cpu", log=lines.append)
    assert lines[0].startswith("checkpoint.pt cannot be read")
    assert [line.split()[1] for line in lines if line.startswith("step")] == ["20/20"]  # it went on from step 10


def test_checkpoints_that_are_all_damaged_end_in_a_sentence(scans, recipe, tmp_path, refuses):
    out = tmp_path / "run"
    out.mkdir()
    (out / "checkpoint.pt").write_bytes(b"no checkpoint")
    with refuses("No checkpoint in", "can be read", "--out"):
        quietly(recipe(steps=4), scans("a"), out, resume=True)


def test_a_disk_that_fills_up_leaves_the_checkpoint_from_before(scans, recipe, tmp_path, refuses, monkeypatch):
    data, out = scans("a", "val_c"), tmp_path / "run"
    quietly(recipe(steps=10, epoch=10), data, out)
    before = (out / "checkpoint.pt").read_bytes()

    def full(_state, path):
        path.write_bytes(b"half of it")
        raise RuntimeError("PytorchStreamWriter failed writing file data/3: file write failed")

    monkeypatch.setattr(torch, "save", full)
    with refuses("could not be written", "file write failed", "--resume"):
        checkpoints.save({}, out / "checkpoint.pt")
    assert (out / "checkpoint.pt").read_bytes() == before
    assert sorted(p.name for p in out.glob("*.tmp")) == []


# ---------------------------------------------------------------- the time there is


def test_the_rate_warms_up_holds_and_falls_to_zero(recipe):
    chosen = recipe(steps=100, warm_up=10, hold=0.6)
    rates = [factor(step, 100, chosen) for step in range(101)]
    assert rates[:3] == pytest.approx([0.1, 0.2, 0.3])
    assert rates[10:61] == pytest.approx([1.0] * 51)
    assert rates[80] == pytest.approx(0.5)
    assert rates[100] == pytest.approx(0.0)


def test_work_ds_rate_is_constant_and_then_linear(recipe):
    chosen = recipe(schedule="linear", hold=0.5, final=0.02, warm_up=1)
    rates = [factor(step, 100, chosen) for step in (0, 50, 75, 100)]
    assert rates == pytest.approx([1.0, 1.0, 0.51, 0.02])


@pytest.mark.parametrize(("minutes", "steps"), [(1e-9, 5), (1e9, 12)])
def test_a_budget_cuts_the_steps_but_never_below_the_warm_up(scans, recipe, tmp_path, minutes, steps):
    lines = []
    train(recipe(steps=12), scans("a"), tmp_path / "run", Begin(budget=minutes), device="cpu", log=lines.append)
    assert lines[0].startswith(f"tiny: {steps} steps")
    assert lines[-1].startswith(f"step {steps}/{steps}")


def test_a_budget_that_is_too_small_says_what_it_takes(scans, recipe, tmp_path):
    lines = []
    train(recipe(steps=12), scans("a"), tmp_path / "run", Begin(budget=1e-9), device="cpu", log=lines.append)
    assert lines[1].startswith("the shortest training takes about")


@pytest.mark.parametrize("validation", [0.0, 2.0, 20.0])
@pytest.mark.parametrize("seconds", [200, 1000, 5000])
def test_validations_and_publishing_are_within_a_budget(recipe, validation, seconds):
    costs = time_left.Costs((1.0,), validation, 60.0)
    counts, epoch = time_left.cut([10000], recipe(steps=10000, epoch=500, warm_up=5), costs, seconds)
    assert costs.of(counts, epoch) <= seconds < costs.of([counts[0] + epoch + 50], epoch)
    assert validation <= epoch / time_left.FEW


def test_minutes_pass_from_when_the_command_began(scans, recipe, tmp_path):
    lines = []
    begin = Begin(budget=60, since=time.monotonic() - 3600)
    train(recipe(steps=12), scans("a"), tmp_path / "run", begin, device="cpu", log=lines.append)
    assert lines[0].startswith("tiny: 5 steps")


def test_what_a_budget_allowed_holds_when_the_training_goes_on(scans, recipe, tmp_path, monkeypatch):
    data, chosen, lines = scans("a"), recipe(epoch=16, warm_up=10), []
    monkeypatch.setattr(time_left, "SHORTEST_EPOCH", 4)
    with monkeypatch.context() as interrupted, pytest.raises(KeyboardInterrupt):
        stop_at(interrupted, 7)
        quietly(chosen, data, tmp_path / "run", budget=1e-9)
    train(chosen, data, tmp_path / "run", Begin(resume=True, budget=1e9), device="cpu", log=lines.append)
    assert [line.split()[1] for line in lines if line.startswith("step")] == ["8/10", "10/10"]


# ---------------------------------------------------------------- stopping and going on


def stop_at(monkeypatch, step: int) -> None:
    """Ctrl-C when the batch of a step is drawn."""
    draw = loop.Sampler.batch

    def batch(self, number, rank=0):
        if number == step:
            raise KeyboardInterrupt
        return draw(self, number, rank)

    monkeypatch.setattr(loop.Sampler, "batch", batch)


def test_stopped_between_epochs_it_goes_on_bit_by_bit_the_same(finished, recipe, tmp_path, monkeypatch, same_training):
    stop_at(monkeypatch, 27)
    with pytest.raises(KeyboardInterrupt):
        quietly(recipe(), finished.data, tmp_path / "run")
    assert not same_training(tmp_path / "run", finished.out)
    monkeypatch.undo()
    best = quietly(recipe(), finished.data, tmp_path / "run", resume=True)
    assert same_training(tmp_path / "run", finished.out)
    assert best["step"] == finished.best["step"]


def test_killed_it_goes_on_bit_by_bit_the_same(finished, recipe, tmp_path, same_training):
    driver = f"""{DRIVER}
draw = loop.Sampler.batch
def batch(self, step, rank=0):
    if step == 27:
        print("reached", flush=True)
        time.sleep(600)
    return draw(self, step, rank)
loop.Sampler.batch = batch
loop.train(tiny_recipe(), Path(sys.argv[1]), Path(sys.argv[2]), device="cpu", log=lambda line: None)
"""
    out = tmp_path / "run"
    with subprocess.Popen(
        [sys.executable, "-c", driver, finished.data, out], env=ENVIRONMENT, stdout=subprocess.PIPE, text=True
    ) as process:
        assert process.stdout.readline() == "reached\n"
        process.kill()
    assert process.returncode == -9
    assert torch.load(out / "checkpoint.pt", weights_only=True)["step"] == 20
    quietly(recipe(), finished.data, out, resume=True)
    assert same_training(out, finished.out)


def test_a_kill_while_the_checkpoint_is_written_leaves_the_one_before(tmp_path, monkeypatch):
    path = tmp_path / "checkpoint.pt"
    checkpoints.save({"step": 10}, path)

    def half(_state, target):
        Path(target).write_bytes(b"half")
        raise KeyboardInterrupt

    monkeypatch.setattr(torch, "save", half)
    with pytest.raises(KeyboardInterrupt):
        checkpoints.save({"step": 20}, path)
    assert torch.load(path, weights_only=True) == {"step": 10}


def test_going_on_with_a_finished_training_changes_nothing(finished, recipe, same_training, tmp_path):
    (tmp_path / "run").mkdir()
    (tmp_path / "run" / "checkpoint.pt").write_bytes((finished.out / "checkpoint.pt").read_bytes())
    quietly(recipe(), finished.data, tmp_path / "run", resume=True)
    assert same_training(tmp_path / "run", finished.out)


def test_a_folder_in_use_is_refused_without_resume(finished, recipe, refuses):
    before = (finished.out / "checkpoint.pt").read_bytes()
    with refuses("already holds a training", "--resume"):
        quietly(recipe(), finished.data, finished.out)
    assert (finished.out / "checkpoint.pt").read_bytes() == before


@pytest.mark.parametrize("changes", [{"network": {"features": 24, "blocks": 1}}, {"optimiser": "adam"}])
def test_going_on_by_another_recipe_is_refused(finished, recipe, refuses, changes):
    with refuses("was begun by another recipe", "give another --out"):
        quietly(recipe(**changes), finished.data, finished.out, resume=True)


# ---------------------------------------------------------------- several processes


def test_two_processes_hold_the_same_weights(finished, tmp_path):
    driver = tmp_path / "driver.py"
    driver.write_text(f"""{DRIVER}
import os, torch
runs = []
class Kept(loop.Run):
    def __init__(self, *given):
        super().__init__(*given)
        runs.append(self)
loop.Run = Kept
data, out = map(Path, sys.argv[1:])
best = loop.train(tiny_recipe(steps=8, epoch=4), data, out, begin.Begin(budget=1e9), device="cpu")
rank = os.environ["RANK"]
torch.save({{"weights": runs[0].network.state_dict(), "best": bool(best)}}, out / f"rank{{rank}}.pt")
""")
    launch = ["-m", "torch.distributed.run", "--standalone", "--nproc-per-node", "2"]
    done = subprocess.run(
        [sys.executable, *launch, driver, finished.data, tmp_path / "run"],
        env=ENVIRONMENT, capture_output=True, text=True, timeout=900,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    one, other = (torch.load(tmp_path / "run" / f"rank{rank}.pt", weights_only=True) for rank in (0, 1))
    assert all(torch.equal(tensor, other["weights"][name]) for name, tensor in one["weights"].items())
    assert one["weights"]["network.tail.weight"].abs().max() > 0
    assert (one["best"], other["best"]) == (True, False)
    assert done.stdout.count("step 8/8") == 1
    assert torch.load(tmp_path / "run" / "checkpoint.pt", weights_only=True)["step"] == 8


def test_a_group_takes_the_first_processs_number_of_steps(monkeypatch):
    monkeypatch.setattr(torch.distributed, "broadcast", lambda tensor, source: tensor.fill_(7))
    assert loop._agree(9, Place(CPU, "float32", processes=2)) == 7
    assert loop._agree(9, Place(CPU, "float32")) == 9
