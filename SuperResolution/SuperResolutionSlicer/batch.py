"""Several volumes one after the other: all of a study, or all items of a sequence; what fails is listed at the end."""

from collections.abc import Callable, Generator
from dataclasses import dataclass
from typing import Any

import slicer
import vtk
from slicer.i18n import tr as _

from SuperResolutionLib.errors import InputError
from SuperResolutionSlicer import nodes
from SuperResolutionSlicer.jobs import Step

Work = Callable[[], Generator[Step, None, Any]]


@dataclass(frozen=True)
class Batch:
    """made: the results, in order. failed: what of, and why, a sentence each."""

    made: tuple[Any, ...]
    failed: tuple[tuple[str, str], ...]

    @property
    def summary(self) -> str:
        """How many of how many, and what went wrong with the others."""
        total = len(self.made) + len(self.failed)
        words = _("Done: {made} of {total} enhanced.").format(made=len(self.made), total=total)
        return "\n".join([words, *(f"{name}: {why}" for name, why in self.failed)])


def of_study(node: Any) -> list[Any]:
    """The volumes of a volume's study in the subject hierarchy, or of its folder; nothing that was made here.

    Raises InputError for a volume that lies in neither.
    """
    tree, item = nodes.hierarchy(), nodes.item_of(node)
    study = tree.GetItemAncestorAtLevel(item, "Study") or tree.GetItemParent(item)
    if study in (tree.GetInvalidItemID(), tree.GetSceneItemID()):
        raise InputError(
            _("{name} lies in no study; put the volumes into one, or into a folder, in the module Data.").format(
                name=node.GetName()
            )
        )
    found = vtk.vtkIdList()
    tree.GetItemChildren(study, found, True)
    inside = (tree.GetItemDataNode(found.GetId(n)) for n in range(found.GetNumberOfIds()))
    return [one for one in inside if one is not None and one.GetClassName() in nodes.KINDS and not _made_here(one)]


def sequence_of(node: Any) -> tuple[Any, Any]:
    """The browser and the sequence whose item on screen a volume is. Raises InputError where it is none."""
    browser = nodes.browser(node)
    sequence = browser.GetSequenceNode(node) if browser is not None else None
    if sequence is None:
        raise InputError(
            _("{name} is no item of a sequence; choose the volume that a sequence shows.").format(name=node.GetName())
        )
    return browser, sequence


def queue(works: list[tuple[str, Work]]) -> Generator[Step, None, Batch]:
    """Do one after the other. What fails is noted; what was made stays when the rest is cancelled."""
    made, failed = [], []
    for done, (name, start) in enumerate(works):
        before = _("{n} of {total}, {name}").format(n=done + 1, total=len(works), name=name)
        work = start()
        try:
            made.append((yield from _counted(work, done, len(works), before)))
        except InputError as error:
            failed.append((name, str(error)))
    return Batch(tuple(made), tuple(failed))


def collecting(browser: Any, sequence: Any, name: str, works: list[tuple[str, Work]]) -> Generator[Step, None, Batch]:
    """Do one work for each item of a sequence; the results become a sequence that its browser shows in step.

    Nothing is added to the scene before the end.
    """
    batch = yield from queue([(f"{label}", _with_value(n, work)) for n, (label, work) in enumerate(works)])
    if not batch.made:
        return batch
    result = slicer.mrmlScene.AddNewNodeByClass("vtkMRMLSequenceNode", slicer.mrmlScene.GenerateUniqueName(name))
    result.SetIndexName(sequence.GetIndexName())
    result.SetIndexUnit(sequence.GetIndexUnit())
    result.SetIndexType(sequence.GetIndexType())
    for number, node in batch.made:
        result.SetDataNodeAtValue(node, sequence.GetNthIndexValue(number))
    browser.AddSynchronizedSequenceNode(result)
    browser.SetOverwriteProxyName(result, False)
    return Batch(tuple(result.GetNthDataNode(n) for n in range(result.GetNumberOfDataNodes())), batch.failed)


def _with_value(number: int, work: Work) -> Work:
    """The same work, which tells the number of its item beside the result."""

    def numbered() -> Generator[Step, None, Any]:
        return number, (yield from work())

    return numbered


def _counted(work: Generator[Step, None, Any], done: int, total: int, before: str) -> Generator[Step, None, Any]:
    """Progress of one work as progress of all."""
    try:
        while True:
            step = next(work)
            yield Step((done + (step.share or 0.0)) / total, f"{before}: {step.text}")
    except StopIteration as end:
        return end.value
    finally:
        work.close()


def _made_here(node: Any) -> bool:
    return any(node.GetAttribute(nodes.PREFIX + key) for key in ("SourceNodeID", "Operation", "Model"))
