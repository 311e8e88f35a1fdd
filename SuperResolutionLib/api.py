"""What `import SuperResolutionLib as sr` offers: a Volume, a path or an image of another library in, a Volume out.

The functions check what the command line checks: voxels that are not finite are refused, and what a model has not seen
in training is said through `warnings`.
"""

import warnings
from collections.abc import Callable, Generator, Mapping, Sequence
from pathlib import Path
from typing import Any, TypeVar

from SuperResolutionLib import files
from SuperResolutionLib.errors import InputError
from SuperResolutionLib.files.common import ScanWarning
from SuperResolutionLib.geometry.sampling import Sampling
from SuperResolutionLib.methods import catalogue, checks, classical
from SuperResolutionLib.methods.catalogue import Given
from SuperResolutionLib.methods.meaning import check_continuous, check_intensities
from SuperResolutionLib.methods.method import Method, Restoration, Runtime
from SuperResolutionLib.physics import degradation as forward
from SuperResolutionLib.physics.forward_models import Degradation
from SuperResolutionLib.progress import Progress, finish
from SuperResolutionLib.quality.comparison import Comparison, Experiment, comparing
from SuperResolutionLib.viewing.looking import View, names_of, viewed
from SuperResolutionLib.volume import Volume, check_finite

Show = bool | Callable[[Progress], None] | None
Result = TypeVar("Result")


def as_volume(given: Any) -> Volume:
    """What is given, as a volume whose voxels are all finite.

    given: a Volume, the path of a file or of a DICOM folder, a nibabel or a SimpleITK image.
    Raises InputError for anything else, and for NaN or infinite voxels.
    """
    if isinstance(given, (str, Path)):
        return files.read(given)
    if hasattr(given, "affine") and hasattr(given, "dataobj"):
        given = Volume.from_nibabel(given)
    elif hasattr(given, "GetDirection") and hasattr(given, "GetSpacing"):
        given = Volume.from_sitk(given)
    if not isinstance(given, Volume):
        hint = "Volume.from_numpy(array, spacing)" if hasattr(given, "dtype") else "a Volume, a path or an image"
        raise InputError(f"A {type(given).__name__} is no volume, for it does not say where it lies; give {hint}.")
    check_finite(given.voxels)
    return given


def enhance(
    volume: Any,
    model: Given | None = None,
    *,
    scale: float | None = None,
    sampling: Sampling | None = None,
    runtime: Runtime | None = None,
    progress: Show = None,
) -> Volume:
    """The volume, sharpened by a trained network; same field of view, same voxel type, gradients kept.

    volume: a Volume, a path, a nibabel or SimpleITK image; signals, a diffusion series or tensors.
    model: a name, a .safetensors file, a loaded model, or a Method; by default the one made for such a scan.
    scale: how many times finer in plane, where there are several models.
    sampling: instead of a scale, the grid, the plane, or one slice.
    runtime: where and how: device, precision, threads, ensemble.
    progress: True for a bar, or a function of each `Progress`.
    Raises InputError, one sentence, for what cannot be enhanced or does not exist, and for labels, phases, maps and
    other modalities; `volume.as_intensities()` is enhanced whatever it looks like. `restore` tells more.
    """
    chosen = dict(scale=scale, sampling=sampling, runtime=runtime, progress=progress)
    return restore(volume, model, **chosen).volume  # type: ignore[arg-type]


def restore(
    volume: Any,
    method: Given | None = None,
    *,
    scale: float | None = None,
    sampling: Sampling | None = None,
    runtime: Runtime | None = None,
    progress: Show = None,
) -> Restoration:
    """The whole of what comes of restoring: volume, uncertainty (or None), and how it was done.

    method: as `enhance` takes it, or a classical method's name. The rest is as for `enhance`.
    A network that also tells its uncertainty, or puts nothing back: `restore(v, network(v, uncertainty=True))`.
    volume, scale, sampling, progress: as for `enhance`. runtime: where and how networks run.
    """
    given = as_volume(volume)
    wish = Sampling.of(scale, sampling)
    if runtime is not None and not isinstance(runtime, Runtime):
        raise InputError(f"The runtime is {runtime!r}; give a Runtime, such as Runtime(device='cpu').")
    chosen = catalogue.meant(given, method, wish)
    _check_meaning(given, chosen)
    if not chosen.classical and (raw := checks.unprepared(given)):
        warnings.warn(f"The scan: {raw}.", ScanWarning, stacklevel=2)
    result = _finish(chosen.restore(given, wish, runtime or Runtime()), progress)
    if result.record.unusual:
        odd = "; ".join(result.record.unusual)
        warnings.warn(f"The scan is unlike the training scans: {odd}.", ScanWarning, stacklevel=2)
    return result


def network(
    volume: Any,
    model: str | None = None,
    sampling: Sampling | None = None,
    put_back: str = "auto",
    uncertainty: bool = False,
    denoise: float = 1.0,
) -> Method:
    """A network as a method with its own options.

    model: None for the one that suits the volume. sampling: the grid, which tells the scale.
    put_back: what was measured: "auto", "none" (the network alone), "recognised", "k_space", "series".
    uncertainty: whether to tell how far eight turns disagree. denoise: the share of the scan's noise that is left out,
    from 0 to 1.
    """
    return catalogue.network(as_volume(volume), model, sampling, put_back, uncertainty, denoise)


def denoised(volume: Any, method: Given | None = None, sampling: Sampling | None = None) -> Method:
    """A method that takes the noise out of a diffusion series by MP-PCA (DIPY) before another one restores it.

    `enhance(dwi, denoised(dwi))`. method: which other one; None for the network that suits the volume. A network that
    is not given as a Method puts nothing back, for what is left is not what was measured.
    sampling: the grid, which tells the scale.
    Raises InputError, when it restores, for what is no diffusion series or one of too few volumes, and without DIPY.
    """
    from SuperResolutionLib.methods.denoised import PUT_BACK, Denoised

    return Denoised(catalogue.meant(as_volume(volume), method, sampling or Sampling(), PUT_BACK))


def upsample(
    volume: Any, method: str = "bicubic", scale: float | None = None, *, sampling: Sampling | None = None
) -> Volume:
    """A classical method: nearest, linear, bicubic, bspline or sinc; any factor along any axes.

    scale: how many times finer in plane, 2 where neither it nor `sampling` is given.
    volume: a Volume, a path, or an image of nibabel or SimpleITK.
    Raises InputError for a method that does not exist, or a grid that cannot be had.
    """
    given = as_volume(volume)
    _check_meaning(given, classical.Classical(method))
    return classical.upsample(given, method, scale, sampling=sampling)


def degrade(
    volume: Any,
    degradation: str | Degradation,
    scale: float | None = None,
    *,
    sampling: Sampling | None = None,
    seed: int = 0,
) -> Volume:
    """The volume as a coarser scan of the same head would show it.

    degradation: a forward model, or its name with its numbers: "rician:snr=15".
    scale: how many times coarser in plane, 2 where neither it nor `sampling` is given.
    seed: of noise.
    Raises InputError for a model that does not exist, or a grid that cannot be had.
    """
    given = as_volume(volume)
    check_continuous(given)
    return forward.degrade(given, degradation, scale, sampling=sampling, seed=seed)


def compare(
    volume: Any,
    degradation: str | Degradation | Experiment = "k_space",
    scale: float | None = None,
    *,
    methods: Sequence[Given] | Mapping[str, Given] | None = None,
    runtime: Runtime | None = None,
    progress: Show = None,
) -> Comparison:
    """Degrade a volume, restore it by every method, measure each against it: a table that prints.

    degradation: a forward model, its name, or a whole Experiment (seed, plane, grid, what is measured).
    scale: how many times coarser in plane, 2 where it is not given.
    methods: names of classical methods and models, loaded models, functions of volume and sampling, or name -> any of
        these; by default all classical methods and the model that `enhance` would take.
    runtime: where and how networks run. progress: whether it is shown, or a function that is told.
    Raises InputError for what is no method, and what cannot be degraded.
    """
    experiment, given = Experiment.of(degradation, scale), as_volume(volume)
    check_intensities(given)
    return _finish(comparing(given, experiment, methods, runtime), progress)


def view(
    *volumes: Any,
    names: Sequence[str] | None = None,
    volume: int = 0,
    finest: bool = False,
    whole: bool = False,
) -> View:
    """A page to look through volumes beside each other: shown in a notebook, or written by its `save("page.html")`.

    volumes: Volumes, paths or images, on any grids; all are resampled to the grid of the first.
    names: what the page calls them; by default the files' names, or A, B, C. volume: which one of a series, from 0.
    finest: resample to the grid of the smallest voxels instead. whole: do not crop to the head.
    Raises InputError for none, for another number of names, and for volumes that have no place in common.
    """
    paths = [Path(given) if isinstance(given, (str, Path)) else None for given in volumes]
    known = iter(names_of([path for path in paths if path is not None]))
    usual = [next(known) if path is not None else chr(ord("A") + n % 26) for n, path in enumerate(paths)]
    return viewed([as_volume(given) for given in volumes], usual if names is None else names, volume, finest, whole)


def write_dicom(
    result: Restoration | Volume,
    source: str | Path | Sequence[str | Path],
    folder: str | Path,
    *,
    series: str | None = None,
    method: str = "SuperResolution",
    record: dict[str, Any] | None = None,
) -> None:
    """Write what became of a DICOM series as a series derived from it, which goes back to the archive.

    result: a Restoration, or a Volume in the field of view of the source; or one slice of it.
    source: a folder, a .zip, or all files of the series. series: which one, where the source holds several.
    folder: new, or empty; it gets a file for each slice (MR Image Storage).
    method: by what a plain Volume was made, for the headers. record: what a JSON beside the folder says; None for none.
    Raises InputError, and writes nothing, for another patient's or another place's volume, for a source that lacks
    slices or what every MR image must say, for tensors, for a folder that is not empty, and where the disk refuses.
    """
    from SuperResolutionLib.files.dicom.derived import Derivation, write_series
    from SuperResolutionLib.files.dicom.matching import check_alike, match
    from SuperResolutionLib.files.dicom.series import read_series

    if isinstance(result, Restoration):
        volume, how = result.volume, Derivation(method=result.record.method, model_sha256=result.record.model_sha256)
    else:
        volume, how = as_volume(result), Derivation(method=method)
    given = read_series(source, series)
    check_alike("The volume", match("The volume", volume, given))
    write_series(volume, given, Path(folder), how, record)


def _check_meaning(volume: Volume, method: Method) -> None:
    """Raise InputError for voxels that the method would mix though they are no intensities."""
    if not method.classical:
        check_intensities(volume)
    elif method.name != "nearest":
        check_continuous(volume)


def _finish(work: Generator[Progress, None, Result], progress: Show) -> Result:
    """Run work to its end, with a bar, or telling a function of each event."""
    if not progress:
        return finish(work)
    if callable(progress):
        return finish(work, progress)
    from tqdm.auto import tqdm

    with tqdm() as bar:

        def show(event: Progress) -> None:
            bar.total = event.total
            bar.update(event.done - bar.n)

        return finish(work, show)
