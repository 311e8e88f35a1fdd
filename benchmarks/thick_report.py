"""The page of benchmarks/thick.py: losses first, then the means beside every classical method, then every row."""

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


def report(rows: list[Row], reformats: int) -> str:
    """The page."""
    parts = [INTRODUCTION.format(reformats=reformats, bent=BENT)]
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
    ssim = ", ".join(f"{mean(gain(row, f'ssim_{p}') for row in rows):+.3f}" for p in ("coronal", "sagittal"))
    ours, theirs = mean(row["methods"][NETWORK]["stairs"] for row in rows), mean(best(row, "stairs") for row in rows)
    dice = f"{mean(gain(row, 'dice') for row in rows):+.4f}"
    shift = f"{max((row['methods'][NETWORK]['shift'] for row in rows), key=abs):+.3f}"
    ends = [f"{mean(gains):+.2f}", f"{min(gains):+.2f}", ssim, f"{ours:.1f} ({theirs:.1f})", dice, shift]
    return [*_way(rows[0]), str(len(rows)), *figures, *ends]


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
