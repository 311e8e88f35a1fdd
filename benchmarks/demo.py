"""The demo: a real head, scanned coarsely (simulated), restored by every method, measured, shown; then enhanced.

    python -m benchmarks.demo [INPUT]      # or: make demo [INPUT=brain.nii.gz]

Without INPUT a public sample is fetched once. Everything is written into demo/.
"""

import sys
import time
from pathlib import Path

from benchmarks.credits import credit
from benchmarks.sample import sample_scan
from SuperResolutionLib import cli, files
from SuperResolutionLib.errors import InputError
from SuperResolutionLib.physics.interpolating import METHODS
from SuperResolutionLib.quality.comparison import compare
from SuperResolutionLib.study.figure import comparison_figure

OUT = Path("demo")


def main() -> int:
    """Run the demo; returns the exit code."""
    own = Path(sys.argv[1]) if len(sys.argv) > 1 else None
    try:
        scan = own or sample_scan()
        truth = files.read(scan)
    except InputError as error:
        print(f"demo: {error}", file=sys.stderr)
        return 2
    OUT.mkdir(exist_ok=True)
    print(
        f"\n1. {scan.name}: taken as the truth, scanned at half the resolution (k-space truncation, axial slices),\n"
        "   restored by five classical methods and by our network. Research use only.\n"
    )
    began = time.monotonic()
    result = compare(truth, "k_space", 2, [*METHODS, "mri-x2"], plane="axial", keep=True)
    print(result)
    if own:
        comparison_figure(result, OUT / "comparison.png")
    else:
        source = f"Scan: {credit([scan.name])}; no training saw it."
        comparison_figure(result, OUT / "comparison.png", source, height=0.7)  # through the brain, above the face
    kept = {"coarse": result.low} | {row.method: row.restored for row in result.rows}
    for name in ("coarse", "bicubic", "mri-x2"):
        files.write(kept[name].cast(truth.voxels.dtype), OUT / f"{name}.nii.gz", overwrite=True)
    print(
        f"\n   {time.monotonic() - began:.0f} s. Picture: {OUT}/comparison.png; coarse, bicubic and mri-x2 beside it."
    )
    enhanced = OUT / "enhanced.nii.gz"
    print(
        f"\n2. The scan itself, twice as fine:  superresolution enhance {scan.name} {enhanced} --plane axial\n",
        flush=True,
    )
    return cli.main(["enhance", str(scan), str(enhanced), "--plane", "axial", "--overwrite"])


if __name__ == "__main__":
    sys.exit(main())
