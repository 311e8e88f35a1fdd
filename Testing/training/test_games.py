"""A game begins with its twin, keeps near it, stops when it must, and goes on as if nothing had happened."""

import csv
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch

import SuperResolutionLib
from SuperResolutionLib.training import checkpoint as checkpoints
from SuperResolutionLib.training import guard, loop, time_left
from SuperResolutionLib.training.begin import Begin
from SuperResolutionLib.training.game import Adversarial
from SuperResolutionLib.training.history import write_history
from SuperResolutionLib.training.loop import train
from SuperResolutionLib.training.state import Phase, Place, Run, phases

HERE = Path(__file__).parent
ROOT = Path(SuperResolutionLib.__file__).parent.parent
ENVIRONMENT = {
    **os.environ,
    "OMP_NUM_THREADS": "1",
    "PYTHONPATH": os.pathsep.join(map(str, (ROOT, ROOT / "Testing", HERE))),
}
GAME = {"discriminator": "srgan", "network": {"features": 4, "size": 1}, "weight": 0.01, "warm_up": 1}
CRITIC = {
    "discriminator": "circle",
    "network": {"features": 4, "size": 1},
    "rules": "wgan_gp",
    "weight": 0.01,
    "warm_up": 1,
}
SRGAN = {
    "steps": 8,
    "twin_steps": 4,
    "epoch": 2,
    "warm_up": 1,
    "optimiser": "adam",
    "learning_rate": 1e-4,
    "network": {"features": 8, "blocks": 1},
    "losses": {"l1": 1.0},
    "adversarial": {**GAME, "guard": 100.0},
}
CIRCLE = {
    **SRGAN,
    "architecture": "circle",
    "network": {"filters": [8, 6], "dropout": 0.2},
    "skip": "none",
    "slices": 1,
    "patch": 16,
    "batch": 2,
    "adversarial": {**CRITIC, "guard": 100.0},
    "cycle": {},
}
KINDS = {"game": SRGAN, "cycle": CIRCLE}


def play(recipe, data: Path, out: Path, **options: Any) -> tuple[dict[str, Any], list[str]]:
    lines: list[str] = []
    return train(recipe, data, out, Begin(**options), device="cpu", log=lines.append), lines


def rows(out: Path) -> list[dict[str, str]]:
    with (out / "curves.csv").open() as file:
        return list(csv.DictReader(file))


@pytest.fixture(scope="module", params=KINDS)
def played(request, tmp_path_factory):
    """A finished game of every kind: recipe, data, folder, what it returned, log."""
    from small_world import drawing_no_curves, tiny_recipe, write_scans

    data = write_scans(tmp_path_factory.mktemp("data"), "train/a", "train/b", "train/val_c")
    out, recipe = tmp_path_factory.mktemp("runs") / request.param, tiny_recipe(**KINDS[request.param])
    with drawing_no_curves():
        return recipe, data, out, *play(recipe, data, out)


# ---------------------------------------------------------------- phases


def test_a_game_has_the_twins_steps_first(recipe):
    assert phases(recipe()) == [Phase("supervised", 0, 40)]
    assert phases(recipe(**SRGAN)) == [Phase("supervised", 0, 4), Phase("adversarial", 4, 8)]
    assert phases(recipe(**{**CIRCLE, "twin_steps": 0})) == [Phase("cycle", 0, 8)]


def test_a_game_returns_its_twin_beside_what_it_made(played):
    recipe, _, _, best, log = played
    assert best["twin"]["step"] <= recipe.twin_steps < best["step"] or best["step"] == best["twin"]["step"]
    assert best["twin"]["weights"].keys() == best["weights"].keys()
    assert any(line.startswith("the game begins at step 4 with the twin") for line in log)


def test_every_loss_has_a_curve(played, drawing, tmp_path):
    recipe, _, out, _, _ = played
    last = rows(out)[-1]
    expected = {"loss", "l1", "game", "discriminator", "separation", "gain", "ssim", "psnr_head", "power", "apart"}
    if recipe.cycle:
        expected |= {"cycle", "identity", "game_back", "penalty", "discriminator_back", "penalty_back"}
    assert all(np.isfinite(float(last[name])) for name in expected)
    assert float(last["apart"]) > 0
    assert rows(out)[0]["game"] == ""  # the twin's steps have no game
    write_history(torch.load(out / "checkpoint.pt", weights_only=True)["history"], tmp_path)
    assert (tmp_path / "curves.png").read_bytes().startswith(b"\x89PNG")


def test_every_epoch_leaves_a_sample(played):
    _, _, out, _, _ = played
    assert [p.name for p in sorted((out / "samples").iterdir())] == [f"step-00000{k}.png" for k in (2, 4, 6, 8)]


def test_weights_to_begin_with_take_the_place_of_the_twins_steps(scans, recipe, tmp_path):
    chosen, data = recipe(**SRGAN), scans("a", "val_c")
    given = Run(chosen, torch.device("cpu")).network.state_dict()
    best, log = play(chosen, data, tmp_path / "run", start=given)
    assert log[1].startswith("tiny: 4 steps")
    assert rows(tmp_path / "run")[0]["step"] == "0"
    assert all(torch.equal(best["twin"]["weights"][name], tensor) for name, tensor in given.items())


# ---------------------------------------------------------------- one step


@pytest.fixture
def method(scans, recipe):
    folder = scans("a", "b")

    def make(**changes: Any) -> Adversarial:
        chosen = recipe(**{**SRGAN, **changes, "twin_steps": 0, "steps": 8})
        run = Run(chosen, torch.device("cpu"))
        sampler = loop.Sampler(loop.training_stacks(folder, chosen), chosen)
        return loop.METHODS[phases(chosen)[0].method](
            run, phases(chosen)[0], Place(torch.device("cpu"), "float32"), sampler
        )

    return make


def test_the_discriminator_learns_as_often_as_the_recipe_says(method, monkeypatch):
    for ratio, expected in (
        ({"generator_steps": 4}, 2),
        ({"discriminator_steps": 3}, 24),
        ({"generator_steps": 4, "settle": 0.5}, 5),
        ({}, 8),
    ):
        one, learnt = method(adversarial={**GAME, **ratio}), []
        learn = one.discriminator.learn
        one.discriminator.learn = lambda *given, learn=learn, learnt=learnt: (learnt.append(1), learn(*given))[1]
        for _ in range(8):
            one.step()
            one.run.step += 1
        assert len(learnt) == expected


def weights_of(network: torch.nn.Module) -> torch.Tensor:
    return torch.cat([weight.detach().flatten() for weight in network.parameters()])


@pytest.mark.parametrize("kind", KINDS)
def test_a_generator_stands_still_while_the_others_settle(method, kind):
    changes = KINDS[kind]
    one = method(**{**changes, "adversarial": {**changes["adversarial"], "settle": 0.5}})
    networks = [one.run.network, *one.others.values()]
    for step in range(8):
        before = [weights_of(network) for network in networks]
        assert "game" in one.step()
        one.run.step += 1
        after = [weights_of(network) for network in networks]
        moved = [not torch.equal(was, now) for was, now in zip(before, after, strict=True)]
        assert moved == [step >= 4, *(True for _ in one.others)]


def test_each_side_learns_from_its_own_loss_alone(method):
    one = method()
    before = {n: t.clone() for n, t in one.discriminator.network.named_parameters()}
    real, fake = torch.rand(2, 1, 24, 24), torch.rand(2, 1, 24, 24, requires_grad=True)
    one.discriminator.judge(real, fake).backward()
    assert fake.grad.abs().sum() > 0
    assert all(p.grad is None and p.requires_grad for p in one.discriminator.network.parameters())
    one.discriminator.learn(real, fake, 1.0)
    assert any(not torch.equal(before[n], p) for n, p in one.discriminator.network.named_parameters())


def test_two_optimisers_have_their_own_kind_and_rate(method):
    one = method(adversarial={**GAME, "optimiser": "sgd", "learning_rate": 0.02, "generator_rate": 0.001})
    assert [type(o).__name__ for o in one.optimisers] == ["Adam", "SGD"]
    assert (one.learner.rates, one.discriminator.learner.rates) == ([0.001], [0.02])


def test_batch_statistics_stay_the_twins(method):
    one = method(architecture="srresnet")
    means = {n: t.clone() for n, t in one.run.network.named_buffers() if n.endswith("running_mean")}
    one.step()
    assert means
    assert all(torch.equal(dict(one.run.network.named_buffers())[n], t) for n, t in means.items())


def test_unpaired_images_are_not_compared_with_each_other(method):
    paired = {share: method(**{**CIRCLE, "cycle": {"paired": share}}).step() for share in (1.0, 0.0)}
    assert "l1" in paired[1.0]
    assert "l1" not in paired[0.0]


def test_half_supervised_every_other_step_has_pairs_of_the_known_subjects(method):
    one = method(**{**CIRCLE, "cycle": {"paired": 0.5}})
    assert [stack.name for stack in one.known.stacks] == ["a"]
    steps = []
    for _ in range(4):
        steps.append("l1" in one.step())
        one.run.step += 1
    assert steps == [True, False, True, False]


# ---------------------------------------------------------------- the guard


def test_the_last_epoch_is_kept_that_is_near_the_twin_and_above_bicubic():
    twin = {"psnr_head": 30.0}
    good = {"psnr_head": 29.2, "gain": 1.0, "ssim_gain": 0.01}
    assert guard.keep_last(twin, good, 1.0)
    for worse in ({"psnr_head": 28.9}, {"gain": -0.1}, {"ssim_gain": -0.01}):
        assert not guard.keep_last(twin, {**good, **worse}, 1.0)


def test_the_games_weight_is_halved_when_half_of_the_way_down_is_gone():
    twin = {"psnr_head": 30.0}
    assert guard.eased(1.0, twin, twin, {"psnr_head": 29.6}, 1.0) == 1.0
    assert guard.eased(1.0, twin, twin, {"psnr_head": 29.4}, 1.0) == 0.5


def test_it_is_not_eased_again_while_the_images_are_coming_back():
    twin, before = {"psnr_head": 30.0}, {"psnr_head": 29.2}
    assert guard.eased(0.5, twin, before, {"psnr_head": 29.4}, 1.0) == 0.5
    assert guard.eased(0.5, twin, before, {"psnr_head": 29.2}, 1.0) == 0.25


def test_a_game_that_falls_too_far_stops_and_keeps_what_it_had(scans, recipe, tmp_path):
    wild = recipe(**{**SRGAN, "steps": 12, "adversarial": {**GAME, "generator_rate": 0.5, "guard": 0.5}})
    data, out = scans("a", "val_c"), tmp_path / "run"
    best, log = play(wild, data, out)
    assert best["step"] == best["twin"]["step"]
    assert "dB below the start's, more than 0.5; step" in rows(out)[-1]["note"]
    assert rows(out)[-1]["note"] in log
    assert log[-1].startswith("no epoch of the game stayed near enough")
    again, more = play(wild, data, out, resume=True)
    assert again["step"] == best["step"]
    assert not [line for line in more if line.startswith("step")]


def test_a_loss_that_is_not_finite_stops_the_game_and_not_the_program(scans, recipe, tmp_path, monkeypatch):
    data, out, step = scans("a", "val_c"), tmp_path / "run", Adversarial.step

    def breaks(self):
        if self.run.step == 6:
            raise loop.DivergedError
        return step(self)

    monkeypatch.setattr(Adversarial, "step", breaks)
    best, log = play(recipe(**SRGAN), data, out)
    assert log[-1] == f"stopped at step 6: the loss is not finite; step {best['step']} is kept"
    assert torch.load(out / "checkpoint.pt", weights_only=True)["stopped"] == log[-1]


# ---------------------------------------------------------------- stopping and going on


def test_killed_it_goes_on_bit_by_bit_the_same(played, tmp_path, same_training):
    """Within an epoch: what was learnt since the last one is learnt again."""
    recipe, data, finished, _, _ = played
    kind, out, step = finished.name, tmp_path / "run", 7
    driver = f"""
import sys, time
from pathlib import Path
from small_world import tiny_recipe
from test_games import KINDS
from SuperResolutionLib.training import history, loop
history.find_spec = lambda name: None  # no curves are drawn
draw = loop.Sampler.batch
def batch(self, step, *more):
    if step == {step}:
        print("reached", flush=True)
        time.sleep(600)
    return draw(self, step, *more)
loop.Sampler.batch = batch
loop.train(tiny_recipe(**KINDS["{kind}"]), Path(sys.argv[1]), Path(sys.argv[2]), device="cpu", log=lambda line: None)
"""
    with subprocess.Popen(
        [sys.executable, "-c", driver, data, out], env=ENVIRONMENT, stdout=subprocess.PIPE, text=True
    ) as process:
        assert process.stdout.readline() == "reached\n"
        process.kill()
    assert torch.load(out / "checkpoint.pt", weights_only=True)["step"] == step // 2 * 2
    play(recipe, data, out, resume=True)
    assert same_training(out, finished)


def test_a_disk_that_fills_up_leaves_the_games_checkpoint_from_before(played, refuses, monkeypatch):
    _, _, out, _, _ = played
    before = (out / "checkpoint.pt").read_bytes()
    monkeypatch.setattr(torch, "save", lambda _state, path: (_ for _ in ()).throw(OSError(28, "No space left")))
    with refuses("could not be written", "--resume"):
        checkpoints.save({}, out / "checkpoint.pt")
    assert (out / "checkpoint.pt").read_bytes() == before


def test_a_cut_checkpoint_of_a_game_is_passed_over_for_the_one_before(played, tmp_path, same_training):
    recipe, data, finished, _, _ = played
    out = tmp_path / "run"
    out.mkdir()
    (out / "checkpoint.pt").write_bytes((finished / "checkpoint.pt").read_bytes()[:5000])
    (out / "checkpoint.before.pt").write_bytes((finished / "checkpoint.before.pt").read_bytes())
    _, log = play(recipe, data, out, resume=True)
    assert log[0].startswith("checkpoint.pt cannot be read")
    assert same_training(out, finished)


# ---------------------------------------------------------------- the time there is


def test_a_budget_cuts_both_phases(scans, recipe, tmp_path):
    chosen = recipe(**{**SRGAN, "steps": 40, "twin_steps": 20, "warm_up": 3})
    _, log = play(chosen, scans("a"), tmp_path / "run", budget=1e-9)
    assert log[0].startswith("tiny: 6 steps")
    assert any(line.startswith("the game begins at step 3") for line in log)


def test_a_game_cut_to_a_budget_is_watched_as_often_as_the_whole_one(scans, recipe, tmp_path, monkeypatch):
    monkeypatch.setattr(time_left, "SHORTEST_EPOCH", 2)
    chosen = recipe(**{**SRGAN, "steps": 40, "twin_steps": 20, "warm_up": 6, "epoch": 10})
    play(chosen, scans("a"), tmp_path / "run", budget=1e-9)
    assert [row["step"] for row in rows(tmp_path / "run")] == ["3", "6", "9", "12"]


def test_an_epoch_is_not_cut_so_short_that_validations_take_the_time(scans, recipe, tmp_path):
    chosen = recipe(**{**SRGAN, "steps": 40, "twin_steps": 20, "warm_up": 3, "epoch": 10})
    play(chosen, scans("a"), tmp_path / "run", budget=1e-9)
    assert [row["step"] for row in rows(tmp_path / "run")] == ["3", "6"]
