"""What every recipe has, whatever it trains: whose scans are learnt from, for how long, and what the card says."""

import glob
import re
from abc import ABC, abstractmethod
from collections.abc import Iterable
from dataclasses import dataclass, field, fields, replace
from fnmatch import fnmatch
from typing import Annotated, Any, Generic, Protocol, Self, TypeVar

from SuperResolutionLib.errors import InputError, unknown
from SuperResolutionLib.files.subject_rule import RULE, subject_named
from SuperResolutionLib.schema import Amount, Option, Sentence, Share, Word, component, limits
from SuperResolutionLib.training.losses.late_loss import SECOND_LOSSES

Steps = Annotated[int, limits(ge=1, le=10**8)]
Pattern = Annotated[str, limits(max_length=256)]
Patterns = Annotated[tuple[Pattern, ...], limits(max_length=256)]
Batch = Annotated[int, limits(ge=1, le=4096)]
Margin = Annotated[int, limits(ge=0, le=100)]


class AnyGroup(Protocol):
    """Training volumes that belong together: a file-name pattern, and their share."""

    @property
    def pattern(self) -> str:
        """What their names are like."""

    @property
    def weight(self) -> float:
        """How often they are drawn, all of them together."""


G = TypeVar("G", bound=AnyGroup)


@dataclass(frozen=True, kw_only=True)
class AnyRecipe(ABC, Generic[G]):
    """What recipes have in common.

    network: arguments of the architecture. groups: of the files that are learnt from. validation: patterns of those
    that choose the epoch; exclude: of those that do neither. subject: a regular expression, of whose first group the
    files of one subject have the same in their names. start_from: a model whose weights are begun with.
    batch: patches a step. steps: optimiser steps, an epoch is `epoch` of them. The rates rise for `warm_up` steps.
    clip: the largest norm of the gradient. mse_from: the share of the steps after which the loss turns from L1 to
    `second_loss`: "mse", or "psnr", the logarithm of each patch's mean square error. ema: of the moving average of the
    weights, which is what is published.
    made_for: what the finished model is to be taken for, in a few words. trained_on, licence: as the card has them.
    """

    name: Annotated[str, component(64)]
    architecture: Word
    groups: tuple[G, ...]
    network: dict[str, Option] = field(default_factory=dict)
    validation: Patterns = ()
    exclude: Patterns = ()
    subject: Annotated[str, limits(max_length=1000)] = RULE
    start_from: Sentence | None = None
    batch: Batch = 16
    steps: Steps = 20000
    epoch: Steps = 500
    warm_up: Steps = 100
    learning_rate: Amount = 1e-3
    muon_rate: Amount = 0.01
    clip: Amount = 0.5
    mse_from: Share = 0.7
    second_loss: Word = "mse"
    ema: Share = 0.999
    seed: Annotated[int, limits(ge=0, lt=2**32)] = 0
    made_for: Sentence = ""
    trained_on: Sentence = ""
    licence: Sentence = ""

    @property
    def source(self) -> str:
        """What the files are: "volumes", or "photographs"."""
        return "volumes"

    @property
    @abstractmethod
    def patches(self) -> str:
        """How large a patch is, in words."""

    def subject_of(self, name: str) -> str:
        """Whose scan a file of this name is: files of one subject are never divided between training and validation."""
        return subject_named(name, self.subject)

    def group_of(self, name: str) -> G | None:
        """The first group whose pattern fits a file's name, None for a file that is left out."""
        if any(fnmatch(name, pattern) for pattern in self.exclude):
            return None
        return next((group for group in self.groups if fnmatch(name, group.pattern)), None)

    def is_validation(self, name: str) -> bool:
        """Whether a file is kept out of training to choose the best epoch."""
        return any(fnmatch(name, pattern) for pattern in self.validation)

    def for_any_name(self) -> Self:
        """The recipe for all files: in the groups of a recipe that names none, and nobody held back yet."""
        groups: Any = next(f.default for f in fields(self) if f.name == "groups")
        return replace(self, groups=groups, exclude=(), validation=())

    def chosen_by(self, names: Iterable[str]) -> Self:
        """The recipe with the files of these names, and no others, to choose the epoch."""
        return replace(self, validation=tuple(glob.escape(name) for name in names))


R = TypeVar("R", bound=AnyRecipe[Any])


def check(recipe: AnyRecipe[Any]) -> None:
    """Raise InputError where what recipes have in common names something that does not exist, or cannot be."""
    if recipe.second_loss not in SECOND_LOSSES:
        raise unknown("second_loss", recipe.second_loss, SECOND_LOSSES)
    try:
        groups = re.compile(recipe.subject).groups
    except re.error as error:
        raise InputError(f"The recipe has subject = '{recipe.subject}', not a regular expression: {error}.") from error
    if groups < 1:
        raise InputError(f"The recipe has subject = '{recipe.subject}'; put what names the subject in parentheses.")
