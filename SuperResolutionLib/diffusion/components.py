"""Symmetric tensors as six components, xx xy xz yy yz zz, and as matrices."""

import numpy as np

ROWS, COLUMNS = (0, 0, 0, 1, 1, 2), (0, 1, 2, 1, 2, 2)  # of the six components in the matrix
_PLACES = (0, 1, 2, 1, 3, 4, 2, 4, 5)  # of the matrix's nine elements among the six components
ISOTROPIC = np.array([1, 0, 0, 1, 0, 1], np.float32)  # the components of the identity


def matrices(tensors: np.ndarray) -> np.ndarray:
    """(6, ...) -> (..., 3, 3)."""
    return np.moveaxis(tensors[list(_PLACES)], 0, -1).reshape(*tensors.shape[1:], 3, 3)


def components(whole: np.ndarray) -> np.ndarray:
    """(..., 3, 3) -> (6, ...): the upper halves."""
    return np.moveaxis(whole[..., ROWS, COLUMNS], -1, 0)


def turned(tensors: np.ndarray, frame: np.ndarray) -> np.ndarray:
    """M T M' of every tensor: (6, z, y, x) and M (3, 3) -> (6, z, y, x), same dtype."""
    # M T M' is a linear function of T: what it makes of each component alone are the columns of a matrix.
    units = matrices(np.eye(6))
    matrix = components(frame @ units @ frame.T)
    result = np.empty_like(tensors)
    for k in range(tensors.shape[1]):  # slice by slice: no copy of the whole in double precision
        result[:, k] = np.tensordot(matrix, tensors[:, k], 1)
    return result
