"""benchmarks/scanners.md from the measured rows: losses first, then gains by scanner, certainty, every row."""

from collections.abc import Sequence

import numpy as np

from benchmarks.results import Row, select, table, values

DENOISED = "non-local means + sinc"
NEVER = ("uih_umr770_134434_T1w_1mm", "arc_M2307_T2w_stroke", "prostatex_0001_T2w_tra", "aera15t_adult_FLAIR_tra")
Rows = Sequence[Row]

INTRODUCTION = """# What scanners do, on scanners that no training saw

Written by `python -m benchmarks.scanners --data DIR`; do not edit. The first four scans come from scanners, and with
contrasts or organs, of which nothing was trained on; the others from the sites of the training, from other people. Ten
slices in the middle of each are made coarse in plane; where an SNR stands, Rician noise of its own is added
**afterwards** (mean of the coarse head over the deviation of each channel; three seeds). `partial_fourier` (6/8 of the
lines, cosine taper over the outer 20 %), `elliptic` (Fermi, width 0.05), `t2_star` (T/T2* = 0.7) and `interpolated`
(half of the coarse matrix is measured, the rest filled with zeros) are in no recipe and no recogniser. *Gain*: dB of
`psnr_head` above the **best** of nearest, linear, bicubic, cubic B-spline, sinc and, with noise, non-local means (DIPY,
told the true noise) followed by sinc; *SSIM* likewise, against the best for it. *Detail*: the factor by which the
result's detail beyond the coarse Nyquist frequency comes nearest to the truth's (1 is right, less is too sure).
*Overshoot*: how far, in % of the range, the 99th percentile of the voxels within 2 of an edge (the upper decile of the
truth's gradient) lies outside the truth's 3x3x3 neighbourhood; beside it sinc's. Voxels within 8 of a blanked face are
not scored.
"""


def report(rows: Rows) -> str:
    """The whole page."""
    parts = [INTRODUCTION]
    for model in values(rows, "model"):
        every = select(rows, model=model)
        mine = [row for row in every if "scores" in row]
        parts += [f"\n## {model}\n", _losses(mine), _gains(mine, "psnr_head"), _gains(mine, "ssim"), _certainty(mine)]
        parts.append(_agreement(every))
    return "\n".join(parts)


def table_of_scanners(rows: Rows) -> str:
    """The table for readers: mean gain over the scanners that no training saw, and the worst scanner."""
    degradations = [d for d in values(rows, "degradation") if d]
    cells = []
    for model in values(rows, "model"):
        mine = [row for row in select(rows, model=model) if "scores" in row]
        for figure, name, form in (("psnr_head", "dB", "+.2f"), ("ssim", "SSIM", "+.3f")):
            means = {d: [_mean(mine, d, s, figure) for s in NEVER if s in values(mine, "scan")] for d in degradations}
            shown = (f"{np.mean(means[d]):{form}} ({min(means[d]):{form}})" for d in degradations)
            cells.append([f"{model}, {name}", *shown])
    lines = [
        "Gain over the best classical method (with noise, non-local means and sinc among them) on scanners, contrasts",
        "and organs that no training saw: mean of the scans, the worst one in brackets. Below zero is a loss.",
        "",
    ]
    return "\n".join([*lines, *table(["", *degradations], cells)])


def gain(row: Row, figure: str) -> float:
    """A figure of the model above the best classical method's."""
    scores = row["scores"]
    return float(scores[row.model][figure] - max(s[figure] for name, s in scores.items() if name != row.model))


def _losses(rows: Rows) -> str:
    lines = []
    for figure, sign in (("psnr_head", ".2f"), ("ssim", ".4f")):
        below = [row for row in rows if gain(row, figure) <= 0]
        lines.append(f"{len(below)} of {len(rows)} rows lie below the best classical method in {figure}:\n")
        lines += [f"- {r.scan}, {r.degradation}, seed {r.seed}: {gain(r, figure):+{sign}}" for r in below]
        lines.append("")
    return "\n".join(lines)


def _gains(rows: Rows, figure: str) -> str:
    scans = [scan for scan in NEVER if scan in values(rows, "scan")]
    others = [scan for scan in values(rows, "scan") if scan not in NEVER]
    digits = ".2f" if figure == "psnr_head" else ".3f"
    lines = [f"### {'Gain, dB' if figure == 'psnr_head' else 'SSIM'} above the best classical method", ""]
    cells = []
    for degradation in values(rows, "degradation"):
        found = {scan: _mean(rows, degradation, scan, figure) for scan in (*scans, *others)}
        row = [degradation]
        for group in filter(None, (scans, others)):
            row += [f"**{np.mean([found[s] for s in group]):+{digits}}**", *(f"{found[s]:+{digits}}" for s in group)]
        cells.append(row)
    head = [*(["mean, never seen", *scans] if scans else []), *(["mean, trained sites", *others] if others else [])]
    return "\n".join([*lines, *table(["", *head], cells)]) + "\n"


def _mean(rows: Rows, degradation: str, scan: str, figure: str) -> float:
    found = [gain(row, figure) for row in select(rows, degradation=degradation, scan=scan)]
    return float(np.mean(found)) if found else float("nan")


def _certainty(rows: Rows) -> str:
    lines = ["### Detail (1 is right); overshoot and sinc's, % of the range", ""]
    scans = values(rows, "scan")
    cells = []
    for degradation in values(rows, "degradation"):
        mine = select(rows, degradation=degradation)
        found = [_certain(select(mine, scan=scan)) for scan in scans]
        means = np.nanmean(np.array(found), axis=0)
        cells.append([degradation, *(f"{d:.2f}; {o:.1f}, {sinc:.1f}" for d, o, sinc in (means, *found))])
    return "\n".join([*lines, *table(["", "mean", *scans], cells)]) + "\n"


def _agreement(rows: Rows) -> str:
    """The scans as they are, enhanced and shown again."""
    found = {row.scan: row["agreement"] for row in rows if "agreement" in row}
    if not found:
        return ""
    lines = ["### The scan itself, enhanced and shown again by its likeliest scanner, against the scan (PSNR, dB)", ""]
    names = list(next(iter(found.values())))
    cells = ([scan, *(f"{own[name]:.1f}" for name in names)] for scan, own in found.items())
    return "\n".join([*lines, *table(["scan", *names], cells)]) + "\n"


def _certain(rows: Rows) -> tuple[float, float, float]:
    """Detail, overshoot, and that of sinc: means."""
    if not rows:
        return float("nan"), float("nan"), float("nan")
    own, sinc = ([row["scores"][name] for row in rows] for name in (rows[0].model, "sinc"))
    parts = ([one["detail"] for one in own], *([one["overshoot"] for one in every] for every in (own, sinc)))
    detail, ours, theirs = (float(np.mean(part)) for part in parts)
    return detail, ours, theirs
