"""Of several series the plain axial head in a soft kernel is taken, and each other one gets its reason."""

from pathlib import Path
from typing import Any

import numpy as np
import pytest

from brainuad.errors import ScanError
from brainuad.preprocessing.dicom_kinds import has_contrast, kernel_kind, names_bone
from brainuad.preprocessing.dicom_series import choose_series
from tests.unit.preprocessing.dicom_files import MIDDLE, change, table_positions, write_series, write_slice

SAGITTAL = ((0.0, 1.0, 0.0), (0.0, 0.0, -1.0))
ANOTHER = {"SeriesInstanceUID": "1.2.3.5", "SeriesNumber": 7}


def chosen_of(folder: Path, **header: Any) -> tuple[str, list[str]]:
    """The number of the series that is taken beside one with such a header, and why the other is not."""
    write_series(folder / "a")
    write_series(folder / "b", **(ANOTHER | header))
    choice = choose_series(folder, "ct")
    return choice.stack.first.series_number, list(choice.left_out)


@pytest.mark.parametrize(
    ("header", "reason"),
    [
        ({"ImageType": ["ORIGINAL", "PRIMARY", "LOCALIZER"]}, "localiser"),
        ({"ImageType": ["DERIVED", "SECONDARY", "MPR"]}, "reformatted images, and others are there"),
        ({"ImageType": ["DERIVED", "SECONDARY", "REFORMATTED", "AVERAGE"]}, "reformatted images, and others"),
        ({"ImageType": ["DERIVED", "SECONDARY", "REFORMATTED", "MIN_IP"]}, "projection, rendering or screen"),
        ({"ImageType": ["DERIVED", "SECONDARY", "MPR"], "orientation": SAGITTAL}, r"not axial \(sagittal\)"),
        ({"SOPClassUID": "1.2.840.10008.5.1.4.1.1.7"}, "secondary capture"),
        ({"Modality": "PT"}, "not CT but PT"),
        ({"ConvolutionKernel": "H70h"}, r"kernel for bone or lung \(H70H\)"),
        ({"ConvolutionKernel": None, "WindowWidth": 2800}, r"window of bone \(width 2800 HU\)"),
        ({"ConvolutionKernel": None, "SeriesDescription": "Head bone 1 mm"}, "its description says bone"),
        ({"ContrastBolusAgent": "Iohexol"}, r"\(14 images\): with contrast agent$"),
        ({"SeriesDescription": "CTA 0.6"}, r"\(14 images\): with contrast agent$"),
        ({"BodyPartExamined": "CSPINE"}, "of another body part"),
        ({"ImageType": ["DERIVED", "SECONDARY", "AXIAL"]}, "derived images"),
        ({"ConvolutionKernel": None}, "unknown kernel"),
        ({"orientation": SAGITTAL}, r"not axial \(sagittal\)"),
        ({"positions": table_positions([8.0] * 4)}, "fewer than 12 slices"),
        ({"positions": table_positions([2.0] * 20)}, "covers 40 mm only"),
        ({"positions": table_positions([9.0] * 12)}, r"thicker slices \(9 mm\)"),
        ({"ImagePositionPatient": None}, "ImagePositionPatient is missing"),
        ({"PixelSpacing": None}, "PixelSpacing is missing"),
        ({"ImageOrientationPatient": [1, 0, 0, 1, 0, 0]}, "not a pair of perpendicular"),
        ({"NumberOfFrames": 30}, "several frames in one file"),
        ({}, "like the one that is taken"),
    ],
)
def test_another_series_is_left_out_with_its_reason(
    tmp_path: Path, header: dict[str, Any], reason: str
) -> None:
    number, left_out = chosen_of(tmp_path, **header)
    assert number == "2"
    assert len(left_out) == 1
    assert left_out[0].startswith("series 7 (")
    with pytest.raises(ScanError, match=reason):
        raise ScanError(left_out[0])


def test_thinner_slices_are_taken_whatever_the_order_of_the_files(tmp_path: Path) -> None:
    assert chosen_of(tmp_path, positions=table_positions([4.0] * 26))[0] == "7"


def test_a_folder_with_a_link_to_a_series_elsewhere_is_refused(tmp_path: Path) -> None:
    write_series(tmp_path / "scan" / "a")
    write_series(tmp_path / "archive", table_positions([4.0] * 26), **ANOTHER)
    (tmp_path / "scan" / "again").symlink_to("a")
    assert len(choose_series(tmp_path / "scan", "ct").stack.slices) == 14
    (tmp_path / "link").symlink_to("scan")
    assert len(choose_series(tmp_path / "link", "ct").stack.slices) == 14
    (tmp_path / "scan" / "b").symlink_to(tmp_path / "archive")
    with pytest.raises(ScanError, match=r"^ct: a link in the folder leads to another one, which is not read"):
        choose_series(tmp_path / "scan", "ct")


@pytest.mark.parametrize("words", [["REFORMATTED", "AVERAGE"], ["MPR"]])
def test_axial_reformats_are_taken_where_nothing_else_is(tmp_path: Path, words: list[str]) -> None:
    write_series(tmp_path, ImageType=["DERIVED", "SECONDARY", *words])
    assert len(choose_series(tmp_path, "ct").stack.slices) == 14


def test_a_reformatted_head_comes_before_another_body_part(tmp_path: Path) -> None:
    write_series(tmp_path / "a", ImageType=["DERIVED", "SECONDARY", "MPR"])
    write_series(tmp_path / "b", BodyPartExamined="CSPINE", **ANOTHER)
    assert choose_series(tmp_path, "ct").stack.first.series_number == "2"


def test_a_projection_is_taken_only_where_it_is_named(tmp_path: Path) -> None:
    write_series(tmp_path, ImageType=["DERIVED", "SECONDARY", "MIP"])
    assert len(choose_series(tmp_path, "ct", "2").stack.slices) == 14
    with pytest.raises(ScanError, match=r"projection, rendering or screen; a scans\.csv can name one"):
        choose_series(tmp_path, "ct")


def test_a_folder_with_contrast_only_is_refused_and_the_way_out_is_said(tmp_path: Path) -> None:
    write_series(tmp_path, ContrastBolusAgent="Iohexol")
    reason = (
        r"ct: no usable series; series 2 \(14 images\): with contrast agent; a scans.csv can name one in its "
        r"column `series`, which is then taken all the same$"
    )
    with pytest.raises(ScanError, match=reason):
        choose_series(tmp_path, "ct")


def test_the_way_out_is_not_said_where_it_leads_nowhere(tmp_path: Path) -> None:
    write_series(tmp_path, orientation=SAGITTAL, ContrastBolusAgent="Iohexol")
    with pytest.raises(ScanError, match=r"not axial \(sagittal\)$"):
        choose_series(tmp_path, "ct")


def test_a_named_series_may_have_contrast_but_its_plain_images_come_first(tmp_path: Path) -> None:
    write_series(tmp_path / "a", ContrastBolusAgent="Iohexol")
    assert choose_series(tmp_path, "ct", "2").left_out == ()
    write_series(tmp_path / "b", table_positions([9.0] * 12))
    choice = choose_series(tmp_path, "ct", "2")
    assert len(choice.stack.slices) == 13
    assert choice.left_out == ("series 2 (14 images): contrast agent, and plain images are there",)


@pytest.mark.parametrize(
    "agent",
    ["", "NONE", "No contrast ", "w/o", "N/A", "NO IV CONTRAST", "NIL", "No_Contrast", "W/OUT CONTRAST"],
)
def test_words_for_no_agent_are_no_agent(tmp_path: Path, agent: str) -> None:
    write_series(tmp_path)
    for number in range(6):
        change(tmp_path / f"{number:03d}.dcm", ContrastBolusAgent=agent)
    choice = choose_series(tmp_path, "ct")
    assert (len(choice.stack.slices), choice.left_out) == (14, ())


def test_a_folder_without_a_usable_series_names_the_reason_of_each(tmp_path: Path) -> None:
    write_series(tmp_path / "a", ConvolutionKernel="BONEPLUS")
    write_series(tmp_path / "b", orientation=SAGITTAL, **ANOTHER)
    with pytest.raises(ScanError, match=r"ct: no usable series; series 2 .*BONEPLUS.*; series 7 .*sagittal"):
        choose_series(tmp_path, "ct")


def test_mixed_orientations_in_one_series_are_told_apart(tmp_path: Path) -> None:
    write_series(tmp_path / "axial")
    write_series(tmp_path / "scout", table_positions([8.0]), SAGITTAL)
    choice = choose_series(tmp_path, "ct")
    assert len(choice.stack.slices) == 14
    assert choice.left_out == ("series 2 (2 images): not axial (sagittal)",)


def test_words_that_a_scanner_changes_within_a_series_do_not_split_it(tmp_path: Path) -> None:
    write_series(tmp_path)
    for number in range(6):
        change(
            tmp_path / f"{number:03d}.dcm", ImageType=["ORIGINAL", "PRIMARY", "AXIAL", "ADD"], WindowWidth=100
        )
    assert len(choose_series(tmp_path, "ct").stack.slices) == 14


def test_copies_of_a_file_count_once(tmp_path: Path) -> None:
    write_series(tmp_path)
    (tmp_path / "copy.dcm").write_bytes((tmp_path / "003.dcm").read_bytes())
    assert len(choose_series(tmp_path, "ct").stack.slices) == 14


def test_several_phases_at_each_place_are_left_out(tmp_path: Path) -> None:
    positions = np.concatenate([table_positions([8.0] * 13)] * 2)
    write_series(tmp_path, positions)
    with pytest.raises(ScanError, match="several images at each place"):
        choose_series(tmp_path, "ct")


@pytest.mark.parametrize("wanted", ["7", "1.2.3.5"])
def test_a_series_that_the_user_names_is_taken_whatever_its_kernel(tmp_path: Path, wanted: str) -> None:
    write_series(tmp_path / "a")
    write_series(tmp_path / "b", **ANOTHER, ConvolutionKernel="BONE")
    assert choose_series(tmp_path, "ct", wanted).stack.first.series_number == "7"


def test_a_named_series_that_is_not_there_is_an_error_with_the_numbers_that_are(tmp_path: Path) -> None:
    with pytest.raises(ScanError, match=r"not in the folder, which holds the numbers 2$"):
        choose_series(write_series(tmp_path), "ct", "9")


def test_images_of_two_patients_are_refused_without_naming_them(tmp_path: Path) -> None:
    write_series(tmp_path / "a")
    write_series(tmp_path / "b", PatientID="Secret")
    with pytest.raises(ScanError, match="images of 2 patients in one folder") as caught:
        choose_series(tmp_path, "ct")
    assert "Secret" not in str(caught.value)


def test_studies_of_several_days_are_refused(tmp_path: Path) -> None:
    write_series(tmp_path / "a", StudyDate="20200101")
    write_series(tmp_path / "b", StudyInstanceUID="1.2.9", StudyDate="20200301", **ANOTHER)
    with pytest.raises(ScanError, match="several days"):
        choose_series(tmp_path, "ct")


def test_a_folder_without_dicom_says_what_it_holds(tmp_path: Path) -> None:
    (tmp_path / "notes.txt").write_text("nothing")
    (tmp_path / "empty.dcm").touch()
    with pytest.raises(
        ScanError, match=r"ct: no DICOM image in the folder \(1 file is damaged, 1 other files\)"
    ):
        choose_series(tmp_path, "ct")


def test_values_that_break_the_standard_are_missing_values(tmp_path: Path) -> None:
    write_series(tmp_path)
    write_slice(
        tmp_path / "x.dcm", np.zeros((40, 36)), MIDDLE, ImageType=None, SeriesNumber=None, WindowWidth=None
    )
    assert len(choose_series(tmp_path, "ct").stack.slices) == 15


@pytest.mark.parametrize(
    ("kernel", "kind"),
    [
        *(("STD+", "soft"), ("SOFT", "soft"), ("H31S", "soft"), ("J40S", "soft"), ("HR40", "soft")),
        *(("FC21", "soft"), ("FC68", "soft"), ("UB", "soft"), ("STANDARD", "soft")),
        *(("BONE", "sharp"), ("BONEPLUS", "sharp"), ("EDGE", "sharp"), ("H60S", "sharp"), ("B70F", "sharp")),
        *(("HR68H", "sharp"), ("FC30", "sharp"), ("FC81", "sharp"), ("YD", "sharp"), ("E", "sharp")),
        *(("", "unknown"), ("17", "unknown")),
    ],
)
def test_kernels_of_several_makers_are_known(kernel: str, kind: str) -> None:
    assert kernel_kind(kernel) == kind


@pytest.mark.parametrize(
    "description",
    [
        *("", "Posterior", "Head without contrast", "without IV contrast", "NON CONTRAST", "no-contrast"),
        *("Head_NON_CONTRAST_5mm", "CT HEAD NONCONTRAST", "HEAD NO IV CONTRAST", "No i.v. contrast"),
        *("NO ORAL OR IV CONTRAST", "w/o contrast", "HEAD_WO_CONTRAST", "Head W/OUT Contrast"),
        *("NON CON CTA", "sin contraste"),
        # Series of CQ500.
        *("CT Plain", "CT Thin Plain", "CT PLAIN THIN", "CT PRE CONTRAST", "CT PRE CONTRAST THIN", "CT 5mm"),
    ],
)
def test_a_description_of_plain_images_is_none_of_contrast(description: str) -> None:
    assert not has_contrast("", description)


@pytest.mark.parametrize(
    "description",
    [
        *("post contrast", "CT POST CONTRAST", "CT POST CONTRAST THIN", "Head W IV contrast", "Head +C"),
        *("CT angio", "Head_CTA_0.6", "CTA no bone", "Pre-op CTA", "HEAD_CONTRAST", "Head C+"),
        "Non-ionic contrast",
    ],
)
def test_a_description_of_contrast_is_one(description: str) -> None:
    assert has_contrast("", description)


@pytest.mark.parametrize(
    "agent", ["NO IV CONTRAST", "No oral or IV contrast given", "NIL", "nil IV", "none given", "NON-CONTRAST"]
)
def test_an_agent_that_was_not_given_is_none(agent: str) -> None:
    assert not has_contrast(agent, "CT head")
    assert has_contrast(agent, "CTA")


@pytest.mark.parametrize(
    "agent", ["Iohexol", "NON-IONIC", "Nonionic contrast", "CONTRAST", "IV", "ORAL & IV"]
)
def test_an_agent_that_is_named_was_given_whatever_the_description(agent: str) -> None:
    assert has_contrast(agent, "CT Plain")


def test_bone_is_a_word_of_its_own() -> None:
    assert names_bone("CT BONE 1mm")
    assert names_bone("Head_Bone_1mm")
    assert not names_bone("Trombone")
