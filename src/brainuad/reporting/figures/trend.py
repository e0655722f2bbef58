"""A metric against a parameter of the methods, or against the kind of noise."""

import textwrap
from dataclasses import dataclass
from typing import Any

import numpy as np
from matplotlib import colormaps
from matplotlib.axes import Axes
from matplotlib.colors import to_hex
from matplotlib.figure import Figure
from matplotlib.lines import Line2D
from matplotlib.ticker import FixedLocator, NullLocator

from brainuad.reporting.colours import DASHES, MARKERS, colour_of, family_of
from brainuad.reporting.figure_settings import Series, SeriesFigure
from brainuad.reporting.figures.style import (
    MUTED,
    Results,
    dataset_title,
    legend_below,
    legend_height_in,
    light_grid,
    mark_absent,
    new_figure,
    nothing_to_draw,
    spread_tick_labels,
)
from brainuad.reporting.names import score_label
from brainuad.reporting.summary import Quantity, over_runs, select
from brainuad.reporting.tables import split_published


@dataclass(frozen=True)
class _Look:
    """How a series is drawn; `shift` moves its points beside those of the others."""

    colour: str
    marker: str
    dash: tuple[float, ...] | None
    shift: float


def draw_trend(settings: SeriesFigure, results: Results) -> Figure:
    """Mean over runs with a band (or bar) of one standard deviation; published values as hollow marks."""
    panels = settings.datasets or (settings.dataset,)
    used = {*panels, *(series.dataset for series in settings.series)}
    beside = settings.width == "page"
    rows, columns = (1, len(panels)) if beside else (len(panels), 1)
    labels = [series.label for series in settings.series]
    height = 0.45 + 2.1 * rows + legend_height_in([*labels, "published"], settings.width)
    figure = new_figure(settings, height, bool(used & results.study.phantoms))
    drawn: set[str] = set()
    all_axes = figure.subplots(rows, columns, squeeze=False).ravel()
    for axes, dataset in zip(all_axes, panels, strict=True):
        drawn |= _draw_panel(axes, dataset, settings, results)
    if not drawn:
        return figure
    for label in labels:
        if label not in drawn:
            mark_absent(all_axes[0], label)
    legend_below(figure, _legend(all_axes, settings))
    for axes in all_axes:
        if axes.axison:
            spread_tick_labels(figure, axes)
    return figure


def _draw_panel(axes: Axes, dataset: str, settings: SeriesFigure, results: Results) -> set[str]:
    """Draws the series that belong to a data set; the labels of those that were run."""
    words = any(isinstance(x, str) for x in settings.x)
    x = np.arange(len(settings.x)) if words else np.array(settings.x, float)
    looks = _looks(settings, words)
    drawn = set()
    for series, look in zip(settings.series, looks, strict=True):
        if settings.datasets and series.dataset not in ("", dataset):
            continue
        values = _values(series, series.dataset or dataset, settings, results)
        if _draw_series(axes, x, (values, words), series, look):
            drawn.add(series.label)
    if not drawn:
        axes.clear()
        nothing_to_draw(axes)
        return drawn
    _label_x(axes, settings, x, words)
    if settings.best is not None:
        place = settings.x.index(settings.best) if isinstance(settings.best, str) else settings.best
        axes.axvline(
            place, color=MUTED, linewidth=0.8, dashes=(1, 2), label=_best_label(settings), zorder=0.6
        )
    score = score_label(settings.metric, settings.protocol, settings.aggregate, settings.scale)
    axes.set_ylabel(textwrap.fill(score, 30))
    if dataset:
        axes.set_title(dataset_title(results, dataset), loc="left", fontweight="normal")
    low, high = axes.get_ylim()
    axes.set_ylim(min(0.0, low), high + 0.04 * (high - low))  # room for whole markers
    light_grid(axes, "y")
    return drawn


def _best_label(settings: SeriesFigure) -> str:
    best = settings.best if isinstance(settings.best, str) else f"{settings.best:g}"
    return f"best in the paper: {settings.best_in_paper or best}"


def _looks(settings: SeriesFigure, words: bool) -> list[_Look]:
    """One look per series: the colour of its method, and another marker and dash for each of one colour."""
    families = [family_of(next((m for m in series.methods if m), "")) for series in settings.series]
    # Many variants of one method, such as its noise resolutions, are an order rather than kinds.
    ordered = len(families) > 3 and len(set(families)) == 1
    looks: list[_Look] = []
    for number, (series, family) in enumerate(zip(settings.series, families, strict=True)):
        named = [method for method in series.methods if method]
        alone = len(set(named)) > 1 and families.count(family) == 1
        colour = colour_of(family if alone else named[-1]) if named else MUTED
        if ordered:
            colour = to_hex(colormaps["cividis"](0.9 * number / (len(families) - 1)))
        same = sum(look.colour == colour for look in looks)
        shift = 0.06 * (number - (len(settings.series) - 1) / 2) if words else 0.0
        looks.append(_Look(colour, MARKERS[number % len(MARKERS)], DASHES[same % len(DASHES)], shift))
    return looks


def _values(series: Series, dataset: str, settings: SeriesFigure, results: Results) -> np.ndarray:
    """Mean, sd and number of runs at each position: (positions, 3)."""
    count = len(settings.x)
    methods = series.methods if len(series.methods) == count else series.methods * count
    strata = settings.strata or ("",) * count
    values = []
    for method, stratum in zip(methods, strata, strict=True):
        quantity = Quantity(dataset, settings.metric, settings.protocol, settings.aggregate, stratum)
        rows = select(results.scores, quantity)
        values.append(over_runs(rows.loc[rows["method"] == method, "value"] * settings.scale))
    return np.array(values, float)


def _draw_series(
    axes: Axes, positions: np.ndarray, found: tuple[np.ndarray, bool], series: Series, look: _Look
) -> bool:
    values, words = found
    have = np.isfinite(values[:, 0])
    x = positions + look.shift
    mean, sd = values[have, 0], np.nan_to_num(values[have, 1])
    if have.any():
        line: dict[str, Any] = {"color": look.colour, "marker": look.marker, "markersize": 4}
        drawn = axes.errorbar(
            *(x[have], mean),
            yerr=sd if words else None,
            **line,
            elinewidth=0.9,
            capsize=1.5,
            label=series.label,
        )
        if look.dash:
            drawn.lines[0].set_dashes(look.dash)
        if sd.any() and not words:
            axes.fill_between(x[have], mean - sd, mean + sd, color=look.colour, alpha=0.15, linewidth=0)
    if series.published:
        published = np.array([split_published(value)[0] for value in series.published], float)
        axes.plot(
            *(x, published),
            color=look.colour,
            marker=look.marker,
            fillstyle="none",
            markersize=4,
            dashes=(2, 2),
            linewidth=0.8,
            alpha=0.8,
        )
    return bool(have.any())


def _label_x(axes: Axes, settings: SeriesFigure, positions: np.ndarray, words: bool) -> None:
    axes.set_xlabel(settings.x_label)
    if settings.log_x and not words:
        axes.set_xscale("log", base=settings.log_base)
    labels = [x if isinstance(x, str) else f"{x:g}" for x in settings.x]
    axes.xaxis.set_minor_locator(NullLocator())
    axes.xaxis.set_major_locator(FixedLocator(positions.tolist()))
    axes.set_xticklabels(labels)
    if words:
        axes.set_xlim(-0.4, len(positions) - 0.6)


def _legend(all_axes: np.ndarray, settings: SeriesFigure) -> tuple[list[Any], list[str]]:
    """Every series once, the vertical line, and what hollow marks are."""
    entries: dict[str, Any] = {}
    for axes in all_axes:
        handles, labels = axes.get_legend_handles_labels()
        entries |= {
            label: handle for label, handle in zip(labels, handles, strict=True) if label not in entries
        }
    if any(series.published for series in settings.series):
        entries["published"] = Line2D(
            [], [], color=MUTED, marker="o", markersize=4, fillstyle="none", dashes=(2, 2), linewidth=0.8
        )
    order = [series.label for series in settings.series]
    labels = sorted(entries, key=lambda label: order.index(label) if label in order else len(order))
    return [entries[label] for label in labels], labels
