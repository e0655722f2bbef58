"""An optional modality that cannot be used is left out; a recipe that asks for it leaves the subject out."""

from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Any

import nibabel
import numpy as np
import pandas as pd
import pytest

from brainuad.errors import InputError, ScanError
from brainuad.preprocessing.derivatives import brain_mask_path, derivative_path, quality_path
from brainuad.preprocessing.modality_defects import (
    ModalityError,
    defects_of,
    what_lacks,
    with_defects_excluded,
)
from brainuad.preprocessing.quality import check_failed_share
from brainuad.storage import write_json
from tests.unit.preprocessing.small_head import COARSE, RAW_AFFINE, RAW_SHAPE, brain, save, world

TINY = np.eye(8, dtype=np.float32)[..., None].repeat(8, 2)
T2 = brain(world(RAW_AFFINE, RAW_SHAPE), "t2")


def voxels(path: Path) -> np.ndarray:
    return np.asarray(nibabel.load(path).dataobj)


@pytest.mark.parametrize(
    ("defect", "reason"),
    [
        (lambda path: path.write_bytes(b""), "t2: the file cannot be read"),
        (lambda path: save(T2[:, :, :24], path), "t2: only"),
        (lambda path: save(TINY, path, np.diag([0.01, 0.01, 0.01, 1])), "t2: registration failed"),
        (lambda path: save(-T2, path), "t2: "),
    ],
    ids=["unreadable", "field of view", "overlap", "negative"],
)
def test_an_optional_modality_that_cannot_be_used_is_left_out(
    small_world: Any, tmp_path: Path, defect: Callable[[Path], object], reason: str
) -> None:
    defect(small_world.root / "bad.nii.gz")
    settings = COARSE.model_copy(update={"modalities": ("t1",), "optional_modalities": ("t2",), "n4": False})
    quality = small_world.preprocess(tmp_path / "b", settings, row={"t2": "bad.nii.gz", "mask": ""})
    assert (quality["status"], quality["reason"]) == ("ok", "")
    assert quality["note"].startswith(f"left out: {reason}")
    assert not derivative_path(tmp_path / "b", "a", "t2").exists()
    without = small_world.preprocess(tmp_path / "w", settings, row={"t2": "", "mask": ""})
    assert without["note"] == ""
    for path in (partial(derivative_path, modality="t1"), brain_mask_path):
        np.testing.assert_array_equal(voxels(path(tmp_path / "b", "a")), voxels(path(tmp_path / "w", "a")))


def test_a_defect_of_a_required_modality_excludes_the_subject(small_world: Any, tmp_path: Path) -> None:
    (small_world.root / "bad.nii.gz").write_bytes(b"")
    settings = COARSE.model_copy(update={"modalities": ("t1", "t2"), "optional_modalities": (), "n4": False})
    quality = small_world.preprocess(tmp_path, settings, row={"t2": "bad.nii.gz", "mask": ""})
    assert quality["status"] == "excluded"
    assert quality["reason"].startswith("t2: the file cannot be read")


def test_a_defect_names_its_modality_once() -> None:
    for reason in ("N4 failed: too little signal", "t2: N4 failed: too little signal"):
        with pytest.raises(ModalityError) as error, defects_of("t2"):
            raise ScanError(reason)
        assert str(error.value) == "t2: N4 failed: too little signal"


def test_an_excluded_subject_has_the_defects_of_its_optional_modalities_in_its_reason(
    small_world: Any, tmp_path: Path
) -> None:
    """The mask lies on the grid of a T2 that cannot be read, and so on none."""
    (small_world.root / "bad.nii.gz").write_bytes(b"")
    save(np.ones((8, 8, 8), np.uint8), small_world.root / "small.nii.gz", np.diag([4.0, 4, 4, 1]))
    settings = COARSE.model_copy(update={"modalities": ("t1",), "optional_modalities": ("t2",), "n4": False})
    quality = small_world.preprocess(tmp_path, settings, row={"t2": "bad.nii.gz", "mask": "small.nii.gz"})
    assert quality["status"] == "excluded"
    assert "mask: its shape differs from that of t1" in quality["reason"]
    assert "left out: t2: the file cannot be read" in quality["reason"]


def test_what_the_index_could_not_use_counts_as_left_out(small_world: Any, tmp_path: Path) -> None:
    settings = COARSE.model_copy(update={"modalities": ("t1",), "optional_modalities": ("t2",), "n4": False})
    row = {"t2": "", "unusable": "t2", "reason": "2 files for t2", "mask": ""}
    quality = small_world.preprocess(tmp_path, settings, row=row)
    assert quality["status"] == "ok"
    assert quality["note"] == ""  # the quality table shows the remark of the index
    table = pd.DataFrame({"subject": ["a"], "status": ["ok"], "reason": [""]})
    (found,) = with_defects_excluded(table, tmp_path, ("t1", "t2")).to_dict("records")
    assert (found["status"], found["reason"]) == ("excluded", "no derivative of t2; 2 files for t2")


def test_an_optional_modality_with_its_skull_does_not_become_brain(small_world: Any, tmp_path: Path) -> None:
    head = T2 + 50
    save(head, small_world.root / "head.nii.gz")
    settings = COARSE.model_copy(
        update={"modalities": ("t1",), "optional_modalities": ("t2",), "n4": False, "skull_strip": "none"}
    )
    quality = small_world.preprocess(tmp_path / "b", settings, row={"t2": "head.nii.gz", "mask": ""})
    assert quality["status"] == "ok"
    assert "left out: t2: shows " in quality["note"]
    without = small_world.preprocess(tmp_path / "w", settings, row={"t2": "", "mask": ""})
    assert quality["brain_ml"] == without["brain_ml"]


def test_who_lacks_a_modality_of_the_recipe_has_a_reason(derived: Path) -> None:
    assert what_lacks(derived, "a", ("t1", "t2")) == ""
    assert what_lacks(derived, "b", ("t1", "t2")) == "no derivative of t2; t2: z-scores; give raw ones"
    assert what_lacks(derived, "c", ("t1", "t2")) == "no derivative of t2"


def test_scans_that_failed_count_as_failed_and_those_never_acquired_do_not(derived: Path) -> None:
    subjects = ["a", "b", "c", "d"]
    rows = {"subject": subjects, "status": ["ok", "ok", "ok", "excluded"], "reason": ["", "", "", "empty"]}
    table = pd.DataFrame(rows)
    assert with_defects_excluded(table, derived, ("t1",)).equals(table)
    found = with_defects_excluded(table, derived, ("t1", "t2"))
    assert found["status"].tolist() == ["ok", "excluded", "ok", "excluded"]
    assert table["status"].tolist() == ["ok", "ok", "ok", "excluded"]
    check_failed_share(derived / "quality.tsv", found, 0.5)
    with pytest.raises(InputError, match="2 of 4 subjects failed"):
        check_failed_share(derived / "quality.tsv", found, 0.4)


@pytest.fixture
def derived(tmp_path: Path) -> Path:
    """Subject a has both modalities, the T2 of b failed, and c never had one."""
    for subject, modality in (("a", "t1"), ("a", "t2"), ("b", "t1"), ("c", "t1")):
        path = derivative_path(tmp_path, subject, modality)
        path.parent.mkdir(parents=True, exist_ok=True)
        path.touch()
    for subject, left_out in {"a": {}, "b": {"t2": "t2: z-scores; give raw ones"}}.items():
        write_json({"status": "ok", "left_out": left_out}, quality_path(tmp_path, subject))
    return tmp_path
