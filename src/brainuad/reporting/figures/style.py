"""The common look of figures: sizes of a journal's columns, type, titles, and files that are reproducible."""

import textwrap
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import matplotlib
import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.ticker import FuncFormatter, LogLocator, NullFormatter

from brainuad.reporting.figure_settings import FigureBase
from brainuad.reporting.inputs import StudyEntry
from brainuad.reporting.names import dataset_name
from brainuad.storage import atomic_path

WIDTH_IN = {"column": 3.5, "page": 7.2}
MUTED = "#6b7280"
GRID = "#e5e7eb"
DPI = 300
NOT_RUN = ": not run"
# Of the type of legends: the width of a character, and of the sign before a label with its gaps.
CHARACTER_IN, LEGEND_SIGN_IN = 0.05, 0.46
LOOK: dict[Any, Any] = {
    "font.family": "sans-serif",
    "font.sans-serif": ["Arial", "Helvetica", "Liberation Sans", "DejaVu Sans"],
    "font.size": 7.5,
    "axes.titlesize": 8,
    "axes.labelsize": 7.5,
    "axes.linewidth": 0.6,
    "axes.edgecolor": "#374151",
    "axes.spines.top": False,
    "axes.spines.right": False,
    "axes.axisbelow": True,
    "xtick.labelsize": 7,
    "ytick.labelsize": 7,
    "xtick.major.width": 0.6,
    "ytick.major.width": 0.6,
    "legend.fontsize": 7,
    "legend.frameon": False,
    "lines.linewidth": 1.3,
    "svg.hashsalt": "brainuad",
    "figure.facecolor": "white",
}


@dataclass(frozen=True)
class Results:
    """What figures draw: a study and its tidy scores of all runs."""

    study: StudyEntry
    scores: pd.DataFrame


@contextmanager
def look() -> Iterator[None]:
    """Matplotlib with the common look, without a display."""
    with matplotlib.rc_context(LOOK):
        yield


def new_figure(settings: FigureBase, height_in: float, phantom: bool) -> Figure:
    """An empty figure of the right width, with its title; a simulated data set is named as such."""
    width = WIDTH_IN[settings.width]
    figure = Figure(figsize=(width, height_in), layout="constrained")
    figure.suptitle(title_text(settings, phantom), x=0.01, ha="left", fontsize=8, fontweight="bold")
    return figure


def title_text(settings: FigureBase, phantom: bool) -> str:
    """The wrapped title; a figure of a simulated data set says so."""
    title = settings.title.rstrip(".") + (" (simulated phantom)" if phantom else "")
    return "\n".join(textwrap.wrap(title, 48 if settings.width == "column" else 105))


def dataset_title(results: Results, dataset: str) -> str:
    """The data set's name."""
    entry = results.study.dataset(dataset)
    return entry.label if entry and entry.label else dataset_name(dataset)


def light_grid(axes: Axes, axis: str = "both") -> None:
    """Thin grey lines behind the data."""
    axes.grid(True, axis=axis, color=GRID, linewidth=0.6)  # type: ignore[arg-type]
    axes.tick_params(axis=axis, length=2.5)  # type: ignore[arg-type]


def readable_log_axis(axes: Axes) -> None:
    """Marks 1, 2 and 5 of each decade of a logarithmic x axis, or decades alone when there are many."""
    low, high = axes.get_xlim()
    steps = (1, 2, 5) if high / low < 300 else (1,)
    axes.set_xscale("log")
    axes.set_xlim(low, high)
    axes.xaxis.set_major_locator(LogLocator(subs=steps))
    axes.xaxis.set_major_formatter(FuncFormatter(lambda value, _: f"{value:g}"))
    axes.xaxis.set_minor_formatter(NullFormatter())


def mark_absent(axes: Axes, label: str) -> None:
    """An entry without a sign in the legend of `axes`, which says that `label` was not run."""
    axes.plot([], [], linestyle="none", label=f"{label}{NOT_RUN}")


def legend_below(figure: Figure, entries: tuple[list[Any], list[str]], **options: Any) -> None:
    """A legend under the axes, in as many columns as fit the width of the figure; what was not run comes last."""
    listed = sorted(zip(*entries, strict=True), key=lambda entry: entry[1].endswith(NOT_RUN))
    handles, labels = [handle for handle, _ in listed], [label for _, label in listed]
    longest = max((len(label) for label in labels), default=1)
    width = float(figure.get_size_inches()[0]) - 0.1
    columns = int(np.clip(width // (LEGEND_SIGN_IN + CHARACTER_IN * longest), 1, len(labels) or 1))
    options = {"handlelength": 2.6, "columnspacing": 1.2, "ncols": columns, **options}
    figure.legend(handles, labels, loc="outside lower center", **options)


def legend_height_in(labels: Iterable[str], width: str) -> float:
    """Inches that `legend_below` takes for these labels."""
    listed = list(labels)
    longest = max((len(label) for label in listed), default=1)
    columns = max(1, int((WIDTH_IN[width] - 0.1) // (LEGEND_SIGN_IN + CHARACTER_IN * longest)))
    return 0.14 * -(-len(listed) // columns) + 0.08


def spread_tick_labels(figure: Figure, axes: Axes) -> None:
    """Leaves out, or for words turns, those labels of the x axis that would run into their neighbours."""
    figure.draw_without_rendering()
    places, labels = axes.get_xticks(), axes.get_xticklabels()
    boxes = [label.get_window_extent() for label in labels]
    gap = figure.dpi * 0.02
    order = np.argsort([box.x0 for box in boxes])
    shown: list[int] = []
    for number in order:
        if not shown or boxes[number].x0 > boxes[shown[-1]].x1 + gap:
            shown.append(int(number))
    if len(shown) == len(labels):
        return
    texts = [label.get_text() for label in labels]
    if any(character.isalpha() for text in texts for character in text):
        axes.set_xticks(places, texts, rotation=35, ha="right", rotation_mode="anchor")
        return
    axes.set_xticks(places, [text if number in shown else "" for number, text in enumerate(texts)])


def nothing_to_draw(axes: Axes, reason: str = "not run") -> None:
    """An axes that says why it is empty."""
    axes.set_axis_off()
    axes.text(0.5, 0.5, reason, ha="center", va="center", color=MUTED, transform=axes.transAxes)


def save_figure(figure: Figure, folder: Path, name: str) -> None:
    """Writes {name}.svg and {name}.png (300 dpi), byte for byte the same for the same figure."""
    with look():
        for suffix, metadata in (("svg", {"Date": None}), ("png", {"Software": None})):
            with atomic_path(folder / f"{name}.{suffix}") as temporary:
                figure.savefig(temporary, dpi=DPI, metadata=metadata)
