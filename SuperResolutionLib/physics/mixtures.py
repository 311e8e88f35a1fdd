"""Mixtures of forward models, to be trained on: nobody knows what a given scan went through."""

from dataclasses import dataclass

import numpy as np

from SuperResolutionLib.errors import InputError
from SuperResolutionLib.physics.acquisition import Acquisition
from SuperResolutionLib.physics.forward_models import (
    Area,
    Bicubic,
    BicubicBlur3,
    Degradation,
    GaussBicubic,
    KSpace,
    KSpaceHamming,
    KSpaceTukey,
    NoiseDown,
    Rician,
    Thick,
)


@dataclass(frozen=True)
class Mixture(Degradation):
    """One model drawn per scan, as nobody knows what a given scan went through: for training, never to be scored."""

    def matrix(self, size: int, scale: int) -> np.ndarray:
        raise InputError("A mixture of degradations has no matrix of its own; draw a model from it.")


@dataclass(frozen=True)
class Clinical(Mixture):
    """The mixture for structural scans.

    Eight in ten draws are the models that papers and scanners use, unchanged, the harder ones more often; the others
    vary the filter, the blur and the noise around them. With more of those a network is less sure of what it sees:
    at six in ten it restored truncated k-space less well. Parameters come in steps, so that their matrices can be kept.
    """

    def draw(self, rng: np.random.Generator) -> Degradation:
        chance = rng.random()
        if chance < 0.80:
            return (Bicubic(), Area(), KSpace(), BicubicBlur3())[rng.choice(4, p=(0.32, 0.26, 0.30, 0.12))]
        if chance < 0.86:
            return (KSpaceHamming(), KSpaceTukey(), KSpaceTukey(_step(rng, 0.1, 1.0)))[rng.integers(3)]
        if chance < 0.90:
            blurs = (
                GaussBicubic(_step(rng, 0.3, 1.2)),
                BicubicBlur3(_step(rng, 0.4, 1.2)),
                Thick(_step(rng, 0.6, 1.2)),
            )
            return blurs[rng.integers(3)]
        if chance < 0.94:
            return NoiseDown(_step(rng, 0.01, 0.06, 0.01))
        noisy = (Bicubic(), Area(), BicubicBlur3(), KSpace(), KSpace(), KSpace(), KSpaceHamming(), KSpaceTukey())
        return Rician(snr=float(np.exp(rng.uniform(np.log(12), np.log(60)))), base=noisy[rng.integers(len(noisy))])


@dataclass(frozen=True)
class Diffusion(Mixture):
    """The mixture for diffusion series: echo-planar k-space, truncated or windowed, and resizing.

    Half of the draws without noise are plain truncation, as echo-planar images are acquired. noise: the share of draws
    with noise, added before shrinking (work A) or Rician; small by default, for diffusion scans have their own, and a
    network that is shown much more learns to smooth them. scanners: the share of draws that are what scanners do, three
    in four of them with noise (`Scanners`).
    """

    noise: float = 0.12
    scanners: float = 0.0

    def draw(self, rng: np.random.Generator) -> Degradation:
        if self.scanners and rng.random() < self.scanners:
            return Scanners(resized=0, plain=0, noisy=0.75).draw(rng)
        if rng.random() < self.noise:
            if rng.random() < 0.6:
                return NoiseDown(_step(rng, 0.01, 0.03, 0.01))
            base = (KSpace(), KSpace(), KSpaceTukey(), Bicubic())[rng.integers(4)]
            return Rician(snr=float(np.exp(rng.uniform(np.log(12), np.log(60)))), base=base)
        chance = rng.random()
        if chance < 0.50:
            return KSpace()
        if chance < 0.80:
            return Bicubic()
        if chance < 0.89:
            return Area()
        return (KSpaceHamming(), KSpaceTukey(), KSpaceTukey(_step(rng, 0.1, 1.0)))[rng.integers(3)]


@dataclass(frozen=True)
class Scanners(Mixture):
    """What scanners do, as a family: a measured part of k-space, noise, decay, windows, filling up with zeros.

    resized: the share of draws that are shrunk in the image, as papers do and scanners do not. plain: the share that is
    truncation and nothing else. Of what else is drawn, `noisy` has noise.
    """

    resized: float = 0.25
    plain: float = 0.15
    noisy: float = 0.6

    def draw(self, rng: np.random.Generator) -> Degradation:
        chance = rng.random()
        if chance < self.resized:
            return (Bicubic(), Area(), BicubicBlur3())[rng.choice(3, p=(0.4, 0.3, 0.3))]
        if chance < self.resized + self.plain:
            return KSpace()
        filled = rng.uniform(0.5, 1, 2) if rng.random() < 0.4 else np.ones(2)
        filled = filled[[0, 0]] if rng.random() < 0.5 else filled
        window = str(rng.choice(["none", "hamming", "tukey", "fermi"], p=(0.4, 0.15, 0.3, 0.15)))
        fall = float(np.exp(rng.uniform(np.log(0.02), np.log(0.15))))
        width = {"hamming": rng.uniform(0.2, 1), "tukey": rng.uniform(0.1, 1), "fermi": fall}
        return Acquisition(
            rows=filled[0],
            columns=filled[1],
            partial=rng.uniform(0.6, 0.95) if rng.random() < 0.3 else 1.0,
            shape="ellipse" if rng.random() < 0.2 else "rectangle",
            window=window,
            width=width.get(window, 1.0),
            decay=rng.uniform(0.1, 1.2) if rng.random() < 0.15 else 0.0,
            snr=float(np.exp(rng.uniform(np.log(12), np.log(100)))) if rng.random() < self.noisy else np.inf,
            coils=int(rng.integers(2, 5)) if rng.random() < 0.3 else 1,
        )


def _step(rng: np.random.Generator, low: float, high: float, step: float = 0.1) -> float:
    return round(low + step * int(rng.integers(round((high - low) / step) + 1)), 4)
