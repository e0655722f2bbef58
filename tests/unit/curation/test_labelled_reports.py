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
