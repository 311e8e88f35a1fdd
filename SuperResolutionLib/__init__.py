"""Super-resolution of MRI and diffusion MRI: degrade, interpolate, enhance, compare.

    import SuperResolutionLib as sr

    volume   = sr.read("brain.nii.gz")
    low      = sr.degrade(volume, "k_space", scale=2)
    smooth   = sr.upsample(low, "bicubic", scale=2)
    enhanced = sr.enhance(low, model="mri-x2")
    table    = sr.compare(volume, degradation="k_space", scale=2, methods=["bicubic", "sinc", "mri-x2"])

Everything takes a volume (a Volume, a path, a nibabel or SimpleITK image) and gives a Volume with its geometry right;
voxels are (z, y, x), places are in mm in LPS. `Sampling` says any other grid than "twice as fine in plane", `Runtime`
where and how a network runs, and `restore` gives all that came of it: the volume, its uncertainty, and the record.
Names are imported when first used, so that importing the package costs nothing. Research use only.
"""

from importlib import import_module
from typing import TYPE_CHECKING, Any

__version__ = "0.1.0"

if TYPE_CHECKING:
    from SuperResolutionLib.api import compare as compare
    from SuperResolutionLib.api import degrade as degrade
    from SuperResolutionLib.api import denoised as denoised
    from SuperResolutionLib.api import enhance as enhance
    from SuperResolutionLib.api import network as network
    from SuperResolutionLib.api import restore as restore
    from SuperResolutionLib.api import upsample as upsample
    from SuperResolutionLib.api import view as view
    from SuperResolutionLib.api import write_dicom as write_dicom
    from SuperResolutionLib.errors import InputError as InputError
    from SuperResolutionLib.files import read as read
    from SuperResolutionLib.files import write as write
    from SuperResolutionLib.geometry.sampling import Sampling as Sampling
    from SuperResolutionLib.methods.method import Restoration as Restoration
    from SuperResolutionLib.methods.method import Runtime as Runtime
    from SuperResolutionLib.quality.comparison import Experiment as Experiment
    from SuperResolutionLib.volume import Gradients as Gradients
    from SuperResolutionLib.volume import Volume as Volume

_HOME = {
    "read": "files",
    "write": "files",
    "write_dicom": "api",
    "degrade": "api",
    "upsample": "api",
    "enhance": "api",
    "restore": "api",
    "compare": "api",
    "network": "api",
    "denoised": "api",
    "view": "api",
    "Volume": "volume",
    "Gradients": "volume",
    "Sampling": "geometry.sampling",
    "Runtime": "methods.method",
    "Restoration": "methods.method",
    "Experiment": "quality.comparison",
    "InputError": "errors",
}
__all__ = [*_HOME, "__version__"]


def __getattr__(name: str) -> Any:
    if name not in _HOME:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(import_module(f"{__name__}.{_HOME[name]}"), name)


def __dir__() -> list[str]:
    return sorted(__all__)
