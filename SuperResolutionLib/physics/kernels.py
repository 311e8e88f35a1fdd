"""Linear operators on slices, written as one small matrix per axis.

Shrinking by a filter, truncating k-space, interpolating: on a Cartesian grid each is the same short operator
along rows and along columns, result = M_rows @ slice @ M_columns.T. A matrix says where every output voxel
takes its value from, edges included, so it can be checked row by row, and a patch of the result costs only
the rows of M that belong to it.
"""

import numpy as np


def apply(rows: np.ndarray | None, columns: np.ndarray | None, slices: np.ndarray) -> np.ndarray:
    """Apply the operator to a stack: (..., h, w) -> (..., len(rows), len(columns)); float32, or complex64.

    None leaves an axis as it is.
    """
    if not np.iscomplexobj(slices):
        slices = slices.astype(np.float32, copy=False)
    slices = slices if rows is None else rows @ slices
    return slices if columns is None else slices @ columns.T


def apply_through(through: np.ndarray, slices: np.ndarray) -> np.ndarray:
    """Apply a matrix along the first axis of a stack: (n, h, w) -> (len(through), h, w); float32, or complex64."""
    flat = slices.reshape(len(slices), -1).astype(np.float32, copy=False)
    return (through @ flat).reshape(len(through), *slices.shape[1:])


def sample_positions(outputs: int, scale: float) -> np.ndarray:
    """Where output voxels lie on the input grid, in input voxels, for the same field of view.

    scale: input voxels per output voxel (2: half as many outputs; 0.5: twice as many).
    """
    return (np.arange(outputs) + 0.5) * scale - 0.5


def kernel_matrix(weights: np.ndarray, taps: np.ndarray, size: int, edge: str) -> np.ndarray:
    """Gather (outputs, k) weights at integer taps (outputs, k) into an (outputs, size) matrix.

    edge: "nearest" repeats the edge voxel; "drop" leaves outside taps out and renormalises the rest.
    """
    if edge == "drop":
        weights = np.where((taps >= 0) & (taps < size), weights, 0.0)
        weights = weights / weights.sum(axis=1, keepdims=True)
    matrix = np.zeros((len(taps), size))
    rows = np.broadcast_to(np.arange(len(taps))[:, None], taps.shape)
    np.add.at(matrix, (rows, np.clip(taps, 0, size - 1)), weights)
    return matrix


def cubic(x: np.ndarray, a: float) -> np.ndarray:
    """Keys' cubic convolution kernel (Keys 1981, eq. 4 has a = -0.5; image libraries often use -0.75)."""
    x = np.abs(x)
    near = (a + 2) * x**3 - (a + 3) * x**2 + 1
    far = a * (x**3 - 5 * x**2 + 8 * x - 4)
    return np.where(x <= 1, near, np.where(x < 2, far, 0.0))
