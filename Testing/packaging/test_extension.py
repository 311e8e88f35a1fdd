"""The extension as Slicer's build packs it: every file in its place, and what the catalogue reads of it.

Slicer's own CMake files need a Slicer build tree; cmake_stub/ stands in for it, and needs CMake alone.
"""

import json
import re
import shutil
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pytest
import SimpleITK as sitk
from matplotlib.image import imread

ROOT = Path(__file__).parents[2]
STUB = Path(__file__).parent / "cmake_stub"
MODULES = Path("lib/Slicer-5.12/qt-scripted-modules")
DESCRIPTION = Path("share/Slicer-5.12/SuperResolution.s4ext")

# What Slicer's extension index asks of a repository and of its entry (schema v1.0.1, tier as in v1.0.2).
ENTRY_TYPES = {
    "$schema": str,
    "category": str,
    "scm_url": str,
    "scm_revision": str,
    "scm_type": str,
    "build_dependencies": list,
    "build_subdirectory": str,
    "enabled": bool,
    "tier": int,
}
CATEGORIES_THAT_FIT = {"Diffusion", "Filtering", "Image Synthesis", "Neuroimaging", "Utilities"}
SCHEMA = (
    "https://raw.githubusercontent.com/Slicer/Slicer/main/Schemas/slicer-extension-catalog-entry-schema-v1.0.1.json#"
)
LARGEST_REPOSITORY = 97_000_000  # the catalogue allows 100 MB, and a commit to come needs room


def files(folder: Path) -> set[str]:
    """Every file under a folder, as relative paths."""
    return {path.relative_to(folder).as_posix() for path in folder.rglob("*") if path.is_file()}


def source_files() -> set[str]:
    """What the package must hold, by its place beside the module."""
    beside = {f"{name}/{path}" for name in ("SuperResolutionLib", "Resources") for path in files(ROOT / name)}
    listed = beside | files(ROOT / "SuperResolution") - {"CMakeLists.txt"}
    return {path for path in listed if "__pycache__" not in path}


# --- CMake


def configure(source: Path, build: Path) -> subprocess.CompletedProcess[str]:
    missing = [tool for tool in ("cmake", "make") if shutil.which(tool) is None]
    if missing:
        pytest.skip(f"{' and '.join(missing)} not found; on Debian: apt-get install {' '.join(missing)}")
    options = {"Slicer_DIR": STUB, "CMAKE_TOOLCHAIN_FILE": STUB / "NoCompiler.cmake"}
    definitions = [f"-D{name}={value}" for name, value in options.items()]
    command = ["cmake", "-S", source, "-B", build, "-G", "Unix Makefiles", *definitions]
    return subprocess.run(command, capture_output=True, text=True)


@dataclass(frozen=True)
class Package:
    """The build folder, the folder with what was installed, and the files that were in it."""

    build: Path
    root: Path
    files: set[str]

    @property
    def modules(self) -> Path:
        return self.root / MODULES


@pytest.fixture(scope="module")
def package(tmp_path_factory) -> Package:
    """Our own CMakeLists.txt, configured and installed."""
    folder = tmp_path_factory.mktemp("extension")
    configured = configure(ROOT, folder / "build")
    assert configured.returncode == 0, configured.stderr
    command = ["cmake", "--install", folder / "build", "--prefix", folder / "installed"]
    subprocess.run(command, check=True, capture_output=True)
    return Package(folder / "build", folder / "installed", files(folder / "installed"))


def test_every_file_of_the_extension_is_in_the_package(package):
    missing = source_files() - {path.removeprefix(f"{MODULES}/") for path in package.files}
    assert not missing, "no pattern in the CMakeLists.txt finds:\n" + "\n".join(sorted(missing))


def test_nothing_else_is_in_the_package(package):
    assert package.files - {f"{MODULES}/{path}" for path in source_files()} == {str(DESCRIPTION)}


@pytest.mark.parametrize(
    "path",
    [
        "SuperResolution.py",
        "SuperResolutionSlicer/__init__.py",
        "SuperResolutionLib/cli/__main__.py",
        "SuperResolutionLib/training/recipes/mri-x2.toml",
        "SuperResolutionLib/study/templates/report.html.j2",
        "Resources/Models/mri-x2.safetensors",
        "Resources/Icons/SuperResolution.png",
        "Resources/UI/SuperResolution.ui",
    ],
)
def test_it_lies_where_slicer_looks_for_it(package, path):
    assert (package.modules / path).is_file()


def test_slicer_is_told_of_the_tests_of_the_module(package):
    listed = subprocess.run(["ctest", "-N"], cwd=package.build, capture_output=True, text=True, check=True).stdout
    names = re.findall(r"Test +#\d+: (\S+)", listed)
    assert sorted(names) == ["py_SuperResolution", "py_nomainwindow_qSlicerSuperResolutionModuleGenericTest"]


# --- The library, from the package and from nowhere else


def run_packed(package: Package, code: str, *arguments: object) -> str:
    """What a fresh Python prints that finds our library in the package."""
    lines = f"import sys\nsys.path.insert(0, {str(package.modules)!r})\n{code}"
    command = [sys.executable, "-IB", "-c", lines, *map(str, arguments)]
    done = subprocess.run(command, capture_output=True, text=True, cwd=package.root)
    assert done.returncode == 0, done.stderr
    return done.stdout


def test_the_packed_library_finds_the_packed_models(package):
    found = json.loads(
        run_packed(
            package,
            "import json, SuperResolutionLib\n"
            "from SuperResolutionLib.methods import zoo\n"
            "print(json.dumps([SuperResolutionLib.__file__, *map(str, zoo.installed().values())]))",
        )
    )
    shipped = sorted((ROOT / "Resources" / "Models").glob("*.safetensors"))
    models = [package.modules / "Resources" / "Models" / path.name for path in shipped]
    assert models
    assert Path(found[0]) == package.modules / "SuperResolutionLib" / "__init__.py"
    assert sorted(map(Path, found[1:])) == models


def test_the_packed_command_enhances_a_scan(package, tmp_path):
    rows, columns = np.mgrid[-1:1:24j, -1:1:20j]
    voxels = np.where(rows**2 + columns**2 < 0.8, 400 + 100 * np.sin(9 * rows) * np.cos(7 * columns), 0)
    scan = sitk.GetImageFromArray(np.stack([voxels, voxels]).astype(np.int16))
    scan.SetSpacing((1.0, 1.0, 4.0))
    sitk.WriteImage(scan, tmp_path / "scan.nii.gz")
    command = "import runpy\nrunpy.run_module('SuperResolutionLib.cli', run_name='__main__', alter_sys=True)"
    output = tmp_path / "out.nii.gz"
    options = ("--device", "cpu", "--threads", 1, "--progress", "json")
    printed = run_packed(package, command, "enhance", tmp_path / "scan.nii.gz", output, *options)
    events = [json.loads(line) for line in printed.splitlines()]
    assert [event["event"] for event in events][-2:] == ["progress", "done"]
    assert events[-1]["output"] == str(output)
    assert sitk.ReadImage(output).GetSize() == (40, 48, 2)


# --- The stand-in refuses what would be lost


@pytest.fixture
def small(tmp_path):
    """Configure an extension of one file with one more line in its CMakeLists.txt."""

    def run(line: str) -> subprocess.CompletedProcess[str]:
        (tmp_path / "Outside.py").touch()
        source = tmp_path / "source"
        (source / "Folder").mkdir(parents=True)
        (source / "Inside.py").touch()
        before = (
            "cmake_minimum_required(VERSION 3.16)\nproject(Small)\nfind_package(Slicer)\ninclude(${Slicer_USE_FILE})\n"
        )
        (source / "CMakeLists.txt").write_text(before + line.replace("OUTSIDE", f"{tmp_path}/Outside.py"))
        return configure(source, tmp_path / "build")

    return run


def test_the_stub_takes_a_module_of_one_file(small):
    assert small("slicerMacroBuildScriptedModule(NAME Small SCRIPTS Inside.py WITH_GENERIC_TESTS)").returncode == 0


@pytest.mark.parametrize(
    ("line", "why"),
    [
        ("slicerMacroBuildScriptedModule(NAME S SCRIPTS ../Outside.py)", "../Outside.py would land outside"),
        ("slicerMacroBuildScriptedModule(NAME S SCRIPTS Inside.py RESOURCES ../Outside.py)", "would land outside"),
        ("slicerMacroBuildScriptedModule(NAME S SCRIPTS OUTSIDE)", "would land outside"),
        ("slicerMacroBuildScriptedModule(NAME S SCRIPTS Missing.py)", "Missing.py is not a file"),
        ("slicerMacroBuildScriptedModule(NAME S SCRIPTS Inside.py RESOURCES Folder)", "Folder is not a file"),
        ("slicerMacroBuildScriptedModule(NAME S SCRIPTS Inside.py Inside.py)", "Inside.py is listed twice"),
        ("slicerMacroBuildScriptedModule(NAME S RESOURCES Inside.py)", "needs a NAME and SCRIPTS"),
        ("slicerMacroBuildScriptedModule(Small NAME S SCRIPTS Inside.py)", "unknown keyword"),
        ("slicer_add_python_unittest(SCRIPT Missing.py)", "no test script Missing.py"),
        ("include(${Slicer_EXTENSION_GENERATE_CONFIG})", "EXTENSION_HOMEPAGE is not set"),
    ],
)
def test_the_stub_refuses_what_would_be_lost(small, line, why):
    answer = small(line)
    assert answer.returncode != 0
    assert why in " ".join(answer.stderr.split())


# --- What the catalogue reads


@pytest.fixture(scope="module")
def cmake_text() -> str:
    return (ROOT / "CMakeLists.txt").read_text(encoding="utf-8")


@pytest.fixture(scope="module")
def entry() -> dict[str, object]:
    return json.loads((ROOT / "SuperResolution.json").read_text(encoding="utf-8"))


def described(path: Path) -> dict[str, str]:
    """A .s4ext file: key -> value, one a line."""
    lines = [line.partition(" ") for line in path.read_text(encoding="utf-8").splitlines()]
    return {key: value for key, _, value in lines}


def test_the_s4ext_is_the_one_that_slicer_derives_from_cmake(package, entry):
    scm = {"scm": "git", "scmurl": f"{entry['scm_url']}.git", "scmrevision": entry["scm_revision"]}
    assert described(ROOT / "SuperResolution.s4ext") == scm | described(package.root / DESCRIPTION)


def test_every_key_of_the_s4ext_has_a_value():
    assert [key for key, value in described(ROOT / "SuperResolution.s4ext").items() if not value.strip()] == []


def test_the_entry_follows_the_schema_of_the_catalogue(entry):
    assert {"$schema", "category", "scm_url"} <= set(entry) <= set(ENTRY_TYPES)
    assert {key: type(value) for key, value in entry.items()} == {key: ENTRY_TYPES[key] for key in entry}
    assert entry["$schema"] == SCHEMA
    assert entry["category"] in CATEGORIES_THAT_FIT
    assert entry.get("scm_type", "git") == "git"
    assert 1 <= entry.get("tier", 1) <= 5
    assert all(isinstance(name, str) for name in entry["build_dependencies"])


def test_the_entry_has_unix_line_ends():
    assert b"\r" not in (ROOT / "SuperResolution.json").read_bytes()


def test_the_extension_is_named_as_the_catalogue_asks(cmake_text, entry):
    name = re.findall(r"project\s*\(\s*([^\s)]+)", cmake_text)[0]
    assert (ROOT / f"{name}.json").is_file()
    assert not name.lower().startswith("slicer")
    url = str(entry["scm_url"])
    assert url.startswith("https://")
    assert url.rsplit("/", 1)[1].startswith("Slicer")


def pictures(cmake_text: str, name: str) -> list[Path]:
    """Where the pictures lie in this tree that a set() of one line names by their addresses on GitHub."""
    (addresses,) = re.findall(rf'^set\(EXTENSION_{name} "([^"\n]+)"\)$', cmake_text, re.MULTILINE)
    main = "https://raw.githubusercontent.com/superresolution/SlicerSuperResolution/main/"
    assert all(address.startswith(main) for address in addresses.split())
    return [ROOT / address.removeprefix(main) for address in addresses.split()]


def test_the_icon_is_a_transparent_picture_of_the_size_that_slicer_shows(cmake_text):
    (icon,) = pictures(cmake_text, "ICONURL")
    assert imread(icon).shape == (128, 128, 4)
    assert imread(icon)[0, 0, 3] == 0


def test_the_screenshots_are_pictures_in_this_tree(cmake_text):
    for screenshot in pictures(cmake_text, "SCREENSHOTURLS"):
        assert screenshot.is_file(), f"{screenshot.relative_to(ROOT)} is not there"
        assert min(imread(screenshot).shape[:2]) >= 100


def test_a_licence_lies_at_the_top():
    assert (ROOT / "LICENSE.txt").is_file()


def git(*arguments: str) -> str:
    """What git says of this tree."""
    if shutil.which("git") is None:
        pytest.skip("git not found")
    done = subprocess.run(["git", *arguments], cwd=ROOT, capture_output=True, text=True)
    if done.returncode:
        pytest.skip(f"not a git checkout: {done.stderr.strip()}")
    return done.stdout


def test_a_clone_is_smaller_than_the_catalogue_allows(capsys):
    tracked = [ROOT / name for name in git("ls-files", "-z").split("\0")]
    tree = sum(path.stat().st_size for path in tracked if path.is_file())
    history = int(git("rev-list", "--disk-usage", "--objects", "HEAD"))
    with capsys.disabled():
        print(f"tree {tree / 1e6:.1f} MB + .git {history / 1e6:.1f} MB = {(tree + history) / 1e6:.1f} MB ", end="")
    assert tree + history < LARGEST_REPOSITORY


def test_the_folder_of_the_module_is_no_package():
    """Else `import SuperResolution` would find the folder, and not the module in it."""
    assert not (ROOT / "SuperResolution" / "__init__.py").exists()
