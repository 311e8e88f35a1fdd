"""A diffusion series whose tensors are known without noise: what every method makes of one and of two fibres.

    python -m benchmarks.known_tensors [--out benchmarks/known_tensors.md]

A simulated head (no data is needed): grey matter, fluid, a curved bundle and a straight one that cross, 20 directions
at b = 1000 s/mm2, exact signals, each fine voxel the mean of 3 x 3 points. It is truncated in k-space (x2), once
without noise and once with Rician noise of an SNR of 20 afterwards, and restored. Every error is one against a truth
without noise; a measured series has noise of its own, which lifts its FA.
"""

import argparse
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from benchmarks.diffusion import denoised
from SuperResolutionLib.diffusion.tensors import Tensors, fit_tensors
from SuperResolutionLib.geometry.sampling import Sampling
from SuperResolutionLib.intensity import head
from SuperResolutionLib.methods import zoo
from SuperResolutionLib.methods.classical import METHODS, upsample
from SuperResolutionLib.methods.method import Runtime
from SuperResolutionLib.methods.network import NetworkMethod
from SuperResolutionLib.physics.degradation import degrade
from SuperResolutionLib.physics.forward_models import rician_noise
from SuperResolutionLib.progress import finish
from SuperResolutionLib.quality.tensor_errors import angles
from SuperResolutionLib.volume import Gradients, Volume

SIZE, DEPTH, POINTS = 72, 6, 3  # fine voxels in plane, slices, points along each side of a voxel
COUNT, B, B0 = 20, 1000.0, 2  # directions, s/mm2, unweighted volumes
ALONG, ACROSS = 1.7e-3, 0.3e-3  # mm2/s, of a fibre: FA 0.8
GREY, FLUID = 0.8e-3, 3.0e-3  # mm2/s
BRIGHT = {"white": 700.0, "grey": 1000.0, "fluid": 1600.0}  # without weighting
PURE = 0.95  # share of a voxel that a tissue fills for it to count
SNRS = (0, 20)
DENOISED, MODEL = "MP-PCA + sinc", "dwi-x2"


@dataclass(frozen=True, eq=False)
class Phantom:
    """The series without noise, its tensors, and where one fibre and two are, (z, y, x) bool."""

    series: Volume
    tensors: Tensors
    one: np.ndarray
    two: np.ndarray


def phantom() -> Phantom:
    """The simulated head."""
    fine = SIZE * POINTS
    v, u = np.meshgrid(*2 * [(np.arange(fine) + 0.5) * 2 / fine - 1], indexing="ij")
    radius = np.hypot(u, v)
    ring = (radius > 0.42) & (radius < 0.62)
    straight = (np.abs(v - 0.25 * u) < 0.1) & (radius < 0.75)
    fluid = (radius < 0.16) & ~straight
    grey = (radius < 0.85) & ~ring & ~straight & ~fluid
    gradients = Gradients(np.repeat([0.0, B], [B0, COUNT]), np.concatenate([np.zeros((B0, 3)), _directions()]))
    signals = np.zeros((B0 + COUNT, fine, fine))
    around = np.stack([-v, u, np.zeros_like(u)], -1) / np.maximum(radius, 1e-9)[..., None]
    beside = np.broadcast_to(np.array([1.0, 0.25, 0.3]) / np.linalg.norm([1.0, 0.25, 0.3]), around.shape)
    for index, (b, way) in enumerate(zip(gradients.bvals, gradients.bvecs, strict=True)):
        first, second = (_fibre(b, way, along) for along in (around, beside))
        white = np.where(ring & straight, (first + second) / 2, np.where(ring, first, second))
        signals[index] += BRIGHT["white"] * white * (ring | straight)
        signals[index] += BRIGHT["grey"] * np.exp(-b * GREY) * grey + BRIGHT["fluid"] * np.exp(-b * FLUID) * fluid
    slices = np.repeat(_binned(signals)[:, None], DEPTH, axis=1).astype(np.float32)
    series = Volume(slices, (1.25, 1.25, 2.5), gradients=gradients)
    one, two = (
        np.repeat((_binned(where[None].astype(float)) > PURE), DEPTH, axis=0)
        for where in ((ring | straight) & ~(ring & straight), ring & straight)
    )
    return Phantom(series, fit_tensors(series), one, two)


def _fibre(b: float, way: np.ndarray, along: np.ndarray) -> np.ndarray:
    """The signal of a fibre: b in s/mm2, the direction of the gradient, that of the fibre (..., 3)."""
    signal: np.ndarray = np.exp(-b * (ACROSS + (ALONG - ACROSS) * (along @ way) ** 2))
    return signal


def _directions() -> np.ndarray:
    """Unit vectors spread over the half sphere: (COUNT, 3)."""
    height = (np.arange(COUNT) + 0.5) / COUNT
    angle, ring = np.arange(COUNT) * np.pi * (3 - np.sqrt(5)), np.sqrt(1 - height**2)
    return np.stack([ring * np.cos(angle), ring * np.sin(angle), height], 1)


def _binned(fine: np.ndarray) -> np.ndarray:
    """The mean of the points of each voxel: (n, points, points) -> (n, voxels, voxels)."""
    means: np.ndarray = fine.reshape(len(fine), SIZE, POINTS, SIZE, POINTS).mean(axis=(2, 4))
    return means


def restored(low: Volume, noisy: bool) -> dict[str, Volume]:
    """What every method makes of the coarse series."""
    finer = Sampling(factor=2)
    made = {name: upsample(low, name, sampling=finer) for name in METHODS}
    if noisy:
        made[DENOISED] = upsample(denoised(low), "sinc", sampling=finer)
    made[MODEL] = finish(NetworkMethod(zoo.load(MODEL)).restore(low, finer, Runtime())).volume
    return made


def figures(true: Phantom, found: Tensors, where: np.ndarray) -> dict[str, float]:
    """Bias and spread (standard deviation of the error) of FA and MD (1e-3 mm2/s), and the angle's median, degrees."""
    fa, md = (found.fa - true.tensors.fa)[where], 1e3 * (found.md - true.tensors.md)[where]
    turned = angles(found.direction, true.tensors.direction)[where]
    return {
        "FA bias": float(fa.mean()),
        "FA spread": float(fa.std()),
        "MD bias": float(md.mean()),
        "MD spread": float(md.std()),
        "angle": float(np.median(turned)),
    }


def table(rows: dict[str, dict[str, float]]) -> list[str]:
    """The figures as a table, and in which of them the model is worse than the best of the others."""
    measures = list(rows[MODEL])
    lines = [f"| method | {' | '.join(measures)} |", "|---" * (len(measures) + 1) + "|"]
    for name, row in rows.items():
        lines.append(
            f"| {name} | {' | '.join(f'{row[m]:+.4f}' if 'bias' in m else f'{row[m]:.4f}' for m in measures)} |"
        )
    others = [row for name, row in rows.items() if name != MODEL]
    lost = [
        f"{m} {rows[MODEL][m]:.4f} for {min((row[m] for row in others), key=abs):.4f}"
        for m in measures
        if abs(rows[MODEL][m]) > min(abs(row[m]) for row in others)
    ]
    return [f"{MODEL} is worse than the best of the others in: {'; '.join(lost) or 'nothing'}.", "", *lines, ""]


def main() -> None:
    """Measure and write the page."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--out", type=Path, default=Path("benchmarks/known_tensors.md"))
    options = parser.parse_args()
    true = phantom()
    lines = [INTRODUCTION.format(one=int(true.one.sum()), two=int(true.two.sum()))]
    for snr in SNRS:
        low = degrade(true.series, "k_space", 2)
        if snr:
            rng, sigma = np.random.default_rng(0), float(low.voxels[0][head(low.voxels[0])].mean()) / snr
            low = low.with_voxels(np.stack([rician_noise(one, sigma, rng) for one in low.voxels]))
        tensors = {name: fit_tensors(one, mask=true.tensors.mask) for name, one in restored(low, bool(snr)).items()}
        for title, where in (("one fibre", true.one), ("two fibres", true.two)):
            lines += [f"## {title}, {f'SNR {snr}' if snr else 'without noise'}", ""]
            lines += table({name: figures(true, found, where) for name, found in tensors.items()})
        print(f"SNR {snr or '-'}: done", flush=True)
    options.out.write_text("\n".join(lines), encoding="utf-8")


INTRODUCTION = """# Known tensors

Written by `python -m benchmarks.known_tensors`; do not edit. A simulated series whose tensors are known without noise:
grey matter, fluid, a curved and a straight bundle of fibres (FA 0.8) that cross; 20 directions at b = 1000 s/mm2, two
unweighted volumes, signals of two fibres added half and half. Truncated in k-space (x2), with Rician noise of SNR 20
afterwards in the second half. The truth is the tensor of the fine signals ({one} voxels with one fibre, {two} with
two). *Bias*: the mean error; *spread*: its standard deviation; FA, and MD in 1e-3 mm2/s; *angle*: median between the
principal directions, degrees (of two equal fibres a tensor's direction is hardly defined). It is a drawing, not a
brain: no network was trained on anything like it, and it does not say how often such edges are met.
"""


if __name__ == "__main__":
    main()
