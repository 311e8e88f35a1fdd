"""What enhancing will do to a volume, in one line, and what is unusual about it: known before anything runs.

How long it takes is reckoned from what the networks compute and from how fast this computer was the last time.
"""

from dataclasses import dataclass
from math import prod
from typing import TYPE_CHECKING, Any

import slicer
from slicer.i18n import tr as _

from SuperResolutionLib.errors import InputError
from SuperResolutionLib.geometry.grid import stacking_axis
from SuperResolutionLib.geometry.sampling import Grid
from SuperResolutionLib.methods import checks, measured, zoo
from SuperResolutionLib.methods.catalogue import default_model
from SuperResolutionLib.methods.forecast import multiply_adds
from SuperResolutionLib.progress import duration
from SuperResolutionLib.volume import Volume
from SuperResolutionSlicer import nodes, process

if TYPE_CHECKING:
    from SuperResolutionSlicer.logic import Settings

PACE = 4e10  # multiply-adds a second, of two CPU cores with AVX2, where no run has told better
START = 3.0  # s until a new process of the engine begins
THICK = 1.5  # times as far apart as the pixels are wide: slices that are better made thin
TURNS = 8  # of a slice, averaged by the ensemble and for the uncertainty map
ISOTROPIC, IN_PLANE = "isotropic", "2"  # of the choices under Make


@dataclass(frozen=True)
class Outlook:
    """problem: what keeps Enhance from working, a sentence. plan: what will happen. unusual: of the scan, phrases.

    automatic: the name of the model that is meant where none is chosen.
    """

    problem: str = ""
    plan: str = ""
    unusual: tuple[str, ...] = ()
    automatic: str = ""


def outlook(node: Any, settings: "Settings", cards: dict[str, zoo.Card]) -> Outlook:
    """What will happen to a volume. cards: of the installed models, by name."""
    try:
        settings.check(node)
        model = settings.model_for(node)
        card = cards.get(model) or _card_of_file(model)
        if card is None or not _makes(card, settings):
            return Outlook(_("The model {name} cannot make this; choose another model or grid.").format(name=model))
        volume = settings.volume_of(node)
        plan = _plan(volume, settings, card)
    except InputError as error:
        return Outlook(str(error))
    plane = settings.sampling.plane
    odd = checks.unusual(volume, card, plane) + measured.unusual(volume, card, plane)
    return Outlook("", plan, (*nodes.warnings(node), *odd), default_model(volume, settings.sampling))


def suitable(node: Any) -> str:
    """What to make of a volume where the user has not said: thick slices are made thin, else the plane is refined."""
    volume = nodes.volume_of(node)
    axis = stacking_axis(volume)
    pixel = min(volume.spacing[k] for k in range(3) if k != axis)
    return ISOTROPIC if volume.size[axis] > 1 and volume.spacing[axis] > THICK * pixel else IN_PLANE


def seconds(volume: Volume, settings: "Settings", card: zoo.Card) -> float:
    """About how long the engine will take."""
    start = START if process.resting() is None else 0.0
    return start + work(volume, settings, card) / _pace(settings)


def work(volume: Volume, settings: "Settings", card: zoo.Card) -> float:
    """Multiply-adds of the networks that a run takes."""
    usual = max(card.turns, 2 if card.thins else 1)  # thick slices are seen from two sides
    turns = TURNS if settings.runtime.ensemble or settings.uncertainty else usual
    voxels = float(prod(volume.size) * volume.count)
    grids = settings.sampling.finer(volume) if settings.sampling.asked else None
    if card.thins and grids is not None and (beside := _plane_model(volume, grids.factors, grids.axis)) is not None:
        finer = voxels * prod(grids.factors) / grids.factors[grids.axis]  # the plane is refined first
        plane = multiply_adds(beside.parameters, voxels, beside.turns)
        return plane + multiply_adds(card.parameters, finer, turns)
    return multiply_adds(card.parameters, voxels, turns)


def learn(volume: Volume, settings: "Settings", card: zoo.Card, took: float) -> None:
    """Remember how fast this computer is. took: seconds, of the network alone."""
    if took > 1:  # what is over in a moment says little
        slicer.app.userSettings().setValue(_key(settings), work(volume, settings, card) / took)


def _pace(settings: "Settings") -> float:
    try:
        return float(slicer.app.userSettings().value(_key(settings))) or PACE
    except (TypeError, ValueError):
        return PACE


def _key(settings: "Settings") -> str:
    return f"SuperResolution/MultiplyAddsPerSecond/{settings.runtime.device}"


def _card_of_file(model: str) -> zoo.Card | None:
    return zoo.read_card(zoo.find(model)) if model.endswith(".safetensors") else None


def _makes(card: zoo.Card, settings: "Settings") -> bool:
    """Whether a model makes the grid that is asked for; thin slices need not be the model's own work alone."""
    factor = settings.sampling.factor
    return card.thins or factor is None or card.scale == factor


def _plane_model(volume: Volume, factors: tuple[float, float, float], axis: int) -> zoo.Card | None:
    """The card of the model that refines the plane of slices that are made thin; None where nothing does."""
    from SuperResolutionLib.diffusion.guides import is_diffusion

    beside = {factors[k] for k in range(3) if k != axis}
    name = zoo.default_name(int(beside.pop()), is_diffusion(volume)) if len(beside) == 1 else ""
    return zoo.cards().get(name)


def _plan(volume: Volume, settings: "Settings", card: zoo.Card) -> str:
    grids = settings.sampling.finer(volume)
    count = _(", {n} volumes").format(n=volume.count) if volume.count > 1 else ""
    words = _("{before}{count} becomes {after}; about {time}; model {model}").format(
        before=_grid(grids.given),
        count=count,
        after=_grid(grids.wanted),
        time=duration(seconds(volume, settings, card)),
        model=zoo.label(settings.model or card.name),
    )
    if card.thins:
        from SuperResolutionLib.methods.thickness import believed

        words += "; " + believed(volume, grids)[1]
    return words + "."


def _grid(grid: Grid) -> str:
    """A grid in words: 256 x 256 x 40 at 0.9 x 0.9 x 4 mm."""
    sizes = [f"{mm:.3g}" for mm in grid.spacing]
    return f"{' x '.join(map(str, grid.size))} at {sizes[0] if len(set(sizes)) == 1 else ' x '.join(sizes)} mm"
