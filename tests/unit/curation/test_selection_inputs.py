"""What the selection reads: only a text that stands for a report as a whole is taken for an empty report."""

from pathlib import Path

import pytest

from brainuad.curation.selection_inputs import is_empty, read_labels, read_rows, read_scans
from brainuad.curation.terms import TERMS
from brainuad.errors import InputError
from tests.unit.curation.hospital import Hospital


@pytest.mark.parametrize(
    "text",
    [
        "",
        " - ",
        "n/a",
        "Nil.",
        "Report to follow",
        "Report pending.",
        "Pending",
        "Not reported",
        "Unreported",
        "No report available.",
        "Awaiting report",
        "Awaiting formal report.",
        "See other report",
        "Please see addendum.",
        "CT head: not yet reported. Report to follow.",
    ],
)
def test_a_text_that_only_stands_for_a_report_is_empty(text: str) -> None:
    assert is_empty(text)


@pytest.mark.parametrize(
    "text",
    [
        "Large subdural haematoma. Neurosurgical review pending.",
        "SDH. Report to follow.",
        "Acute infarct, see above.",
        "I see a mass.",
        "Pending infarct.",
        "No mass reported.",
        "None seen.",
        "Normal. See addendum.",
    ],
)
def test_a_text_that_says_something_is_not_empty(text: str) -> None:
    assert not is_empty(text)


def test_no_placeholder_beside_a_term_of_a_label_is_empty() -> None:
    assert len(TERMS) > 0
    for patterns in TERMS.values():
        term = patterns[0].partition("|")[0].replace("(", "").replace(")", "")
        assert not is_empty(f"{term}. Report pending.")


def test_a_finding_whose_review_is_pending_counts_beside_a_normal_report(tmp_path: Path) -> None:
    hospital = Hospital(tmp_path)
    hospital.scan("s1", "p1", "r1")
    hospital.scan("s1", "p1", "r2")
    hospital.report("r1", "p1", "No intracranial abnormality.")
    hospital.report("r2", "p1", "Large subdural haematoma. Neurosurgical review pending.")
    hospital.label("r1")
    hospital.label("r2", "hemorrhage", "positive")
    row = hospital.select().loc["s1"]
    assert (row["step"], row["reason"]) == ("report labels", "hemorrhage (positive)")


@pytest.mark.parametrize("column", ["scan", "report", "date", "path", "series"])
def test_a_column_of_the_scans_twice_is_named(tmp_path: Path, column: str) -> None:
    path = tmp_path / "scans.csv"
    path.write_text(f"scan,patient,report,date,path,series,{column}\ns1,p1,r1,2020-01-02,a,2,2021-01-02\n")
    with pytest.raises(InputError, match=rf"scans\.csv: there are two columns {column}\."):
        read_scans(path)


def test_scans_without_a_column_of_reports_and_rows_that_end_before_it_are_read(tmp_path: Path) -> None:
    path = tmp_path / "scans.csv"
    path.write_text("scan,patient,path,date\ns1,p1,a,2020-01-02\n")
    assert read_scans(path)["report"].tolist() == [""]
    path.write_text("scan,patient,path,date,report\ns1,p1,a,2020-01-02,r1\ns2,p1,b,2020-01-02\n")
    assert read_scans(path)["report"].tolist() == ["r1", ""]


def test_a_label_that_is_left_out_is_not_taken_for_a_normal_report(tmp_path: Path) -> None:
    path = tmp_path / "labels.tsv"
    path.write_text("report\tlabel\tclass\nr1\tmass\tpositive\nr2\n")
    with pytest.raises(InputError, match=r"labels\.tsv: row 3 has 1 columns, expected 3"):
        read_rows(path, ("report", "label", "class"))


def test_a_failed_report_is_read_only_if_it_was_labelled_by_hand(tmp_path: Path) -> None:
    path = tmp_path / "labels.tsv"
    rows = (
        "r1\themorrhage\tpositive\tfailed",
        "r2\t\t\tfailed",
        "r3\t\t\tfailed",
        "r3\tcyst\tnegative\tlabelled",
        "r4\t\t\tlabelled",
    )
    path.write_text("\n".join(("report\tlabel\tclass\tstatus", *rows)))
    read = read_labels(path, ["r1", "r2", "r3", "r4"])
    assert read.values.tolist() == [["r1", "hemorrhage", "positive"], ["r4", "", ""]]
