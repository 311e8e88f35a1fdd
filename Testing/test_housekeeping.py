"""The papers of the house agree with each other and with the house."""

import json
import re
import shutil
import subprocess
import tomllib
from pathlib import Path

import pytest

import SuperResolutionLib
from benchmarks import (
    batch_overhead,
    cost,
    curves,
    diffusion_report,
    heldout_report,
    lesions_report,
    memory,
    papers,
    papers_report,
    publish_figures,
    scanners_report,
    speed,
    thick_report,
    trust,
    uncertainty,
)
from benchmarks.diffusion import SITES
from benchmarks.publish_figures import measured
from benchmarks.results import Row
from SuperResolutionLib.methods import zoo
from SuperResolutionLib.physics.interpolating import METHODS

ROOT = Path(__file__).parent.parent
LARGEST = 8_000_000  # bytes; work E's WDSR at the paper's size takes 7.1 million


def text(name: str) -> str:
    return (ROOT / name).read_text(encoding="utf-8")


@pytest.fixture(scope="module")
def cmake() -> dict[str, str]:
    """What CMakeLists.txt says of the extension: CONTRIBUTORS -> ..., and its name."""
    source = text("CMakeLists.txt")
    (name,) = re.findall(r"^project\((\w+)\)", source, re.MULTILINE)
    return {"NAME": name, **dict(re.findall(r'^set\(EXTENSION_(\w+) "([^"\n]*)"\)$', source, re.MULTILINE))}


@pytest.fixture(scope="module")
def entry() -> dict[str, object]:
    """The entry of Slicer's catalogue."""
    return json.loads(text("SuperResolution.json"))


def test_the_catalogue_entry_says_what_cmake_says(entry, cmake):
    assert entry["build_dependencies"] == cmake["DEPENDS"].split()
    assert entry["category"] == cmake["CATEGORY"]
    assert entry["scm_url"] == cmake["HOMEPAGE"]


def test_the_extension_ships_our_readme_and_licence_not_those_of_slicer(cmake):
    assert (cmake["README_FILE"], cmake["LICENSE_FILE"]) == (
        "${CMAKE_CURRENT_SOURCE_DIR}/README.md",
        "${CMAKE_CURRENT_SOURCE_DIR}/LICENSE.txt",
    )


def test_the_citation_has_the_version_of_the_package():
    assert f"\nversion: {SuperResolutionLib.__version__}\n" in text("CITATION.cff")


def test_the_changelog_has_the_version_of_the_package():
    assert f"## [{SuperResolutionLib.__version__}]" in text("CHANGELOG.md")


def test_the_package_takes_its_version_from_the_library():
    project = tomllib.loads(text("pyproject.toml"))
    assert "version" in project["project"]["dynamic"]
    assert project["tool"]["setuptools"]["dynamic"]["version"] == {"attr": "SuperResolutionLib.__version__"}


def test_what_the_library_reads_is_packed_with_it():
    """Templates and recipes: in the wheel by a pattern in pyproject.toml; in the extension, see test_extension.py."""
    patterns = tomllib.loads(text("pyproject.toml"))["tool"]["setuptools"]["package-data"]
    library = [package for package in patterns if package != "SuperResolutionLib.Resources"]
    packed = {path for package in library for glob in patterns[package] for path in folder_of(package).glob(glob)}
    there = {path for path in (ROOT / "SuperResolutionLib").rglob("*") if path.is_file() and path.suffix != ".py"}
    assert {path for path in there if "__pycache__" not in path.parts} == packed


def folder_of(package: str) -> Path:
    return ROOT / package.replace(".", "/")


def test_every_folder_of_the_library_that_holds_code_is_a_package():
    folders = {path.parent for path in (ROOT / "SuperResolutionLib").rglob("*.py")}
    assert [folder for folder in folders if not (folder / "__init__.py").is_file()] == []


def test_ci_runs_make_test_and_nothing_else():
    shebang, command = text(".ci/run").splitlines()
    assert shebang == "#!/usr/bin/env bash"
    assert command == 'cd "$(dirname "$0")/.." && exec make test'


def test_the_licence_is_apache_2():
    licence = text("LICENSE.txt")
    assert "Apache License" in licence
    assert "Version 2.0, January 2004" in licence
    assert "END OF TERMS AND CONDITIONS" in licence


@pytest.mark.parametrize("command", ["make demo", "make test"])
def test_the_readme_names_the_two_commands(command):
    assert command in text("README.md")


def test_nobody_is_told_to_install_a_name_that_is_not_ours():
    """Fault K2: `pip install "superresolution[diffusion]"` asks the index, where a stranger may take that name."""
    folders = (ROOT / "SuperResolutionLib", ROOT / "SuperResolution", ROOT / "docs", ROOT / "benchmarks")
    told = [path for folder in folders for path in folder.rglob("*") if path.suffix in (".py", ".md", ".html", ".toml")]
    assert len(told) > 200
    advice = re.compile(r"""install\s+["']?superresolution\b""")
    assert [path.name for path in (*told, ROOT / "README.md") if advice.search(path.read_text(encoding="utf-8"))] == []


def test_no_file_in_git_is_over_8_mb():
    if shutil.which("git") is None:
        pytest.skip("git not found")
    listed = subprocess.run(["git", "ls-files", "-z"], cwd=ROOT, capture_output=True, text=True)
    if listed.returncode:
        pytest.skip("not a git checkout")
    files = [ROOT / name for name in listed.stdout.split("\0") if name]
    assert [path.name for path in files if path.is_file() and path.stat().st_size > LARGEST] == []


def test_the_readme_can_be_read_in_two_screens():
    assert len(text("README.md").splitlines()) <= 147


def test_the_pages_and_the_cards_hold_the_figures_that_the_benchmarks_measured():
    rows = {name: measured(name) for name in publish_figures.MEASURED}
    pages = {name: text(name) for name in publish_figures.PAGES}
    assert {name: publish_figures.filled(page, rows) for name, page in pages.items()} == pages
    for name, table in publish_figures.tables(rows).items():
        assert [page for page, words in pages.items() if table in words], name
    for name, weights in zoo.installed().items():
        card = zoo.read_card(weights)
        assert card.held_out == publish_figures.figures(name, card, rows), name
        assert card.held_out, name


def page_of(name: str) -> str:
    """A page of benchmarks/, made anew from its rows."""
    rows = measured(name)
    if name != "papers":
        pages = {
            "heldout": heldout_report,
            "scanners": scanners_report,
            "lesions": lesions_report,
            "trust": trust,
            "uncertainty": uncertainty,
            "thick": thick_report,
            "memory": memory,
            "batch_overhead": batch_overhead,
            "cost": cost,
            "speed": speed,
        }
        return diffusion_report.report(rows, list(SITES)) if name == "diffusion" else pages[name].report(rows)
    found = papers.tables(rows, [], None)
    pictures = {letter: ROOT / "docs" / f"papers-{letter.lower()}.png" for letter in found}
    return papers_report.report(found, papers.linked(pictures, ROOT / "benchmarks"))


@pytest.mark.parametrize("name", sorted(path.stem for path in (ROOT / "benchmarks").glob("*.jsonl")))
def test_every_page_of_figures_is_the_one_that_its_rows_make(name):
    assert page_of(name) == text(f"benchmarks/{name}.md")


def test_the_page_of_trainings_is_the_one_that_their_curves_make():
    assert curves.report(ROOT / "benchmarks" / "curves") == text("benchmarks/curves.md")


COSTS = {"batch_overhead", "cost", "memory", "speed"}  # of a machine, which hang on no weights


@pytest.mark.parametrize("name", sorted({path.stem for path in (ROOT / "benchmarks").glob("*.jsonl")} - COSTS))
def test_every_figure_was_measured_on_the_models_that_are_installed(name):
    """Networks of a paper, and twins, may be measured and not shipped."""
    sha256 = {model: card.sha256 for model, card in zoo.cards().items()}
    found = {pair for row in measured(name) for pair in row.sha256.items() if pair[0] in sha256}
    assert found
    assert {model: value for model, value in found if value != sha256.get(model)} == {}


def test_no_structural_row_is_without_its_model():
    rows = measured("heldout")
    assert {row.model for row in rows} == set(publish_figures.structural_models())
    assert all(row.sha256.keys() == {row.model} for row in rows)


def test_the_card_of_a_papers_network_has_its_gains_under_the_papers_degradation():
    row = {"psnr": 30.0, "psnr_head": 30.0, "ssim": 0.9, "mean_psnr": 0.0, "mean_ssim": 0.0, "power": 0.0, "rms": None}
    methods = {**dict.fromkeys(METHODS, row), "E-edsr-x2": row | {"psnr_head": 31.234, "ssim": 0.95}}
    anna = Row("E-edsr-x2", "anna", "bicubic_blur3", 2, figures={"subject": "anna", "methods": methods})
    rows = [anna, Row("E-edsr-x2", "a_series", "bicubic_blur3", 2)]
    assert publish_figures.paper_figures("E-edsr-x2", rows) == {
        "gain over the best classical, bicubic_blur3, dB": 1.23,
        "SSIM above the best classical, bicubic_blur3": 0.05,
    }
    assert publish_figures.paper_figures("E-wdsr-x4", rows) == {}


def test_the_weights_of_all_models_are_at_most_40_mb():
    assert sum(path.stat().st_size for path in zoo.installed().values()) <= 40e6


def test_the_installed_models_load():
    for name in zoo.installed():
        assert zoo.load(name).card.name == name
