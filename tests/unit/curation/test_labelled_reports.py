"""Reports that a user has labelled, and what messages about them say."""

import logging
from pathlib import Path

import pytest

from brainuad.curation.labelled_reports import read_labelled
from brainuad.errors import InputError


@pytest.mark.parametrize(
    ("cells", "expected"),
    [
        ("Mr Smith has a bleed\tpositive", "row 2: the label is not one of"),
        ("cyst\tMr Smith has a bleed", "row 2: the class is not one of"),
    ],
)
def test_a_sentence_in_the_wrong_column_is_in_no_message(
    cells: str, expected: str, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    labelled = tmp_path / "labelled.tsv"
    labelled.write_text(f"report\tlabel\tclass\nr1\t{cells}\n")
    with caplog.at_level(logging.DEBUG), pytest.raises(InputError) as error:
        read_labelled(labelled, tmp_path / "reports.csv")
    assert expected in str(error.value)
    assert "Smith" not in str(error.value) + caplog.text


def test_a_report_that_is_repeated_word_for_word_counts_once(tmp_path: Path) -> None:
    labelled, reports = tmp_path / "labelled.tsv", tmp_path / "reports.csv"
    labelled.write_text("report\tlabel\tclass\nr1\tcyst\tpositive\n")
    row = "r1,p1,,A cyst.\n"
    reports.write_text(f"report,patient,date,text\n{row}{row}")
    assert [(each.text, each.classes) for each in read_labelled(labelled, reports)] == [
        ("A cyst.", {"cyst": "positive"})
    ]
    reports.write_text(f"report,patient,date,text\n{row}r1,p1,,No cyst.\n")
    with pytest.raises(InputError, match=r"row 2 of .* is there with two texts"):
        read_labelled(labelled, reports)
