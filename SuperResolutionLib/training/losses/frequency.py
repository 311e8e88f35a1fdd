"""A loss in k-space: is there as much of every high frequency as in the truth?"""

import torch
from torch import nn

from SuperResolutionLib.errors import InputError
from SuperResolutionLib.physics.frequencies import beyond_band


class HighFrequency(nn.Module):
    """Mean | |FFT(restored)| - |FFT(truth)| | over the k-space samples that the low resolution does not have.

    (n, c, h, w) each; orthonormal 2-D FFT, so that the result is in the images' unit whatever their size. The
    band left out is what `degradation.KSpace` keeps at `scale`: the central 1/scale of each axis. Phases are not
    looked at, so it asks for the truth's power and not for its places: to be used beside a content loss. The
    amplitude term of Fuoli 2021 without its factor 2 and its Hann window, which would mix the low frequencies in.
    """

    def __init__(self, scale: int = 2) -> None:
        super().__init__()
        if scale < 2:
            raise InputError(f"At scale {scale} no frequency is missing; give the high-frequency loss 2 or more.")
        self.scale = scale

    def forward(self, restored: torch.Tensor, truth: torch.Tensor) -> torch.Tensor:
        rows, columns = restored.shape[-2:]
        beyond = torch.from_numpy(beyond_band(rows, columns, self.scale)).to(restored.device)
        return (_magnitude(restored) - _magnitude(truth)).abs()[..., beyond].mean()


def _magnitude(image: torch.Tensor) -> torch.Tensor:
    return torch.fft.fft2(image.float(), norm="ortho").abs()
