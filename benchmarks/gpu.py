"""A few minutes on a GPU: what a network costs there, how exact it is, how fast it trains; then a larger training.

    python -m benchmarks.gpu pack --data DIR --recipe mri-x2 --out scans.zip       # where the scans are
    python -m benchmarks.gpu run scans.zip --recipe mri-x2 --out DIR --minutes 14  # where the GPU is

`pack` puts the recipe's scans into one file of at most 60 MB, those that choose the epoch first, then one of each group
in turn. `run` writes gpu.json (cost and accuracy in float32, bfloat16 and float16 against the CPU in float32, steps a
second by width of the network) and trains the recipe, wider, for the minutes that are left: model, curves and
checkpoint lie in DIR. It has run on a CPU only (`--device cpu`), in miniature (Testing/training/test_gpu_script.py).
"""

import argparse
import json
import tempfile
import time
from collections.abc import Iterator
from dataclasses import replace
from itertools import chain, zip_longest
from pathlib import Path
from typing import Any
from zipfile import ZIP_STORED, ZipFile

import numpy as np
import torch

from SuperResolutionLib.methods import zoo
from SuperResolutionLib.methods.batches import Settings, placed, run_network
from SuperResolutionLib.methods.devices import choose_device, choose_precision
from SuperResolutionLib.training import recipe as recipes
from SuperResolutionLib.training import split
from SuperResolutionLib.training.ahead import made_ahead
from SuperResolutionLib.training.begin import Begin
from SuperResolutionLib.training.data import Sampler, training_stacks
from SuperResolutionLib.training.loop import train
from SuperResolutionLib.training.publish import publish
from SuperResolutionLib.training.recipe import Recipe
from SuperResolutionLib.training.state import Phase, Place, Run
from SuperResolutionLib.training.supervised import Supervised

MOST = 60_000_000  # bytes of the packed file
PRECISIONS = ("float32", "bfloat16", "float16")
WIDTHS = (48, 96, 128)  # features
SLICE = (128, 128)
STEPS = 20  # that are timed, after five
KEPT = 0.75  # of the minutes that are left: the share that the training gets, publishing has the rest


def pack(data: Path, recipe: Recipe, out: Path) -> list[str]:
    """Write scans of a recipe into one file; returns their names."""
    names = []
    with ZipFile(out, "w", ZIP_STORED) as packed:
        for path in _in_turn(data, recipe):
            beside = [path, *(path.with_name(split.stem(path) + end) for end in (".bval", ".bvec"))]
            there = [one for one in beside if one.exists()]
            if packed.fp is not None and packed.fp.tell() + sum(one.stat().st_size for one in there) > MOST:
                continue
            for one in there:
                packed.write(one, str(one.relative_to(data)))
            names.append(split.stem(path))
    return names


def _in_turn(data: Path, recipe: Recipe) -> Iterator[Path]:
    """The scans that choose the epoch, then one of each group in turn."""
    yield from split.validation_files(data, recipe)
    chosen = split.training_files(data, recipe)
    groups = [[path for path, own in chosen if own is group] for group in recipe.groups]
    yield from (path for path in chain(*zip_longest(*groups)) if path is not None)


def cost(model: zoo.Model, device: torch.device) -> list[dict[str, Any]]:
    """Seconds a slice, and how far results lie from those of the CPU in float32, in % of the range."""
    coarse = np.random.default_rng(0).random((8, model.card.slices + model.card.beside, *SLICE), dtype=np.float32)
    exact = run_network(model.network, coarse, Settings(torch.device("cpu"), "float32", len(coarse)))
    rows = []
    for precision in PRECISIONS:
        settings = Settings(device, precision, len(coarse))
        network = placed(model.network, settings)
        made = run_network(network, coarse, settings)  # once to warm up
        began = time.perf_counter()
        made = run_network(network, coarse, settings)
        seconds = (time.perf_counter() - began) / len(coarse)
        away = 100 * np.abs(made - exact)
        rows.append({"precision": precision, "seconds": seconds, "most": float(away.max()), "mean": float(away.mean())})
    return rows


def throughput(sampler: Sampler, recipe: Recipe, place: Place) -> list[dict[str, Any]]:
    """Steps a second of training, by the width of the network."""
    rows = []
    for features in WIDTHS:
        wide = _wider(recipe, features)
        method = Supervised(run := Run(wide, place.device), Phase("supervised", 0, wide.steps), place, sampler)
        for step in range(STEPS + 5):
            if step == 5:
                began = time.perf_counter()
            method.step()
            run.step += 1
        rows.append({"features": features, "steps a second": STEPS / (time.perf_counter() - began)})
    return rows


def _wider(recipe: Recipe, features: int) -> Recipe:
    """The recipe with another width; begun afresh, for no weights fit."""
    return replace(recipe, network={**recipe.network, "features": features}, start_from=None)


def run(packed: Path, recipe: Recipe, out: Path, minutes: float, device: str) -> None:
    """Measure, then train for the minutes that are left, and write all there is into `out`."""
    began, where = time.monotonic(), choose_device(device)
    place = Place(where, choose_precision("auto", where))
    out.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory() as folder:
        with ZipFile(packed) as scans:
            scans.extractall(folder)
        data = Path(folder)
        found: dict[str, Any] = {"device": str(where), "torch": torch.__version__}
        found["cost"] = cost(zoo.load(recipe.start_from or "mri-x2"), where)
        with made_ahead(Sampler(training_stacks(data, recipe), recipe)) as sampler:
            found["training"] = throughput(sampler, recipe, place)
        (out / "gpu.json").write_text(json.dumps(found, indent=1))
        print(json.dumps(found, indent=1), flush=True)
        left = (minutes - (time.monotonic() - began) / 60) * KEPT
        wide = replace(_wider(recipe, WIDTHS[-1]), name=f"{recipe.name}-wide")
        best = train(wide, data, out, Begin(budget=left), device)
        if best:
            print(publish(wide, best, data, out))


def main() -> None:
    """Pack scans, or run."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("what", choices=("pack", "run"))
    parser.add_argument("packed", type=Path, nargs="?", help="the packed scans, to run with")
    parser.add_argument("--data", type=Path, help="the folder of scans, to pack")
    parser.add_argument("--recipe", default="mri-x2")
    parser.add_argument("--out", type=Path, required=True)
    parser.add_argument("--minutes", type=float, default=14)
    parser.add_argument("--device", default="auto")
    options = parser.parse_args()
    recipe = recipes.load(options.recipe)
    if not isinstance(recipe, Recipe):
        parser.error(f"{recipe.name} is trained on the CPU; name a recipe that works in the plane of the slices")
    if options.what == "pack":
        if options.data is None:
            parser.error("pack needs --data")
        names = pack(options.data, recipe, options.out)
        print(f"{len(names)} scans, {options.out.stat().st_size / 1e6:.1f} MB: {', '.join(names)}")
    elif options.packed is None:
        parser.error("run needs the packed scans")
    else:
        run(options.packed, recipe, options.out, options.minutes, options.device)


if __name__ == "__main__":
    main()
