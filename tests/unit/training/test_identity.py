"""A training is known again exactly as long as what it learns from is the same."""

import shutil
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest

from brainuad.storage import read_table, write_table
from brainuad.training.batches import SliceFilter, open_slices
from brainuad.training.identity import data_identity
from tests.conftest import SLICES


@pytest.fixture
def split(cohort: dict[str, Path]) -> pd.DataFrame:
    return read_table(cohort["split"])


@pytest.fixture
def tumours(cohort: dict[str, Path], tmp_path: Path) -> Path:
    """A copy of the arrays with tumours that a test may change."""
    return Path(shutil.copytree(cohort["tumours"], tmp_path / "tumours" / "small"))


def identity(
    split: pd.DataFrame, arrays: Path, chosen: SliceFilter, with_lesion: bool = False
) -> dict[str, Any]:
    roles = ("train", "validation")
    samples = [open_slices([arrays], split, role, chosen, with_lesion) for role in roles]
    return data_identity(split, [arrays], samples)


def move_lesion(arrays: Path, subject: int, slices: int, pixels: int) -> None:
    """Moves the lesion of a subject; its number of voxels stays."""
    lesion = np.load(arrays / "lesion.npy")
    where = slice(subject * SLICES, (subject + 1) * SLICES)
    lesion[where] = np.roll(lesion[where], (slices, pixels), axis=(0, 1))
    np.save(arrays / "lesion.npy", lesion)


@pytest.mark.parametrize("subject", [0, 5])
def test_a_corrected_mask_changes_what_tumour_free_slices_are(
    split: pd.DataFrame, tumours: Path, subject: int
) -> None:
    before = identity(split, tumours, "tumour-free")
    move_lesion(tumours, subject, slices=1, pixels=0)
    assert identity(split, tumours, "tumour-free") != before


def test_a_mask_matters_only_to_those_who_look_at_it(split: pd.DataFrame, tumours: Path) -> None:
    before = [identity(split, tumours, "tumour-free"), identity(split, tumours, "non-empty")]
    supervised = identity(split, tumours, "tumour", with_lesion=True)
    move_lesion(tumours, 0, slices=0, pixels=3)
    assert [identity(split, tumours, "tumour-free"), identity(split, tumours, "non-empty")] == before
    assert identity(split, tumours, "tumour", with_lesion=True) != supervised


def test_subjects_of_other_data_sets_and_roles_do_not_matter(split: pd.DataFrame, tumours: Path) -> None:
    before = identity(split, tumours, "non-empty")
    others = pd.DataFrame(
        {"dataset": ["patients", "tumours"], "subject": ["p9", "t9"], "participant": ["p9", "t9"]}
    )
    more = pd.concat([split, others.assign(role=["validation", "test"])], ignore_index=True)
    assert identity(more, tumours, "non-empty") == before
    moved = split.assign(role=split["role"].where(split["subject"] != "t5", "train"))
    assert identity(moved, tumours, "non-empty") != before


def test_a_subject_that_lies_elsewhere_in_the_arrays_is_the_same(split: pd.DataFrame, tumours: Path) -> None:
    before = identity(split, tumours, "tumour-free")
    for name in ("images", "brain", "lesion"):
        array = np.load(tumours / f"{name}.npy")
        np.save(tumours / f"{name}.npy", np.concatenate([array[:SLICES], array]))
    index = read_table(tumours / "index.tsv")
    write_table(index.assign(first_slice=index["first_slice"].astype(int) + SLICES), tumours / "index.tsv")
    assert identity(split, tumours, "tumour-free") == before


def test_other_images_are_another_training(split: pd.DataFrame, tumours: Path) -> None:
    index = read_table(tumours / "index.tsv")
    write_table(index.assign(image_hash=list("abcdef")), tumours / "index.tsv")
    before = identity(split, tumours, "non-empty")
    write_table(index.assign(image_hash=list("abcdex")), tumours / "index.tsv")
    assert identity(split, tumours, "non-empty") != before
