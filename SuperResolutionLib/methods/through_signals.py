"""Tensors restored by a network for images: through the signals that they predict."""

from collections.abc import Callable, Generator

from SuperResolutionLib.diffusion import log_euclidean, tensor_signals
from SuperResolutionLib.geometry.sampling import Grids
from SuperResolutionLib.methods.classical import resample
from SuperResolutionLib.progress import Progress
from SuperResolutionLib.volume import Volume


def tensors(
    volume: Volume, grids: Grids, restore: Callable[[Volume], Generator[Progress, None, Volume]]
) -> Generator[Progress, None, Volume]:
    """The log-Euclidean mean of what a network makes of the tensors' signals and of their cubic B-spline.

    restore: brings a series of signals onto the grids; it has to give all of them one intensity scale.
    The network is shown the six signals that the tensors predict: of logarithms it takes the fine structure for noise.
    It restores sizes and anisotropies that interpolation loses, and blunts directions; half and half, FA, MD and
    direction are all nearer to the truth than with the spline alone. The six directions stand for all: turning the
    tensors turns the result only nearly, as far as the network is no linear function.
    """
    logs = log_euclidean.logarithms(volume)
    fine = yield from restore(tensor_signals.signals(logs.series))
    restored = tensor_signals.logarithms(fine)
    smooth = resample(logs.series, grids, "bspline")
    return logs.undone(smooth.with_voxels((smooth.voxels + restored.voxels) / 2), grids)
