"""Examples of synthetic anomalies, beside the images they were put into (Bercea 2023, RA, Figure 3)."""

from dataclasses import replace

from matplotlib.figure import Figure

from brainuad.arrays import ArrayStore
from brainuad.reporting.figure_settings import AnomalyExamplesFigure
from brainuad.reporting.figures.maps import Content, content_of, empty_figure, method_columns
from brainuad.reporting.figures.pictures import Picture, PictureTable, draw_pictures
from brainuad.reporting.figures.shown import Shown, Wanted, channel_of, read_shown
from brainuad.reporting.figures.style import Results, dataset_title
from brainuad.reporting.inputs import DatasetEntry
from brainuad.reporting.volumes import Case, choose_cases, load_dataset


def draw_anomaly_examples(settings: AnomalyExamplesFigure, results: Results) -> Figure:
    """Rows are examples of each synthetic set: the image before and after, the anomaly, and maps of methods."""
    shown: list[Shown] = []
    absent: list[str] = []
    source: tuple[ArrayStore, int] | None = None
    for name in settings.datasets:
        entry = synthetic_entry(results, name)
        store = load_dataset(entry)
        if store is None:
            absent.append(dataset_title(results, name))
            continue
        source = (store, channel_of(store, settings.channel))
        cases = examples_of(store, results, entry, settings.subjects)
        wanted = Wanted(settings.methods, source[1], settings.run)
        named = [replace(case, dataset=dataset_title(results, name)) for case in cases]
        read = read_shown(cases, wanted, results, store)
        shown += [replace(row, name=case.pseudonym) for row, case in zip(read, named, strict=True)]
    phantom = any(name in results.study.phantoms for name in settings.datasets)
    if source is None or not shown:
        return empty_figure(settings, phantom)
    content = content_of(shown, settings.methods, source, need_healthy=False)
    notes = [content.note.replace("outline: truth", "outline: anomaly")]
    notes += [f"not made: {', '.join(absent)}"] if absent else []
    return draw_pictures(settings, _table(replace(content, note="; ".join(notes))), phantom)


def synthetic_entry(results: Results, name: str) -> DatasetEntry:
    """A synthetic test set of the study, which lies in the study's own folder."""
    known = results.study.dataset(name)
    return known or DatasetEntry(name, results.study.folder / "synthetic" / name, phantom=False)


def examples_of(store: ArrayStore, results: Results, entry: DatasetEntry, count: int) -> list[Case]:
    """Scored subjects where there are any, else the first ones of the set."""
    scored = choose_cases(store, results.study, entry.name, count)
    return scored or [
        Case(entry.name, subject, number + 1) for number, subject in enumerate(store.subjects[:count])
    ]


def _table(content: Content) -> PictureTable:
    rows: list[list[Picture | None]] = [
        [
            Picture(row.clean, f"{content.modality}, clean", missing="no image"),
            Picture(row.image, "with anomaly"),
            Picture(row.image, "anomaly", outline=row.truth, filled=True),
        ]
        for row in content.shown
    ]
    groups, bars = method_columns(content, rows, False, True)
    for row in rows[1:]:
        row[:] = [picture and replace(picture, title="") for picture in row]
    return PictureTable(rows, [row.name for row in content.shown], groups, bars=bars, note=content.note)
