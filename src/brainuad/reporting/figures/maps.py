"""Input, truth and anomaly maps of a few subjects, in the slice with the most lesion."""

import textwrap
from dataclasses import dataclass

import numpy as np
from matplotlib.axes import Axes
from matplotlib.cm import ScalarMappable
from matplotlib.colors import Normalize
from matplotlib.figure import Figure
from matplotlib.lines import Line2D

from brainuad.arrays import ArrayStore, Volume
from brainuad.reporting.colours import colour_of
from brainuad.reporting.figures.style import (
    MUTED,
    WIDTH_IN,
    Results,
    new_figure,
    nothing_to_draw,
    title_text,
)
from brainuad.reporting.names import modality_name
from brainuad.reporting.settings import MapsFigure, MethodLabel
from brainuad.reporting.volumes import (
    Case,
    as_seen,
    bounding_box,
    choose_cases,
    display_window,
    load_dataset,
    load_method_volume,
    to_unit,
)

MAP_COLOURS = "inferno"
TRUTH_COLOUR = "#2dd4ff"
MARGIN = 3  # voxels around the brain
# Inches around the grid of pictures.
LEFT_IN, TITLE_IN, HEADER_IN, BAR_IN, NOTE_IN, GAP_IN = 0.2, 0.2, 0.36, 0.26, 0.12, 0.03


@dataclass(frozen=True)
class _Row:
    """One subject in display orientation, values of images in [0, 1]."""

    name: str
    image: np.ndarray
    truth: np.ndarray
    maps: dict[str, np.ndarray]
    healthy: dict[str, np.ndarray]


@dataclass(frozen=True)
class _Column:
    kind: str  # "image", "truth", "healthy" or "map"
    title: str
    method: str = ""


@dataclass(frozen=True)
class _Grid:
    """Where pictures lie on the figure, in inches from its top left corner."""

    figure: Figure
    width: float
    height: float

    def axes(self, row: float, column: float, height: float | None = None, span: int = 1) -> Axes:
        """New axes at a place of the grid."""
        total_width, total_height = self.figure.get_size_inches()
        width = span * self.width + (span - 1) * GAP_IN
        height = self.height if height is None else height
        left = LEFT_IN + column * (self.width + GAP_IN)
        top = TITLE_IN + HEADER_IN + row * (self.height + GAP_IN)
        return self.figure.add_axes(
            (
                left / total_width,
                1 - (top + height) / total_height,
                width / total_width,
                height / total_height,
            )
        )


def draw_maps(settings: MapsFigure, results: Results) -> Figure:
    """Rows are subjects, columns the input, the truth, and per method its pseudo-healthy image and map.

    All maps of a method share one colour scale, from 0 to the 99.5th percentile of what is shown.
    """
    store = load_dataset(results.study.dataset(settings.dataset))
    cases = choose_cases(store, results.study, settings.dataset, settings.subjects) if store else []
    phantom = settings.dataset in results.study.phantoms
    if store is None or not cases:
        figure = new_figure(settings, 1.2, phantom)
        nothing_to_draw(figure.subplots())
        return figure
    channel = store.channels.index(settings.channel) if settings.channel in store.channels else 0
    rows = _read_rows(cases, channel, settings, (results, store))
    columns = _columns(settings, rows, modality_name(store.channels[channel]))
    missing = [m.label for m in settings.methods if all(m.method not in row.maps for row in rows)]
    grid = _new_grid(settings, rows[0].image.shape, (len(rows), len(columns)), phantom)
    _draw_pictures(grid, rows, columns)
    _draw_headers(grid, settings, columns)
    note = "outline: truth" + (f"; not run: {', '.join(missing)}" if missing else "")
    grid.figure.text(0.995, 0.005, note, ha="right", va="bottom", fontsize=6, color=MUTED)
    return grid.figure


def _new_grid(settings: MapsFigure, picture: tuple[int, ...], count: tuple[int, int], phantom: bool) -> _Grid:
    rows, columns = count
    total = WIDTH_IN[settings.width]
    width = (total - LEFT_IN - 0.03 - (columns - 1) * GAP_IN) / columns
    width = min(width, 1.3)
    height = width * picture[0] / picture[1]
    figure_height = TITLE_IN + HEADER_IN + rows * (height + GAP_IN) + BAR_IN + NOTE_IN
    figure = Figure(figsize=(total, figure_height))
    title = title_text(settings, phantom).splitlines()[0]
    figure.text(0.01, 1 - 0.05 / figure_height, title, va="top", fontsize=8, fontweight="bold")
    return _Grid(figure, width, height)


def _read_rows(
    cases: list[Case], channel: int, settings: MapsFigure, source: tuple[Results, ArrayStore]
) -> list[_Row]:
    results, store = source
    volumes = [(case, store.volume(case.subject), store.affine(case.subject)) for case in cases]
    brain = np.stack([as_seen(np.any(volume.brain, axis=0), affine) for _, volume, affine in volumes])
    box = bounding_box(brain, MARGIN)
    rows = []
    for case, volume, affine in volumes:
        z = shown_slice(volume)
        window = display_window(volume.images[:, channel], volume.brain)
        maps, healthy = {}, {}
        for method in settings.methods:
            found = load_method_volume(results.study, method.method, settings.run, case, store)
            if found is None:
                continue
            maps[method.method] = as_seen(found.anomaly_map[z], affine)[box]
            if found.pseudo_healthy is not None and settings.pseudo_healthy:
                painted = to_unit(found.pseudo_healthy[z, channel], window)
                healthy[method.method] = as_seen(painted, affine)[box]
        image = as_seen(to_unit(volume.images[z, channel], window), affine)[box]
        rows.append(_Row(case.pseudonym, image, as_seen(volume.lesion[z], affine)[box], maps, healthy))
    return rows


def shown_slice(volume: Volume) -> int:
    """The slice with the most lesion, or with the most brain where there is no lesion."""
    area = (volume.lesion if volume.lesion.any() else volume.brain).sum(axis=(1, 2))
    return int(area.argmax())


def _columns(settings: MapsFigure, rows: list[_Row], modality: str) -> list[_Column]:
    columns = [_Column("image", modality), _Column("truth", "truth")]
    for method in settings.methods:
        if any(method.method in row.healthy for row in rows):
            columns.append(_Column("healthy", "pseudo-healthy", method.method))
        if any(method.method in row.maps for row in rows):
            columns.append(_Column("map", "anomaly map", method.method))
    return columns


def _draw_pictures(grid: _Grid, rows: list[_Row], columns: list[_Column]) -> None:
    for position, column in enumerate(columns):
        shown = [row.maps[column.method] for row in rows if column.method in row.maps]
        top = max((float(np.percentile(plane, 99.5)) for plane in shown), default=1.0) or 1.0
        for number, row in enumerate(rows):
            axes = grid.axes(number, position)
            _draw_picture(axes, column, row, top)
            if position == 0:
                axes.set_ylabel(row.name, fontsize=6.5, labelpad=2)
        if column.kind == "map":
            _draw_colour_bar(grid, len(rows), position, top)


def _draw_picture(axes: Axes, column: _Column, row: _Row, top: float) -> None:
    axes.set(xticks=[], yticks=[], facecolor="black")
    axes.spines[:].set_visible(False)
    pictures = {"healthy": row.healthy, "map": row.maps}.get(column.kind, {column.method: row.image})
    if column.method not in pictures:
        axes.set_facecolor("#f3f4f6")
        axes.text(0.5, 0.5, "no map", ha="center", va="center", fontsize=6.5, transform=axes.transAxes)
        return
    heat = column.kind == "map"
    axes.imshow(
        pictures[column.method],
        cmap=MAP_COLOURS if heat else "gray",
        vmin=0,
        vmax=top if heat else 1,
        interpolation="nearest",
        aspect="auto",
    )
    if column.kind in ("truth", "map") and row.truth.any():
        axes.contour(row.truth, levels=[0.5], colors=[TRUTH_COLOUR], linewidths=0.6 if heat else 0.9)
    if column.kind == "truth" and row.truth.any():
        axes.contourf(row.truth, levels=[0.5, 1.5], colors=[TRUTH_COLOUR], alpha=0.3)


def _draw_headers(grid: _Grid, settings: MapsFigure, columns: list[_Column]) -> None:
    """The kind of picture above each column, and the method's name above the columns that belong to it."""
    width, height = grid.figure.get_size_inches()
    small = 6.5 if grid.width > 0.62 else 5.2
    for position, column in enumerate(columns):
        x = (LEFT_IN + position * (grid.width + GAP_IN) + grid.width / 2) / width
        y = 1 - (TITLE_IN + HEADER_IN - 0.03) / height
        grid.figure.text(x, y, column.title, ha="center", va="bottom", fontsize=small, color="#374151")
    for method in settings.methods:
        _draw_method_header(grid, method, [p for p, c in enumerate(columns) if c.method == method.method])


def _draw_method_header(grid: _Grid, method: MethodLabel, places: list[int]) -> None:
    if not places:
        return
    width, height = grid.figure.get_size_inches()
    left = LEFT_IN + places[0] * (grid.width + GAP_IN)
    right = LEFT_IN + places[-1] * (grid.width + GAP_IN) + grid.width
    y = 1 - (TITLE_IN + HEADER_IN - 0.15) / height
    line = Line2D([left / width, right / width], [y, y], color=colour_of(method.method), linewidth=1.5)
    grid.figure.add_artist(line)
    text = "\n".join(textwrap.wrap(method.label, max(8, int((right - left) / 0.058))))
    place = ((left + right) / 2 / width, y + 0.025 / height)
    grid.figure.text(*place, text, ha="center", va="bottom", fontsize=6.5, fontweight="bold", linespacing=1)


def _draw_colour_bar(grid: _Grid, row: int, column: int, top: float) -> None:
    axes = grid.axes(row + 0.03, column, height=0.06)
    scale = ScalarMappable(Normalize(0, top), MAP_COLOURS)
    bar = grid.figure.colorbar(scale, cax=axes, orientation="horizontal")
    bar.set_ticks([0, top], labels=["0", f"{top:.2g}"])
    bar.ax.tick_params(labelsize=6, length=1.5, pad=1)
    low, high = bar.ax.get_xticklabels()
    low.set_horizontalalignment("left")
    high.set_horizontalalignment("right")
    bar.outline.set_linewidth(0.4)  # type: ignore[operator]
