"""One door for all kinds of figure."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

from matplotlib.figure import Figure

from brainuad.reporting.figure_settings import FigureSettings
from brainuad.reporting.figures.box_example import draw_box_example
from brainuad.reporting.figures.classes import draw_class_bars
from brainuad.reporting.figures.comparison import draw_bars, draw_cost, draw_wall_clock
from brainuad.reporting.figures.curves import draw_precision_recall
from brainuad.reporting.figures.examples import draw_anomaly_examples
from brainuad.reporting.figures.latent import draw_latent_map
from brainuad.reporting.figures.lesions import draw_lesion_sizes
from brainuad.reporting.figures.maps import draw_maps, draw_reconstructions
from brainuad.reporting.figures.noise_samples import draw_noise_samples
from brainuad.reporting.figures.style import Results, look, save_figure
from brainuad.reporting.figures.training import draw_training_curves
from brainuad.reporting.figures.trend import draw_trend

DRAWERS: dict[str, Callable[[Any, Results], Figure]] = {
    "maps": draw_maps,
    "reconstructions": draw_reconstructions,
    "anomaly-examples": draw_anomaly_examples,
    "box-example": draw_box_example,
    "noise-samples": draw_noise_samples,
    "precision-recall": draw_precision_recall,
    "dice-by-lesion-size": draw_lesion_sizes,
    "bars": draw_bars,
    "class-bars": draw_class_bars,
    "trend": draw_trend,
    "noise-comparison": draw_trend,
    "training-curves": draw_training_curves,
    "latent-map": draw_latent_map,
    "cost": draw_cost,
    "wall-clock": draw_wall_clock,
}


def draw_figure(settings: FigureSettings, results: Results) -> Figure:
    """The figure that `settings` describes; a method without results is left out, or marked `not run`."""
    with look():
        return DRAWERS[settings.kind](settings, results)


def write_figure(settings: FigureSettings, results: Results, folder: Path, name: str) -> None:
    """Draws the figure and writes {name}.svg and {name}.png into `folder`."""
    save_figure(draw_figure(settings, results), folder, name)
