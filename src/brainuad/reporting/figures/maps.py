"""Input, truth, pseudo-healthy images and anomaly maps of a few subjects, in the slice with the most lesion."""

from collections.abc import Sequence
from dataclasses import dataclass, field, replace

from matplotlib.figure import Figure

from brainuad.arrays import ArrayStore
from brainuad.reporting.case_groups import CaseRow, choose_groups
from brainuad.reporting.colours import colour_of
from brainuad.reporting.figure_settings import FigureBase, MapsFigure, ReconstructionsFigure
from brainuad.reporting.figures.pictures import (
    MAP_COLOURS,
    PREDICTED_COLOUR,
    TRUTH_COLOUR,
    Group,
    Picture,
    PictureTable,
    Scale,
    draw_pictures,
)
from brainuad.reporting.figures.shown import Shown, Wanted, channel_of, read_shown, shared_top
from brainuad.reporting.figures.style import Results, new_figure, nothing_to_draw
from brainuad.reporting.names import modality_name
from brainuad.reporting.settings import MethodLabel
from brainuad.reporting.volumes import choose_cases, load_dataset


@dataclass(frozen=True)
class Content:
    """What a table of pictures shows: subjects, methods that have pictures, and the modality's name.

    `legend` holds the colours of the outlines, where there is more than the truth. `empty` has, by the row's
    number, the rows that stand between those of `shown` without a subject.
    """

    shown: list[Shown]
    methods: list[MethodLabel]
    modality: str
    note: str
    legend: dict[str, str] = field(default_factory=dict)
    empty: dict[int, CaseRow] = field(default_factory=dict)


def draw_maps(settings: MapsFigure, results: Results) -> Figure:
    """Rows are subjects, columns the input, the truth, and per method its pseudo-healthy image and map.

    All maps of a method share one colour scale, from 0 to the 99.5th percentile of what is shown. With
    `outline: yen` they carry the outline of the mask that is evaluated (Frotscher 2023, Figure 3). A row of
    `groups` without a subject says why.
    """
    content = _read_content(settings, results, need_healthy=False)
    phantom = settings.dataset in results.study.phantoms
    if isinstance(content, str):
        return empty_figure(settings, phantom, content)
    return draw_pictures(settings, by_subject(content, settings.pseudo_healthy, True), phantom)


def draw_reconstructions(settings: ReconstructionsFigure, results: Results) -> Figure:
    """The input, the truth and the pseudo-healthy images; rows are subjects or methods.

    Images of a subject share one grey scale, that of its input.
    """
    content = _read_content(settings, results, need_healthy=True)
    phantom = settings.dataset in results.study.phantoms
    if isinstance(content, str) or not content.methods:
        return empty_figure(settings, phantom)
    if settings.rows == "subjects":
        return draw_pictures(settings, by_subject(content, True, settings.maps), phantom)
    return draw_pictures(settings, _by_method(content, settings.maps), phantom)


def empty_figure(settings: FigureBase, phantom: bool, reason: str = "not run") -> Figure:
    """A small figure that says why there is nothing to show."""
    figure = new_figure(settings, 1.2, phantom)
    nothing_to_draw(figure.subplots(), reason)
    return figure


def _read_content(
    settings: MapsFigure | ReconstructionsFigure, results: Results, need_healthy: bool
) -> Content | str:
    """What is there to show, or why there is nothing."""
    store = load_dataset(results.study.dataset(settings.dataset))
    rows = _choose_rows(settings, results, store) if store else []
    found = [(row.label, row.case) for row in rows if row.case]
    if store is None or not found:
        return "; ".join(row.reason for row in rows) or "not run"
    channel = channel_of(store, settings.channel)
    outline = settings.outline if isinstance(settings, MapsFigure) else "none"
    wanted = Wanted(settings.methods, channel, settings.run, outline)
    shown = read_shown([case for _, case in found], wanted, results, store)
    shown = [replace(row, name=label) for row, (label, _) in zip(shown, found, strict=True)]
    content = content_of(shown, settings.methods, (store, channel), need_healthy)
    return replace(content, empty={number: row for number, row in enumerate(rows) if not row.case})


def _choose_rows(
    settings: MapsFigure | ReconstructionsFigure, results: Results, store: ArrayStore
) -> list[CaseRow]:
    """The cases of the groups where there are groups, else those over the range of lesion volumes."""
    if isinstance(settings, MapsFigure) and settings.groups:
        return choose_groups(store, results.study, settings.dataset, settings.groups)
    cases = choose_cases(store, results.study, settings.dataset, settings.subjects)
    return [CaseRow(case.pseudonym, case) for case in cases]


def content_of(
    shown: list[Shown], methods: Sequence[MethodLabel], source: tuple[ArrayStore, int], need_healthy: bool
) -> Content:
    """The methods that have pictures of `shown`, and a note on those that have none."""
    store, channel = source
    run = [method for method in methods if any(method.method in row.maps for row in shown)]
    kept = [m for m in run if any(m.method in row.healthy for row in shown)] if need_healthy else run
    outlined = any(row.predicted for row in shown)
    unknown = all(row.truth is None for row in shown)
    truth = {} if unknown else {"truth": TRUTH_COLOUR}
    legend = {**truth, "mask at Yen's threshold": PREDICTED_COLOUR} if outlined else {}
    notes = ["lesions not annotated"] if unknown else [] if outlined else ["outline: truth"]
    if missing := [method.label for method in methods if method not in run]:
        notes.append(f"not run: {', '.join(missing)}")
    if without := [method.label for method in run if method not in kept]:
        notes.append(f"without pseudo-healthy images: {', '.join(without)}")
    return Content(shown, kept, modality_name(store.channels[channel]), "; ".join(notes), legend)


def by_subject(content: Content, healthy: bool, maps: bool) -> PictureTable:
    """A row per subject: input, truth, and what the methods made of them."""
    rows: list[list[Picture | None]] = [
        [
            Picture(row.image, content.modality),
            _truth(row),
        ]
        for row in content.shown
    ]
    groups, bars = method_columns(content, rows, healthy, maps)
    labels, reasons = [row.name for row in content.shown], {}
    for number, empty in sorted(content.empty.items()):
        rows.insert(
            number, [Picture(None, picture.title if picture else "", missing="") for picture in rows[0]]
        )
        labels.insert(number, empty.label)
        reasons[number] = empty.reason
    for row in rows[1:]:
        row[:] = [picture and replace(picture, title="") for picture in row]
    table = PictureTable(rows, labels, groups, bars=bars, note=content.note, legend=content.legend)
    return replace(table, reasons=reasons)


def method_columns(
    content: Content, rows: list[list[Picture | None]], healthy: bool, maps: bool
) -> tuple[list[Group], dict[int, Scale]]:
    """Adds the columns of the methods to `rows`; their headers, and the scales of the columns with maps."""
    groups, bars = [], {}
    for method in content.methods:
        first = len(rows[0])
        if healthy and any(method.method in shown.healthy for shown in content.shown):
            for shown, row in zip(content.shown, rows, strict=True):
                row.append(_healthy(shown, method, "pseudo-healthy" if maps else ""))
        if maps:
            scale = _map_scale(content, method)
            bars[len(rows[0])] = scale
            for shown, row in zip(content.shown, rows, strict=True):
                row.append(_map(shown, method, scale))
        groups.append(Group(method.label, colour_of(method.method), first, len(rows[0]) - 1))
    return groups, bars


def _by_method(content: Content, maps: bool) -> PictureTable:
    """A row per method under a row of inputs; one column per subject, or two with maps."""
    top: list[Picture | None] = []
    for row in content.shown:
        top.append(Picture(row.image, row.name, outline=row.truth))
        top += [None] if maps else []
    rows = [top]
    for method in content.methods:
        scale = _map_scale(content, method)
        line: list[Picture | None] = []
        for row in content.shown:
            line.append(_healthy(row, method, ""))
            line += [replace(_map(row, method, scale), title="")] if maps else []
        rows.append(line)
    labels = [content.modality, *(method.label for method in content.methods)]
    colours = ["", *(colour_of(method.method) for method in content.methods)]
    note = content.note
    if maps:
        note += "; maps: from 0 to the 99.5th percentile of each method"
    return PictureTable(rows, labels, row_colours=colours, note=note)


def _truth(row: Shown) -> Picture:
    values = row.image if row.truth is not None else None
    return Picture(values, "truth", outline=row.truth, filled=True, missing="not annotated")


def _healthy(row: Shown, method: MethodLabel, title: str) -> Picture:
    return Picture(row.healthy.get(method.method), title, missing="no image")


def _map(row: Shown, method: MethodLabel, scale: Scale) -> Picture:
    predicted = row.predicted.get(method.method)
    return Picture(row.maps.get(method.method), "anomaly map", scale, row.truth, predicted=predicted)


def _map_scale(content: Content, method: MethodLabel) -> Scale:
    planes = [row.maps[method.method] for row in content.shown if method.method in row.maps]
    return Scale(0.0, shared_top(planes), MAP_COLOURS)
