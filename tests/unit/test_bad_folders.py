"""Broken folders and spreadsheets of raw data, given to `brainuad index`."""

import json
from pathlib import Path
from typing import Any

import pandas as pd
import pytest

from brainuad.storage import read_table
from tests.verbs import error_of, run


def index(root: Path, output: Path, dataset: str = "clinic", format: str | None = "bids") -> tuple[Any, ...]:
    settings = json.dumps({"dataset": dataset, "format": format, "root": str(root)})
    return ("index", "--settings", settings, "--output", output)


def indexed(root: Path, output: Path, dataset: str = "clinic", format: str | None = "bids") -> pd.DataFrame:
    run(*index(root, output, dataset, format))
    return read_table(output).set_index("subject")


def bids_folder(root: Path, *labels: str, people: str = "") -> Path:
    for label in labels:
        scan = root / f"sub-{label}" / "anat" / f"sub-{label}_T1w.nii.gz"
        scan.parent.mkdir(parents=True)
        scan.touch()
    if people:
        (root / "participants.tsv").write_text(people)
    return root


def test_without_participants_nobody_counts_as_healthy(tmp_path: Path) -> None:
    cohort = indexed(bids_folder(tmp_path / "bids", "01", "02"), tmp_path / "c.tsv")
    assert cohort["group"].tolist() == ["patient", "patient"]
    assert cohort["status"].tolist() == ["ok", "ok"]


def test_of_a_repeated_participant_the_first_row_counts_and_a_missing_one_is_unknown(tmp_path: Path) -> None:
    people = "participant_id\tage\tsex\tgroup\nsub-01\t30\tF\tcontrol\nsub-01\t60\tM\tpatient\n"
    cohort = indexed(bids_folder(tmp_path / "bids", "01", "02", people=people), tmp_path / "c.tsv")
    assert cohort.loc["01", ["age", "sex", "group"]].tolist() == ["30", "F", "healthy"]
    assert cohort.loc["02", ["age", "sex", "group"]].tolist() == ["", "", "patient"]


@pytest.mark.parametrize(
    "rows",
    [
        "sub-01 \t30\tcontrol\t\nsub-02\t40\tcontrol\t\n",
        'sub-01\t30\tcontrol\t"fell\nsub-02\t40\tcontrol\t"\n',
        "sub-01\t30\tcontrol\t\t\nsub-02\t40\tcontrol\t\t\n",
    ],
    ids=["space", "quotation mark", "column too many"],
)
def test_a_flaw_in_participants_moves_no_healthy_person_to_the_patients(tmp_path: Path, rows: str) -> None:
    people = f"participant_id\tage\tgroup\tnote\n{rows}"
    cohort = indexed(bids_folder(tmp_path / "bids", "01", "02", people=people), tmp_path / "c.tsv")
    assert cohort["group"].tolist() == ["healthy", "healthy"]


def test_participants_without_their_key_are_named(tmp_path: Path) -> None:
    root = bids_folder(tmp_path / "bids", "01", people="id,age\nsub-01,30\n")
    text = error_of(*index(root, tmp_path / "c.tsv"))
    assert "participants.tsv: expected a column participant_id" in text


def test_spaces_and_other_letters_in_a_path_and_odd_labels_are_fine(tmp_path: Path) -> None:
    cohort = indexed(bids_folder(tmp_path / "Köln $1 'a'", "Mü-1", "b c"), tmp_path / "c.tsv")
    assert sorted(cohort.index) == ["M1", "bc"]
    assert (cohort["status"] == "ok").all()


def test_a_label_without_letters_and_digits_is_refused(tmp_path: Path) -> None:
    text = error_of(*index(bids_folder(tmp_path / "bids", "é", "01"), tmp_path / "c.tsv"))
    assert "sub-é" in text


def test_two_folders_that_become_one_subject_are_refused(tmp_path: Path) -> None:
    text = error_of(*index(bids_folder(tmp_path / "bids", "a1", "a_1"), tmp_path / "c.tsv"))
    assert "2 folders become the subject a1" in text


def test_two_scans_of_one_ixi_number_are_left_out(tmp_path: Path) -> None:
    root = tmp_path / "ixi"
    for name in (
        "IXI002-Guys-0828-T1.nii.gz",
        "T1/IXI002-Guys-0828-T1.nii.gz",
        "T1/IXI012-HH-1211-T1.nii.gz",
        "T2/IXI012-HH-1211-T2.nii.gz",
        "IXI012-HH-1211-T2.nii.gz",
    ):
        (root / name).parent.mkdir(parents=True, exist_ok=True)
        (root / name).touch()
    cohort = indexed(root, tmp_path / "c.tsv", "ixi", None)
    assert cohort["status"].to_dict() == {"IXI002": "excluded", "IXI012": "ok"}
    assert cohort.at["IXI002", "reason"] == "no image found; 2 files for t1"
    assert cohort.loc["IXI012", ["reason", "unusable", "t2"]].tolist() == ["2 files for t2", "t2", ""]
    assert cohort["age"].tolist() == ["", ""]  # there is no IXI.xls


@pytest.mark.parametrize(
    ("columns", "expected"),
    [(None, "not a readable spreadsheet"), (["IXI_ID", "AGE"], "expected the columns IXI_ID, SEX_ID")],
    ids=["no spreadsheet", "a column missing"],
)
def test_a_broken_ixi_spreadsheet_is_named(tmp_path: Path, columns: list[str] | None, expected: str) -> None:
    import xlwt

    (tmp_path / "IXI002-Guys-0828-T1.nii.gz").touch()
    if columns is None:
        (tmp_path / "IXI.xls").write_text("<html>not found</html>")
    else:
        book = xlwt.Workbook()
        sheet = book.add_sheet("Table")
        for number, name in enumerate(columns):
            sheet.write(0, number, name)
        book.save(tmp_path / "IXI.xls")
    text = error_of(*index(tmp_path, tmp_path / "c.tsv", "ixi", None))
    assert "IXI.xls" in text
    assert expected in text


@pytest.mark.parametrize("kind", ["missing", "file", "empty"])
def test_a_root_without_the_layout_names_the_layout(tmp_path: Path, kind: str) -> None:
    root = tmp_path / "mslub"
    if kind == "file":
        root.touch()
    elif kind == "empty":
        root.mkdir()
    text = error_of(*index(root, tmp_path / "c.tsv", "mslub", None))
    assert str(root) in text
    assert "Expected folders patient01" in text


def test_a_typo_in_a_data_set_name_names_the_nearest(tmp_path: Path) -> None:
    text = error_of(*index(tmp_path, tmp_path / "c.tsv", "brats12", None))
    assert "Did you mean 'brats21'?" in text


def test_an_index_lists_no_path_that_leaves_the_root(tmp_path: Path) -> None:
    root = bids_folder(tmp_path / "bids", "01", "02")
    scan = root / "sub-01" / "anat" / "sub-01_T1w.nii.gz"
    scan.unlink()
    scan.symlink_to("/etc/hostname")
    cohort = indexed(root, tmp_path / "c.tsv")
    assert cohort.loc["01", ["status", "reason", "t1"]].tolist() == [
        "excluded",
        "no image found; t1: path outside the root",
        "",
    ]
    assert cohort.at["02", "status"] == "ok"
