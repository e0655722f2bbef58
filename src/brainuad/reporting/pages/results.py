"""The written tables and figures of a study, as the report shows them."""

import shutil
from dataclasses import dataclass
from pathlib import Path

import pandas as pd

from brainuad.reporting.inputs import StudyEntry
from brainuad.reporting.table_text import Layout, layout_of


@dataclass(frozen=True)
class ShownTable:
    """A table of a paper; `layout` is None where it was not made yet."""

    name: str
    title: str
    layout: Layout | None


@dataclass(frozen=True)
class ShownFigure:
    """A figure; `files` are relative to the report, none where it was not drawn yet."""

    name: str
    title: str
    source: str
    wide: bool
    files: tuple[str, ...]

    @property
    def path(self) -> str:
        """The file to show, "" where there is none."""
        return self.files[0] if self.files else ""


def shown_tables(study: StudyEntry) -> list[ShownTable]:
    """The tables of a study, read from their tidy csv files."""
    shown = []
    for name, settings in study.tables.items():
        path = study.table(name, "csv")
        layout = None
        if path.exists():
            table = pd.read_csv(path, keep_default_na=True).fillna(
                dict.fromkeys(("note", "protocol", "stratum", "remark", "test_note"), "")
            )
            layout = layout_of(settings, table)
        shown.append(ShownTable(name, settings.title, layout))
    return shown


def shown_figures(study: StudyEntry, folder: Path) -> list[ShownFigure]:
    """The figures of a study, after copying their svg and png files into the report."""
    shown = []
    for name, settings in study.figures.items():
        files = []
        target = folder / "figures" / study.name
        for suffix in ("svg", "png"):
            source = study.figure(name, suffix)
            if source.exists():
                target.mkdir(parents=True, exist_ok=True)
                files.append(f"figures/{study.name}/{name}.{suffix}")
                shutil.copyfile(source, folder / files[-1])
        shown.append(
            ShownFigure(name, settings.title, settings.source, settings.width == "page", tuple(files))
        )
    return shown
