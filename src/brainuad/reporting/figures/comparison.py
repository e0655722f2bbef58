"""Methods side by side: a metric with intervals (forest plot), and the seconds a volume takes."""

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from brainuad.reporting.colours import colour_of
from brainuad.reporting.figures.style import (
    MUTED,
    Results,
    dataset_title,
    light_grid,
    new_figure,
    nothing_to_draw,
    readable_log_axis,
)
from brainuad.reporting.names import score_label
from brainuad.reporting.settings import BarsFigure, CostFigure, MethodLabel
from brainuad.reporting.summary import (
    Quantity,
    interval_over_subjects,
    over_runs,
    select,
    subject_means,
)
from brainuad.storage import read_table

ROW_IN = 0.19


def draw_bars(settings: BarsFigure, results: Results) -> Figure:
    """One panel per data set: mean over runs, single runs as dots, and an interval.

    The interval is the bootstrap over subjects for a mean of subjects, else one standard deviation over runs.
    """
    phantom = any(dataset in results.study.phantoms for dataset in settings.datasets)
    figure = new_figure(settings, 1.1 + ROW_IN * len(settings.methods), phantom)
    panels = figure.subplots(1, len(settings.datasets), sharey=True, squeeze=False)[0]
    order = _order(settings, results)
    for axes, dataset in zip(panels, settings.datasets, strict=True):
        quantity = Quantity(dataset, settings.metric, settings.protocol, settings.aggregate)
        drawn = [
            _draw_row(axes, position, method, (results.scores, quantity, settings.scale))
            for position, method in enumerate(order)
        ]
        axes.set_title(dataset_title(results, dataset), loc="left")
        axes.set_ylim(len(order) - 0.5, -0.5)
        axes.set_yticks(range(len(order)), [method.label for method in order])
        axes.tick_params(axis="y", length=0)
        axes.spines["left"].set_visible(False)
        light_grid(axes, "x")
        missing = [position for position, found in enumerate(drawn) if not found]
        for position in missing if any(drawn) else ():
            place = {"transform": axes.get_yaxis_transform(), "va": "center", "fontsize": 6.5, "color": MUTED}
            axes.text(0.01, position, "not run", **place)
        if not any(drawn):
            axes.text(0.5, 0.5, "no values", ha="center", color=MUTED, transform=axes.transAxes)
            axes.set_xticks([])
    label = score_label(settings.metric, settings.protocol, settings.aggregate, settings.scale)
    interval = "95 % interval over subjects" if settings.aggregate == "mean" else "± sd over runs"
    figure.supxlabel(f"{label}; {interval}", fontsize=7.5)
    return figure


def _order(settings: BarsFigure, results: Results) -> list[MethodLabel]:
    """Methods by their value on the first data set, best first; methods without one last."""
    quantity = Quantity(settings.datasets[0], settings.metric, settings.protocol, settings.aggregate)
    means = select(results.scores, quantity).groupby("method", observed=True)["value"].mean()
    worst = -np.inf
    return sorted(
        settings.methods, key=lambda method: -np.nan_to_num(means.get(method.method, worst), nan=worst)
    )


def _draw_row(
    axes: Axes, position: int, method: MethodLabel, source: tuple[pd.DataFrame, Quantity, float]
) -> bool:
    scores, quantity, scale = source
    rows = select(scores, quantity)
    runs = rows.loc[rows["method"] == method.method, "value"] * scale
    mean, sd, count = over_runs(runs)
    if count == 0:
        return False
    low, high = mean - sd, mean + sd
    if quantity.aggregate == "mean":
        subjects = subject_means(scores, quantity, method.method).to_numpy(float) * scale
        low, high = interval_over_subjects(subjects)
    colour = colour_of(method.method)
    if np.isfinite(low):
        axes.plot([low, high], [position, position], color=colour, linewidth=2.2, solid_capstyle="butt")
    if count > 1:
        axes.plot(runs, np.full(len(runs), position + 0.27), "|", color=colour, markersize=3.5, alpha=0.8)
    axes.plot(mean, position, "o", color=colour, markersize=5, markeredgecolor="white", markeredgewidth=0.7)
    return True


def draw_cost(settings: CostFigure, results: Results) -> Figure:
    """Median seconds per volume, dots for the single volumes, on a logarithmic axis."""
    figure = new_figure(
        settings, 1.0 + ROW_IN * len(settings.methods), settings.dataset in results.study.phantoms
    )
    axes = figure.subplots()
    times = [
        (method, seconds)
        for method in settings.methods
        if len(seconds := seconds_per_volume(results, method.method, settings.dataset))
    ]
    if not times:
        nothing_to_draw(axes)
        return figure
    times.sort(key=lambda item: float(np.median(item[1])))
    for position, (method, seconds) in enumerate(times):
        median = float(np.median(seconds))
        colour = colour_of(method.method)
        axes.plot(seconds, np.full(len(seconds), position), "|", color=colour, alpha=0.5, markersize=5)
        axes.plot(median, position, "o", color=colour, markersize=5.5, markeredgecolor="white")
        axes.annotate(
            f"{median:.2g} s",
            (median, position),
            (0, 5),
            textcoords="offset points",
            ha="center",
            fontsize=6.5,
        )
    axes.set_xscale("log")
    axes.margins(x=0.12)
    readable_log_axis(axes)
    axes.set_yticks(range(len(times)), [method.label for method, _ in times])
    axes.set_ylim(len(times) - 0.5, -0.7)
    axes.tick_params(axis="y", length=0)
    axes.spines["left"].set_visible(False)
    axes.set_xlabel(f"Seconds per volume, {dataset_title(results, settings.dataset)}")
    light_grid(axes, "x")
    return figure


def seconds_per_volume(results: Results, method: str, dataset: str) -> np.ndarray:
    """Seconds of every scored volume of all runs."""
    paths = [results.study.manifest(method, run, dataset) for run in range(results.study.runs)]
    tables = [read_table(path) for path in paths if path.exists()]
    if not tables:
        return np.array([])
    seconds = pd.to_numeric(pd.concat(tables)["seconds"], errors="coerce").to_numpy(float)
    return seconds[np.isfinite(seconds) & (seconds > 0)]
