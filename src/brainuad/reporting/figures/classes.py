"""How many of the annotated boxes of each class methods detect (Bercea 2023, RA, Figure 4a)."""

import textwrap
from dataclasses import dataclass

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from brainuad.evaluation.score_rows import POOLED
from brainuad.reporting.colours import colour_of
from brainuad.reporting.figure_settings import ClassBarsFigure
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
)
from brainuad.reporting.names import protocol_name
from brainuad.reporting.settings import MethodLabel
from brainuad.reporting.summary import over_runs

# Inches of one bar, of a line of a label, and between two classes.
BAR_IN, LINE_IN, GAP_IN = 0.07, 0.105, 0.1


@dataclass(frozen=True)
class _Detected:
    """Percentages of boxes: mean and sd over runs, both (class, method), and the boxes of each class."""

    classes: list[str]
    methods: list[MethodLabel]
    mean: np.ndarray
    sd: np.ndarray
    boxes: dict[str, int]

    @property
    def labels(self) -> list[str]:
        """The name of each class and its number of boxes, in lines."""
        return [f"{textwrap.fill(name, 17)}\n(n = {self.boxes.get(name, 0)})" for name in self.classes]

    @property
    def class_in(self) -> float:
        """Inches from one class to the next: room for its bars and for its label."""
        lines = max(label.count("\n") + 1 for label in self.labels)
        return max(BAR_IN * len(self.methods), LINE_IN * lines) + GAP_IN


def draw_class_bars(settings: ClassBarsFigure, results: Results) -> Figure:
    """Grouped horizontal bars: the mean share over runs, and one standard deviation as a line."""
    rows = box_rows(settings, results)
    boxes = boxes_per_class(rows)
    classes = list(settings.classes) or sorted(boxes, key=lambda name: (-boxes[name], name))
    run = [method for method in settings.methods if (rows["method"] == method.method).any()]
    phantom = settings.dataset in results.study.phantoms
    if not run or not classes:
        figure = new_figure(settings, 1.2, phantom)
        nothing_to_draw(figure.subplots())
        return figure
    detected = _detected(rows, classes, run, boxes)
    panels = 2 if settings.width == "page" and len(classes) > 4 else 1
    per_panel = -(-len(classes) // panels)
    height = per_panel * detected.class_in + 0.8
    missing = [method for method in settings.methods if method not in run]
    labels = [method.label for method in settings.methods]
    figure = new_figure(settings, height + legend_height_in(labels, settings.width), phantom)
    axes_of = figure.subplots(1, panels, squeeze=False)[0]
    for number, axes in enumerate(axes_of):
        _draw_panel(axes, detected, range(number * per_panel, min((number + 1) * per_panel, len(classes))))
    for method in missing:
        mark_absent(axes_of[0], method.label)
    legend_below(figure, axes_of[0].get_legend_handles_labels(), handlelength=1.2)
    protocol = protocol_name(settings.protocol)
    title = dataset_title(results, settings.dataset) + (f" ({protocol})" if protocol else "")
    axes_of[0].set_title(title, loc="left", fontweight="normal")
    return figure


def box_rows(settings: ClassBarsFigure, results: Results) -> pd.DataFrame:
    """The numbers of boxes (`boxes`) and of detected ones (`detected`) of single classes in all scans."""
    scores = results.scores
    return scores[
        (scores["dataset"] == settings.dataset)
        & scores["metric"].isin(("detected", "boxes"))
        & (scores["protocol"] == settings.protocol)
        & (scores["subject"] == POOLED)
        & (scores["stratum"] != "")
    ]


def boxes_per_class(rows: pd.DataFrame) -> dict[str, int]:
    """The number of annotated boxes of each class."""
    counts = rows[rows["metric"] == "boxes"].groupby("stratum", observed=True)["value"].max()
    return {str(name): int(count) for name, count in counts.items() if count > 0}


def _detected(
    rows: pd.DataFrame, classes: list[str], methods: list[MethodLabel], boxes: dict[str, int]
) -> _Detected:
    mean = np.full((len(classes), len(methods)), np.nan)
    sd = mean.copy()
    found = rows[rows["metric"] == "detected"]
    for i, name in enumerate(classes):
        for j, method in enumerate(methods):
            values = found.loc[(found["stratum"] == name) & (found["method"] == method.method), "value"]
            mean[i, j], sd[i, j], _ = over_runs(100 * values / max(boxes.get(name, 0), 1))
    return _Detected(classes, methods, mean, sd, boxes)


def _draw_panel(axes: Axes, detected: _Detected, classes: range) -> None:
    count = len(detected.methods)
    step = detected.class_in / (BAR_IN * count)  # one class, in units of its bars
    centres = np.arange(len(classes)) * step
    for j, method in enumerate(detected.methods):
        place = centres + (j + 0.5) / count - 0.5
        mean, sd = (
            detected.mean[classes.start : classes.stop, j],
            detected.sd[classes.start : classes.stop, j],
        )
        axes.barh(place, mean, height=0.9 / count, color=colour_of(method.method), label=method.label)
        axes.errorbar(mean, place, xerr=np.nan_to_num(sd), fmt="none", ecolor="#111111", elinewidth=0.6)
        for y in place[mean == 0]:
            axes.plot(0.8, y, "|", color=colour_of(method.method), markersize=3)
    labels = detected.labels[classes.start : classes.stop]
    axes.set_yticks(centres, labels, fontsize=6.5, linespacing=1.1)
    axes.set_ylim(centres[-1] + step / 2, -step / 2)
    axes.set_xlim(0, 100)
    axes.set_xlabel("Detected boxes / %")
    axes.tick_params(axis="y", length=0)
    axes.axvline(0, color=MUTED, linewidth=0.6)
    light_grid(axes, "x")
