"""What the tests of tensors share."""

import pytest
from known_tensors import tensors


@pytest.fixture
def true():
    return tensors((3, 4, 5))
