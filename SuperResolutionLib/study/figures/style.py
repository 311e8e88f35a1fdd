"""How figures look: colour-blind-safe lines on white, scans on black, sizes that read at 100 %."""

from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from SuperResolutionLib.errors import InputError
from SuperResolutionLib.methods.deconvolution import NAME as DECONVOLUTION

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

DARK, DPI = "#111111", 110
# Okabe and Ito's palette (2008): blue, vermilion, green, purple for models, the others for classical methods
MODELS = ("#0072B2", "#D55E00", "#009E73", "#CC79A7")
CLASSICAL = {"nearest": "#999999", "linear": "#666666", "bicubic": "#000000", "bspline": "#56B4E9", "sinc": "#E69F00"}
CLASSICAL |= {DECONVOLUTION: "#8B5A2B"}
DASHES = ("-", (0, (5, 1)), (0, (3, 1, 1, 1)), (0, (1, 1)))


def canvas(width: float, height: float, dark: bool = False) -> "Figure":
    """An empty figure, inches. Raises InputError where matplotlib is missing."""
    try:
        from matplotlib.figure import Figure
    except ImportError as error:
        raise InputError("A study draws with matplotlib; install it with: pip install matplotlib.") from error
    return Figure(figsize=(width, height), layout="constrained", facecolor=DARK if dark else "white")


def save(figure: "Figure", path: Path) -> None:
    """Write a PNG."""
    figure.savefig(path, dpi=DPI, facecolor=figure.get_facecolor())


def looks(methods: Iterable[str]) -> dict[str, dict[str, Any]]:
    """Colour, dash and width of each method's line: models thick and whole, classical methods thin and dashed."""
    found: dict[str, dict[str, Any]] = {}
    models = sorted(name for name in methods if name not in CLASSICAL)  # the same colour in every figure
    for k, name in enumerate(models):
        found[name] = {"color": MODELS[k % 4], "linestyle": DASHES[k // 4 % 4], "linewidth": 2.2, "zorder": 4}
    for name in methods:
        if name in CLASSICAL:
            found[name] = {"color": CLASSICAL[name], "linestyle": (0, (4, 1.5)), "linewidth": 1.4, "zorder": 3}
    return found


def words(text: str) -> str:
    """A title, label or note as it is: a "$" in the name of a scan would begin a formula."""
    return text.replace("$", r"\$")


def plain(axes: "Axes", across: str, up: str, title: str = "") -> None:
    """Labels, a light grid, no box.

    axes: a plot. across, up: what its axes are called. title: above it.
    """
    axes.set_xlabel(across)
    axes.set_ylabel(up)
    if title:
        axes.set_title(words(title), fontsize=11)
    axes.grid(color="#dddddd", linewidth=0.6)
    axes.set_axisbelow(True)
    axes.spines[["top", "right"]].set_visible(False)


def legend(figure: "Figure", axes: "Axes") -> None:
    """One legend for the whole figure, to its right."""
    handles, labels = axes.get_legend_handles_labels()
    figure.legend(handles, labels, loc="outside right upper", fontsize=9, frameon=False)


def panel(axes: "Axes", image: Any, title: str, colours: str, limits: tuple[float, float], stretch: float) -> Any:
    """An image on black with a white title; returns what a colour bar needs.

    axes: a plot. stretch: how much taller a voxel is than wide. limits: of the colours, low and high.
    """
    shown = axes.imshow(image, cmap=colours, vmin=limits[0], vmax=limits[1], aspect=stretch, interpolation="nearest")
    axes.set_title(words(title), color="white", fontsize=10)
    axes.set_axis_off()
    return shown


def bar(figure: "Figure", shown: Any, places: Sequence["Axes"], label: str) -> None:
    """A colour bar with a white label.

    figure: the whole. shown: as `panel` returns it. places: the panels that it belongs to.
    """
    scale = figure.colorbar(shown, ax=list(places), shrink=0.8, pad=0.01)
    scale.set_label(words(label), color="white", fontsize=9)
    scale.ax.tick_params(colors="white", labelsize=8)
    scale.outline.set_edgecolor("#555555")
