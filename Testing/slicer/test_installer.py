"""Nothing is installed without a yes; what Slicer brings along is held; a failure ends in what to do."""

import os
import subprocess
import sys
from pathlib import Path
from urllib.request import urlopen

import needs
import pytest
from standin.packages import packages
from SuperResolutionSlicer import installer

from SuperResolutionLib.errors import InputError

pytestmark = [pytest.mark.usefixtures("session"), needs.pytorch]


class World:
    """What is installed here, and what happens when something is to be installed."""

    def __init__(self, monkeypatch, *lacking: str) -> None:
        self.lacking = set(lacking)
        self.constraints = ""
        self.installed: list[str] = []
        self.fail: Exception | None = None
        real = installer.importlib.util.find_spec
        monkeypatch.setattr(
            installer.importlib.util, "find_spec", lambda name: None if name in self.lacking else real(name)
        )
        monkeypatch.setattr(installer, "_pip_install", self.pip)
        monkeypatch.setattr(installer, "_install_torch", lambda: self.pip(installer.PACKAGES["torch"][0], None))

    def pip(self, requirement: str, _constraints: Path | None) -> None:
        if self.fail is not None:
            raise self.fail
        with urlopen(os.environ["PIP_CONSTRAINT"]) as file:
            self.constraints = file.read().decode()
        module = next(name for name, (wanted, _) in installer.PACKAGES.items() if wanted == requirement)
        self.installed.append(module)
        self.lacking.discard(module)


def test_where_everything_is_there_nobody_is_asked(session, monkeypatch):
    World(monkeypatch)
    installer.ensure(installer.QUALITY)
    assert session.messages == []


def test_one_question_names_every_package_and_its_size(session, monkeypatch):
    session.testing = False
    world = World(monkeypatch, "torch", "safetensors")
    installer.ensure(installer.ENHANCE)
    (question,) = session.messages
    assert "PyTorch" in question.text and "safetensors" in question.text and "200 MB" in question.text
    assert world.installed == ["torch", "safetensors"]


def test_slicers_own_tests_are_not_held_up_by_a_question(session, monkeypatch):
    world = World(monkeypatch, "safetensors")
    installer.ensure(installer.ENHANCE)
    assert world.installed == ["safetensors"]
    assert session.messages == []


def test_what_slicer_brings_along_is_held_at_its_version(monkeypatch):
    import numpy
    import pydicom

    world = World(monkeypatch, "skimage")
    installer.ensure(installer.QUALITY)
    assert f"numpy=={numpy.__version__}\n" in world.constraints
    assert f"pydicom=={pydicom.__version__}\n" in world.constraints
    assert "SimpleITK==" in world.constraints and "scipy==" in world.constraints
    assert "PIP_CONSTRAINT" not in os.environ


def test_pip_and_setuptools_are_free_as_the_pytorch_extension_changes_them(monkeypatch):
    world = World(monkeypatch, "skimage")
    installer.ensure(installer.QUALITY)
    assert "pip==" not in world.constraints and "setuptools==" not in world.constraints


def test_the_folder_that_a_broken_installation_left_does_not_count(monkeypatch, tmp_path):
    (tmp_path / "half_installed").mkdir()
    monkeypatch.syspath_prepend(tmp_path)
    assert installer.missing(("half_installed", "json")) == ["half_installed"]


def test_a_torch_that_is_too_old_is_missing(monkeypatch):
    """Fault J7: any version passed."""
    real = installer.importlib.metadata.version
    monkeypatch.setattr(
        installer.importlib.metadata, "version", lambda name: "2.5.1+cpu" if name == "torch" else real(name)
    )
    assert installer.missing(installer.ENHANCE) == ["torch"]


def test_a_torch_that_is_new_enough_is_not_missing_whatever_its_build(monkeypatch):
    for version in ("2.6.0+cu124", "2.9.0", "2.10.0.dev20261101"):
        monkeypatch.setattr(installer.importlib.metadata, "version", lambda _name, version=version: version)
        assert installer.missing(("torch",)) == []


def test_a_package_that_is_there_although_its_installer_complained_is_enough(monkeypatch):
    world = World(monkeypatch, "safetensors")

    def complain(*_):
        world.lacking.clear()
        raise ImportError("DLL load failed")

    monkeypatch.setattr(installer, "_pip_install", complain)
    installer.ensure(installer.ENHANCE)


def test_a_no_installs_nothing_and_says_what_to_do(session, monkeypatch):
    world = World(monkeypatch, "torch")
    session.testing = session.answer = False
    with pytest.raises(InputError, match="not installed, so nothing was done; click again"):
        installer.ensure(installer.ENHANCE)
    assert world.installed == []


def test_without_the_pytorch_extension_the_user_is_sent_to_the_extensions_manager(session, monkeypatch):
    World(monkeypatch, "torch", "PyTorchUtils")
    with pytest.raises(InputError, match="install it in the Extensions Manager and restart"):
        installer.ensure(installer.ENHANCE)
    assert session.messages == []


def test_a_failure_of_pip_speaks_of_connection_and_proxy(monkeypatch):
    world = World(monkeypatch, "safetensors")
    world.fail = subprocess.CalledProcessError(1, ["pip"])
    with pytest.raises(InputError, match=r"safetensors could not be installed.*exit status 1.*proxy.*HTTPS_PROXY"):
        installer.ensure(installer.ENHANCE)
    assert "PIP_CONSTRAINT" not in os.environ


def test_an_installation_that_leaves_nothing_behind_is_a_failure(monkeypatch):
    World(monkeypatch, "safetensors")
    monkeypatch.setattr(installer, "_pip_install", lambda *_: None)
    with pytest.raises(InputError, match="cannot be found"):
        installer.ensure(installer.ENHANCE)


def test_an_installation_that_changed_slicers_own_packages_is_reported(monkeypatch):
    World(monkeypatch, "safetensors")
    versions = iter([{"numpy": "2.4.6"}, {"numpy": "3.0.0"}])
    monkeypatch.setattr(installer, "bundled_versions", lambda: next(versions))
    with pytest.raises(InputError, match=r"changed packages that Slicer itself needs \(numpy\)"):
        installer.ensure(installer.ENHANCE)


def test_slicers_own_packaging_is_given_the_constraints(session, tmp_path):
    installer._pip_install("safetensors>=0.4", tmp_path / "constraints.txt")
    (call,) = packages.calls
    assert call.requirements == ["safetensors>=0.4"]
    assert call.options["constraints"] == str(tmp_path / "constraints.txt")


def test_torch_is_left_to_the_pytorch_extension(session):
    installer._install_torch()
    (call,) = packages.calls
    assert call.function == "installTorch"
    packages.gives_up = True
    with pytest.raises(InputError, match="the PyTorch extension gave up"):
        installer._install_torch()


def test_importing_the_module_imports_nothing_heavy_and_installs_nothing():
    """Fault J7: SimpleITK and pydicom were imported with the module, which Slicer does when it starts."""
    code = (
        "import sys; sys.path[:0] = sys.argv[1:]; import standin; standin.install(); import SuperResolution; "
        "heavy = {'torch', 'skimage', 'safetensors', 'SimpleITK', 'pydicom', 'scipy', 'nibabel'} & set(sys.modules); "
        "assert not heavy, heavy"
    )
    here = Path(__file__).parent
    paths = [str(here), str(here.parents[1] / "SuperResolution"), str(here.parents[1])]
    run = subprocess.run([sys.executable, "-c", code, *paths], capture_output=True, text=True, check=False)
    assert run.returncode == 0, run.stderr
