"""Signals of a shell as real even spherical harmonics (Descoteaux et al. 2007, Magn Reson Med 58:497), by DIPY."""

import numpy as np

from SuperResolutionLib.diffusion.dipy_parts import dipy

ORDER = 4
COEFFICIENTS = (ORDER + 1) * (ORDER + 2) // 2  # as many directions determine them
SMOOTH = 0.006  # weight of the Laplace-Beltrami regularisation, as in the paper


def harmonic_fit(directions: np.ndarray) -> np.ndarray:
    """The matrix that turns a shell's signals into their fit of order 4: fitted = matrix @ signals.

    directions: (n, 3) unit vectors, at least 15 of them distinct. Returns (n, n) float64.
    Raises InputError where DIPY is missing.
    """
    shm, sphere = dipy("reconst.shm"), dipy("core.sphere").Sphere(xyz=np.asarray(directions, float))
    units = np.eye(len(directions))  # a fit is linear: what it makes of a signal in one direction alone is a column
    coefficients = shm.sf_to_sh(units, sphere, sh_order_max=ORDER, smooth=SMOOTH, legacy=False)
    fitted: np.ndarray = shm.sh_to_sf(coefficients, sphere, sh_order_max=ORDER, legacy=False).T
    return fitted
