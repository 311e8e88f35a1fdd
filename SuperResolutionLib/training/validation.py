"""How good a network is on the validation subjects: gain over bicubic, and SSIM, per forward model."""

from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch
from torch import nn

from SuperResolutionLib import files
from SuperResolutionLib.degradation import Level, by_name
from SuperResolutionLib.geometry import crop_to_multiple, stacking_axis, stacks
from SuperResolutionLib.intensity import data_range
from SuperResolutionLib.interpolation import upsample
from SuperResolutionLib.metrics import score
from SuperResolutionLib.slices import neighbours
from SuperResolutionLib.training.data import stem, volume_files
from SuperResolutionLib.training.recipe import Recipe
from SuperResolutionLib.volume import Volume, signal_only

SLICES = 5  # of each validation volume, evenly spread: enough to rank epochs, quick enough to do often


@dataclass(frozen=True, eq=False)
class Case:
    """Some slices of a validation volume, degraded: coarse (n, channels, h, w), truth (n, H, W), range 1."""

    degradation: str
    coarse: torch.Tensor
    truth: Volume
    bicubic_psnr: float


def cases(folder: Path, recipe: Recipe) -> list[Case]:
    """The validation volumes, degraded by each model the recipe validates on."""
    result = []
    for path in volume_files(folder):
        if recipe.is_validation(stem(path)):
            volume = files.read(path)
            signal_only(volume, f"validated on ({path.name})")
            result += [_case(volume, name, recipe) for name in recipe.validate_on]
    return result


def _case(volume: Volume, degradation: str, recipe: Recipe) -> Case:
    axis, s = stacking_axis(volume), recipe.scale
    first = stacks(crop_to_multiple(volume, axis, s), axis)[0]
    first = (first / np.float32(data_range(first))).astype(np.float32)
    shown = np.linspace(0.25, 0.75, SLICES) * len(first)
    windows = neighbours(shown.astype(int), len(first), recipe.slices)
    coarse = by_name(degradation).slices(first[windows], s, Level.of(first), np.random.default_rng(0))
    truth = Volume(first[shown.astype(int)])
    smooth = upsample(Volume(coarse[:, recipe.slices // 2]), "bicubic", s)
    return Case(degradation, torch.from_numpy(coarse), truth, score(truth, smooth, 2, with_ssim=False).psnr_head)


@torch.no_grad()
def validate(network: nn.Module, cases: list[Case], autocast: torch.autocast) -> dict[str, float]:
    """Means over the cases: gain_<degradation> in dB of psnr_head over bicubic, gain (their mean), psnr_head, ssim."""
    network.eval()
    device = next(network.parameters()).device
    gains: dict[str, list[float]] = {}
    psnrs, ssims = [], []
    for case in cases:
        with autocast:
            batches = [network(x[None].to(device)).float().cpu().numpy()[:, 0] for x in case.coarse]
        result = score(case.truth, Volume(np.concatenate(batches)), axis=2)
        gains.setdefault(case.degradation, []).append(result.psnr_head - case.bicubic_psnr)
        psnrs.append(result.psnr_head)
        ssims.append(result.ssim or 0.0)
    network.train()
    means = {f"gain_{name}": float(np.mean(values)) for name, values in gains.items()}
    gain = float(np.mean(list(means.values()))) if means else 0.0
    return {"gain": gain, "psnr_head": float(np.mean(psnrs)), "ssim": float(np.mean(ssims)), **means}
