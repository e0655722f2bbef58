"""fastMRI: which files count, and what the annotations of FastMRI+ make of a scan."""

import logging
import os

import pytest

from brainuad.datasets.fastmri import Fastmri
from brainuad.errors import InputError

HEADER = "file,slice,study_level,x,y,width,height,label\n"
NORMAL = "Yes,,,,,Normal for age"
EDEMA = "No,10,20,30,40,Edema"


def publish(root, rows, files=("file_brain_AXT1_202_6000312",), folder="", table="brain.csv"):
    """Empty scans, and annotations of them: (file, text after the file's name and slice 3)."""
    (root / folder).mkdir(parents=True, exist_ok=True)
    for file in files:
        (root / folder / f"{file}.h5").touch()
    (root / table).parent.mkdir(exist_ok=True)
    (root / table).write_text(HEADER + "".join(f"{file},3,{text}\n" for file, text in rows))
    return root


def cohort(root):
    return Fastmri().index(root).set_index("subject")


def only(root, *texts):
    """The row of one scan with these annotations."""
    scan = "file_brain_AXT1_202_6000312"
    return cohort(publish(root, [(scan, text) for text in texts], (scan,))).loc["AXT12026000312"]


def test_names_come_from_the_files_alone(tmp_path):
    publish(tmp_path, [], ("file_brain_AXT1_202_6000312", "file_brain_AXT1_201_6002688"))
    (tmp_path / "brain.csv").unlink()
    assert Fastmri().subjects(tmp_path) == ["AXT12016002688", "AXT12026000312"]


def test_scans_are_found_in_the_folders_of_the_release(tmp_path):
    publish(tmp_path, [("file_brain_AXT1_202_1", NORMAL)], ("file_brain_AXT1_202_1",), "multicoil_val")
    row = cohort(tmp_path).loc["AXT12021"]
    assert row["t1"] == "multicoil_val/file_brain_AXT1_202_1.h5"
    assert row["boxes"] == "brain.csv"


def test_annotations_may_lie_in_their_own_folder(tmp_path):
    scan = "file_brain_AXT1_202_1"
    publish(tmp_path, [(scan, NORMAL)], (scan,), table="Annotations/brain.csv")
    assert cohort(tmp_path).loc["AXT12021", "boxes"] == "Annotations/brain.csv"


@pytest.mark.parametrize("sequence", ["AXT1POST", "AXT1PRE", "AXFLAIR", "AXT2"])
def test_other_sequences_are_not_used(tmp_path, sequence):
    scans = ("file_brain_AXT1_202_1", f"file_brain_{sequence}_202_2")
    publish(tmp_path, [(scan, NORMAL) for scan in scans], scans)
    assert list(cohort(tmp_path).index) == ["AXT12021"]


@pytest.mark.parametrize("label", ["Normal for age", "Normal variant", "normal for age "])
def test_a_scan_labelled_normal_is_healthy(tmp_path, label):
    row = only(tmp_path, f"Yes,,,,,{label}")
    assert (row["group"], row["condition"], row["status"]) == ("healthy", "", "ok")


def test_a_box_makes_a_patient(tmp_path):
    row = only(tmp_path, NORMAL, EDEMA)
    assert (row["group"], row["condition"]) == ("patient", "")


def test_a_box_around_a_normal_variant_is_no_finding(tmp_path):
    assert only(tmp_path, "No,10,20,30,40,Normal variant")["group"] == "healthy"


def test_labels_of_the_whole_scan_are_its_condition(tmp_path):
    label = "Global label: Small vessel chronic white matter ischemic change"
    row = only(tmp_path, f"Yes,,,,,{label}", "Yes,,,,,Motion artifact", NORMAL)
    assert row["group"] == "patient"
    assert row["condition"] == "small vessel chronic white matter ischemic change;motion artifact"


def test_a_scan_without_an_annotation_is_excluded_with_its_reason(tmp_path):
    row = only(tmp_path)
    assert (row["status"], row["reason"]) == ("excluded", "no annotation of this scan in brain.csv")


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("No,abc,20,30,40,Edema", "boxes: x = 'abc' of 'edema' is not a number"),
        ("No,10,20,,40,Edema", "boxes: width = '' of 'edema' is not a number"),
        ("No,10,inf,30,40,Edema", "boxes: y = 'inf' of 'edema' is not a number"),
        ("No,10,20,0,40,Edema", "boxes: the box of 'edema' on slice 3 has no area"),
        ("Perhaps,10,20,30,40,Edema", "boxes: study_level is 'perhaps', expected Yes or No"),
        ("No,10,20,30,40,", "boxes: a row has no label"),
    ],
)
def test_a_box_that_cannot_be_read_excludes_its_scan(tmp_path, text, reason):
    row = only(tmp_path, text)
    assert (row["status"], row["reason"]) == ("excluded", reason)


def test_one_scan_in_two_folders_is_excluded(tmp_path):
    publish(tmp_path, [], folder="multicoil_train")
    publish(tmp_path, [("file_brain_AXT1_202_6000312", NORMAL)], folder="multicoil_val")
    assert cohort(tmp_path)["reason"].tolist() == ["2 files for t1"]


def test_annotated_scans_that_are_not_there_are_counted_in_one_line(tmp_path, caplog):
    rows = [(f"file_brain_AXT1_202_{number}", NORMAL) for number in (6000312, 1, 2, 2)]
    publish(tmp_path, [*rows, ("file_brain_AXFLAIR_202_3", NORMAL)])
    with caplog.at_level(logging.INFO):
        cohort(tmp_path)
    assert [record.getMessage() for record in caplog.records] == [
        "brain.csv annotates 2 T1 scans that are not in the folder"
    ]


def test_missing_annotations_are_an_error_that_names_the_file(tmp_path):
    publish(tmp_path, [])
    (tmp_path / "brain.csv").unlink()
    with pytest.raises(InputError, match=r"neither brain\.csv nor Annotations/brain\.csv"):
        cohort(tmp_path)


@pytest.mark.parametrize("content", [b"\xff\xfe\x00a,b\n\x80", b"", b"file,slice\nx,1\n"])
def test_unreadable_annotations_are_an_error_that_names_the_file(tmp_path, content):
    publish(tmp_path, [])
    (tmp_path / "brain.csv").write_bytes(content)
    with pytest.raises(InputError, match=r"brain\.csv"):
        cohort(tmp_path)


def test_a_folder_without_scans_is_an_error_that_says_what_was_expected(tmp_path):
    with pytest.raises(InputError, match="no subject found"):
        cohort(tmp_path)


def test_files_with_a_suffix_and_a_byte_order_mark_are_read(tmp_path):
    publish(tmp_path, [("file_brain_AXT1_202_6000312.h5", NORMAL)])
    table = tmp_path / "brain.csv"
    table.write_bytes(b"\xef\xbb\xbf" + table.read_bytes())
    assert cohort(tmp_path)["group"].tolist() == ["healthy"]


def test_a_box_between_two_slices_excludes_the_scan(tmp_path):
    root = publish(tmp_path, [])
    (root / "brain.csv").write_text(f"{HEADER}file_brain_AXT1_202_6000312,3.5,{EDEMA}\n")
    assert (
        cohort(root).loc["AXT12026000312", "reason"]
        == "boxes: slice = '3.5' of 'edema' is not a whole number"
    )


@pytest.mark.parametrize(
    ("content", "expected"),
    [
        (HEADER.replace("label", "label,File") + f"a,3,{EDEMA},b\n", "two columns are called file"),
        (HEADER + f'a,3,{EDEMA[:-5]}"Edema\nb,3,{EDEMA}"\n', "a label of a goes on in the next line"),
        (HEADER.replace(",", ";"), "no column file, slice"),
        ("", "not a readable table"),
    ],
    ids=["column twice", "quotation mark", "semicolons", "empty"],
)
def test_annotations_that_are_no_table_of_fastmri_plus_are_named(tmp_path, content, expected):
    root = publish(tmp_path, [])
    (root / "brain.csv").write_text(content)
    with pytest.raises(InputError, match=rf"brain\.csv: {expected}"):
        Fastmri().index(root)


def test_a_folder_of_scans_that_cannot_be_read_is_named(tmp_path, monkeypatch):
    (tmp_path / "multicoil_train").mkdir()
    scandir = os.scandir

    def refuse(folder):
        if str(folder).endswith("train"):
            raise PermissionError(13, "Permission denied")
        return scandir(folder)

    monkeypatch.setattr("os.scandir", refuse)
    with pytest.raises(InputError, match=r"multicoil_train cannot be read \(Permission denied\)"):
        Fastmri().subjects(tmp_path)
