"""A BIDS derivatives data set: the names of its files, and the files about it as a whole."""

import json
import os
import time
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Any

from SuperResolutionLib import __version__
from SuperResolutionLib.batch.bids_layout import Found, described, entities
from SuperResolutionLib.batch.job import Job
from SuperResolutionLib.errors import InputError
from SuperResolutionLib.files.output import check_folder, write_files
from SuperResolutionLib.files.provenance import USE
from SuperResolutionLib.files.sidecar import read_table
from SuperResolutionLib.geometry.sampling import Sampling

BIDS_VERSION = "1.10.0"
NAME = "SuperResolution"
CODE = "https://github.com/superresolution/SlicerSuperResolution"
DESCRIPTION = "dataset_description.json"
_LAST = ("res", "den", "label", "desc")  # the entities that end a name, in BIDS's order
_TRIES, _PAUSE = 50, 0.2  # other processes of one data set write the same files first


def check_place(bids: Path, out: Path) -> None:
    """Refuse a place for the results that lies in the data set, outside of its derivatives/, or is no result of ours.

    Raises InputError.
    """
    source, place = bids.resolve(), out.resolve()
    if place == source or (source in place.parents and place.relative_to(source).parts[0] != "derivatives"):
        raise InputError(
            f"{out} lies in the data set {bids}, which is never written into; choose another folder, or "
            f"{bids / 'derivatives' / 'superresolution'}."
        )
    if place == source / "derivatives":
        raise InputError(f"{out} is for several data sets; name one in it: {out / 'superresolution'}.")
    if out.exists() and not out.is_dir():
        raise InputError(f"{out} is a file, and a folder is needed; name another.")
    table = read_table(out / DESCRIPTION)
    if (out / DESCRIPTION).exists() and NAME not in [_name(entry) for entry in table.get("GeneratedBy") or [None]]:
        raise InputError(f"{out} holds another data set ({table.get('Name', 'unnamed')}); name a folder of its own.")


def jobs(bids: Path, out: Path, found: Found, sampling: Sampling) -> list[Job]:
    """A job for each scan. Raises InputError where two scans would have one result.

    bids, out: the folders of the data set and of the results. found: the scans. sampling: the grid that is wanted.
    """
    made: dict[Path, Job] = {}
    for scan in found.scans:
        name = derived_name(scan, resolution_label(sampling))
        relative = scan.relative_to(bids)
        output = out / relative.parent / f"{name}.nii.gz"
        if output in made:
            raise InputError(f"{made[output].source} and {scan} would both become {output}; move one of them away.")
        figure = out / "figures" / f"{name}.png"
        log = out / "logs" / f"{name}.log"
        made[output] = Job(relative.as_posix(), scan, output, log, figure, described(bids, scan))
    return list(made.values())


def derived_name(scan: Path, resolution: str) -> str:
    """The name of a result, without extension: sub-01_T1w is sub-01_res-iso_desc-superres_T1w."""
    pairs, suffix = entities(scan)
    last = {key: value for key, value in pairs if key in _LAST}
    last |= {"res": resolution, "desc": f"{last['desc']}Superres" if "desc" in last else "superres"}
    ordered = [pair for pair in pairs if pair[0] not in _LAST] + [(key, last[key]) for key in _LAST if key in last]
    return "_".join([*(f"{key}-{value}" for key, value in ordered), suffix])


def resolution_label(sampling: Sampling) -> str:
    """What a name says of the grid that was asked for: letters and digits only."""
    if sampling.isotropic:
        return "iso"
    if sampling.slice_spacing is not None:
        return f"slice{_digits(sampling.slice_spacing)}mm"
    if sampling.spacing is not None:
        sizes = sampling.spacing if isinstance(sampling.spacing, tuple) else (sampling.spacing,)
        return "x".join(map(_digits, sizes)) + "mm"
    if sampling.factors is not None:
        return "x" + "x".join(map(_digits, sampling.factors))
    return "x" + _digits(sampling.factor or 2)


def _digits(number: float) -> str:
    return f"{number:.6g}".replace(".", "p")


def write_about(bids: Path, out: Path) -> None:
    """Write what a data set needs as a whole, as far as it is not there: description, README, CHANGES, .bidsignore.

    Other processes may do the same at the same time. Raises InputError where they cannot be written.
    """
    try:
        out.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise InputError(f"The folder {out} cannot be made ({error.strerror or error}); name another.") from error
    check_folder(out)
    texts = {
        DESCRIPTION: json.dumps(_description(bids, out), indent=2) + "\n",
        "README": _README,
        "CHANGES": f"1.0.0 {time.strftime('%Y-%m-%d')}\n  - Made by SuperResolution {__version__}.\n",
        ".bidsignore": _IGNORED,
    }
    for left in reversed(range(_TRIES)):
        missing = {name: text for name, text in texts.items() if not (out / name).exists()}
        if not missing:
            return
        writers: dict[Path, Callable[[Path], None]] = {
            out / name: partial(_write, text) for name, text in missing.items()
        }
        try:
            write_files(writers)
        except InputError:
            if not left:
                raise
            time.sleep(_PAUSE)


def _write(text: str, path: Path) -> None:
    path.write_text(text, encoding="utf-8")


def _description(bids: Path, out: Path) -> dict[str, Any]:
    source = read_table(bids / DESCRIPTION)
    version = source.get("DatasetVersion") or source.get("Version")
    where = _address(bids, out)
    origin = {"URL": where, "DOI": source.get("DatasetDOI"), "Version": version}
    about = {
        "Name": f"Super-resolution of {source.get('Name') or bids.resolve().name}",
        "BIDSVersion": BIDS_VERSION,
        "DatasetType": "derivative",
        "License": source.get("License"),
        "GeneratedBy": [_generator()],
        "SourceDatasets": [{key: value for key, value in origin.items() if value}],
        "DatasetLinks": {"raw": where},
    }
    return {key: value for key, value in about.items() if value}


def _generator() -> dict[str, Any]:
    made = {"Name": NAME, "Version": __version__, "CodeURL": CODE, "Description": USE}
    kind, tag = os.environ.get("SUPERRESOLUTION_CONTAINER_TYPE"), os.environ.get("SUPERRESOLUTION_CONTAINER_TAG")
    if tag:
        return {**made, "Container": {"Type": kind or "docker", "Tag": tag}}
    return made


def _address(bids: Path, out: Path) -> str:
    """Where the source lies: relative to results that lie in it, so that both can be moved together."""
    source, place = bids.resolve(), out.resolve()
    return os.path.relpath(source, place) if source in place.parents else source.as_uri()


def _name(entry: object) -> str:
    return str(entry.get("Name")) if isinstance(entry, dict) else ""


# BIDS's schema 1.11 has no name yet for the gradients of a derived image with res- and desc-.
_IGNORED = "*.html\nlogs\nfigures\ngroup\n*_dwi.bval\n*_dwi.bvec\n"

_README = f"""SuperResolution derivatives

Images made finer by a trained network (SuperResolution {__version__}, {CODE}).
{USE}

Each image has a JSON beside it: its source, its voxels, the network that made it and its SHA-256, and what was put
back of the scan. logs/ has a text for each scan, figures/ its middle slices before and after, and sub-*.html shows
these for one participant. The licence of the source data set holds for these images as well.
"""
