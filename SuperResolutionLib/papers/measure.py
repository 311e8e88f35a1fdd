"""A test scan under a work's degradation: every classical method, the work's networks, ours; plain values come out."""

import time
from collections.abc import Generator, Mapping, Sequence
from dataclasses import asdict
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np

from SuperResolutionLib import files
from SuperResolutionLib.errors import InputError
from SuperResolutionLib.geometry.grid import middle_slices, stacking_axis, stacks
from SuperResolutionLib.geometry.sampling import Sampling
from SuperResolutionLib.intensity import data_range
from SuperResolutionLib.methods import zoo
from SuperResolutionLib.methods.method import Runtime
from SuperResolutionLib.papers.works import Case, Work
from SuperResolutionLib.physics.degradation import degrade
from SuperResolutionLib.physics.frequencies import power_beyond
from SuperResolutionLib.physics.interpolating import METHODS
from SuperResolutionLib.progress import Progress, mapped
from SuperResolutionLib.quality.comparison import Comparison, Experiment, comparing
from SuperResolutionLib.quality.metrics import difference, score, ssim_map
from SuperResolutionLib.study.subjects import Scan
from SuperResolutionLib.volume import Volume

Record = dict[str, Any]
ZERO_FILLED = "LR, zero-filled"


def located(case: Case, folders: Sequence[Path] = ()) -> dict[str, str]:
    """The models of a case that are there, by name: a path in one of the folders, or the name of an installed one."""
    found: dict[str, str] = {}
    for name in (*case.names, *case.ours):
        paths = [path for folder in folders for path in sorted(folder.rglob(f"{name}.safetensors"))]
        if paths or name in zoo.installed():
            found[name] = str(paths[0]) if paths else name
    return found


def measuring(
    work: Work,
    scans: Sequence[Scan],
    folders: Sequence[Path] = (),
    slices: int | None = None,
    runtime: Runtime | None = None,
) -> Generator[Progress, None, list[list[Record]]]:
    """Measure a work's networks: a list for each of its cases, of a record for each scan that it takes, and seed.

    A step is a percent of the whole. folders: of models beside the installed ones. slices: only as many, in the middle
    of each scan. runtime: where and how networks run. Raises InputError where no scan is of the kind it takes.
    work: one of WORKS. scans: those of the test.
    """
    began = time.monotonic()
    tables: list[list[Record]] = [[] for _ in work.cases]
    parts = [
        (case, records, scan, seed)
        for case, records in zip(work.cases, tables, strict=True)
        for scan in scans
        for seed in case.seeds
    ]
    for done, (case, records, scan, seed) in enumerate(parts):
        steps = examining(scan, case, located(case, folders), seed, slices, runtime)
        record = yield from mapped(steps, partial(_share, scan=scan.name, done=done, parts=len(parts), began=began))
        if record is not None:
            records.append(record)
    if not any(tables):
        kind = "diffusion series with b-values" if work.cases[0].diffusion else "single volumes"
        raise InputError(f"Work {work.letter} is measured on {kind}, and --data holds none; name another folder.")
    yield Progress(100, 100, time.monotonic() - began)
    return tables


def _share(event: Progress, scan: str, done: int, parts: int, began: float) -> Progress:
    """An event of one of several parts as percents of the whole."""
    percent = int(100 * (done + event.done / event.total) / parts)
    message = f"{scan}, {event.message}" if event.message else ""
    return Progress(percent, 100, time.monotonic() - began, message)


def examining(
    scan: Scan,
    case: Case,
    models: Mapping[str, str],
    seed: int = 0,
    slices: int | None = None,
    runtime: Runtime | None = None,
) -> Generator[Progress, None, Record | None]:
    """Measure one scan; None where the case does not take it.

    seed: of the noise. slices: only as many, in the middle. runtime: where and how networks run. models: name -> as
    `compare` takes it.
    """
    volume = files.read(scan.path)
    if not case.takes(volume):
        return None
    result = yield from restoring(volume, case, models, seed, slices, runtime)
    return {
        "scan": scan.name,
        "subject": scan.subject,
        "seed": seed,
        "slices": slices,
        "sha256": fingerprints(models),
        "methods": measured(result, case),
    }


def restoring(
    volume: Volume,
    case: Case,
    models: Mapping[str, str],
    seed: int = 0,
    slices: int | None = None,
    runtime: Runtime | None = None,
) -> Generator[Progress, None, Comparison]:
    """The comparison of a case, with the restored volumes.

    volume: the truth. models, seed, slices, runtime: as for `examining`.
    """
    part = middle_slices(volume, stacking_axis(volume), slices)
    experiment = Experiment(
        degradation=case.degradation, sampling=Sampling(factor=case.scale), seed=seed, keep=True, with_tensors=False
    )
    return (yield from comparing(part, experiment, [*METHODS, *models.values()], runtime))


def has_network(case: Case, records: Sequence[Record]) -> bool:
    """Whether one of the case's own networks was measured."""
    return any(name in record["methods"] for record in records for name in case.names)


def common(records: Sequence[Record]) -> set[str]:
    """The methods that every record has figures of."""
    return set.intersection(*(set(record["methods"]) for record in records))


def fingerprints(models: Mapping[str, str]) -> dict[str, str]:
    """The SHA-256 of each model's weights."""
    return {name: zoo.read_card(zoo.find(where)).sha256 for name, where in models.items()}


def measured(result: Comparison, case: Case) -> dict[str, dict[str, float | None]]:
    """Every figure of a comparison whose volumes were kept, by method.

    psnr, psnr_head, ssim: as everywhere. mean_psnr, mean_ssim: as papers have them, see `slice_means`. power: beyond
    the coarse Nyquist frequency, as a ratio to the truth's. rms: the difference to what a network is set against, in
    % of R.
    """
    restored = {zoo.label(row.method): row.restored for row in result.rows if row.restored is not None}
    scores = {zoo.label(row.method): row.score for row in result.rows}
    if case.zero_filled:
        name = f"{case.degradation}_zero_filled"
        low = degrade(result.truth, name, sampling=result.experiment.sampling, seed=result.seed)
        restored[ZERO_FILLED], scores[ZERO_FILLED] = low, score(result.truth, low, result.axis)
    beside = {network.name: restored.get(network.beside) for network in case.networks if network.beside is not None}
    found: dict[str, dict[str, float | None]] = {}
    for name, volume in restored.items():
        mean_psnr, mean_ssim = slice_means(result.truth, volume, result.axis)
        other = beside.get(name)
        found[name] = {
            **asdict(scores[name]),
            "mean_psnr": mean_psnr,
            "mean_ssim": mean_ssim,
            "power": power_ratio(result.truth, volume, result.axis, case.scale),
            "rms": None if other is None else apart(result.truth, volume, other, result.axis),
        }
    return found


def slice_means(truth: Volume, restored: Volume, axis: int) -> tuple[float | None, float | None]:
    """PSNR = 20 log10(MAX / RMSE) and SSIM as papers average them: whole slices, background and all, each counted once.

    MAX is the largest voxel of the 3-D volume: our reading, for no paper gives its value. Slices that show nothing have
    no PSNR and are left out. None where no slice can be measured.
    """
    psnrs, ssims = [], []
    for fine, mended in zip(stacks(truth, axis), stacks(restored, axis), strict=True):
        top = float(fine.max())
        for one, other in zip(fine.astype(np.float64), mended.astype(np.float64), strict=True):
            if np.ptp(one) == 0 or top <= 0:
                continue
            psnrs.append(10 * np.log10(top**2 / (np.square(one - other).mean() + 1e-12 * top**2)))
            if min(one.shape) >= 11:
                ssims.append(ssim_map(one, other, top)[0])
    return (float(np.mean(psnrs)) if psnrs else None, float(np.mean(ssims)) if ssims else None)


def power_ratio(truth: Volume, restored: Volume, axis: int, scale: int) -> float | None:
    """Power beyond the coarse Nyquist frequency, restored over true, all slices together; None where there is none.

    truth, restored: on one grid. axis: slices are stacked along. scale: how many times coarser the scan was.
    """
    own, whole = (sum(power_beyond(stack, scale) for stack in stacks(v, axis)) for v in (restored, truth))
    return own / whole if whole > 0 else None


def apart(truth: Volume, one: Volume, other: Volume, axis: int) -> float:
    """How different two restorations are: the root mean square in % of R; of a series, the mean of its volumes.

    truth: whose R counts. one, other: the restorations. axis: slices are stacked along.
    """
    pairs = zip(*(stacks(v, axis) for v in (truth, one, other)), strict=True)
    return float(np.mean([difference(a, b, data_range(t)) for t, a, b in pairs]))
