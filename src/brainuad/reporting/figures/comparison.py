"""Methods side by side: a metric with intervals (forest plot), and the seconds a volume takes.

The seconds with post-processing are those of Frotscher 2023, Figure 4.
"""

import math
from pathlib import Path

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from brainuad.reporting.colours import colour_of
from brainuad.reporting.figure_settings import BarsFigure, CostFigure, WallClockFigure
from brainuad.reporting.figures.style import (
    MUTED,
    Results,
    dataset_title,
    light_grid,
    new_figure,
    nothing_to_draw,
    readable_log_axis,
    spread_tick_labels,
)
from brainuad.reporting.names import better, score_label
from brainuad.reporting.settings import MethodLabel
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
            _write_not_run(axes, position, "not run")
        if not any(drawn):
            axes.text(0.5, 0.5, "no values", ha="center", color=MUTED, transform=axes.transAxes)
            axes.set_xticks([])
    label = score_label(settings.metric, settings.protocol, settings.aggregate, settings.scale)
    interval = "95 % interval over subjects" if settings.aggregate == "mean" else "± sd over runs"
    figure.supxlabel(f"{label}; {interval}", fontsize=7.5)
    return figure


def _write_not_run(axes: Axes, position: int, text: str) -> None:
    transform = axes.get_yaxis_transform()
    axes.text(0.01, position, text, transform=transform, va="center", fontsize=6.5, color=MUTED)


def _order(settings: BarsFigure, results: Results) -> list[MethodLabel]:
    """Methods by their value on the first data set, best first; methods without one last."""
    quantity = Quantity(settings.datasets[0], settings.metric, settings.protocol, settings.aggregate)
    means = select(results.scores, quantity).groupby("method", observed=True)["value"].mean()
    sign = 1 if better(settings.metric) == "lower" else -1
    return sorted(
        settings.methods,
        key=lambda method: np.nan_to_num(sign * means.get(method.method, np.nan), nan=np.inf),
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
    times = {
        method.method: seconds_per_volume(results, method.method, settings.dataset)
        for method in settings.methods
    }
    label = f"Seconds per volume, {dataset_title(results, settings.dataset)}"
    return _draw_times(settings, results, times, label)


def draw_wall_clock(settings: WallClockFigure, results: Results) -> Figure:
    """Mean and standard deviation over volumes of the seconds of scoring and post-processing, on a log axis."""
    times = {
        method.method: total_seconds(results, method.method, settings.dataset) for method in settings.methods
    }
    label = f"Seconds per volume with post-processing, {dataset_title(results, settings.dataset)}"
    return _draw_times(settings, results, times, f"{label}\n(mean ± sd over volumes)")


def _draw_times(
    settings: CostFigure | WallClockFigure, results: Results, times: dict[str, np.ndarray], label: str
) -> Figure:
    """A row per method, the fastest first: its seconds as ticks, and their median or mean as a dot."""
    run = [method for method in settings.methods if len(times[method.method])]
    missing = [method.label for method in settings.methods if method not in run]
    means = settings.kind == "wall-clock"
    centre = {m.method: float((np.mean if means else np.median)(times[m.method])) for m in run}
    run.sort(key=lambda method: centre[method.method])
    height = 1.1 + ROW_IN * len(settings.methods)
    figure = new_figure(settings, height, settings.dataset in results.study.phantoms)
    axes = figure.subplots()
    if not run:
        nothing_to_draw(axes)
        return figure
    axes.set_xscale("log")
    for position, method in enumerate(run):
        _draw_seconds(axes, position, method, (times[method.method], centre[method.method], means))
    for position in range(len(run), len(run) + len(missing)):
        _write_not_run(axes, position, "not run")
    axes.margins(x=0.12)
    readable_log_axis(axes)
    rows = len(run) + len(missing)
    axes.set_yticks(range(rows), [*(method.label for method in run), *missing])
    axes.set_ylim(rows - 0.5, -0.7)
    axes.tick_params(axis="y", length=0)
    axes.spines["left"].set_visible(False)
    axes.set_xlabel(label)
    light_grid(axes, "x")
    spread_tick_labels(figure, axes)
    return figure


def _draw_seconds(
    axes: Axes, position: int, method: MethodLabel, found: tuple[np.ndarray, float, bool]
) -> None:
    seconds, centre, means = found
    colour = colour_of(method.method)
    text = f"{_two_digits(centre)} s"
    if means and len(seconds) > 1:
        sd = float(seconds.std(ddof=1))
        low = max(centre - sd, min(centre, float(seconds.min())) / 2)  # a logarithmic axis has no 0
        axes.plot(
            [low, centre + sd], [position, position], color=colour, linewidth=2.2, solid_capstyle="butt"
        )
        # Two digits of the deviation, and at most four of the mean.
        wanted = 1 - math.floor(math.log10(sd)) if sd else 2
        decimals = max(0, min(wanted, 3 - math.floor(math.log10(centre))))
        text = f"{centre:,.{decimals}f} ± {sd:,.{decimals}f} s"
    else:
        axes.plot(seconds, np.full(len(seconds), position), "|", color=colour, alpha=0.5, markersize=5)
    axes.plot(centre, position, "o", color=colour, markersize=5.5, markeredgecolor="white")
    axes.annotate(text, (centre, position), (0, 5), textcoords="offset points", ha="center", fontsize=6.5)


def _two_digits(value: float) -> str:
    return f"{float(f'{value:.2g}'):,g}"


def total_seconds(results: Results, method: str, dataset: str) -> np.ndarray:
    """Seconds of every scored volume of all runs, from the image to the finished map."""
    paths = [results.study.seconds(method, run, dataset) for run in range(results.study.runs)]
    return _seconds(paths, "seconds_total")


def seconds_per_volume(results: Results, method: str, dataset: str) -> np.ndarray:
    """Seconds of every scored volume of all runs."""
    paths = [results.study.manifest(method, run, dataset) for run in range(results.study.runs)]
    return _seconds(paths, "seconds")


def _seconds(paths: list[Path], column: str) -> np.ndarray:
    tables = [read_table(path, needs=[column]) for path in paths if path.exists()]
    if not tables:
        return np.array([])
    seconds = pd.to_numeric(pd.concat(tables)[column], errors="coerce").to_numpy(float)
    return seconds[np.isfinite(seconds) & (seconds > 0)]
