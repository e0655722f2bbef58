"""Published split lists: what they may look like, and what happens where they are wrong."""

import logging
from collections.abc import Mapping
from pathlib import Path

import pandas as pd
import pytest
from pydantic import ValidationError

from brainuad.datasets.fastmri import Fastmri
from brainuad.errors import InputError
from brainuad.preprocessing.split_settings import SplitSettings
from brainuad.preprocessing.splits import make_split


def cohort_of(*subjects: str, sessions: tuple[str, ...] = ("",)) -> pd.DataFrame:
    rows = [{"subject": s + visit, "participant": s} for s in subjects for visit in sessions]
    return pd.DataFrame(rows).assign(group="healthy", age="40", status="ok")


SIX = cohort_of(*(f"IXI00{n}" for n in range(6)))


def split_of(folder: Path, cohort: pd.DataFrame = SIX, overlap: str = "error", **lists: str) -> pd.DataFrame:
    """The split by lists of these contents, one file per role."""
    paths = {}
    for role, content in lists.items():
        paths[role] = str(folder / f"{role}.csv")
        Path(paths[role]).write_text(content)
    return split_by(paths, cohort, overlap)


def split_by(
    paths: Mapping[str, str | list[str]], cohort: pd.DataFrame = SIX, overlap: str = "error"
) -> pd.DataFrame:
    split = {"train": 1, "lists": dict(paths), "overlap": overlap}
    return make_split({"ixi": cohort}, SplitSettings.model_validate({"datasets": {"ixi": split}}), 0)


def roles(split: pd.DataFrame) -> dict[str, str]:
    return dict(zip(split["subject"], split["role"], strict=True))


@pytest.mark.parametrize(
    "content",
    [
        "IXI001\nIXI002\n",
        "BraTS21ID\nIXI001\nIXI002\n",
        "\ufeffIXI_001,x\r\n\r\nIXI-002,y\r\n",
        ",img_name,age\n0,IXI001-HH-1_t2.nii.gz,50\n1,IXI002-Guys-0828_t2.nii.gz,36\n",
        "/data/t2/IXI001-HH-1_t2.nii.gz\nC:\\t2\\IXI002-Guys-0828_t2.nii.gz\n",
    ],
    ids=["names", "header", "windows", "Behrendt 2023", "paths"],
)
def test_lists_of_all_papers_are_read(tmp_path: Path, content: str, caplog: pytest.LogCaptureFixture) -> None:
    with caplog.at_level(logging.WARNING):
        assert roles(split_of(tmp_path, train=content)) == {"IXI001": "train", "IXI002": "train"}
    assert not caplog.records


def test_a_file_name_belongs_to_the_longest_subject_that_it_starts_with(tmp_path: Path) -> None:
    cohort = cohort_of("BraTS2021", "BraTS202100001")
    assert roles(split_of(tmp_path, cohort, test="BraTS2021_00001_t1.nii.gz\n")) == {"BraTS202100001": "test"}


def test_paths_of_bids_files_name_their_subjects(tmp_path: Path) -> None:
    names = [f"sub-r001s00{n}_ses-1_space-MNI152NLin2009aSym_T1w.nii.gz" for n in (1, 2)]
    listed = f"filename\n./ATLAS_2/Training/R001/sub-r001s001/ses-1/anat/{names[0]}\n{names[1]}\n"
    cohort = cohort_of("r001s001", "r001s002", "r001s003", sessions=("ses1",))
    assert roles(split_of(tmp_path, cohort, test=listed)) == {"r001s001ses1": "test", "r001s002ses1": "test"}


@pytest.mark.parametrize(
    "name",
    [
        "./data/fastMRI/brain_mid_png/file_brain_AXT1_202_6000312.png",
        "./data/fastMRI/brain_mid_anno_pos_png/file_brain_AXT1_202_6000312_edema_0.png",
        "multicoil_train/file_brain_AXT1_202_6000312.h5",
        "file_brain_AXT1_202_6000312.h5",
        "file_brain_AXT1_202_6000312",
    ],
)
def test_published_names_of_fastmri_are_read(
    tmp_path: Path, name: str, caplog: pytest.LogCaptureFixture
) -> None:
    root = tmp_path / "fastMRI" / "multicoil_train"
    root.mkdir(parents=True)
    for number in ("202_6000312", "202_2020381"):
        (root / f"file_brain_AXT1_{number}.h5").touch()
    cohort = cohort_of(*Fastmri().subjects(root.parent))
    other = "./data/fastMRI/brain_mid_png/file_brain_AXT1_202_2020381.png"
    with caplog.at_level(logging.WARNING):
        split = split_of(tmp_path, cohort, train=f"filename\n{name}\n", test=f"filename\n{other}\n")
    assert roles(split) == {"AXT12026000312": "train", "AXT12022020381": "test"}
    assert not caplog.records


def test_a_scan_of_another_sequence_of_fastmri_is_no_subject(tmp_path: Path) -> None:
    cohort = cohort_of("AXT12022020381")
    listed = "file_brain_AXT1POST_202_2020381.png\nfile_brain_AXT1_202_2020381.png\n"
    assert roles(split_of(tmp_path, cohort, test=listed)) == {"AXT12022020381": "test"}
    with pytest.raises(InputError, match="none of the 1 names"):
        split_of(tmp_path, cohort, test="file_brain_AXT1POST_202_2020381.png\n")


def test_a_role_may_have_several_lists_and_a_scan_stand_in_two_of_them(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    contents = {"edema": "IXI001\nIXI002\n", "mass": "IXI002\nIXI003\n", "septum": "IXI900\n"}
    for name, content in contents.items():
        (tmp_path / f"{name}.csv").write_text(content)
    test = [str(tmp_path / f"{name}.csv") for name in contents]
    (tmp_path / "train.csv").write_text("IXI000\n")
    with caplog.at_level(logging.WARNING):
        split = split_by({"train": str(tmp_path / "train.csv"), "test": test})
    tested = dict.fromkeys(("IXI001", "IXI002", "IXI003"), "test")
    assert roles(split) == {"IXI000": "train", **tested}
    assert [record.getMessage() for record in caplog.records] == [
        f"{test[2]}: 0 of 1 names are usable subjects of ixi"
    ]


def test_a_role_without_a_list_is_an_error() -> None:
    with pytest.raises(ValidationError):
        split_by({"train": []})


def test_an_index_column_names_nobody(tmp_path: Path) -> None:
    cohort = cohort_of("0", "1", "7")
    assert roles(split_of(tmp_path, cohort, test=",img_name\n0,7_t2.nii.gz\n")) == {"7": "test"}


def test_listed_subjects_that_are_not_there_are_counted_and_left_out(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    with caplog.at_level(logging.WARNING):
        split = split_of(tmp_path, train="IXI001\nIXI900\nIXI901\n", test="IXI002\n")
    assert roles(split) == {"IXI001": "train", "IXI002": "test"}
    assert "1 of 3 names are usable subjects of ixi" in caplog.text


def test_an_excluded_subject_counts_as_not_there(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    cohort = SIX.assign(status=["ok", "excluded", "ok", "ok", "ok", "ok"])
    with caplog.at_level(logging.WARNING):
        assert roles(split_of(tmp_path, cohort, train="IXI000\nIXI001\n")) == {"IXI000": "train"}
    assert "1 of 2 names" in caplog.text


def test_a_list_of_another_data_set_is_an_error_that_shows_both_spellings(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="none of the 2 names is a usable subject of ixi") as error:
        split_of(tmp_path, train="patient01\npatient02\n")
    assert "'patient01'" in str(error.value)
    assert "'IXI000'" in str(error.value)


def test_a_missing_list_names_file_and_key(tmp_path: Path) -> None:
    with pytest.raises(InputError, match=r"none\.csv.*cannot be read.*splits\.ixi\.lists\.validation"):
        split_by({"validation": str(tmp_path / "none.csv")})


@pytest.mark.parametrize(
    "content", ["", "\n\n", "img_name\n", "\0\0\0\0\n"], ids=["", "lines", "header", "zeros"]
)
def test_an_empty_list_says_so(tmp_path: Path, content: str) -> None:
    with pytest.raises(InputError, match=r"train\.csv: the published split list is empty"):
        split_of(tmp_path, train=content)


@pytest.mark.parametrize("content", [b"\x1f\x8b\x08\x00\xff\xfe\x00IXI001", "IXI001\n".encode("utf-16")])
def test_a_binary_list_says_so(tmp_path: Path, content: bytes) -> None:
    path = tmp_path / "train.csv"
    path.write_bytes(content)
    with pytest.raises(InputError, match=r"train\.csv: the published split list is not a CSV text file"):
        split_by({"train": str(path)})


def test_a_folder_in_place_of_a_list_says_so(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="the published split list cannot be read"):
        split_by({"train": str(tmp_path)})


def test_a_subject_in_two_lists_is_an_error_that_says_what_to_do(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="1 subjects of ixi are also in another list") as error:
        split_of(tmp_path, train="IXI000\nIXI001\n", test="IXI001\n")
    assert "overlap: rebuild" in str(error.value)


def test_two_sessions_of_one_person_in_two_lists_are_an_error(tmp_path: Path) -> None:
    cohort = cohort_of("IXI001", "IXI002", sessions=("s1", "s2"))
    with pytest.raises(InputError, match="1 participants have several roles"):
        split_of(tmp_path, cohort, train="IXI001s1\n", test="IXI001s2\n")


def test_rebuilding_keeps_test_before_validation_before_training(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    with caplog.at_level(logging.WARNING):
        split = split_of(
            tmp_path,
            overlap="rebuild",
            train="IXI000\nIXI001\nIXI002\nIXI003\nIXI000\n",
            validation="IXI002\nIXI003\nIXI004\n",
            test="IXI003\nIXI001\n",
        )
    assert roles(split) == {
        "IXI000": "train",
        "IXI001": "test",
        "IXI002": "validation",
        "IXI003": "test",
        "IXI004": "validation",
    }
    assert "3 of 5 listed subjects were in several roles" in caplog.text
    assert "1 repeated names are counted once" in caplog.text


def test_the_split_table_says_who_was_listed_twice(tmp_path: Path) -> None:
    split = split_of(tmp_path, overlap="rebuild", train="IXI000\nIXI001\n", test="IXI001\n")
    assert dict(zip(split["subject"], split["remark"], strict=True)) == {
        "IXI000": "",
        "IXI001": "also listed as train",
    }


def test_rebuilding_keeps_all_sessions_of_a_person_in_one_role(tmp_path: Path) -> None:
    cohort = cohort_of("IXI001", "IXI002", sessions=("s1", "s2"))
    split = split_of(tmp_path, cohort, overlap="rebuild", train="IXI001s1\nIXI002s1\n", test="IXI001s2\n")
    assert roles(split) == {"IXI001s1": "test", "IXI001s2": "test", "IXI002s1": "train"}


def test_a_role_that_rebuilding_leaves_empty_is_an_error(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="no subject is left for train"):
        split_of(tmp_path, overlap="rebuild", train="IXI001\n", test="IXI001\nIXI002\n")


def test_equal_images_in_two_roles_are_an_error_even_when_rebuilding(tmp_path: Path) -> None:
    cohort = SIX.assign(image_hash=["aa", "aa", "b", "c", "d", "e"])
    with pytest.raises(InputError, match="1 images occur under several roles"):
        split_of(tmp_path, cohort, overlap="rebuild", train="IXI000\n", test="IXI001\n")


def test_drawn_splits_have_no_remarks() -> None:
    settings = SplitSettings.model_validate({"datasets": {"ixi": {"train": 4, "test": 2}}})
    assert (make_split({"ixi": SIX}, settings, 0)["remark"] == "").all()
