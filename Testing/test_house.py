"""The rules of the house that a program can check: arrows, arguments, names."""

import ast
import re
import subprocess
import sys
from collections import Counter
from pathlib import Path

import pytest

LIBRARY = Path(__file__).parent.parent / "SuperResolutionLib"
FILES = sorted(LIBRARY.rglob("*.py"))
# The floors, the ground first: a room knows those before it, never one after it.
FLOORS = (
    ("errors", "progress", "header", "volume", "schema"),
    ("geometry", "intensity"),
    ("display",),
    ("diffusion",),
    ("physics",),
    ("files",),
    ("networks",),
    ("methods",),
    ("quality", "viewing"),
    ("api",),
    ("study",),
    ("batch",),
    ("papers",),
    ("training",),
    ("cli",),
)
FLOOR = {room: level for level, rooms in enumerate(FLOORS) for room in rooms}
UPWARDS = {"volume": {"files", "display"}}  # a value's own shortcuts: to_nibabel(), plot(), repr
SAME = {"__init__.py", "devices.py"}  # cli/devices.py is the command about methods/devices.py


def room(path: Path) -> str:
    return path.relative_to(LIBRARY).parts[0].removesuffix(".py")


def imports(path: Path) -> set[str]:
    """The rooms that a file imports from, at its head or in a function; for types alone does not count."""
    found = set()
    tree = ast.parse(path.read_text(encoding="utf-8"))
    for node in [n for n in tree.body if not (isinstance(n, ast.If) and "TYPE_CHECKING" in ast.dump(n.test))]:
        for part in ast.walk(node):
            if isinstance(part, ast.ImportFrom) and (part.module or "").startswith("SuperResolutionLib"):
                rest = part.module.split(".")[1:]
                found |= {rest[0]} if rest else {alias.name for alias in part.names}
    return found & set(FLOOR)


@pytest.mark.parametrize("path", FILES, ids=lambda p: p.relative_to(LIBRARY).as_posix())
def test_arrows_run_down(path):
    own = room(path)
    if own in ("__init__", "__pycache__"):
        return
    assert own in FLOOR, f"say on which floor {own} lies"
    assert {other for other in imports(path) if FLOOR[other] > FLOOR[own]} - UPWARDS.get(own, set()) == set()


def functions():
    for path in FILES:
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            if isinstance(node, (ast.FunctionDef, ast.AsyncFunctionDef)):
                yield path, node


def test_no_function_takes_more_than_six_arguments():
    far = []
    for path, node in functions():
        a = node.args
        names = [arg.arg for arg in (*a.posonlyargs, *a.args, *a.kwonlyargs, a.vararg, a.kwarg) if arg is not None]
        if len([name for name in names if name not in ("self", "cls")]) > 6:
            far.append(f"{path.name}: {node.name}")
    assert far == []


def test_an_ensemble_is_asked_for_in_one_place():
    given = [
        f"{path.name}: {node.name}"
        for path, node in functions()
        for arg in (*node.args.posonlyargs, *node.args.args, *node.args.kwonlyargs)
        if arg.arg == "ensemble"
    ]
    assert given == []  # it is a field of Runtime


def test_no_two_files_of_one_name_mean_different_things():
    names = Counter(path.name for path in FILES)
    assert [name for name, count in names.items() if count > 1 and name not in SAME and name != "trust.py"] == []


def test_nothing_in_the_library_knows_slicer():
    known = re.compile(r"^\s*(import|from) (slicer|qt|ctk|vtk)\b", re.MULTILINE)
    assert [path.name for path in FILES if known.search(path.read_text(encoding="utf-8"))] == []


def heads(folder: Path) -> set[str]:
    """The lines by which the files of a folder import from the library when they are imported themselves."""
    lines = set()
    for path in folder.rglob("*.py"):
        for node in ast.parse(path.read_text(encoding="utf-8")).body:
            if isinstance(node, ast.ImportFrom) and (node.module or "").startswith("SuperResolutionLib"):
                lines.add(ast.unparse(node))
    return lines


@pytest.mark.parametrize("lines", [{"import SuperResolutionLib"}, heads(LIBRARY.parent / "SuperResolution")])
def test_importing_the_library_or_the_slicer_module_imports_nothing_heavy(lines):
    """Fault J7: the module imported SimpleITK and pydicom."""
    heavy = ("torch", "SimpleITK", "pydicom", "skimage", "nibabel", "matplotlib")
    script = "\n".join([*sorted(lines), "import sys", f"print([m for m in {heavy} if m in sys.modules])"])
    done = subprocess.run([sys.executable, "-c", script], cwd=LIBRARY.parent, capture_output=True, text=True)
    assert (done.stdout.strip(), done.returncode) == ("[]", 0), done.stderr


@pytest.mark.parametrize("path", FILES, ids=lambda p: p.relative_to(LIBRARY).as_posix())
def test_the_docstring_of_more_than_three_arguments_lists_them(path):
    for function in [
        n for n in ast.walk(ast.parse(path.read_text(encoding="utf-8"))) if isinstance(n, ast.FunctionDef)
    ]:
        given = (*function.args.posonlyargs, *function.args.args, *function.args.kwonlyargs)
        names = [arg.arg for arg in given if arg.arg not in ("self", "cls") and not arg.arg.startswith("_")]
        if function.name.startswith("_") or len(names) <= 3:
            continue
        words = set(re.findall(r"\w+", ast.get_docstring(function) or ""))
        assert set(names) <= words, f"{function.name} does not say what {sorted(set(names) - words)} are"
