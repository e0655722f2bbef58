"""Latent vectors of slices in two dimensions (Bercea 2023, RA, Figure 5).

UMAP: McInnes et al. 2018, UMAP: Uniform Manifold Approximation and Projection for Dimension Reduction.
"""

from collections.abc import Mapping

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.lines import Line2D

from brainuad.reporting.figure_settings import LatentMapFigure
from brainuad.reporting.figures.style import (
    MUTED,
    Results,
    dataset_title,
    legend_below,
    new_figure,
    nothing_to_draw,
)
from brainuad.reporting.settings import MethodLabel
from brainuad.storage import read_table

# What a point is: its label, and its colour (Okabe and Ito 2008) in which the three can be told apart by all.
GROUPS = {
    "normal": ("normal", "#56B4E9"),
    "pathological": ("pathological", "#D55E00"),
    "pseudo-healthy": ("pseudo-healthy", "#222222"),
}
MARKERS = "o^sDv<>P"
FEWEST = 5


def draw_latent_map(settings: LatentMapFigure, results: Results) -> Figure:
    """One panel per method: a point per slice, its colour the group, its marker the data set."""
    tables = {
        method.method: read_table(path, needs=("dataset", "group", "kind"))
        for method in settings.methods
        if (path := results.study.embeddings(method.method, settings.run)).exists()
    }
    columns = 1 if settings.width == "column" else min(3, len(settings.methods))
    rows = -(-len(settings.methods) // columns)
    datasets = list(dict.fromkeys(name for table in tables.values() for name in table["dataset"]))
    phantom = any(dataset in results.study.phantoms for dataset in datasets)
    side = 3.1 if columns == 1 else 6.9 / columns
    figure = new_figure(
        settings, rows * side + 0.75, phantom or (not tables and bool(results.study.phantoms))
    )
    panels = figure.subplots(rows, columns, squeeze=False).ravel()
    for axes in panels[len(settings.methods) :]:
        axes.set_axis_off()
    for axes, method in zip(panels, settings.methods, strict=False):
        _draw_panel(axes, method, tables, datasets, settings)
    if tables:
        legend_below(figure, _legend(results, datasets), handlelength=1.2)
    return figure


def points_of(table: pd.DataFrame) -> pd.DataFrame:
    """The rows that the figure shows, with what they are (`shown`): a key of `GROUPS`."""
    names = {
        ("healthy", "input"): "normal",
        ("patient", "input"): "pathological",
        ("patient", "pseudo-healthy"): "pseudo-healthy",
    }
    shown = [names.get(key, "") for key in zip(table["group"], table["kind"], strict=True)]
    kept = table.assign(shown=shown)
    return kept[kept["shown"] != ""]


def flat_map(z: np.ndarray, settings: LatentMapFigure) -> tuple[np.ndarray, int]:
    """UMAP coordinates (points, 2) of latent vectors, and the neighbours used: fewer than the points."""
    # Its compiler takes seconds, and no other figure needs it.
    from umap import UMAP

    neighbours = min(settings.neighbours, len(z) - 1)
    umap = UMAP(
        n_neighbors=neighbours,
        min_dist=settings.min_dist,
        metric="euclidean",
        init="random",
        random_state=settings.seed,
        n_jobs=1,
    )
    return np.asarray(umap.fit_transform(z)), neighbours


def _draw_panel(
    axes: Axes,
    method: MethodLabel,
    tables: Mapping[str, pd.DataFrame],
    datasets: list[str],
    settings: LatentMapFigure,
) -> None:
    axes.set_title(method.label, loc="left", fontweight="normal")
    table = tables.get(method.method)
    points = None if table is None else points_of(table)
    if points is None or len(points) < FEWEST:
        reason = "not run" if points is None else f"too few slices: {len(points)}"
        nothing_to_draw(axes, reason)
        return
    columns = [name for name in points.columns if name[0] == "z" and name[1:].isdigit()]
    place, neighbours = flat_map(points[columns].to_numpy(float), settings)
    size = float(np.clip(1500 / len(points), 3, 14))
    for group, (_, colour) in GROUPS.items():
        for dataset in datasets:
            here = ((points["shown"] == group) & (points["dataset"] == dataset)).to_numpy()
            axes.scatter(
                place[here, 0],
                place[here, 1],
                s=size,
                marker=_marker(datasets, dataset),
                color=colour,
                alpha=0.7,
                linewidths=0,
                label=group,
            )
    axes.set(xticks=[], yticks=[], xlabel="UMAP 1", ylabel="UMAP 2")
    note = f"{len(points)} slices"
    if neighbours < settings.neighbours:
        note += f"; {neighbours} neighbours instead of {settings.neighbours}"
    axes.text(1, 1.01, note, ha="right", va="bottom", fontsize=6, color=MUTED, transform=axes.transAxes)


def _marker(datasets: list[str], dataset: str) -> str:
    return MARKERS[datasets.index(dataset) % len(MARKERS)]


def _legend(results: Results, datasets: list[str]) -> tuple[list[Line2D], list[str]]:
    handles = [
        Line2D([], [], linestyle="none", marker="o", markersize=4, color=colour)
        for _, colour in GROUPS.values()
    ]
    labels = [label for label, _ in GROUPS.values()]
    if len(datasets) > 1:
        handles += [
            Line2D([], [], linestyle="none", marker=_marker(datasets, name), markersize=4, color=MUTED)
            for name in datasets
        ]
        labels += [dataset_title(results, name) for name in datasets]
    return handles, labels
