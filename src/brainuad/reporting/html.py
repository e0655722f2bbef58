"""The HTML report: static pages that open from a disk without a network.

Everything on a page comes from the files in `ReportInputs`, so that the same inputs give the same pages.
Subjects appear under pseudonyms and excluded scans as counts.
"""

import base64
import shutil
from collections.abc import Iterable
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import matplotlib
import numpy as np
from jinja2 import Environment, FileSystemLoader, StrictUndefined

from brainuad.reporting.figures.pictures import MAP_COLOURS
from brainuad.reporting.figures.style import Results
from brainuad.reporting.inputs import DatasetEntry, ReportInputs
from brainuad.reporting.names import dataset_name
from brainuad.reporting.pages.cohort import chosen_cohort
from brainuad.reporting.pages.cost import duration_text, method_costs, step_costs
from brainuad.reporting.pages.leaderboard import boards
from brainuad.reporting.pages.overview import study_card
from brainuad.reporting.pages.quality import Quality, cohort_quality
from brainuad.reporting.pages.ranking import RankingPage, ranking_page
from brainuad.reporting.pages.results import shown_figures, shown_tables
from brainuad.reporting.pages.significance import matrices
from brainuad.reporting.pages.subjects import SubjectPage, write_subject_pages
from brainuad.reporting.summary import read_scores
from brainuad.storage import write_text

TEMPLATES = Path(__file__).parent / "templates"
STATIC = ("report.css", "report.js", "viewer.js")
PAGES = (
    ("index", "Overview"),
    ("leaderboard", "Leaderboard"),
    ("ranking", "Across studies"),
    ("significance", "Significance"),
    ("tables", "Paper tables"),
    ("figures", "Figures"),
    ("subjects", "Subjects"),
    ("cost", "Cost"),
    ("quality", "Quality"),
)
COHORT = ("cohort", "Cohort")


def build_report(inputs: ReportInputs, folder: Path) -> Path:
    """Path of the written index.html; `folder` holds the whole report and nothing of an earlier one."""
    building = folder.with_name(f".{folder.name}.building")
    shutil.rmtree(building, ignore_errors=True)
    building.mkdir(parents=True)
    _write_report(inputs, building)
    shutil.rmtree(folder, ignore_errors=True)
    building.rename(folder)
    return folder / "index.html"


def _write_report(inputs: ReportInputs, folder: Path) -> None:
    results = [Results(study, read_scores(study.score_files())) for study in inputs.studies]
    environment = _environment(inputs)
    (folder / "assets").mkdir()
    for name in STATIC:
        shutil.copyfile(TEMPLATES / name, folder / "assets" / name)
    subjects = _write_subjects(inputs, results, folder, environment)
    contents: dict[str, dict[str, Any]] = {
        "index": {"cards": [study_card(result) for result in results], "subjects": subjects},
        "leaderboard": {"sections": _by_dataset(results, boards_of)},
        "ranking": {"page_content": _ranking(inputs, folder)},
        "significance": {"sections": _by_dataset(results, lambda r, d: matrices(r.study, d))},
        "tables": {"studies": [(r.study, shown_tables(r.study)) for r in results]},
        "figures": {"studies": [(r.study, shown_figures(r.study, folder)) for r in results]},
        "subjects": {"groups": subjects},
        "cost": {
            "studies": [(r.study, method_costs(r)) for r in results],
            "steps": step_costs(inputs.benchmarks),
        },
        "quality": {"cohorts": _quality(inputs.quality, folder)},
        "cohort": {"cohorts": list(filter(None, map(chosen_cohort, inputs.curation)))},
    }
    for page, title in shown_pages(inputs):
        html = environment.get_template(f"{page}.html.j2").render(page=page, title=title, **contents[page])
        write_text(html, folder / f"{page}.html")


def shown_pages(inputs: ReportInputs) -> list[tuple[str, str]]:
    """The pages of a report; that of cohorts chosen by reports only where there are some."""
    return [*PAGES, COHORT] if inputs.curation else list(PAGES)


def boards_of(results: Results, dataset: str) -> list[Any]:
    """The leaderboards of one study on a data set."""
    return boards(results.study, results.scores, dataset)


def _ranking(inputs: ReportInputs, folder: Path) -> RankingPage:
    """The leaderboard across studies; its tables are copied into the report."""
    page = ranking_page(inputs.leaderboard, inputs.phantom_contests)
    for path in page.files:
        target = folder / "assets" / "leaderboard" / path
        target.parent.mkdir(parents=True, exist_ok=True)
        shutil.copyfile(inputs.leaderboard / path, target)  # type: ignore[operator]
    return page


def _environment(inputs: ReportInputs) -> Environment:
    environment = Environment(
        loader=FileSystemLoader(TEMPLATES),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    environment.filters["duration"] = duration_text
    environment.globals.update(
        pages=shown_pages(inputs),
        root="",
        phantoms=_phantom_names(inputs),
        all_phantom=all(entry.phantom for entry in _entries(inputs)),
        provenance=inputs.provenance,
        date=_date(inputs),
    )
    return environment


def _phantom_names(inputs: ReportInputs) -> list[str]:
    """The simulated data sets; with the study, a synthetic one that another study makes of real scans."""
    real = {entry.name for entry in _entries(inputs) if not entry.phantom}
    mixed = [
        f"{dataset_name(name)} ({study.name})"
        for study in inputs.studies
        for name in sorted(study.phantoms & real)
    ]
    return [*(dataset_name(name) for name in sorted(inputs.phantoms - real)), *mixed]


def _entries(inputs: ReportInputs) -> list[DatasetEntry]:
    return [*(entry for study in inputs.studies for entry in study.datasets), *inputs.quality]


def _date(inputs: ReportInputs) -> str:
    """The day of the newest input, so that the same files give the same report."""
    times = [path.stat().st_mtime for path in inputs.files() if path.exists()]
    return datetime.fromtimestamp(max(times), UTC).strftime("%Y-%m-%d") if times else "no results yet"


def _by_dataset(results: Iterable[Results], make: Any) -> list[dict[str, Any]]:
    """For each data set, in the studies' order, what `make` gives for each study that has something."""
    results = list(results)
    names = dict.fromkeys(entry.name for result in results for entry in result.study.datasets)
    sections = []
    for name in names:
        parts = [(r.study, made) for r in results if r.study.dataset(name) and (made := make(r, name))]
        if parts:
            phantom = all(name in study.phantoms for study, _ in parts)
            sections.append({"name": name, "label": dataset_name(name), "phantom": phantom, "parts": parts})
    return sections


def _write_subjects(
    inputs: ReportInputs, results: list[Results], folder: Path, environment: Environment
) -> list[dict[str, Any]]:
    colours = base64.b64encode(_colour_table()).decode()
    template = environment.get_template("subject.html.j2")
    groups = []
    for result in results:
        for entry in result.study.datasets:
            pages = write_subject_pages(
                result, entry.name, (inputs.subjects, inputs.slices), folder / "subjects"
            )
            for position, page in enumerate(pages):
                html = template.render(
                    page="subjects",
                    title=page.title,
                    root="../",
                    study=result.study,
                    subject=page,
                    neighbours=_neighbours(pages, position),
                    config={**page.config, "colours": colours},
                )
                write_text(html, folder / "subjects" / f"{page.slug}.html")
            if pages:
                groups.append({"study": result.study, "label": dataset_name(entry.name), "pages": pages})
    return groups


def _neighbours(pages: list[SubjectPage], position: int) -> tuple[SubjectPage | None, SubjectPage | None]:
    before = pages[position - 1] if position > 0 else None
    return before, pages[position + 1] if position + 1 < len(pages) else None


def _colour_table() -> bytes:
    colours = matplotlib.colormaps[MAP_COLOURS](np.arange(256))[:, :3]
    return bytes(np.round(255 * colours).astype(np.uint8).tobytes())


def _quality(cohorts: Iterable[DatasetEntry], folder: Path) -> list[tuple[Quality, str]]:
    """Counts of each cohort and the copied mosaic, "" where there is none."""
    found = []
    for entry in cohorts:
        quality = cohort_quality(entry)
        if quality is None:
            continue
        picture = ""
        if entry.mosaic and entry.mosaic.exists():
            picture = f"assets/mosaic-{entry.name}{entry.mosaic.suffix}"
            shutil.copyfile(entry.mosaic, folder / picture)
        found.append((quality, picture))
    return found
