"""A network for thick slices of any spacing: it works on the slices and answers at any position between them.

It looks at reformats that contain the slice axis: rows are thick slices, columns are voxels of one in-plane axis, and
neighbouring reformats are channels. All convolutions but the last few run on the coarse rows, so that the work does not
grow with the number of rows wanted. For every coarse voxel it predicts the coefficients of a cosine series over the
slice's interval; the series is summed at each wanted row.
"""

from dataclasses import dataclass
from typing import Annotated

import numpy as np
import torch
from torch import nn

from SuperResolutionLib.networks.blocks import conv3x3
from SuperResolutionLib.networks.edsr import ResidualBlock
from SuperResolutionLib.physics.starts import OFFERS
from SuperResolutionLib.schema import limits

CONDITIONS = 4

Count = Annotated[int, limits(ge=1, le=1024)]


@dataclass(frozen=True)
class Scene:
    """The lengths that a network is told, mm.

    spacing, thickness: of the slices. wanted: between the rows asked for. pixel: along the columns. beside: between
    the reformats that are its channels.
    """

    spacing: float
    thickness: float
    wanted: float
    pixel: float
    beside: float

    def conditions(self) -> np.ndarray:
        """What does not depend on the unit of length, about 0 on average and between -2 and 2; (4,) float32."""
        ratios = [self.spacing / self.pixel, self.spacing / self.wanted]
        near = np.log(self.beside / self.pixel)
        told = [4 * (self.thickness / self.spacing - 0.9), *(np.log(ratio) - 1.2 for ratio in ratios), near]
        return np.array(told, np.float32)


def series(position: np.ndarray, size: int, terms: int, ratio: float) -> np.ndarray:
    """The cosine series at positions between `size` slices, as one matrix: (rows, terms x size) float32.

    Within slice i the k-th function is cos(pi k (t + 1/2)), t = position - i from -1/2 to 1/2, averaged over a row,
    whose height is 1 / ratio of a slice (ratio: spacing / wanted).
    """
    slices = np.clip(np.rint(position).astype(int), 0, size - 1)
    k = np.arange(terms)
    values = np.cos(np.pi * k * (position - slices + 0.5)[:, None]) * np.sinc(k / (2 * ratio))
    result = np.zeros((len(position), terms, size), np.float32)
    result[np.arange(len(position)), :, slices] = values
    return result.reshape(len(position), terms * size)


def folded(starts: np.ndarray, waves: np.ndarray, folds: int) -> np.ndarray:
    """What each deconvolution adds to the B-spline, seen from the slices: (offers x folds, size, size) float32.

    starts: (1 + offers, rows, size) of `starts`. waves: (rows, terms x size) of `series`. For every slice the mean of
    the difference over its rows, weighted by the first `folds` functions of the series.
    """
    rows, size = starts.shape[1:]
    functions = waves.reshape(rows, -1, size)[:, :folds]
    own = functions / np.maximum((waves[:, :size] != 0).sum(axis=0), 1)
    return (
        np.einsum("rks,jrm->jksm", own, starts[1:] - starts[:1], optimize=True)
        .reshape(-1, size, size)
        .astype(np.float32)
    )


@dataclass(frozen=True)
class Shape:
    """How large a network is, and what it is given.

    neighbours: reformats that are its channels. features, blocks: of the body (EDSR, Lim 2017). terms: of each series.
    maps: how many series a voxel has; one is the result itself, several are feature maps of the wanted rows, which two
    last convolutions of `fine` features join with the B-spline's rows. offers: how many other classical results those
    are given beside the B-spline; for each they say voxel by voxel how far to go from the B-spline towards it, so that
    none has to be believed. folds: how many channels of each offer the body sees as well, of the middle reformat
    (`folded`).
    """

    neighbours: Annotated[int, limits(ge=1, le=63)] = 5
    features: Count = 48
    blocks: Annotated[int, limits(ge=0, le=1024)] = 10
    terms: Count = 10
    maps: Count = 1
    fine: Count = 16
    offers: Annotated[int, limits(ge=0, le=len(OFFERS))] = 0
    folds: Annotated[int, limits(ge=0, le=1024)] = 0


class ThroughPlane(nn.Module):
    """Residual blocks on the thick slices, a cosine series between them, a few convolutions on the wanted rows.

    The last layer starts at zero: an untrained network adds nothing.
    """

    def __init__(self, shape: Shape | None = None) -> None:
        super().__init__()
        shape = shape or Shape()
        features, terms, maps, offers = shape.features, shape.terms, shape.maps, shape.offers
        self.folds, self.neighbours, self.terms, self.maps, self.offers = (
            shape.folds, shape.neighbours, terms, maps, offers,
        )  # fmt: skip
        self.head = conv3x3(shape.neighbours + offers * shape.folds + CONDITIONS, features)
        self.body = nn.Sequential(
            *(ResidualBlock(features, 1.0) for _ in range(shape.blocks)), conv3x3(features, features)
        )
        self.coefficients = conv3x3(features, terms * maps)
        self.tail = _tail(maps, shape.fine, offers) if maps > 1 else None
        last = self.tail[-1] if self.tail is not None else self.coefficients
        assert isinstance(last, nn.Conv2d) and last.bias is not None
        nn.init.zeros_(last.weight)
        nn.init.zeros_(last.bias)

    def forward(self, slices: torch.Tensor, conditions: torch.Tensor) -> torch.Tensor:
        """Coefficients of the series: (n, neighbours + folded, rows, columns), (n, 4) -> (n, terms x maps, ...)."""
        planes = conditions[:, :, None, None].expand(-1, -1, *slices.shape[2:])
        x = self.head(torch.cat([slices, planes], dim=1))
        result: torch.Tensor = self.coefficients(x + self.body(x))
        return result

    def between(self, coefficients: torch.Tensor, series: torch.Tensor, starts: torch.Tensor) -> torch.Tensor:
        """The wanted rows: the B-spline's and what the series say there; (n, 1, wanted rows, columns).

        series: (wanted rows, terms x rows) of `series`. starts: the B-spline's rows, then those of the other classical
        results offered, (n, 1 + offers, wanted rows, columns).
        """
        n, _, rows, columns = coefficients.shape
        maps = series @ coefficients.reshape(n, self.maps, self.terms * rows, columns)
        base = starts[:, :1]
        if self.tail is None:
            return base + maps
        told = self.tail(torch.cat([starts, maps], dim=1))
        towards = (told[:, 1:] * (starts[:, 1:] - base)).sum(dim=1, keepdim=True)
        return base + told[:, :1] + towards


def _tail(maps: int, fine: int, offers: int) -> nn.Sequential:
    return nn.Sequential(conv3x3(1 + offers + maps, fine), nn.ReLU(), conv3x3(fine, 1 + offers))
