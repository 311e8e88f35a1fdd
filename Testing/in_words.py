"""Networks and comparisons in words, so that a test says no more than it is about: enhance(low, plane="axial")."""

from collections.abc import Generator
from typing import Any

from SuperResolutionLib.geometry.sampling import Sampling
from SuperResolutionLib.methods.catalogue import network
from SuperResolutionLib.methods.method import Restoration, Runtime
from SuperResolutionLib.progress import Progress, finish
from SuperResolutionLib.quality import comparison
from SuperResolutionLib.quality.comparison import Comparison, Experiment
from SuperResolutionLib.volume import Volume

EXACT = {"device": "cpu", "precision": "float32"}


def enhancing(volume: Volume, model: Any = None, **words: Any) -> Generator[Progress, None, Restoration]:
    """The work of restoring. words: fields of Sampling and of Runtime, scale for factor, put_back and uncertainty."""
    own = {key: words.pop(key) for key in ("put_back", "uncertainty") if key in words}
    if "scale" in words:
        words["factor"] = words.pop("scale")
    runtime = {key: words.pop(key) for key in Runtime.__dataclass_fields__ if key in words}
    sampling = Sampling(**words)
    return network(volume, model, sampling, **own).restore(volume, sampling, Runtime(**runtime))


def restored(volume: Volume, model: Any = None, **words: Any) -> Restoration:
    """All that comes of it."""
    return finish(enhancing(volume, model, **words))


def enhance(volume: Volume, model: Any = None, **words: Any) -> Volume:
    """The volume that comes of it."""
    return restored(volume, model, **words).volume


def comparing(
    volume: Volume, degradation: Any = "k_space", scale: float = 2, methods: Any = None, plane: str = "native",
    **words: Any,
) -> Generator[Progress, None, Comparison]:  # fmt: skip
    """The work of comparing. words: fields of Experiment and of Runtime."""
    runtime = {key: words.pop(key) for key in Runtime.__dataclass_fields__ if key in words}
    experiment = Experiment(degradation=degradation, sampling=Sampling(factor=scale, plane=plane), **words)
    return comparison.comparing(volume, experiment, methods, Runtime(**runtime))


def compare(*given: Any, **words: Any) -> Comparison:
    """The comparison that comes of it."""
    return finish(comparing(*given, **words))
