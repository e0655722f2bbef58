"""What tells studies, series and images apart, in folders that anonymisers and archives have changed."""

from pathlib import Path
from typing import Any

import numpy as np
import pydicom
import pytest
import SimpleITK as sitk

from brainuad.errors import ScanError
from brainuad.preprocessing.dicom_series import choose_series
from brainuad.preprocessing.dicom_volume import read_dicom
from tests.unit.preprocessing.dicom_files import GAPS_MM, table_positions, write_series

ANOTHER = {"SeriesInstanceUID": "1.2.3.5", "SeriesNumber": 7}
ANOTHER_STUDY = {"StudyInstanceUID": "1.2.9", **ANOTHER}


def number_of(folder: Path, wanted: str = "") -> str:
    return choose_series(folder, "ct", wanted).stack.first.series_number


@pytest.mark.parametrize(("wanted", "number"), [("1.2.3.4", "2"), ("1.2.3.5", "7"), ("7", "7")])
def test_a_named_series_is_taken_from_a_folder_of_several_days(
    tmp_path: Path, wanted: str, number: str
) -> None:
    write_series(tmp_path / "a", StudyDate="20200101")
    write_series(tmp_path / "b", StudyDate="20200301", **ANOTHER_STUDY)
    assert number_of(tmp_path, wanted) == number


@pytest.mark.parametrize("date", [None, "", "20200101"])
@pytest.mark.parametrize("series", [{}, {"SeriesInstanceUID": "1.2.3.4"}], ids=["own", "constant"])
def test_heads_of_two_studies_are_refused_whatever_their_dates(
    tmp_path: Path, date: str | None, series: dict[str, Any]
) -> None:
    write_series(tmp_path / "a", StudyDate=date)
    write_series(tmp_path / "b", StudyDate=date, **(ANOTHER_STUDY | series))
    with pytest.raises(ScanError, match=r"ct: usable series of 2 studies in one folder; give each study"):
        choose_series(tmp_path, "ct")


def test_a_number_that_two_studies_have_is_refused(tmp_path: Path) -> None:
    write_series(tmp_path / "a")
    write_series(tmp_path / "b", **(ANOTHER_STUDY | {"SeriesNumber": 2}))
    with pytest.raises(ScanError, match="usable series of 2 studies"):
        choose_series(tmp_path, "ct", "2")
    assert len(choose_series(tmp_path, "ct", "1.2.3.5").stack.slices) == 14


def test_a_study_without_a_usable_series_is_no_other_choice(tmp_path: Path) -> None:
    write_series(tmp_path / "a")
    write_series(tmp_path / "b", Modality="MR", **ANOTHER_STUDY)
    assert number_of(tmp_path) == "2"


@pytest.mark.parametrize("number", [7, "007"])
@pytest.mark.parametrize("wanted", ["7", "7.0", "07"])
def test_the_number_of_a_series_may_be_written_as_spreadsheets_do(
    tmp_path: Path, wanted: str, number: int | str
) -> None:
    write_series(tmp_path / "a")
    write_series(tmp_path / "b", **(ANOTHER | {"SeriesNumber": number, "ConvolutionKernel": "BONE"}))
    assert choose_series(tmp_path, "ct", wanted).stack.first.series == "1.2.3.5"


def test_one_instance_uid_in_all_images_does_not_make_them_copies(tmp_path: Path) -> None:
    write_series(tmp_path / "a", SOPInstanceUID="1.9")
    write_series(tmp_path / "b", SOPInstanceUID="1.9", ConvolutionKernel="BONE", **ANOTHER)
    choice = choose_series(tmp_path, "ct")
    assert len(choice.stack.slices) == 14
    assert choice.left_out == ("series 7 (14 images): kernel for bone or lung (BONE)",)


def test_phases_with_one_instance_uid_are_still_phases(tmp_path: Path) -> None:
    write_series(tmp_path, np.concatenate([table_positions(GAPS_MM)] * 2), SOPInstanceUID="1.9")
    with pytest.raises(ScanError, match="several images at each place"):
        choose_series(tmp_path, "ct")


@pytest.mark.parametrize("kept", ["meta", "explicit", "implicit"])
def test_files_without_preamble_are_read(tmp_path: Path, kept: str) -> None:
    """With their group 0002, or as the bare data set that some archives store."""
    plain = read_dicom(write_series(tmp_path / "a"), "ct").image
    folder = write_series(tmp_path / "b")
    for path in folder.iterdir():
        dataset = pydicom.dcmread(path)
        if kept == "meta":
            path.write_bytes(path.read_bytes()[132:])
            continue
        del dataset.file_meta
        dataset.preamble = None
        dataset.save_as(path, implicit_vr=kept == "implicit", little_endian=True)
    (folder / "notes.dat").write_bytes(b"\x08\x00" + b"not DICOM" * 100)
    assert pydicom.misc.is_dicom(folder / "000.dcm") is False
    image = read_dicom(folder, "ct").image
    assert image.GetOrigin() == plain.GetOrigin()
    np.testing.assert_array_equal(sitk.GetArrayFromImage(image), sitk.GetArrayFromImage(plain))
