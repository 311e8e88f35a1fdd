"""Scans that are known exactly: functions of patient space, sampled wherever a grid's voxels lie."""

import numpy as np
from hypothesis import strategies as st
from scipy.ndimage import gaussian_filter
from scipy.spatial.transform import Rotation

from SuperResolutionLib.volume import Volume


def centres(volume: Volume) -> np.ndarray:
    """Where the voxels lie: (z, y, x, 3) mm."""
    index = np.stack(np.meshgrid(*(np.arange(n) for n in volume.size), indexing="ij"), -1)
    mm = np.asarray(volume.origin) + (index * np.asarray(volume.spacing)) @ volume.direction.T
    return mm.transpose(2, 1, 0, 3)


def middle(volume: Volume) -> np.ndarray:
    """The centre of the field of view, mm."""
    return volume.bounds().mean(axis=0)


def blobs(volume: Volume, about: np.ndarray, radius: float) -> np.ndarray:
    """Some smooth blobs within `radius` mm of a point, sampled at the volume's own voxel centres."""
    rng = np.random.default_rng(7)
    places = about + radius * rng.uniform(-1, 1, (12, 3))
    heights = rng.uniform(0.3, 1, 12)
    away = np.square(centres(volume)[..., None, :] - places).sum(-1)
    return 100 * (heights * np.exp(-0.5 * away / (0.3 * radius) ** 2)).sum(-1)


def stack(voxels: np.ndarray) -> Volume:
    """Slices (n, h, w), or one slice (h, w), as a volume of thick axial slices."""
    voxels = np.asarray(voxels)
    return Volume(voxels if voxels.ndim > 2 else voxels[None], spacing=(1.0, 1.0, 4.0))


def brain(size: tuple[int, int, int] = (26, 28, 4), seed: int = 0) -> Volume:
    """A head of sorts: a bright ellipse with structure, dark around it; float32, thick axial slices."""
    x, y, z = size
    v, u = np.meshgrid(np.linspace(-1, 1, y), np.linspace(-1, 1, x), indexing="ij")
    texture = np.random.default_rng(seed).uniform(200, 600, (z, y, x))
    return stack(np.where((u / 0.8) ** 2 + (v / 0.9) ** 2 < 1, texture, 0).astype(np.float32))


def textured(seed: int, rows: int = 192, columns: int = 170, slices: int = 4) -> Volume:
    """Slices of a head with fine texture, whose power falls with the frequency as that of anatomy does."""
    rng = np.random.default_rng(seed)
    grains = rng.standard_normal((slices, rows, columns))
    texture = sum(w * gaussian_filter(grains, (0, s, s)) / s for s, w in ((0.4, 0.1), (1.5, 1), (4, 10), (10, 40)))
    inside = gaussian_filter(brain((columns, rows, slices)).voxels > 0, (0, 1, 1), output=np.float32)
    return stack((500 * inside * np.clip(1 + 0.3 * texture, 0.1, 2)).astype(np.float32))


def layers(rows: int = 60) -> Volume:
    """A volume of 1 mm voxels with smooth structure along the slices, float32."""
    z, y, x = np.meshgrid(*(np.linspace(0, 1, n) for n in (rows, 24, 24)), indexing="ij")
    return Volume((100 + 40 * np.sin(25 * z + 3 * x) + 20 * np.cos(18 * z - 5 * y)).astype(np.float32))


def shift(one: np.ndarray, other: np.ndarray) -> float:
    """How far two slices are displaced, in voxels: the slope of the phase between their low frequencies.

    Both must fade out before their edges: a window would move the centre of what is blurred.
    """
    cross = np.fft.fft2(one) * np.conj(np.fft.fft2(other))
    ky, kx = np.meshgrid(*(np.fft.fftfreq(n) for n in one.shape), indexing="ij")
    low = (np.hypot(ky, kx) < 0.08) & (np.hypot(ky, kx) > 0)
    weight = np.abs(cross[low])
    slopes = -2 * np.pi * np.stack([ky[low], kx[low]], 1)
    displaced, *_ = np.linalg.lstsq(slopes * weight[:, None], np.angle(cross[low]) * weight, rcond=None)
    return float(np.hypot(*displaced))


def centre_of_mass(volume: Volume) -> np.ndarray:
    """Where the intensity lies, mm."""
    weight = volume.voxels[..., None].astype(np.float64)
    return (centres(volume) * weight).sum((0, 1, 2)) / weight.sum()


def orientation(x: str, y: str, z: str) -> np.ndarray:
    """The direction matrix whose voxel axes point to L, R, P, A, S or I."""
    world = {"L": (1, 0, 0), "P": (0, 1, 0), "S": (0, 0, 1), "R": (-1, 0, 0), "A": (0, -1, 0), "I": (0, 0, -1)}
    return np.array([world[x], world[y], world[z]], dtype=float).T


@st.composite
def grids(draw: st.DrawFn, smallest: int = 4, largest: int = 9) -> Volume:
    """Any grid: oblique, left- or right-handed, anisotropic, far from the origin; random voxels."""
    size = [draw(st.integers(smallest, largest)) for _ in range(3)]
    spacing = [draw(st.sampled_from([0.43, 0.5, 0.87, 1.0, 2.0, 4.4])) for _ in range(3)]
    angles = [draw(st.floats(-180, 180)) for _ in range(3)]
    direction = Rotation.from_euler("xyz", angles, degrees=True).as_matrix()
    if draw(st.booleans()):
        direction = direction * (1, 1, -1)
    origin = [draw(st.floats(-200, 200)) for _ in range(3)]
    voxels = np.random.default_rng(sum(size)).uniform(1, 100, size[::-1]).astype(np.float32)
    return Volume(voxels, (*spacing,), (*origin,), direction)


def difference(one: Volume, other: Volume) -> float:
    """The largest difference, as a share of the range."""
    return float(np.abs(one.voxels - other.voxels).max() / np.abs(other.voxels).max())
