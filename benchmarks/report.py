"""A study of the structural test volumes and the public sample at each scale, and what to trust without a truth.

    python -m benchmarks.report --data DIR --out DIR [--scales 2 4] [what else `superresolution study` takes]

OUT/x2 and OUT/x4: the scans are the truth, made coarser by k-space truncation and restored by every method and every
installed model of the scale. OUT/trust-x2 and OUT/trust-x4: the sample as it is, enhanced by every such model, in its
middle slices. What is done is not done again.
"""

import argparse
import sys
from pathlib import Path

from benchmarks.credits import credit
from benchmarks.sample import sample_scan
from SuperResolutionLib import cli
from SuperResolutionLib.errors import InputError
from SuperResolutionLib.study.subjects import held_out

SCALES = (2, 4)
TRUSTED = "12"  # slices of the sample, each of which every model restores eight times, at the sample's own resolution


def main() -> int:
    """Write the reports; returns 1 where a scan could not be studied."""
    parser = argparse.ArgumentParser(prog="benchmarks.report", description=__doc__.splitlines()[0])
    parser.add_argument("--data", type=Path, required=True)
    parser.add_argument("--out", type=Path, required=True)
    parser.add_argument("--scales", type=int, nargs="+", default=SCALES)
    options, more = parser.parse_known_args()
    try:
        sample = sample_scan()
        scans = [scan.path for scan in held_out(options.data / "structural")] + [sample]
    except InputError as error:
        print(f"report: {error}", file=sys.stderr)
        return 2
    options.out.mkdir(parents=True, exist_ok=True)
    studies = [(scans, f"x{scale}", scale, []) for scale in options.scales]
    studies += [([sample], f"trust-x{scale}", scale, ["--no-truth", "--slices", TRUSTED]) for scale in options.scales]
    worst = 0
    for inputs, name, scale, own in studies:
        code = _study(inputs, scale, options.out / name, [*own, *more])
        if code not in (0, 1):  # interrupted, or refused
            return code
        worst = max(worst, code)
    return worst


def _study(scans: list[Path], scale: int, out: Path, more: list[str]) -> int:
    """One report, as the command line writes it."""
    given = [
        "--scale",
        str(scale),
        "--models",
        "all",
        "--out",
        str(out),
        "--credit",
        credit(scan.name for scan in scans),
    ]
    return cli.main(["study", *map(str, scans), *given, *more])


if __name__ == "__main__":
    sys.exit(main())
