"""Measures beyond PSNR and SSIM, each as its paper has it, on slices (n, h, w) divided by the truth's range R.

None where a slice is too small to be measured.
"""

from collections.abc import Callable

import numpy as np

SCALES = np.array([0.0448, 0.2856, 0.3001, 0.2363, 0.1333])  # weights of MS-SSIM, finest first


def ms_ssim(truth: np.ndarray, restored: np.ndarray) -> float | None:
    """Multi-scale SSIM of one slice (Wang, Simoncelli, Bovik 2003): Gaussian window, sigma 1.5, 11 x 11, inside only.

    Of a slice too small for five scales, as many as fit, their weights scaled to sum to 1.
    """
    count = min(len(SCALES), int(np.log2(min(truth.shape) / 11)) + 1) if min(truth.shape) >= 11 else 0
    if count == 0:
        return None
    window = _gaussian(11, 1.5)
    factors = []
    for k in range(count):
        luminance, contrast = _ssim_parts(truth, restored, window)
        factors.append((contrast if k < count - 1 else luminance * contrast).mean())
        truth, restored = _halved(truth), _halved(restored)
    weights = SCALES[:count] / SCALES[:count].sum()
    return float(np.prod(np.maximum(factors, 0) ** weights))


def _ssim_parts(one: np.ndarray, other: np.ndarray, window: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """The luminance and the contrast-structure term of SSIM, at each place of the window."""
    c1, c2 = 0.01**2, 0.03**2
    a, b = _inside(one, window), _inside(other, window)
    var_a, var_b = _inside(one**2, window) - a**2, _inside(other**2, window) - b**2
    both = _inside(one * other, window) - a * b
    return (2 * a * b + c1) / (a**2 + b**2 + c1), (2 * both + c2) / (var_a + var_b + c2)


def gmsd(truth: np.ndarray, restored: np.ndarray) -> float:
    """Gradient magnitude similarity deviation of one slice (Xue et al. 2014), c = 170 at a range of 255.

    0 is perfect.
    """
    from scipy.ndimage import prewitt

    c = 170 / 255**2
    a, b = (
        np.hypot(prewitt(half, 0, mode="constant"), prewitt(half, 1, mode="constant")) / 3
        for half in (_halved(truth), _halved(restored))
    )
    return float(np.std((2 * a * b + c) / (a**2 + b**2 + c)))


def vif(truth: np.ndarray, restored: np.ndarray) -> float | None:
    """Visual information fidelity of one slice in the pixel domain (Sheikh and Bovik 2006).

    Noise variance 2 at a range of 255. 1 is perfect; above 1 the contrast was raised.
    """
    if min(truth.shape) < 41:
        return None
    noise, tiny = 2 / 255**2, 1e-10 / 255**2
    kept = possible = 0.0
    for size in (17, 9, 5, 3):
        window = _gaussian(size, size / 5)
        if size < 17:
            truth, restored = _inside(truth, window)[::2, ::2], _inside(restored, window)[::2, ::2]
        a, b = _inside(truth, window), _inside(restored, window)
        var_a = np.maximum(_inside(truth**2, window) - a**2, 0)
        var_b = np.maximum(_inside(restored**2, window) - b**2, 0)
        both = _inside(truth * restored, window) - a * b
        gain = np.where(var_a < tiny, 0, both / (var_a + tiny))
        rest = np.where(gain < 0, var_b, var_b - gain * both)
        gain = np.maximum(gain, 0)
        kept += float(np.log2(1 + gain**2 * var_a / (np.maximum(rest, tiny) + noise)).sum())
        possible += float(np.log2(1 + var_a / noise).sum())
    return kept / possible if possible > 0 else None


def hfen(truth: np.ndarray, restored: np.ndarray) -> float | None:
    """High-frequency error norm of a stack (Ravishankar and Bresler 2011): Laplacian of Gaussian, sigma 1.5, 15 x 15.

    0 is perfect, 1 is what an empty image gives.
    """
    edges, error = (_laplacian_of_gaussian(x) for x in (truth, restored - truth))
    whole = float(np.sum(edges**2))
    return float(np.sqrt(np.sum(error**2) / whole)) if whole > 0 else None


def _laplacian_of_gaussian(slices: np.ndarray) -> np.ndarray:
    from scipy.ndimage import gaussian_filter

    down, across = (gaussian_filter(slices, (0, 1.5, 1.5), order, truncate=7 / 1.5) for order in ((0, 2, 0), (0, 0, 2)))
    return np.asarray(down + across)


PER_SLICE: dict[str, Callable[[np.ndarray, np.ndarray], float | None]] = {"ms_ssim": ms_ssim, "gmsd": gmsd, "vif": vif}


def further(truth: np.ndarray, restored: np.ndarray, r: float, shown: np.ndarray) -> dict[str, float | None]:
    """MS-SSIM, GMSD and VIF as means of the slices `shown` (indices), HFEN of all of them together.

    truth, restored: (n, h, w). r: the data range.
    """
    pairs = [(truth[k].astype(np.float64) / r, restored[k].astype(np.float64) / r) for k in shown]
    found: dict[str, float | None] = {}
    for name, measure in PER_SLICE.items():
        values = [v for v in (measure(t, p) for t, p in pairs) if v is not None]
        found[name] = float(np.mean(values)) if values else None
    stacked = [np.stack(side) for side in zip(*pairs, strict=True)] if pairs else []
    found["hfen"] = hfen(*stacked) if stacked else None
    return found


def _gaussian(size: int, sigma: float) -> np.ndarray:
    taps = np.exp(-0.5 * ((np.arange(size) - size // 2) / sigma) ** 2)
    return taps / taps.sum()


def _inside(image: np.ndarray, window: np.ndarray) -> np.ndarray:
    """A separable filter wherever its window lies inside the image."""
    from scipy.ndimage import correlate1d

    edge = len(window) // 2
    smooth = correlate1d(correlate1d(image, window, axis=0), window, axis=1)
    return smooth[edge : image.shape[0] - edge, edge : image.shape[1] - edge]


def _halved(image: np.ndarray) -> np.ndarray:
    """The means of 2 x 2 voxels; an odd last row or column is left out."""
    h, w = (n - n % 2 for n in image.shape)
    return image[:h, :w].reshape(h // 2, 2, w // 2, 2).mean(axis=(1, 3))
