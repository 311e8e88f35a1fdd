"""The page is text that needs nothing but itself, whatever the names in it are."""

import base64
import hashlib
import re
from html.parser import HTMLParser

import numpy as np
import pytest
from pages import given
from phantoms import brain

import SuperResolutionLib as sr
from SuperResolutionLib.viewing import viewer_page
from SuperResolutionLib.viewing.looking import names_of, viewed

HOSTILE = "</script><script>alert('a & b')</script><!--<b>\"x${title}\u2028\u202e"


def page_of(*names: str) -> str:
    return viewed([brain(seed=n) for n in range(len(names))], list(names)).page


def test_names_are_text_and_never_markup():
    page = page_of(HOSTILE, "b")
    assert page.count("<script") == 2
    assert page.count("</script>") == 2
    assert "alert('a" not in page.replace("&#x27;", "'").split("<script")[0].split("</title>")[1]
    assert "<b>" not in page
    assert given(page)["layers"][0]["name"] == HOSTILE


def test_names_that_are_no_text_are_shown_as_far_as_they_go(tmp_path):
    name = b"brain\xff\xfe.nii".decode("utf-8", "surrogateescape")
    sr.view(brain(), names=[name]).save(tmp_path / "page.html")
    assert "<title>brain??.nii</title>" in (tmp_path / "page.html").read_text()


def test_only_its_own_script_may_run_and_nothing_may_be_fetched():
    page = page_of("a", "b")
    (policy,) = re.findall(r'Content-Security-Policy" content="([^"]*)"', page)
    script = re.findall(r"<script>(.*?)</script>", page, re.DOTALL)[0]
    digest = base64.b64encode(hashlib.sha256(script.encode()).digest()).decode()
    assert policy == f"default-src 'none'; style-src 'unsafe-inline'; script-src 'sha256-{digest}'"


@pytest.mark.parametrize("name", ["viewer.js", "viewer.css", "viewer.html"])
def test_no_part_of_it_names_another_place(name):
    text = viewer_page.part(name)
    assert not re.search(r"https?:|fetch\(|XMLHttp|WebSocket|import|innerHTML|eval\(|document\.write|url\(", text)


def test_files_of_one_name_are_called_by_their_folders(tmp_path):
    one, other, third = tmp_path / "a" / "t1.nii", tmp_path / "b" / "t1.nii", tmp_path / "t2.nii"
    assert names_of([one, other, third]) == [str(one), str(other), "t2.nii"]


class Frames(HTMLParser):
    """The attributes of the frames of a notebook's cell."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.found: list[dict[str, str]] = []
        self.feed(text)

    def handle_starttag(self, tag, attrs):
        assert tag == "iframe"
        self.found.append(dict(attrs))


def test_a_notebook_shows_the_same_page_in_a_frame():
    view = sr.view(brain(), brain(seed=1), names=[HOSTILE, "b"])
    (frame,) = Frames(view._repr_html_()).found
    assert frame["srcdoc"] == view.page
    assert frame["sandbox"] == "allow-scripts"
    assert repr(view).startswith("View, 0.")


def test_volumes_without_names_are_called_by_letters_and_files_by_theirs(tmp_path):
    sr.write(brain(), tmp_path / "head.nii.gz")
    found = given(sr.view(brain(), tmp_path / "head.nii.gz", brain().to_sitk()).page)
    assert [layer["name"] for layer in found["layers"]] == ["A", "head.nii.gz", "C"]


def test_a_view_is_saved_as_html_and_over_nothing(tmp_path, refuses):
    view = sr.view(brain())
    view.save(tmp_path / "page.html")
    assert (tmp_path / "page.html").read_text() == view.page
    with refuses("page.html exists already"):
        view.save(tmp_path / "page.html")
    view.save(tmp_path / "page.html", overwrite=True)
    with refuses("cannot be written as HTML", ".html"):
        view.save(tmp_path / "page.png")
    assert [path.name for path in tmp_path.iterdir()] == ["page.html"]


def test_voxels_that_are_not_finite_are_refused(refuses):
    with refuses("NaN"):
        sr.view(brain(), sr.Volume(np.full((3, 4, 5), np.nan)))
