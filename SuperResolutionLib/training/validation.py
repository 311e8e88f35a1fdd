"""How good a network is on the validation subjects: gain over bicubic, and SSIM, per forward model."""

from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch
from torch import nn

from SuperResolutionLib import files
from SuperResolutionLib.degradation import by_name
from SuperResolutionLib.diffusion.guides import is_diffusion, unweighted
from SuperResolutionLib.geometry import crop_to_multiple, stacking_axis
from SuperResolutionLib.interpolation import upsample
from SuperResolutionLib.metrics import score
from SuperResolutionLib.training.data import Stack, coarse_slice, stacks_of, stem, volume_files
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
    """The validation volumes, degraded by each model the recipe validates on, in the first plane of their group."""
    result = []
    for path in volume_files(folder):
        if recipe.is_validation(stem(path)):
            volume = files.read(path)
            signal_only(volume, f"validated on ({path.name})")
            group = recipe.group_of(stem(path))
            plane = group.planes[0] if group else "native"
            whole = crop_to_multiple(volume, stacking_axis(volume, plane), recipe.scale)
            stacks = list(stacks_of(stem(path), whole, recipe, plane))
            result += [_case(stacks[k], name, recipe) for k in _shown(whole) for name in recipe.validate_on]
    return result


def _shown(volume: Volume) -> list[int]:
    """Which volumes are judged: of a diffusion series its first unweighted one and three weighted ones."""
    if not is_diffusion(volume):
        return [0]
    free = unweighted(volume.gradients)  # type: ignore[arg-type]
    weighted = np.flatnonzero(~free)
    return [int(np.argmax(free)), *(int(k) for k in weighted[np.linspace(0, len(weighted) - 1, 3).astype(int)])]


def _case(stack: Stack, degradation: str, recipe: Recipe) -> Case:
    shown = (np.linspace(0.25, 0.75, SLICES) * len(stack.fine)).astype(int)
    rng, model = np.random.default_rng(0), by_name(degradation)
    coarse = np.stack([coarse_slice(stack, int(k), recipe, model, rng) for k in shown])
    truth = Volume(stack.fine[shown])
    smooth = upsample(Volume(coarse[:, recipe.slices // 2]), "bicubic", recipe.scale)
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
