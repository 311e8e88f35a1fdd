"""The page in a real browser: what is seen and said is what the volumes hold, by mouse and by keyboard."""

import numpy as np
import pytest
from phantoms import blobs, orientation

from SuperResolutionLib.viewing.looking import viewed
from SuperResolutionLib.volume import Volume

HOSTILE = "</script><script>window.hurt = 1</script><img src=x onerror='window.hurt = 1'>"


def at(volume: Volume, place: tuple[int, int, int]) -> float:
    """The voxel of `textured` at (s, p, l): its file runs the other way along p and l."""
    s, p, left = place
    return volume.voxels[s, volume.size[1] - 1 - p, volume.size[0] - 1 - left]


def test_the_value_under_the_cursor_is_the_volumes(page, pair):
    _, volumes = pair
    for keys, spots in {
        "a": [(7, 3, 5), (7, 0, 0), (7, 17, 21)],
        "c": [(0, 9, 20), (13, 9, 2)],
        "s": [(1, 4, 11), (12, 15, 11)],
    }.items():
        page.press(keys)
        for pane in (0, 1):
            for place in spots:
                page.page.mouse.move(*page.spot(pane, place))
                assert [float(v) for v in page.values()] == [at(volume, place) for volume in volumes]
    assert "voxel (10, 2, 12)" in page.page.inner_text(".srv-status")  # (12, 15, 11), in the file's own order
    assert "0.0, 18.0, 7.0 mm LPS" in page.page.inner_text(".srv-status")


def test_grey_values_on_the_screen_are_those_of_the_window(page, pair):
    _, volumes = pair
    page.press("x")
    low, high = page.state("windows")[0]
    for pane, volume in enumerate(volumes):
        seen = page.picture(pane)
        for place in [(7, 3, 5), (7, 12, 15), (7, 9, 1)]:
            x, y = page.spot(pane, place)
            box = page.page.locator(".srv canvas").nth(pane).bounding_box()
            grey = 255 * np.clip((at(volume, place) - low) / (high - low), 0, 1)
            assert np.abs(seen[round(y - box["y"]), round(x - box["x"])] - grey).max() <= 1


def halves(picture: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """The picture left and right of the divider, without it."""
    middle = picture.shape[1] // 2
    return picture[:, : middle - 3], picture[:, middle + 3 :]


def test_swipe_shows_the_one_on_the_left_and_the_other_on_the_right(page):
    page.press("x", "3")
    only_a = page.picture()
    page.press(" ")
    only_b = page.picture()
    page.press("2")
    both = page.picture()
    (left, right), (a_left, a_right), (b_left, b_right) = halves(both), halves(only_a), halves(only_b)
    assert np.array_equal(left, a_left) and np.array_equal(right, b_right)
    assert not np.array_equal(a_right, b_right) and not np.array_equal(a_left, b_left)
    assert page.page.inner_text(".srv-name.left") == "A: one"
    assert page.page.inner_text(".srv-name.right") == "B: two"


def test_the_divider_is_moved_by_keys_and_by_the_mouse(page):
    page.press("2", ".", ".")
    assert page.state("swipe") == pytest.approx(0.6)
    box = page.page.locator(".srv canvas").bounding_box()
    y = box["y"] + 50
    window = page.state("windows")
    page.page.mouse.move(box["x"] + 0.6 * box["width"], y)
    page.page.mouse.down()
    page.page.mouse.move(box["x"] + 0.25 * box["width"], y)
    page.page.mouse.up()
    assert page.state("swipe") == pytest.approx(0.25, abs=0.01)
    assert page.state("windows") == window


def test_flicker_shows_the_other_volume_at_the_same_place_and_says_which(page):
    page.press("3")
    first, name = page.picture(), page.page.inner_text(".srv-name.left")
    page.press(" ")
    second, other = page.picture(), page.page.inner_text(".srv-name.left")
    page.press(" ")
    assert (name, other) == ("A: one", "B: two")
    assert not np.array_equal(first, second)
    assert np.array_equal(page.picture(), first)


def test_the_difference_is_orange_where_b_is_brighter_and_blue_where_it_is_darker(page, pair):
    _, (one, two) = pair
    page.press("4", "x")
    seen, box = page.picture(), page.page.locator(".srv canvas").bounding_box()
    for place in [(7, p, left) for p in range(3, 15, 4) for left in range(3, 20, 4)]:
        x, y = page.spot(0, place)
        red, _, blue = seen[round(y - box["y"]), round(x - box["x"])]
        assert np.sign(red - blue) == np.sign(int(at(two, place)) - int(at(one, place)))
    assert page.page.inner_text(".srv-name.left") == "B minus A: two minus one"


def test_a_drag_changes_window_and_level_of_all_panes_and_a_click_moves_the_crosshair(page):
    (low, high), before = page.state("windows")[0], page.picture(1)
    page.page.mouse.move(200, 300)
    page.page.mouse.down()
    page.page.mouse.move(260, 300)
    page.page.mouse.up()
    page.drawn()
    wide = page.state("windows")[0]
    assert wide[1] - wide[0] == pytest.approx((high - low) * np.exp(60 / 200), rel=1e-3)
    assert sum(wide) == pytest.approx(low + high, rel=1e-3)
    assert not np.array_equal(page.picture(1), before)
    page.page.mouse.click(*page.spot(0, (7, 4, 6)))
    page.drawn()
    assert page.state("at") == [7, 4, 6]


def test_wheel_zoom_and_pan_hold_for_all_panes(page):
    x, y = page.spot(1, (7, 5, 5))
    page.page.mouse.move(x, y)
    page.page.mouse.wheel(0, -100)
    page.drawn()
    assert page.state("at")[0] == 8
    page.page.keyboard.down("Control")
    page.page.mouse.wheel(0, -100)
    page.page.keyboard.up("Control")
    page.drawn()
    assert page.state("zoom") == pytest.approx(1.15)
    assert np.allclose(page.spot(1, (8, 5, 5)), (x, y), atol=1)  # the voxel under the cursor stays there
    assert page.spot(0, (8, 5, 5))[1] == pytest.approx(y, abs=1)
    page.page.keyboard.down("Shift")
    page.page.mouse.down()
    page.page.mouse.move(x + 30, y + 20)
    page.page.mouse.up()
    page.page.keyboard.up("Shift")
    page.drawn()
    assert np.allclose(page.spot(1, (8, 5, 5)), (x + 30, y + 20), atol=1)


def test_everything_is_done_by_keys_alone(page):
    page.press("PageUp", "PageUp", "PageDown", "ArrowLeft", "ArrowUp", "+", "w", "l")
    assert page.state("at") == [8, 8, 10]
    assert page.state("zoom") == pytest.approx(1.25)
    low, high = page.state("windows")[0]
    page.press("r")
    usual = page.state("windows")[0]
    assert high - low < usual[1] - usual[0]
    assert page.state("zoom") == 1
    page.press("t")
    assert page.page.locator(".srv canvas").count() == 6
    page.press("b", "v", "a", "4", "?")
    assert (page.state("a"), page.state("b"), page.state("mode")) == (1, 0, "difference")
    assert "the other volume at the same place" in page.page.inner_text(".srv-help")
    page.press("Tab", "Tab", "Tab", "Enter")  # past the two lists to the first button
    assert page.state("mode") == "side"
    page.press(" ")
    assert page.state("mode") == "flicker"  # space flickers wherever the focus is


def test_three_scans_of_unequal_grids_lie_where_they_lie_in_the_patient(opened, tmp_path):
    fine = Volume(np.zeros((30, 36, 40)), (1.0, 1.0, 1.0), (-20, -18, -15))
    thick = Volume(np.zeros((9, 44, 30)), (0.9, 0.9, 4.0), (-21, -19, -16))
    turned = Volume(np.zeros((44, 30, 36)), (1.1, 1.2, 1.0), (18, 20, -22), orientation("A", "R", "S"))
    volumes = [v.with_voxels(blobs(v, np.zeros(3), 14).astype(np.float32)) for v in (fine, thick, turned)]
    viewed(volumes, ["fine", "thick", "turned"], whole=True).save(tmp_path / "page.html")
    page = opened(tmp_path / "page.html").ready()
    page.press("5")
    assert page.page.locator(".srv canvas").count() == 3
    place = (15, 18, 16)
    page.page.mouse.move(*page.spot(2, place))
    first, second, third = (float(value) for value in page.values())
    assert first == pytest.approx(fine.with_voxels(volumes[0].voxels).voxels[place], abs=0.01)
    assert second == pytest.approx(first, rel=0.2)
    assert third == pytest.approx(first, rel=0.05)
    page.page.mouse.move(*page.spot(0, (15, 18, 39)))  # beyond what the thick slices cover
    assert page.values()[1] == "outside"
    assert page.values()[0] != "outside"
    assert "thick: outside" in page.page.inner_text(".srv-status")


def test_the_page_asks_for_nothing_and_hostile_names_do_nothing(opened, pair, tmp_path):
    path = tmp_path / "page.html"
    viewed(pair[1], [HOSTILE, "b"], whole=True).save(path)
    page = opened(path).ready()
    page.press("2", "t", "4", " ")
    assert page.requests == [path.as_uri()]
    assert page.errors == []
    assert page.page.evaluate("() => window.hurt") is None
    page.press("1", "a")
    assert page.page.locator(".srv-name.left").first.inner_text() == f"A: {HOSTILE}"


@pytest.mark.parametrize(("scheme", "light"), [("light", True), ("dark", False)])
def test_it_is_light_or_dark_as_the_reader_wishes(opened, pair, scheme, light):
    page = opened(pair[0], color_scheme=scheme).ready()
    paper = "() => getComputedStyle(document.querySelector('.srv')).backgroundColor.match(/[0-9]+/g).map(Number)"
    assert (page.page.evaluate(paper)[0] > 128) == light
    page.press("d")
    assert (page.page.evaluate(paper)[0] > 128) != light


def test_it_fits_a_narrow_window_as_at_400_percent(opened, pair):
    page = opened(pair[0], viewport={"width": 320, "height": 256}).ready()
    assert page.page.evaluate("() => document.documentElement.scrollWidth") <= 320
    page.press("t")
    assert page.page.evaluate("() => document.documentElement.scrollWidth") <= 320
    for box in (canvas.bounding_box() for canvas in page.page.locator(".srv canvas").all()):
        assert box["width"] > 80 and box["height"] > 100


def test_research_use_only_is_said_in_the_page_and_in_every_pane(page):
    page.press("t")
    assert page.page.inner_text(".srv-use") == "Research use only. Not a medical device."
    feet = page.page.locator(".srv-foot").all_inner_texts()
    assert len(feet) == 6
    assert all("research use only" in foot for foot in feet)


def test_a_notebook_frame_shows_the_viewer(opened, pair, tmp_path):
    view = viewed(pair[1], ["one", "two"], whole=True)
    (tmp_path / "cell.html").write_text(view._repr_html_())
    page = opened(tmp_path / "cell.html")
    page.page.frame_locator("iframe").locator(".srv[data-ready]").wait_for(timeout=60_000)
    assert page.errors == []


def test_scrolling_is_timed(opened, tmp_path, capsys):
    voxels = np.random.default_rng(0).integers(0, 900, (8, 256, 256)).astype(np.int16)
    viewed([Volume(voxels, (0.9, 0.9, 3))] * 2, ["a", "b"], whole=True).save(tmp_path / "page.html")
    page = opened(tmp_path / "page.html").ready()
    milliseconds = page.times(20)
    with capsys.disabled():
        print(f"\nviewer: two slices of 256 x 256 drawn in {milliseconds[10]:.1f} ms, {milliseconds[-1]:.1f} at worst")
    assert milliseconds[0] < 100
