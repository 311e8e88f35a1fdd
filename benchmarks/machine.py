"""What this machine can do: its own convolution rate, and how much work a network is."""

import platform
import time

import torch
from torch import nn

from SuperResolutionLib.methods.devices import autocast


def convolution_rate(precision: str) -> float:
    """Multiply-adds a second of a 3x3 convolution, 64 to 64 features, 256 x 256, in this precision."""
    layer = nn.Conv2d(64, 64, 3, padding=1).to(memory_format=torch.channels_last)
    x = torch.rand(4, 64, 256, 256).to(memory_format=torch.channels_last)
    with torch.inference_mode(), autocast(torch.device("cpu"), precision):
        layer(x)
        began = time.perf_counter()
        for _ in range(5):
            layer(x)
    return 5 * 9 * 64 * 64 * x.shape[0] * x.shape[2] * x.shape[3] / (time.perf_counter() - began)


def multiply_adds(network: nn.Module, channels: int) -> float:
    """Multiply-adds for each input voxel: every convolution's weights, times how much finer its grid is."""
    counted = [0.0]

    def count(layer: nn.Module, _inputs: object, output: torch.Tensor) -> None:
        counted[0] += layer.weight.numel() * output.shape[2] * output.shape[3]

    layers = [m for m in network.modules() if isinstance(m, nn.Conv2d)]
    hooks = [layer.register_forward_hook(count) for layer in layers]
    with torch.inference_mode():
        network(torch.zeros(1, channels, 32, 32))
    for hook in hooks:
        hook.remove()
    return counted[0] / 32**2


def described() -> str:
    """The processor and what it has, in words."""
    return (
        f"{platform.machine()}, {torch.get_num_threads()} threads, {torch.backends.cpu.get_cpu_capability()}, "
        f"torch {torch.__version__}; AMX {'yes' if torch.cpu._is_amx_tile_supported() else 'no'}, "
        f"AVX-512 BF16 {'yes' if torch.cpu._is_avx512_bf16_supported() else 'no'}"
    )
