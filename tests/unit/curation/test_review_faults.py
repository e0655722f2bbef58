"""A fault of the machine stops the review sheet with its reason, and is no card of a scan."""

from pathlib import Path

import numpy as np
import pytest

from brainuad.curation.thumbnails import read_volume
from brainuad.errors import InputError, ScanError
from brainuad.preprocessing.faults import refuse_fault
from tests.unit.curation.hospital import an_empty_folder_to_review
from tests.verbs import error_of


@pytest.mark.parametrize(
    ("fault", "told"),
    [(MemoryError(), "not enough memory"), (PermissionError(13, "Permission denied"), "Permission denied")],
)
def test_a_fault_fails_the_verb_and_names_the_row_and_no_path(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, fault: BaseException, told: str
) -> None:
    def faulty(path: Path, *_: object) -> None:
        refuse_fault(fault, path / "0001.dcm")

    monkeypatch.setattr("brainuad.curation.thumbnails.read_scan", faulty)
    files, output = an_empty_folder_to_review(tmp_path)
    message = error_of("review-sheet", "--settings", "{}", *files)
    assert "scans.csv: row 2: " in message
    assert told in message
    assert "p0-folder" not in message
    assert not output.exists()


@pytest.mark.parametrize("name", ["a.npy", "a.nii.gz"])
def test_a_file_that_may_not_be_read_is_a_fault(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, name: str
) -> None:
    np.save(tmp_path / "a.npy", np.zeros((2, 2, 2)))
    (tmp_path / name).touch()

    def refused(*_: object, **__: object) -> None:
        raise PermissionError(13, "Permission denied")

    monkeypatch.setattr(Path, "open", refused)
    with pytest.raises(InputError, match="Permission denied") as error:
        read_volume(tmp_path, name)
    assert not isinstance(error.value, ScanError)


def test_a_file_that_is_not_there_is_no_fault(tmp_path: Path) -> None:
    with pytest.raises(ScanError, match="the image cannot be read"):
        read_volume(tmp_path, "a.nii.gz")
