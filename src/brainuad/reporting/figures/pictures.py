"""A table of pictures: slices in rows and columns with headers, outlines and colour bars."""

import textwrap
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from matplotlib.artist import Artist
from matplotlib.axes import Axes
from matplotlib.cm import ScalarMappable
from matplotlib.colors import Normalize
from matplotlib.figure import Figure
from matplotlib.lines import Line2D

from brainuad.reporting.figure_settings import FigureBase
from brainuad.reporting.figures.style import MUTED, WIDTH_IN, title_text

MAP_COLOURS = "inferno"
# Of outlines: about 20 or more apart (CIEDE2000) for every colour vision, and 30 from the lower 80 % of the maps'.
TRUTH_COLOUR, PREDICTED_COLOUR = "#2dd4ff", "#ffffff"
LEGEND_GROUND = "#1f2937"  # behind the legend of outlines, as dark as the maps
# Inches.
GAP_IN, LINE_IN, BAR_IN, MAX_PICTURE_IN, MAX_HEIGHT_IN = 0.03, 0.1, 0.26, 1.3, 8.8
LEGEND_IN, EMPTY_ROW_IN = 0.18, 0.22
# Width of a character of regular and of bold type.
CHARACTER_IN, BOLD_IN, TITLE_IN = 0.05, 0.058, 0.068
SMALL = 6.5


@dataclass(frozen=True)
class Scale:
    """The colour map of a picture, and the values of its first and last colour."""

    low: float = 0.0
    high: float = 1.0
    colours: str = "gray"


@dataclass(frozen=True)
class Picture:
    """Values (row, column), None where there are none; `outline` is the truth, drawn filled if `filled`.

    `predicted` is a mask from a threshold, outlined too.
    """

    values: np.ndarray | None
    title: str = ""
    scale: Scale = field(default_factory=Scale)
    outline: np.ndarray | None = None
    filled: bool = False
    missing: str = "no map"
    predicted: np.ndarray | None = None


@dataclass(frozen=True)
class Group:
    """A header over the columns `first` to `last`."""

    label: str
    colour: str
    first: int
    last: int


@dataclass(frozen=True)
class PictureTable:
    """Rows of equally many pictures, their labels, headers over columns, and colour bars under some.

    `legend` names the colours of outlines, `reasons` says of a row why it is empty.
    """

    rows: list[list[Picture | None]]
    row_labels: list[str]
    groups: list[Group] = field(default_factory=list)
    row_colours: list[str] = field(default_factory=list)
    bars: dict[int, Scale] = field(default_factory=dict)
    note: str = ""
    legend: dict[str, str] = field(default_factory=dict)
    reasons: dict[int, str] = field(default_factory=dict)


@dataclass(frozen=True)
class _Layout:
    """Sizes in inches: of pictures, of what stands left of and above them, and of the whole figure."""

    width: float
    heights: list[float]  # of each row
    left: float
    headers: list[list[str]]
    row_labels: list[list[str]]
    tops: list[float]
    title: str
    total: tuple[float, float]


def draw_pictures(settings: FigureBase, table: PictureTable, phantom: bool) -> Figure:
    """The figure of the table; pictures keep their shape and are as large as the width allows."""
    layout = _lay_out(settings, table, phantom)
    figure = Figure(figsize=layout.total)
    height = layout.total[1]
    figure.text(0.01, 1 - 0.05 / height, layout.title, va="top", fontsize=8, fontweight="bold")
    for number, row in enumerate(table.rows):
        for position, picture in enumerate(row):
            if picture is not None:
                _draw_picture(figure, layout, (number, position), picture)
        _label_row(figure, layout, table, number)
    for group, lines in zip(table.groups, layout.headers, strict=True):
        titles = _title_height(table.rows[0][group.first : group.last + 1], layout.width)
        _draw_group(figure, layout, (group, titles), lines)
    for position, scale in table.bars.items():
        _draw_colour_bar(figure, layout, position, scale)
    for number, line in enumerate(reversed(_note_lines(table, layout.total[0]))):
        place = (0.995, (0.04 + number * LINE_IN) / height)
        figure.text(*place, line, ha="right", va="bottom", fontsize=6, color=MUTED)
    if table.legend:
        _draw_legend(figure, layout, table)
    return figure


def _lay_out(settings: FigureBase, table: PictureTable, phantom: bool) -> _Layout:
    title = title_text(settings, phantom)
    total, columns = WIDTH_IN[settings.width], max(len(row) for row in table.rows)
    shape = next(p.values.shape for row in table.rows for p in row if p and p.values is not None)
    aspect = shape[0] / shape[1]
    left, width, lines = 0.2, 0.0, [[label] for label in table.row_labels]
    for _ in range(
        2
    ):  # the labels' lines depend on the pictures' height, and this on the room for the labels
        width = min((total - left - 0.03 - (columns - 1) * GAP_IN) / columns, MAX_PICTURE_IN)
        width = min(
            width, (MAX_HEIGHT_IN - 0.9) / max(1, len(table.rows) - len(table.reasons)) / aspect - GAP_IN
        )
        letters = max(8, int(width * aspect / 0.046))
        shown = ["" if row in table.reasons else label for row, label in enumerate(table.row_labels)]
        lines = [textwrap.wrap(label, letters) or [""] for label in shown]
        left = 0.1 + LINE_IN * max(len(label) for label in lines) if any(table.row_labels) else 0.05
        left += 0.03 if table.row_colours else 0.0
    # Few pictures leave room beside them.
    pictures = left + columns * width + (columns - 1) * GAP_IN + 0.03
    total = min(total, max(pictures, TITLE_IN * max((len(line) for line in title.splitlines()), default=0)))
    headers = [_header_lines(group, width) for group in table.groups]
    top = 0.1 + 0.125 * len(title.splitlines())
    top += LINE_IN * max((len(header) for header in headers), default=0) + (0.08 if headers else 0)
    heights = [EMPTY_ROW_IN if row in table.reasons else width * aspect for row in range(len(table.rows))]
    tops = []
    for row, row_height in zip(table.rows, heights, strict=True):
        top += _title_height(row, width)
        tops.append(top)
        top += row_height + GAP_IN
    note = LINE_IN * len(_note_lines(table, total)) + 0.04 + (LEGEND_IN if table.legend else 0)
    figure_height = top + (BAR_IN if table.bars else 0) + note
    return _Layout(width, heights, left, headers, lines, tops, title, (total, figure_height))


def _title_lines(picture: Picture, width: float) -> list[str]:
    return textwrap.wrap(picture.title, max(6, int(width / CHARACTER_IN)))


def _title_height(row: Sequence[Picture | None], width: float) -> float:
    """Inches that the titles above these pictures take."""
    shown = [_title_lines(picture, width) for picture in row if picture and picture.title]
    return LINE_IN * max(len(text) for text in shown) + 0.05 if shown else 0.0


def _header_lines(group: Group, width: float) -> list[str]:
    columns = group.last - group.first + 1
    room = columns * width + (columns - 1) * GAP_IN
    return textwrap.wrap(group.label, max(7, int(room / BOLD_IN)))


def _note_lines(table: PictureTable, total: float) -> list[str]:
    return textwrap.wrap(table.note, int(total / 0.047))


def _axes(figure: Figure, layout: _Layout, place: tuple[int, int], height: float | None = None) -> Axes:
    """New axes for a picture; with a `height`, for a colour bar under it instead."""
    total_width, total_height = layout.total
    row, column = place
    left = layout.left + column * (layout.width + GAP_IN)
    bottom = layout.tops[row] + layout.heights[row]
    if height is not None:
        bottom += 0.04 + height
    shown = layout.heights[row] if height is None else height
    return figure.add_axes(
        (
            left / total_width,
            1 - bottom / total_height,
            layout.width / total_width,
            shown / total_height,
        )
    )


def _draw_picture(figure: Figure, layout: _Layout, place: tuple[int, int], picture: Picture) -> None:
    axes = _axes(figure, layout, place)
    axes.set(xticks=[], yticks=[], facecolor="black")
    axes.spines[:].set_visible(False)
    if picture.title:
        text = "\n".join(_title_lines(picture, layout.width))
        axes.set_title(text, fontsize=SMALL, color="#374151", pad=2, linespacing=1)
    if picture.values is None:
        axes.set_facecolor("#f3f4f6")
        axes.text(
            *(0.5, 0.5), picture.missing, ha="center", va="center", fontsize=SMALL, transform=axes.transAxes
        )
        return
    scale = picture.scale
    axes.imshow(
        picture.values,
        cmap=scale.colours,
        vmin=scale.low,
        vmax=scale.high,
        interpolation="nearest",
        aspect="auto",
    )
    if picture.predicted is not None and picture.predicted.any():
        axes.contour(picture.predicted, levels=[0.5], colors=[PREDICTED_COLOUR], linewidths=0.6)
    if picture.outline is None or not picture.outline.any():
        return
    width = 0.9 if picture.filled else 0.6
    axes.contour(picture.outline, levels=[0.5], colors=[TRUTH_COLOUR], linewidths=width)
    if picture.filled:
        axes.contourf(picture.outline, levels=[0.5, 1.5], colors=[TRUTH_COLOUR], alpha=0.3)


def _label_row(figure: Figure, layout: _Layout, table: PictureTable, number: int) -> None:
    width, height = layout.total
    centre = 1 - (layout.tops[number] + layout.heights[number] / 2) / height
    text = "\n".join(layout.row_labels[number])
    coloured = bool(table.row_colours)
    x = (layout.left - (0.06 if coloured else 0.03)) / width
    style = {"rotation": 90, "ha": "right", "va": "center", "fontsize": SMALL, "linespacing": 1.0}
    style["multialignment"] = "center"
    figure.text(x, centre, text, **style)  # type: ignore[arg-type]
    if reason := table.reasons.get(number):
        columns = len(table.rows[number])
        middle = layout.left + (columns * (layout.width + GAP_IN) - GAP_IN) / 2
        style = {"ha": "center", "va": "center", "fontsize": SMALL, "color": MUTED}
        figure.text(middle / width, centre, f"{table.row_labels[number]}: {reason}", **style)  # type: ignore[arg-type]
    if coloured and table.row_colours[number]:
        x = (layout.left - 0.03) / width
        half = layout.heights[number] / 2 / height
        ends = [centre - half, centre + half]
        figure.add_artist(Line2D([x, x], ends, color=table.row_colours[number], linewidth=1.5))


def _draw_group(figure: Figure, layout: _Layout, place: tuple[Group, float], lines: list[str]) -> None:
    group, titles = place
    width, height = layout.total
    left = layout.left + group.first * (layout.width + GAP_IN)
    right = layout.left + group.last * (layout.width + GAP_IN) + layout.width
    y = 1 - (layout.tops[0] - titles - 0.03) / height
    figure.add_artist(Line2D([left / width, right / width], [y, y], color=group.colour, linewidth=1.5))
    middle = (left + right) / 2 / width
    style = {"ha": "center", "va": "bottom", "fontsize": SMALL, "fontweight": "bold", "linespacing": 1.0}
    figure.text(middle, y + 0.025 / height, "\n".join(lines), **style)  # type: ignore[arg-type]


def _draw_legend(figure: Figure, layout: _Layout, table: PictureTable) -> None:
    """The colours of the outlines, above the note."""
    lines = {f"outline: {label}": outline_sign(colour) for label, colour in table.legend.items()}
    y = (0.04 + LINE_IN * len(_note_lines(table, layout.total[0]))) / layout.total[1]
    dark_legend(figure, lines, loc="lower right", bbox_to_anchor=(0.995, y), borderpad=0.3, borderaxespad=0)


def outline_sign(colour: str, **style: Any) -> Line2D:
    """The sign of an outline in a legend."""
    return Line2D([], [], color=colour, linewidth=1.2, **style)


def dark_legend(figure: Figure, entries: Mapping[str, Artist], **options: Any) -> None:
    """One line of signs by their labels, on a ground on which the colours of outlines look as on maps."""
    figure.legend(
        list(entries.values()),
        list(entries),
        ncols=len(entries),
        fontsize=SMALL,
        labelcolor="white",
        frameon=True,
        fancybox=False,
        facecolor=LEGEND_GROUND,
        edgecolor="none",
        framealpha=1,
        handlelength=1.4,
        columnspacing=1.2,
        **options,
    )


def _draw_colour_bar(figure: Figure, layout: _Layout, column: int, scale: Scale) -> None:
    axes = _axes(figure, layout, (len(layout.tops) - 1, column), height=0.06)
    colours = ScalarMappable(Normalize(scale.low, scale.high), scale.colours)
    bar = figure.colorbar(colours, cax=axes, orientation="horizontal")
    bar.set_ticks([scale.low, scale.high], labels=[f"{scale.low:.2g}", f"{scale.high:.2g}"])
    bar.ax.tick_params(labelsize=6, length=1.5, pad=1)
    low, high = bar.ax.get_xticklabels()
    low.set_horizontalalignment("left")
    high.set_horizontalalignment("right")
    bar.outline.set_linewidth(0.4)  # type: ignore[operator]
