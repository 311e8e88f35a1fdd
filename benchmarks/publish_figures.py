"""Put the held-out figures where people read them: the tables of the README and of docs/, and the model cards.

python -m benchmarks.publish_figures     # after benchmarks.heldout, benchmarks.diffusion and benchmarks.papers
"""

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import numpy as np

from benchmarks import diffusion_report, results, scanners_report, thick_report
from benchmarks.heldout_report import HEADLINE, gains, harmed, headline, selected
from benchmarks.papers import records_of
from benchmarks.results import Row
from SuperResolutionLib.methods import zoo
from SuperResolutionLib.papers.table import Line, lines
from SuperResolutionLib.papers.works import WORKS

ROOT = Path(__file__).parent.parent
MEASURED = ("heldout", "scanners", "diffusion", "papers", "thick")
PAGES = ("README.md", *(f"docs/{page.name}" for page in sorted((ROOT / "docs").glob("*.md"))))
MARKS = "<!-- {}: written by benchmarks.publish_figures -->", "<!-- /{} -->"
SERIES = (  # what diffusion models are judged by
    *((way, 2) for way in ("k_space", "bicubic", "partial_fourier", "rician:snr=40", "rician:snr=20")),
    ("noise_down", 4),
)
Rows = Sequence[Row]


def _saved(share: float) -> str:
    """The share of an error that is saved, in words."""
    return f"{abs(share):.1%} {'less' if share >= 0 else 'more'}"


FORMS = {
    "psnr": "{:+.2f}".format,
    "psnr_weighted": "{:+.2f}".format,
    "ssim": "{:+.4f}".format,
    "fa_white": _saved,
    "md": _saved,
    "angle": "{:+.2f}".format,
}


IN_SHORT = {
    "psnr": "PSNR",
    "psnr_weighted": "PSNR of the weighted volumes",
    "ssim": "SSIM",
    "fa_white": "FA in white matter",
    "md": "MD",
    "angle": "fibre directions",
}
IN_WORDS = {"k_space": "without noise", "rician:snr=40": "at SNR 40", "rician:snr=20": "at SNR 20"}


def structural_models() -> dict[str, zoo.Card]:
    """The installed models for any scan; not those of a paper, which were made for one degradation."""
    return {name: card for name, card in _cards().items() if not card.thins and name == zoo.default_name(card.scale)}


def diffusion_models() -> dict[str, zoo.Card]:
    """The installed models for diffusion series."""
    return {name: card for name, card in _cards().items() if card.guides}


def _cards() -> dict[str, zoo.Card]:
    return dict(sorted(zoo.cards().items()))


def table(rows: Rows) -> str:
    """The table of a finer plane: mean gain over the best classical method, per headline degradation, and how often."""
    cells = []
    for name, card in structural_models().items():
        mine = results.select(rows, scale=card.scale)
        everything = selected(mine, structural=True)
        share = f"{len(everything) - len(harmed(mine))} of {len(everything)} rows"
        cells.append([name, *(_headline_cell(mine, name, degradation) for degradation in HEADLINE), share])
    lines = [
        "Gain in dB of PSNR over the head above the best of five classical methods, mean of the structural test",
        "volumes (the worst one in brackets); no training saw their subjects.",
        "",
    ]
    return "\n".join([*lines, *results.table(["model", *HEADLINE, "above the best classical"], cells)])


def _headline_cell(rows: Rows, name: str, degradation: str) -> str:
    values = [gains(row, name)[0] for row in selected(rows, structural=True, degradation=degradation)]
    return f"{np.mean(values):+.2f} ({min(values):+.2f})" if values else "not measured"


def diffusion_table(rows: Rows) -> str:
    """The table of diffusion: each model against the best classical method of each measure, mean of sites."""
    cells = []
    for name in diffusion_models():
        for degradation, scale in SERIES:
            if found := diffusion_gains(rows, name, degradation, scale):
                cells.append([name, degradation, str(len(found["psnr"])), *_cells(found)])
    lines = [
        "Held-out diffusion series, against the best of five classical methods, with noise also of MP-PCA followed by",
        "sinc, for each measure separately: mean of the sites (worst one in brackets). *Weighted*: PSNR of the",
        "weighted volumes alone. FA in white matter and MD: how much smaller the error is; angle: degrees by which",
        "the principal direction is nearer to the truth's.",
        "",
    ]
    head = ["model", "degradation", "sites", "PSNR, dB", "weighted", "SSIM", "FA error", "MD error", "angle"]
    return "\n".join([*lines, *results.table(head, cells)])


def diffusion_words(rows: Rows, model: str = "dwi-x2") -> str:
    """Where a diffusion model loses, then where it wins, in two sentences: what the README says."""
    found = {way: diffusion_gains(rows, model, way, 2) for way in IN_WORDS}
    losses = [
        f"{IN_WORDS[way]} {IN_SHORT[measure]} in {sum(v < 0 for v in values)} (at worst {FORMS[measure](min(values))})"
        for way, gains in found.items()
        for measure, values in gains.items()
        if min(values) < 0
    ]
    wins = [
        f"{IN_WORDS[way]} {np.mean(gains['psnr']):+.2f} dB, error of FA in white matter "
        f"{_saved(float(np.mean(gains['fa_white'])))}, of MD {_saved(float(np.mean(gains['md'])))}"
        for way, gains in found.items()
        if gains
    ]
    count = max(len(gains["psnr"]) for gains in found.values() if gains)
    return (
        f"It loses to the best classical method (with noise also MP-PCA and sinc), of {count} series that no training "
        f"saw: {'; '.join(losses) or 'nowhere'}.\nIt wins in the mean of these: {'; '.join(wins)}."
    )


def diffusion_gains(rows: Rows, model: str, degradation: str, scale: int) -> dict[str, list[float]]:
    """A model's gains by measure, one a site that is measured and large enough; nothing for another scale."""
    if zoo.read_card(zoo.find(model)).scale != scale:
        return {}
    case = results.select(rows, degradation=degradation, scale=scale)
    sites = [s for s in diffusion_report.HELD_OUT if scale == 2 or s not in diffusion_report.TOO_SMALL]
    found = {m: [diffusion_report.gain(case, s, model, m) for s in sites] for m in FORMS}
    known = {m: [value for value in values if value is not None] for m, values in found.items()}
    return known if known["psnr"] else {}


def _cells(found: dict[str, list[float]]) -> list[str]:
    return [f"{form(float(np.mean(found[m])))} ({form(min(found[m]))})" for m, form in FORMS.items()]


def fill(page: str, name: str, text: str) -> str:
    """The page with what lies between the marks of `name` made anew; a page without them as it is."""
    begin, end = (mark.format(name) for mark in MARKS)
    before, found, rest = page.partition(begin)
    _, _, after = rest.partition(end)
    return f"{before}{begin}\n{text}\n{end}{after}" if found else page


def tables(rows: dict[str, Rows]) -> dict[str, str]:
    """The tables that pages hold, by the name in their marks. rows: by benchmark."""
    return {
        "heldout": table(rows["heldout"]),
        "diffusion": diffusion_table(rows["diffusion"]),
        "diffusion-words": diffusion_words(rows["diffusion"]),
        "thick": thick_report.readme(rows["thick"]),
        "scanners": scanners_report.table_of_scanners(rows["scanners"]),
    }


def filled(page: str, rows: dict[str, Rows]) -> str:
    """The page with all its tables made anew. rows: by benchmark."""
    for name, text in tables(rows).items():
        page = fill(page, name, text)
    return page


def measured(benchmark: str) -> list[Row]:
    """What a benchmark has measured; nothing before its first run."""
    return results.load(ROOT / "benchmarks" / f"{benchmark}.jsonl")


def paper_figures(name: str, rows: Rows) -> dict[str, float]:
    """What the card of a paper's network says: its gains under the paper's degradation."""
    means = {}
    for case in (case for work in WORKS.values() for case in work.cases if name in case.names):
        records = records_of(case, rows)
        line = {line.name: line for line in lines(case, records)}[name] if records else Line(name)
        if line.gain is not None:
            means[f"gain over the best classical, {case.degradation}, dB"] = round(line.gain, 2)
        if line.ssim_gain is not None:
            means[f"SSIM above the best classical, {case.degradation}"] = round(line.ssim_gain, 4)
    return means


def figures(name: str, card: zoo.Card, rows: dict[str, Rows]) -> dict[str, float]:
    """What a model's card says of its held-out quality. rows: by benchmark."""
    if card.thins:
        return thick_report.headline(rows["thick"])
    if name == zoo.default_name(card.scale):
        return {f"gain over the best classical, {d}, dB": g for d, g in headline(rows["heldout"], card.scale).items()}
    if not card.guides:
        return paper_figures(name, rows["papers"])
    means = {}
    for degradation, scale in SERIES:
        found = diffusion_gains(rows["diffusion"], name, degradation, scale)
        if found:
            means[f"gain over the best classical, {degradation}, dB"] = round(float(np.mean(found["psnr"])), 2)
            means[f"FA error in white matter, {degradation}, share saved"] = round(float(np.mean(found["fa_white"])), 3)
    return means


def main() -> None:
    """Write the tables of the pages, and the cards."""
    rows: dict[str, Rows] = {name: measured(name) for name in MEASURED}
    for page in (ROOT / name for name in PAGES):
        page.write_text(filled(page.read_text(encoding="utf-8"), rows), encoding="utf-8")
    for name, weights in zoo.installed().items():
        card = zoo.read_card(weights)
        zoo.write_card(replace(card, held_out=figures(name, card, rows)), weights)


if __name__ == "__main__":
    main()
