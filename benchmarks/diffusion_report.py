"""benchmarks/diffusion.md from the measured rows: gains, gates, the table of work A, and every figure."""

from collections.abc import Callable
from typing import Any

import numpy as np

from SuperResolutionLib.physics.interpolating import METHODS

Rows = dict[str, dict[str, Any]]
HELD_OUT = ("siemens_prisma_20dir", "uih_16dir", "siemens_xa30", "public_sample")
TOO_SMALL = ("uih_16dir",)  # at x4 a picture of 16 x 16: printed, gates nothing
HIGHER = ("psnr", "ssim")
WATCHED = ("signal_ratio", "fa_fluid")  # must not go wrong; smoother is not better
MEASURES = {
    "psnr": ("PSNR", 2),
    "ssim": ("SSIM", 4),
    "fa": ("FA", 4),
    "fa_white": ("FA white", 4),
    "md": ("MD", 4),
    "md_white": ("MD white", 4),
    "angle": ("angle", 2),
    "signal_ratio": ("S/S0", 4),
    "fa_fluid": ("FA fluid", 4),
}
PUBLISHED = (
    ("work A, SR-GAN trained on DTI", 33.84, 0.784),
    ("work A, the same network trained on natural images", 33.79, 0.889),
    ("work A, bicubic", 34.81, 0.889),
)
INTRODUCTION = """# Held-out diffusion

Written by `python -m benchmarks.diffusion --data DIR`; do not edit. No training, tuning or choice of epoch saw these
sites. Each series is the truth; it is degraded in plane, restored, and measured in the head mask (median-Otsu of its
mean b0). *PSNR*: dB over all volumes together, R the 99.9th percentile of the first b0. *SSIM*: 2-D, mean over slices
of which more than 5 % is mask and over volumes. *FA*, *MD*: mean absolute errors of the tensors (DIPY, weighted least
squares), MD in 1e-3 mm2/s; *white*: where the truth's FA exceeds 0.2. *angle*: degrees between the principal
directions, median, where the truth's FA exceeds 0.3. *S/S0*: the median relative change of the signal ratio in
homogeneous regions (the quarter of the mask where b0 changes least), of the volume where it is largest. *FA fluid*:
mean FA (not an error) in cerebrospinal fluid: the truth's MD above 2e-3 mm2/s, two voxels inside the mask. **Best** is
the best of five classical methods (nearest, linear, bicubic, cubic B-spline, sinc) for each measure separately.
"""


def report(rows: Rows, sites: list[str]) -> str:
    """The whole page."""
    models = sorted({key.rpartition("|")[2] for key in rows} - {*METHODS, ""})
    cases = list(dict.fromkeys(tuple(k.split("|")[1:3]) for k in rows if not k.endswith("|") and "|truth|" not in k))
    sites = [site for site in sites if any(key.startswith(f"{site}|") for key in rows)]
    parts = [INTRODUCTION, _gates(rows, sites), _work_a(rows, sites, models)]
    parts += [_case(rows, sites, models, degradation, scale) for degradation, scale in cases]
    return "\n".join(parts)


def best(rows: Rows, site: str, degradation: str, scale: str, measure: str) -> float | None:
    """The best figure of the five classical methods; None until all five are measured."""
    found = [rows.get(f"{site}|{degradation}|{scale}|{method}", {}).get(measure) for method in METHODS]
    if any(value is None for value in found):
        return None
    return max(found) if measure in HIGHER else min(found)


def gain(rows: Rows, site: str, degradation: str, scale: str, model: str, measure: str) -> float | None:
    """How much better a model is than the best: dB or SSIM above it, degrees below it, the share of an error saved."""
    own = rows.get(f"{site}|{degradation}|{scale}|{model}", {}).get(measure)
    other = best(rows, site, degradation, scale, measure)
    if own is None or other is None:
        return None
    if measure in HIGHER:
        return float(own - other)
    return float(other - own) if measure == "angle" else float(1 - own / other)


def _gates(rows: Rows, sites: list[str]) -> str:
    lines = ["## Gates", "", "| gate | figures | |", "|---|---|---|"]
    for degradation, floor in (("k_space", 1.2), ("bicubic", 1.7)):
        where = (rows, sites, degradation, "x2", "dwi-x2")
        lines.append(
            _gate(f"{degradation} x2: PSNR +{floor} dB on each site", *where, "psnr", lambda g, f=floor: min(g) >= f)
        )
        for measure, share in (("md", 0.15), ("fa_white", 0.10)):
            title = f"{degradation} x2: {MEASURES[measure][0]} error {share:.0%} lower in the mean, on none higher"
            lines.append(_gate(title, *where, measure, lambda g, s=share: np.mean(g) >= s and min(g) >= 0))
        lines.append(_gate(f"{degradation} x2: angle larger on none", *where, "angle", lambda g: min(g) >= 0))
    large = [site for site in sites if site not in TOO_SMALL]
    where = (rows, large, "noise_down", "x4", "dwi-x4")
    lines.append(_gate("noise_down x4: PSNR +1.0 dB on each site", *where, "psnr", lambda g: min(g) >= 1.0))
    lines.append(_gate("noise_down x4: SSIM higher on each site", *where, "ssim", lambda g: min(g) > 0))
    return "\n".join([*lines, *_harm(rows, sites)]) + "\n"


def _gate(
    title: str,
    rows: Rows,
    sites: list[str],
    degradation: str,
    scale: str,
    model: str,
    measure: str,
    passes: Callable[[list[float]], bool],
) -> str:
    found = {site: gain(rows, site, degradation, scale, model, measure) for site in sites}
    known = {site: value for site, value in found.items() if value is not None}
    if not known:
        return f"| {model}, {title} | not measured | - |"
    shown = ", ".join(f"{site} {_gain(value, measure)}" for site, value in known.items())
    mean = f"; mean {_gain(float(np.mean(list(known.values()))), measure)}"
    complete = len(known) == len(sites) and set(HELD_OUT) - set(TOO_SMALL) <= set(known)
    verdict = "**passed**" if passes(list(known.values())) else "**FAILED**"
    return f"| {model}, {title} | {shown}{mean} | {verdict}{'' if complete else ' (not all sites)'} |"


def _harm(rows: Rows, sites: list[str]) -> list[str]:
    """The lines that must hold for dwi-x2 and dwi-x4 on every degradation they were measured on."""
    lines = []
    for model in ("dwi-x2", "dwi-x4"):
        own = {k: r for k, r in rows.items() if k.endswith(f"|{model}") and k.split("|")[0] in sites}
        if not own:
            continue
        below = sum(row["below_zero"] for row in own.values())
        lines.append(
            f"| {model}, no voxel below zero where the scan has none | {below} voxels | {_verdict(below == 0)} |"
        )
        worst = max(own, key=lambda k: own[k]["signal_ratio"])
        change = own[worst]["signal_ratio"]
        title = f"{model}, S/S0 in homogeneous regions changes by less than 2 %"
        lines.append(f"| {title} | at most {change:.2%} ({_place(worst)}) | {_verdict(change < 0.02)} |")
        fluid = [key for key, row in own.items() if row["fa_fluid"] is not None]
        if fluid:
            rises = {key: own[key]["fa_fluid"] - _fluid(rows, key, "truth", "") for key in fluid}
            worst = max(rises, key=lambda k: rises[k])
            sinc = own[worst]["fa_fluid"] - _fluid(rows, worst, worst.split("|")[1], "sinc")
            mean = float(np.mean(list(rises.values())))
            title = f"{model}, FA in cerebrospinal fluid does not rise above the truth's, in the mean"
            shown = f"mean {mean:+.4f}; at most {rises[worst]:+.4f} ({_place(worst)}; {sinc:+.4f} against sinc there)"
            lines.append(f"| {title} | {shown} | {_verdict(mean <= 0)} |")
    return lines


def _fluid(rows: Rows, key: str, degradation: str, method: str) -> float:
    """FA in fluid of another row of the same site and scale."""
    site, _, scale, _ = key.split("|")
    return float(rows[f"{site}|{degradation}|{scale}|{method}"]["fa_fluid"])


def _verdict(passed: bool) -> str:
    return "**passed**" if passed else "**FAILED**"


def _place(key: str) -> str:
    return " ".join(key.split("|")[:2])


def _work_a(rows: Rows, sites: list[str], models: list[str]) -> str:
    """The published table beside ours, in the mean of the sites that are large enough."""
    own = [site for site in sites if site not in TOO_SMALL and best(rows, site, "noise_down", "x4", "psnr") is not None]
    lines = [
        "## Work A: noise, then x4",
        "",
        "Published: means over the slices of two patients, other data and another range, so only the order within each",
        f"half compares. Ours: `noise_down` x4, the mean of {', '.join(own) or 'no site yet'}.",
        "",
        "| method | PSNR | SSIM |",
        "|---|---|---|",
        *(f"| {name} | {psnr:.2f} | {ssim:.3f} |" for name, psnr, ssim in PUBLISHED),
    ]
    for method in ("bicubic", *models):
        found = [rows.get(f"{site}|noise_down|x4|{method}") for site in own]
        if own and all(row is not None for row in found):
            figures = (np.mean([row[measure] for row in found if row]) for measure in HIGHER)
            lines.append("| ours, {} | {:.2f} | {:.3f} |".format(method, *figures))
    if own:
        figures = (np.mean([best(rows, site, "noise_down", "x4", m) or 0 for site in own]) for m in HIGHER)
        lines.append("| ours, best classical of each | {:.2f} | {:.3f} |".format(*figures))
    return "\n".join(lines) + "\n"


def _case(rows: Rows, sites: list[str], models: list[str], degradation: str, scale: str) -> str:
    """Every figure of one degradation, and the gains."""
    lines = [f"## {degradation} {scale}", "", "| site | method | " + " | ".join(t for t, _ in MEASURES.values()) + " |"]
    lines.append("|---" * (len(MEASURES) + 2) + "|")
    for site in sites:
        truth = rows.get(f"{site}|truth|{scale}|")
        shown = [m for m in (*METHODS, *models) if f"{site}|{degradation}|{scale}|{m}" in rows]
        for method in shown:
            row = rows[f"{site}|{degradation}|{scale}|{method}"]
            lines.append(f"| {site} | {method} | " + " | ".join(_cell(row[m], m) for m in MEASURES) + " |")
        if shown and truth and truth["fa_fluid"] is not None:
            lines.append(
                f"| {site} | truth |" + " |" * (len(MEASURES) - 1) + f" {_cell(truth['fa_fluid'], 'fa_fluid')} |"
            )
        for model in (m for m in shown if m not in METHODS):
            gains = {m: gain(rows, site, degradation, scale, model, m) for m in MEASURES if m not in WATCHED}
            cells = [f"**{_gain(g, m)}**" if g is not None else "" for m, g in gains.items()] + [""] * len(WATCHED)
            lines.append(f"| {site} | *{model} against the best* | " + " | ".join(cells) + " |")
    return "\n".join(lines) + "\n"


def _cell(value: float | None, measure: str) -> str:
    return "-" if value is None else f"{value:.{MEASURES[measure][1]}f}"


def _gain(value: float, measure: str) -> str:
    """A gain in the measure's own unit: what is better is positive."""
    if measure == "psnr":
        return f"{value:+.2f} dB"
    return f"{value:+.4f}" if measure == "ssim" else f"{value:+.2f} deg" if measure == "angle" else f"{value:+.1%}"
