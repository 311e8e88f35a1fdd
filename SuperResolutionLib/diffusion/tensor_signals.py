"""The diffusion-weighted signals that tensors predict, and back: what a network for images can be shown of tensors.

The logarithms of tensors look like no scan, and networks trained on scans take their fine structure for noise. The
signals exp(-b g' T g) do look like scans; g runs through the six axes of an icosahedron, which are spread evenly and
determine a tensor. They lie between 0 and 1, so that all six have one intensity scale and none has an offset.
"""

from dataclasses import replace

import numpy as np

from SuperResolutionLib.diffusion.components import along
from SuperResolutionLib.diffusion.log_euclidean import exponential, logarithm
from SuperResolutionLib.volume import Volume

# b times the typical diffusivity, about b = 700 s/mm2 in a brain. At 1, where the diffusivity is large the signal is
# nearly 0 and its noise comes out; at 0.25 noisy fits (9 volumes) are restored less well. Measured on training scans.
WEIGHTING = 0.5
_LEAST = 1e-3  # of a signal: a network may give 0 or less, which has no logarithm
_GOLDEN = (1 + 5**0.5) / 2
DIRECTIONS = np.array(
    [
        [0, 1, _GOLDEN],
        [0, 1, -_GOLDEN],
        [1, _GOLDEN, 0],
        [1, -_GOLDEN, 0],
        [_GOLDEN, 0, 1],
        [-_GOLDEN, 0, 1],
    ]
) / np.hypot(1, _GOLDEN)
_ALONG = along(DIRECTIONS)


def signals(logs: Volume) -> Volume:
    """The six signals of the tensors with these logarithms (in units of the typical diffusivity); float32."""
    result = np.empty_like(logs.voxels)
    for k in range(result.shape[1]):
        result[:, k] = np.exp(-WEIGHTING * np.tensordot(_ALONG, exponential(logs.voxels[:, k]), 1))
    return replace(logs, voxels=result)


def logarithms(predicted: Volume) -> Volume:
    """The logarithms of the tensors that give these six signals; float32."""
    back = np.linalg.inv(_ALONG)
    result = np.empty_like(predicted.voxels)
    for k in range(result.shape[1]):
        along = -np.log(np.maximum(predicted.voxels[:, k].astype(np.float64), _LEAST)) / WEIGHTING
        result[:, k] = logarithm(np.tensordot(back, along, 1))
    return replace(predicted, voxels=result)
