"""A recipe for thick slices: everything that decides how such a model is trained, in one small TOML file."""

import tomllib
from dataclasses import dataclass, field, fields
from fnmatch import fnmatch
from pathlib import Path
from typing import Any

from SuperResolutionLib.errors import InputError, unknown

FOLDER = Path(__file__).parent / "recipes"


@dataclass(frozen=True)
class Group:
    """Scans that belong together: a file-name pattern, their share, and the axes that may play the slice axis.

    axes: of x, y, z as in the file. Where only some are named the others' slices are thick already. margin: voxels
    around what was blanked (a face) that nothing is learnt from; 0 where nothing was.
    """

    pattern: str
    axes: str = "xyz"
    weight: float = 1.0
    margin: int = 0


@dataclass(frozen=True)
class Recipe:
    """How a model for thick slices is trained.

    network: the arguments of ThroughPlane. rows, columns: of a patch, in thick slices and pixels. batch: patches a
    step, drawn in groups of `together` that share scan and slices. spacing: mm, the least and the largest. ratio: the
    least spacing in fine voxels. thickness: in spacings. told: how far (as the deviation of a logarithm) the thickness
    that the network is told lies from the true one, in the share `misled` of the draws. noisy, snr: the share of
    patches with noise after slicing, and how much (mean of the head / deviation). recoloured: the share whose
    intensities go through a random curve. uneven: the share whose slices differ in gain.
    The rates rise for `warm_up` steps and fall along a cosine to zero. mse_from: the share of the training
    after which the loss turns from L1 to `second_loss`; from then on patches are `late_rows` x `late_columns`, and
    `late_batch` of them.
    """

    name: str
    groups: tuple[Group, ...]
    network: dict[str, Any] = field(default_factory=dict)
    validation: tuple[str, ...] = ()
    exclude: tuple[str, ...] = ()
    rows: int = 16
    columns: int = 32
    batch: int = 16
    together: int = 2
    spacing: tuple[float, float] = (1.3, 7.0)
    ratio: float = 1.2
    thickness: tuple[float, float] = (0.6, 1.15)
    profiles: tuple[str, ...] = ("gaussian", "gaussian", "gaussian", "box", "box", "sinc")
    told: float = 0.15
    misled: float = 0.4
    noisy: float = 0.5
    snr: tuple[float, float] = (12.0, 100.0)
    recoloured: float = 0.5
    uneven: float = 0.05
    steps: int = 4000
    epoch: int = 250
    learning_rate: float = 1e-3
    muon_rate: float = 0.01
    warm_up: int = 100
    clip: float = 0.5
    ema: float = 0.998
    mse_from: float = 0.67
    second_loss: str = "psnr"
    late_rows: int = 20
    late_columns: int = 64
    late_batch: int = 6
    seed: int = 0
    made_for: str = ""
    trained_on: str = ""
    licence: str = ""

    def group_of(self, name: str) -> Group | None:
        """The first group whose pattern fits a file's name, None for a file that is not learnt from."""
        if any(fnmatch(name, pattern) for pattern in (*self.exclude, *self.validation)):
            return None
        return next((group for group in self.groups if fnmatch(name, group.pattern)), None)


def load(name_or_path: str, changes: dict[str, Any] | None = None) -> Recipe:
    """A recipe by name, or from a TOML file; changes: settings that take the place of the file's.

    Raises InputError for a recipe that does not exist, is not TOML, or has settings that no recipe has.
    """
    path = Path(name_or_path)
    if path.suffix != ".toml":
        path = FOLDER / f"{name_or_path}.toml"
    if not path.is_file():
        raise unknown("recipe for thick slices", name_or_path, [p.stem for p in FOLDER.glob("*.toml")])
    try:
        table = tomllib.loads(path.read_text(encoding="utf-8")) | (changes or {})
        return from_table({"name": path.stem, **table})
    except (tomllib.TOMLDecodeError, UnicodeDecodeError, TypeError) as error:
        raise InputError(f"{path.name} is no recipe for thick slices: {error}.") from error


def from_table(table: dict[str, Any]) -> Recipe:
    """A recipe from what its file says; lists become tuples."""
    known = {f.name for f in fields(Recipe)}
    if strange := sorted(set(table) - known):
        raise InputError(f"No recipe for thick slices has a setting called '{strange[0]}'; leave it out.")
    settings: dict[str, Any] = {
        name: tuple(value) if isinstance(value, list) else value for name, value in table.items()
    }
    groups = tuple(g if isinstance(g, Group) else Group(**g) for g in settings["groups"])
    return Recipe(**(settings | {"groups": groups}))
