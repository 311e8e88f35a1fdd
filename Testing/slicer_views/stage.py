"""slicer.app, its layout manager and slice widgets, over trame-slicer's own; and the browser that shows the views.

Scene, logics, layout logic, slice views, displayable managers, interactors and OpenGL are real. What is written here
says in the words of Slicer's Qt classes what trame-slicer says in its own, and nothing more.
"""

import asyncio
import io
import itertools
import sys
import time
from collections.abc import Callable
from functools import partial
from pathlib import Path
from types import ModuleType, SimpleNamespace
from typing import Any, ClassVar

import numpy as np
import slicer
import slicer.util
import vtk
from PIL import Image
from slicer import vtkMRMLLayerDisplayableManager
from trame.app import get_server
from trame.ui.html import DivLayout
from trame_slicer import module as client_files
from trame_slicer.core import LayoutManager, SlicerApp
from trame_slicer.rca_view import register_rca_factories
from trame_slicer.views import slicer_layout_to_vue
from vtk.util.numpy_support import vtk_to_numpy

WINDOW = {"width": 804, "height": 402}  # of the browser; the views are 400 x 400, and a pixel of border each
PAGE = "margin: 0; width: 100vw; height: 100vh; position: fixed; top: 0; left: 0; display: flex"
AREA = ".remote-controlled-area"  # a view in trame's page
USUAL = slicer.vtkMRMLLayoutNode.SlicerLayoutSideBySideView  # trame-slicer fails on the name of Slicer's 3D view, "1"
SECONDS = 60.0
_numbers = itertools.count()


class QTimer:
    """qt.QTimer, of which the views use one function: what it is given runs once the new views have their size."""

    waiting: ClassVar[list[Callable[[], Any]]] = []

    @classmethod
    def singleShot(cls, _milliseconds: int, function: Callable[[], Any]) -> None:
        cls.waiting.append(function)

    @classmethod
    def run(cls) -> None:
        """Not a name of the real class: what Qt's event loop would do now."""
        due, cls.waiting = cls.waiting, []
        for function in due:
            function()


def install() -> None:
    """What our module imports and slicer-core does not have."""
    names = {"slicer.i18n": {"tr": lambda text: text}, "qt": {"QTimer": QTimer}}
    for name, contents in names.items():
        module = ModuleType(name)
        vars(module).update(contents)
        sys.modules[name] = module
    slicer.i18n = sys.modules["slicer.i18n"]


class SliceView:
    """qMRMLSliceView, over a view of trame-slicer."""

    def __init__(self, view: Any) -> None:
        self.renderWindow, self.interactor = view.render_window, view.interactor
        self.scheduleRender = view.schedule_render


class SliceWidget:
    """qMRMLSliceWidget, over a view of trame-slicer."""

    def __init__(self, view: Any) -> None:
        self.sliceLogic = lambda: view._logic
        self.sliceView = lambda: SliceView(view)


class Layouts:
    """qMRMLLayoutManager: Slicer's layout logic, whose arrangements trame-slicer's layout manager shows."""

    def __init__(self, app: SlicerApp, server: Any) -> None:
        self._app = app
        self.sized: set[str] = set()  # the views that the page has told their size, since the layout was changed
        self._watched: set[str] = set()
        self.shown_by = LayoutManager(app.scene, app.view_manager, server)
        self._logic = slicer.vtkMRMLLayoutLogic()
        self._logic.SetMRMLApplicationLogic(app.app_logic)
        self._logic.SetMRMLScene(app.scene)
        self._node = self._logic.GetLayoutNode()
        self._observer = self._node.AddObserver(vtk.vtkCommand.ModifiedEvent, self._on_layout)

    def layoutLogic(self) -> Any:
        return self._logic

    def setLayout(self, arrangement: int) -> None:
        """As in Slicer: nothing where the arrangement is shown already."""
        if self._node.GetViewArrangement() != arrangement:
            self._node.RemoveAllMaximizedViewNodes()
            self._node.SetViewArrangement(arrangement)

    def sliceWidget(self, name: str) -> SliceWidget | None:
        view = self._app.view_manager.get_view(name)
        return None if view is None else SliceWidget(view)

    def tags(self) -> list[str]:
        """The names of the views on screen, from left to right; not a name of the real class."""
        layout = self.shown_by.get_layout(str(self._node.GetViewArrangement()))
        return [view.singleton_tag for view in layout.get_views(is_recursive=True)]

    def close(self) -> None:
        """Not a name of the real class."""
        self._node.RemoveObserver(self._observer)

    def _on_layout(self, *_: Any) -> None:
        arrangement = self._node.GetViewArrangement()
        description = self._node.GetLayoutDescription(arrangement)
        if description:
            self.sized.clear()
            self.shown_by.register_layout(str(arrangement), slicer_layout_to_vue(description), True)
            self.shown_by.set_layout(str(arrangement))
            self._hand_over_nodes()

    def _hand_over_nodes(self) -> None:
        """As qMRMLSliceWidget: a view shows the node that the layout logic made, not one of its own."""
        nodes = self._logic.GetViewNodes()
        for node in (nodes.GetItemAsObject(n) for n in range(nodes.GetNumberOfItems())):
            name = node.GetLayoutName()
            view = self._app.view_manager.get_view(name)
            if view.get_view_node() is not node:
                view._logic.SetSliceNode(node)
                view.set_view_node(node)
            if name not in self._watched:
                self._watched.add(name)
                view.interactor().AddObserver(vtk.vtkCommand.WindowResizeEvent, partial(self._on_size, name))

    def _on_size(self, name: str, *_: Any) -> None:
        self.sized.add(name)


class Stage:
    """A trame-slicer application in a browser, with what slicer.app is to our module; close() ends it.

    loop: runs the server and the browser's side, only while `settle` waits. errors: of observers and of the page.
    """

    def __init__(self, loop: asyncio.AbstractEventLoop, browser: Any) -> None:
        self._loop = loop
        self.errors: list[str] = []
        self.server = get_server(f"slicer-{next(_numbers)}")
        self.server.enable_module(client_files)
        self.slicer_app = SlicerApp()
        nothing = lambda *_: None  # noqa: E731 - no buttons over the views
        register_rca_factories(self.slicer_app.view_manager, self.server, nothing, nothing, rca_encoder="png")
        slicer.mrmlScene = self.slicer_app.scene
        self.layouts = Layouts(self.slicer_app, self.server)
        logic = self.slicer_app.app_logic
        slicer.app = SimpleNamespace(layoutManager=lambda: self.layouts, applicationLogic=lambda: logic)
        with DivLayout(self.server) as page:
            page.root.style = PAGE
            self.layouts.shown_by.initialize_layout_grid(page)
        self.layouts.setLayout(USUAL)  # before the server starts: its page must know what views are made of
        self._excepthook, sys.excepthook = sys.excepthook, self._note
        QTimer.waiting.clear()
        self._run(self._open(browser))

    @property
    def tags(self) -> list[str]:
        """The names of the views on screen, from left to right."""
        return self.layouts.tags()

    def logic(self, tag: str) -> Any:
        """The slice logic of a view."""
        return self.layouts.sliceWidget(tag).sliceLogic()

    def composite(self, tag: str) -> Any:
        """The composite node of a view."""
        return self.logic(tag).GetSliceCompositeNode()

    def written(self, tag: str) -> str:
        """What is to be read in a view, by whatever text actor in whatever renderer."""
        renderers = self.layouts.sliceWidget(tag).sliceView().renderWindow().GetRenderers()
        props = [prop for renderer in renderers for prop in renderer.GetViewProps()]
        return "\n".join(p.GetInput() or "" for p in props if isinstance(p, vtk.vtkTextActor) and p.GetVisibility())

    def settle(self) -> None:
        """Wait until the browser shows what the views have to show, without asking any of them to render."""
        self._run(self._settled())

    def seen(self, tag: str) -> np.ndarray:
        """What the browser shows of a view: (rows, columns, RGB)."""
        return self._run(self._seen(tag))

    def picture(self, path: Path) -> None:
        """A screenshot of the browser's page."""
        path.parent.mkdir(parents=True, exist_ok=True)
        self._run(self.page.screenshot(path=path))

    def mouse(self, tag: str, *places: tuple[float, float], drag: bool = False, wheel: int = 0) -> None:
        """Move the browser's mouse to places in a view, from its upper left corner, 0 to 1; then turn the wheel."""
        self._run(self._move(tag, places, drag, wheel))

    def close(self) -> None:
        """Close the page and stop the server. Raises AssertionError for what observers and the page have raised."""
        self._run(self._closed())
        self.layouts.close()
        self.slicer_app.scene.RemoveAllObservers()
        sys.excepthook = self._excepthook
        del slicer.app, slicer.mrmlScene
        assert not self.errors, self.errors

    # --- in the event loop

    def _run(self, work: Any) -> Any:
        return self._loop.run_until_complete(work)

    def _note(self, kind: type[BaseException], error: BaseException, trace: Any) -> None:
        self.errors.append(repr(error))
        self._excepthook(kind, error, trace)

    async def _open(self, browser: Any) -> None:
        options = {"open_browser": False, "show_connection_info": False, "disable_logging": True, "timeout": 0}
        self.server.start(exec_mode="task", host="127.0.0.1", port=0, **options)
        await self.server.ready
        self.page = await browser.new_page(viewport=WINDOW)
        self.page.on("pageerror", lambda error: self.errors.append(str(error)))
        await self.page.goto(f"http://127.0.0.1:{self.server.port}/")

    async def _closed(self) -> None:
        await self.page.close()
        await self.server.stop()

    async def _settled(self) -> None:
        self.server.state.flush()  # a new layout, where it was asked for between two turns of the event loop
        await self._until(self._sized, "the views have their size")
        QTimer.run()
        await self._until(self._up_to_date, "the browser shows what the views show now")

    async def _until(self, condition: Callable[[], Any], words: str) -> None:
        end = time.monotonic() + SECONDS
        while not await condition():
            assert time.monotonic() < end, f"not so within {SECONDS:.0f} s: {words}"
            await asyncio.sleep(0.05)

    async def _sized(self) -> bool:
        """The page tells sizes when they change, and lets new views take the places of old ones: so change them."""
        areas = await self.page.locator(AREA).all()
        if len(areas) != len(self.tags):
            return False
        if not self.layouts.sized.issuperset(self.tags):
            for height in (WINDOW["height"] + 20, WINDOW["height"]):
                await self.page.set_viewport_size({**WINDOW, "height": height})
                await asyncio.sleep(0.3)  # the page waits 0.1 s for the last of many changes
        sizes = [self._view(tag).render_window().GetSize() for tag in self.tags]
        return sizes == [(box["width"], box["height"]) for box in [await area.bounding_box() for area in areas]]

    async def _up_to_date(self) -> bool:
        return all([np.array_equal(await self._seen(tag), self._rendered(tag)) for tag in self.tags])

    async def _seen(self, tag: str) -> np.ndarray:
        png = await self.page.locator(AREA).nth(self.tags.index(tag)).screenshot()
        return np.asarray(Image.open(io.BytesIO(png)).convert("RGB"))

    def _rendered(self, tag: str) -> np.ndarray:
        """What a view shows if it is asked now."""
        window, image = self._view(tag).render_window(), vtk.vtkImageData()
        window.Render()
        vtkMRMLLayerDisplayableManager.RenderWindowBufferToImage(window, image)
        width, height, _ = image.GetDimensions()
        return vtk_to_numpy(image.GetPointData().GetScalars()).reshape(height, width, -1)[::-1, :, :3]

    def _view(self, tag: str) -> Any:
        return self.slicer_app.view_manager.get_view(tag)

    async def _move(self, tag: str, places: tuple[tuple[float, float], ...], drag: bool, wheel: int) -> None:
        box = await self.page.locator(AREA).nth(self.tags.index(tag)).bounding_box()
        for number, (x, y) in enumerate(places):
            await self.page.mouse.move(box["x"] + x * box["width"], box["y"] + y * box["height"])
            if drag and number == 0:
                await self.page.mouse.down()
            await asyncio.sleep(0.1)
        if drag:
            await self.page.mouse.up()
        if wheel:
            await self.page.mouse.wheel(0, wheel)
        await asyncio.sleep(0.2)
