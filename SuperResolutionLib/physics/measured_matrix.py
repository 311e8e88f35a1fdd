"""Which share of a slice's matrix was measured, where the scanner filled the rest of k-space with zeros (interpolated).

Beyond the last sample that was measured there is neither signal nor noise. So along that axis the power falls, within a
few samples, from that of the anatomy or of the noise to a floor that is flat. Anatomy, blur and filters let the power
fall too, but not by such a step; partial Fourier halves an amplitude; and where noise came after the filling, it hides
the edge, and nothing is found.
"""

import numpy as np

from SuperResolutionLib.intensity import background_level, head

SLICES = 8  # of a stack that are looked at
FEWEST = 32  # voxels along an axis: of fewer nothing is told
LEAST, MOST = 0.25, 0.9  # where the floor may begin, as a share of the frequencies
BAND = 0.05  # of the frequencies: how many are averaged on each side of the step
WIDEST = 0.12  # of the frequencies: how wide a step may be, for windows stretch it
STEP = 14.0  # dB that the power has to fall by: partial Fourier falls by 6, and with noise a Tukey window by 12
STEEPER = 3.3  # times as far as over as many frequencies further in: by a Gaussian or a box blur 2 to 2.6 times
LEVEL = 0.25  # of the step: how far the floor may fall, over as many frequencies again
ALMOST = 0.5  # dB: falls below this are not told from none
RISE = 8.0  # dB by which the power may rise again before the step: of anatomy it falls, of waves and stairs it does not
HALF = 4.0  # dB below the power further in, with what anatomy falls by: where half of the power is left, the edge is
INSIDE, SOFT = 4, 5.0  # voxels within the head that the window begins, and the deviation by which it does so


def measured_shares(stack: np.ndarray) -> tuple[float, float]:
    """The shares of a stack's rows and columns that were measured; 1 along an axis where no edge of k-space shows.

    stack: magnitudes (n, h, w).
    """
    chosen = np.unique((np.linspace(0.25, 0.75, SLICES) * len(stack)).astype(int))
    slices = stack[chosen].astype(np.float32)
    slices -= background_level(slices)
    slices *= _within_head(slices)
    return _share(_profile(slices, 1)), _share(_profile(slices, 2))


def _within_head(slices: np.ndarray) -> np.ndarray:
    """A window (n, h, w) that falls to 0 softly before the border of the head.

    A magnitude has frequencies that were never measured where the signal changes its sign: in the ringing around a
    head, and in the noise of the background.
    """
    from scipy.ndimage import gaussian_filter, minimum_filter

    inner = minimum_filter(head(slices).astype(np.float32), (1, 2 * INSIDE + 1, 2 * INSIDE + 1), mode="constant")
    window: np.ndarray = gaussian_filter(inner, (0, SOFT, SOFT), mode="constant", truncate=4)
    return window


def _profile(slices: np.ndarray, axis: int) -> np.ndarray:
    """The power (dB) of slices (n, h, w) at each frequency along an axis, from 0 to the highest."""
    size = slices.shape[axis]
    taper = np.hanning(size + 2)[1:-1]
    samples = np.fft.rfft(slices * (taper[:, None] if axis == 1 else taper), axis=axis)
    power: np.ndarray = np.square(np.abs(samples)).mean(axis=(0, 3 - axis))
    return 10 * np.log10(power + 1e-20 * power.max() + 1e-300)


def _share(profile: np.ndarray) -> float:
    """The measured share of an axis by its profile of powers; 1 where there is no step."""
    count = len(profile)
    if count <= FEWEST // 2:
        return 1.0
    floor, before, sure = max(_steps(profile), key=lambda step: step[2], default=(0, 0, 0.0))
    if sure < 1:
        return 1.0
    band = _band(count)
    inner = profile[before // 4 : before]
    if (inner - np.minimum.accumulate(inner)).max() > RISE:
        return 1.0
    inside = profile[before - band : before].mean()
    fallen = before + int(np.argmax(profile[before : floor + 1] < inside - HALF))
    above, below = profile[fallen - 1], profile[fallen]
    edge = fallen - 1 + np.clip((above - (inside - HALF)) / max(above - below, 1e-9), 0, 1)
    return float(min(1.0, edge / (count - 1)))


def _band(count: int) -> int:
    """How many of `count` frequencies are averaged."""
    return max(3, round(BAND * count))


def _steps(profile: np.ndarray) -> list[tuple[int, int, float]]:
    """Every place that a step may have: where the floor begins, where the fall to it begins, and how sure it is.

    From 1 on it is a step: it falls far enough, further than the powers within, and to a floor that is flat.
    """
    count, band = len(profile), _band(len(profile))
    sums = np.concatenate([[0.0], np.cumsum(profile)])
    found = []
    for width in range(2, max(3, round(WIDEST * count)) + 1):
        first = max(int(LEAST * count), 2 * (width + band) + 1)
        floors = np.arange(first, min(int(MOST * count), count - 2 * band) + 1)
        if not len(floors):
            continue
        further, inside, outside, last = (
            (sums[begin + band] - sums[begin]) / band
            for begin in (
                floors - 2 * (width + band),
                floors - width - band,
                floors,
                np.minimum(floors + width + band, count - band),
            )
        )
        step, within, beyond = inside - outside, further - inside, np.abs(outside - last)
        steep = step / (STEEPER * np.maximum(within, ALMOST))
        flat = LEVEL * step / np.maximum(beyond, ALMOST)
        sure = np.minimum(np.minimum(step / STEP, steep), flat)
        best = int(sure.argmax())
        found.append((int(floors[best]), int(floors[best]) - width, float(sure[best])))
    return found
