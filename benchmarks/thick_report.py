"""The page of benchmarks/thick.py: losses first, then the means beside every classical method, then every row."""

from collections.abc import Sequence
from statistics import mean

from benchmarks.results import Row, select, table, values
from SuperResolutionLib.physics.interpolating import METHODS

NETWORK, BENT = "mri-iso", "mri-x4, bent"
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
head, SSIM on coronal and sagittal slices, *stairs*: the error's power at the slice frequency, 1e-6 R^2, *dice*: the
mean of three classes of intensity, by the truth's own thresholds, *shift*: rows by which the result lies too far along
the slices. T/S: thickness and spacing in mm; told: what the header says of the thickness, as a share of the truth.
Deconvolution is told the profile too; nothing else is. A gain is over the best classical method of that row and
measure. "{bent}": the model for a finer plane on reformats, its surplus removed in k-space, the slices put back.
"""


def best(row: Row, measure: str) -> float:
    """The best classical figure of a row."""
    values = [value for method in CLASSICAL if (value := row["methods"][method][measure]) is not None]
    return min(values) if measure in LOWER else max(values)


def gain(row: Row, measure: str = "psnr_head") -> float:
    """The network's figure above the best classical one; below it is a loss, whatever the measure."""
    difference: float = row["methods"][NETWORK][measure] - best(row, measure)
    return -difference if measure in LOWER else difference


def groups(rows: Sequence[Row]) -> dict[str, list[Row]]:
    """The rows that a figure in the README is the mean of, by what they have in common."""
    right = [row for row in rows if row["told"] == 1 and NETWORK in row["methods"]]
    home = [row for row in right if row.scan.startswith("ds002748")]
    away = [row for row in right if row.scan.startswith(("uih", "arc"))]
    noisy = [row for row in [*home, *away] if row["snr"] == 20]
    return {
        "the site trained on, other people; no noise and SNR 40": [row for row in home if row["snr"] != 20],
        "T1w and T2w of scanners never trained on; no noise and SNR 40": [row for row in away if row["snr"] != 20],
        "all of these, SNR 20": noisy,
    }


def headline(rows: Sequence[Row]) -> dict[str, float]:
    """What the model's card says: mean gains in dB, by group."""
    return {
        f"gain over the best classical, {name}, dB": round(mean(map(gain, found)), 2)
        for name, found in groups(rows).items()
        if found
    }


def readme(rows: Sequence[Row]) -> str:
    """The README's table: mean gains (the worst row in brackets) for each thickness and spacing."""
    pairs = sorted({(row["thickness"], row["spacing"]) for row in rows})
    cells = []
    for name, found in groups(rows).items():
        each = [[gain(row) for row in found if (row["thickness"], row["spacing"]) == pair] for pair in pairs]
        cells.append([name, *(f"{mean(gains):+.2f} ({min(gains):+.2f})" if gains else "-" for gains in each)])
    measured = [row for row in rows if NETWORK in row["methods"]]
    lost = sum(gain(row) < 0 for row in measured)
    lines = [
        "Gain in dB of PSNR over the head above the best classical method, which is deconvolution in most rows and",
        f"knows the slices' profile; worst row in brackets. Of all {len(measured)} rows {lost} are below it.",
        "",
    ]
    return "\n".join([*lines, *table(["thickness / spacing, mm", *(f"{t:g}/{s:g}" for t, s in pairs)], cells)])


def report(rows: list[Row]) -> str:
    """The page."""
    parts = [INTRODUCTION.format(reformats=rows[0].slices if rows else 0, bent=BENT)]
    done = [row for row in rows if NETWORK in row["methods"]]
    if done:
        parts += [_losses(done), *(_means(done, name) for name in COLUMNS)]
    return "\n".join([*parts, _every(rows)]) + "\n"


def _losses(rows: list[Row]) -> str:
    lines = ["## Losses\n"]
    for measure in ("psnr_head", "ssim_coronal", "ssim_sagittal", "stairs", "dice"):
        measured = [row for row in rows if row["methods"][NETWORK].get(measure) is not None]
        lost = sorted((row for row in measured if gain(row, measure) < 0), key=lambda row: gain(row, measure))
        worst = "; ".join(f"{row.scan} {' '.join(_way(row))} {gain(row, measure):+.3f}" for row in lost[:6])
        lines.append(f"- {measure}: {len(lost)} of {len(measured)} rows below the best classical method. {worst}")
    return "\n".join(lines) + "\n"


def _way(row: Row) -> tuple[str, ...]:
    """Thickness/spacing, what the header says, profile, SNR: in cells."""
    noise = str(row["snr"]) if row["snr"] else "none"
    return f"{row['thickness']:g}/{row['spacing']:g}", f"{row['told']:g}", row["profile"], noise


def _means(rows: list[Row], name: str) -> str:
    chosen = [row for row in rows if row.scan.startswith(name)]
    if not chosen:
        return ""
    head = [
        "T/S",
        "told",
        "profile",
        "SNR",
        "volumes",
        *CLASSICAL,
        NETWORK,
        "gain",
        "worst",
        "SSIM cor, sag",
        "stairs",
        "dice",
        "shift",
    ]
    found = [_mean(select(chosen, degradation=way)) for way in values(chosen, "degradation")]
    return "\n".join([f"## {name}: {COLUMNS[name]}\n", *table(head, found)]) + "\n"


def _mean(rows: list[Row]) -> list[str]:
    """The cells of one way of slicing."""
    figures = [f"{mean(row['methods'][m]['psnr_head'] for row in rows):.2f}" for m in (*CLASSICAL, NETWORK)]
    gains = [gain(row) for row in rows]
    ssim = ", ".join(_ssim(rows, f"ssim_{plane}") for plane in ("coronal", "sagittal"))
    ours, theirs = mean(row["methods"][NETWORK]["stairs"] for row in rows), mean(best(row, "stairs") for row in rows)
    dice = f"{mean(gain(row, 'dice') for row in rows):+.4f}"
    shift = f"{max((row['methods'][NETWORK]['shift'] for row in rows), key=abs):+.3f}"
    ends = [f"{mean(gains):+.2f}", f"{min(gains):+.2f}", ssim, f"{ours:.1f} ({theirs:.1f})", dice, shift]
    return [*_way(rows[0]), str(len(rows)), *figures, *ends]


def _ssim(rows: list[Row], measure: str) -> str:
    """The mean gain, where the slices it is measured on show any head."""
    gains = [gain(row, measure) for row in rows if row["methods"][NETWORK][measure] is not None]
    return f"{mean(gains):+.3f}" if gains else "-"


def _every(rows: list[Row]) -> str:
    methods = list(dict.fromkeys(method for row in rows for method in row["methods"]))
    cells = [
        [
            row.scan,
            *_way(row),
            *(f"{row['methods'][m]['psnr_head']:.2f}" if m in row["methods"] else "" for m in methods),
        ]
        for row in sorted(rows, key=lambda row: (row.scan, row.degradation))
    ]
    head = ["volume", "T/S", "told", "profile", "SNR", *methods]
    return "\n".join(["## Every row, dB in the head\n", *table(head, cells)])
