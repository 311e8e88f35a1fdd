"""The models that are installed: found, verified, loaded. A model is weights in safetensors and a JSON card."""

import hashlib
import json
import re
import warnings
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import asdict, dataclass, field, replace
from functools import lru_cache
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

from SuperResolutionLib import schema
from SuperResolutionLib.diffusion import guides
from SuperResolutionLib.errors import InputError, unknown
from SuperResolutionLib.files.output import write_contents
from SuperResolutionLib.physics.degradation import by_name
from SuperResolutionLib.schema import Option, Sentence, Word, component, limits

if TYPE_CHECKING:
    import torch
    from torch import nn

CARD_VERSION = 1
MOST_TURNS = 8  # a slice has four quarter turns, and their mirror images
MOST_SLICES = 63
LOOKS = ("contrast", "noise", "sharpness")
LARGEST_WEIGHT = 1e5  # ours reach 1300, in the variances of batch normalisation; float16 ends at 65504

Millimetres = Annotated[float, limits(gt=0, le=10_000)]
Turns = Annotated[int, limits(ge=1, le=MOST_TURNS)]
Scale = Annotated[int, limits(ge=1, le=16)]
Slices = Annotated[int, limits(ge=1, le=MOST_SLICES)]
Looks = Annotated[float, limits(ge=0, le=1000)]
Number = Annotated[float, limits(ge=-1e9, le=1e9)]
Decibels = Annotated[float, limits(ge=-1000, le=1000)]
Digest = Annotated[str, limits("the 64 hexadecimal digits of a SHA-256", pattern="^[0-9a-f]{64}$")]


@dataclass(frozen=True)
class Card:
    """What a model is and where it may be trusted.

    slices: neighbouring slices the network takes as channels, the middle one restored. guides: what it takes beside
    them, each one more channel, made from the other volumes of a diffusion series. told_noise: whether its last channel
    says how much noise the volume has (`intensity.told_noise`). input_grid: "low" for networks that
    take the coarse slice. skip: "bicubic" where the network predicts only what interpolation misses. spacing: the
    in-plane mm of the coarse volumes it was trained on. learnt_from: of what, where it is not MR scans. turns: in how
    many orientations a slice is restored, to be averaged (the first of `batches.TURNS`). made_for: what to take it for,
    in a few words. recognition: how its errors tell the forward model of a scan (`recognition.Recogniser`), empty where
    it was not made to. looks: the lowest and the highest contrast, noise and sharpness of its training scans
    (`scan_statistics.Look`), empty where that was not measured. held_out: figures by benchmark.
    slice_spacing: mm between the thick slices it was trained to make thin; None for a model that works in plane.
    """

    name: Annotated[str, component(80)]
    architecture: Word
    arguments: dict[str, Option]
    scale: Scale
    slices: Slices
    skip: Word | None
    input_grid: Word
    intensity: Sentence
    spacing: tuple[Millimetres, Millimetres]
    parameters: Annotated[int, limits(ge=0, le=10**9)]
    sha256: Digest
    trained_on: Sentence
    data_licence: Sentence
    recipe: Sentence
    date: Word
    guides: tuple[Word, ...] = ()
    told_noise: bool = False
    turns: Turns = 1
    made_for: Sentence = ""
    learnt_from: Sentence = "MR scans"
    recognition: dict[str, Any] = field(default_factory=dict)
    looks: dict[str, tuple[Looks, Looks]] = field(default_factory=dict)
    held_out: dict[str, Decibels] = field(default_factory=dict)
    slice_spacing: tuple[Millimetres, Millimetres] | None = None
    card_version: int = CARD_VERSION
    use: Sentence = "Research use only. Not a medical device."

    @property
    def beside(self) -> int:
        """How many channels the network has that show no slice: its guides, and the noise that it is told."""
        return len(self.guides) + self.told_noise

    @property
    def thins(self) -> bool:
        """Whether it makes thin slices of thick ones, and leaves the plane as it is."""
        return self.slice_spacing is not None


@dataclass(frozen=True)
class Recognition:
    """The card's table `recognition`, where it is not empty; see `recognition.Recogniser`."""

    models: Annotated[tuple[Word, ...], limits(min_length=1, max_length=32)]
    profiles: tuple[tuple[Decibels, ...], ...]
    precision: tuple[tuple[Number, ...], ...]


@dataclass(frozen=True, eq=False)
class Model:
    """A loaded model: its card and a network in evaluation mode, (n, slices + guides, h, w) -> (n, 1, s h, s w)."""

    card: Card
    network: "nn.Module"


def folders() -> list[Path]:
    """Where models lie: beside the package in an installed wheel, beside it in a checkout or Slicer extension."""
    package = Path(__file__).parent.parent
    return [f for f in (package / "Resources" / "Models", package.parent / "Resources" / "Models") if f.is_dir()]


def installed() -> dict[str, Path]:
    """The installed models: name -> weights file. One whose card cannot be used is left out, with a warning."""
    return {name: path for name, path in _lying().items() if _usable(path)}


def cards() -> dict[str, Card]:
    """The cards of the installed models, by name."""
    return {name: read_card(path) for name, path in installed().items()}


def _lying() -> dict[str, Path]:
    """Every weights file where models lie, whatever its card says: name -> file."""
    found: dict[str, Path] = {}
    for folder in folders():
        for path in sorted(folder.glob("*.safetensors"), key=_ours_first):
            found.setdefault(path.stem, path)
    return found


def _ours_first(weights: Path) -> tuple[bool, str]:
    """Sorts the networks of published works, which begin with the work's letter, after ours."""
    return weights.stem[1:2] == "-", weights.stem


def _usable(weights: Path) -> bool:
    try:
        read_card(weights)
    except InputError as error:
        warnings.warn(f"the model {weights.stem} was left out: {error}", stacklevel=3)
        return False
    return True


def default_name(scale: int, diffusion: bool = False) -> str:
    """The blind model of a scale; of a diffusion series the one made for it, where it is installed."""
    special = f"dwi-x{scale}"
    return special if diffusion and special in installed() else f"mri-x{scale}"


def thinning_name() -> str | None:
    """The model that makes thin slices of thick ones; None where none is installed."""
    return next((name for name, card in cards().items() if card.thins), None)


def label(name_or_path: str) -> str:
    """A model, or another method, as part of a file's name, a volume's or a figure: of a path, the file's stem.

    What is neither letter, digit, ".", "_" nor "-" becomes "_": a "$" would begin a formula in a figure.
    """
    if not name_or_path.endswith(".safetensors"):
        return name_or_path
    return re.sub(r"[^\w.-]+", "_", Path(name_or_path).stem).strip("._-") or "model"


def find(name_or_path: str) -> Path:
    """The weights file of a model given by name or by path.

    Raises InputError for a name that is not installed, or a file that is not safetensors.
    """
    path = Path(name_or_path)
    if (lying := _lying().get(name_or_path)) is not None:
        return lying
    models = installed()
    looks_like_file = path.exists() or path.suffix != "" or len(path.parts) > 1
    if not looks_like_file:
        _check_not_card_alone(*(folder / f"{name_or_path}.safetensors" for folder in folders()))
        raise unknown("installed model", name_or_path, models or ["(none installed)"])
    if path.is_dir() or not path.exists():
        _check_not_card_alone(path)
        known = ", ".join(models) or "(none installed)"
        raise InputError(f"There is no model file {path}; give a .safetensors file or one of: {known}.")
    if path.suffix != ".safetensors":
        raise InputError(
            f"{path.name} is not a safetensors file, and other formats can run code when they are opened; "
            "convert it with safetensors.torch.save_file(state_dict, 'model.safetensors') and write a card beside it."
        )
    return path


def _check_not_card_alone(*weights: Path) -> None:
    for path in weights:
        if path.suffix == ".safetensors" and path.with_suffix(".json").is_file():
            raise InputError(
                f"{path.name} is missing, only its card {path.with_suffix('.json')} is there; copy both files together."
            )


def read_card(weights: Path) -> Card:
    """The card beside a weights file.

    Raises InputError where it is missing, of another version or not as `Card` has it, naming the key; and for a card
    from elsewhere where there is no msgspec to check it with, as in 3D Slicer.
    """
    path = weights.with_suffix(".json")
    if not path.is_file():
        raise InputError(f"{weights.name} has no card: {path.name} is missing beside it; copy both files together.")
    trusted = path.parent in folders() and not schema.available()
    return _card(schema.read(path, "a model card"), path.name, trusted)


@lru_cache(maxsize=256)
def _card(text: str, name: str, trusted: bool) -> Card:
    """A card from its text. trusted: it came with the package and was checked before it was packed."""
    table = schema.parsed(text, name, "a model card", json.loads)
    if table.get("card_version") != CARD_VERSION:
        raise InputError(f"{name} is not a model card of version {CARD_VERSION}; update the package or the model.")
    if trusted:
        try:
            return schema.plain(Card, table)
        except TypeError as error:
            raise InputError(f"{name} is not a card as this version has it: {error}; copy the model again.") from error
    card = schema.convert(Card, table, name, "field")
    _check_card(card, name)
    return card


def _check_card(card: Card, who: str) -> None:
    """Raise InputError for values that do not fit each other, or name what does not exist."""
    guides.check(card.guides)
    if card.slices % 2 == 0:
        raise InputError(f"{who} has slices = {card.slices}; give an odd number, the middle one is restored.")
    ranges: Mapping[str, tuple[float, float]] = {
        "spacing": card.spacing,
        "slice_spacing": card.slice_spacing or (0.0, 0.0),
        **card.looks,
    }
    if strange := [name for name in card.looks if name not in LOOKS]:
        raise unknown(f"look, as {who} has it,", strange[0], LOOKS)
    for name, (least, most) in ranges.items():
        if least > most:
            raise InputError(f"{who} has {name} from {least:g} to {most:g}; give the lower one first.")
    if card.recognition:
        found = schema.convert(Recognition, card.recognition, f"{who}, in recognition,", "field")
        count = len(found.models)
        if any(len(table) != count or {*map(len, table)} != {count} for table in (found.profiles, found.precision)):
            raise InputError(
                f"{who} recognises {count} models; give profiles and precision of {count} rows and columns."
            )
        for name in found.models:
            by_name(name)


def write_card(card: Card, weights: Path) -> None:
    """Write the card beside its weights file."""
    write_contents(weights.parent, {weights.with_suffix(".json").name: _text(card).encode()})


def _text(card: Card) -> str:
    return json.dumps(asdict(card), indent=2, ensure_ascii=False) + "\n"


def load(name_or_path: str) -> Model:
    """Load a model, on the CPU in float32, checked against its card.

    Raises InputError where the weights are missing, changed (sha256), damaged, or not those the card describes.
    """
    path = find(name_or_path)
    card = read_card(path)
    network = _network(card, _weights(path, card.sha256), path.name)
    if not card.thins:
        _check_scale(card, network, path.name)
    return Model(card, network)


def _weights(path: Path, sha256: str) -> "dict[str, torch.Tensor]":
    """The tensors of a file, float32. Raises InputError for another file than the card's, or no plain numbers."""
    import torch
    from safetensors import SafetensorError
    from safetensors.torch import load as load_tensors

    content = path.read_bytes()
    found = hashlib.sha256(content).hexdigest()
    if found != sha256:
        raise InputError(
            f"{path.name} is not the file its card describes (sha256 {found[:12]}..., card {sha256[:12]}...); "
            "fetch the model again."
        )
    try:
        weights = {name: tensor.to(torch.float32) for name, tensor in load_tensors(content).items()}
    except SafetensorError as error:
        raise InputError(f"{path.name} is not a readable safetensors file: {error}.") from error
    for name, tensor in weights.items():
        if tensor.numel() and not float(tensor.abs().amax()) <= LARGEST_WEIGHT:  # neither is NaN
            raise InputError(
                f"{path.name} is damaged: its weights '{name}' are not all numbers up to {LARGEST_WEIGHT:g}; "
                "fetch the model again, or train it again."
            )
    return weights


def _network(card: Card, weights: "dict[str, torch.Tensor]", who: str) -> "nn.Module":
    """The network that a card describes, with weights, in evaluation mode.

    It is built without memory first, for a card may describe one that this machine could not hold.
    Raises InputError where the weights are not its own.
    """
    from SuperResolutionLib.networks import without_memory

    try:
        with suppress(NotImplementedError), without_memory():  # unless it computes with numbers as it is built
            _built(card).load_state_dict(weights, assign=True)
        network = _built(card).eval()
        network.load_state_dict(weights)
    except RuntimeError as error:
        raise _other_network(who, error) from error
    return network


def _built(card: Card) -> "nn.Module":
    from SuperResolutionLib.networks import build, build_through_plane

    if card.thins:
        return build_through_plane(card.architecture, card.arguments)
    return build(card.architecture, card.arguments, card.skip, card.input_grid, card.beside)


def _check_scale(card: Card, network: "nn.Module", who: str) -> None:
    """Raise InputError for a network that does not make one channel, at the card's scale, of the card's slices."""
    import torch

    try:
        with torch.inference_mode():
            shape = tuple(network(torch.zeros(1, card.slices + card.beside, 8, 8)).shape)
    except RuntimeError as error:
        raise _other_network(who, error) from error
    if shape != (1, 1, 8 * card.scale, 8 * card.scale):
        raise InputError(
            f"{who} does not do what its card says: 8 x 8 voxels become {shape[-2]} x {shape[-1]} in {shape[1]} "
            f"channels, not one channel at scale {card.scale}."
        )


def _other_network(who: str, error: RuntimeError) -> InputError:
    reason = " ".join(str(error).split())[:200]
    return InputError(f"{who} does not hold the network its card describes: {reason}.")


def save(network_weights: "dict[str, torch.Tensor]", card: Card, path: Path, half: bool = True) -> Card:
    """Write weights (float16 unless `half` is off) and card; returns the card with its sha256.

    network_weights: by name. path: of the weights; the card lies beside them.
    """
    import torch
    from safetensors.torch import save as to_bytes

    kind = torch.float16 if half else torch.float32
    tensors = {n: t.to(kind).contiguous() if t.is_floating_point() else t for n, t in network_weights.items()}
    content = to_bytes(tensors)
    card = replace(card, sha256=hashlib.sha256(content).hexdigest())
    write_contents(path.parent, {path.name: content, path.with_suffix(".json").name: _text(card).encode()})
    return card
