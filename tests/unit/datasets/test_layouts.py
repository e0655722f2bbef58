"""Each adapter finds the files of its published layout, and nothing else."""

import errno
import logging
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from brainuad.datasets.base import COHORT_COLUMNS, Dataset, path_inside
from brainuad.datasets.registry import find_dataset
from brainuad.errors import InputError, ScanError


def touch(root: Path, *names: str) -> Path:
    for name in names:
        path = root / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.touch()
    return root


IXI = ("IXI002-Guys-0828-T1.nii.gz", "IXI002-Guys-0828-T2.nii.gz", "IXI012-HH-1211-T1.nii.gz", "IXI.txt")
BRATS = tuple(f"BraTS2021_00005/BraTS2021_00005_{p}.nii.gz" for p in ("flair", "t1", "t1ce", "t2", "seg"))
MSLUB = tuple(
    f"patient01/patient01_{p}.nii.gz" for p in ("T1W", "T1WKS", "T2W", "FLAIR", "brainmask", "consensus_gt")
)


def found(dataset: Dataset, root: Path) -> dict[str, dict[str, str]]:
    """The cohort table by subject; the fast list of names must agree with it."""
    table = dataset.index(root)
    assert tuple(table.columns) == COHORT_COLUMNS
    assert table["subject"].tolist() == dataset.subjects(root)
    return {row["subject"]: row for row in table.to_dict("records")}


def test_ixi_takes_the_site_from_the_file_name(tmp_path: Path) -> None:
    rows = found(find_dataset("ixi"), touch(tmp_path, *IXI))
    assert list(rows) == ["IXI002", "IXI012"]
    assert (rows["IXI002"]["site"], rows["IXI012"]["site"]) == ("Guys", "HH")
    assert rows["IXI002"]["t2"] == "IXI002-Guys-0828-T2.nii.gz"
    assert rows["IXI012"]["t2"] == ""
    assert {row["group"] for row in rows.values()} == {"healthy"}


@pytest.mark.parametrize("folders", [("T1", "T2"), ("IXI-T1", "IXI-T2")])
def test_ixi_is_found_in_a_folder_per_sequence(tmp_path: Path, folders: tuple[str, str]) -> None:
    scans = [f"{folder}/IXI002-Guys-0828-{folder[-2:]}.nii.gz" for folder in folders]
    rows = found(find_dataset("ixi"), touch(tmp_path, *scans, "other/IXI003-HH-1-T1.nii.gz"))
    assert list(rows) == ["IXI002"]
    assert [rows["IXI002"]["t1"], rows["IXI002"]["t2"]] == scans


def test_brats_maps_segmentation_to_mask_and_drops_the_underscore(tmp_path: Path) -> None:
    wrong = "BraTS2021_00005/BraTS2021_00006_t1.nii.gz"
    rows = found(find_dataset("brats21"), touch(tmp_path, *BRATS, wrong, "README.md"))
    row = rows["BraTS202100005"]
    assert row["mask"] == BRATS[-1]
    assert [row[m] for m in ("flair", "t1", "t1ce", "t2")] == list(BRATS[:4])
    assert (row["group"], row["status"]) == ("patient", "ok")


def test_a_brats_folder_without_images_is_a_row_with_its_reason(tmp_path: Path) -> None:
    (tmp_path / "BraTS2021_00007").mkdir()
    touch(tmp_path, "BraTS2021_00008")
    rows = found(find_dataset("brats21"), touch(tmp_path, *BRATS))
    assert rows["BraTS202100007"]["reason"] == "no image found"
    assert rows["BraTS202100008"]["reason"] == "not a folder"


def test_mslub_maps_its_names_and_leaves_raw_scans_alone(tmp_path: Path) -> None:
    rows = found(find_dataset("mslub"), touch(tmp_path, *MSLUB, "patient01/raw/patient01_T1W.nii.gz"))
    row = rows["patient01"]
    columns = ("t1", "t1ce", "t2", "flair", "brain_mask", "mask")
    assert [row[column] for column in columns] == list(MSLUB)


def test_mslub_without_some_modalities_or_mask_has_empty_cells(tmp_path: Path) -> None:
    row = found(find_dataset("mslub"), touch(tmp_path, *MSLUB[2:4]))["patient01"]
    assert (row["t1"], row["mask"], row["brain_mask"]) == ("", "", "")
    assert row["status"] == "ok"


def test_mslub_names_may_leave_the_patient_out_as_in_open_ms_data(tmp_path: Path) -> None:
    plain = [name.replace("/patient01_", "/") for name in MSLUB]
    row = found(find_dataset("mslub"), touch(tmp_path, *plain))["patient01"]
    columns = ("t1", "t1ce", "t2", "flair", "brain_mask", "mask")
    assert [row[column] for column in columns] == plain
    row = found(find_dataset("mslub"), touch(tmp_path, *MSLUB, "patient01/patient02_T1W.nii.gz"))["patient01"]
    assert [row[column] for column in columns] == list(MSLUB)


def test_bids_sorts_suffixes_sessions_and_contrast_agent(tmp_path: Path) -> None:
    names = [
        "sub-01/anat/sub-01_T1w.nii.gz",
        "sub-01/anat/sub-01_ce-gadolinium_T1w.nii.gz",
        "sub-01/anat/sub-01_FLAIR.nii",
        "sub-02/ses-a/anat/sub-02_ses-a_acq-3D_T2w.nii.gz",
        "sub-02/ses-b/anat/sub-02_ses-b_PDw.nii.gz",
    ]
    rows = found(find_dataset("clinic", "bids"), touch(tmp_path, *names, "sub-01/func/sub-01_bold.nii.gz"))
    assert list(rows) == ["01", "02sesa", "02sesb"]
    assert [rows["01"][m] for m in ("t1", "t1ce", "flair")] == names[:3]
    assert rows["02sesa"]["t2"] == names[3]
    assert rows["02sesb"]["pd"] == names[4]
    assert rows["02sesa"]["participant"] == rows["02sesb"]["participant"] == "02"
    assert rows["02sesb"]["session"] == "b"


def test_bids_sessions_without_a_folder_anat_are_no_failures(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    names = [
        "sub-01/ses-1/anat/sub-01_ses-1_T1w.nii.gz",
        "sub-01/ses-2/dwi/sub-01_ses-2_dwi.nii.gz",
        "sub-01/ses-3/anat/sub-01_ses-3_T1w.nii.gz",
        "sub-02/ses-1/func/sub-02_ses-1_bold.nii.gz",
        "sub-02/ses-2/func/sub-02_ses-2_bold.nii.gz",
    ]
    with caplog.at_level(logging.INFO):
        rows = found(find_dataset("clinic", "bids"), touch(tmp_path, *names))
    assert list(rows) == ["01ses1", "01ses3", "02ses1"]
    assert [row["reason"] for row in rows.values()] == ["", "", "no image found"]
    assert "clinic: 2 sessions without a folder anat are left out" in caplog.text


def test_bids_lesion_masks_come_from_derivatives_in_the_subjects_own_space(tmp_path: Path) -> None:
    folder = "derivatives/manual/sub-01/ses-1/anat/sub-01_ses-1"
    names = [f"{folder}_{rest}_mask.nii.gz" for rest in ("label-lesion", "desc-brain", "label-csf")]
    template = f"{folder}_space-MNI152_label-lesion_mask.nii.gz"
    root = touch(tmp_path, "sub-01/ses-1/anat/sub-01_ses-1_T1w.nii.gz", *names, template)
    row = found(find_dataset("clinic", "bids"), root)["01ses1"]
    assert (row["mask"], row["brain_mask"]) == (names[0], names[1])


def test_masks_are_found_in_linked_folders_of_derivatives_and_each_once(tmp_path: Path) -> None:
    root = touch(
        tmp_path / "root",
        *("sub-01/anat/sub-01_T1w.nii.gz", "sub-01/anat/sub-01_label-lesion_mask.nii.gz"),
        *("sub-02/anat/sub-02_T1w.nii.gz", "drawn/sub-02/anat/sub-02_label-lesion_mask.nii.gz"),
        *("sub-03/anat/sub-03_T1w.nii.gz", "derivatives/readme.txt"),
    )
    touch(tmp_path, "elsewhere/sub-03_label-lesion_mask.nii.gz")
    for name, place in {"raw": "..", "one": "../sub-01", "own": ".", "drawn": "../drawn"}.items():
        (root / "derivatives" / name).symlink_to(place)
    (root / "derivatives/far").symlink_to(tmp_path / "elsewhere")
    rows = found(find_dataset("clinic", "bids"), root)
    assert [row["reason"] for row in rows.values()] == ["", "", "mask: path outside the root"]
    assert rows["01"]["mask"] == "sub-01/anat/sub-01_label-lesion_mask.nii.gz"
    assert rows["02"]["mask"] == "derivatives/drawn/sub-02/anat/sub-02_label-lesion_mask.nii.gz"


def test_derivatives_that_cannot_be_read_are_not_taken_for_none(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    root = touch(
        tmp_path, "sub-01/anat/sub-01_T1w.nii.gz", "derivatives/manual/sub-01_label-lesion_mask.nii.gz"
    )
    scandir = os.scandir

    def refuse(folder: Any) -> Any:
        if Path(folder).name == "manual":
            raise PermissionError(errno.EACCES, "Permission denied", str(folder))
        return scandir(folder)

    monkeypatch.setattr(os, "scandir", refuse)
    with pytest.raises(InputError, match=r"manual: cannot be read now \(Permission denied\)"):
        find_dataset("clinic", "bids").index(root)


def test_two_lesion_masks_exclude_a_bids_subject(tmp_path: Path) -> None:
    masks = [f"sub-01/anat/sub-01_run-{n}_label-lesion_mask.nii.gz" for n in (1, 2)]
    rows = found(find_dataset("clinic", "bids"), touch(tmp_path, "sub-01/anat/sub-01_T1w.nii.gz", *masks))
    assert rows["01"]["reason"] == "2 lesion masks: keep one"


def test_of_several_runs_the_first_is_taken_and_noted(tmp_path: Path) -> None:
    scans = [f"sub-01/anat/sub-01_run-{n}_T1w.nii.gz" for n in (2, 1)]
    row = found(find_dataset("clinic", "bids"), touch(tmp_path, *scans))["01"]
    assert (row["t1"], row["status"], row["reason"]) == (scans[1], "ok", "first of 2 t1 scans")


def test_a_link_that_leads_out_of_the_root_is_a_row_with_its_reason(tmp_path: Path) -> None:
    root = touch(tmp_path / "root", *BRATS)
    touch(tmp_path, "elsewhere.nii.gz")
    (root / BRATS[1]).unlink()
    (root / BRATS[1]).symlink_to(tmp_path / "elsewhere.nii.gz")
    row = found(find_dataset("brats21"), root)["BraTS202100005"]
    assert (row["status"], row["reason"], row["t1"]) == ("ok", "t1: path outside the root", "")
    assert row["t2"]


def test_a_link_inside_the_root_is_fine(tmp_path: Path) -> None:
    root = touch(tmp_path, *BRATS, "annex/object")
    (root / BRATS[1]).unlink()
    (root / BRATS[1]).symlink_to("../annex/object")
    assert found(find_dataset("brats21"), root)["BraTS202100005"]["status"] == "ok"


@pytest.mark.parametrize("relative", ["../x", "/etc/hostname", "a/../../x", "."])
def test_a_path_cannot_leave_the_root(tmp_path: Path, relative: str) -> None:
    with pytest.raises(ScanError, match="outside the root"):
        path_inside(tmp_path, relative)


@pytest.mark.parametrize("name", ["ixi", "brats21", "mslub"])
def test_a_missing_root_names_the_key_and_the_layout(tmp_path: Path, name: str) -> None:
    dataset = find_dataset(name)
    with pytest.raises(InputError) as error:
        dataset.subjects(tmp_path / "none")
    assert f"datasets.{name}" in str(error.value)
    assert dataset.layout in str(error.value)


def test_subjects_are_listed_without_imaging_libraries(tmp_path: Path) -> None:
    touch(tmp_path, *BRATS)
    script = (
        "import sys; from pathlib import Path; from brainuad.datasets.registry import find_dataset\n"
        f"find_dataset('brats21').subjects(Path({str(tmp_path)!r}))\n"
        "assert not {'numpy', 'pandas', 'nibabel', 'SimpleITK', 'torch'} & set(sys.modules)"
    )
    subprocess.run([sys.executable, "-c", script], check=True)


def test_names_that_are_not_known_are_refused_with_a_hint() -> None:
    with pytest.raises(InputError, match="Did you mean 'mslub'"):
        find_dataset("mslubb")
    with pytest.raises(InputError, match="'dicom' is not one of"):
        find_dataset("clinic", "dicom")


def test_defaults_suit_what_the_data_set_already_is() -> None:
    brats, mslub = find_dataset("brats21").preprocessing, find_dataset("mslub").preprocessing
    assert (brats.skull_strip, brats.registration, brats.n4) == ("none", "none", False)
    assert (mslub.skull_strip, mslub.registration, mslub.n4) == ("deepbet", "affine", True)
