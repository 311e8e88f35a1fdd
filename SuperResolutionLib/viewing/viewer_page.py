"""The viewer as text: a page of its own, or the parts that a report puts into its page."""

import base64
import hashlib
import html
from collections.abc import Sequence
from pathlib import Path
from string import Template

from SuperResolutionLib.viewing.contents import LARGEST, Contents, Limits, as_json, contents
from SuperResolutionLib.viewing.layer import Layer

_PARTS = Path(__file__).parent / "page"


def part(name: str) -> str:
    """The text of viewer.js, viewer.css or viewer.html."""
    return (_PARTS / name).read_text(encoding="utf-8")


def element(found: Contents) -> str:
    """The element that becomes a viewer, and its voxels; viewer.js comes after it."""
    return f'<div class="srv"></div>\n<script type="application/json">{as_json(found)}</script>'


def viewer_page(layers: Sequence[Layer], reference: int = 0, whole: bool = False) -> str:
    """A page to look through single 3-D volumes.

    layers: on any grids. reference: on whose grid they are shown. whole: not cropped to the head.
    Raises InputError where one has no place in common with the reference, or not one slice fits into 25 MB.
    """
    title = _readable(", ".join(layer.name for layer in layers))
    bare = _filled(title, "")
    found = contents(layers, reference, Limits(whole=whole, most=LARGEST - len(bare.encode())))
    return _filled(title, as_json(found))


def _filled(title: str, given: str) -> str:
    script = part("viewer.js")
    digest = base64.b64encode(hashlib.sha256(script.encode()).digest()).decode()
    return Template(part("viewer.html")).substitute(
        title=html.escape(title), style=part("viewer.css"), script=script, script_hash=f"sha256-{digest}", given=given
    )


def _readable(name: str) -> str:
    """A name as UTF-8 can hold it; names of files may hold bytes that are no text."""
    return name.encode("utf-8", "replace").decode("utf-8")
