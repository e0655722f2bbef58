"""Packing writes what the recipe says, one subject at a time, and a row for each subject that fails."""

import builtins
import errno
import io

import nibabel
import numpy as np
import pandas as pd
import pytest

from brainuad.arrays import ArrayStore
from brainuad.errors import InputError
from brainuad.preprocessing.derivatives import (
    brain_mask_path,
    derivative_path,
    lesion_mask_path,
)
from brainuad.preprocessing.equalise import equalise
from brainuad.preprocessing.pack import pack_dataset
from brainuad.preprocessing.recipes import Recipe
from brainuad.training.volumes import open_volumes

AFFINE = np.diag([-1.0, -1.0, 1.0, 1.0])
SHAPE = (8, 10, 6)
RECIPE = Recipe(modalities=("flair", "t1"), steps=({"step": "keep_slices", "above": 0.5},))


def save(values, path, affine=AFFINE):
    path.parent.mkdir(parents=True, exist_ok=True)
    nibabel.save(nibabel.Nifti1Image(np.asarray(values, dtype=np.float32), affine), path)


def write_subject(folder, subject, seed, first=1, last=4, with_lesion=True):
    """Random images that are empty outside slices first..last; returns {modality: volume}."""
    rng = np.random.default_rng(seed)
    images = {}
    for modality in ("flair", "t1"):
        images[modality] = np.zeros(SHAPE, dtype=np.float32)
        images[modality][..., first : last + 1] = rng.random((*SHAPE[:2], last + 1 - first)) + 0.1
        save(images[modality], derivative_path(folder, subject, modality))
    save(images["t1"] > 0, brain_mask_path(folder, subject))
    if with_lesion:
        lesion = np.zeros(SHAPE)
        lesion[2:4, 3, 2:4] = 1
        save(lesion, lesion_mask_path(folder, subject))
    return images


def quality_of(*subjects, group="patient"):
    rows = [
        {"subject": s, "participant": s, "group": group, "age": "50", "sex": "F", "site": "A"}
        for s in subjects
    ]
    return pd.DataFrame(rows).assign(status="ok", reason="")


@pytest.fixture
def packed(tmp_path):
    images = {s: write_subject(tmp_path / "d", s, seed, 1, 4 + seed % 2) for seed, s in enumerate("ab")}
    pack_dataset("toy", tmp_path / "d", quality_of("a", "b"), "two", RECIPE, tmp_path / "out")
    return images, ArrayStore(tmp_path / "out")


def test_arrays_hold_the_slices_of_each_subject_in_channel_order(packed):
    images, store = packed
    assert store.images.shape == (9, 2, 8, 10)
    assert store.images.dtype == np.float16
    for subject, (first, last) in {"a": (1, 4), "b": (1, 5)}.items():
        expected = np.stack([images[subject]["flair"], images[subject]["t1"]])[..., first : last + 1]
        expected = expected.transpose(3, 0, 1, 2).astype(np.float16)
        np.testing.assert_array_equal(store.volume(subject).images, expected)


def test_half_an_array_of_a_killed_process_is_removed(tmp_path):
    write_subject(tmp_path / "d", "a", 0)
    (tmp_path / "out").mkdir()
    (tmp_path / "out" / ".0123456789ab.images.npy").write_bytes(b"half")
    pack_dataset("toy", tmp_path / "d", quality_of("a"), "two", RECIPE, tmp_path / "out")
    assert not list((tmp_path / "out").glob(".*"))


def test_masks_follow_the_images(packed):
    _, store = packed
    lesion = np.zeros(SHAPE, dtype=bool)
    lesion[2:4, 3, 2:4] = True
    np.testing.assert_array_equal(store.volume("a").lesion, lesion[..., 1:5].transpose(2, 0, 1))
    assert store.volume("a").brain.all()
    assert store.index.at["a", "lesion_voxels"] == 4


@pytest.mark.parametrize("held_out", ["yes", "no"])
def test_the_mask_of_a_scan_that_curation_calls_healthy_is_not_used(tmp_path, caplog, held_out):
    for seed, subject in enumerate("abc"):
        write_subject(tmp_path / "d", subject, seed, with_lesion=subject != "c")
    quality = pd.concat([quality_of("a"), quality_of("b", "c", group="healthy")]).assign(held_out=held_out)
    pack_dataset("toy", tmp_path / "d", quality, "two", RECIPE, tmp_path / "out")
    store = ArrayStore(tmp_path / "out")
    assert [store.volume(subject).lesion.sum() for subject in "abc"] == [4, 0, 0]
    assert not store.lesion_slices[store.slices("b")].any()
    assert store.index["lesion_voxels"].tolist() == [4, 0, 0]
    assert [reason != "" for reason in store.index["reason"]] == [False, True, False]
    assert store.index.at["b", "reason"] == "healthy by its report: the lesion mask is not used"
    assert "toy: 1 healthy scans have a lesion mask, which is not used" in caplog.text


def test_an_abnormal_scan_that_the_reports_let_in_is_trained_on(tmp_path):
    """The phantom has a mask of it; a hospital does not, and could not leave it out."""
    roles = pd.DataFrame({"dataset": "toy", "subject": ["a", "b"], "role": "train"})
    for seed, subject in enumerate("ab"):
        write_subject(tmp_path / "d", subject, seed, with_lesion=subject == "b")
    for held_out, trained in (("no", ("a", "b")), ("", ("a",))):
        quality = quality_of("a", "b", group="healthy").assign(held_out=held_out)
        arrays = tmp_path / f"{held_out}-curated" / "toy" / "two"
        pack_dataset("toy", tmp_path / "d", quality, "two", RECIPE, arrays)
        assert open_volumes([arrays], roles, "train", "tumour-free").index.subjects == trained


def test_the_index_says_where_each_subject_lies(packed):
    _, store = packed
    assert store.index["first_slice"].tolist() == [0, 4]
    assert store.index["slices"].tolist() == [4, 5]
    assert store.affine("a")[2, 3] == 1  # the first slice was dropped


def test_a_subject_without_a_modality_is_a_row_with_its_reason(tmp_path):
    write_subject(tmp_path / "d", "a", 0)
    write_subject(tmp_path / "d", "b", 1)
    derivative_path(tmp_path / "d", "b", "t1").unlink()
    index = pack_dataset("toy", tmp_path / "d", quality_of("a", "b"), "two", RECIPE, tmp_path / "out")
    assert index["status"].tolist() == ["ok", "excluded"]
    assert index["reason"].tolist() == ["", "no derivative of t1"]
    assert ArrayStore(tmp_path / "out").subjects == ["a"]


def test_images_on_different_grids_exclude_their_subject(tmp_path):
    images = write_subject(tmp_path / "d", "a", 0)
    save(images["t1"], derivative_path(tmp_path / "d", "a", "t1"), affine=np.eye(4))
    write_subject(tmp_path / "d", "b", 1)
    index = pack_dataset("toy", tmp_path / "d", quality_of("a", "b"), "two", RECIPE, tmp_path / "out")
    assert "not on the grid" in index["reason"].iloc[0]


def test_an_unreadable_image_excludes_its_subject(tmp_path):
    write_subject(tmp_path / "d", "a", 0)
    write_subject(tmp_path / "d", "b", 1)
    derivative_path(tmp_path / "d", "a", "flair").write_bytes(b"not an image")
    index = pack_dataset("toy", tmp_path / "d", quality_of("a", "b"), "two", RECIPE, tmp_path / "out")
    assert "cannot be read" in index["reason"].iloc[0]


def test_a_truncated_image_excludes_its_subject(tmp_path):
    write_subject(tmp_path / "d", "a", 0)
    write_subject(tmp_path / "d", "b", 1)
    path = derivative_path(tmp_path / "d", "a", "flair")
    path.write_bytes(path.read_bytes()[:-200])
    index = pack_dataset("toy", tmp_path / "d", quality_of("a", "b"), "two", RECIPE, tmp_path / "out")
    assert "cannot be read" in index["reason"].iloc[0]


def test_exclusion_by_preprocessing_keeps_its_reason(tmp_path):
    write_subject(tmp_path / "d", "a", 0)
    quality = quality_of("a", "b")
    quality.loc[1, ["status", "reason"]] = ["excluded", "brain of 12 ml"]
    index = pack_dataset("toy", tmp_path / "d", quality, "two", RECIPE, tmp_path / "out")
    assert index["reason"].tolist() == ["", "brain of 12 ml"]


def test_lesions_of_a_patient_without_a_mask_are_unknown_and_of_a_healthy_subject_none(tmp_path):
    for subject in "ab":
        write_subject(tmp_path / "d", subject, 0, with_lesion=False)
    quality = quality_of("a", "b")
    quality.loc[1, "group"] = "healthy"
    index = pack_dataset("toy", tmp_path / "d", quality, "two", RECIPE, tmp_path / "out")
    assert index["lesion_voxels"].tolist() == ["", 0]


def test_a_cohort_of_which_nothing_is_left_is_an_error_and_leaves_no_file(tmp_path):
    with pytest.raises(InputError, match="no derivative of flair, t1"):
        pack_dataset("toy", tmp_path / "d", quality_of("a"), "two", RECIPE, tmp_path / "out")
    assert list((tmp_path / "out").iterdir()) == []


def test_equal_images_have_equal_hashes(tmp_path):
    for subject, seed in (("a", 0), ("b", 0), ("c", 1)):
        write_subject(tmp_path / "d", subject, seed)
    index = pack_dataset("toy", tmp_path / "d", quality_of("a", "b", "c"), "two", RECIPE, tmp_path / "out")
    a, b, c = index["image_hash"]
    assert a == b != c


def test_slices_that_showed_a_lesion_before_resizing_and_an_equalised_copy_are_packed(tmp_path):
    images = write_subject(tmp_path / "d", "a", 0, 0, 5)
    resize = {"step": "resize_in_plane", "size": 2, "masks": "nearest"}
    recipe = Recipe(
        modalities=("flair", "t1"), steps=({"step": "keep_equalised", "modality": "flair"}, resize)
    )
    pack_dataset("toy", tmp_path / "d", quality_of("a"), "two", recipe, tmp_path / "out")
    store = ArrayStore(tmp_path / "out")
    assert not store.lesion.any()
    assert store.lesion_slices.tolist() == [False, False, True, True, False, False]
    kept = store.volume("a").equalised
    assert kept.shape == (6, 2, 2)
    corner = equalise(images["flair"], images["flair"] > 0, 256)[1:3, 2, 0]  # 8 x 10 pixels become 2 x 2
    assert kept[0, 0, 0] == pytest.approx(corner.mean(), abs=1e-3)


def test_the_equalised_copy_of_an_earlier_recipe_goes(tmp_path):
    write_subject(tmp_path / "d", "a", 0)
    keep = Recipe(modalities=("flair", "t1"), steps=({"step": "keep_equalised", "modality": "flair"},))
    for recipe, kept in ((keep, True), (RECIPE, False)):
        pack_dataset("toy", tmp_path / "d", quality_of("a"), "two", recipe, tmp_path / "out")
        assert (ArrayStore(tmp_path / "out").volume("a").equalised is not None) == kept


def test_a_fault_of_the_disk_excludes_nobody(tmp_path, monkeypatch):
    write_subject(tmp_path / "d", "a", 0)

    opened = io.open

    def fail(path, *arguments, **options):
        if str(path).endswith(".nii.gz"):
            raise OSError(errno.ESTALE, "Stale file handle")
        return opened(path, *arguments, **options)

    monkeypatch.setattr(builtins, "open", fail)
    monkeypatch.setattr(io, "open", fail)
    with pytest.raises(InputError, match=r"cannot be read now \(Stale file handle\)"):
        pack_dataset("toy", tmp_path / "d", quality_of("a"), "two", RECIPE, tmp_path / "out")


def test_without_the_step_no_copy_is_kept(packed):
    _, store = packed
    assert store.equalised is None
    assert store.volume("a").equalised is None
    assert not (store.folder / "equalised.npy").exists()
    assert store.lesion_slices.tolist() == store.lesion.any(axis=(1, 2)).tolist()
