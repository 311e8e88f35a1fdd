"""Enhance, preview, compare, report: what the panel and the Python console call. Needs no panel.

    logic = slicer.util.getModuleLogic("SuperResolution")
    srNode = logic.enhance(slicer.util.getNode("MRHead"), model="mri-x2")
    table = logic.compare(node, degradation="k_space", scale=2, methods=["bicubic", "mri-x2"])
    logic.showErrorMaps(table)
    page = logic.saveReport(node, "/home/me/reports")
    folder = logic.saveDICOM(srNode, "/home/me/exports")
    logic.showComparison(bicubicNode, srNode)

Give blocking=False for a job with .progress, .cancel() and .wait() instead of a result.
"""

import json
from collections.abc import Callable, Generator
from dataclasses import dataclass, field, replace
from functools import partial
from pathlib import Path
from typing import Any

import slicer
from slicer.i18n import tr as _
from slicer.ScriptedLoadableModule import ScriptedLoadableModuleLogic

from SuperResolutionLib import __version__
from SuperResolutionLib.errors import InputError
from SuperResolutionLib.files.kinds import kind_named
from SuperResolutionLib.geometry.grid import stacking_axis
from SuperResolutionLib.geometry.sampling import Sampling
from SuperResolutionLib.header import Header
from SuperResolutionLib.methods import meaning, zoo
from SuperResolutionLib.methods.catalogue import default_model
from SuperResolutionLib.methods.method import Runtime
from SuperResolutionLib.physics.degradation import MODELS
from SuperResolutionLib.physics.interpolating import METHODS
from SuperResolutionLib.physics.mixtures import Mixture
from SuperResolutionLib.progress import mapped
from SuperResolutionLib.volume import Volume
from SuperResolutionSlicer import batch, colors, dicom_series, installer, nodes, outlook, quality, report_page, views
from SuperResolutionSlicer.engine_work import INPUT, always, counting, exporting, folder, importing, importing_one
from SuperResolutionSlicer.jobs import Job, Step
from SuperResolutionSlicer.process import running

UNCERTAINTY = "SuperResolution.Uncertainty"  # the role of the node reference from an enhanced volume to its map
OUTPUT = "enhanced.nhdr"  # what the engine makes, in a job's folder
Changed = Callable[[Job[Any]], None]
DEGRADATIONS = [
    name for name, model in MODELS.items() if not isinstance(model, Mixture) and name != "k_space_zero_filled"
]


@dataclass(frozen=True, kw_only=True)
class Settings:
    """What is asked for, as on the command line: enhancing, previewing, measuring and reporting take all of it.

    model: "" for the one made for such scans. sampling: the grid. runtime: where and how. consistent: keep the scan's
    own k-space centre exactly. uncertainty: also make a map. degradation, seed: how Quality makes the volume coarse.
    thickness: of the slices, mm; None for what the volume says, or else as thick as they are apart.
    as_intensities: take the voxels for intensities of an MR scan whatever they look like.
    """

    model: str = ""
    sampling: Sampling = field(default_factory=lambda: Sampling(factor=2))
    runtime: Runtime = field(default_factory=Runtime)
    consistent: bool = False
    uncertainty: bool = False
    degradation: str = "k_space"
    seed: int = 0
    keep_temporary: bool = False
    thickness: float | None = None
    as_intensities: bool = False

    @property
    def scale(self) -> int:
        """How many times finer in plane."""
        return int(self.sampling.factor or 2)

    def check(self, node: Any) -> None:
        """Raise InputError, one sentence, for a node that cannot be enhanced in this way."""
        self.check_intensities(node)
        if self.uncertainty and node.GetClassName() == nodes.TENSORS:
            raise InputError(
                _(
                    "{name} is a tensor volume, and the uncertainty map is one of intensities: switch it off, or "
                    "enhance the diffusion series that the tensors were fitted to."
                ).format(name=node.GetName())
            )

    def check_intensities(self, node: Any) -> None:
        """Raise InputError, one sentence, for a node that is no volume of intensities: masks, phases and such."""
        nodes.check(node)
        if self.as_intensities:
            return
        header = Header(kind=kind_named(node.GetName()))
        meaning.check_intensities(
            replace(nodes.volume_of(node), header=header), _("give Settings(as_intensities=True)")
        )

    def volume_of(self, node: Any) -> Volume:
        """A node as the library's volume, whose slices are as thick as is said here, or as the node knows."""
        return nodes.volume_of(node).with_thickness(self.thickness_of(node))

    def thickness_of(self, node: Any) -> float | None:
        """How thick the slices are, mm; None where nobody says."""
        return self.thickness or nodes.thickness(node)

    def model_for(self, node: Any) -> str:
        """The model that is meant: the chosen one, or the one that suits the volume and the grid."""
        return self.model or default_model(nodes.volume_of(node), self.sampling)

    @property
    def grid(self) -> str:
        """The grid in a word, for the names of volumes."""
        wish = self.sampling
        if wish.isotropic:
            return "isotropic"
        if wish.slice_spacing is not None:
            return f"{wish.slice_spacing:g} mm slices"
        if wish.spacing is not None:
            sizes = wish.spacing if isinstance(wish.spacing, (tuple, list)) else (wish.spacing,)
            return " x ".join(f"{mm:g}" for mm in sizes) + " mm"
        return "x" + " x ".join(f"{factor:g}" for factor in wish.factors or (self.scale,))

    def arguments(self) -> list[str]:
        """The command line's options for the grid, and for where and how networks run: the same for every command."""
        flags = ["--consistent"] if self.consistent else []
        flags += ["--as-intensities"] if self.as_intensities else []
        return [*_grid_arguments(self.sampling), *_runtime_arguments(self.runtime), *flags]


def _grid_arguments(sampling: Sampling) -> list[str]:
    words = ["--plane", sampling.plane]
    if sampling.isotropic:
        return [*words, "--isotropic"]
    if sampling.spacing is not None:
        sizes = sampling.spacing if isinstance(sampling.spacing, (tuple, list)) else (sampling.spacing,)
        return [*words, "--spacing", *(repr(float(mm)) for mm in sizes)]
    if sampling.slice_spacing is not None:
        return [*words, "--slice-spacing", repr(float(sampling.slice_spacing))]
    if sampling.factors is not None:
        return [*words, "--factors", *(repr(float(factor)) for factor in sampling.factors)]
    return [*words, "--scale", f"{sampling.factor or 2:g}"]


def _refining_arguments(sampling: Sampling) -> list[str]:
    """Of the commands that refine a scan; Quality and reports take the whole volume, and make it coarse first."""
    flags = ["--allow-coarser"] if sampling.allow_coarser else []
    return [*flags, *([] if sampling.only is None else ["--slice", str(sampling.only)])]


def _thickness_arguments(settings: Settings, node: Any) -> list[str]:
    """How thick the slices are, where new ones are to come between them."""
    known = settings.thickness_of(node) if settings.sampling.factor is None else None
    return [] if known is None else ["--thickness", repr(float(known))]


def _runtime_arguments(runtime: Runtime) -> list[str]:
    words = ["--device", runtime.device, "--precision", runtime.precision]
    words += ["--threads", str(runtime.threads)] if runtime.threads is not None else []
    return [*words, "--ensemble"] if runtime.ensemble else words


@dataclass(frozen=True)
class Enhancement:
    """What the panel shows side by side: the input, and the enhanced and the interpolated volume on one grid.

    uncertainty: the map on the same grid, or None.
    """

    source: Any
    enhanced: Any
    bicubic: Any
    axis: int
    uncertainty: Any = None


class SuperResolutionLogic(ScriptedLoadableModuleLogic):
    """Starts jobs, and ends them with the scene or with Slicer."""

    def __init__(self) -> None:
        super().__init__()
        self.moduleName = "SuperResolution"  # of the parameter node, in every version of Slicer
        self.views = views.ComparisonViews()
        self._jobs: list[Job[Any]] = []
        self._scene = slicer.mrmlScene
        self._observer = self._scene.AddObserver(self._scene.StartCloseEvent, lambda *_: self.cancelAll())
        slicer.app.connect("aboutToQuit()", self.cancelAll)

    # ------------------------------------------------------------ for the console

    def enhance(
        self,
        node: Any,
        model: str = "",
        scale: int = 2,
        uncertainty: bool = False,
        settings: Settings | None = None,
        blocking: bool = True,
    ) -> Any:
        """A new volume node, sharper than `node`; a Job of it with blocking=False.

        uncertainty: also make a map of how far 8 flips and turns disagree, in 8 x the time; the result then is their
        mean, and refers to the map: srNode.GetNodeReference("SuperResolution.Uncertainty").
        settings: everything that can be set, in place of the three before it.
        Raises InputError (a ValueError) for what cannot be enhanced, JobError where the work fails.
        """
        chosen = settings or Settings(model=model, sampling=Sampling(factor=scale), uncertainty=uncertainty)
        chosen.check(node)
        return self._run(_only(self._enhancing(node, chosen, with_bicubic=False)), installer.ENHANCE, blocking)

    def enhanceAndInterpolate(
        self, node: Any, settings: Settings, blocking: bool = True, changed: Changed | None = None
    ) -> Any:
        """An Enhancement: the sharper volume and bicubic interpolation on the same grid; or a Job of it."""
        settings.check(node)
        return self._run(self._enhancing(node, settings, with_bicubic=True), installer.ENHANCE, blocking, changed)

    def enhanceStudy(
        self, node: Any, settings: Settings | None = None, blocking: bool = True, changed: Changed | None = None
    ) -> Any:
        """Enhance all volumes of a volume's study, or folder, in the subject hierarchy: a Batch; or a Job of it."""
        chosen = settings or Settings()
        works = [(one.GetName(), partial(self._checked, one, chosen)) for one in batch.of_study(node)]
        return self._run(batch.queue(works), installer.ENHANCE, blocking, changed)

    def enhanceSequence(
        self, node: Any, settings: Settings | None = None, blocking: bool = True, changed: Changed | None = None
    ) -> Any:
        """Enhance all items of the sequence that a volume shows, into another sequence: a Batch; or a Job of it."""
        chosen = settings or Settings()
        chosen.check(node)
        browser, sequence = batch.sequence_of(node)
        items = [sequence.GetNthDataNode(n) for n in range(sequence.GetNumberOfDataNodes())]
        label = f"{sequence.GetIndexName()} {{}} {sequence.GetIndexUnit()}".strip()
        works = [
            (label.format(sequence.GetNthIndexValue(n)), partial(self._enhancing_alone, item, chosen))
            for n, item in enumerate(items)
        ]
        name = _name_of(node, chosen).replace(node.GetName(), sequence.GetName(), 1)
        work = batch.collecting(browser, sequence, name, works)
        return self._run(work, installer.ENHANCE, blocking, changed)

    def preview(
        self,
        node: Any,
        settings: Settings | None = None,
        index: int | None = None,
        blocking: bool = True,
        changed: Changed | None = None,
    ) -> Any:
        """An Enhancement of one slice (by default the one on screen), as it would be in the whole result."""
        chosen = settings or Settings()
        chosen.check(node)
        return self._run(
            self._enhancing(node, chosen, with_bicubic=True, index=-1 if index is None else index),
            installer.ENHANCE,
            blocking,
            changed,
        )

    def compare(
        self,
        node: Any,
        degradation: str = "k_space",
        scale: int = 2,
        methods: list[str] | None = None,
        settings: Settings | None = None,
        blocking: bool = True,
    ) -> Any:
        """A table node: `node`, taken as the truth, degraded, restored by every method, and measured.

        Chart, slices and error maps lie beside the table in one folder. methods: classical ones and models;
        by default all classical ones and the blind model of the scale. settings: everything that can be set, in place
        of degradation and scale. A Job of it with blocking=False.
        """
        chosen = settings or Settings(degradation=degradation, sampling=Sampling(factor=scale))
        return self.measure(node, chosen, methods, blocking)

    def measure(
        self,
        node: Any,
        settings: Settings,
        methods: list[str] | None = None,
        blocking: bool = True,
        changed: Changed | None = None,
    ) -> Any:
        """What `compare` gives, as the panel asks for it."""
        settings.check_intensities(node)
        quality.check(node)
        return self._run(self._comparing(node, methods, settings), installer.QUALITY, blocking, changed)

    def showComparison(self, left: Any, right: Any, leftLabel: str = "", rightLabel: str = "") -> None:
        """Two volumes side by side in linked views with one window and level."""
        self.views.show(
            views.Side(left, leftLabel or left.GetName()),
            views.Side(right, rightLabel or right.GetName()),
            _axis_of(left),
        )

    def showErrorMaps(self, table: Any) -> None:
        """Where the best classical method and the best model of a comparison err, side by side, on one scale.

        table: what `compare` gave. Raises InputError where one of the two maps is not there.
        """
        maps = quality.error_maps(table)
        if maps is None:
            raise InputError(
                _("{name} has no error maps of a classical method and of a model; measure again, with both.").format(
                    name=table.GetName()
                )
            )
        sides = (views.Side(node, f"{node.GetAttribute(nodes.PREFIX + 'Method')} minus truth") for node in maps)
        self.views.show(*sides, axis=_axis_of(maps[0]))

    def saveReport(
        self,
        node: Any,
        folder: Path | str,
        settings: Settings | None = None,
        truth: bool = True,
        blocking: bool = True,
        changed: Changed | None = None,
    ) -> Any:
        """The path of an HTML page on `node`, in a new folder inside `folder`; a Job of it with blocking=False.

        truth: take `node` as the truth, make it coarse, and restore it by all classical methods and the model.
        Otherwise enhance it as it is, and ask what can be trusted. Nothing is added to the scene.
        Raises InputError for a volume or a folder that cannot be used, JobError where the work fails.
        """
        report_page.check(node)
        (settings or Settings()).check_intensities(node)
        target = Path(folder).absolute()
        report_page.check_folder(target)
        work = self._reporting(node, target, truth, settings or Settings())
        return self._run(work, installer.REPORT, blocking, changed)

    def saveDICOM(self, node: Any, folder: Path | str, blocking: bool = True, changed: Changed | None = None) -> Any:
        """The folder of a DICOM series, new, inside `folder`, that goes back to the archive of the volume's source.

        node: what `enhance` made of a volume that was loaded from DICOM. A Job of it with blocking=False.
        Raises InputError for another volume or no folder, JobError where the series cannot be written.
        """
        paths, target = dicom_series.source_files(node), dicom_series.free(Path(folder).absolute(), node)
        return self._run(dicom_series.writing(node, paths, target), installer.ENHANCE, blocking, changed)

    def models(self, scale: int | None = None) -> dict[str, zoo.Card]:
        """The cards of the installed models."""
        cards = {name: zoo.read_card(path) for name, path in zoo.installed().items()}
        return {name: card for name, card in cards.items() if scale in (None, card.scale)}

    def devices(self, blocking: bool = True, changed: Changed | None = None) -> Any:
        """The devices that a network can run on here: name -> {"name", "precision"}, found by the engine."""
        return self._run(self._asking(["devices", "--json"], "devices"), installer.ENHANCE, blocking, changed)

    def qualityMethods(self, node: Any, settings: Settings) -> list[str]:
        """What Quality restores by: all classical methods and the chosen model."""
        return [*METHODS, settings.model_for(node)]

    def cancelAll(self) -> None:
        """End every job that runs."""
        for job in list(self._jobs):
            job.cancel()
        self._jobs.clear()

    def close(self) -> None:
        """End every job and stop watching the scene."""
        self.cancelAll()
        self.views.close()
        self._scene.RemoveObserver(self._observer)
        slicer.app.disconnect("aboutToQuit()", self.cancelAll)

    # ------------------------------------------------------------ the work

    def _run(
        self,
        work: Generator[Step, None, Any],
        packages: tuple[str, ...],
        blocking: bool,
        changed: Changed | None = None,
    ) -> Any:
        installer.ensure(packages)
        job: Job[Any] = Job(work, changed, start=not blocking)
        self._jobs = [other for other in self._jobs if other.running] + [job]
        return job.wait() if blocking else job

    def _enhancing(
        self, node: Any, settings: Settings, with_bicubic: bool, index: int | None = None
    ) -> Generator[Step, None, Enhancement]:
        """index: one slice only; below 0, the one on screen."""
        axis = stacking_axis(nodes.volume_of(node), settings.sampling.plane)
        if index is not None:
            shown = index if index >= 0 else _of_the_result(views.slice_on_screen(node, axis), node, settings)
            settings = replace(settings, sampling=replace(settings.sampling, only=shown))
        one = settings.sampling.only is not None
        model = settings.model_for(node)
        name = _name_of(node, settings)
        smooth, unsure = f"{node.GetName()} interpolated {settings.grid}", f"{name} uncertainty"
        if one:
            name, smooth, unsure = f"{name} preview", f"{smooth} preview", f"{unsure} preview"
        with folder(node, settings.keep_temporary) as here:
            source = here / INPUT
            yield from exporting(node, source)
            output = here / OUTPUT
            command = _enhance_command(here, node, settings)
            spread = here / "uncertainty.nhdr"
            command += ["--uncertainty", str(spread)] if settings.uncertainty else []
            yield from mapped(running(command, here), counting("slices"))
            enhanced = yield from importing(output, node, name)
            uncertainty = (yield from importing_one(spread, unsure)) if settings.uncertainty else None
            bicubic = None
            if with_bicubic:
                second = here / "bicubic.nhdr"
                command = ["upsample", str(source), str(second), "--method", "bicubic", "--progress", "json"]
                command += ["--as-intensities"] if settings.as_intensities else []
                command += [*_grid_arguments(settings.sampling), *_refining_arguments(settings.sampling)]
                yield from mapped(running(command, here), always(_("Interpolating, to compare with")))
                bicubic = yield from importing(second, node, smooth)
            record = {**_provenance(output, settings), "Axis": axis}
        if one:
            _remove_previews(node)
            record["PreviewOf"] = node.GetID()
        elif (card := self.models().get(model)) is not None:
            outlook.learn(settings.volume_of(node), settings, card, float(record["Seconds"]))
        nodes.add(enhanced, node, record)
        if bicubic is not None:
            nodes.add(bicubic, node, {**record, "Model": "bicubic interpolation", "ModelSHA256": ""})
        if uncertainty is not None:
            _add_uncertainty(uncertainty, enhanced, node, record)
        return Enhancement(node, enhanced, bicubic, axis, uncertainty)

    def _checked(self, node: Any, settings: Settings) -> Generator[Step, None, Any]:
        """The enhanced volume alone, of a node that is looked at only when its turn comes."""
        settings.check(node)
        return (yield from self._enhancing(node, settings, with_bicubic=False)).enhanced

    def _enhancing_alone(self, node: Any, settings: Settings) -> Generator[Step, None, Any]:
        """The enhanced volume, not in the scene: of a node that need not be in it either."""
        settings.check(node)
        with folder(node, settings.keep_temporary) as here:
            yield from exporting(node, here / INPUT)
            yield from mapped(running(_enhance_command(here, node, settings), here), counting("slices"))
            enhanced = yield from importing(here / OUTPUT, node, _name_of(node, settings))
            record = _provenance(here / OUTPUT, settings)
        for key, value in record.items():
            enhanced.SetAttribute(nodes.PREFIX + key, str(value))
        return enhanced

    def _asking(self, command: list[str], key: str) -> Generator[Step, None, Any]:
        """What the last event of a quick command says under `key`."""
        with folder() as here:
            return (yield from mapped(running(command, here), always(_("Asking the engine"))))[key]

    def _comparing(self, node: Any, methods: list[str] | None, settings: Settings) -> Generator[Step, None, Any]:
        chosen = methods or self.qualityMethods(node, settings)
        with folder(node) as here:
            source, figures, errors = here / INPUT, here / "figures.json", here / "errors"
            yield from exporting(node, source)
            command = ["compare", str(source), "--degradation", settings.degradation, "--seed", str(settings.seed)]
            command += [*settings.arguments(), "--json", str(figures), "--errors", str(errors), "--signed"]
            command += ["--progress", "json", "--methods", *chosen]
            yield from mapped(running(command, here), counting("steps"))
            table = json.loads(figures.read_text(encoding="utf-8"))
            best = quality.best_classical(table)
            shown = [r["method"] for r in table["rows"] if not r["classical"] or r is best or r["method"] == "bicubic"]
            steps = quality.adding(node, table, {method: errors / f"{zoo.label(method)}.nhdr" for method in shown})
            result = yield from mapped(steps, always(_("Making the table")))
        result.SetAttribute(nodes.PREFIX + "Summary", quality.summary(table))
        return result

    def _reporting(self, node: Any, target: Path, truth: bool, settings: Settings) -> Generator[Step, None, Path]:
        name = report_page.file_name(node)
        given = f"{name}.nhdr"
        with folder(node, called=given) as here:
            yield from exporting(node, here / given)
            made = here / "report"
            command = ["study", str(here / given), "--out", str(made), "--models", settings.model_for(node)]
            command += [*settings.arguments(), "--seed", str(settings.seed), "--progress", "json"]
            command += ["--degradations", settings.degradation] if truth else ["--no-truth"]
            yield from mapped(running(command, here), report_page.words)
            return report_page.keep(made, target, name)


def _axis_of(node: Any) -> int:
    """The voxel axis along which a volume's slices are stacked; a made volume remembers the plane."""
    axis = node.GetAttribute(nodes.PREFIX + "Axis")
    return int(axis) if axis else stacking_axis(nodes.volume_of(node))


def _name_of(node: Any, settings: Settings) -> str:
    return f"{node.GetName()} enhanced {settings.grid} ({zoo.label(settings.model_for(node))})"


def _enhance_command(here: Path, node: Any, settings: Settings) -> list[str]:
    """What makes OUTPUT of INPUT, in a job's folder."""
    command = ["enhance", str(here / INPUT), str(here / OUTPUT), "--progress", "json"]
    command += ["--model", settings.model_for(node)]
    command += [*settings.arguments(), *_refining_arguments(settings.sampling)]
    return command + _thickness_arguments(settings, node)


def _of_the_result(index: int, node: Any, settings: Settings) -> int:
    """The slice of the result in the middle of a slice of the volume: there can be several in its place."""
    grids = settings.sampling.finer(nodes.volume_of(node))
    return int((index + 0.5) * grids.factors[grids.axis])


def _provenance(output: Path, settings: Settings) -> dict[str, Any]:
    """What goes into a result's attributes: short, and never anything of the patient."""
    sidecar = json.loads(output.with_suffix(".json").read_text(encoding="utf-8"))
    return {
        "Model": sidecar["model"],
        "ModelSHA256": sidecar["model_sha256"],
        "Scale": sidecar["scale"] or "",
        "Grid": settings.grid,
        "Plane": settings.sampling.plane,
        "Ran": sidecar["ran"],
        "Unusual": "; ".join(sidecar["unusual"]),
        "Seconds": sidecar["seconds"],
        "Version": __version__,
        "Date": sidecar["date"],
        "Use": "research use only",
    }


def _add_uncertainty(node: Any, enhanced: Any, source: Any, record: dict[str, Any]) -> None:
    """Put the map into the scene, black where the network agrees with itself; the enhanced volume refers to it."""
    nodes.place(node, source, {**record, "Operation": "standard deviation of 8 flips and turns"})
    colors.paint(node, colors.perceptual(), 0, colors.reach(slicer.util.arrayFromVolume(node), 99.5))
    enhanced.SetNodeReferenceID(UNCERTAINTY, node.GetID())


def _remove_previews(node: Any) -> None:
    key = nodes.PREFIX + "PreviewOf"
    for kind in nodes.KINDS:
        for old in slicer.util.getNodesByClass(kind):
            if old.GetAttribute(key) == node.GetID():
                slicer.mrmlScene.RemoveNode(old)


def _only(work: Generator[Step, None, Enhancement]) -> Generator[Step, None, Any]:
    """The enhanced volume alone."""
    return (yield from work).enhanced
