"""A page of HTML that needs nothing but itself: every picture is in it, nothing is fetched."""

import base64
from collections.abc import Sequence
from html import escape
from pathlib import Path

STYLE = """
body { font: 16px/1.5 system-ui, sans-serif; color: #222; max-width: 1100px; margin: 2em auto; padding: 0 1em }
h1, h2, h3 { line-height: 1.2 } h2 { border-bottom: 1px solid #ccc; margin-top: 2em }
table { border-collapse: collapse; font-size: 13px; margin: 1em 0; display: block; overflow-x: auto }
th, td { padding: 3px 8px; text-align: right; white-space: nowrap; border-bottom: 1px solid #eee }
th:first-child, td:first-child { text-align: left } thead th { border-bottom: 1px solid #888; white-space: normal }
tr.model td { font-weight: 600 } figure { margin: 1.5em 0 } img { max-width: 100%; height: auto }
figcaption { font-size: 14px; color: #444 } .warning { background: #fff3cd; border-left: 4px solid #d39e00;
padding: .5em 1em } footer { margin-top: 3em; font-size: 13px; color: #555 } summary { cursor: pointer }
"""


def page(title: str, parts: Sequence[str]) -> str:
    """The whole document."""
    body = "\n".join(parts)
    return (
        f'<!DOCTYPE html>\n<html lang="en">\n<head>\n<meta charset="utf-8">\n<title>{escape(title)}</title>\n'
        f"<style>{STYLE}</style>\n</head>\n<body>\n<h1>{escape(title)}</h1>\n{body}\n</body>\n</html>\n"
    )


def heading(text: str, level: int = 2) -> str:
    """A heading."""
    return f"<h{level}>{escape(text)}</h{level}>"


def paragraph(text: str, kind: str = "") -> str:
    """A paragraph of plain text; kind "warning" stands out."""
    name = f' class="{kind}"' if kind else ""
    return f"<p{name}>{escape(text)}</p>"


def items(sentences: Sequence[str]) -> str:
    """A list of sentences."""
    return "<ul>" + "".join(f"<li>{escape(sentence)}</li>" for sentence in sentences) + "</ul>"


def table(titles: Sequence[str], rows: Sequence[Sequence[str]], strong: Sequence[bool] = ()) -> str:
    """A table; rows that are `strong` stand out."""
    head = "".join(f"<th>{escape(title)}</th>" for title in titles)
    marks = list(strong) or [False] * len(rows)
    body = "".join(_row(row, mark) for row, mark in zip(rows, marks, strict=True))
    return f"<table><thead><tr>{head}</tr></thead><tbody>{body}</tbody></table>"


def _row(cells: Sequence[str], strong: bool) -> str:
    opened = '<tr class="model">' if strong else "<tr>"
    return opened + "".join(f"<td>{escape(cell)}</td>" for cell in cells) + "</tr>"


def figure(picture: Path, caption: str) -> str:
    """A PNG, held in the page itself, with its caption."""
    data = base64.b64encode(picture.read_bytes()).decode("ascii")
    words = escape(caption)
    return f'<figure><img alt="{words}" src="data:image/png;base64,{data}"><figcaption>{words}</figcaption></figure>'
