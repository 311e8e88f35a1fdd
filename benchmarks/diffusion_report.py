"""benchmarks/diffusion.md from the measured rows: gains, gates, the table of work A, and every figure."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np

from benchmarks.results import Row, find, select, table, values
from SuperResolutionLib.physics.interpolating import METHODS

Rows = Sequence[Row]
DENOISED = "MP-PCA + sinc"
CLASSICAL = (*METHODS, DENOISED)
TRUTH = "truth"  # in a model's place: what the series itself shows
HELD_OUT = ("siemens_prisma_20dir", "siemens_prisma_12dir", "uih_16dir", "siemens_xa30", "public_sample")
TOO_SMALL = ("uih_16dir",)  # at x4 a picture of 16 x 16: printed, gates nothing
HIGHER = ("psnr", "ssim", "psnr_weighted")
SIGNED = ("fa_white_bias",)  # better the nearer to 0
WATCHED = ("signal_ratio", "fa_fluid")  # must not go wrong; smoother is not better
MEASURES = {
    "psnr": ("PSNR", 2),
    "psnr_weighted": ("PSNR weighted", 2),
    "ssim": ("SSIM", 4),
    "fa": ("FA", 4),
    "fa_white": ("FA white", 4),
    "fa_white_bias": ("FA white bias", 4),
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
mean b0). *PSNR*: dB over all volumes together, R the 99.9th percentile of the first b0; *weighted*: over the weighted
volumes. *SSIM*: 2-D, mean over slices of which more than 5 % is mask and over volumes. *FA*, *MD*: mean absolute errors
of the tensors (DIPY, weighted least squares), MD in 1e-3 mm2/s; *white*: where the truth's FA exceeds 0.2; *bias*: the
mean signed error, better the nearer to 0 (the truth's own noise raises its FA). *angle*: degrees between the principal
directions, median, where the truth's FA exceeds 0.3. *S/S0*: the median relative change of the signal ratio in
homogeneous regions (the quarter of the mask where b0 changes least), of the volume where it is largest. *FA fluid*:
mean FA (not an error) in cerebrospinal fluid: the truth's MD above 2e-3 mm2/s, two voxels inside the mask. **Best** is
the best of five classical methods (nearest, linear, bicubic, cubic B-spline, sinc) for each measure separately, and
with noise, which is added after coarsening, also of MP-PCA (DIPY; Veraart 2016) followed by sinc.
"""


def report(rows: Rows, sites: list[str]) -> str:
    """The whole page."""
    measured = [row for row in rows if row.model != TRUTH]
    models = sorted({row.model for row in measured} - {*CLASSICAL})
    cases = list(dict.fromkeys((row.degradation, row.scale) for row in measured))
    sites = [site for site in sites if site in values(rows, "scan")]
    parts = [INTRODUCTION, _losses(rows, sites, models, cases), _gates(rows, sites), _work_a(rows, sites, models)]
    parts += [_case(rows, sites, models, degradation, scale) for degradation, scale in cases]
    return "\n".join(parts)


def _losses(rows: Rows, sites: list[str], models: list[str], cases: list[tuple[str, int]]) -> str:
    """Where a diffusion model is worse than the best classical method: the mean of the sites, then single ones."""
    lines = ["## Losses", ""]
    for model in (m for m in models if m.startswith("dwi-")):
        for degradation, scale in cases:
            case = select(rows, degradation=degradation, scale=scale)
            for measure in (m for m in MEASURES if m not in WATCHED):
                found = {site: value for site in sites if (value := gain(case, site, model, measure)) is not None}
                below = [f"{site} {_gain(value, measure)}" for site, value in found.items() if value < 0]
                if below:
                    mean = float(np.mean(list(found.values())))
                    word = "**in the mean, too**" if mean < 0 else "not in the mean"
                    where = f"{model}, {degradation} x{scale}, {MEASURES[measure][0]}"
                    lines.append(f"- {where}: {', '.join(below)}; {word} ({_gain(mean, measure)})")
    return "\n".join([*lines, *(["None."] if len(lines) == 2 else [])]) + "\n"


def best(case: Rows, site: str, measure: str) -> float | None:
    """The best figure of the classical methods; None until the five are measured. case: of one degradation."""
    found = [row for method in CLASSICAL if (row := find(case, scan=site, model=method)) is not None]
    known = [row[measure] for row in found if row[measure] is not None]
    if {*METHODS} - {row.model for row in found} or len(known) < len(METHODS):
        return None
    return max(known) if measure in HIGHER else min(known, key=abs)


def gain(case: Rows, site: str, model: str, measure: str) -> float | None:
    """How much better a model is than the best: dB or SSIM above it, degrees below, nearer to 0, the share of an error.

    case: the rows of one degradation and scale.
    """
    row, other = find(case, scan=site, model=model), best(case, site, measure)
    if row is None or row[measure] is None or other is None:
        return None
    own = row[measure]
    if measure in HIGHER:
        return float(own - other)
    if measure in SIGNED:
        return float(abs(other) - abs(own))
    return float(other - own) if measure == "angle" else float(1 - own / other)


@dataclass(frozen=True)
class Gate:
    """What is asked of a model under one degradation. passes: of its gains, one a site."""

    title: str
    model: str
    degradation: str
    scale: int
    measure: str
    passes: Callable[[list[float]], bool]


def gates() -> list[Gate]:
    """All that is asked."""
    found = []
    for degradation, floor in (("k_space", 1.2), ("bicubic", 1.7)):
        where = ("dwi-x2", degradation, 2)
        title = f"{degradation} x2: PSNR +{floor} dB on each site"
        found.append(Gate(title, *where, "psnr", lambda g, f=floor: min(g) >= f))
        for measure, share in (("md", 0.15), ("fa_white", 0.10)):
            title = f"{degradation} x2: {MEASURES[measure][0]} error {share:.0%} lower in the mean, on none higher"
            found.append(Gate(title, *where, measure, lambda g, s=share: np.mean(g) >= s and min(g) >= 0))
        found.append(Gate(f"{degradation} x2: angle larger on none", *where, "angle", lambda g: min(g) >= 0))
    where = ("dwi-x4", "noise_down", 4)
    found.append(Gate("noise_down x4: PSNR +1.0 dB on each site", *where, "psnr", lambda g: min(g) >= 1.0))
    found.append(Gate("noise_down x4: SSIM higher on each site", *where, "ssim", lambda g: min(g) > 0))
    return found


def _gates(rows: Rows, sites: list[str]) -> str:
    large = [site for site in sites if site not in TOO_SMALL]
    cells = [_gate(gate, rows, sites if gate.scale == 2 else large) for gate in gates()]
    lines = ["## Gates", "", *table(["gate", "figures", None], [*cells, *_harm(rows, sites)])]
    return "\n".join(lines) + "\n"


def _gate(gate: Gate, rows: Rows, sites: list[str]) -> list[str]:
    """The line of a gate."""
    case = select(rows, degradation=gate.degradation, scale=gate.scale)
    found = {site: gain(case, site, gate.model, gate.measure) for site in sites}
    known = {site: value for site, value in found.items() if value is not None}
    if not known:
        return [f"{gate.model}, {gate.title}", "not measured", "-"]
    shown = ", ".join(f"{site} {_gain(value, gate.measure)}" for site, value in known.items())
    mean = f"; mean {_gain(float(np.mean(list(known.values()))), gate.measure)}"
    complete = len(known) == len(sites) and set(HELD_OUT) - set(TOO_SMALL) <= set(known)
    verdict = _verdict(gate.passes(list(known.values())))
    return [f"{gate.model}, {gate.title}", f"{shown}{mean}", f"{verdict}{'' if complete else ' (not all sites)'}"]


def _harm(rows: Rows, sites: list[str]) -> list[list[str]]:
    """The lines that must hold for dwi-x2 and dwi-x4 on every degradation they were measured on."""
    lines = []
    for model in ("dwi-x2", "dwi-x4"):
        own = [row for row in select(rows, model=model) if row.scan in sites]
        if not own:
            continue
        below = sum(row["below_zero"] for row in own)
        title = f"{model}, no voxel below zero where the scan has none"
        lines.append([title, f"{below} voxels", _verdict(below == 0)])
        worst = max(own, key=lambda row: row["signal_ratio"])
        change = worst["signal_ratio"]
        title = f"{model}, S/S0 in homogeneous regions changes by less than 2 %"
        lines.append([title, f"at most {change:.2%} ({_place(worst)})", _verdict(change < 0.02)])
        if fluid := [row for row in own if row["fa_fluid"] is not None]:
            lines.append(_fluid(model, rows, fluid))
    return lines


def _fluid(model: str, rows: Rows, own: list[Row]) -> list[str]:
    """The line on anisotropy where there is none."""
    rises = [row["fa_fluid"] - _other(rows, row, TRUTH)["fa_fluid"] for row in own]
    most = int(np.argmax(rises))
    sinc = own[most]["fa_fluid"] - _other(rows, own[most], "sinc")["fa_fluid"]
    mean = float(np.mean(rises))
    title = f"{model}, FA in cerebrospinal fluid does not rise above the truth's, in the mean"
    shown = f"mean {mean:+.4f}; at most {rises[most]:+.4f} ({_place(own[most])}; {sinc:+.4f} against sinc there)"
    return [title, shown, _verdict(mean <= 0)]


def _other(rows: Rows, row: Row, model: str) -> Row:
    """What another method, or the truth, shows where a row was measured."""
    degradation = "" if model == TRUTH else row.degradation
    (found,) = select(rows, model=model, scan=row.scan, degradation=degradation, scale=row.scale)
    return found


def _verdict(passed: bool) -> str:
    return "**passed**" if passed else "**FAILED**"


def _place(row: Row) -> str:
    return f"{row.scan} {row.degradation}"


def _work_a(rows: Rows, sites: list[str], models: list[str]) -> str:
    """The published table beside ours, in the mean of the sites that are large enough."""
    case = select(rows, degradation="noise_down", scale=4)
    own = [site for site in sites if site not in TOO_SMALL and best(case, site, "psnr") is not None]
    cells = [[name, f"{psnr:.2f}", f"{ssim:.3f}"] for name, psnr, ssim in PUBLISHED]
    for method in ("bicubic", *models):
        found = [find(case, scan=site, model=method) for site in own]
        if own and all(row is not None for row in found):
            psnr, ssim = (float(np.mean([row[measure] for row in found if row])) for measure in HIGHER[:2])
            cells.append([f"ours, {method}", f"{psnr:.2f}", f"{ssim:.3f}"])
    if own:
        psnr, ssim = (float(np.mean([best(case, site, measure) or 0 for site in own])) for measure in HIGHER[:2])
        cells.append(["ours, best classical of each", f"{psnr:.2f}", f"{ssim:.3f}"])
    lines = [
        "## Work A: noise, then x4",
        "",
        "Published: means over the slices of two patients, other data and another range, so only the order within each",
        f"half compares. Ours: `noise_down` x4, the mean of {', '.join(own) or 'no site yet'}.",
        "",
    ]
    return "\n".join([*lines, *table(["method", "PSNR", "SSIM"], cells)]) + "\n"


def _case(rows: Rows, sites: list[str], models: list[str], degradation: str, scale: int) -> str:
    """Every figure of one degradation, and the gains."""
    case = select(rows, degradation=degradation, scale=scale)
    cells: list[list[str | None]] = []
    for site in sites:
        shown = [row for m in (*CLASSICAL, *models) if (row := find(case, scan=site, model=m)) is not None]
        cells += [[site, row.model, *(_cell(row[m], m) for m in MEASURES)] for row in shown]
        truth = find(rows, model=TRUTH, scan=site, scale=scale)
        if shown and truth and truth["fa_fluid"] is not None:
            cells.append([site, TRUTH, *[None] * (len(MEASURES) - 1), _cell(truth["fa_fluid"], "fa_fluid")])
        cells += [_gain_cells(case, site, row.model) for row in shown if row.model not in CLASSICAL]
    head = ["site", "method", *(title for title, _ in MEASURES.values())]
    return "\n".join([f"## {degradation} x{scale}", "", *table(head, cells)]) + "\n"


def _gain_cells(case: Rows, site: str, model: str) -> list[str | None]:
    """A model's gains on one site."""
    gains = {m: gain(case, site, model, m) for m in MEASURES if m not in WATCHED}
    cells = [f"**{_gain(value, m)}**" if value is not None else "" for m, value in gains.items()]
    return [site, f"*{model} against the best*", *cells, *[""] * len(WATCHED)]


def _cell(value: float | None, measure: str) -> str:
    return "-" if value is None else f"{value:.{MEASURES[measure][1]}f}"


def _gain(value: float, measure: str) -> str:
    """A gain in the measure's own unit: what is better is positive."""
    if measure.startswith("psnr"):
        return f"{value:+.2f} dB"
    if measure == "angle":
        return f"{value:+.2f} deg"
    return f"{value:+.4f}" if measure in ("ssim", *SIGNED) else f"{value:+.1%}"
