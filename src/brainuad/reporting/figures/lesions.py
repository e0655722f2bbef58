"""How well each subject's lesions are found, against their volume."""

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from brainuad.arrays import ArrayStore
from brainuad.reporting.colours import colour_of, dash_of, marker_of
from brainuad.reporting.figure_settings import LesionSizeFigure
from brainuad.reporting.figures.style import (
    Results,
    dataset_title,
    legend_below,
    legend_height_in,
    light_grid,
    mark_absent,
    new_figure,
    nothing_to_draw,
    readable_log_axis,
)
from brainuad.reporting.names import score_label
from brainuad.reporting.settings import MethodLabel
from brainuad.reporting.summary import Quantity, interval_over_subjects, subject_means

ML_PER_MM3 = 1e-3


def lesion_volumes_ml(store: ArrayStore) -> pd.Series:
    """Volume of the lesion mask of each subject that has one, in millilitres."""
    voxels = store.index.loc[store.subjects, "lesion_voxels"].dropna().astype(float)
    voxel_mm3 = pd.Series(
        [abs(float(np.linalg.det(store.affine(subject)[:3, :3]))) for subject in voxels.index],
        index=voxels.index,
        dtype=float,
    )
    return voxels[voxels > 0] * voxel_mm3[voxels > 0] * ML_PER_MM3


def draw_lesion_sizes(settings: LesionSizeFigure, results: Results) -> Figure:
    """Points are subjects (mean over runs), lines the means of equal-count bins with 95 % intervals."""
    labels = [f"{method.label}: not run" for method in settings.methods]
    height = 2.6 + legend_height_in(labels, settings.width)
    figure = new_figure(settings, height, settings.dataset in results.study.phantoms)
    axes = figure.subplots()
    entry = results.study.dataset(settings.dataset)
    volumes = lesion_volumes_ml(ArrayStore(entry.arrays)) if entry else pd.Series(dtype=float)
    quantity = Quantity(settings.dataset, settings.metric, settings.protocol)
    drawn = 0
    for position, method in enumerate(settings.methods):
        values = subject_means(results.scores, quantity, method.method)
        both = pd.DataFrame({"volume": volumes, "value": values}).dropna().sort_values("volume")
        if len(both):
            shift = 1.02 ** (position - (len(settings.methods) - 1) / 2)
            _draw_method(axes, method, both, (settings.bins, shift))
            drawn += 1
        else:
            mark_absent(axes, method.label)
    if not drawn:
        axes.clear()
        nothing_to_draw(axes)
        return figure
    axes.set_xscale("log")
    readable_log_axis(axes)
    axes.set(xlabel="Lesion volume / ml", ylabel=score_label(settings.metric, settings.protocol))
    axes.set_title(dataset_title(results, settings.dataset), loc="left", fontweight="normal")
    axes.set_ylim(bottom=min(0, axes.get_ylim()[0]))
    light_grid(axes)
    legend_below(figure, axes.get_legend_handles_labels())
    return figure


def _draw_method(axes: Axes, method: MethodLabel, both: pd.DataFrame, layout: tuple[int, float]) -> None:
    bins, shift = layout
    colour = colour_of(method.method)
    axes.plot(both["volume"], both["value"], ".", color=colour, alpha=0.45, markersize=4, markeredgewidth=0)
    members = np.array_split(np.arange(len(both)), min(bins, max(1, len(both) // 3)))
    groups = [both.iloc[positions] for positions in members]
    centres = [float(np.exp(np.log(group["volume"]).mean())) * shift for group in groups]
    means = [float(group["value"].mean()) for group in groups]
    bounds = np.array([interval_over_subjects(group["value"].to_numpy(float)) for group in groups])
    reach = np.abs(bounds.T - np.array(means))
    container = axes.errorbar(
        *(centres, means),
        yerr=np.nan_to_num(reach),
        color=colour,
        marker=marker_of(method.method),
        markersize=3.5,
        elinewidth=0.9,
        capsize=1.5,
        label=method.label,
    )
    dash = dash_of(method.method)
    if dash:
        container.lines[0].set_dashes(dash)
