"""What is restored at which frequency: power against the truth's, wrong power, and Fourier ring correlation."""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from SuperResolutionLib.quality.spectrum import Spectrum, centres
from SuperResolutionLib.study.figures import style


def stored(record: Mapping[str, Any], method: str) -> Spectrum:
    """The ring sums of a method, as a record keeps them."""
    return Spectrum(**{name: np.array(values) for name, values in record["methods"][method]["spectrum"].items()})


def spectra_figure(records: Sequence[Mapping[str, Any]], path: Path) -> None:
    """Write three panels by frequency, means over scans; a dotted line marks the coarse scan's Nyquist frequency."""
    methods = list(records[0]["methods"])
    look = style.looks(methods)
    figure = style.canvas(13.0, 4.4)
    power, wrong, correlation = figure.subplots(1, 3)
    for name in methods:
        spectra = [stored(record, name) for record in records]
        line = {"label": name, **look[name]}
        with np.errstate(divide="ignore", invalid="ignore"):
            power.semilogy(centres(), np.mean([s.restored / s.truth for s in spectra], axis=0), **line)
            wrong.semilogy(centres(), np.mean([s.error / s.truth for s in spectra], axis=0), **line)
        correlation.plot(centres(), np.mean([s.correlation for s in spectra], axis=0), **line)
    for axes in (power, wrong, correlation):
        axes.axvline(1 / records[0]["scale"], color="#333333", linestyle=":", linewidth=1.2)
        axes.axhline(1, color="#333333", linewidth=0.8)
        axes.set_xlim(0, 1)
    power.set_ylim(1e-4, 3)
    wrong.set_ylim(1e-4, 5)
    correlation.set_ylim(-0.05, 1.05)
    across = "frequency (share of the truth's Nyquist)"
    style.plain(power, across, "power / truth's power", "power")
    style.plain(wrong, across, "power of the error / truth's power", "error (1: as bad as nothing)")
    style.plain(correlation, across, "Fourier ring correlation", "correlation with the truth")
    style.legend(figure, power)
    style.save(figure, path)
