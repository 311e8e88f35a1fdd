"""The panel: shows the parameters, starts and cancels jobs, shows what came of them."""

import html
from pathlib import Path
from typing import Any

import qt
import slicer
from slicer.ScriptedLoadableModule import ScriptedLoadableModuleWidget
from slicer.util import VTKObservationMixin

from SuperResolutionLib.errors import InputError
from SuperResolutionLib.geometry.sampling import Sampling
from SuperResolutionLib.methods.method import Runtime
from SuperResolutionLib.physics.degradation import MODELS
from SuperResolutionSlicer import installer, nodes, quality, report_page, views
from SuperResolutionSlicer.difference import difference
from SuperResolutionSlicer.jobs import Job
from SuperResolutionSlicer.locations import forget, resource
from SuperResolutionSlicer.logic import DEGRADATIONS, Enhancement, Settings, SuperResolutionLogic
from SuperResolutionSlicer.parameters import Binding, first_volume

PLANES = {
    "native": "as acquired",
    "axial": "axial",
    "coronal": "coronal",
    "sagittal": "sagittal",
}
DEVICES = {"auto": "automatic", "cpu": "CPU", "cuda": "GPU (NVIDIA)", "mps": "GPU (Apple)"}
PRECISIONS = {"auto": "automatic", "float32": "float32", "bfloat16": "bfloat16", "float16": "float16"}
ISOTROPIC = "isotropic"
SCALES = {"2": "2 x in plane", "4": "4 x in plane", ISOTROPIC: "thin slices, isotropic"}
ENHANCE, CANCEL = "Enhance", "Cancel"
NO_TRUTH = "Quality makes a scan coarser in plane and measures that; choose 2 x or 4 x, thin slices have no truth here"
REPORT = "A web page on this volume with tables and figures, by the degradation, model, scale and slices chosen here"


class SuperResolutionWidget(ScriptedLoadableModuleWidget, VTKObservationMixin):
    """The panel of the module."""

    def __init__(self, parent: Any = None) -> None:
        VTKObservationMixin.__init__(self)
        self.logic: SuperResolutionLogic | None = None
        self.job: Job[Any] | None = None
        self.device_job: Job[Any] | None = None
        self.binding: Binding | None = None
        self.page: Path | None = None  # the newest report
        self._starting = False
        ScriptedLoadableModuleWidget.__init__(self, parent)  # without a parent it calls setup()

    # ------------------------------------------------------------ set-up and scene

    def setup(self) -> None:
        """Build the panel from the .ui file and connect it."""
        ScriptedLoadableModuleWidget.setup(self)
        root = slicer.util.loadUI(resource("UI", "SuperResolution.ui"))
        self.layout.addWidget(root)
        self.ui = slicer.util.childWidgetVariables(root)
        root.setMRMLScene(slicer.mrmlScene)
        self.logic = SuperResolutionLogic()
        self._fill_choices()
        children = [getattr(self.ui, name) for name in dir(self.ui) if not name.startswith("_")]
        self.binding = Binding(children, self.update)
        self._connect_buttons()
        scene = slicer.mrmlScene
        self.addObserver(scene, scene.StartCloseEvent, self.onSceneStartClose)
        self.addObserver(scene, scene.EndCloseEvent, self.onSceneEndClose)
        self.addObserver(scene, scene.EndImportEvent, self.onSceneEndClose)
        self.addObserver(scene, scene.NodeRemovedEvent, self.onNodeRemoved)
        if slicer.app.layoutManager() is not None:
            slicer.app.layoutManager().connect("layoutChanged(int)", self.onLayoutChanged)
        self.useParameterNode()

    def _fill_choices(self) -> None:
        for box, choices in (
            (self.ui.scaleComboBox, SCALES),
            (self.ui.planeComboBox, PLANES),
            (self.ui.deviceComboBox, DEVICES),
            (self.ui.precisionComboBox, PRECISIONS),
            (self.ui.degradationComboBox, {name: _first_sentence(MODELS[name]) for name in DEGRADATIONS}),
        ):
            for value, text in choices.items():
                box.addItem(text, value)
        self.ui.modelComboBox.addItem("the blind model of the scale", "")
        for name, card in self.logic.models().items():
            what = card.made_for or f"{card.architecture}, {card.parameters / 1e6:.1f} M weights"
            self.ui.modelComboBox.addItem(f"{name}: {what}", name)

    def _connect_buttons(self) -> None:
        for button, function in (
            (self.ui.enhanceButton, self.onEnhance),
            (self.ui.previewButton, self.onPreview),
            (self.ui.measureButton, self.onMeasure),
            (self.ui.showErrorsButton, self.onShowErrors),
            (self.ui.saveReportButton, self.onSaveReport),
            (self.ui.showBicubicButton, self.onShowBicubic),
            (self.ui.showInputButton, self.onShowInput),
            (self.ui.showDifferenceButton, self.onShowDifference),
            (self.ui.backButton, self.onBack),
        ):
            button.connect("clicked(bool)", function)
        self.ui.advancedCollapsibleButton.connect("contentsCollapsed(bool)", self.onAdvancedCollapsed)

    def useParameterNode(self) -> None:
        """Follow the scene's parameter node; select a volume where none is."""
        self.binding.connect(self.logic.getParameterNode())
        if self.binding.node("inputVolume") is None:
            self.binding.refer("inputVolume", first_volume(nodes.KINDS))

    def enter(self) -> None:
        """The module is opened."""
        self.useParameterNode()

    def exit(self) -> None:
        """Another module is opened; a job goes on."""

    @property
    def entered(self) -> bool:
        """Whether this module is the one on screen; without Slicer around it, always."""
        return bool(getattr(self.parent, "isEntered", True))

    def cleanup(self) -> None:
        """The panel is destroyed: end jobs, stop observing."""
        self.removeObservers()
        if slicer.app.layoutManager() is not None:
            slicer.app.layoutManager().disconnect("layoutChanged(int)", self.onLayoutChanged)
        if self.binding is not None:  # else setup() did not get far
            self.binding.connect(None)
        if self.logic is not None:
            self.logic.close()

    def onReload(self) -> None:
        """Reload the library as well as the module file."""
        self.cleanup()
        forget()
        ScriptedLoadableModuleWidget.onReload(self)

    def onSceneStartClose(self, caller: Any = None, event: Any = None) -> None:
        """The logic ends the jobs; the parameter node is about to lose its references."""
        self.binding.connect(None)
        self.job = self.device_job = self.page = None  # their results are of the scene that goes

    def onSceneEndClose(self, caller: Any = None, event: Any = None) -> None:
        """A new scene, or one that was loaded: its own parameters; none are put into scenes of other modules' users."""
        if self.entered:
            self.useParameterNode()

    def onNodeRemoved(self, caller: Any = None, event: Any = None) -> None:
        """Somebody deleted the parameters: begin with new ones."""
        if self.binding.lost and not slicer.mrmlScene.IsClosing():
            self.binding.connect(None)
            qt.QTimer.singleShot(0, self.onSceneEndClose)  # not while the scene is busy with removing

    def onLayoutChanged(self, *_: Any) -> None:
        """Back leads somewhere, or no more."""
        self.update()

    # ------------------------------------------------------------ what the buttons do

    def settings(self) -> Settings:
        """The parameters as the logic wants them."""
        get = self.binding.__getitem__
        return Settings(
            model=get("model"),
            sampling=self._sampling(),
            runtime=Runtime(
                device=get("device"), precision=get("precision"), ensemble=get("ensemble") == "true" or None
            ),
            consistent=get("consistent") == "true",
            uncertainty=get("uncertainty") == "true",
            degradation=get("degradation"),
            seed=int(get("seed")),
            keep_temporary=get("keepTemporary") == "true",
        )

    def _sampling(self) -> Sampling:
        scale, plane = self.binding["scale"], self.binding["plane"]
        return Sampling(isotropic=True, plane=plane) if scale == ISOTROPIC else Sampling(factor=int(scale), plane=plane)

    def onEnhance(self, *_: Any) -> None:
        """Start, or cancel what runs."""
        if self.job is not None and self.job.running:
            self.job.cancel()
            return
        self._start(lambda node: self.logic.enhanceAndInterpolate(node, self.settings(), False, self.onEnhanced))

    def onPreview(self, *_: Any) -> None:
        """Enhance the slice on screen."""
        self._start(
            lambda node: self.logic.preview(node, self.settings(), blocking=False, changed=self.onEnhanced),
        )

    def onMeasure(self, *_: Any) -> None:
        """Degrade the volume, restore it, measure."""
        chosen = self.settings()

        def start(node: Any) -> Job[Any]:
            methods = self.logic.qualityMethods(node, chosen)
            return self.logic.measure(node, chosen, methods, blocking=False, changed=self.onMeasured)

        self._start(start)

    def onSaveReport(self, *_: Any) -> None:
        """Ask for a folder, and write a report on the volume into a new one inside it."""
        caption = "Save the report in a new folder inside this one"
        target = qt.QFileDialog.getExistingDirectory(slicer.util.mainWindow(), caption)
        if not target:
            return
        chosen, truth = self.settings(), self.binding["withoutTruth"] != "true"

        def start(node: Any) -> Job[Path]:
            return self.logic.saveReport(node, target, chosen, truth, blocking=False, changed=self.onReported)

        self._start(start)

    def _start(self, work: Any) -> None:
        """Check the input, then start a job; what is wrong is said in a message."""
        if self._starting:  # an installation handles events: the button can be clicked again meanwhile
            return
        self._starting = True
        node = self.binding.node("inputVolume")
        try:
            nodes.check(node)
            self.job = work(node)
        except InputError as error:
            slicer.util.warningDisplay(str(error), windowTitle="Super Resolution")
        finally:
            self._starting = False
        self.update()

    def onEnhanced(self, job: Job[Enhancement]) -> None:
        """A step of an enhancement was done; at its end, show the result beside bicubic interpolation."""
        if job.state == "done":
            result = job.result
            for name, node in (("source", result.source), ("enhanced", result.enhanced), ("bicubic", result.bicubic)):
                self.binding.refer(name, node)
            self.binding.refer("difference", None)
            qt.QTimer.singleShot(0, self.onShowBicubic)  # in a step of its own: each is short
        self._after(job)

    def onMeasured(self, job: Job[Any]) -> None:
        """A step of a measurement was done; at its end, show table and chart."""
        if job.state == "done":
            self.binding.refer("figures", job.result)
            self._show_figures(job.result)
        self._after(job)

    def onReported(self, job: Job[Path]) -> None:
        """A step of a report was done; at its end, offer the page."""
        if job.state == "done":
            self.page = job.result
        self._after(job)

    def _after(self, job: Job[Any]) -> None:
        if job.state == "failed":
            slicer.util.errorDisplay(job.error, windowTitle="Super Resolution", detailedText=job.log)
        self.update()

    def _show_figures(self, table: Any) -> None:
        """Slicer's own layout with a plot and a table."""
        self.logic.views.layouts.put_up(slicer.vtkMRMLLayoutNode.SlicerLayoutFourUpPlotTableView)
        logic = slicer.app.applicationLogic()  # told after the layout, which makes the views that are told
        logic.GetSelectionNode().SetActiveTableID(table.GetID())
        logic.GetSelectionNode().SetActivePlotChartID(table.GetNodeReferenceID(quality.CHART))
        logic.PropagateTableSelection()
        logic.PropagatePlotChartSelection()

    def onShowErrors(self, *_: Any) -> None:
        """Error of the best classical method | error of the best model."""
        self.logic.showErrorMaps(self.binding.node("figures"))
        self.update()

    def onAdvancedCollapsed(self, collapsed: bool) -> None:
        """Advanced is opened for the first time: let the engine, if it is installed, name the devices."""
        if collapsed or self.device_job is not None or installer.missing(installer.ENHANCE):
            return
        self.device_job = self.logic.devices(blocking=False, changed=self.onDevices)

    def onDevices(self, job: Job[Any]) -> None:
        """The devices are known: show their names in place of the general ones; take away what is not there."""
        if job.state != "done":
            return
        box = self.ui.deviceComboBox
        for value in [value for value in DEVICES if value != "auto"]:
            row = box.findData(value)
            if value in job.result:
                box.setItemText(row, job.result[value]["name"])
            elif self.binding["device"] != value:
                box.removeItem(row)

    # ------------------------------------------------------------ side by side

    def enhancement(self) -> Enhancement | None:
        """The newest result that is still in the scene."""
        found = [self.binding.node(name) for name in ("source", "enhanced", "bicubic")]
        if any(node is None for node in found):
            return None
        return Enhancement(*found, int(found[1].GetAttribute(nodes.PREFIX + "Axis") or 2))

    def onShowBicubic(self, *_: Any) -> None:
        """Bicubic | SR."""
        self._show("bicubic", "enhanced")

    def onShowInput(self, *_: Any) -> None:
        """LR | SR."""
        self._show("source", "enhanced")

    def onShowDifference(self, *_: Any) -> None:
        """SR | SR minus bicubic."""
        if self.binding.node("difference") is None and self.enhancement() is not None:
            result = self.enhancement()
            self.binding.refer("difference", difference(result.enhanced, result.bicubic))
        self._show("enhanced", "difference", same_window=False)

    def _show(self, left: str, right: str, same_window: bool = True) -> None:
        result = self.enhancement()
        if result is None:
            return
        sides = (views.Side(self.binding.node(name), self._label(name)) for name in (left, right))
        self.logic.views.show(*sides, axis=result.axis, same_window=same_window)
        self.update()

    def _label(self, name: str) -> str:
        enhanced = self.binding.node("enhanced")
        grid, scale, model = (enhanced.GetAttribute(nodes.PREFIX + key) for key in ("Grid", "Scale", "Model"))
        grid = grid or f"x{scale}"  # of scenes from before there were other grids
        return {
            "source": "input (LR)",
            "bicubic": f"bicubic {grid}",
            "enhanced": f"SR {grid} ({model})",
            "difference": "SR minus bicubic",
        }[name]

    def onBack(self, *_: Any) -> None:
        """The layout from before."""
        self.logic.views.restore()
        self.update()

    # ------------------------------------------------------------ what the panel shows

    def update(self) -> None:
        """Buttons, bar and words for the state things are in."""
        node, running = self.binding.node("inputVolume"), self.job is not None and self.job.running
        problem = "" if running else self._problem(node)
        self.ui.enhanceButton.text = CANCEL if running else ENHANCE
        self.ui.enhanceButton.enabled = running or not problem
        self.ui.enhanceButton.toolTip = problem or "Make a new volume, sharper in plane; the input stays as it is"
        self.ui.previewButton.enabled = not running and not problem
        unmeasured = problem or (NO_TRUTH if self.settings().sampling.isotropic else "")
        self.ui.measureButton.enabled = not running and not unmeasured
        unfit = unmeasured or self._unfit_for_a_report(node)
        self.ui.saveReportButton.enabled = not running and not unfit
        self.ui.saveReportButton.toolTip = unfit or REPORT
        for group in (self.ui.inputsCollapsibleButton, self.ui.advancedCollapsibleButton):
            group.enabled = not running
        for button in (self.ui.showBicubicButton, self.ui.showInputButton, self.ui.showDifferenceButton):
            button.enabled = self.enhancement() is not None
        self.ui.backButton.enabled = self.logic.views.layouts.away
        self.ui.statusLabel.text = problem or self._status(node)
        self._show_progress(running)
        self._show_summary()
        self._show_page()

    def _problem(self, node: Any) -> str:
        """What keeps Enhance from working, in one sentence; empty where nothing does."""
        settings = self.settings()
        try:
            settings.check(node)
            name = settings.model_for(node)
        except InputError as error:
            return str(error)
        scale = None if settings.sampling.isotropic else settings.scale
        if name not in self.logic.models(scale):
            return f"The model {name} is not there for scale {scale}; choose another model or scale under Advanced."
        return ""

    def _unfit_for_a_report(self, node: Any) -> str:
        """What keeps a report from being written, in one sentence; empty where nothing does."""
        try:
            report_page.check(node)
        except InputError as error:
            return str(error)
        return ""

    def _status(self, node: Any) -> str:
        if self.job is None:
            notes = nodes.warnings(node)
            return f"Note about {node.GetName()}: {'; '.join(notes)}." if notes else ""
        return {
            "running": self.job.progress.text,
            "done": "Done.",
            "failed": self.job.error,
            "cancelled": "Cancelled; the scene is as it was.",
        }[self.job.state]

    def _show_progress(self, running: bool) -> None:
        bar = self.ui.progressBar
        bar.visible = running
        share = self.job.progress.share if running else 0.0
        bar.setMaximum(0 if share is None else 100)  # a maximum of 0 makes a bar that only says "busy"
        bar.setValue(0 if share is None else round(100 * share))

    def _show_summary(self) -> None:
        figures = self.binding.node("figures")
        summary = figures.GetAttribute(nodes.PREFIX + "Summary") if figures is not None else None
        self.ui.showErrorsButton.enabled = figures is not None and quality.error_maps(figures) is not None
        self.ui.qualityLabel.text = summary or "Takes the input volume as the truth, makes it coarse, and restores it."

    def _show_page(self) -> None:
        """A link, which the browser opens."""
        label = self.ui.reportLabel
        label.visible = self.page is not None
        if self.page is not None:
            shown = html.escape(f"{self.page.parent.name}/{self.page.name}")
            label.text = f'Report: <a href="{self.page.as_uri()}">{shown}</a>'
            label.toolTip = str(self.page)


def _first_sentence(model: Any) -> str:
    return type(model).__doc__.strip().split("\n")[0].split(":")[0].split(";")[0].rstrip(".")
