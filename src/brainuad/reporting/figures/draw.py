"""One door for all kinds of figure."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

from matplotlib.figure import Figure

from brainuad.reporting.figures.comparison import draw_bars, draw_cost
from brainuad.reporting.figures.curves import draw_precision_recall
from brainuad.reporting.figures.lesions import draw_lesion_sizes
from brainuad.reporting.figures.maps import draw_maps
from brainuad.reporting.figures.style import Results, look, save_figure
from brainuad.reporting.figures.trend import draw_trend
from brainuad.reporting.settings import FigureSettings

DRAWERS: dict[str, Callable[[Any, Results], Figure]] = {
    "maps": draw_maps,
    "precision-recall": draw_precision_recall,
    "dice-by-lesion-size": draw_lesion_sizes,
    "bars": draw_bars,
    "trend": draw_trend,
    "noise-comparison": draw_trend,
    "cost": draw_cost,
}


def draw_figure(settings: FigureSettings, results: Results) -> Figure:
    """The figure that `settings` describes; a method without results is left out, or marked `not run`."""
    with look():
        return DRAWERS[settings.kind](settings, results)


def write_figure(settings: FigureSettings, results: Results, folder: Path, name: str) -> None:
    """Draws the figure and writes {name}.svg and {name}.png into `folder`."""
    save_figure(draw_figure(settings, results), folder, name)
