"""Forward models by name, and what they make of a volume."""

from dataclasses import fields, replace

import numpy as np

from SuperResolutionLib.errors import InputError, unknown
from SuperResolutionLib.geometry.grid import crop_to_multiple, map_slices, stacking_axis
from SuperResolutionLib.physics.forward_models import (
    Area,
    Bicubic,
    BicubicBlur3,
    Degradation,
    GaussBicubic,
    KSpace,
    KSpaceHamming,
    KSpaceTukey,
    KSpaceZeroFilled,
    Level,
    NoiseDown,
    Rician,
    Thick,
)
from SuperResolutionLib.physics.mixtures import Clinical, Diffusion
from SuperResolutionLib.volume import Volume, signal_only

MODELS: dict[str, Degradation] = {
    "bicubic": Bicubic(),
    "area": Area(),
    "k_space": KSpace(),
    "k_space_hamming": KSpaceHamming(),
    "k_space_tukey": KSpaceTukey(),
    "k_space_zero_filled": KSpaceZeroFilled(),
    "bicubic_blur3": BicubicBlur3(),
    "gauss_bicubic": GaussBicubic(),
    "noise_down": NoiseDown(),
    "rician": Rician(),
    "thick": Thick(),
    "clinical": Clinical(),
    "diffusion": Diffusion(),
}


def by_name(text: str) -> Degradation:
    """The model called `text`, its numbers overridden by what follows a colon: "rician:snr=15".

    Raises InputError for an unknown model or parameter, or a value that is not a positive number.
    """
    name, _, overrides = text.partition(":")
    if name not in MODELS:
        raise unknown("degradation", name, MODELS)
    model = MODELS[name]
    known = [f.name for f in fields(model) if isinstance(getattr(model, f.name), float)]
    values: dict[str, float] = {}
    for item in filter(None, overrides.split(",")):
        key, _, value = item.partition("=")
        if key not in known:
            raise unknown(f"parameter of degradation '{name}'", key, known or ["(none)"])
        values[key] = _positive(value, item)
    return replace(model, **values)


def _positive(value: str, item: str) -> float:
    try:
        number = float(value)
    except ValueError:
        number = -1.0
    if not 0 < number < float("inf"):
        raise InputError(f"'{item}' is not a setting like snr=15; give a number above 0 after the equals sign.")
    return number


def degrade(
    volume: Volume, degradation: str | Degradation, scale: int = 2, plane: str = "native", seed: int = 0
) -> Volume:
    """The volume as a coarser scan of the same head would show it, shrunk in plane by `scale`.

    A size that `scale` does not divide is cropped at the far end first. The same seed gives the same voxels.
    In a series, noise is measured against the first volume without diffusion weighting. Keeps the voxel type.
    Raises InputError for tensors: a scanner measures signals.
    """
    signal_only(volume, "degraded")
    rng = np.random.default_rng(seed)
    model = (by_name(degradation) if isinstance(degradation, str) else degradation).draw(rng)
    axis = stacking_axis(volume, plane)
    fine = crop_to_multiple(volume, axis, scale)
    level = Level.of(reference_volume(fine))
    factor = 1.0 if model.outputs(scale, scale) == scale else 1 / scale
    return map_slices(fine, axis, factor, lambda slices: model.slices(slices, scale, level, rng))


def reference_volume(volume: Volume) -> np.ndarray:
    """The 3-D voxels that a series' intensities are measured on: its first b = 0 volume, or its first."""
    return volume.voxels if volume.voxels.ndim == 3 else np.asarray(volume.voxels[reference_index(volume)])


def reference_index(volume: Volume) -> int:
    """Which of a series' volumes its intensities are measured on."""
    return 0 if volume.gradients is None else int(np.argmin(volume.gradients.bvals))
