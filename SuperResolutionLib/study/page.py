"""A page of HTML that needs nothing but itself: every picture is in it, nothing is fetched. Its words: templates/."""

import base64
from collections.abc import Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

from SuperResolutionLib import __version__
from SuperResolutionLib.errors import InputError
from SuperResolutionLib.methods import zoo
from SuperResolutionLib.study import tables
from SuperResolutionLib.study.plan import Plan
from SuperResolutionLib.study.queue import Outcome
from SuperResolutionLib.study.viewers import fitting
from SuperResolutionLib.viewing.contents import LARGEST
from SuperResolutionLib.viewing.viewer_page import part

TEMPLATES = Path(__file__).parent / "templates"
WITHOUT_JINJA = "A report is made with Jinja2; install it with: pip install Jinja2."
USE = "Research use only. Not a medical device. Restored images were made sharper by computation, not by the scanner."


@dataclass(frozen=True)
class Table:
    """A table of a page. titles: of the columns. rows: of cells. strong: which rows stand out; none where empty."""

    titles: Sequence[str]
    rows: Sequence[Sequence[str]]
    strong: Sequence[bool] = ()


def write(path: Path, template: str, outcome: Outcome, plan: Plan, **values: Any) -> None:
    """Write a page, with the viewers that fit into 25 MB. Its pictures lie beside it.

    values: what its template names beside what every page has.

    path: of the page. outcome, plan: what was found, and how.
    Raises InputError where Jinja2 is missing.
    """
    try:
        from markupsafe import Markup
    except ImportError as error:
        raise InputError(WITHOUT_JINJA) from error
    common = {
        "failures": outcome.failures,
        "records": outcome.records,
        "whole_heads": any(record["whole_head"] for record in outcome.records),
        "made_for": made_for(outcome, plan),
        "slices": plan.slices,
    }
    style, script = (Markup(part(name)) for name in ("viewer.css", "viewer.js"))
    common |= {"viewer_style": style, "viewer_script": script}
    bare = rendered(template, path.parent, **common, **values, viewers={})
    shown = {name: Markup(text) for name, text in fitting(_kept(outcome), LARGEST - len(bare.encode())).items()}
    page = rendered(template, path.parent, **common, **values, viewers=shown) if shown else bare
    path.write_text(page, encoding="utf-8")


def rendered(template: str, pictures: Path, **values: Any) -> str:
    """A page as text. pictures: the folder of those that it shows. values: what its template names.

    Raises InputError where Jinja2 is missing.
    """
    try:
        from jinja2 import Environment, FileSystemLoader, StrictUndefined
    except ImportError as error:
        raise InputError(WITHOUT_JINJA) from error
    loader = FileSystemLoader(TEMPLATES)
    pages = Environment(loader=loader, autoescape=True, undefined=StrictUndefined, trim_blocks=True, lstrip_blocks=True)
    pages.globals["embedded"] = partial(embedded, pictures)
    without = {"viewer_style": "", "viewer_script": "", "viewers": {}}
    return pages.get_template(template).render(**without | values, version=__version__, use=USE)


def _kept(outcome: Outcome) -> dict[str, Path]:
    """What viewers show, beside the records: file by name."""
    return {
        record["viewer"]: folder / record["viewer"]
        for record, folder in zip(outcome.records, outcome.folders, strict=True)
    }


def embedded(folder: Path, name: str) -> str:
    """The address of a PNG that is the picture itself."""
    return f"data:image/png;base64,{base64.b64encode((folder / name).read_bytes()).decode('ascii')}"


def made_for(outcome: Outcome, plan: Plan) -> list[str]:
    """Each model that restored, and what it was made for: made for another forward model, it does badly, and should."""
    kinds = {tables.is_series(record) for record in outcome.records}
    models = dict.fromkeys(model for series in sorted(kinds) for model in plan.models_for(series))
    purposes = {zoo.label(model): zoo.read_card(zoo.find(model)).made_for for model in models}
    return [f"{label}: made for {purpose}" if purpose else label for label, purpose in purposes.items()]
