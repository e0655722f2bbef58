"""The written report: complete, private, without a network, and the same each time."""

import re
from collections.abc import Callable
from dataclasses import replace
from html.parser import HTMLParser
from pathlib import Path

import pandas as pd
import pytest
from pydantic import TypeAdapter

from brainuad.reporting.figure_settings import FigureSettings
from brainuad.reporting.figures.draw import write_figure
from brainuad.reporting.figures.style import Results
from brainuad.reporting.html import PAGES, build_report
from brainuad.reporting.inputs import Provenance, ReportInputs
from brainuad.reporting.settings import TableSettings
from brainuad.reporting.tables import build_table, write_tables


class Links(HTMLParser):
    """Collects what a page loads or links to, and its identifiers."""

    def __init__(self) -> None:
        super().__init__()
        self.targets: list[str] = []
        self.ids: list[str] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        for name, value in attrs:
            if name in ("href", "src") and value is not None:
                self.targets.append(value)
            if name == "id" and value is not None:
                self.ids.append(value)


@pytest.fixture(scope="module")
def complete(
    inputs: ReportInputs, scores: pd.DataFrame, table_settings: Callable[..., TableSettings]
) -> ReportInputs:
    """Inputs with a written table and figure, and one of each that was not made."""
    study = inputs.studies[0]
    figure = TypeAdapter(FigureSettings).validate_python(
        {
            "kind": "bars",
            "title": "Bars",
            "datasets": ["brats21"],
            "methods": [{"method": "dae-coarse", "label": "DAE"}],
        }
    )
    table = table_settings()
    full = replace(study, tables={"table1": table, "absent": table}, figures={"bars": figure, "none": figure})
    write_tables(table, build_table(table, scores, full.phantoms), full.folder / "tables", "table1")
    write_figure(figure, Results(full, scores), full.folder / "figures", "bars")
    return replace(inputs, studies=(full,))


@pytest.fixture(scope="module")
def report(complete: ReportInputs, tmp_path_factory: pytest.TempPathFactory) -> Path:
    return build_report(complete, tmp_path_factory.mktemp("out") / "report").parent


def pages(report: Path) -> list[Path]:
    return sorted(report.rglob("*.html"))


def test_every_page_is_there(report: Path) -> None:
    assert {f"{name}.html" for name, _ in PAGES} <= {page.name for page in pages(report)}
    assert len(list((report / "subjects").glob("*.html"))) == 6


def test_every_link_leads_to_a_file_of_the_report(report: Path) -> None:
    for page in pages(report):
        links = Links()
        links.feed(page.read_text())
        assert len(links.ids) == len(set(links.ids)), page
        for target in links.targets:
            if target.startswith("#"):
                assert target[1:] in links.ids, (page, target)
            elif not target.startswith("data:"):
                path = (page.parent / target).resolve()
                assert path.is_file(), (page, target)
                assert path.is_relative_to(report.resolve())


def test_nothing_is_fetched_from_a_network(report: Path) -> None:
    for path in report.rglob("*"):
        if path.suffix in {".html", ".js", ".css"}:
            assert not re.search(r"https?://|@import|url\(|fetch\(|XMLHttpRequest", path.read_text()), path


def test_every_page_of_a_phantom_has_the_banner(report: Path) -> None:
    assert all("Simulated phantom." in page.read_text() for page in pages(report))


def test_pages_of_real_data_have_none(complete: ReportInputs, tmp_path: Path) -> None:
    studies = tuple(
        replace(study, datasets=tuple(replace(entry, phantom=False) for entry in study.datasets))
        for study in complete.studies
    )
    quality = tuple(replace(entry, phantom=False) for entry in complete.quality)
    build_report(replace(complete, studies=studies, quality=quality), tmp_path / "report")
    assert not any("Simulated phantom." in page.read_text() for page in pages(tmp_path / "report"))


def test_only_the_study_on_simulated_scans_is_marked(complete: ReportInputs, tmp_path: Path) -> None:
    study = complete.studies[0]
    datasets = tuple(replace(entry, phantom=False) for entry in study.datasets)
    real = replace(study, name="real", title="Real scans", datasets=datasets)
    inputs = replace(complete, studies=(study, real), quality=(), subjects=1, slices=1)
    build_report(inputs, tmp_path / "report")
    for page in ("leaderboard", "significance"):
        text = (tmp_path / "report" / f"{page}.html").read_text()
        marked = {heading: "tag phantom" in heading for heading in re.findall(r"<h3>.*?</h3>", text)}
        assert len(marked) == 2
        assert all(tag == (study.title in heading) for heading, tag in marked.items())
        assert not any("tag phantom" in heading for heading in re.findall(r"<h2>.*?</h2>", text))
        assert f"simulated (BraTS 2021 ({study.name}), IXI ({study.name}))" in text


def test_no_subject_identifier_leaves_the_results(report: Path) -> None:
    for path in report.rglob("*"):
        assert not re.search(r"(BRATS21|IXI)\d{3}|SECRET", path.name)
        if path.suffix in {".html", ".js", ".css", ".svg"}:
            assert not re.search(r"(BRATS21|IXI)\d{3}|SECRET", path.read_text()), path


def test_oracle_columns_of_the_leaderboard_are_marked(report: Path) -> None:
    text = (report / "leaderboard.html").read_text()
    headings = re.findall(r'<th scope="col" class="num( bound)?"[^>]*><button type="button">([^<]*)', text)
    assert headings
    assert all((bound == " bound") == (label == "oracle") for bound, label in headings)


def test_methods_that_were_not_run_appear_in_tables_with_the_reason(report: Path) -> None:
    text = (report / "tables.html").read_text()
    assert "not run" in text
    assert "private data" in text
    assert "Not made yet." in text


def test_text_from_settings_is_escaped(complete: ReportInputs, tmp_path: Path) -> None:
    study = replace(complete.studies[0], title="<script>alert(1)</script>")
    build_report(replace(complete, studies=(study,)), tmp_path / "report")
    assert not any("<script>alert(1)" in page.read_text() for page in pages(tmp_path / "report"))


def test_the_footer_names_versions_configuration_and_day(report: Path) -> None:
    text = (report / "index.html").read_text()
    assert "0123abcd" in text
    assert "2.13.0" in text
    assert re.search(r"\d{4}-\d\d-\d\d", text)


def test_the_same_inputs_give_the_same_report(complete: ReportInputs, report: Path, tmp_path: Path) -> None:
    build_report(complete, tmp_path / "again")
    first = {path.relative_to(report): path.read_bytes() for path in report.rglob("*") if path.is_file()}
    again = tmp_path / "again"
    second = {path.relative_to(again): path.read_bytes() for path in again.rglob("*") if path.is_file()}
    assert first == second


def test_a_new_report_replaces_the_old_one_completely(complete: ReportInputs, tmp_path: Path) -> None:
    folder = tmp_path / "report"
    folder.mkdir()
    (folder / "stale.html").write_text("old")
    build_report(complete, folder)
    assert not (folder / "stale.html").exists()
    assert [path.name for path in tmp_path.iterdir()] == ["report"]


def test_a_report_can_be_made_before_there_are_results(tmp_path: Path) -> None:
    inputs = ReportInputs((), Provenance({}, "0", "paper"))
    assert "no results yet" in build_report(inputs, tmp_path / "report").read_text()


def test_pages_are_small_enough_for_a_laptop(report: Path) -> None:
    assert max(page.stat().st_size for page in pages(report)) < 300_000
