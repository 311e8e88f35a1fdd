"""One finished training to look at, and what is needed for others."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from small_world import discs, drawing_no_curves, tiny_recipe, write_scans

from SuperResolutionLib.training import history
from SuperResolutionLib.training.loop import train
from SuperResolutionLib.training.recipe import Recipe
from SuperResolutionLib.volume import Gradients, Volume


@pytest.fixture(autouse=True, scope="session")
def one_thread():
    """Sums in one order: what is trained here is the same, bit by bit, as what a subprocess trains."""
    before = torch.get_num_threads()
    torch.set_num_threads(1)
    yield
    torch.set_num_threads(before)
    torch.set_flush_denormal(False)


@pytest.fixture(autouse=True)
def no_curves() -> Iterator[None]:
    """Trainings draw no curves."""
    with drawing_no_curves():
        yield


@pytest.fixture
def drawing(no_curves, monkeypatch) -> None:
    """Trainings draw their curves, as they do for users."""
    monkeypatch.setattr(history, "find_spec", find_spec)


@dataclass(frozen=True)
class Finished:
    """What an uninterrupted training left."""

    data: Path
    out: Path
    best: dict[str, Any]
    log: list[str]


@pytest.fixture(scope="session")
def finished(tmp_path_factory) -> Finished:
    data = write_scans(tmp_path_factory.mktemp("data"), "train/a", "train/b", "train/val_c")
    out, log = tmp_path_factory.mktemp("runs") / "tiny", []
    with drawing_no_curves():
        return Finished(data, out, train(tiny_recipe(), data, out, device="cpu", log=log.append), log)


@pytest.fixture
def recipe() -> Callable[..., Recipe]:
    return tiny_recipe


@pytest.fixture
def scans(tmp_path) -> Callable[..., Path]:
    return lambda *names: write_scans(tmp_path / "data", *names)


@pytest.fixture
def diffusion() -> Volume:
    """A series of one unweighted and eight weaker, weighted volumes of discs, float32."""
    vectors = np.random.default_rng(0).standard_normal((9, 3))
    vectors /= np.linalg.norm(vectors, axis=1, keepdims=True)
    vectors[0] = 0
    head, speckle = discs(0).astype(np.float32), np.random.default_rng(1).uniform(0.2, 0.6, (8, 4, 36, 36))
    voxels = np.concatenate([head[None], head * speckle]).astype(np.float32)
    gradients = Gradients(np.array([0.0, *[1000.0] * 8]), vectors)
    return Volume(voxels, spacing=(1.0, 1.0, 4.0), gradients=gradients)


def checkpoint(out: Path) -> dict[str, Any]:
    return torch.load(out / "checkpoint.pt", weights_only=True)


@pytest.fixture
def same_training() -> Callable[[Path, Path], bool]:
    """Whether two trainings are alike bit by bit: weights, averages, optimisers, curves; not how long they took."""

    def same(one: Any, other: Any) -> bool:
        if isinstance(one, torch.Tensor):
            return torch.equal(one, other)
        if isinstance(one, dict):
            return one.keys() == other.keys() and all(same(one[k], other[k]) for k in one if k != "seconds")
        if isinstance(one, list | tuple):
            return len(one) == len(other) and all(map(same, one, other))
        return bool(one == other)

    return lambda one, other: same(checkpoint(one), checkpoint(other))
