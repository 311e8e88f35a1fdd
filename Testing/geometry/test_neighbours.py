"""A slice comes with its neighbours; the ends of the stack repeat the edge slice."""

import numpy as np
import pytest

from SuperResolutionLib.geometry.neighbours import neighbours


@pytest.mark.parametrize(
    ("k", "channels", "expected"),
    [
        (4, 1, [4]),
        (4, 3, [3, 4, 5]),
        (4, 5, [2, 3, 4, 5, 6]),
        (0, 5, [0, 0, 0, 1, 2]),
        (8, 5, [6, 7, 8, 9, 9]),
        (9, 3, [8, 9, 9]),
    ],
)
def test_the_middle_one_is_the_slice_itself(k, channels, expected):
    assert neighbours(k, 10, channels).tolist() == expected


def test_several_slices_are_asked_for_at_once():
    assert neighbours(np.array([0, 1]), 2, 3).tolist() == [[0, 0, 1], [0, 1, 1]]


def test_a_stack_of_one_slice_is_its_own_neighbour():
    assert neighbours(0, 1, 5).tolist() == [0] * 5
