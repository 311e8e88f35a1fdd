"""The features of VGG-19 (Simonyan and Zisserman 2015, table 1, configuration E), weights from the user's file.

No weights come with this package: they are 80 MB, and learnt from photographs under ImageNet's terms.
"""

from collections.abc import Iterator, Mapping
from pathlib import Path

import torch
from safetensors import SafetensorError, safe_open
from torch import nn

from SuperResolutionLib.errors import InputError, unknown
from SuperResolutionLib.networks.blocks import conv3x3

STAGES = ((64, 2), (128, 2), (256, 4), (512, 4), (512, 4))  # features and convolutions; a pooling ends each
MEAN = (0.485, 0.456, 0.406)  # of ImageNet's red, green and blue, in 0..1
DEVIATION = (0.229, 0.224, 0.225)
HOW = "safetensors.torch.save_file(torchvision.models.vgg19(weights='DEFAULT').state_dict(), 'vgg19.safetensors')"


class VGG19Features(nn.Module):
    """VGG-19 up to a layer, frozen: (n, 1 or 3, h, w) with a range of about 0..1 -> (n, features, h', w').

    weights: a safetensors file with torchvision's names ("features.0.weight", ...); others in it, as those of the
    classifier, are not read. layer: "conv5_4" is the 16th convolution before its activation (work D; Wang 2018),
    "relu5_4" after it (work B; Ledig 2017), and likewise conv1_1 to pool5. Grey is copied to three channels, and
    ImageNet's mean and deviation are taken out. Each pooling passed halves the size: at least 16 x 16 voxels up to
    stage 5. Raises InputError for a layer that does not exist, and a file that does not hold these weights.
    """

    mean: torch.Tensor
    deviation: torch.Tensor

    def __init__(self, weights: str | Path, layer: str = "conv5_4") -> None:
        super().__init__()
        self.features = layers_up_to(layer)
        self.load_state_dict(_read(Path(weights), self.state_dict()), assign=True)
        self.register_buffer("mean", torch.tensor(MEAN).view(1, 3, 1, 1), persistent=False)
        self.register_buffer("deviation", torch.tensor(DEVIATION).view(1, 3, 1, 1), persistent=False)
        self.eval().requires_grad_(False)

    def forward(self, image: torch.Tensor) -> torch.Tensor:
        colours = image.float().expand(-1, 3, -1, -1)
        features: torch.Tensor = self.features((colours - self.mean) / self.deviation)
        return features


def layers_up_to(last: str) -> nn.Sequential:
    """The layers of VGG-19 from the first to the one called `last`, without memory for their weights."""
    with torch.device("meta"):
        layers = dict(_layers())
    if last not in layers:
        raise unknown("layer of VGG-19", last, layers)
    return nn.Sequential(*list(layers.values())[: list(layers).index(last) + 1])


def _layers() -> Iterator[tuple[str, nn.Module]]:
    """Every layer and its name; their order is torchvision's."""
    inputs = 3
    for stage, (features, convolutions) in enumerate(STAGES, start=1):
        for k in range(1, convolutions + 1):
            yield f"conv{stage}_{k}", conv3x3(inputs, features)
            yield f"relu{stage}_{k}", nn.ReLU()
            inputs = features
        yield f"pool{stage}", nn.MaxPool2d(2)


def _read(path: Path, wanted: Mapping[str, torch.Tensor]) -> dict[str, torch.Tensor]:
    """The wanted tensors of a file, in float32; InputError where it is not safetensors or does not have them."""
    if path.suffix != ".safetensors" or not path.is_file():
        raise InputError(f"{path} is not a safetensors file with the weights of VGG-19; make one: {HOW}.")
    try:
        with safe_open(path, framework="pt") as file:
            there = set(file.keys())
            found = {name: file.get_tensor(name).float() for name in wanted if name in there}
    except SafetensorError as error:
        raise InputError(f"{path.name} is not a readable safetensors file: {error}.") from error
    wrong = [name for name in wanted if name not in found or found[name].shape != wanted[name].shape]
    if wrong:
        raise InputError(
            f"{path.name} does not hold the weights of VGG-19: {len(wrong)} of {len(wanted)} tensors are missing or "
            f"of another shape, the first is {wrong[0]}; make the file: {HOW}."
        )
    return found
