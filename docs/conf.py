"""The documentation site: these pages, the README, the figures' pages, and the Python interface from its docstrings.

Sphinx with MyST, because both are small, read our Markdown as it is, and call a broken link an error. The sources are
the whole repository, so that links between the pages hold on the site as they do in a checkout.
"""

import re
from types import ModuleType

from sphinx.application import Sphinx

import SuperResolutionLib
from SuperResolutionLib import cli

project = "SuperResolution"
release = SuperResolutionLib.__version__
root_doc = "docs/index"
include_patterns = ["*.md", "docs/*.md", "benchmarks/*.md", "Testing/README.md"]
extensions = ["myst_parser", "sphinx.ext.autodoc"]
source_suffix = {".md": "markdown"}
html_theme = "furo"
html_title = f"SuperResolution {release}: research use only"
html_copy_source = False
myst_heading_anchors = 3
suppress_warnings = ["misc.highlighting_failure"]  # commands with placeholders in blocks without a language
add_module_names = False
autodoc_member_order = "bysource"
autodoc_typehints = "signature"
autodoc_typehints_format = "short"


_ITEM = re.compile(r"(Raises |[a-z_]+(, [a-z_]+)*: )")  # an argument, or what is raised, begins a line of its own


def _as_markup(_app: Sphinx, _kind: str, _name: str, _what: object, _options: object, lines: list[str]) -> None:
    """Our docstrings are plain text: a paragraph stays one, each argument has its line, an example stays as it is."""
    text = "\n".join(lines).strip()
    lines[:] = "\n\n".join(_paragraph(part) for part in re.split(r"\n\n+", text)).splitlines()


def _paragraph(part: str) -> str:
    if part.startswith("    "):
        return f"::\n\n{part}"
    lines = [_escaped(line.strip()) for line in part.splitlines()]
    if not any(map(_ITEM.match, lines)):
        return "\n".join(lines)
    return "\n".join(f"| {line}" if n == 0 or _ITEM.match(line) else f"  {line}" for n, line in enumerate(lines))


def _escaped(line: str) -> str:
    pieces = re.split(r"(`[^`]+`)", line)
    return "".join(f"`{p}`" if p.startswith("`") else re.sub(r"([*\\_|])", r"\\\1", p) for p in pieces)


def _commands(_app: Sphinx, page: str, text: list[str]) -> None:
    """The page of commands, from the parsers themselves."""
    if page != "docs/commands":
        return
    (choices,) = (a.choices for a in cli.parser()._actions if isinstance(a.choices, dict))
    for name, parser in choices.items():
        text[0] += f"\n## {name}\n\n```text\n{parser.format_help()}```\n"


def _public(_app: Sphinx, page: str, text: list[str]) -> None:
    """The page of the Python interface: everything that the package offers by name."""
    if page == "docs/api":
        text[0] += "".join(_entry(SuperResolutionLib, name) for name in SuperResolutionLib.__all__ if name[0] != "_")


def _entry(package: ModuleType, name: str) -> str:
    made = getattr(package, name)
    kind, members = ("class", ":members:\n") if isinstance(made, type) else ("function", "")
    return (
        f"\n```{{eval-rst}}\n.. auto{kind}:: {package.__name__}.{name}\n"
        + (f"   {members}" if members else "")
        + "```\n"
    )


def setup(app: Sphinx) -> None:
    """Called by Sphinx."""
    app.connect("autodoc-process-docstring", _as_markup)
    app.connect("source-read", _commands)
    app.connect("source-read", _public)
