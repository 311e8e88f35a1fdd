"""Symmetric tensors as six components, xx xy xz yy yz zz, and as matrices."""

import numpy as np

ROWS, COLUMNS = (0, 0, 0, 1, 1, 2), (0, 1, 2, 1, 2, 2)  # of the six components in the matrix
_TWICE = np.array([1, 2, 2, 1, 2, 1])  # xy, xz and yz stand in the matrix twice
_PLACES = (0, 1, 2, 1, 3, 4, 2, 4, 5)  # of the matrix's nine elements among the six components


def matrices(tensors: np.ndarray) -> np.ndarray:
    """(6, ...) -> (..., 3, 3)."""
    return np.moveaxis(tensors[list(_PLACES)], 0, -1).reshape(*tensors.shape[1:], 3, 3)


def components(whole: np.ndarray) -> np.ndarray:
    """(..., 3, 3) -> (6, ...): the upper halves."""
    return np.moveaxis(whole[..., ROWS, COLUMNS], -1, 0)


def along(directions: np.ndarray) -> np.ndarray:
    """What each direction g (t, 3) sees of the six components: g' T g = along(g) @ components; (t, 6)."""
    seen: np.ndarray = _TWICE * directions[:, ROWS] * directions[:, COLUMNS]
    return seen


def turned(tensors: np.ndarray, frame: np.ndarray) -> np.ndarray:
    """M T M' of every tensor: (6, z, y, x) and M (3, 3) -> (6, z, y, x), same dtype."""
    # M T M' is a linear function of T: what it makes of each component alone are the columns of a matrix.
    units = matrices(np.eye(6))
    matrix = components(frame @ units @ frame.T)
    result = np.empty_like(tensors)
    for k in range(tensors.shape[1]):  # slice by slice: no copy of the whole in double precision
        result[:, k] = np.tensordot(matrix, tensors[:, k], 1)
    return result


def fractional_anisotropy(tensors: np.ndarray) -> np.ndarray:
    """FA of (6, ...): 0 (a sphere, or no tensor) to 1 (Basser and Pierpaoli 1996), without eigenvalues; float32."""
    xx, xy, xz, yy, yz, zz = (component.astype(np.float64) for component in tensors)
    whole = xx**2 + yy**2 + zz**2 + 2 * (xy**2 + xz**2 + yz**2)
    anisotropic = whole - (xx + yy + zz) ** 2 / 3
    return np.sqrt(1.5 * np.clip(anisotropic, 0, None) / np.where(whole > 0, whole, 1)).astype(np.float32)
