"""Super-resolution of MRI and diffusion MRI: degrade, interpolate, enhance, compare.

    import SuperResolutionLib as sr

    volume   = sr.read("brain.nii.gz")
    low      = sr.degrade(volume, "k_space", scale=2)
    smooth   = sr.upsample(low, "bicubic", scale=2)
    enhanced = sr.enhance(low, model="mri-x2")
    table    = sr.compare(volume, degradation="k_space", scale=2, methods=["bicubic", "sinc", "mri-x2"])

Everything takes a Volume and gives a Volume with its geometry right. Names are imported when first used, so
that importing the package costs nothing. Research use only.
"""

from importlib import import_module
from typing import TYPE_CHECKING, Any

__version__ = "0.1.0"

if TYPE_CHECKING:
    from SuperResolutionLib.errors import InputError as InputError
    from SuperResolutionLib.files import read as read
    from SuperResolutionLib.files import write as write
    from SuperResolutionLib.methods.classical import upsample as upsample
    from SuperResolutionLib.methods.network import enhance as enhance
    from SuperResolutionLib.physics.degradation import degrade as degrade
    from SuperResolutionLib.quality.comparison import compare as compare
    from SuperResolutionLib.volume import Gradients as Gradients
    from SuperResolutionLib.volume import Volume as Volume

_HOME = {
    "Volume": "volume",
    "Gradients": "volume",
    "InputError": "errors",
    "read": "files",
    "write": "files",
    "degrade": "physics.degradation",
    "upsample": "methods.classical",
    "enhance": "methods.network",
    "compare": "quality.comparison",
}
__all__ = [*_HOME, "__version__"]


def __getattr__(name: str) -> Any:
    if name not in _HOME:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(import_module(f"{__name__}.{_HOME[name]}"), name)
