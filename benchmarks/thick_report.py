"""The page of benchmarks/thick.py: losses first, then the means beside every classical method, then every row."""

from statistics import mean
from typing import Any

from SuperResolutionLib.physics.interpolating import METHODS

Row = dict[str, dict[str, Any]]
NETWORK = "mri-iso"
CLASSICAL = (*METHODS, "deconvolution")
LOWER = ("stairs",)  # measures of which less is better
COLUMNS = {
    "ds002748": "the site trained on (other people)",
    "uih": "never trained on: T1w of another vendor, with skull",
    "arc": "never trained on: T2w, stroke",
    "openms": "proxy: an axis in the plane of a 2-D stack",
}
INTRODUCTION = """# Thick slices

Written by `python -m benchmarks.thick --data DIR --model FILE`; do not edit. PROTOCOL "Thick slices": each volume is
sliced along one axis, noise (Rician, mean of the head / deviation) is added after slicing, every method restores the
volume's own rows. Scored on the {reformats} reformats in the middle of each volume (all rows, all columns): PSNR in the
head, SSIM on coronal and sagittal slices, *stairs*: the error's power at the slice frequency, 1e-6 R^2. T/S: thickness
and spacing in mm; told: what the header says of the thickness, as a share of the truth. Deconvolution is told the
profile too; nothing else is. "Best": the best classical method of that row and measure.
"""


def best(row: Row, measure: str) -> float:
    """The best classical figure of a row."""
    values = [row[method][measure] for method in CLASSICAL if row[method][measure] is not None]
    return min(values) if measure in LOWER else max(values)


def gain(row: Row, measure: str = "psnr_head") -> float:
    """The network's figure above the best classical one; below it is a loss, whatever the measure."""
    difference = row[NETWORK][measure] - best(row, measure)
    return -difference if measure in LOWER else difference


def column(key: str) -> str:
    """Which column a row belongs to."""
    return next(name for name in COLUMNS if key.startswith(name))


def report(rows: dict[str, Row], reformats: int) -> str:
    """The page."""
    parts = [INTRODUCTION.format(reformats=reformats)]
    done = {key: row for key, row in rows.items() if NETWORK in row}
    if done:
        parts += [_losses(done), *(_means(done, name) for name in COLUMNS)]
    return "\n".join([*parts, _every(rows)]) + "\n"


def _losses(rows: dict[str, Row]) -> str:
    lines = ["## Losses\n"]
    for measure in ("psnr_head", "ssim_coronal", "ssim_sagittal", "stairs"):
        measured = {key: row for key, row in rows.items() if row[NETWORK].get(measure) is not None}
        lost = sorted((gain(row, measure), key) for key, row in measured.items() if gain(row, measure) < 0)
        worst = "; ".join(f"{key.replace('|', ' ')} {value:+.3f}" for value, key in lost[:6])
        lines.append(f"- {measure}: {len(lost)} of {len(measured)} rows below the best classical method. {worst}")
    return "\n".join(lines) + "\n"


def _means(rows: dict[str, Row], name: str) -> str:
    chosen = {key: row for key, row in rows.items() if column(key) == name}
    if not chosen:
        return ""
    ways = list(dict.fromkeys(key.split("|", 1)[1] for key in chosen))
    lines = [
        f"## {name}: {COLUMNS[name]}\n",
        "| T/S | told | profile | SNR | volumes | "
        + " | ".join((*CLASSICAL, NETWORK))
        + " | gain | worst | SSIM cor, sag | stairs |",
        "|" + "---|" * (len(CLASSICAL) + 10),
    ]
    for way in ways:
        found = [row for key, row in chosen.items() if key.split("|", 1)[1] == way]
        figures = [f"{mean(row[m]['psnr_head'] for row in found):.2f}" for m in (*CLASSICAL, NETWORK)]
        gains = [gain(row) for row in found]
        ssim = ", ".join(f"{mean(gain(row, f'ssim_{p}') for row in found):+.3f}" for p in ("coronal", "sagittal"))
        stairs = (
            f"{mean(row[NETWORK]['stairs'] for row in found):.1f} ({mean(best(row, 'stairs') for row in found):.1f})"
        )
        what = " | ".join(way.split("|"))
        ends = f"{mean(gains):+.2f} | {min(gains):+.2f} | {ssim} | {stairs}"
        lines.append(f"| {what} | {len(found)} | {' | '.join(figures)} | {ends} |")
    return "\n".join(lines) + "\n"


def _every(rows: dict[str, Row]) -> str:
    methods = list(dict.fromkeys(method for row in rows.values() for method in row))
    lines = ["## Every row, dB in the head\n", f"| volume | T/S | told | profile | SNR | {' | '.join(methods)} |"]
    lines.append("|" + "---|" * (len(methods) + 5))
    for key, row in sorted(rows.items()):
        figures = [f"{row[m]['psnr_head']:.2f}" if m in row else "" for m in methods]
        lines.append(f"| {' | '.join((*key.split('|'), *figures))} |")
    return "\n".join(lines)
