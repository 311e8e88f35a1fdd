"""DIPY, which only an extra installs: its modules, and its table of a series' gradients."""

from importlib import import_module
from typing import Any

import numpy as np

from SuperResolutionLib.errors import InputError
from SuperResolutionLib.volume import UNWEIGHTED, Gradients


def dipy(module: str, wanted: str = "Tensors need") -> Any:
    """A module of DIPY, such as "reconst.dti". wanted: for what, in words. Raises InputError where there is no DIPY."""
    try:
        return import_module(f"dipy.{module}")
    except ImportError as error:
        raise InputError(f"{wanted} DIPY, which is not installed; install it with: pip install dipy.") from error


def gradient_table(gradients: Gradients) -> Any:
    """DIPY's table of the gradients, with b0 images as we have them."""
    return dipy("core.gradients").gradient_table(
        np.asarray(gradients.bvals, float), bvecs=np.asarray(gradients.bvecs, float), b0_threshold=UNWEIGHTED
    )
