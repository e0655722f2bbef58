"""The sets of the Shifts challenge in their published layout."""

from pathlib import Path

import pytest

from brainuad.datasets.registry import find_dataset
from brainuad.errors import InputError

KINDS = ("flair", "t1", "t1ce", "t2", "pd")


def patient(number: int, folder: str) -> dict[str, str]:
    """The published files of one patient by column of the cohort table."""
    files = {kind: f"{folder}/{kind}/{number}_{kind.upper()}_isovox.nii.gz" for kind in KINDS}
    masks = {"mask": f"gt/{number}_gt_isovox", "brain_mask": f"fg_mask/{number}_isovox_fg_mask"}
    return files | {column: f"{folder}/{name}.nii.gz" for column, name in masks.items()}


def touch(root: Path, *names: str) -> Path:
    for name in names:
        path = root / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.touch()
    return root


def rows(name: str, root: Path) -> dict[str, dict[str, str]]:
    """The cohort table by subject; the fast list of names must agree with it."""
    table = find_dataset(name).index(root)
    assert table["subject"].tolist() == find_dataset(name).subjects(root)
    return {row["subject"]: row for row in table.to_dict("records")}


def test_partitions_count_anew_so_subjects_carry_their_partition(tmp_path: Path) -> None:
    for partition in ("train", "dev_in", "eval_in"):
        touch(tmp_path, *patient(1, f"msseg/{partition}").values())
    found = rows("msseg", tmp_path)
    assert list(found) == ["devin01", "evalin01", "train01"]
    assert {row["participant"] for row in found.values()} == set(found)


def test_every_modality_and_mask_is_found(tmp_path: Path) -> None:
    files = patient(7, "msseg/dev_in")
    row = rows("msseg", touch(tmp_path, *files.values()))["devin07"]
    assert {column: row[column] for column in files} == files
    assert (row["site"], row["group"], row["status"]) == ("msseg", "patient", "ok")


def test_patients_without_lesion_masks_and_other_sets_are_left_out(tmp_path: Path) -> None:
    touch(tmp_path, *patient(3, "msseg/unsupervised").values(), *patient(4, "best/train").values())
    touch(tmp_path, *patient(1, "msseg/train").values(), *patient(2, "ljubljana/dev_out").values())
    touch(tmp_path, "msseg/train/indiv/1_rater1_isovox.nii.gz", "msseg/train/flair/notes.txt")
    assert list(rows("msseg", tmp_path)) == ["train01"]
    assert list(rows("ljubljana", tmp_path)) == ["devout02"]


@pytest.mark.parametrize("above", ["", "shifts_ms_pt1/", "shifts_ms_pt2/", "shifts_ms_pt2/shifts_ms_pt2/"])
def test_the_path_may_be_the_archive_or_the_folder_above_it(tmp_path: Path, above: str) -> None:
    files = patient(12, f"{above}ljubljana/dev_out")
    row = rows("ljubljana", touch(tmp_path, *files.values()))["devout12"]
    assert row["flair"] == files["flair"]


def test_a_patient_without_some_files_has_empty_cells(tmp_path: Path) -> None:
    row = rows("ljubljana", touch(tmp_path, patient(1, "ljubljana/dev_out")["flair"]))["devout01"]
    assert (row["t1"], row["mask"], row["status"]) == ("", "", "ok")


def test_an_image_of_which_there_are_two_files_is_left_out(tmp_path: Path) -> None:
    files = patient(1, "msseg/train")
    touch(tmp_path, *files.values(), "msseg/train/t1/1_T1_raw.nii.gz")
    row = rows("msseg", tmp_path)["train01"]
    assert (row["status"], row["reason"], row["t1"]) == ("ok", "2 files for t1", "")
    assert row["flair"] == files["flair"]


def test_two_lesion_masks_exclude_a_patient(tmp_path: Path) -> None:
    files = patient(1, "msseg/train")
    touch(tmp_path, *files.values(), "msseg/train/gt/1_gt_raw.nii.gz")
    row = rows("msseg", tmp_path)["train01"]
    assert (row["status"], row["reason"], row["mask"]) == ("excluded", "2 files for mask", "")


@pytest.mark.parametrize("name", ["msseg", "ljubljana"])
def test_a_folder_without_the_set_names_the_layout(tmp_path: Path, name: str) -> None:
    dataset = find_dataset(name)
    with pytest.raises(InputError, match="no subject found") as error:
        dataset.index(touch(tmp_path, *patient(4, "best/train").values()))
    assert dataset.layout in str(error.value)
    with pytest.raises(InputError, match=rf"datasets\.{name}"):
        dataset.subjects(tmp_path / "none")


def test_defaults_are_those_of_frotscher() -> None:
    settings = find_dataset("msseg").preprocessing
    assert (settings.skull_strip, settings.coregistration, settings.n4) == ("none", "none", False)
    assert (settings.reference, settings.registration) == ("t1", "affine")
    assert settings.lesion_interpolation == "linear-half"
