"""The registries of losses: name -> class. One idea a file; add a line here to add one.

An image loss is a module that takes (restored, truth), both (n, c, h, w) with a range of about 1, and gives one
number, the mean over voxels unless it says otherwise. An adversarial loss takes a discriminator's scores instead.
Losses of several images, as CIRCLE's, are functions in `cycle`. Every loss is computed in float32, whatever the
precision of what it is given.
"""

from collections.abc import Callable, Mapping
from typing import Any, TypeVar

from torch import nn

from SuperResolutionLib.errors import InputError, unknown
from SuperResolutionLib.training.losses.adversarial import (
    Adversarial,
    NonSaturating,
    RelativisticAverage,
    SmoothL1Labels,
    WassersteinGP,
)
from SuperResolutionLib.training.losses.content import BCEContent, BCEImage
from SuperResolutionLib.training.losses.frequency import HighFrequency
from SuperResolutionLib.training.losses.perceptual import mri_perceptual, vgg19_perceptual
from SuperResolutionLib.training.losses.variation import JointSparsifyingTransform, TotalVariation

Loss = TypeVar("Loss")

IMAGE_LOSSES: dict[str, Callable[..., nn.Module]] = {
    "mse": nn.MSELoss,
    "l1": nn.L1Loss,
    "smooth_l1": nn.SmoothL1Loss,
    "bce": BCEContent,
    "bce_image": BCEImage,
    "perceptual": mri_perceptual,
    "perceptual_vgg19": vgg19_perceptual,
    "total_variation": TotalVariation,
    "joint_sparsifying_transform": JointSparsifyingTransform,
    "high_frequency": HighFrequency,
}

ADVERSARIAL_LOSSES: dict[str, Callable[..., Adversarial]] = {
    "non_saturating": NonSaturating,
    "relativistic_average": RelativisticAverage,
    "smooth_l1": SmoothL1Labels,
    "wgan_gp": WassersteinGP,
}


def image_loss(name: str, **options: Any) -> nn.Module:
    """The image loss called `name`: (restored, truth) -> one number.

    options: its constructor's. Raises InputError for an unknown name, or options that it does not take.
    """
    return _make("loss", IMAGE_LOSSES, name, options)


def adversarial_loss(name: str, **options: Any) -> Adversarial:
    """The adversarial loss called `name`: scores -> one number, for the discriminator and for the generator.

    options: its constructor's. Raises InputError for an unknown name, or options that it does not take.
    """
    return _make("adversarial loss", ADVERSARIAL_LOSSES, name, options)


def _make(kind: str, registry: Mapping[str, Callable[..., Loss]], name: str, options: Mapping[str, Any]) -> Loss:
    if name not in registry:
        raise unknown(kind, name, registry)
    try:
        return registry[name](**options)
    except TypeError as error:
        raise InputError(f"The {kind} '{name}' cannot be made from {dict(options)}: {error}.") from error
