"""Precision-recall curves over all voxels of a data set."""

from dataclasses import dataclass

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from brainuad.reporting.colours import colour_of, dash_of
from brainuad.reporting.figure_settings import PrecisionRecallFigure
from brainuad.reporting.figures.style import (
    MUTED,
    Results,
    legend_below,
    legend_height_in,
    light_grid,
    mark_absent,
    new_figure,
    nothing_to_draw,
)
from brainuad.reporting.settings import MethodLabel
from brainuad.reporting.summary import Quantity, over_runs, select
from brainuad.reporting.table_text import number_text
from brainuad.storage import read_table

RECALL = np.linspace(0, 1, 401)


@dataclass(frozen=True)
class _Curve:
    method: MethodLabel
    precision: np.ndarray  # (runs, recall)
    auprc: float
    text: str


def draw_precision_recall(settings: PrecisionRecallFigure, results: Results) -> Figure:
    """Mean precision at each recall over runs, with a band of one standard deviation; AUPRC in the legend."""
    curves = [
        curve for method in settings.methods if (curve := _read_curve(method, settings.dataset, results))
    ]
    curves.sort(key=lambda curve: -curve.auprc)
    phantom = settings.dataset in results.study.phantoms
    missing = [method for method in settings.methods if method not in [curve.method for curve in curves]]
    labels = [f"{curve.method.label}  {curve.text}" for curve in curves]
    labels += [f"{method.label}: not run" for method in missing]
    figure = new_figure(settings, 3.0 + legend_height_in(labels, settings.width), phantom)
    axes = figure.subplots()
    if not curves:
        nothing_to_draw(axes)
        return figure
    _equal_dice_lines(axes)
    for curve in curves:
        _draw_curve(axes, curve)
    chance = _prevalence_line(axes, results, settings.dataset)
    axes.set(xlim=(0, 1), ylim=(0, 1.01), xlabel="Recall (voxels)", ylabel="Precision (voxels)")
    light_grid(axes)
    for method in missing:
        mark_absent(axes, method.label)
    legend_below(figure, axes.get_legend_handles_labels(), title=f"AUPRC{chance}", title_fontsize=7)
    return figure


def _read_curve(method: MethodLabel, dataset: str, results: Results) -> _Curve | None:
    precision = []
    for run in range(results.study.runs):
        path = results.study.curve(method.method, run, dataset)
        if not path.exists():
            continue
        table = read_table(path, needs=("recall", "precision"), dtype=float)
        table = table.sort_values(["recall", "precision"], ascending=[True, False])
        if table["precision"].notna().any():
            precision.append(_at_recall(table["recall"].to_numpy(), table["precision"].to_numpy()))
    if not precision:
        return None
    rows = select(results.scores, Quantity(dataset, "auprc", aggregate="pooled"))
    mean, sd, _ = over_runs(rows.loc[rows["method"] == method.method, "value"])
    return _Curve(method, np.stack(precision), mean, number_text(mean, sd, 3))


def _at_recall(recall: np.ndarray, precision: np.ndarray) -> np.ndarray:
    """Precision on the common recall grid: that of the first point which reaches the recall."""
    first = np.searchsorted(recall, RECALL - 1e-9, side="left")
    reached = first < len(recall)
    return np.where(reached, precision[np.minimum(first, len(recall) - 1)], np.nan)


def _draw_curve(axes: Axes, curve: _Curve) -> None:
    colour = colour_of(curve.method.method)
    mean = curve.precision.mean(axis=0)
    label = f"{curve.method.label}  {curve.text}".rstrip()
    (line,) = axes.plot(RECALL, mean, color=colour, label=label)
    dash = dash_of(curve.method.method)
    if dash:
        line.set_dashes(dash)
    if len(curve.precision) > 1:
        sd = curve.precision.std(axis=0, ddof=1)
        axes.fill_between(RECALL, mean - sd, mean + sd, color=colour, alpha=0.15, linewidth=0)


def _prevalence_line(axes: Axes, results: Results, dataset: str) -> str:
    """Draws the precision of a method that marks every voxel; what the line means, in words."""
    prevalence = select(results.scores, Quantity(dataset, "prevalence", aggregate="pooled"))["value"].mean()
    if not np.isfinite(prevalence):
        return ""
    axes.axhline(prevalence, color=MUTED, linewidth=0.8, dashes=(2, 2))
    return f" (dotted line: prevalence {prevalence:.2g})"


def _equal_dice_lines(axes: Axes) -> None:
    """Where precision and recall give the same Dice: 2 P R / (P + R) = D."""
    for dice in (0.2, 0.4, 0.6, 0.8):
        recall = np.linspace(dice / 2 + 1e-3, 1, 200)
        precision = dice * recall / (2 * recall - dice)
        axes.plot(
            recall[precision <= 1], precision[precision <= 1], color="#d1d5db", linewidth=0.6, zorder=0.5
        )
        axes.annotate(
            f"Dice {dice:.1f}",
            (1, dice / (2 - dice)),
            xytext=(2, 0),
            textcoords="offset points",
            fontsize=6,
            color=MUTED,
            va="center",
            annotation_clip=False,
        )
