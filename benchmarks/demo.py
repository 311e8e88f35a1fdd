"""The demo: thick slices of a real head made thin, then its plane made finer: measured, shown, and compared honestly.

    python -m benchmarks.demo [INPUT]      # or: make demo [INPUT=brain.nii.gz]

Without INPUT a public sample is fetched once. Everything is written into demo/. To be quick,
only a part of a scan is measured; an INPUT is then enhanced as a whole.
"""

import sys
import time
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import numpy as np

from benchmarks import thick_picture
from benchmarks.credits import credit
from benchmarks.sample import sample_scan
from SuperResolutionLib import cli, files
from SuperResolutionLib.api import compare, view
from SuperResolutionLib.errors import InputError
from SuperResolutionLib.geometry.grid import middle_slices, some_slices, stacking_axis, stacks
from SuperResolutionLib.geometry.sampling import Sampling
from SuperResolutionLib.intensity import head
from SuperResolutionLib.physics.interpolating import METHODS
from SuperResolutionLib.quality.comparison import Comparison, Experiment
from SuperResolutionLib.study.figure import comparison_figure
from SuperResolutionLib.volume import SIGNAL, Volume

OUT = Path("demo")
THICK = 4.0  # mm: the slices that are made thin
UPPER = 120.0  # mm below the top of the head: the cerebrum, as a rule
MIDDLE = 24.0  # mm in the middle of these
DETAIL = "Detail: the square where the best classical method errs most."


def main() -> int:
    """Run the demo; returns the exit code."""
    own = Path(sys.argv[1]) if len(sys.argv) > 1 else None
    try:
        scan = own or sample_scan()
        given = files.read(scan)
        if scan.resolve().parent == OUT.resolve():
            raise InputError(f"{scan} lies in {OUT}/, where each demo begins anew; copy it to another folder.")
        clear()
        show(scan.name, given, "" if own else f"Scan: {credit([scan.name])}; no training saw it.")
    except InputError as error:
        print(f"demo: {error}", file=sys.stderr)
        return 2
    return enhance_all(own, given)


def clear() -> None:
    """An OUT without what an earlier demo, perhaps of another scan, has left there."""
    OUT.mkdir(exist_ok=True)
    for kind in ("thick.*", "thick-*.nii.gz", "plane.*", "plane-*.nii.gz", "enhanced.*"):
        for path in OUT.glob(kind):
            path.unlink()


def show(name: str, given: Volume, caption: str) -> None:
    """Both parts, or only the second of a scan whose slices are too thick for the first. caption: of the pictures."""
    upper = below_the_top(given, UPPER)
    if too_thick(given):
        print(f"\n1. {name} has thick slices, so there is no truth to measure how well they are made thin.", flush=True)
    else:
        print(
            f"\n1. {name}: the {UPPER:.0f} mm below the top of the head, taken as the truth, as slices of {THICK:g} mm"
            "\n   show them; made thin again by interpolation, deconvolution and our network. Research use only.\n",
            flush=True,
        )
        thick = Experiment(degradation=f"slices:spacing={THICK:g}", keep=True)
        part("thick", upper, thick, thick_picture.METHODS, caption)
    print(
        f"\n2. The middle {MIDDLE:.0f} mm of these at half the resolution in plane (k-space truncation, axial), made\n"
        "   finer again by five classical methods and by our network.\n",
        flush=True,
    )
    axis = stacking_axis(upper, "axial")
    few = middle_slices(upper, axis, max(1, round(MIDDLE / upper.spacing[axis])))
    part("plane", few, Experiment(sampling=Sampling(factor=2, plane="axial"), keep=True), [*METHODS, "mri-x2"], caption)


def too_thick(volume: Volume) -> bool:
    """Whether the scan's own axial slices are too thick to play the truth of thick ones."""
    return volume.spacing[stacking_axis(volume, "axial")] > THICK / 2


def below_the_top(volume: Volume, mm: float) -> Volume:
    """The axial slices of a scan, or of the first volume of a series, that begin where the head does.

    The head's top is the first slice, from above, that shows a quarter as much head as the fullest.
    """
    voxels = volume.voxels[0] if volume.voxels.ndim == 4 else volume.voxels
    single = replace(volume, voxels=voxels, gradients=None, quantity=SIGNAL)
    axis = stacking_axis(single, "axial")
    shown = head(stacks(single, axis)[0]).mean(axis=(1, 2))
    full = np.flatnonzero(shown >= shown.max() / 4)
    count = min(len(shown), max(1, round(mm / single.spacing[axis])))
    first = full[-1] - count + 1 if single.direction[2, axis] > 0 else full[0]
    return some_slices(single, axis, int(np.clip(first, 0, len(shown) - count)), count)


def part(name: str, truth: Volume, experiment: Experiment, methods: Sequence[str], caption: str) -> None:
    """Measure, print the table, write the picture, the page and the volumes. name: how the files begin."""
    began = time.monotonic()
    result = compare(truth, experiment, methods=methods)
    print(f"{result}\n\n   {verdict(result)}", flush=True)
    if name == "thick":
        thick_picture.draw(result, OUT / "thick.png", caption)
    else:
        comparison_figure(result, OUT / f"{name}.png", f"{DETAIL} {caption}".strip())
    best = [row for row in (result.best_model, result.best_classical) if row is not None and row.restored is not None]
    volumes = {row.method: row.restored for row in best} | {"scan": result.low, "truth": result.truth}
    shown = {kind: volume.cast(truth.voxels.dtype) for kind, volume in volumes.items()}
    for kind, volume in shown.items():
        files.write(volume, OUT / f"{name}-{kind}.nii.gz")
    view(*shown.values(), names=list(shown)).save(OUT / f"{name}.html")
    print(
        f"   {time.monotonic() - began:.0f} s. Look: {(OUT / name).resolve()}.html (space flickers, c is coronal), and"
        f" {OUT}/{name}.png;\n   {', '.join(shown)} lie beside them.",
        flush=True,
    )


def verdict(result: Comparison) -> str:
    """What the table says of the network, loss or gain."""
    ours, best = result.best_model, result.best_classical
    if ours is None or best is None:
        return "Nothing to compare."
    gain = ours.score.psnr_head - best.score.psnr_head
    words = f"{ours.method} is {abs(gain):.2f} dB {'better' if gain >= 0 else 'WORSE'} in the head than {best.method}."
    ssims = {row.method: row.score.ssim for row in result.rows if row.classical and row.score.ssim is not None}
    if ssims and ours.score.ssim is not None and ours.score.ssim < (most := max(ssims.values())):
        name = next(method for method, value in ssims.items() if value == most)
        words += (
            f"\n   But SSIM over the whole image is {most - ours.score.ssim:.4f} BELOW {name}'s."
            "\n   Where the background is noisy, that is why: docs/figures.md."
        )
    return words


def enhance_all(own: Path | None, given: Volume) -> int:
    """Enhance the user's own scan as a whole; of the sample say how. Returns the exit code."""
    wish = ["--isotropic"] if too_thick(given) else ["--plane", "axial"]
    enhanced = OUT / "enhanced.nii.gz"
    if own is None:
        print("\nYour own scan: make demo INPUT=brain.nii.gz, or\n")
        print("   .venv/bin/superresolution enhance flair.nii.gz flair_iso.nii.gz --isotropic    # thick slices")
        print("   .venv/bin/superresolution enhance brain.nii.gz brain_sr.nii.gz                 # a finer plane\n")
        return 0
    print(f"\n3. The whole scan:  superresolution enhance {own.name} {enhanced} {' '.join(wish)}\n", flush=True)
    code = cli.main(["enhance", str(own), str(enhanced), *wish])
    if code == 0:
        view(enhanced, own).save(OUT / "enhanced.html")
        print(f"Look: {(OUT / 'enhanced').resolve()}.html")
    return code


if __name__ == "__main__":
    sys.exit(main())
