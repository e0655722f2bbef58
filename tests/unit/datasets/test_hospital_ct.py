"""An export of head CTs: what scans.csv says becomes rows, defects become reasons, and no identifier is told."""

from pathlib import Path

import pytest

from brainuad.curation.selection_inputs import read_scans
from brainuad.datasets.base import COHORT_COLUMNS, alphanumeric
from brainuad.datasets.registry import find_dataset
from brainuad.errors import InputError

HEADER = "scan,patient,age,sex,date,report,path,series\n"


def export(root: Path, *lines: str, header: str = HEADER) -> Path:
    (root / "dicom" / "s1").mkdir(parents=True, exist_ok=True)
    (root / "dicom" / "s1" / "1.dcm").touch()
    (root / "nifti").mkdir(exist_ok=True)
    (root / "nifti" / "s2.nii.gz").touch()
    (root / "scans.csv").write_text(header + "".join(f"{line}\n" for line in lines), encoding="utf-8")
    return root


def rows(root: Path) -> dict[str, dict[str, str]]:
    dataset = find_dataset("hospital_ct")
    table = dataset.index(root)
    assert tuple(table.columns) == COHORT_COLUMNS
    assert table["subject"].tolist() == dataset.subjects(root)
    return {row["subject"]: row for row in table.to_dict("records")}


def test_folders_and_files_become_rows(tmp_path: Path) -> None:
    root = export(tmp_path, "s-1,p1,63,F,2020-01-02,r1,dicom/s1,4", "s2,p1,89+,male,,,nifti/s2.nii.gz,")
    found = rows(root)
    assert list(found) == ["s1", "s2"]
    first, second = found.values()
    assert (first["ct"], first["series"], first["participant"]) == ("dicom/s1", "4", "p1")
    assert (first["age"], first["sex"], first["group"], first["status"]) == ("63", "F", "unknown", "ok")
    assert (second["ct"], second["age"], second["sex"]) == ("nifti/s2.nii.gz", "89", "M")


@pytest.mark.parametrize(
    ("line", "reason"),
    [
        ("a,p,,,,,,", "scans.csv gives no path"),
        ("a,,,,,,dicom/s1,", "scans.csv names no patient"),
        ("a,p,,,,,dicom/none,", "the path in scans.csv does not exist"),
        ("a,p,,,,,dicom/empty,", "the folder is empty"),
        ("a,p,,,,,../elsewhere,", "path outside the root"),
        ("a,p,,,,,/etc/hostname,", "path outside the root"),
        (r"a,p,,,,,..\..\elsewhere,", "path outside the root"),
        (r"a,p,,,,,D:\export\dicom\s1,", "the path in scans.csv does not exist; it names a drive"),
        (r"a,p,,,,,\\server\share\s1,", "path outside the root; it names a server: write it from the folder"),
        (f"a,p,,,,,{'bleed ' * 50},", "the path in scans.csv cannot be read (File name too long)"),
    ],
)
def test_a_defect_of_a_row_is_its_reason(tmp_path: Path, line: str, reason: str) -> None:
    (tmp_path / "root" / "dicom" / "empty").mkdir(parents=True)
    (tmp_path / "elsewhere").mkdir()
    row = rows(export(tmp_path / "root", line))["a"]
    assert row["status"] == "excluded"
    assert reason in row["reason"]
    assert "bleed" not in row["reason"]


def test_a_scan_with_several_reports_is_one_row(tmp_path: Path) -> None:
    assert list(rows(export(tmp_path, "a,p,50,M,,r1,dicom/s1,", "a,p,50,M,,r2,dicom/s1,"))) == ["a"]


def test_rows_of_one_scan_that_differ_exclude_it(tmp_path: Path) -> None:
    row = rows(export(tmp_path, "a,p1,,,,,dicom/s1,", "a,p2,,,,,nifti/s2.nii.gz,"))["a"]
    assert row["reason"] == "scans.csv: rows of this scan differ in patient, path"


def test_rows_of_one_scan_may_write_its_path_and_series_in_several_ways(tmp_path: Path) -> None:
    lines = ("a,p,dicom/s1,2", "a,p,dicom\\s1,2.0", f"a,p,{tmp_path / 'dicom' / 's1'},002")
    row = rows(export(tmp_path, *lines, header="scan,patient,path,series\n"))["a"]
    assert (row["status"], row["reason"]) == ("ok", "")


def test_rows_of_one_scan_may_name_a_link_and_what_it_leads_to(tmp_path: Path) -> None:
    (tmp_path / "dicom" / "s1").mkdir(parents=True)
    (tmp_path / "dicom" / "s1" / "1.dcm").touch()
    (tmp_path / "link").symlink_to(tmp_path / "dicom" / "s1")
    row = rows(export(tmp_path, "a,p,,,,,dicom/s1,", "a,p,,,,,link,"))["a"]
    assert row["reason"] == ""


def test_a_mask_may_be_named(tmp_path: Path) -> None:
    header = "scan,patient,path,mask\n"
    row = rows(export(tmp_path, "a,p,dicom/s1,nifti/s2.nii.gz", header=header))["a"]
    assert (row["mask"], row["status"]) == ("nifti/s2.nii.gz", "ok")


def test_paths_of_windows_and_whole_paths_are_those_below_the_export(tmp_path: Path) -> None:
    """Also where the export is a link, and a file in it too."""
    (tmp_path / "link").symlink_to(tmp_path / "real")
    lines = (
        r"a,p,dicom\s1,nifti\s2.nii.gz",
        f"b,p,{tmp_path}/link/dicom/s1,{tmp_path}/real/nifti/link.nii.gz",
    )
    export(tmp_path / "real", *lines, header="scan,patient,path,mask\n")
    (tmp_path / "real" / "nifti" / "link.nii.gz").symlink_to(tmp_path / "real" / "dicom" / "s1" / "1.dcm")
    found = rows(tmp_path / "link")
    assert [(row["ct"], row["mask"], row["status"]) for row in found.values()] == [
        ("dicom/s1", "nifti/s2.nii.gz", "ok"),
        ("dicom/s1", "nifti/link.nii.gz", "ok"),
    ]


def test_a_name_with_a_backslash_is_that_name(tmp_path: Path) -> None:
    root = export(tmp_path, r"a,p,,,,,dicom\s1,")
    (root / r"dicom\s1").touch()
    assert rows(root)["a"]["ct"] == r"dicom\s1"


def test_what_is_found_in_a_scan_may_be_named(tmp_path: Path) -> None:
    header = "scan;patient;path;condition\n"
    lines = ('a;p1;dicom/s1;"hemorrhage;ischemia"', "b;p2;nifti/s2.nii.gz;")
    found = rows(export(tmp_path, *lines, header=header))
    assert [row["condition"] for row in found.values()] == ["hemorrhage;ischemia", ""]


def test_rows_that_find_different_things_in_one_scan_exclude_it(tmp_path: Path) -> None:
    lines = ("a,p,dicom/s1,tumor", "a,p,dicom/s1,hemorrhage")
    row = rows(export(tmp_path, *lines, header="scan,patient,path,condition\n"))["a"]
    assert row["reason"] == "scans.csv: rows of this scan differ in condition"


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16", "latin-1"])
@pytest.mark.parametrize("separator", [",", ";", "\t"])
def test_the_index_and_the_curation_read_the_same_scans(
    tmp_path: Path, encoding: str, separator: str
) -> None:
    root = export(tmp_path)
    table = [["Scan", "Patient", "Path", "Report", "Remark"], ["a-1", "Jürgen", "dicom/s1", "r1", ""]]
    table += [["b", "p2", "nifti/s2.nii.gz", "", "Schädel"]]
    (root / "scans.csv").write_bytes("\r\n".join(map(separator.join, table)).encode(encoding))
    found, curated = rows(root), read_scans(root / "scans.csv")
    assert [(row["participant"], row["ct"]) for row in found.values()] == [
        ("Jürgen", "dicom/s1"),
        ("p2", "nifti/s2.nii.gz"),
    ]
    assert curated["scan"].map(alphanumeric).tolist() == list(found)
    for column, name in {"patient": "participant", "path": "ct"}.items():
        assert curated[column].tolist() == [row[name] for row in found.values()]


def test_a_workbook_in_place_of_a_table_is_refused_by_both(tmp_path: Path) -> None:
    root = export(tmp_path)
    (root / "scans.csv").write_bytes(b"PK\x03\x04\x14\x00\x00\x00")
    for read in (rows, lambda root: read_scans(root / "scans.csv")):
        with pytest.raises(InputError, match=r"scans\.csv: not a text in UTF-8"):
            read(root)


@pytest.mark.parametrize("scan", ["Smith", "--", ""])
def test_names_that_cannot_be_told_apart_are_refused_without_telling_them(tmp_path: Path, scan: str) -> None:
    root = export(tmp_path, "Sm-ith,p1,,,,,dicom/s1,", f"{scan},p2,,,,,dicom/s1,")
    with pytest.raises(InputError, match=r"scans\.csv: row 3: ") as caught:
        rows(root)
    assert "mith" not in str(caught.value)


def test_a_missing_column_is_named(tmp_path: Path) -> None:
    with pytest.raises(InputError, match=r"scans\.csv: the columns patient, path are missing"):
        rows(export(tmp_path, "a,b", header="scan,person\n"))


def test_a_row_of_another_length_is_named_by_its_number(tmp_path: Path) -> None:
    with pytest.raises(InputError, match=r"scans\.csv: row 2 has 3 columns, expected 8"):
        rows(export(tmp_path, "a,p,x"))


@pytest.mark.parametrize("column", ["scan", "path", "series", "mask", "condition", "age", "sex"])
def test_a_column_twice_is_named(tmp_path: Path, column: str) -> None:
    header = f"scan,patient,age,sex,path,series,mask,condition,{column}\n"
    with pytest.raises(InputError, match=rf"scans\.csv: there are two columns {column}\."):
        rows(export(tmp_path, "a,p,,,dicom/s1,2,,,7", header=header))


def test_a_row_may_end_at_its_path(tmp_path: Path) -> None:
    row = rows(export(tmp_path, "a,p,dicom/s1", header="scan,patient,path,mask\n"))["a"]
    assert (row["ct"], row["mask"], row["status"]) == ("dicom/s1", "", "ok")


def test_a_folder_without_scans_csv_says_what_is_expected(tmp_path: Path) -> None:
    with pytest.raises(InputError, match=r"scans\.csv: no such file; .* the columns scan, patient, path"):
        rows(tmp_path)


def test_a_table_without_rows_has_no_subjects(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="hospital_ct: no subject found"):
        rows(export(tmp_path))


def test_a_missing_root_names_the_key(tmp_path: Path) -> None:
    with pytest.raises(InputError, match=r"datasets\.hospital_ct"):
        find_dataset("hospital_ct").subjects(tmp_path / "none")


@pytest.mark.parametrize(
    ("written", "sex"),
    [("w", "F"), ("Weiblich", "F"), ("m\u00e4nnlich", "M"), ("ma\u0308nnlich", "M"), ("d", "")],
)
def test_sexes_in_german_are_understood(tmp_path: Path, written: str, sex: str) -> None:
    assert rows(export(tmp_path, f"s1,p1,63,{written},,,dicom/s1,"))["s1"]["sex"] == sex


def test_a_patient_is_one_person_however_the_name_is_stored(tmp_path: Path) -> None:
    root = export(tmp_path, "s1,Ren\u00e9,,,,,dicom/s1,", "s2,Rene\u0301,,,,,nifti/s2.nii.gz,")
    assert {row["participant"] for row in rows(root).values()} == {"Ren\u00e9"}
