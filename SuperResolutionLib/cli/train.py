"""superresolution train: a model from a recipe and a folder of scans."""

import argparse
import time
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from SuperResolutionLib.cli import options as common
from SuperResolutionLib.cli import reporter

if TYPE_CHECKING:
    from SuperResolutionLib.training.any_recipe import AnyRecipe


def add(commands: Any) -> None:
    """Add the command to the parser."""
    parser = common.command(
        commands,
        "train",
        "train a model by a recipe, on any folder of scans or a BIDS tree",
        "superresolution train mri-x2 --data scans/ --out runs/mri-x2 --budget 60",
        "superresolution train mri-x2 --data knees/ --out runs/knee-x2 --from mri-x2",
        "superresolution train mri-iso --data bids/ --out runs/mine --dry-run",
        "superresolution train mri-x2 --data scans/ --out runs/mri-x2-fold-1 --fold 1/5",
    )
    parser.add_argument("recipe", metavar="RECIPE", help="the name of a recipe, or a .toml file")
    parser.add_argument("--data", metavar="DIR", type=Path, required=True, help="the folder of training scans")
    parser.add_argument("--out", metavar="DIR", type=Path, required=True, help="for checkpoint, curves and the model")
    parser.add_argument("--from", dest="start_from", metavar="MODEL", help="begin with the weights of this model")
    parser.add_argument("--resume", action="store_true", help="go on with the training in --out")
    parser.add_argument(
        "--budget", metavar="MINUTES", type=float, help="cut steps and epochs to what fits, all else among it"
    )
    parser.add_argument(
        "--fold", metavar="K/N", type=_fold, help="the K-th of N parts of the subjects chooses the epoch"
    )
    parser.add_argument(
        "--dry-run",
        action="store_true",
        help="only say who is learnt from, who chooses the epoch, and how long it takes",
    )
    common.add_seed(parser, default=None, explained="in place of the recipe's: is it stable from another?")
    common.add_device(parser)
    parser.set_defaults(run=run)


def run(options: argparse.Namespace) -> int:
    """Train."""
    began = time.monotonic()
    from SuperResolutionLib.errors import InputError
    from SuperResolutionLib.training import recipe as recipes
    from SuperResolutionLib.training import split
    from SuperResolutionLib.training.adapting import adapted

    recipe: AnyRecipe[Any] = recipes.load(options.recipe)
    if options.start_from is not None:
        recipe = replace(recipe, start_from=options.start_from)
    if options.seed is not None:
        recipe = replace(recipe, seed=options.seed)
    if not options.data.is_dir():
        raise InputError(f"The data folder {options.data} does not exist; give --data a folder of scans.")
    split.volume_files(options.data, recipe.source)  # what is wrong with the scans is said before a model is looked for
    recipe, changed = adapted(recipe, options.data)
    if changed:
        reporter.say(changed)
    if options.fold is not None:
        recipe = split.fold(recipe, options.data, *options.fold)
    if options.dry_run:
        return _describe(recipe, options)
    from SuperResolutionLib.training.begin import Begin
    from SuperResolutionLib.training.publish import starting_weights
    from SuperResolutionLib.training.trainers import trainer_for

    trainer = trainer_for(recipe)
    begin = Begin(options.resume, options.budget, starting_weights(recipe), since=began)
    best = trainer.train(recipe, options.data, options.out, begin, options.device, reporter.say)
    if "twin" in best:
        twin = trainer.publish(recipe, best["twin"], options.data, options.out, twin=True)
        reporter.say(f"twin of step {best['twin']['step']}; model written to {twin}")
    if best:
        path = trainer.publish(recipe, best, options.data, options.out)
        reporter.say(f"best epoch at step {best['step']}; model written to {path}")
    return 0


def _describe(recipe: "AnyRecipe[Any]", options: argparse.Namespace) -> int:
    """What a training would do."""
    from SuperResolutionLib.training import split
    from SuperResolutionLib.training.trainers import trainer_for

    held = [split.stem(path) for path in split.validation_files(options.data, recipe)]
    learnt = [split.stem(path) for path, _ in split.training_files(options.data, recipe)]
    for what, names in (("learnt from", learnt), ("chosen by", held)):
        people = sorted({recipe.subject_of(name) for name in names})
        print(f"{what}: {len(names)} scans of {len(people)} people: {', '.join(people)}")
    print(f"{recipe.steps} steps of {recipe.batch} patches, {recipe.patches}; an epoch is {recipe.epoch} steps")
    minutes = trainer_for(recipe).minutes(recipe, options.data, options.device)
    print(f"about {minutes:.0f} minutes on this machine, validation apart")
    return 0


def _fold(text: str) -> tuple[int, int]:
    """K/N as two whole numbers."""
    k, _, n = text.partition("/")
    if not (k.isdecimal() and n.isdecimal()):
        raise argparse.ArgumentTypeError(f"{text} is not a fold like 1/5")
    return int(k), int(n)
