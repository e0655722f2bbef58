"""Labels from elsewhere become a table of ours, or are refused with their row."""

import json
from pathlib import Path

import pytest

from brainuad.storage import read_table
from tests.verbs import error_of, run


@pytest.fixture
def reports(tmp_path: Path) -> Path:
    path = tmp_path / "reports.csv"
    path.write_text("report,patient,date,text\nr1,p1,,One.\nr2,p2,,Two.\nr3,p3,,Three.\n")
    return path


def arguments(reports: Path, *rows: str) -> list[object]:
    table = reports.with_name("mine.tsv")
    table.write_text("\n".join(["report\tlabel\tclass", *rows]) + "\n")
    settings = json.dumps({"labelling": {"labeller": "table", "table": str(table)}})
    output = reports.with_name("labels.tsv")
    return ["label-reports", "--settings", settings, "--reports", reports, "--output", output]


def test_rows_of_the_table_are_taken_over_for_their_owner_alone(reports: Path) -> None:
    run(*arguments(reports, "r1\tCyst\tPositive", "r2\t\t", "elsewhere\tcyst\tpositive"))
    labels = reports.with_name("labels.tsv")
    assert read_table(labels).to_numpy().tolist() == [
        ["r1", "cyst", "positive", "", "table", "labelled"],
        ["r2", "", "", "", "table", "labelled"],
    ]
    assert labels.stat().st_mode & 0o777 == 0o600


def test_a_label_that_does_not_exist_is_refused_with_its_row(reports: Path) -> None:
    told = error_of(*arguments(reports, "r1\tcyst\tpositive", "r2\tcysts\tpositive"))
    assert "mine.tsv: row 3" in told
    assert "Did you mean 'cyst'?" in told
    assert not reports.with_name("labels.tsv").exists()


def test_a_table_of_another_export_is_refused(reports: Path) -> None:
    assert "Are both from the same export?" in error_of(*arguments(reports, "x\tcyst\tpositive"))
