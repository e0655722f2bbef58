"""The page of the leaderboard across studies."""

import re
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from brainuad.leaderboard.inputs import NotScored, RankingInputs
from brainuad.leaderboard.quantities import RANKED
from brainuad.leaderboard.rank import Ranking, rank_methods
from brainuad.reporting.html import build_report
from brainuad.reporting.inputs import DatasetEntry, Provenance, ReportInputs
from brainuad.reporting.pages.ranking import ranking_page
from brainuad.reporting.pages.ranking_plots import stability_plot
from brainuad.reporting.pages.ranking_sheets import sheets
from brainuad.reporting.pages.ranking_tables import Tables, read_tables
from tests.unit.leaderboard.toy import QUICK, Made, make_inputs


def written(ranking: Ranking, folder: Path) -> Tables:
    ranking.write(folder)
    tables = read_tables(folder)
    assert tables is not None
    return tables


@pytest.fixture(scope="module")
def folder(two_studies: RankingInputs, tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("leaderboard")
    rank_methods(two_studies, QUICK, 0).write(path)
    return path


@pytest.fixture(scope="module")
def tables(folder: Path) -> Tables:
    found = read_tables(folder)
    assert found is not None
    return found


@pytest.fixture(scope="module")
def html(folder: Path, tmp_path_factory: pytest.TempPathFactory) -> str:
    cohorts = (DatasetEntry("brats21", Path("absent"), True), DatasetEntry("mslub", Path("absent"), True))
    inputs = ReportInputs(
        (),
        Provenance({}, "0", "quick"),
        quality=cohorts,
        leaderboard=folder,
        phantom_contests=("brats21", "mslub"),
    )
    report = build_report(inputs, tmp_path_factory.mktemp("out") / "report").parent
    assert (report / "assets/leaderboard/pairs/brats21.tsv").is_file()
    return (report / "ranking.html").read_text()


def test_methods_are_listed_by_rank_and_references_last(tables: Tables) -> None:
    listed = tables.competitors("brats21")
    assert listed[-1].supervised
    assert [competitor.reason for competitor in listed[:-1]] == [""] * 6
    ranks = [tables.record("brats21", competitor.key, RANKED[0])["rank"] for competitor in listed[:-1]]
    assert ranks == sorted(ranks)


def test_only_the_oracle_column_is_a_bound_and_it_has_no_winner(tables: Tables) -> None:
    for sheet in sheets(tables, "brats21"):
        for position, column in enumerate(sheet.columns):
            winners = [competitor for competitor, cells in sheet.rows if cells[position].best]
            assert column.bound == (column.label == "oracle")
            assert not winners or column.has_winner
            assert not any(winner.reason for winner in winners)


def test_the_best_of_a_column_is_a_ranked_method(tables: Tables) -> None:
    sheet = sheets(tables, "brats21")[0]
    position = next(i for i, column in enumerate(sheet.columns) if column.label == "mean")
    (winner,) = [competitor for competitor, cells in sheet.rows if cells[position].best]
    assert winner.key == "alpha/dae"  # the supervised network is better, but a reference


def test_headings_span_all_columns(tables: Tables) -> None:
    for sheet in sheets(tables, "mslub"):
        assert sum(span for _, span in sheet.groups) == len(sheet.columns)
        assert all(len(cells) == len(sheet.columns) for _, cells in sheet.rows)


def test_a_study_without_healthy_scans_has_no_rate_in_them(tables: Tables) -> None:
    sheet = next(sheet for sheet in sheets(tables, "brats21") if sheet.title == "Lesions and healthy scans")
    position = next(i for i, column in enumerate(sheet.columns) if column.quantity.metric == "fpr")
    texts = {competitor.key: cells[position].text for competitor, cells in sheet.rows}
    assert texts["beta/pddpm"] == "no healthy scan"
    assert re.match(r"0\.\d+", texts["alpha/dae"])


def test_the_plot_has_a_dot_and_an_interval_for_every_ranked_method(tables: Tables) -> None:
    plot = stability_plot(tables, "brats21", RANKED[0])
    assert plot is not None
    assert len(plot.marks) == 6
    assert all(plot.left <= mark.low <= mark.high <= plot.width for mark in plot.marks)
    dots = [mark.dot for mark in plot.marks]
    assert dots == sorted(dots)
    assert plot.ticks[0][1] == "1"


def test_matrices_are_antisymmetric(folder: Path) -> None:
    contest = ranking_page(folder, ()).contests[0]
    for matrix in contest.matrices:
        for i, row in enumerate(matrix.rows):
            assert row[i] is None
            for j, cell in enumerate(row):
                mirror = matrix.rows[j][i]
                if cell is not None and mirror is not None and cell.text != "0.000":
                    assert {cell.text[0], mirror.text[0]} == {"+", "−"}
                    assert {cell.kind, mirror.kind} in ({"same"}, {"better", "worse"})


def test_too_few_patients_for_significance_are_said(tmp_path: Path) -> None:
    inputs = make_inputs(tmp_path, {"one": Made({"a": 0.5, "b": 0.7, "c": 0.2}, {"mslub": range(4)})})
    written(rank_methods(inputs, QUICK, 0), tmp_path / "board")
    matrix = ranking_page(tmp_path / "board", ()).contests[0].matrices[0]
    assert "too few patients" in matrix.note
    assert "3 pairs of 3 methods, each on its 4 common test patients" in matrix.note


def test_the_page_says_what_each_study_had(folder: Path) -> None:
    facts = {fact.study: fact for fact in ranking_page(folder, ()).contests[0].facts}
    assert facts["beta"].resolution == "4 mm"
    assert facts["beta"].modalities == "FLAIR, T1w"
    assert facts["alpha"].training == "IXI"
    assert (facts["alpha"].runs, facts["alpha"].test_subjects) == ("2", 20)


def test_ranks_of_all_data_sets_stand_side_by_side(folder: Path) -> None:
    overall = ranking_page(folder, ()).overall[0]
    assert overall.labels == ("BraTS 2021", "MSLUB")
    first = overall.rows[0]
    assert first.competitor.key == "alpha/dae"
    assert [rank.text for rank in first.ranks] == ["1", "1"]
    assert first.ranks[0].heat == 1
    beta = next(row for row in overall.rows if row.competitor.study == "beta")
    assert beta.ranks[1].text == "not scored"
    assert overall.agreement[0]["Methods"] == "3"


def test_one_data_set_has_no_section_over_all(tmp_path: Path) -> None:
    inputs = make_inputs(tmp_path, {"one": Made({"a": 0.5, "b": 0.7}, {"mslub": range(4)})})
    written(rank_methods(inputs, QUICK, 0), tmp_path / "board")
    assert ranking_page(tmp_path / "board", ()).overall == ()


def test_a_single_method_has_a_rank_and_no_plot(tmp_path: Path) -> None:
    inputs = make_inputs(tmp_path, {"one": Made({"a": 0.5}, {"mslub": range(4)})})
    written(rank_methods(inputs, QUICK, 0), tmp_path / "board")
    contest = ranking_page(tmp_path / "board", ()).contests[0]
    assert contest.summary == "1 method of 1 study ranked on 4 test patients."
    assert (contest.plots, contest.matrices) == ((), ())


def test_methods_that_failed_are_named_with_the_reason(tmp_path: Path) -> None:
    made = Made({"a": 0.5, "b": 0.7}, {"mslub": range(4)}, unfinished=("a", "b"))
    written(rank_methods(make_inputs(tmp_path, {"one": made}), QUICK, 0), tmp_path / "board")
    contest = ranking_page(tmp_path / "board", ()).contests[0]
    assert contest.summary == "No method can be ranked."
    assert {competitor.reason for competitor in contest.unranked} == {"no result"}
    assert contest.sheets == ()


def test_a_synthetic_test_set_is_named_with_its_study(tmp_path: Path) -> None:
    inputs = make_inputs(tmp_path, {"one": Made({"a": 0.5, "b": 0.7}, {"planted": range(4)})})
    own = tuple(replace(entrant, contest="one-planted") for entrant in inputs.entrants)
    written(rank_methods(RankingInputs(own), QUICK, 0), tmp_path / "board")
    assert ranking_page(tmp_path / "board", ()).contests[0].label == "planted (one)"


def test_only_the_contest_on_simulated_scans_is_marked(tmp_path: Path) -> None:
    made = Made({"a": 0.5, "b": 0.7}, {"ellipses": range(4)})
    inputs = make_inputs(tmp_path, {"one": made, "two": made})
    own = tuple(replace(entrant, contest=f"{entrant.study}-ellipses") for entrant in inputs.entrants)
    written(rank_methods(RankingInputs(own), QUICK, 0), tmp_path / "board")
    page = ranking_page(tmp_path / "board", ("two-ellipses",))
    assert {c.name: c.phantom for c in page.contests} == {"one-ellipses": False, "two-ellipses": True}


def test_the_page_says_which_studies_are_not_scored_on_a_data_set(
    two_studies: RankingInputs, tmp_path: Path
) -> None:
    absent = tuple(NotScored("mslub", study, "the data set has no CT") for study in ("beta", "gamma"))
    inputs = replace(two_studies, not_scored=(*absent, NotScored("mslub", "delta", "another field of view")))
    written(rank_methods(inputs, QUICK, 0), tmp_path / "board")
    page = ranking_page(tmp_path / "board", ())
    note = "Not scored here: beta, gamma (the data set has no CT); delta (another field of view)."
    assert {contest.name: contest.absent for contest in page.contests} == {"brats21": "", "mslub": note}
    assert Path("not_scored.tsv") in page.files
    report = ReportInputs((), Provenance({}, "0", "quick"), leaderboard=tmp_path / "board")
    html = (build_report(report, tmp_path / "report").parent / "ranking.html").read_text()
    assert html.count("Not scored here") == 1
    assert note in html


def test_nothing_ranked_is_an_empty_page(tmp_path: Path) -> None:
    page = ranking_page(tmp_path / "absent", ())
    assert (page.contests, page.files) == ((), ())
    assert ranking_page(None, ()).contests == ()


def test_the_written_page_marks_bounds_and_phantoms(html: str) -> None:
    headings = re.findall(
        r'<th scope="col" class="num( bound)?" data-first[^>]*><button type="button">([^<]*)', html
    )
    assert headings
    assert all((bound == " bound") == (label == "oracle") for bound, label in headings)
    assert "Simulated phantom." in html
    assert html.count('class="tag phantom"') == 2
    assert "no rank, learnt from annotated lesions" in html


def test_the_written_page_names_no_subject(html: str) -> None:
    assert not re.search(r"(BRATS21|MSLUB)\d{3}", html)


def test_no_cell_of_the_written_page_is_a_bare_dash(html: str) -> None:
    cells = re.findall(r"<td[^>]*>(.*?)</td>", html, re.DOTALL)
    assert cells
    assert not [cell for cell in cells if cell.strip() in ("–", "-")]
    assert (
        'title="no healthy scan: the study has maps of no healthy test scan">no healthy scan</span>' in html
    )


def test_numbers_without_a_value_sort_last(tables: Tables) -> None:
    for sheet in sheets(tables, "brats21"):
        for _, cells in sheet.rows:
            assert all(cell.text and cell.reason for cell in cells if cell.value is None)
            assert all(cell.value is None or np.isfinite(cell.value) for cell in cells)
