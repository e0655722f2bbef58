"""Ages, sexes and groups from the tables that come with the scans."""

from pathlib import Path
from typing import Any

import pytest
import xlwt

from brainuad.datasets.bids import Bids
from brainuad.datasets.ixi import read_demographics
from brainuad.datasets.participants import Person, age_of, read_participants


def spreadsheet(path: Path, *rows: tuple[object, ...]) -> Path:
    book = xlwt.Workbook()
    sheet = book.add_sheet("Table")
    for row_number, row in enumerate((("IXI_ID", "SEX_ID (1=m, 2=f)", "HEIGHT", "AGE"), *rows)):
        for column, value in enumerate(row):
            sheet.write(row_number, column, value)
    book.save(path)
    return path


def test_ixi_ages_and_sexes_are_read(tmp_path: Path) -> None:
    people = read_demographics(spreadsheet(tmp_path / "IXI.xls", (2, 2, 164, 35.8001), (12, 1, 175, 38.78)))
    assert people == {2: Person("35.80", "F"), 12: Person("38.78", "M")}


@pytest.mark.parametrize(
    ("rows", "expected"),
    [
        ([(7, 1, 0, ""), (7, "", 0, 40.2)], ("40.20", "M")),
        ([(7, 1, 0, 40.2), (7, 1, 0, 40.9)], ("40.20", "M")),
        ([(7, 1, 0, 40.2), (7, 2, 0, 61.0)], ("", "")),
        ([(7, 1, 0, "")], ("", "M")),
        ([(7, 3, 0, -1)], ("", "")),
        ([(7, "F", 0, "35,8")], ("", "", ("age", "sex"))),
        ([(7, "F", 0, 40.2), (7, 2, 0, "")], ("40.20", "F")),
    ],
    ids=[
        "completed",
        "agreed",
        "contradiction",
        "age missing",
        "impossible",
        "not understood",
        "understood once",
    ],
)
def test_rows_of_one_ixi_number_are_merged(
    tmp_path: Path, rows: list[tuple[object, ...]], expected: tuple[Any, ...]
) -> None:
    person = read_demographics(spreadsheet(tmp_path / "IXI.xls", *rows))[7]
    assert (person.age, person.sex, *([person.unread] if person.unread else [])) == expected


def test_rows_without_a_number_are_left_out(tmp_path: Path) -> None:
    assert list(read_demographics(spreadsheet(tmp_path / "IXI.xls", ("", 1, 0, 30), (3, 1, 0, 30)))) == [3]


@pytest.mark.parametrize(
    ("group", "expected"),
    [
        ("control", "healthy"),
        ("Healthy Control", "healthy"),
        ("HC", "healthy"),
        ("AD", "patient"),
        ("n/a", ""),
    ],
)
def test_words_for_groups(tmp_path: Path, group: str, expected: str) -> None:
    path = tmp_path / "participants.tsv"
    path.write_text(f"participant_id\tage\tsex\tgroup\nsub-01\t89+\tmale\t{group}\n")
    assert read_participants(path) == {"01": Person(age="89", sex="M", group=expected)}


def test_without_a_table_nobody_is_known(tmp_path: Path) -> None:
    assert read_participants(tmp_path / "participants.tsv") == {}


@pytest.mark.parametrize(
    ("text", "expected"),
    [("45", "45"), ("45.5", "45.5"), ("045Y", "45"), ("89+", "89"), ("n/a", ""), ("006M", ""), ("150", "")],
)
def test_ages_as_they_are_written(text: str, expected: str) -> None:
    assert age_of(text) == expected


def test_ages_and_sexes_that_are_not_understood_are_counted_when_people_are_indexed(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    path = tmp_path / "participants.tsv"
    path.write_text("participant_id\tage\tsex\nsub-01\tforty\tm\nsub-02\tn/a\t1\nsub-03\t40\t2\n")
    for number in (1, 2, 3):
        (tmp_path / f"sub-0{number}" / "anat").mkdir(parents=True)
        (tmp_path / f"sub-0{number}" / "anat" / f"sub-0{number}_T1w.nii.gz").touch()
    dataset = Bids("people")
    assert [row.unread for row in dataset.rows(tmp_path)] == [("age",), ("sex",), ("sex",)]
    assert not caplog.records
    dataset.index(tmp_path)
    assert [record.getMessage().removeprefix(f"{path}: ") for record in caplog.records] == [
        "the age of 1 of 3 subjects is not understood and stays empty; years below 120 are expected",
        "the sex of 2 of 3 subjects is not understood and stays empty; M or F are expected",
    ]


def test_a_table_in_which_all_is_understood_leaves_nothing_unread(tmp_path: Path) -> None:
    path = tmp_path / "participants.tsv"
    path.write_text("participant_id\tsex\nsub-01\tweiblich\nsub-02\t\n")
    assert [person.unread for person in read_participants(path).values()] == [(), ()]
