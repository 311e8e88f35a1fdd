"""A recipe for scans of any name: where its patterns fit none, all are learnt from, and some people held back."""

from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np

from SuperResolutionLib.errors import InputError
from SuperResolutionLib.files.subject_rule import RULE, subject_at
from SuperResolutionLib.training import split
from SuperResolutionLib.training.any_recipe import AnyRecipe, R

HELD = 0.15  # share of the people who choose the epoch


def adapted(recipe: R, folder: Path) -> tuple[R, str]:
    """The recipe for the scans of a folder, and a sentence on what was changed; "" where its patterns fit.

    Where no file belongs to one of its groups, every file does. Where its validation patterns fit none, the files of
    some people choose the epoch, drawn by the recipe's seed. Raises InputError for scans of one person, who cannot be
    learnt from and chosen by, and for scans of several people under one name.
    """
    paths = {path: split.stem(path) for path in split.volume_files(folder, recipe.source)}
    learnt = [name for name in paths.values() if recipe.group_of(name) and not recipe.is_validation(name)]
    if learnt and (not recipe.validation or any(recipe.is_validation(name) for name in paths.values())):
        return recipe, ""
    if not learnt:
        recipe = recipe.for_any_name()
    people = _people(recipe, {path: name for path, name in paths.items() if recipe.group_of(name)})
    held = _drawn(sorted(people), recipe.seed)
    count = sum(len(names) for names in people.values())
    changed = replace(
        recipe.chosen_by(name for person in held for name in people[person]),
        trained_on=f"{count} scans of {len(people)} people, given by the user",
        licence="that of the scans, known to the user",
    )
    return changed, (
        f"The recipe's patterns fit no {'scans' if not learnt else 'scans that would choose the epoch'} here: "
        f"{len(people) - len(held)} people are learnt from, and {', '.join(held)} choose the epoch."
    )


def _people(recipe: AnyRecipe[Any], paths: dict[Path, str]) -> dict[str, list[str]]:
    """The names of each person's files. Raises InputError where two people's are alike."""
    people: dict[str, list[str]] = {}
    owners: dict[str, str] = {}
    for path, name in paths.items():
        person = subject_at(path) if recipe.subject == RULE else recipe.subject_of(name)
        if owners.setdefault(name, person) != person:
            raise InputError(
                f"The scans of {owners[name]} and of {person} are both called {name}; give files names that tell "
                "people apart, such as sub-01_T1w."
            )
        people.setdefault(person, []).append(name)
    if len(people) < 2:
        raise InputError(
            f"All {len(paths)} scans seem to be of one person, {next(iter(people))}, who cannot be learnt from and "
            "choose the epoch as well; give scans of two people or more, named like sub-01_T1w and sub-02_T1w."
        )
    return people


def _drawn(people: list[str], seed: int) -> list[str]:
    count = max(1, round(HELD * len(people)))
    return sorted(np.random.default_rng(seed).choice(people, count, replace=False).tolist())
