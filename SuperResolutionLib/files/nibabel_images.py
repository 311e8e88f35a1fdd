"""Images of nibabel in memory, of the formats that are read from files too."""

from typing import Any

from SuperResolutionLib.errors import InputError
from SuperResolutionLib.files import freesurfer, nifti
from SuperResolutionLib.files.common import nibabel_for
from SuperResolutionLib.volume import Volume


def from_image(image: Any) -> Volume:
    """A volume of an image. Raises InputError for an object that is none, or of a format without patient space."""
    nibabel = nibabel_for("The image")
    if isinstance(image, nibabel.Nifti1Pair):
        return nifti.from_image("The image", image)
    if isinstance(image, nibabel.MGHImage):
        return freesurfer.from_image("The image", image)
    raise InputError(
        f"A volume cannot be made of {type(image).__name__}; give a Nifti1Image, a Nifti2Image or an MGHImage, for "
        "example nibabel.Nifti1Image(image.get_fdata(), image.affine)."
    )
