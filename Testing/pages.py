"""Pages of the viewer: what they carry, read without their script; and how a real browser shows them."""

import base64
import json
import re
import zlib
from pathlib import Path
from typing import Any

import numpy as np


def given(page: str) -> dict[str, Any]:
    """What a page gives to its script."""
    (found,) = re.findall(r'<script type="application/json">(.*?)</script>', page, re.DOTALL)
    return json.loads(found)


def unpacked(found: dict[str, Any], layer: int) -> np.ndarray:
    """The voxels (s, p, l) of a layer, as the script is to unpack them."""
    grid, packed = found["grid"], found["layers"][layer]
    rows, columns = (n for axis, n in enumerate(grid["size"]) if axis != grid["stack"])
    slices = []
    for text in packed["slices"]:
        low, high = np.frombuffer(zlib.decompress(base64.b64decode(text)), np.uint8).reshape(2, rows, columns)
        slices.append(np.cumsum(low + 256 * high.astype(np.int64), axis=1) % 65536)
    return packed["intercept"] + packed["slope"] * np.moveaxis(np.stack(slices), 0, grid["stack"])


class Opened:
    """A page in the browser, its viewer ready. requests, errors: what it asked for, and what went wrong in it."""

    def __init__(self, browser: Any, path: Path, **context: Any) -> None:
        self.page = browser.new_page(**{"viewport": {"width": 600, "height": 480}, **context})
        self.requests: list[str] = []
        self.errors: list[str] = []
        self.page.on("request", lambda request: self.requests.append(request.url))
        self.page.on("pageerror", lambda error: self.errors.append(str(error)))
        self.page.on("console", lambda message: self.errors.append(message.text))
        self.page.goto(path.as_uri())

    def ready(self) -> "Opened":
        self.page.wait_for_selector(".srv[data-ready]", timeout=60_000)
        self.drawn()
        return self

    def drawn(self) -> None:
        """Wait for what was asked for to be on the screen."""
        self.page.evaluate("() => new Promise((done) => requestAnimationFrame(() => requestAnimationFrame(done)))")

    def renew(self) -> None:
        """Everything as when the page was opened."""
        self.page.evaluate(
            """() => { const v = document.querySelector('.srv').viewer;
            v.state = {}; v.reset(); v.help.open = false; v.root.focus(); }"""
        )
        self.page.mouse.move(0, 0)
        self.drawn()

    def press(self, *keys: str) -> None:
        for key in keys:
            self.page.keyboard.press(key)
        self.drawn()

    def times(self, count: int) -> list[float]:
        """How long it takes to draw another slice, ms, the shortest first."""
        return self.page.evaluate(
            """(count) => { const v = document.querySelector('.srv').viewer, out = [];
            const many = v.grid.size[v.panes[0].plane.n];
            for (let i = 0; i < count; i++) {
              v.state.at[v.panes[0].plane.n] = i % many;
              const t = performance.now(); v.drawNow(); out.push(performance.now() - t);
            }
            return out.sort((a, b) => a - b); }""",
            count,
        )

    def state(self, name: str) -> Any:
        return self.page.evaluate(f"() => document.querySelector('.srv').viewer.state.{name}")

    def picture(self, pane: int = 0) -> np.ndarray:
        """What a pane's canvas holds: (rows, columns, 3)."""
        width, height, text = self.page.evaluate(
            """(n) => { const c = document.querySelectorAll('.srv canvas')[n];
            const d = c.getContext('2d').getImageData(0, 0, c.width, c.height).data;
            let t = ''; for (let i = 0; i < d.length; i += 4096) t += String.fromCharCode(...d.subarray(i, i + 4096));
            return [c.width, c.height, btoa(t)]; }""",
            pane,
        )
        return np.frombuffer(base64.b64decode(text), np.uint8).reshape(height, width, 4)[..., :3].astype(int)

    def spot(self, pane: int, at: tuple[int, int, int]) -> tuple[float, float]:
        """Where on the screen the middle of voxel (s, p, l) of the page lies in a pane of its slice."""
        x, y = self.page.evaluate(
            """([n, at]) => { const v = document.querySelector('.srv').viewer, p = v.panes[n], q = p.plane;
            const b = p.canvas.getBoundingClientRect(), k = v.scale(p) * b.width / p.canvas.width;
            const g = v.grid.spacing, c = v.state.centre;
            return [b.left + b.width / 2 + (at[q.u] - c[q.u]) * k * g[q.u],
                    b.top + b.height / 2 + q.down * (at[q.v] - c[q.v]) * k * g[q.v]]; }""",
            [pane, list(at)],
        )
        return x, y

    def values(self) -> list[str]:
        """What the line below the panes says of each layer."""
        return self.page.eval_on_selector_all(".srv-value", "(all) => all.map((one) => one.dataset.value)")
