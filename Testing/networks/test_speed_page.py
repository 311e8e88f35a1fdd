"""The speed table: the networks are work E's, their work is counted layer by layer."""

import torch
from torch import nn

from benchmarks.machine import convolution_rate, described, multiply_adds
from benchmarks.speed import ENTRIES, HEAD, PICTURE, Entry, cells, measured
from SuperResolutionLib.networks import parameters
from SuperResolutionLib.networks.edsr import EDSR


def test_the_table_has_work_es_networks_picture_and_times():
    edsr, wdsr, _ = ENTRIES
    assert PICTURE == (510, 339)
    assert (edsr.seconds, wdsr.seconds) == (576.92, 46.35)
    assert parameters(edsr.build()) == 40_729_603
    assert parameters(wdsr.build()) == 3_564_528  # weight normalisation is folded: what runs is a plain convolution


def test_multiply_adds_are_the_weights_times_how_often_they_are_used():
    layers = nn.Sequential(nn.Conv2d(3, 5, 3, padding=1), nn.PReLU(), nn.Upsample(scale_factor=2), nn.Conv2d(5, 1, 1))
    assert multiply_adds(layers, 3) == 3 * 5 * 9 + 4 * 5
    edsr = EDSR(2, 3, 3, features=16, blocks=1)
    assert multiply_adds(edsr, 3) == 9 * (3 * 16 + 3 * 16 * 16 + 16 * 64 + 4 * 16 * 3)


def test_a_row_has_a_cell_for_each_column():
    entry = Entry("tiny", lambda: EDSR(2, features=8, blocks=1), 1, 12.5)
    row = cells(measured(entry, (30, 20), "float32", rate=1e12))
    assert [row[0], row[2], row[3]] == ["tiny", "12.5", "float32"]
    assert len(row) == len(HEAD)


def test_the_machine_has_a_rate_and_a_name():
    assert convolution_rate("float32") > 1e6
    assert f"torch {torch.__version__}" in described()
