"""ATLAS v2.0 and the second preprocessing of IXI: what is found, what is left out, what becomes a row with a reason."""

from pathlib import Path

import pytest

from brainuad.datasets.base import COHORT_COLUMNS
from brainuad.datasets.registry import find_dataset
from brainuad.errors import InputError
from tests.unit.datasets.test_layouts import IXI, touch


def scans(site: str, person: str, session: str = "1", *, mask: bool = True) -> list[str]:
    stem = f"{site}/sub-{person}/ses-{session}/anat/sub-{person}_ses-{session}_space-MNI152NLin2009aSym"
    return [f"{stem}_T1w.nii.gz", *([f"{stem}_label-L_desc-T1lesion_mask.nii.gz"] if mask else [])]


def below(folder: str, names: list[str]) -> list[str]:
    return [f"{folder}{name}" for name in names]


def rows(root: Path) -> dict[str, dict[str, str]]:
    dataset = find_dataset("atlas2")
    table = dataset.index(root)
    assert tuple(table.columns) == COHORT_COLUMNS
    assert table["subject"].tolist() == dataset.subjects(root)
    return {row["subject"]: row for row in table.to_dict("records")}


@pytest.mark.parametrize("above", ["", "Training/", "ATLAS_2/Training/"])
def test_the_root_may_be_the_folder_of_the_sites_or_one_above_it(tmp_path: Path, above: str) -> None:
    names = below(above, scans("R001", "r001s001") + scans("R009", "r009s004"))
    found = rows(touch(tmp_path, *names))
    assert list(found) == ["r001s001ses1", "r009s004ses1"]
    first = found["r001s001ses1"]
    assert [first["t1"], first["mask"]] == names[:2]
    assert (first["site"], first["participant"], first["session"]) == ("R001", "r001s001", "1")
    assert (first["group"], first["status"]) == ("patient", "ok")


def test_the_test_scans_whose_masks_are_secret_are_left_out(tmp_path: Path) -> None:
    hidden = below("ATLAS_2/Testing/", scans("R005", "r005s060", mask=False))
    root = touch(tmp_path, *below("ATLAS_2/Training/", scans("R001", "r001s001")), *hidden)
    assert list(rows(root)) == ["r001s001ses1"]
    assert list(rows(root / "ATLAS_2")) == ["r001s001ses1"]


def test_two_sessions_are_two_subjects_of_one_participant(tmp_path: Path) -> None:
    root = touch(tmp_path, *scans("R027", "r027s002"), *scans("R027", "r027s002", "2"))
    found = rows(root)
    assert list(found) == ["r027s002ses1", "r027s002ses2"]
    assert {row["participant"] for row in found.values()} == {"r027s002"}


def test_a_scan_without_its_mask_is_a_row_with_its_reason(tmp_path: Path) -> None:
    row = rows(touch(tmp_path, *scans("R001", "r001s001", mask=False)))["r001s001ses1"]
    assert (row["status"], row["reason"]) == ("excluded", "no lesion mask beside the T1w")


def test_a_session_without_scans_is_a_row_with_its_reason(tmp_path: Path) -> None:
    (tmp_path / "Training/R001/sub-r001s002/ses-1").mkdir(parents=True)
    row = rows(touch(tmp_path, *below("Training/", scans("R001", "r001s001"))))["r001s002ses1"]
    assert (row["status"], row["reason"]) == ("excluded", "no image found")


def test_scans_in_another_space_are_not_taken(tmp_path: Path) -> None:
    native = "R001/sub-r001s001/ses-1/anat/sub-r001s001_ses-1_T1w.nii.gz"
    row = rows(touch(tmp_path, native))["r001s001ses1"]
    assert (row["t1"], row["status"]) == ("", "excluded")


def test_ages_and_sexes_come_from_participants_tsv_where_there_is_one(tmp_path: Path) -> None:
    root = touch(tmp_path, *scans("R001", "r001s001"))
    (root / "participants.tsv").write_text("participant_id\tage\tsex\nsub-r001s001\t63\tF\n")
    row = rows(root)["r001s001ses1"]
    assert (row["age"], row["sex"], row["site"]) == ("63", "F", "R001")


def test_a_folder_without_scans_says_what_was_expected(tmp_path: Path) -> None:
    touch(tmp_path, "somewhere/else.nii.gz")
    with pytest.raises(InputError, match=r"atlas2: no subject found in .* ATLAS_2/Training/R001"):
        find_dataset("atlas2").index(tmp_path)


def test_a_missing_root_names_the_key(tmp_path: Path) -> None:
    with pytest.raises(InputError, match=r"datasets\.atlas2"):
        find_dataset("atlas2").subjects(tmp_path / "none")


def test_atlas2_stays_as_it_is_but_for_the_grid() -> None:
    settings = find_dataset("atlas2").preprocessing
    assert (settings.space, settings.registration, settings.n4) == ("MNI152NLin2009aSym", "none", False)
    assert (settings.keep_skull, settings.skull_strip) == (True, "deepbet")


def test_ixi_mni_has_the_subjects_of_ixi_and_its_own_preprocessing(tmp_path: Path) -> None:
    root, ixi, other = touch(tmp_path, *IXI), find_dataset("ixi"), find_dataset("ixi_mni")
    assert other.scans_of == "ixi"
    assert other.subjects(root) == ixi.subjects(root)
    settings = other.preprocessing
    assert (settings.modalities, settings.space) == (("t1",), "MNI152NLin2009aSym")
    assert (settings.registration, settings.keep_skull, settings.n4) == ("affine", True, True)
    assert ixi.preprocessing.space == "SRI24"
