"""An image that several scans name counts once, with all that is reported on it."""

from pathlib import Path

import pytest

from tests.unit.curation.hospital import NORMAL, Hospital


@pytest.fixture
def hospital(tmp_path: Path) -> Hospital:
    """An export with one normal scan."""
    export = Hospital(tmp_path)
    export.normal(0)
    return export


def outcome(hospital: Hospital, scan: str) -> tuple[str, str]:
    row = hospital.select().loc[scan]
    return row["step"] if row["kept"] == "no" else "kept", row["reason"]


def test_of_two_names_for_one_image_the_first_is_kept(hospital: Hospital) -> None:
    hospital.scan("s1", "p0", "r0", path="nifti/a.nii.gz")
    hospital.scan("s2", "p0", "r0", path="nifti/a.nii.gz")
    assert outcome(hospital, "s1")[0] == "kept"
    assert outcome(hospital, "s2") == ("usable report", "duplicate scan")


@pytest.mark.parametrize("path", ["./a/s4", "a//s4/", "a/b/../s4"])
def test_a_path_that_is_written_in_another_way_is_the_same_image(hospital: Hospital, path: str) -> None:
    hospital.scan("s1", "p0", "r0", path="a/s4")
    hospital.scan("s2", "p0", "r0", path=path)
    assert outcome(hospital, "s1")[0] == "kept"
    assert outcome(hospital, "s2") == ("usable report", "duplicate scan")


@pytest.mark.parametrize(
    ("text", "label", "expected"),
    [
        (NORMAL, ("oedema", "positive"), ("report labels", "oedema (positive)")),
        ("Unchanged appearances of the brain.", (), ("follow-up filter", "unchanged")),
        (NORMAL, (), ("kept", "not reviewed")),
    ],
)
def test_the_reports_of_all_copies_count_for_the_one_that_stays(
    hospital: Hospital, text: str, label: tuple[str, ...], expected: tuple[str, str]
) -> None:
    hospital.scan("s1", "p0", "r0", path="a.nii.gz")
    hospital.scan("s2", "p0", "r2", path="a.nii.gz")
    hospital.report("r2", "p0", text)
    hospital.label("r2", *label)
    assert outcome(hospital, "s1") == expected
    assert hospital.select().loc["s1", "report"] == "r0;r2"


def test_an_image_of_two_patients_is_not_usable_under_any_name(hospital: Hospital) -> None:
    hospital.normal(1, path="a.nii.gz")
    hospital.normal(2, path="./a.nii.gz")
    assert outcome(hospital, "s1") == ("usable report", "named for several patients")
    assert outcome(hospital, "s2") == ("usable report", "named for several patients")


@pytest.mark.parametrize(
    ("first", "second"),
    [
        ({"path": "series/1"}, {"path": "series/2"}),
        ({"path": "a", "series": "1"}, {"path": "a", "series": "2"}),
        ({"path": "a"}, {"path": ""}),
    ],
)
def test_a_scan_whose_rows_name_several_images_is_not_usable(
    hospital: Hospital, first: dict[str, str], second: dict[str, str]
) -> None:
    for image in (first, second):
        hospital.scan("s1", "p0", "r0", **image)
    assert outcome(hospital, "s1") == ("usable report", "several images")


def test_a_scan_with_a_row_for_each_report_of_one_image_is_usable(hospital: Hospital) -> None:
    hospital.report("r2", "p0")
    hospital.label("r2")
    for report in ("r0", "r2"):
        hospital.scan("s1", "p0", report, path="a", series="1")
    assert outcome(hospital, "s1")[0] == "kept"


UID = "1.2.840.113619.2.55.3.2831.4"


def test_a_series_that_is_named_by_its_uid_is_one_image_under_any_path(hospital: Hospital) -> None:
    hospital.scan("s1", "p0", "r0", path="dicom/a", series=UID)
    hospital.scan("s2", "p0", "r0", path="export2/b", series=UID)
    assert outcome(hospital, "s1")[0] == "kept"
    assert outcome(hospital, "s2") == ("usable report", "duplicate scan")


def test_a_series_under_two_pseudonyms_is_not_usable(hospital: Hospital) -> None:
    for number in (1, 2):
        hospital.scan(f"s{number}", f"p{number}", f"r{number}", path=f"dicom/{number}", series=UID)
        hospital.report(f"r{number}", f"p{number}")
        hospital.label(f"r{number}")
    assert outcome(hospital, "s1") == ("usable report", "named for several patients")
    assert outcome(hospital, "s2") == ("usable report", "named for several patients")


@pytest.mark.parametrize(("path", "series"), [("dicom\\a", "2"), ("dicom/a", "002"), ("dicom/./a", "2.0")])
def test_one_image_may_be_written_in_several_ways(hospital: Hospital, path: str, series: str) -> None:
    hospital.scan("s1", "p0", "r0", path="dicom/a", series="2")
    hospital.scan("s2", "p0", "r0", path=path, series=series)
    assert outcome(hospital, "s1")[0] == "kept"
    assert outcome(hospital, "s2") == ("usable report", "duplicate scan")


@pytest.mark.parametrize("second", ["whole path", "link"])
def test_the_whole_path_and_a_link_are_the_same_image(hospital: Hospital, second: str) -> None:
    root = hospital.folder
    (root / "dicom" / "a").mkdir(parents=True)
    (root / "link").symlink_to(root / "dicom")
    hospital.normal(1, path="dicom/a")
    hospital.normal(2, path={"whole path": str(root / "dicom" / "a"), "link": "link/a"}[second])
    for scan in ("s1", "s2"):
        assert outcome(hospital, scan) == ("usable report", "named for several patients")


def test_a_path_outside_the_data_set_is_compared_as_it_is_written(hospital: Hospital) -> None:
    hospital.scan("s1", "p0", "r0", path="/elsewhere/a")
    hospital.scan("s2", "p0", "r0", path="/elsewhere//a/")
    assert outcome(hospital, "s2") == ("usable report", "duplicate scan")


def test_rows_of_a_scan_that_write_one_image_in_several_ways_name_one(hospital: Hospital) -> None:
    hospital.report("r2", "p0")
    hospital.label("r2")
    hospital.scan("s1", "p0", "r0", path="dicom/a", series="2")
    hospital.scan("s1", "p0", "r2", path="dicom\\a", series="002")
    assert outcome(hospital, "s1")[0] == "kept"


def test_a_series_number_alone_makes_no_image(hospital: Hospital) -> None:
    hospital.scan("s1", "p0", "r0", path="dicom/a", series="2")
    hospital.scan("s2", "p0", "r0", path="dicom/b", series="2")
    assert [outcome(hospital, scan)[0] for scan in ("s1", "s2")] == ["kept", "kept"]


FIRST = '{"selection": {"scans_per_report": "first", "held_out_share": 0}}'


def test_an_empty_report_beside_others_is_shared_by_no_scans(hospital: Hospital) -> None:
    hospital.report("e", "p0", text="Report to follow.")
    hospital.report("r1", "p0")
    hospital.label("r1")
    for scan, report in (("s0", "e"), ("s1", "r1"), ("s1", "e")):
        hospital.scan(scan, "p0", report)
    assert hospital.select(FIRST)["kept"].to_dict() == {"s0": "yes", "s1": "yes"}


def test_a_scan_that_leaves_for_its_label_does_not_stand_for_a_report(hospital: Hospital) -> None:
    hospital.report("r1", "p0")
    hospital.label("r1")
    hospital.report("ill", "p0")
    hospital.label("ill", "hemorrhage", "positive")
    for scan, report in (("s1", "ill"), ("s1", "r1"), ("s2", "r1")):
        hospital.scan(scan, "p0", report)
    selected = hospital.select(FIRST)
    assert selected["kept"].to_dict() == {"s0": "yes", "s1": "no", "s2": "yes"}
    assert selected.loc["s1", "step"] == "report labels"
