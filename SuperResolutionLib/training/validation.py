"""How good a network is on the validation subjects: gain over bicubic, and SSIM, per forward model."""

from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch
from torch import nn

from SuperResolutionLib.diffusion.guides import has_contrast, unweighted
from SuperResolutionLib.geometry.sampling import Sampling
from SuperResolutionLib.methods.classical import upsample
from SuperResolutionLib.physics.degradation import by_name
from SuperResolutionLib.physics.frequencies import power_beyond
from SuperResolutionLib.quality.metrics import difference, score
from SuperResolutionLib.training import split
from SuperResolutionLib.training.data import Stack, View, coarse_slice, stacks_of
from SuperResolutionLib.training.recipe import Recipe
from SuperResolutionLib.volume import Volume, signal_only

SLICES = 5  # of each validation volume, evenly spread: enough to rank epochs, quick enough to do often


@dataclass(frozen=True, eq=False)
class Case:
    """Some slices of a validation volume, degraded: coarse (n, channels, h, w); truth, bicubic (n, H, W); range 1."""

    degradation: str
    scale: int
    coarse: torch.Tensor
    truth: Volume
    bicubic: Volume
    bicubic_psnr: float
    bicubic_ssim: float


def cases(folder: Path, recipe: Recipe) -> list[Case]:
    """The validation volumes, degraded by each model the recipe validates on, in the first plane of their group."""
    result = []
    for path in split.validation_files(folder, recipe):
        volume = split.read(path, recipe)
        signal_only(volume, f"validated on ({path.name})")
        group = recipe.group_of(split.stem(path))
        plane = group.planes[0] if group else "native"
        whole = Sampling(factor=recipe.scale, plane=plane).cropped(volume)
        stacks = list(stacks_of(split.stem(path), whole, recipe, View(plane)))
        result += [_case(stacks[k], name, recipe) for k in _shown(whole) for name in recipe.validate_on]
    return result


def _shown(volume: Volume) -> list[int]:
    """Which volumes are judged: of a diffusion series its first unweighted one and three weighted ones."""
    if not has_contrast(volume):
        return [0]
    free = unweighted(volume.gradients)  # type: ignore[arg-type]
    weighted = np.flatnonzero(~free)
    return [int(np.argmax(free)), *(int(k) for k in weighted[np.linspace(0, len(weighted) - 1, 3).astype(int)])]


def _case(stack: Stack, degradation: str, recipe: Recipe) -> Case:
    count = SLICES if len(stack.fine) > 1 else 1
    shown = (np.linspace(0.25, 0.75, count) * len(stack.fine)).astype(int)
    rng, model = np.random.default_rng(0), by_name(degradation)
    coarse = np.stack([coarse_slice(stack, int(k), recipe, model, rng) for k in shown])
    truth = Volume(stack.fine[shown])
    smooth = upsample(Volume(coarse[:, recipe.slices // 2]), "bicubic", recipe.scale)
    reached = score(truth, smooth, axis=2)
    given = torch.from_numpy(coarse)
    return Case(degradation, recipe.scale, given, truth, smooth, reached.psnr_head, reached.ssim or 0.0)


@torch.no_grad()
def restore(network: nn.Module, cases: list[Case], autocast: torch.autocast) -> list[np.ndarray]:
    """What a network makes of every case: (n, H, W) float32 each."""
    network.eval()
    device = next(network.parameters()).device
    with autocast:
        made = [[network(x[None].to(device)).float().cpu().numpy()[:, 0] for x in case.coarse] for case in cases]
    network.train()
    return [np.concatenate(slices) for slices in made]


def measure(cases: list[Case], images: list[np.ndarray]) -> dict[str, float]:
    """Means over the cases: gain_<degradation> in dB of psnr_head over bicubic, gain (their mean), psnr_head, ssim.

    ssim_gain: over bicubic. power: beyond the coarse Nyquist frequency, as a ratio to the truth's.
    """
    gains: dict[str, list[float]] = {}
    psnrs, ssims, over, powers = [], [], [], []
    for case, image in zip(cases, images, strict=True):
        result = score(case.truth, Volume(image), axis=2)
        gains.setdefault(case.degradation, []).append(result.psnr_head - case.bicubic_psnr)
        psnrs.append(result.psnr_head)
        ssims.append(result.ssim or 0.0)
        over.append((result.ssim or 0.0) - case.bicubic_ssim)
        powers.append(power_beyond(image, case.scale) / (power_beyond(case.truth.voxels, case.scale) + 1e-12))
    means = {f"gain_{name}": float(np.mean(values)) for name, values in gains.items()}
    gain = float(np.mean(list(means.values()))) if means else 0.0
    return {
        "gain": gain,
        "psnr_head": float(np.mean(psnrs)),
        "ssim": float(np.mean(ssims)),
        **means,
        "ssim_gain": float(np.mean(over)),
        "power": float(np.mean(powers)),
    }


def validate(network: nn.Module, cases: list[Case], autocast: torch.autocast) -> dict[str, float]:
    """The figures of a network; see `measure`."""
    return measure(cases, restore(network, cases, autocast))


def apart(images: list[np.ndarray], others: list[np.ndarray]) -> float:
    """How different two restorations of the cases are: the root mean square, in % of R."""
    return float(np.mean([difference(one, other, 1.0) for one, other in zip(images, others, strict=True)]))
