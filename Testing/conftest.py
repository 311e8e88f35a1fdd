"""What the tests of several rooms share. (A conftest here also puts phantoms.py and tiny_models.py within reach.)"""

from pathlib import Path

import pytest

from SuperResolutionLib.errors import InputError
from SuperResolutionLib.methods import zoo


@pytest.fixture
def shelf(tmp_path, monkeypatch) -> Path:
    """The only folder in which models are installed; empty."""
    folder = tmp_path / "shelf"
    folder.mkdir()
    monkeypatch.setattr(zoo, "folders", lambda: [folder])
    return folder


@pytest.fixture
def refuses():
    """A context in which an InputError must be raised: one sentence, with all of the given words in it."""

    class Refusal:
        def __init__(self, *words: str) -> None:
            self.words = words

        def __enter__(self) -> None:
            pass

        def __exit__(self, kind, error, _trace) -> bool:
            assert kind is not None, "nothing was refused"
            if not issubclass(kind, InputError):
                return False
            assert "\n" not in str(error), f"more than one line: {error}"
            assert len(str(error)) < 600
            missing = [word for word in self.words if word not in str(error)]
            assert not missing, f"{missing} not in: {error}"
            return True

    return Refusal
