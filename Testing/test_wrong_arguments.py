"""What cannot be meant is refused with one sentence by every function of the front door."""

import numpy as np
import pytest
from phantoms import brain
from tiny_models import tiny

import SuperResolutionLib as sr

V = brain()
TWO = np.stack([V.voxels] * 2)
ZERO = np.zeros((2, 3))
CASES = {
    "a method that is no text": (lambda: sr.upsample(V, 3), "interpolation method called '3'"),
    "a list of methods to interpolate by": (lambda: sr.upsample(V, ["linear"]), "interpolation method"),
    "no methods": (lambda: sr.compare(V, methods=3), "The methods are 3"),
    "a seed below 0": (lambda: sr.degrade(V, "rician", seed=-1), "seed of -1"),
    "a seed that is no number": (lambda: sr.degrade(V, "rician", seed="a"), "seed of 'a'"),
    "a runtime that is none": (lambda: sr.enhance(V, tiny(), runtime="cpu"), "The runtime is 'cpu'"),
    "a sampling that is none": (lambda: sr.enhance(V, tiny(), sampling="axial"), "The sampling is 'axial'"),
    "gradients as lists": (lambda: sr.Volume(TWO, gradients=sr.Gradients([0, 9], [[0, 0, 0]] * 2)), "numpy arrays"),
    "directions that lie down": (lambda: sr.Volume(TWO, gradients=sr.Gradients(np.zeros(2), ZERO.T)), "(3, 2)"),
    "b-values of NaN": (lambda: sr.Volume(TWO, gradients=sr.Gradients(np.full(2, np.nan), ZERO)), "no finite"),
    "an array to write": (lambda: sr.write(V.voxels, "a.nii.gz"), "ndarray is no volume"),
    "no path": (lambda: sr.read(3), "A int is no path"),
    "a direction that is none": (lambda: sr.Volume.from_numpy(V.voxels, (1, 1, 2), direction="x"), "array of numbers"),
    "a ragged array": (lambda: sr.Volume.from_numpy([[1, 2], [3]], (1, 1, 1)), "array of numbers"),
}


@pytest.mark.parametrize("case", CASES)
def test_it_is_one_sentence(refuses, case):
    """Fault G: tracebacks of numpy and of Python for what was given wrongly."""
    work, words = CASES[case]
    with refuses(words):
        work()


@pytest.mark.parametrize("scale", ["2", 0, -2, 1.5, True, np.nan, np.inf, [2]])
def test_no_impossible_scale_gets_a_traceback(refuses, scale):
    """Fault G: five different tracebacks for a scale of 0, -2 and "2"."""
    for work in (
        sr.enhance,
        lambda v, **words: sr.degrade(v, "area", **words) if scale != 1.5 else sr.enhance(v, **words),
    ):
        with refuses():
            work(V, scale=scale)
