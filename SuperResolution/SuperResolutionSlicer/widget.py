"""The panel: shows the parameters, starts and cancels jobs, shows what came of them."""

import html
from pathlib import Path
from typing import Any

import qt
import slicer
from slicer.i18n import tr as _
from slicer.ScriptedLoadableModule import ScriptedLoadableModuleWidget
from slicer.util import VTKObservationMixin

from SuperResolutionLib.errors import InputError
from SuperResolutionLib.geometry.sampling import Sampling
from SuperResolutionLib.methods.method import Runtime
from SuperResolutionLib.physics.degradation import MODELS
from SuperResolutionSlicer import colors, dicom_series, installer, nodes, quality, report_page
from SuperResolutionSlicer.batch import Batch
from SuperResolutionSlicer.difference import difference
from SuperResolutionSlicer.jobs import Job
from SuperResolutionSlicer.labels import Layers, Side
from SuperResolutionSlicer.locations import forget, resource
from SuperResolutionSlicer.logic import DEGRADATIONS, UNCERTAINTY, Enhancement, Settings, SuperResolutionLogic
from SuperResolutionSlicer.outlook import IN_PLANE, ISOTROPIC, Outlook, outlook, suitable
from SuperResolutionSlicer.parameters import Binding, first_volume

PLANES = {"native": _("as acquired"), "axial": _("axial"), "coronal": _("coronal"), "sagittal": _("sagittal")}
DEVICES = {"auto": _("automatic"), "cpu": "CPU", "cuda": _("GPU (NVIDIA)"), "mps": _("GPU (Apple)")}
PRECISIONS = {"auto": _("automatic"), "float32": "float32", "bfloat16": "bfloat16", "float16": "float16"}
EVERY_WAY = "2x2x2"
MAKES = {
    IN_PLANE: _("Sharper in plane (2x)"),
    "4": _("Sharper in plane (4x)"),
    ISOTROPIC: _("Thin slices / isotropic"),
    EVERY_WAY: _("Isotropic, 2x in all directions"),
}
THIS, STUDY, SEQUENCE = "volume", "study", "sequence"
WHAT = {THIS: _("this volume"), STUDY: _("all volumes of its study"), SEQUENCE: _("all items of its sequence")}
NO_OVERLAY, ADDED, UNSURE = "", "difference", "uncertainty"
OVERLAYS = {NO_OVERLAY: _("nothing"), ADDED: _("what was added"), UNSURE: _("uncertainty")}
ENHANCE, CANCEL = _("Enhance"), _("Cancel")
TITLE = _("Super Resolution")
AUTOMATIC = _("Automatic (recommended)")
ORANGE = "color: #c05a00"
KEY = "X"
NO_TRUTH = _(
    "Quality makes a scan coarser in plane and measures that; choose a sharper plane, thin slices have no truth here"
)
REPORT = _("A web page on this volume with tables and figures, by the degradation, model, grid and slices chosen here")
DICOM = _("A derived DICOM series of the enhanced volume, in the study of its source, in a new folder: to be archived")
WARNING = _("A network can invent detail: look at what was added before you believe it. Research use only.")


class SuperResolutionWidget(ScriptedLoadableModuleWidget, VTKObservationMixin):
    """The panel of the module."""

    def __init__(self, parent: Any = None) -> None:
        VTKObservationMixin.__init__(self)
        self.logic: SuperResolutionLogic | None = None
        self.job: Job[Any] | None = None
        self.device_job: Job[Any] | None = None
        self.binding: Binding | None = None
        self.page: Path | None = None  # the newest report
        self.shortcut: Any = None
        self._looked: tuple[Any, Outlook] | None = None  # the newest outlook, and what it was of
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
            (self.ui.makeComboBox, MAKES),
            (self.ui.whatComboBox, WHAT),
            (self.ui.planeComboBox, PLANES),
            (self.ui.deviceComboBox, DEVICES),
            (self.ui.precisionComboBox, PRECISIONS),
            (self.ui.overlayComboBox, OVERLAYS),
            (self.ui.degradationComboBox, {name: _first_sentence(MODELS[name]) for name in DEGRADATIONS}),
        ):
            for value, text in choices.items():
                box.addItem(text, value)
        self._fill_models()

    def _fill_models(self, *args: Any) -> None:
        """The models made for use; with a tick also those of published works, which are there to compare with."""
        box = self.ui.modelComboBox
        chosen = box.itemData(box.currentIndex) or ""
        box.blockSignals(True)
        box.clear()
        box.addItem(AUTOMATIC, "")
        for name, card in self.logic.models().items():
            what = card.made_for or f"{card.architecture}, {card.parameters / 1e6:.1f} M weights"
            if not what.startswith("comparison") or self.ui.researchModelsCheckBox.checked or name == chosen:
                box.addItem(f"{name}: {what}", name)
        box.setCurrentIndex(max(0, box.findData(chosen)))
        box.blockSignals(False)

    def _connect_buttons(self) -> None:
        for button, function in (
            (self.ui.enhanceButton, self.onEnhance),
            (self.ui.previewButton, self.onPreview),
            (self.ui.measureButton, self.onMeasure),
            (self.ui.showErrorsButton, self.onShowErrors),
            (self.ui.saveReportButton, self.onSaveReport),
            (self.ui.showInterpolatedButton, self.onShowInterpolated),
            (self.ui.showOriginalButton, self.onShowOriginal),
            (self.ui.showAddedButton, self.onShowAdded),
            (self.ui.flickerButton, self.onFlicker),
            (self.ui.usualViewsButton, self.onUsualViews),
            (self.ui.saveDICOMButton, self.onSaveDICOM),
            (self.ui.backButton, self.onBack),
        ):
            button.connect("clicked(bool)", function)
        self.ui.overlayComboBox.connect("currentIndexChanged(int)", self.onOverlay)
        self.ui.overlaySlider.connect("valueChanged(int)", self.onBlend)
        self.ui.revealCheckBox.connect("toggled(bool)", self.onReveal)
        self.ui.researchModelsCheckBox.connect("toggled(bool)", self._fill_models)
        self.ui.unusualLabel.setStyleSheet(ORANGE)
        self.ui.warningLabel.text = WARNING
        self.ui.advancedCollapsibleButton.connect("contentsCollapsed(bool)", self.onAdvancedCollapsed)

    def useParameterNode(self) -> None:
        """Follow the scene's parameter node; select a volume where none is."""
        self.binding.connect(self.logic.getParameterNode())
        if self.binding.node("inputVolume") is None:
            self.binding.refer("inputVolume", first_volume(nodes.KINDS))

    def enter(self) -> None:
        """The module is opened."""
        self.useParameterNode()
        if self.shortcut is None:
            self.shortcut = qt.QShortcut(qt.QKeySequence(KEY), slicer.util.mainWindow() or self.parent)
            self.shortcut.connect("activated()", self.onFlicker)
        self.shortcut.setEnabled(True)

    def exit(self) -> None:
        """Another module is opened; a job goes on, and our key is free for others."""
        if self.shortcut is not None:
            self.shortcut.setEnabled(False)

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

    def onLayoutChanged(self, *args: Any) -> None:
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
            thickness=float(get("thickness")) or None,
            degradation=get("degradation"),
            seed=int(get("seed")),
            keep_temporary=get("keepTemporary") == "true",
        )

    def _sampling(self) -> Sampling:
        make, plane, apart = self.binding["make"], self.binding["plane"], float(self.binding["sliceSpacing"])
        if make == ISOTROPIC:
            return Sampling(slice_spacing=apart, plane=plane) if apart else Sampling(isotropic=True, plane=plane)
        if make == EVERY_WAY:
            return Sampling(factors=(2.0, 2.0, 2.0), plane=plane)
        return Sampling(factor=int(make), plane=plane)

    def onEnhance(self, *args: Any) -> None:
        """Start, or cancel what runs."""
        if self.job is not None and self.job.running:
            self.job.cancel()
            return
        if self.binding["what"] != THIS:
            logic = self.logic
            many = logic.enhanceStudy if self.binding["what"] == STUDY else logic.enhanceSequence
            self._start(lambda node: many(node, self.settings(), False, self.onBatch))
            return
        self._start(lambda node: self.logic.enhanceAndInterpolate(node, self.settings(), False, self.onEnhanced))

    def onPreview(self, *args: Any) -> None:
        """Enhance the slice on screen."""
        self._start(
            lambda node: self.logic.preview(node, self.settings(), blocking=False, changed=self.onEnhanced),
        )

    def onMeasure(self, *args: Any) -> None:
        """Degrade the volume, restore it, measure."""
        chosen = self.settings()

        def start(node: Any) -> Job[Any]:
            methods = self.logic.qualityMethods(node, chosen)
            return self.logic.measure(node, chosen, methods, blocking=False, changed=self.onMeasured)

        self._start(start)

    def onSaveReport(self, *args: Any) -> None:
        """Ask for a folder, and write a report on the volume into a new one inside it."""
        caption = _("Save the report in a new folder inside this one")
        target = qt.QFileDialog.getExistingDirectory(slicer.util.mainWindow(), caption)
        if not target:
            return
        chosen, truth = self.settings(), self.binding["withoutTruth"] != "true"

        def start(node: Any) -> Job[Path]:
            return self.logic.saveReport(node, target, chosen, truth, blocking=False, changed=self.onReported)

        self._start(start)

    def onSaveDICOM(self, *args: Any) -> None:
        """Ask for a folder, and write the enhanced volume as a DICOM series into a new one inside it."""
        caption = _("Save the DICOM series in a new folder inside this one")
        target = qt.QFileDialog.getExistingDirectory(slicer.util.mainWindow(), caption)
        result = self.enhancement()
        if target and result is not None:
            self._start(lambda _node: self.logic.saveDICOM(result.enhanced, target, False, self.onSavedDICOM))

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
            slicer.util.warningDisplay(str(error), windowTitle=TITLE)
        finally:
            self._starting = False
        self.update()

    def onEnhanced(self, job: Job[Enhancement]) -> None:
        """A step of an enhancement was done; at its end, show the result beside interpolation."""
        if job.state == "done":
            result = job.result
            for name, node in (("source", result.source), ("enhanced", result.enhanced), ("bicubic", result.bicubic)):
                self.binding.refer(name, node)
            self.binding.refer("difference", None)
            qt.QTimer.singleShot(0, self.onShowInterpolated)  # in a step of its own: each is short
        self._after(job)

    def onBatch(self, job: Job[Batch]) -> None:
        """A step of many was done; the summary says at the end what failed."""
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

    def onSavedDICOM(self, job: Job[Path]) -> None:
        """A step of writing a series was done; at its end the status says where it is."""
        self._after(job)

    def _after(self, job: Job[Any]) -> None:
        if job.state == "failed":
            slicer.util.errorDisplay(job.error, windowTitle=TITLE, detailedText=job.log)
        self.update()

    def _show_figures(self, table: Any) -> None:
        """Slicer's own layout with a plot and a table."""
        self.logic.views.layouts.put_up(slicer.vtkMRMLLayoutNode.SlicerLayoutFourUpPlotTableView)
        logic = slicer.app.applicationLogic()  # told after the layout, which makes the views that are told
        logic.GetSelectionNode().SetActiveTableID(table.GetID())
        logic.GetSelectionNode().SetActivePlotChartID(table.GetNodeReferenceID(quality.CHART))
        logic.PropagateTableSelection()
        logic.PropagatePlotChartSelection()

    def onShowErrors(self, *args: Any) -> None:
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
        unsure = found[1].GetNodeReference(UNCERTAINTY)
        return Enhancement(*found, int(found[1].GetAttribute(nodes.PREFIX + "Axis") or 2), unsure)

    def onShowInterpolated(self, *args: Any) -> None:
        """Interpolated | Enhanced."""
        self._show("bicubic", "enhanced")

    def onShowOriginal(self, *args: Any) -> None:
        """Original | Enhanced."""
        self._show("source", "enhanced")

    def onShowAdded(self, *args: Any) -> None:
        """Enhanced | What was added."""
        if self._added() is not None:
            colors.recolor(self._added(), colors.diverging())
            self._show("enhanced", ADDED, same_window=False)

    def onFlicker(self, *args: Any) -> None:
        """Original | Enhanced in the place of Interpolated; from then on exchange these two at every call."""
        views = self.logic.views
        if views.can_flicker:
            views.flicker()
        elif (result := self.enhancement()) is not None:
            right = Layers(self._side("bicubic"), self._side("enhanced"), opacity=1.0)
            views.show(self._side("source"), right, axis=result.axis)
            self.update()

    def onReveal(self, *args: Any) -> None:
        """Original | Interpolated, and around the mouse Enhanced; without the tick as it was."""
        result = self.enhancement()
        if result is None:
            return
        if not self.ui.revealCheckBox.checked:
            self.onShowInterpolated()
            return
        right = Layers(self._side("bicubic"), self._side("enhanced"), revealed=True)
        self.logic.views.show(self._side("source"), right, axis=result.axis)
        self.update()

    def onOverlay(self, *args: Any) -> None:
        """Interpolated | Enhanced, and over the latter what was added, or where the network is unsure."""
        result, kind = self.enhancement(), self.ui.overlayComboBox.itemData(self.ui.overlayComboBox.currentIndex)
        if result is None:
            return
        over = {ADDED: self._added, UNSURE: lambda: result.uncertainty}.get(kind, lambda: None)()
        if over is None:
            self.onShowInterpolated()
            return
        colors.recolor(over, colors.diverging_over() if kind == ADDED else colors.perceptual_over())
        opacity = self.ui.overlaySlider.value / 100
        right = Layers(self._side("enhanced"), self._side(kind, over), see_through=True, opacity=opacity)
        self.logic.views.show(self._side("bicubic"), right, axis=result.axis)
        self.update()

    def onBlend(self, percent: int) -> None:
        """How much of the overlay is seen."""
        self.logic.views.blend(percent / 100)

    def onUsualViews(self, *args: Any) -> None:
        """The enhanced volume in the user's own views."""
        if self.enhancement() is not None:
            self.logic.views.show_as_usual(self.enhancement().enhanced)
            self.update()

    def _added(self) -> Any:
        """The volume of what was added to interpolation, made when it is first asked for; None without a result."""
        result = self.enhancement()
        if self.binding.node(ADDED) is None and result is not None:
            self.binding.refer(ADDED, difference(result.enhanced, result.bicubic))
        return self.binding.node(ADDED)

    def _show(self, left: str, right: str, same_window: bool = True) -> None:
        result = self.enhancement()
        if result is None:
            return
        self._choose_plain()
        self.logic.views.show(self._side(left), self._side(right), axis=result.axis, same_window=same_window)
        self.update()

    def _choose_plain(self) -> None:
        """No overlay, and nothing revealed."""
        box, tick = self.ui.overlayComboBox, self.ui.revealCheckBox
        for widget in (box, tick):
            widget.blockSignals(True)
        box.setCurrentIndex(box.findData(NO_OVERLAY))
        tick.setChecked(False)
        for widget in (box, tick):
            widget.blockSignals(False)

    def _side(self, name: str, node: Any = None) -> Side:
        return Side(node or self.binding.node(name), self._label(name))

    def _label(self, name: str) -> str:
        enhanced = self.binding.node("enhanced")
        grid, scale, model = (enhanced.GetAttribute(nodes.PREFIX + key) for key in ("Grid", "Scale", "Model"))
        grid = grid or f"x{scale}"  # of scenes from before there were other grids
        return {
            "source": _("Original"),
            "bicubic": _("Interpolated, {grid}").format(grid=grid),
            "enhanced": _("Enhanced, {grid} ({model})").format(grid=grid, model=model),
            ADDED: _("What was added: orange brighter, blue darker"),
            UNSURE: _("Where the network is unsure"),
        }[name]

    def onBack(self, *args: Any) -> None:
        """The layout from before."""
        self.logic.views.restore()
        self.update()

    # ------------------------------------------------------------ what the panel shows

    def update(self) -> None:
        """Buttons, bar and words for the state things are in."""
        self._suit()
        node, running = self.binding.node("inputVolume"), self.job is not None and self.job.running
        ahead = Outlook() if running else self._outlook(node)
        problem = ahead.problem
        self.ui.enhanceButton.text = CANCEL if running else ENHANCE
        self.ui.enhanceButton.enabled = running or not problem
        self.ui.enhanceButton.toolTip = problem or _("Make a new volume; the input stays as it is")
        self.ui.previewButton.enabled = not running and not problem
        unmeasured = problem or (NO_TRUTH if self.settings().sampling.factor is None else "")
        self.ui.measureButton.enabled = not running and not unmeasured
        unfit = unmeasured or self._unfit_for_a_report(node)
        self.ui.saveReportButton.enabled = not running and not unfit
        self.ui.saveReportButton.toolTip = unfit or REPORT
        for group in (self.ui.inputsCollapsibleButton, self.ui.advancedCollapsibleButton):
            group.enabled = not running
        thin = self.binding["make"] == ISOTROPIC
        for widget in (self.ui.sliceSpacingLabel, self.ui.sliceSpacingSpinBox, self.ui.thicknessLabel):
            widget.visible = thin
        self.ui.thicknessSpinBox.visible = thin
        if not running:
            name = f"{AUTOMATIC}: {ahead.automatic}" if ahead.automatic else AUTOMATIC
            self.ui.modelComboBox.setItemText(0, name)
        self._show_looking()
        self.ui.planLabel.text = ahead.plan
        self.ui.planLabel.visible = bool(ahead.plan)
        self.ui.statusLabel.text = problem or self._status()
        self._show_unusual(node, ahead)
        self._show_progress(running)
        self._show_summary()
        self._show_page()

    def _suit(self) -> None:
        """For a volume that is chosen newly: make of it what suits it, and believe no other volume's thickness."""
        node = self.binding.node("inputVolume")
        if node is None or self.binding["suits"] == node.GetID():
            return
        self.binding.set("suits", node.GetID())
        try:
            nodes.check(node)
            make = suitable(node)
        except InputError:
            return
        for name, value in (("make", make), ("thickness", "0"), ("sliceSpacing", "0")):
            self.binding.set(name, value)

    def _show_looking(self) -> None:
        result = self.enhancement()
        looking = (self.ui.showInterpolatedButton, self.ui.showOriginalButton, self.ui.showAddedButton)
        for widget in (*looking, self.ui.flickerButton, self.ui.usualViewsButton, self.ui.overlayComboBox):
            widget.enabled = result is not None
        self.ui.revealCheckBox.enabled = result is not None
        self.ui.overlaySlider.enabled = result is not None
        box, row = self.ui.overlayComboBox, self.ui.overlayComboBox.findData(UNSURE)
        there = result is not None and result.uncertainty is not None
        box.setItemText(row, OVERLAYS[UNSURE] if there else _("uncertainty (tick it first)"))
        self.ui.warningLabel.visible = result is not None
        running = self.job is not None and self.job.running
        unfit = "" if running else self._unfit_for_dicom(result)  # looks for every file: not at each step of a job
        self.ui.saveDICOMButton.enabled = not running and not unfit
        self.ui.saveDICOMButton.toolTip = unfit or DICOM
        self.ui.backButton.enabled = self.logic.views.layouts.away

    def _outlook(self, node: Any) -> Outlook:
        """What enhancing would do, looked for again only where volume or settings have changed."""
        settings, cards = self.settings(), self.logic.models()
        image = node.GetImageData() if node is not None else None
        state = (
            None if node is None else (node.GetID(), node.GetMTime(), image and image.GetMTime()),
            settings,
            tuple(cards),
        )
        if self._looked is None or self._looked[0] != state:
            self._looked = state, outlook(node, settings, cards)
        return self._looked[1]

    def _show_unusual(self, node: Any, ahead: Outlook) -> None:
        """Before: what is unusual of the volume. After: what was unusual of the one that was enhanced."""
        found = ahead.unusual
        if self.job is not None and self.job.state == "done" and isinstance(self.job.result, Enhancement):
            said = self.job.result.enhanced.GetAttribute(nodes.PREFIX + "Unusual")
            if self.job.result.source is node and said:
                found = tuple(dict.fromkeys((*found, *said.split("; "))))
        name = node.GetName() if node is not None else ""
        label = self.ui.unusualLabel
        label.text = _("Unusual about {name}: {what}.").format(name=name, what="; ".join(found)) if found else ""
        label.visible = bool(found)

    def _unfit_for_a_report(self, node: Any) -> str:
        """What keeps a report from being written, in one sentence; empty where nothing does."""
        try:
            report_page.check(node)
        except InputError as error:
            return str(error)
        return ""

    def _unfit_for_dicom(self, result: Enhancement | None) -> str:
        """What keeps the result from going back to the archive, in one sentence; empty where nothing does."""
        if result is None:
            return _("There is no enhanced volume yet.")
        try:
            dicom_series.source_files(result.enhanced)
        except InputError as error:
            return str(error)
        return ""

    def _status(self) -> str:
        if self.job is None:
            return ""
        return {
            "running": self.job.progress.text,
            "done": self._done(),
            "failed": self.job.error,
            "cancelled": _("Cancelled; nothing half-finished is left."),
        }[self.job.state]

    def _done(self) -> str:
        result = self.job.result
        if isinstance(result, Batch):
            return result.summary
        if isinstance(result, Path) and result.is_dir():
            return _("DICOM series: {folder}").format(folder=result)
        return _("Done.")

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
        self.ui.qualityLabel.text = summary or _(
            "Takes the input volume as the truth, makes it coarse, and restores it."
        )

    def _show_page(self) -> None:
        """A link, which the browser opens."""
        label = self.ui.reportLabel
        label.visible = self.page is not None
        if self.page is not None:
            shown = html.escape(f"{self.page.parent.name}/{self.page.name}")
            label.text = _("Report:") + f' <a href="{self.page.as_uri()}">{shown}</a>'
            label.toolTip = str(self.page)


def _first_sentence(model: Any) -> str:
    return type(model).__doc__.strip().split("\n")[0].split(":")[0].split(";")[0].rstrip(".")
