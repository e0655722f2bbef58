"""A metric against a parameter of the methods, or against the kind of noise."""

from dataclasses import dataclass

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.lines import Line2D
from matplotlib.ticker import FixedLocator, NullLocator

from brainuad.reporting.colours import colour_of, marker_of
from brainuad.reporting.figures.style import (
    MUTED,
    Results,
    dataset_title,
    light_grid,
    new_figure,
    nothing_to_draw,
)
from brainuad.reporting.names import score_label
from brainuad.reporting.settings import Series, SeriesFigure
from brainuad.reporting.summary import Quantity, over_runs, select
from brainuad.reporting.tables import split_published


@dataclass(frozen=True)
class _Place:
    axes: Axes
    x: np.ndarray  # (positions,)
    shift: float


def draw_trend(settings: SeriesFigure, results: Results) -> Figure:
    """Mean over runs with a bar of one standard deviation; published values as hollow marks."""
    phantom = settings.dataset in results.study.phantoms
    figure = new_figure(settings, 2.5 + 0.14 * -(-len(settings.series) // 2), phantom)
    axes = figure.subplots()
    words = any(isinstance(x, str) for x in settings.x)
    positions = np.arange(len(settings.x)) if words else np.array(settings.x, float)
    drawn = False
    for number, series in enumerate(settings.series):
        shift = 0.06 * (number - (len(settings.series) - 1) / 2) if words else 0.0
        drawn |= _draw_series(_Place(axes, positions, shift), series, settings, results)
    if not drawn:
        axes.clear()
        nothing_to_draw(axes)
        return figure
    _label_x(axes, settings, positions, words)
    score = score_label(settings.metric, settings.protocol, settings.aggregate, settings.scale)
    axes.set_ylabel(score)
    axes.set_title(dataset_title(results, settings.dataset), loc="left", fontweight="normal")
    axes.set_ylim(bottom=min(0.0, axes.get_ylim()[0]))
    light_grid(axes, "y")
    handles, labels = axes.get_legend_handles_labels()
    if any(series.published for series in settings.series):
        handles.append(
            Line2D([], [], color=MUTED, marker="o", fillstyle="none", dashes=(2, 2), linewidth=0.8)
        )
        labels.append("published")
    figure.legend(handles, labels, loc="outside lower center", ncols=2)
    return figure


def _label_x(axes: Axes, settings: SeriesFigure, positions: np.ndarray, words: bool) -> None:
    axes.set_xlabel(settings.x_label)
    if settings.log_x and not words:
        axes.set_xscale("log")
    labels = [x if isinstance(x, str) else f"{x:g}" for x in settings.x]
    axes.xaxis.set_minor_locator(NullLocator())
    axes.xaxis.set_major_locator(FixedLocator(positions.tolist()))
    axes.set_xticklabels(labels)
    if words:
        axes.set_xlim(-0.4, len(positions) - 0.6)


def _draw_series(place: _Place, series: Series, settings: SeriesFigure, results: Results) -> bool:
    quantity = Quantity(settings.dataset, settings.metric, settings.protocol, settings.aggregate)
    rows = select(results.scores, quantity)
    values = np.array(
        [over_runs(rows.loc[rows["method"] == method, "value"] * settings.scale) for method in series.methods]
    )
    named = [method for method in series.methods if method]
    if not named:
        return False
    colour, marker = colour_of(named[-1]), marker_of(named[-1])
    x = place.x + place.shift
    have = np.isfinite(values[:, 0])
    place.axes.errorbar(
        *(x[have], values[have, 0]),
        yerr=np.nan_to_num(values[have, 1]),
        color=colour,
        marker=marker,
        markersize=4,
        elinewidth=0.9,
        capsize=1.5,
        label=series.label,
    )
    if series.published:
        published = np.array([split_published(value)[0] for value in series.published])
        place.axes.plot(
            *(x, published),
            color=colour,
            marker=marker,
            fillstyle="none",
            markersize=4,
            dashes=(2, 2),
            linewidth=0.8,
            alpha=0.8,
        )
    return bool(have.any())
