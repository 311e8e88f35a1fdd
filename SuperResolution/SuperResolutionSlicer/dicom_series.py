"""The way back to the archive: an enhanced volume as a series derived from the DICOM files that its source came from.

The engine writes it, in its own process. The files are those that Slicer's DICOM database knows for the source.
"""

import json
import os
import shutil
from collections.abc import Generator
from pathlib import Path
from typing import Any

import slicer
from slicer.i18n import tr as _

from SuperResolutionLib.errors import InputError
from SuperResolutionLib.progress import mapped
from SuperResolutionSlicer import nodes
from SuperResolutionSlicer.engine_work import INPUT, always, exporting, folder
from SuperResolutionSlicer.jobs import Step
from SuperResolutionSlicer.process import running
from SuperResolutionSlicer.report_page import file_name, numbered


def source_files(node: Any) -> list[Path]:
    """The DICOM files of the volume that `node` was made of.

    Raises InputError, one sentence, for a volume that was not made here, that holds tensors, whose source did not come
    from DICOM, or whose files are gone.
    """
    if node.GetClassName() == nodes.TENSORS:
        raise InputError(_("{name} holds tensors, and a DICOM series of MR images cannot.").format(name=node.GetName()))
    source = node.GetNodeReference(nodes.SOURCE)
    if source is None:
        raise InputError(_("The volume that {name} was made of is not in the scene.").format(name=node.GetName()))
    uids, database = source.GetAttribute("DICOM.instanceUIDs"), getattr(slicer, "dicomDatabase", None)
    if not uids or database is None:
        raise InputError(
            _("{name} was not loaded from DICOM, so nobody knows whose it is.").format(name=source.GetName())
        )
    paths = [Path(database.fileForInstance(uid) or "") for uid in uids.split()]
    if not all(path.is_file() for path in paths):
        raise InputError(
            _("DICOM files of {name} are no longer there; import them again.").format(name=source.GetName())
        )
    return paths


def writing(node: Any, paths: list[Path], target: Path) -> Generator[Step, None, Path]:
    """Write the series; returns its folder.

    paths: the files that `source_files` found. target: the folder, not there yet.
    """
    with folder(node) as here:
        yield from exporting(node, here / INPUT)
        said = {"model": node.GetAttribute(nodes.PREFIX + "Model")}
        if weights := node.GetAttribute(nodes.PREFIX + "ModelSHA256"):
            said["model_sha256"] = weights
        (here / INPUT).with_suffix(".json").write_text(json.dumps(said), encoding="utf-8")
        yield from gathering(paths, here / "source")
        command = ["archive", str(here / INPUT), str(target), "--dicom-source", str(here / "source")]
        yield from mapped(running([*command, "--progress", "json"], here), always(_("Writing the DICOM series")))
    return target


def gathering(paths: list[Path], place: Path) -> Generator[Step, None, None]:
    """The files in one folder, where there are no others: linked, or copied where that cannot be."""
    place.mkdir()
    for number, path in enumerate(dict.fromkeys(paths)):
        copy = place / f"{number:06d}.dcm"
        try:
            os.link(path, copy)
        except OSError:
            shutil.copyfile(path, copy)
            yield Step(None, _("Reading the DICOM files"))


def free(parent: Path, node: Any) -> Path:
    """A folder that is not there yet, and neither is the JSON beside it: NAME-dicom, NAME-dicom-2 ...

    Raises InputError, one sentence, where `parent` is no folder.
    """
    if not parent.is_dir():
        raise InputError(_("There is no folder {folder}; choose one for the series.").format(folder=parent))
    places = numbered(parent / f"{file_name(node)}-dicom")
    return next(p for p in places if not p.exists() and not p.with_name(f"{p.name}.json").exists())
