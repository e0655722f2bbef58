"""How annotated boxes are evaluated, on one scan and with its numbers (Bercea 2023, RA, Figure 7)."""

import textwrap
from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np
from matplotlib.artist import Artist
from matplotlib.axes import Axes
from matplotlib.colors import to_rgb
from matplotlib.figure import Figure
from matplotlib.patches import Patch, Rectangle

from brainuad.arrays import ArrayStore
from brainuad.reporting.colours import colour_of
from brainuad.reporting.figures.boxed import Box, BoxedScan, boxed_scans, typical_example
from brainuad.reporting.figures.maps import empty_figure
from brainuad.reporting.figures.pictures import (
    MAP_COLOURS,
    SMALL,
    TRUTH_COLOUR,
    dark_legend,
    outline_sign,
)
from brainuad.reporting.figures.shown import MARGIN, channel_of, shared_top
from brainuad.reporting.figures.style import MUTED, Results, new_figure
from brainuad.reporting.names import modality_name, protocol_name
from brainuad.reporting.picture_settings import BoxExampleFigure
from brainuad.reporting.settings import MethodLabel
from brainuad.reporting.volumes import (
    as_seen,
    bounding_box,
    choose_cases,
    display_window,
    load_dataset,
    to_unit,
)

# Of what is marked in healthy tissue, and where it does not count; in boxes it is the colour of the boxes.
FALSE_COLOUR, UNCOUNTED_COLOUR = "#ff8a3d", "#9ca3af"
DIMMED, OPAQUE = 0.55, 0.75  # brightness of the image under what is marked, and how much of it that hides
DASHES = (0, (2, 1.5))
LINES, LETTERS = 15, 34  # of the text beside a row of pictures


@dataclass(frozen=True)
class _View:
    """One slice of a scan as seen: the image, the head, and how planes (x, y) become rows and columns."""

    image: np.ndarray
    head: np.ndarray
    z: int
    seen: Callable[[np.ndarray], np.ndarray]

    @classmethod
    def of(cls, store: ArrayStore, subject: str, place: tuple[int, int]) -> "_View":
        """The view of a slice and channel, cut to the head."""
        z, channel = place
        volume, affine = store.volume(subject), store.affine(subject)
        window = bounding_box(as_seen(volume.brain[z], affine), MARGIN)
        grey = display_window(volume.images[:, channel], volume.brain)
        image = to_unit(volume.images[z, channel], grey)
        return cls(image, volume.brain[z], z, lambda plane: as_seen(plane, affine)[window])


def draw_box_example(settings: BoxExampleFigure, results: Results) -> Figure:
    """A row per method: the input with boxes, the map, what is marked at the threshold, and how that counts."""
    phantom = settings.dataset in results.study.phantoms
    store = load_dataset(results.study.dataset(settings.dataset))
    if store is None:
        return empty_figure(settings, phantom)
    cases = choose_cases(store, results.study, settings.dataset, len(store.subjects))
    of_first = boxed_scans(settings, results, store, settings.methods[0].method, cases)
    example = typical_example([scan.boxes for scan in of_first])
    if example is None:
        return empty_figure(settings, phantom)
    case = of_first[example[0]].case
    channel = channel_of(store, settings.channel)
    view = _View.of(store, case.subject, (example[1], channel))
    figure = new_figure(settings, 0.6 + 1.8 * len(settings.methods), phantom)
    ratios = {"width_ratios": [1, 1.13, 1, 1.05]}
    panels = figure.subplots(len(settings.methods), 4, squeeze=False, gridspec_kw=ratios)
    for axes, method in zip(panels, settings.methods, strict=True):
        found = boxed_scans(settings, results, store, method.method, [case])
        if found:
            _draw_row(axes, view, found[0])
            lines = _lines(found[0], example[1], protocol_name(settings.protocol))
            axes[3].text(0, 1, "\n".join(lines), va="top", fontsize=SMALL, linespacing=1.15)
        _decorate(axes, method, modality_name(store.channels[channel]), bool(found))
    _draw_legend(figure)
    return figure


def _decorate(panels: Sequence[Axes], method: MethodLabel, modality: str, run: bool) -> None:
    """Titles, the name of the method, and nothing else beside the pictures."""
    for axes in panels:
        axes.set(xticks=[], yticks=[])
        axes.spines[:].set_visible(False)
    panels[3].set_axis_off()
    panels[0].set_ylabel(method.label, fontsize=SMALL, fontweight="bold", color=colour_of(method.method))
    if not run:
        panels[0].text(0.5, 0.5, "not run", ha="center", color=MUTED, fontsize=SMALL)
        return
    for axes, title in zip(panels, (modality, "anomaly map", "above the threshold"), strict=False):
        axes.set_title(title, fontsize=SMALL, color="#374151", pad=2)


def _draw_row(panels: Sequence[Axes], view: _View, scan: BoxedScan) -> None:
    """The three pictures of one method."""
    scores, mask = scan.scores[:, :, view.z], scan.mask[:, :, view.z]
    boxes = [box for box in scan.boxes if box.slice == view.z]
    panels[0].imshow(view.seen(view.image), cmap="gray", vmin=0, vmax=1)
    seen = view.seen(scores)
    top = shared_top([seen])
    drawn = panels[1].imshow(seen, cmap=MAP_COLOURS, vmin=0, vmax=top)
    bar = panels[1].figure.colorbar(drawn, ax=panels[1], fraction=0.046, pad=0.02)
    bar.set_ticks([0, top], labels=["0", f"{top:.2g}"])
    bar.ax.tick_params(labelsize=6, length=1.5, pad=1)
    bar.outline.set_linewidth(0.4)  # type: ignore[operator]
    panels[2].imshow(_overlay(view, mask, scan.covered[:, :, view.z], boxes))
    for axes in panels[:3]:
        for number, box in enumerate(boxes):
            _draw_box(axes, view, box, number + 1)


def _overlay(view: _View, mask: np.ndarray, covered: np.ndarray, boxes: Sequence[Box]) -> np.ndarray:
    """The dimmed image (row, column, RGB) with what is marked in the boxes, in healthy tissue, and elsewhere."""
    inside = np.zeros(mask.shape, dtype=bool)
    for box in boxes:
        inside[box.pixels[:2]] = True
    healthy = view.head & ~covered
    parts = {
        TRUTH_COLOUR: mask & inside,
        FALSE_COLOUR: mask & healthy,
        UNCOUNTED_COLOUR: mask & ~healthy & ~inside,
    }
    picture = np.repeat(DIMMED * view.seen(view.image).astype(float)[..., None], 3, axis=-1)
    for colour, part in parts.items():
        place = view.seen(part)
        picture[place] = (1 - OPAQUE) * picture[place] + OPAQUE * np.array(to_rgb(colour))
    return picture


def _draw_box(axes: Axes, view: _View, box: Box, number: int) -> None:
    """The outline and number of a box, dashed where it is missed."""
    place = np.zeros(view.head.shape, dtype=bool)
    place[box.pixels[:2]] = True
    rows, columns = (np.flatnonzero(view.seen(place).any(axis=axis)) for axis in (1, 0))
    if not len(rows):
        return  # outside of what is shown
    corner = (columns[0] - 0.5, rows[0] - 0.5)
    size = (columns[-1] - columns[0] + 1, rows[-1] - rows[0] + 1)
    style = "-" if box.detected else DASHES
    outline = Rectangle(corner, *size, fill=False, edgecolor=TRUTH_COLOUR, linewidth=1.0, linestyle=style)
    axes.add_patch(outline)
    axes.text(*corner, str(number), color=TRUTH_COLOUR, fontsize=SMALL, va="bottom", ha="left")


def _lines(scan: BoxedScan, z: int, protocol: str) -> list[str]:
    """What is written beside the pictures: the threshold, and per box its share, false positives and F1."""
    boxes = [box for box in scan.boxes if box.slice == z]
    lines = [scan.case.pseudonym, f"{protocol}: {scan.threshold:.3g}", ""]
    for number, box in enumerate(boxes):
        state = "detected" if box.detected else "missed"
        text = [
            *textwrap.wrap(f"{number + 1}  {box.label}: {state}", LETTERS, subsequent_indent="     "),
            f"     marked pixels: {100 * box.share:.0f} %",
            f"     sum of marked scores: {box.inside:.2f}",
            f"     FP = int({box.outside:.2f} / {max(box.inside, 1):.2f}) = {box.false_positives}",
            f"     F1 = {100 * box.f1:.1f} %",
        ]
        if len(lines) + len(text) > LINES:
            return [*lines, f"and {len(boxes) - number} more"]
        lines += text
    return lines


def _draw_legend(figure: Figure) -> None:
    entries: dict[str, Artist] = {
        "box, detected": outline_sign(TRUTH_COLOUR),
        "box, missed": outline_sign(TRUTH_COLOUR, linestyle=DASHES),
        "marked in a box": Patch(color=TRUTH_COLOUR),
        "marked in healthy tissue (FP)": Patch(color=FALSE_COLOUR),
        "marked elsewhere (not counted)": Patch(color=UNCOUNTED_COLOUR),
    }
    dark_legend(figure, entries, loc="outside lower center")
