"""Which files are learnt from, which choose the epoch, and whose they are."""

from collections import Counter
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np

from SuperResolutionLib import files
from SuperResolutionLib.errors import InputError
from SuperResolutionLib.training.any_recipe import AnyGroup, AnyRecipe, G, R
from SuperResolutionLib.volume import Volume

VOLUMES = (".nii.gz", ".nii", ".nrrd", ".mha", ".mhd")
PHOTOGRAPHS = (".png", ".jpg", ".jpeg")
LONGEST = 768  # voxels along a photograph: what is larger is shrunk, and the sharper for it


def volume_files(folder: Path, source: str = "volumes") -> list[Path]:
    """The volumes of a data folder to learn from: those under folders called "train" where there are any.

    Nothing under a folder called "test" is ever taken. source: "volumes", or "photographs".
    Raises InputError for a folder without any.
    """
    endings, kinds = (PHOTOGRAPHS, "PNG, JPEG") if source == "photographs" else (VOLUMES, "NIfTI, NRRD, MHA")
    found = [p for p in sorted(folder.rglob("*")) if p.name.lower().endswith(endings)]
    found = [p for p in found if "test" not in p.relative_to(folder).parts]
    train = [p for p in found if "train" in p.relative_to(folder).parts]
    if not found:
        raise InputError(f"{folder} has no {source} ({kinds}) to train on; give --data another folder.")
    return train or found


def stem(path: Path) -> str:
    """A file's name without its extensions: what the recipe's patterns are matched against."""
    return path.name.split(".", 1)[0]


def read(path: Path, recipe: AnyRecipe[Any]) -> Volume:
    """A volume, or a photograph as a volume of one grey slice."""
    return read_photograph(path) if recipe.source == "photographs" else files.read(path)


def read_photograph(path: Path) -> Volume:
    """A photograph in grey, as a volume of one slice with a range of 0 to 1. Raises InputError if it cannot be read."""
    from skimage import color, io, measure, util

    try:
        picture = np.atleast_3d(util.img_as_float32(io.imread(path)))
    except (OSError, ValueError, RuntimeError) as error:
        reason = " ".join(str(error).split())[:200]
        raise InputError(f"{path.name} is no picture that can be read: {reason}.") from error
    grey = color.rgb2gray(picture[..., :3]) if picture.shape[2] >= 3 else picture[..., 0]
    factor = -(-max(grey.shape) // LONGEST)
    rows, columns = (n // factor * factor for n in grey.shape)
    shrunk = measure.block_reduce(grey[:rows, :columns], factor, np.mean)
    return Volume(shrunk[None].astype(np.float32))


def training_files(folder: Path, recipe: AnyRecipe[G]) -> list[tuple[Path, G]]:
    """The files to learn from, each with its group. Raises InputError where there is none, or a subject is in both."""
    every = volume_files(folder, recipe.source)
    chosen = [(path, recipe.group_of(stem(path))) for path in every if not recipe.is_validation(stem(path))]
    learnt = [(path, group) for path, group in chosen if group is not None]
    if not learnt:
        raise InputError(f"No volume under {folder} belongs to a group of the recipe; check its patterns.")
    _check_apart([stem(path) for path, _ in learnt], [stem(path) for path in validation_files(folder, recipe)], recipe)
    return learnt


def validation_files(folder: Path, recipe: AnyRecipe[Any]) -> list[Path]:
    """The files that choose the epoch."""
    return [path for path in volume_files(folder, recipe.source) if recipe.is_validation(stem(path))]


def _check_apart(learnt: list[str], held: list[str], recipe: AnyRecipe[Any]) -> None:
    subjects = {recipe.subject_of(name): name for name in learnt}
    for name in held:
        if (subject := recipe.subject_of(name)) in subjects:
            raise InputError(
                f"The subject '{subject}' is in both splits: {subjects[subject]} would be learnt from and {name} would "
                "choose the epoch; put both into the recipe's validation, or say in its subject how names tell people."
            )


def fold(recipe: R, folder: Path, k: int, n: int) -> R:
    """The recipe of the k-th of n parts of a cross-validation by subject, counted from 1.

    The subjects of the recipe's groups, in the order of their names, are dealt out to the parts one after the other;
    the k-th part chooses the epoch, the rest is learnt from. Raises InputError for more parts than subjects.
    folder: of the scans.
    """
    names = [stem(path) for path in volume_files(folder, recipe.source)]
    names = [name for name in names if recipe.group_of(name) is not None]
    subjects = sorted({recipe.subject_of(name) for name in names})
    if not 1 <= k <= n or n < 2 or n > len(subjects):
        raise InputError(
            f"There is no fold {k}/{n} of {len(subjects)} subjects; give k/n with k from 1 to n, and n from 2 "
            f"to {len(subjects)}."
        )
    held = set(subjects[k - 1 :: n])
    part = replace(recipe, name=f"{recipe.name}-fold-{k}-of-{n}")
    return part.chosen_by(name for name in names if recipe.subject_of(name) in held)


def shares(chosen: Sequence[tuple[Path, AnyGroup]]) -> list[float]:
    """How much each file counts: the files of a group share its weight."""
    counts = Counter(id(group) for _, group in chosen)
    return [group.weight / counts[id(group)] for _, group in chosen]
