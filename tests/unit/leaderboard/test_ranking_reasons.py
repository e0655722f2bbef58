"""Marked thresholds, their sources, and the reasons of empty cells on the page of the leaderboard."""

from dataclasses import replace
from pathlib import Path

import pytest

from brainuad.leaderboard.inputs import RankingInputs
from brainuad.leaderboard.quantities import RANKED
from brainuad.leaderboard.rank import Ranking, rank_methods
from brainuad.reporting.pages.ranking_origins import scans_text
from brainuad.reporting.pages.ranking_reasons import CHOSEN_ON
from brainuad.reporting.pages.ranking_sheets import sheets
from brainuad.reporting.pages.ranking_tables import Tables, read_tables
from brainuad.reporting.reasons import NO_THRESHOLD
from brainuad.storage import read_table, write_table
from tests.unit.leaderboard.toy import QUICK, Made, make_inputs


def written(ranking: Ranking, folder: Path) -> Tables:
    ranking.write(folder)
    tables = read_tables(folder)
    assert tables is not None
    return tables


@pytest.fixture(scope="module")
def tables(two_studies: RankingInputs, tmp_path_factory: pytest.TempPathFactory) -> Tables:
    return written(rank_methods(two_studies, QUICK, 0), tmp_path_factory.mktemp("leaderboard"))


def cells_of(tables: Tables, contest: str, mark: str) -> set[tuple[str, str, str]]:
    """Method, metric and protocol of every marked cell."""
    return {
        (competitor.key, column.quantity.metric, column.quantity.protocol)
        for sheet in sheets(tables, contest)
        for competitor, cells in sheet.rows
        for cell, column in zip(cells, sheet.columns, strict=True)
        if getattr(cell, mark)
    }


def notes_of(tables: Tables, contest: str) -> str:
    return "\n".join(note for sheet in sheets(tables, contest) for note in sheet.notes)


def test_thresholds_from_healthy_scans_are_marked_on_the_page(tmp_path: Path) -> None:
    tests = {"mslub": range(4)}
    healthy = {"validation": "healthy:ixi", "healthy-fpr": "healthy:ixi"}
    studies = {"one": Made({"a": 0.5}, tests, chosen_on=healthy), "two": Made({"b": 0.7}, tests)}
    tables = written(rank_methods(make_inputs(tmp_path, studies), QUICK, 0), tmp_path / "board")
    metrics = ("dice", "lesion_recall", "lesion_f1", "fpr")
    assert cells_of(tables, "mslub", "fallback") == {("one/a", metric, "validation") for metric in metrics}
    assert "‡" in notes_of(tables, "mslub")
    assert "validation threshold from healthy scans of IXI (one)." in notes_of(tables, "mslub")


def test_borrowed_thresholds_are_marked_with_their_source(tmp_path: Path) -> None:
    tests = {"msseg": range(4)}
    origins = {"validation": "patient:brats21", "healthy-fpr": "slices:brats21"}
    studies = {
        "one": Made({"a": 0.5}, tests, chosen_on=origins, borrowed=("validation", "healthy-fpr")),
        "two": Made({"b": 0.7}, tests),
    }
    tables = written(rank_methods(make_inputs(tmp_path, studies), QUICK, 0), tmp_path / "board")
    marked = cells_of(tables, "msseg", "borrowed")
    assert {key for key, _, _ in marked} == {"one/a"}
    assert {protocol for _, _, protocol in marked} == {"validation", "healthy-fpr"}
    notes = notes_of(tables, "msseg")
    assert "validation threshold from validation patients of BraTS 2021 (one)" in notes
    assert "healthy-FPR threshold from slices without a lesion of the patients of BraTS 2021 (one)" in notes
    # A borrowed threshold ranks like any other.
    assert tables.record("msseg", "one/a", RANKED[1])["rank"] == 2


def test_a_study_without_any_source_says_so_in_its_cells(tmp_path: Path) -> None:
    tests = {"msseg": range(4)}
    studies = {"one": Made({"a": 0.5}, tests, healthy="", chosen_on={}), "two": Made({"b": 0.7}, tests)}
    tables = written(rank_methods(make_inputs(tmp_path, studies), QUICK, 0), tmp_path / "board")
    reasons = {
        (column.quantity.metric, column.quantity.protocol, cell.text, cell.reason)
        for sheet in sheets(tables, "msseg")
        for competitor, cells in sheet.rows
        for cell, column in zip(cells, sheet.columns, strict=True)
        if competitor.key == "one/a" and cell.value is None
    }
    assert {(metric, protocol, text) for metric, protocol, text, _ in reasons} == {
        *((m, p, "no threshold") for m in ("dice", "lesion_recall", "lesion_f1") for p in CHOSEN_ON),
        *(("fpr", protocol, "no threshold") for protocol in CHOSEN_ON),
        ("fpr", "yen", "no healthy scan"),
    }
    validated = {reason for _, protocol, _, reason in reasons if protocol == "validation"}
    assert validated == {NO_THRESHOLD}
    notes = notes_of(tables, "msseg")
    assert "neither a validation lesion nor a healthy scan" in notes
    assert "no healthy validation scan" in notes


def test_a_quantity_that_nobody_has_keeps_its_column(tmp_path: Path) -> None:
    studies = {"one": Made({"a": 0.5, "b": 0.7}, {"msseg": range(4)}, healthy="", chosen_on={})}
    tables = written(rank_methods(make_inputs(tmp_path, studies), QUICK, 0), tmp_path / "board")
    found = [
        (column.quantity.metric, column.label)
        for sheet in sheets(tables, "msseg")
        for column in sheet.columns
    ]
    labels = ["oracle", "validation", "healthy-FPR", "Yen"]
    assert [label for metric, label in found if metric == "dice" and label in labels] == labels
    for metric in ("lesion_recall", "lesion_f1", "fpr"):
        assert [label for name, label in found if name == metric and label in labels] == labels[1:]


def test_the_four_protocols_stand_side_by_side_and_the_oracle_is_a_bound(tables: Tables) -> None:
    first = sheets(tables, "brats21")[0]
    start = [column.group for column in first.columns].index("Dice, by threshold")
    columns = first.columns[start : start + 4]
    assert [column.label for column in columns] == ["oracle", "validation", "healthy-FPR", "Yen"]
    assert [column.bound for column in columns] == [True, False, False, False]
    for _, cells in first.rows:
        assert all(cell.value is not None for cell in cells[start : start + 4])


def test_a_data_set_without_lesions_says_so(tmp_path: Path) -> None:
    inputs = make_inputs(tmp_path, {"one": Made({"a": 0.5, "b": 0.7}, {"mslub": range(4)})})
    index = inputs.entrants[0].arrays / "index.tsv"
    write_table(read_table(index).assign(lesion_voxels=0), index)
    for entrant in inputs.entrants:
        scores = read_table(entrant.scores(0))
        pooled = scores["subject"].isin(["mean"]) | scores["metric"].str.startswith("threshold")
        write_table(scores[pooled], entrant.scores(0))
    tables = written(rank_methods(inputs, QUICK, 0), tmp_path / "board")
    texts = {
        column.quantity.metric: cell.text
        for sheet in sheets(tables, "mslub")
        for _, cells in sheet.rows
        for cell, column in zip(cells, sheet.columns, strict=True)
        if not column.of_rank
    }
    assert texts["dice"] == texts["auprc"] == texts["lesion_recall"] == "no lesion in this data set"
    assert texts["fpr"].startswith("0.0")


def test_references_and_untrained_methods_say_why_they_lack_numbers(tmp_path: Path) -> None:
    made = Made({"a": 0.5, "b": 0.7, "unet": 0.9}, {"mslub": range(4)}, supervised=("unet",))
    inputs = make_inputs(tmp_path, {"one": made})
    untrained = tuple(
        replace(entrant, model="", training=()) if entrant.method == "a" else entrant
        for entrant in inputs.entrants
    )
    tables = written(rank_methods(RankingInputs(untrained), QUICK, 0), tmp_path / "board")
    first = sheets(tables, "mslub")[0]
    texts = {
        (competitor.key, column.label): cell.text
        for competitor, cells in first.rows
        for cell, column in zip(cells, first.columns, strict=True)
    }
    assert texts["one/unet", "rank"] == "no rank"
    assert texts["one/a", "training"] == "no training"
    groups = next(sheet for sheet in sheets(tables, "mslub") if sheet.title == "Groups of patients")
    (reference,) = [cells for competitor, cells in groups.rows if competitor.key == "one/unet"]
    assert {cell.text for cell in reference} == {"no rank"}


def test_scans_are_named_in_words() -> None:
    assert scans_text("patient:brats21 patient:mslub") == "validation patients of BraTS 2021 and MSLUB"
    assert scans_text("healthy:ixi slices:brats21") == (
        "healthy scans of IXI, slices without a lesion of the patients of BraTS 2021"
    )
