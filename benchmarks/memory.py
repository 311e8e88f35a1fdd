"""The most memory that `upsample` and `enhance` take, against the size of what they read and write.

    python -m benchmarks.memory [--out benchmarks/memory.md]

Asked is at most input + output + 300 MB, beyond what PyTorch itself takes where a network runs. The inputs are made up:
memory does not depend on what a volume shows. Of a network a few slices are enough, for it works on one after another.
"""

import argparse
import subprocess
import sys
import tempfile
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from benchmarks import results
from benchmarks.results import Row, table
from SuperResolutionLib import files
from SuperResolutionLib.volume import Volume

ALLOWED = 300  # MB beside input, output and PyTorch
MB = 10**6
HEAD = ("command", "input", "input MB", "output MB", "PyTorch MB", "peak MB", "beside them MB")
FIELDS = ("input", "output", "torch", "peak")


@dataclass(frozen=True)
class Case:
    """A command on an input. shape: (z, y, x), or (t, z, y, x); options: what follows INPUT and OUTPUT."""

    options: tuple[str, ...]
    shape: tuple[int, ...]
    network: bool = False

    @property
    def name(self) -> str:
        """The command as it is typed."""
        return " ".join(self.options)


NETWORK = ("--precision", "float32", "--threads", "1")
CASES = (
    Case(("upsample",), (400, 512, 512)),
    Case(("upsample",), (100, 20, 128, 128)),
    Case(("enhance", "--model", "mri-x2", *NETWORK), (3, 512, 512), network=True),
    Case(("enhance", "--model", "mri-x4", *NETWORK), (3, 256, 256), network=True),
    Case(("enhance", "--model", "mri-x2", *NETWORK), (100, 2, 64, 64), network=True),
)


def written(shape: tuple[int, ...], path: Path) -> Path:
    """A scan of that shape as a file, int16; made slice by slice."""
    rng, voxels = np.random.default_rng(0), np.empty(shape, np.int16)
    for index in np.ndindex(shape[:-2]):
        voxels[index] = 1000 * rng.random(shape[-2:])
    files.write(Volume(voxels, (1.5, 1.5, 4.0)), path, overwrite=True)
    return path


# The kernel's own peak of a child begins with the parent's, so it is asked of the process itself, at its end.
SCRIPT = """
import sys
from pathlib import Path
{work}
text = Path("/proc/self/status").read_text()
print("peak", next(line.split()[1] for line in text.splitlines() if line.startswith("VmHWM")))
"""
COMMAND = "from SuperResolutionLib.cli import main\nif main(): raise SystemExit(1)"
IMPORT = "import SuperResolutionLib.methods.network"


def peak(work: str, *arguments: str) -> int:
    """The largest resident size, in bytes, of a Python process that does this work; on Linux."""
    asked = [sys.executable, "-c", SCRIPT.format(work=work), *arguments]
    done = subprocess.run(asked, capture_output=True, text=True, check=True)
    return 1024 * int(done.stdout.split()[-1])


def measured(case: Case, folder: Path) -> dict[str, float]:
    """MB of voxels of the input and the output, of PyTorch with our network code, and at the peak."""
    source, target = folder / "in.nii", folder / "out.nii"
    written(case.shape, source)
    command, *options = case.options
    asked = [command, str(source), str(target), *options, "--overwrite", "--progress", "none"]
    peaked = peak(COMMAND, *asked)
    torch = peak(IMPORT) if case.network else 0
    sizes = [path.stat().st_size for path in (source, target)]
    return dict(zip(FIELDS, (n / MB for n in (*sizes, torch, peaked)), strict=True))


def beside(row: Row) -> float:
    """MB at the peak beside input, output and PyTorch."""
    return float(row["peak"] - row["input"] - row["output"] - row["torch"])


def report(rows: list[Row]) -> str:
    """The page."""
    cells = [[row.model, row.scan, *(f"{row[name]:.0f}" for name in FIELDS), f"{beside(row):.0f}"] for row in rows]
    text = (
        "# Memory of `upsample` and `enhance` on a CPU\n\nWritten by `python -m benchmarks.memory`; do not edit. Asked "
        f"is at most {ALLOWED} MB beside input, output and what PyTorch takes when it is imported.\n\n"
    )
    return text + "\n".join(table(HEAD, cells)) + "\n"


def main() -> int:
    """Measure and write the page; returns 1 where a command takes more than it may."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--out", type=Path, default=Path("benchmarks/memory.md"))
    options = parser.parse_args()
    rows: list[Row] = []
    with tempfile.TemporaryDirectory() as folder:
        for case in CASES:
            size = "x".join(map(str, case.shape[::-1]))
            scale = 4 if "mri-x4" in case.options else 2
            rows.append(Row(case.name, f"{size} int16", "", scale, figures=measured(case, Path(folder))))
            print(rows[-1].model, rows[-1].scan, rows[-1].figures, flush=True)
    results.store(rows, results.beside(options.out))
    options.out.write_text(report(results.load(results.beside(options.out))), encoding="utf-8")
    return 1 if any(beside(row) > ALLOWED for row in rows) else 0


if __name__ == "__main__":
    sys.exit(main())
