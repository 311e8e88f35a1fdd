"""What the trainings were like: steps, time, and whether a game stayed stable. Copies their curves beside the page.

    python -m benchmarks.curves runs/B-srgan-x2 [runs/...] [--out benchmarks/curves.md]

Each folder is one that `superresolution train` wrote. Curves lie in a folder beside the page, as NAME.csv and NAME.png;
the page is made anew from all that are there.
"""

import argparse
import csv
import shutil
from pathlib import Path

from PIL import Image

from benchmarks.results import table

INTRODUCTION = """# How the trainings went

Written by `python -m benchmarks.curves FOLDER...`; do not edit. Every training is one of a recipe from its seed, in
float32 on CPUs of two cores without bfloat16. *Steps*: of the twin, then of the game. *Minutes*: of the machine, which
did other work too. *Cores*: that the training had; beside one that had one, another training ran on the other. *Gain*:
dB of the head above bicubic on the validation subjects. *Lowest*: in the game; more than 1 dB below the twin would have
stopped it. *Power*: beyond the coarse Nyquist frequency, as a ratio to the truth's. *Apart*: from the twin, RMS in % of
R. *Separation*: how often the discriminator tells a true image from a restored one, in the last epoch; 0.5 is chance.
In D-gan-circle-x2 the game's weight was raised once on the way, to what its recipe has now. *NAME-seed1*: the recipe
again from another seed, cut to 22 minutes (`train NAME --seed 1 --budget 22`), to see whether it is as stable; measured
no further and not shipped. *edsr-x4-2d*, *-25d*: measured, not shipped.
"""
HEAD = ("training", "steps", "minutes", "cores", "gain", "lowest", "power", "apart", "separation", None)


def main() -> None:
    """Copy the curves, then write the page."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("runs", nargs="*", type=Path)
    parser.add_argument("--out", type=Path, default=Path("benchmarks/curves.md"))
    options = parser.parse_args()
    curves = options.out.with_suffix("")
    curves.mkdir(exist_ok=True)
    for run in options.runs:
        shutil.copyfile(run / "curves.csv", curves / f"{run.name}.csv")
        keep(run / "curves.png", curves / f"{run.name}.png")
    options.out.write_text(report(curves), encoding="utf-8")


def keep(picture: Path, path: Path) -> None:
    """A picture of lines in 256 colours: no eye sees it, and it takes a third of the space."""
    image = Image.open(picture).convert("RGB")
    few = image.quantize(method=Image.Quantize.MAXCOVERAGE, dither=Image.Dither.NONE)  # of rare colours, too
    few.save(path, "PNG", optimize=True)


def report(curves: Path) -> str:
    """The page, of all trainings whose curves lie in a folder."""
    rows = [cells(path) for path in sorted(curves.glob("*.csv"))]
    return "\n".join([INTRODUCTION, *table(HEAD, rows)]) + "\n"


def cells(path: Path) -> list[str]:
    """The row of a training, from its curves."""
    with path.open(newline="", encoding="utf-8") as file:
        rows = list(csv.DictReader(file))
    epochs = [row for row in rows if row["seconds"]]
    steps = [int(row["step"]) for row in epochs]
    counts = [step - before for step, before in zip(steps, [0, *steps], strict=False)]
    minutes = sum(float(row["seconds"]) * count for row, count in zip(epochs, counts, strict=True)) / 60
    game = [row for row in epochs if row.get("apart")]
    supervised = [row for row in epochs if not row.get("apart")] or epochs[:1]
    last = epochs[-1]
    cores = " or ".join(sorted({row["threads"] for row in epochs}))
    steps_made = last["step"]
    figures = [_number(last, "gain"), "-", _number(last, "power"), "-", "-"]
    if game:
        twin, begin = max(supervised, key=lambda row: float(row["gain"])), int(supervised[-1]["step"])
        steps_made = f"{begin} + {int(last['step']) - begin}"
        figures = [
            f"{_number(twin, 'gain')}, then {_number(last, 'gain')}",
            f"{min(float(row['gain']) for row in game):.2f}",
            f"{_number(twin, 'power')}, then {_number(last, 'power')}",
            f"{_number(last, 'apart')} %",
            _number(last, "separation"),
        ]
    stopped = [row["note"] for row in rows if row.get("note")]
    name, end = f"[{path.stem}](curves/{path.stem}.png)", "; ".join(stopped) or "to the end"
    return [name, steps_made, f"{minutes:.0f}", cores, *figures, end]


def _number(row: dict[str, str], name: str) -> str:
    return f"{float(row[name]):.2f}" if row.get(name) else "-"


if __name__ == "__main__":
    main()
