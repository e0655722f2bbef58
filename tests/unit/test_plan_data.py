"""What reruns when files of a real data set change: the index, single subjects, or nothing."""

import os
import zlib
from pathlib import Path
from typing import Any

import pytest
import yaml

from brainuad.plan import Plan
from brainuad.plan_reader import read_plan
from tests.unit.datasets.test_people import spreadsheet

WORKFLOW = Path(__file__).parents[2] / "workflow"
ATLAS2 = "ATLAS_2/Training/R001/sub-r001s001/ses-1/anat/sub-r001s001_ses-1_space-MNI152NLin2009aSym"

# Where it is not T2 alone: a layout must have what the recipe stacks.
RECIPES = {"atlas2": "bercea2023-atlas", "fastmri": "bercea2023-fastmri"}
RECIPES |= dict.fromkeys(("cq500", "hospital_ct"), "kascenas2023-ct")

# Layout, the scans of one subject, its name, the spreadsheet, and that after a correction of what it says on people.
PEOPLE = [
    (
        "bids",
        ["sub-01/anat/sub-01_T1w.nii.gz"],
        "01",
        "participants.tsv",
        ("participant_id\tgroup\nsub-01\tpatient\n", "participant_id\tgroup\nsub-01\tcontrol\n"),
    ),
    (
        "mslub",
        ["patient01/patient01_T1W.nii.gz"],
        "patient01",
        "participants.tsv",
        ("participant_id\tage\npatient01\t30\n", "participant_id\tage\npatient01\t31\n"),
    ),
    (
        "atlas2",
        [f"{ATLAS2}_T1w.nii.gz", f"{ATLAS2}_label-L_desc-T1lesion_mask.nii.gz"],
        "r001s001ses1",
        "participants.tsv",
        ("participant_id\tage\nr001s001\t30\n", "participant_id\tage\nr001s001\t31\n"),
    ),
    (
        "cq500",
        ["CQ500CT0 CQ500CT0/Unknown Study/CT Plain/CT000000.dcm"],
        "CQ500CT0",
        "reads.csv",
        ("name,R1:ICH,R2:ICH,R3:ICH\nCQ500-CT-0,0,0,0\n", "name,R1:ICH,R2:ICH,R3:ICH\nCQ500-CT-0,1,1,0\n"),
    ),
    (
        "hospital_ct",
        ["a/one.dcm"],
        "s1",
        "scans.csv",
        ("scan,patient,age,path\ns1,p1,40,a\n", "scan,patient,age,path\ns1,p1,41,a\n"),
    ),
]


def write(root: Path, name: str, content: str = "x") -> None:
    """A file that is as new as its content: two of one size in one tick of the clock would look the same."""
    path = root / name
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(content)
    os.utime(path, (0, zlib.crc32(content.encode())))


def plan_of(folder: Path, root: Path, layout: str) -> Plan:
    """A plan anew, as each run makes one."""
    study = {
        "title": "Own",
        "recipe": RECIPES.get(layout, "quickstart-t2"),
        "splits": {"own": {"unit": "share", "train": 0.5, "validation": 0.3, "test": 0.2}},
        "training_data": {"datasets": ["own"]},
        "test_datasets": ["own"],
        "models": {"vae": {"kind": "vae"}},
        "methods": {"vae": {"label": "VAE", "rule": "reconstruction", "model": "vae"}},
    }
    (folder / "studies").mkdir(parents=True, exist_ok=True)
    (folder / "recipes.yaml").write_text((WORKFLOW / "recipes.yaml").read_text())
    (folder / "studies" / "own.yaml").write_text(yaml.safe_dump(study))
    own = {"path": str(root), "format": layout}
    return read_plan({"studies": ["own"], "datasets": {"own": own}}, folder)


def sources(folder: Path, root: Path, layout: str, subject: str) -> tuple[Any, Any]:
    """What a change of reruns the index, and the preprocessing of a subject."""
    plan = plan_of(folder, root, layout)
    return plan.source("own"), plan.source("own", subject)


@pytest.mark.parametrize(
    ("layout", "scans", "subject", "table", "texts"), PEOPLE, ids=[row[0] for row in PEOPLE]
)
def test_a_corrected_spreadsheet_makes_the_index_anew_and_no_scan(
    tmp_path: Path, layout: str, scans: list[str], subject: str, table: str, texts: tuple[str, str]
) -> None:
    root = tmp_path / "scans"
    for scan in scans:
        write(root, scan)
    write(root, table, texts[0])
    index, scan = sources(tmp_path, root, layout, subject)
    assert sources(tmp_path, root, layout, subject) == (index, scan)
    write(root, table, texts[1])
    index_after, scan_after = sources(tmp_path, root, layout, subject)
    assert index_after != index
    assert scan_after == scan


def test_a_spreadsheet_that_is_added_makes_the_index_anew(tmp_path: Path) -> None:
    root = tmp_path / "scans"
    write(root, "IXI002-Guys-0828-T1.nii.gz")
    before = plan_of(tmp_path, root, "ixi").source("own")
    spreadsheet(root / "IXI.xls", (2, 2, 164, 35.8))
    assert plan_of(tmp_path, root, "ixi").source("own") != before


@pytest.mark.parametrize("place", ["brain.csv", "Annotations/brain.csv"])
def test_corrected_annotations_of_fastmri_make_the_index_anew_wherever_they_lie(
    tmp_path: Path, place: str
) -> None:
    root = tmp_path / "scans"
    write(root, "file_brain_AXT1_202_6000312.h5")
    header = "file,slice,study_level,x,y,width,height,label\n"
    write(root, place, f"{header}file_brain_AXT1_202_6000312,,Yes,,,,,Normal for age\n")
    before = plan_of(tmp_path, root, "fastmri").source("own")
    write(root, place, f"{header}file_brain_AXT1_202_6000312,,Yes,,,,,Motion artifact\n")
    assert plan_of(tmp_path, root, "fastmri").source("own") != before


def test_a_subject_that_the_spreadsheet_lets_in_again_is_preprocessed_again_alone(tmp_path: Path) -> None:
    """Its old record says that it is excluded."""
    root = tmp_path / "scans"
    for number in range(2):
        write(root, f"CQ500CT{number} CQ500CT{number}/CT Plain/CT000000.dcm")
    header = "name,R1:ICH,R2:ICH,R3:ICH\nCQ500-CT-1,0,0,0\n"
    write(root, "reads.csv", f"{header}CQ500-CT-0,1,0,0\n")
    before = [sources(tmp_path, root, "cq500", subject)[1] for subject in ("CQ500CT0", "CQ500CT1")]
    write(root, "reads.csv", f"{header}CQ500-CT-0,0,0,0\n")
    after = [sources(tmp_path, root, "cq500", subject)[1] for subject in ("CQ500CT0", "CQ500CT1")]
    assert [one == other for one, other in zip(before, after, strict=True)] == [False, True]


def test_another_series_of_a_scan_is_preprocessed_again(tmp_path: Path) -> None:
    root = tmp_path / "scans"
    write(root, "a/one.dcm")
    write(root, "scans.csv", "scan,patient,path,series\ns1,p1,a,2\n")
    _, before = sources(tmp_path, root, "hospital_ct", "s1")
    write(root, "scans.csv", "scan,patient,path,series\ns1,p1,a,3\n")
    assert sources(tmp_path, root, "hospital_ct", "s1")[1] != before


def test_a_folder_outside_the_root_is_neither_walked_nor_an_error(tmp_path: Path) -> None:
    root, other = tmp_path / "scans", tmp_path / "other"
    write(other, "series/1.dcm")
    write(root, "scans.csv", f"scan,patient,path\ns1,p1,{other}\n")
    before = sources(tmp_path, root, "hospital_ct", "s1")
    write(other, "series/2.dcm")
    assert sources(tmp_path, root, "hospital_ct", "s1")[1] == before[1]


@pytest.mark.parametrize(
    ("layout", "first", "table", "subject"),
    [
        ("cq500", "CQ500CT0 CQ500CT0/Unknown Study/CT Plain/1.dcm", "", "CQ500CT0"),
        ("hospital_ct", "a/one/1.dcm", "scan,patient,age,path\ns1,p1,40,a\n", "s1"),
    ],
)
def test_a_file_that_is_added_to_a_folder_of_dicom_files_is_noticed(
    tmp_path: Path, layout: str, first: str, table: str, subject: str
) -> None:
    root = tmp_path / "scans"
    write(root, first)
    if table:
        write(root, "scans.csv", table)
    before = sources(tmp_path, root, layout, subject)
    write(root, str(Path(first).with_name("2.dcm")))
    after = sources(tmp_path, root, layout, subject)
    assert before[0] != after[0]
    assert before[1] != after[1]
