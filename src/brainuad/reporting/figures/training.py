"""Numbers of the training logs against the iteration (Bercea 2023, RA, Figure 6)."""

import re
import textwrap
from pathlib import Path

import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.ticker import FuncFormatter

from brainuad.reporting.colours import colour_of, dash_of
from brainuad.reporting.figure_settings import LogColumn, ModelLabel, TrainingCurvesFigure
from brainuad.reporting.figures.style import (
    MUTED,
    WIDTH_IN,
    Results,
    legend_below,
    legend_height_in,
    light_grid,
    mark_absent,
    new_figure,
    nothing_to_draw,
)
from brainuad.storage import read_table

FEW = 30
# Of the type of remarks: the height of a line and the width of a character.
LINE_IN, CHARACTER_IN = 0.1, 0.045


def draw_training_curves(settings: TrainingCurvesFigure, results: Results) -> Figure:
    """Mean over runs with a band of one standard deviation; one panel per column of the logs.

    Below stands what a reader must know of the models, such as random weights in place of trained ones.
    """
    phantom = bool(results.study.phantoms)
    labels = [model.label for model in settings.models]
    beside = settings.width == "page" and len(settings.columns) > 1
    rows, columns = (1, len(settings.columns)) if beside else (len(settings.columns), 1)
    remarks = remark_lines(settings, results)
    height = 0.55 + 1.75 * rows + legend_height_in(labels, settings.width) + LINE_IN * len(remarks)
    figure = new_figure(settings, height, phantom)
    panels = figure.subplots(rows, columns, squeeze=False, sharex=not beside).ravel()
    missing = list(settings.models)
    runs = range(results.study.runs)
    logged = any(results.study.training_log(m.model, run).exists() for m in settings.models for run in runs)
    for number, (axes, column) in enumerate(zip(panels, settings.columns, strict=True)):
        drawn = [model for model in settings.models if _draw_model(axes, model, column, results)]
        missing = [model for model in missing if model not in drawn]
        reason = f"{column.label}: " + (f"no column {column.column!r} in the logs" if logged else "not run")
        _finish(axes, (column.label, settings.log_y), "" if drawn else reason)
        if beside or number == len(panels) - 1:
            axes.set_xlabel("Iteration")
    if len(missing) == len(settings.models):
        return figure
    for model in missing:
        mark_absent(panels[0], model.label)
    entries: dict[str, object] = {}
    for axes in panels:
        entries |= dict(zip(*reversed(axes.get_legend_handles_labels()), strict=True))
    title = {"title": "\n".join(remarks), "title_fontsize": 6, "alignment": "left"}
    legend_below(figure, (list(entries.values()), list(entries)), **title)
    figure.legends[-1].get_title().set_color(MUTED)
    return figure


def remark_lines(settings: TrainingCurvesFigure, results: Results) -> list[str]:
    """The remarks on the models that have a log, wrapped to the figure's width, each after the models' labels."""
    labels: dict[str, list[str]] = {}
    for model in settings.models:
        if any(results.study.training_log(model.model, run).exists() for run in range(results.study.runs)):
            for remark in model_remarks(model.model, results):
                labels.setdefault(remark, []).append(model.label)
    width = int((WIDTH_IN[settings.width] - 0.2) / CHARACTER_IN)
    texts = [f"{', '.join(of)}: {remark}" for remark, of in labels.items()]
    return [line for text in texts for line in textwrap.wrap(text, width)]


def model_remarks(model: str, results: Results) -> list[str]:
    """The sentences that are remarked on every method that scores with a model, and so concern the model itself."""
    of_methods = [method.remark for method in results.study.methods if method.model == model]
    sentences = re.findall(r"\S.*?\.(?=\s|$)", of_methods[0]) if of_methods else []
    return [sentence for sentence in sentences if all(sentence in remark for remark in of_methods)]


def read_log(paths: list[Path], column: str) -> pd.DataFrame:
    """Mean and sd over runs (`mean`, `std`) of a column by step, of the rows that have a value."""
    runs = []
    for path in paths:
        if not path.exists():
            continue
        table = read_table(path, needs=["step"], dtype=float)
        if column in table:
            runs.append(table[["step", column]].dropna())
    rows = pd.concat(runs) if runs else pd.DataFrame({"step": [], column: []}, dtype=float)
    return rows.groupby("step")[column].agg(["mean", "std"])


def _draw_model(axes: Axes, model: ModelLabel, column: LogColumn, results: Results) -> bool:
    paths = [results.study.training_log(model.model, run) for run in range(results.study.runs)]
    values = read_log(paths, column.column)
    if values.empty:
        return False
    colour, dash = colour_of(model.model), dash_of(model.model)
    marker = "o" if len(values) <= FEW else ""  # a lone point has no line
    (line,) = axes.plot(
        values.index, values["mean"], color=colour, marker=marker, markersize=3, label=model.label
    )
    if dash:
        line.set_dashes(dash)
    sd = values["std"].fillna(0)
    if sd.any():
        bounds = (values["mean"] - sd, values["mean"] + sd)
        axes.fill_between(values.index, *bounds, color=colour, alpha=0.15, linewidth=0)
    return True


def _finish(axes: Axes, scale: tuple[str, bool], reason: str) -> None:
    """The label of the y axis, which may be logarithmic, or the reason why there is nothing."""
    label, log_y = scale
    if reason:
        nothing_to_draw(axes, reason)
        return
    if log_y:
        axes.set_yscale("log")
    else:
        axes.set_ylim(bottom=min(0.0, axes.get_ylim()[0]))
    axes.set_ylabel(label)
    axes.xaxis.set_major_formatter(FuncFormatter(_thousands))
    light_grid(axes)


def _thousands(value: float, _: int | None) -> str:
    return f"{value / 1000:g}k" if abs(value) >= 10_000 else f"{value:g}"
