"""The device and the precision are those the machine has, not those it might have."""

import pytest
import torch

from SuperResolutionLib.methods import devices
from SuperResolutionLib.methods.devices import choose_device, choose_precision

CPU, CUDA, MPS = (torch.device(name) for name in ("cpu", "cuda", "mps"))


@pytest.fixture
def bare(monkeypatch):
    """A machine with nothing but a CPU."""
    monkeypatch.setattr(torch.cuda, "is_available", lambda: False)
    monkeypatch.setattr(torch.backends.mps, "is_available", lambda: False)


@pytest.fixture
def broken_card(monkeypatch):
    """A machine whose graphics card is newer than its torch."""

    def convolve(*_arguments: object) -> None:
        raise RuntimeError("CUDA error: no kernel image is available\nSearch for it in the manual.")

    monkeypatch.setattr(torch.cuda, "is_available", lambda: True)
    monkeypatch.setattr(torch.backends.mps, "is_available", lambda: False)
    monkeypatch.setattr(torch, "zeros", lambda *size, device="cpu": torch.empty(size))
    monkeypatch.setattr(devices.nn.functional, "conv2d", convolve)


def test_where_there_is_nothing_else_the_cpu_is_taken(bare):
    assert choose_device("auto") == CPU


def test_the_cpu_can_be_asked_for():
    assert choose_device("cpu") == CPU


@pytest.mark.parametrize("name", ["cuda", "mps"])
def test_a_device_that_is_not_there_is_refused_in_one_sentence(bare, refuses, name):
    with refuses(f"The device '{name}' cannot be used here", "torch finds no", "Use the device auto or cpu"):
        choose_device(name)


def test_a_card_too_new_for_torch_is_passed_over_or_refused_with_the_reason(broken_card, refuses):
    assert choose_device("auto") == CPU
    with refuses("The device 'cuda' cannot be used here", "no kernel image"):
        choose_device("cuda")


def test_an_unknown_device_names_the_nearest(refuses):
    with refuses("no device called 'cudda'", "did you mean 'cuda'"):
        choose_device("cudda")


def give_cpu(monkeypatch, amx: bool, avx512: bool, onednn: bool = True) -> None:
    monkeypatch.setattr(torch.cpu, "_is_amx_tile_supported", lambda: amx, raising=False)
    monkeypatch.setattr(torch.cpu, "_is_avx512_bf16_supported", lambda: avx512, raising=False)
    monkeypatch.setattr(torch.backends.mkldnn, "is_available", lambda: onednn)
    monkeypatch.setattr(torch.ops.mkldnn, "_is_mkldnn_bf16_supported", lambda: True, raising=False)


@pytest.mark.parametrize(
    ("amx", "avx512", "onednn", "expected"),
    [
        (False, False, True, "float32"),
        (True, False, True, "bfloat16"),
        (False, True, True, "bfloat16"),
        (True, True, False, "float32"),
    ],
)
def test_a_cpu_computes_in_bfloat16_only_where_it_has_instructions_for_it(monkeypatch, amx, avx512, onednn, expected):
    give_cpu(monkeypatch, amx, avx512, onednn)
    assert choose_precision("auto", CPU) == expected


@pytest.mark.parametrize(("native", "expected"), [(True, "bfloat16"), (False, "float16")])
def test_a_graphics_card_computes_in_bfloat16_only_where_that_is_native(monkeypatch, native, expected):
    monkeypatch.setattr(torch.cuda, "is_bf16_supported", lambda including_emulation: native)
    assert choose_precision("auto", CUDA) == expected


def test_metal_computes_in_float32():
    assert choose_precision("auto", MPS) == "float32"


def test_a_precision_that_is_asked_for_is_taken(monkeypatch):
    give_cpu(monkeypatch, amx=True, avx512=True)
    assert choose_precision("float32", CPU) == "float32"


def test_an_unknown_precision_names_the_nearest(refuses):
    with refuses("no precision called 'bfloat61'", "did you mean 'bfloat16'"):
        choose_precision("bfloat61", CPU)


@pytest.mark.parametrize(("precision", "dtype"), [("float32", torch.float32), ("bfloat16", torch.bfloat16)])
def test_a_convolution_runs_in_the_chosen_precision(precision, dtype):
    with devices.autocast(CPU, precision):
        assert torch.nn.functional.conv2d(torch.rand(1, 1, 8, 8), torch.rand(1, 1, 3, 3)).dtype == dtype
