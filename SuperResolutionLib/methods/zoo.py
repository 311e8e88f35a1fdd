"""The models that are installed: found, verified, loaded. A model is weights in safetensors and a JSON card."""

import hashlib
import json
from dataclasses import asdict, dataclass, field, fields
from pathlib import Path
from typing import TYPE_CHECKING, Any

from SuperResolutionLib.diffusion import guides
from SuperResolutionLib.errors import InputError, unknown

if TYPE_CHECKING:
    import torch
    from torch import nn

CARD_VERSION = 1
MOST_TURNS = 8  # a slice has four quarter turns, and their mirror images


@dataclass(frozen=True)
class Card:
    """What a model is and where it may be trusted.

    slices: neighbouring slices the network takes as channels, the middle one restored. guides: what it takes beside
    them, each one more channel, made from the other volumes of a diffusion series. input_grid: "low" for networks that
    take the coarse slice. skip: "bicubic" where the network predicts only what interpolation misses. spacing: the
    in-plane mm of the coarse volumes it was trained on. turns: in how many orientations a slice is restored, to be
    averaged (the first of `batches.TURNS`). made_for: what to take it for, in a few words. recognition: how its errors
    tell the forward model of a scan (`recognition.Recogniser`), empty where it was not made to. held_out: figures by
    benchmark.
    """

    name: str
    architecture: str
    arguments: dict[str, Any]
    scale: int
    slices: int
    skip: str | None
    input_grid: str
    intensity: str
    spacing: tuple[float, float]
    parameters: int
    sha256: str
    trained_on: str
    data_licence: str
    recipe: str
    date: str
    guides: tuple[str, ...] = ()
    turns: int = 1
    made_for: str = ""
    recognition: dict[str, Any] = field(default_factory=dict)
    held_out: dict[str, Any] = field(default_factory=dict)
    card_version: int = CARD_VERSION
    use: str = "Research use only. Not a medical device."


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
    """The installed models: name -> weights file."""
    found: dict[str, Path] = {}
    for folder in folders():
        for path in sorted(folder.glob("*.safetensors")):
            found.setdefault(path.stem, path)
    return found


def default_name(scale: int, diffusion: bool = False) -> str:
    """The blind model of a scale; of a diffusion series the one made for it, where it is installed."""
    special = f"dwi-x{scale}"
    return special if diffusion and special in installed() else f"mri-x{scale}"


def label(name_or_path: str) -> str:
    """A model, or another method, as part of a file's or a volume's name: of a path, the file's stem."""
    return Path(name_or_path).stem if name_or_path.endswith(".safetensors") else name_or_path


def find(name_or_path: str) -> Path:
    """The weights file of a model given by name or by path.

    Raises InputError for a name that is not installed, or a file that is not safetensors.
    """
    path = Path(name_or_path)
    models = installed()
    if name_or_path in models:
        return models[name_or_path]
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
    """The card beside a weights file. Raises InputError where it is missing, incomplete or of another version."""
    path = weights.with_suffix(".json")
    if not path.is_file():
        raise InputError(f"{weights.name} has no card: {path.name} is missing beside it; copy both files together.")
    try:
        table = json.loads(path.read_text(encoding="utf-8"))
    except (json.JSONDecodeError, UnicodeDecodeError) as error:
        raise InputError(f"{path.name} is not a model card: {error}.") from error
    if not isinstance(table, dict) or table.get("card_version") != CARD_VERSION:
        raise InputError(f"{path.name} is not a model card of version {CARD_VERSION}; update the package or the model.")
    known = {f.name for f in fields(Card)}
    if strange := sorted(set(table) - known):
        raise InputError(f"{path.name} has a field that no card has: {', '.join(strange)}.")
    try:
        card = Card(**{**table, "spacing": tuple(table["spacing"]), "guides": tuple(table.get("guides", ()))})
    except (TypeError, KeyError) as error:
        raise InputError(f"{path.name} lacks a field: {error}.") from error
    guides.check(card.guides)
    if card.turns not in range(1, MOST_TURNS + 1):
        raise InputError(f"{path.name} has turns = {card.turns}; give a number from 1 to {MOST_TURNS}.")
    return card


def write_card(card: Card, weights: Path) -> None:
    """Write the card beside its weights file."""
    text = json.dumps(asdict(card), indent=2, ensure_ascii=False) + "\n"
    weights.with_suffix(".json").write_text(text, encoding="utf-8")


def load(name_or_path: str) -> Model:
    """Load a model, on the CPU in float32, checked against its card.

    Raises InputError where the weights are missing, changed (sha256), or not those the card describes.
    """
    import torch
    from safetensors import SafetensorError
    from safetensors.torch import load as load_tensors

    from SuperResolutionLib.networks import build

    path = find(name_or_path)
    card = read_card(path)
    content = path.read_bytes()
    found = hashlib.sha256(content).hexdigest()
    if found != card.sha256:
        raise InputError(
            f"{path.name} is not the file its card describes (sha256 {found[:12]}..., card {card.sha256[:12]}...); "
            "fetch the model again."
        )
    try:
        weights = load_tensors(content)
    except SafetensorError as error:
        raise InputError(f"{path.name} is not a readable safetensors file: {error}.") from error
    network = build(card.architecture, card.arguments, card.skip, card.input_grid, len(card.guides)).eval()
    try:
        network.load_state_dict({name: tensor.to(torch.float32) for name, tensor in weights.items()})
        with torch.inference_mode():
            shape = tuple(network(torch.zeros(1, card.slices + len(card.guides), 8, 8)).shape)
    except RuntimeError as error:
        reason = " ".join(str(error).split())[:200]
        raise InputError(f"{path.name} does not hold the network its card describes: {reason}.") from error
    if shape != (1, 1, 8 * card.scale, 8 * card.scale):
        raise InputError(
            f"{path.name} does not do what its card says: 8 x 8 voxels become {shape[-2]} x {shape[-1]} in {shape[1]} "
            f"channels, not one channel at scale {card.scale}."
        )
    return Model(card, network)


def save(network_weights: "dict[str, torch.Tensor]", card: Card, path: Path, half: bool = True) -> Card:
    """Write weights (float16 unless `half` is off) and card; returns the card with its sha256."""
    import torch
    from safetensors.torch import save as to_bytes

    kind = torch.float16 if half else torch.float32
    tensors = {n: t.to(kind).contiguous() if t.is_floating_point() else t for n, t in network_weights.items()}
    path.write_bytes(to_bytes(tensors))
    card = Card(**{**asdict(card), "sha256": hashlib.sha256(path.read_bytes()).hexdigest()})
    write_card(card, path)
    return card
