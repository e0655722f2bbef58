"""What tells studies, series and images apart, in folders that anonymisers and archives have changed."""

import errno
import os
from pathlib import Path
from typing import Any

import numpy as np
import pydicom
import pytest
import SimpleITK as sitk

from brainuad.errors import InputError, ScanError
from brainuad.preprocessing.dicom_series import choose_series
from brainuad.preprocessing.dicom_volume import read_dicom
from tests.unit.preprocessing.dicom_files import GAPS_MM, change, table_positions, write_series

ANOTHER = {"SeriesInstanceUID": "1.2.3.5", "SeriesNumber": 7}
ANOTHER_STUDY = {"StudyInstanceUID": "1.2.9", **ANOTHER}
UNREADABLE = pytest.mark.skipif(
    not Path("/proc/self/mem").exists(), reason="no file at hand whose first byte is an error of the disk"
)


def number_of(folder: Path, wanted: str = "") -> str:
    return choose_series(folder, "ct", wanted).stack.first.series_number


@pytest.mark.parametrize(("wanted", "number"), [("1.2.3.4", "2"), ("1.2.3.5", "7")])
def test_a_series_named_by_its_uid_is_taken_from_a_folder_of_several_days(
    tmp_path: Path, wanted: str, number: str
) -> None:
    write_series(tmp_path / "a", StudyDate="20200101")
    write_series(tmp_path / "b", StudyDate="20200301", **ANOTHER_STUDY)
    assert number_of(tmp_path, wanted) == number


def test_a_number_says_too_little_in_a_folder_of_several_days(tmp_path: Path) -> None:
    """The row may mean the later study, which has no series of that number."""
    write_series(tmp_path / "a", StudyDate="20190101")
    write_series(tmp_path / "b", StudyDate="20200301", **ANOTHER_STUDY)
    with pytest.raises(ScanError, match=r"several days in one folder; .* by its UID"):
        choose_series(tmp_path, "ct", "2")


def test_a_number_that_two_studies_have_is_refused_though_one_is_not_usable(tmp_path: Path) -> None:
    write_series(tmp_path / "a")
    write_series(tmp_path / "b", Modality="MR", **(ANOTHER_STUDY | {"SeriesNumber": 2}))
    with pytest.raises(ScanError, match=r"ct: 2 studies .* name it by its UID"):
        choose_series(tmp_path, "ct", "2")
    assert number_of(tmp_path) == "2"


def test_another_part_of_the_body_in_a_study_of_its_own_does_not_matter(tmp_path: Path) -> None:
    write_series(tmp_path / "a")
    write_series(tmp_path / "b", BodyPartExamined="CSPINE", **ANOTHER_STUDY)
    choice = choose_series(tmp_path, "ct")
    assert choice.stack.first.series_number == "2"
    assert choice.left_out == ("series 7 (14 images): of another body part",)


def test_the_best_of_all_studies_is_taken_where_any_will_do_and_the_note_says_so(tmp_path: Path) -> None:
    write_series(tmp_path / "a", ConvolutionKernel=None)
    write_series(tmp_path / "b", **ANOTHER_STUDY)
    assert number_of(tmp_path, "*") == "7"
    assert "ct: chosen among 2 studies in one folder" in read_dicom(tmp_path, "ct", "*").notes
    (only,) = (
        note for note in read_dicom(tmp_path / "a", "ct", "*").notes if "studies" in note or "taken" in note
    )
    assert only == "ct: series 2 (14 images) of 1 taken"


def test_where_any_study_will_do_a_kernel_for_bone_is_still_left_out(tmp_path: Path) -> None:
    write_series(tmp_path, ConvolutionKernel="BONE")
    with pytest.raises(ScanError, match=r"kernel for bone or lung \(BONE\)$"):
        choose_series(tmp_path, "ct", "*")


def test_days_are_told_apart_even_where_any_study_will_do(tmp_path: Path) -> None:
    write_series(tmp_path / "a", StudyDate="20200101")
    write_series(tmp_path / "b", StudyDate="20200301", **ANOTHER_STUDY)
    with pytest.raises(ScanError, match=r"several days in one folder; leave one of them there$"):
        choose_series(tmp_path, "ct", "*")


@pytest.mark.parametrize("wanted", ["", "2", "1.2.3.4"])
def test_a_study_uid_of_its_own_in_each_file_does_not_part_a_series(tmp_path: Path, wanted: str) -> None:
    write_series(tmp_path / "a")
    write_series(tmp_path / "b", ConvolutionKernel=None, **ANOTHER)
    for number, path in enumerate(sorted(tmp_path.rglob("*.dcm"))):
        change(path, StudyInstanceUID=f"1.2.{number + 10}")
    choice = choose_series(tmp_path, "ct", wanted)
    assert (choice.stack.first.series_number, len(choice.stack.slices)) == ("2", 14)
    assert len(choice.left_out) == (0 if wanted else 1)


@UNREADABLE
def test_a_slice_that_the_disk_does_not_give_is_no_missing_slice(tmp_path: Path) -> None:
    write_series(tmp_path)
    (tmp_path / "006.dcm").unlink()
    (tmp_path / "006.dcm").symlink_to("/proc/self/mem")
    with pytest.raises(InputError, match=r"006.dcm: cannot be read now \(Input/output error\)") as caught:
        choose_series(tmp_path, "ct")
    assert not isinstance(caught.value, ScanError)


def test_a_folder_that_may_not_be_read_is_not_an_empty_one(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    write_series(tmp_path / "a")
    locked = write_series(tmp_path / "b", **ANOTHER)
    scandir = os.scandir

    def refuse(folder: Any) -> Any:
        if Path(folder) == locked:
            raise PermissionError(errno.EACCES, "Permission denied", str(folder))
        return scandir(folder)

    monkeypatch.setattr(os, "scandir", refuse)
    with pytest.raises(InputError, match=r"b: cannot be read now \(Permission denied\)") as caught:
        choose_series(tmp_path, "ct")
    assert not isinstance(caught.value, ScanError)


def test_a_link_that_leads_to_itself_is_another_file(tmp_path: Path) -> None:
    write_series(tmp_path / "a")
    (tmp_path / "loop.dcm").symlink_to(tmp_path / "loop.dcm")
    assert number_of(tmp_path) == "2"


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
    with pytest.raises(ScanError, match="2 studies in the folder have a series of the number"):
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
