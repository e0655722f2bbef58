"""An optional modality that cannot be used is left out; a recipe that asks for it leaves the subject out."""

from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Any

import nibabel
import numpy as np
import pandas as pd
import pytest

from brainuad.preprocessing.derivatives import brain_mask_path, derivative_path
from brainuad.preprocessing.modality_defects import with_lacking_excluded
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


def test_who_lacks_a_modality_of_the_recipe_is_excluded_with_the_reason(tmp_path: Path) -> None:
    for subject, modality in (("a", "t1"), ("a", "t2"), ("b", "t1")):
        path = derivative_path(tmp_path, subject, modality)
        path.parent.mkdir(parents=True, exist_ok=True)
        path.touch()
    rows = {"subject": ["a", "b", "c"], "status": ["ok", "ok", "excluded"], "reason": ["", "", "missing t1"]}
    table = pd.DataFrame(rows | {"note": ["", "low signal; left out: t2: the file is missing", ""]})
    assert with_lacking_excluded(table, tmp_path, ("t1",))["status"].tolist() == ["ok", "ok", "excluded"]
    found = with_lacking_excluded(table, tmp_path, ("t1", "t2"))
    assert found["status"].tolist() == ["ok", "excluded", "excluded"]
    assert found["reason"].tolist() == ["", "no derivative of t2; t2: the file is missing", "missing t1"]
    assert table["status"].tolist() == ["ok", "ok", "excluded"]
