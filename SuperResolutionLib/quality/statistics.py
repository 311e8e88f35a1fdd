"""Paired statistics by subject: how far a model is from the best classical method, and how sure that is."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np

RESAMPLES = 10_000
FEWEST = 6  # subjects; below this a signed-rank test cannot reach 5 %


@dataclass(frozen=True)
class Paired:
    """Differences by subject. low, high: 95 % bootstrap interval of the mean, None of a single subject.

    p: Wilcoxon signed-rank, two-sided, from six subjects on. wins: share of the volumes in which the model is better.
    """

    mean: float
    low: float | None
    high: float | None
    p: float | None
    wins: float
    worst: float
    subjects: int
    volumes: int


def paired(differences: Mapping[str, Sequence[float]], seed: int = 0) -> Paired:
    """Statistics of model minus reference; above 0 is better. differences: subject -> one number a volume.

    A subject counts once, with the mean of its volumes. The bootstrap draws subjects; the same seed, the same interval.
    """
    subjects = np.array([np.mean(values) for values in differences.values()])
    volumes = np.concatenate([np.asarray(values, float) for values in differences.values()])
    low = high = p = None
    if len(subjects) > 1:
        drawn = np.random.default_rng(seed).integers(len(subjects), size=(RESAMPLES, len(subjects)))
        low, high = (float(q) for q in np.percentile(subjects[drawn].mean(axis=1), [2.5, 97.5]))
    if len(subjects) >= FEWEST and np.any(subjects != 0):
        from scipy.stats import wilcoxon

        p = float(wilcoxon(subjects).pvalue)
    mean, wins, worst = float(subjects.mean()), float(np.mean(volumes > 0)), float(volumes.min())
    return Paired(mean, low, high, p, wins, worst, len(subjects), len(volumes))
