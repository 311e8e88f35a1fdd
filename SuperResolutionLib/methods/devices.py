"""Which device and which precision: chosen by what the machine has, then by trying."""

from dataclasses import dataclass

import torch
from torch import nn

from SuperResolutionLib.errors import InputError, unknown
from SuperResolutionLib.methods.method import DEVICES

PRECISIONS = {"float32": torch.float32, "bfloat16": torch.bfloat16, "float16": torch.float16}


@dataclass(frozen=True)
class Where:
    """Where a network runs, and in which precision."""

    device: torch.device
    precision: str

    def autocast(self) -> torch.autocast:
        """The context in which the network runs."""
        return autocast(self.device, self.precision)


ON_CPU = Where(torch.device("cpu"), "float32")


def choose_device(wanted: str = "auto") -> torch.device:
    """The device to run on; "auto" takes CUDA, then MPS, then the CPU, if a small convolution runs there.

    Raises InputError for a device that is not there or cannot run the installed torch.
    """
    if wanted not in DEVICES:
        raise unknown("device", wanted, DEVICES)
    candidates = ("cuda", "mps") if wanted == "auto" else (wanted,)
    for name in candidates:
        trouble = _trouble(name)
        if trouble is None:
            return torch.device(name)
        if wanted != "auto":
            raise InputError(f"The device '{wanted}' cannot be used here: {trouble}. Use the device auto or cpu.")
    return torch.device("cpu")


def _trouble(name: str) -> str | None:
    """Why a device cannot run a convolution (a card newer than the torch build, say), or None."""
    if name == "cuda" and not torch.cuda.is_available():
        return "torch finds no CUDA device"
    if name == "mps" and not torch.backends.mps.is_available():
        return "torch finds no Metal device"
    try:
        nn.functional.conv2d(torch.zeros(1, 1, 8, 8, device=name), torch.zeros(1, 1, 3, 3, device=name)).sum().item()
    except (RuntimeError, AssertionError) as error:
        return str(error).splitlines()[0]
    return None


def available() -> dict[str, str]:
    """The devices that can be used here, by the name the options take, and what they are; the best first."""
    found = {}
    if _trouble("cuda") is None:
        found["cuda"] = str(torch.cuda.get_device_name())
    if _trouble("mps") is None:
        found["mps"] = "Apple GPU"
    return {**found, "cpu": f"CPU, {torch.get_num_threads()} threads"}


def choose_precision(wanted: str, device: torch.device) -> str:
    """float32, bfloat16 or float16; "auto" takes what the hardware has: bfloat16 only where it is native."""
    if wanted != "auto":
        if wanted not in PRECISIONS:
            raise unknown("precision", wanted, ["auto", *PRECISIONS])
        return wanted
    if device.type == "cuda":
        return "bfloat16" if torch.cuda.is_bf16_supported(including_emulation=False) else "float16"
    if device.type == "cpu" and _cpu_has_bfloat16():
        return "bfloat16"
    return "float32"


def _cpu_has_bfloat16() -> bool:
    """Whether convolutions in bfloat16 run on the CPU's own instructions (AMX, AVX-512 BF16), not emulated."""
    supported = getattr(torch.ops.mkldnn, "_is_mkldnn_bf16_supported", None)
    native = any(getattr(torch.cpu, test, bool)() for test in ("_is_amx_tile_supported", "_is_avx512_bf16_supported"))
    return bool(torch.backends.mkldnn.is_available() and native and (supported is None or supported()))


def autocast(device: torch.device, precision: str) -> torch.autocast:
    """The context in which a network runs in a precision; float32 leaves everything as it is."""
    dtype = PRECISIONS[precision]
    return torch.autocast(device.type, dtype=dtype, enabled=dtype != torch.float32)
