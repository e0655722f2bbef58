"""Histogram matching: against SimpleITK, a closed form, and the reference that is taken."""

from pathlib import Path

import nibabel as nib
import numpy as np
import pandas as pd
import pytest
import SimpleITK as sitk
from pydantic import ValidationError
from scipy import ndimage

from brainuad.errors import InputError, ScanError
from brainuad.preprocessing.derivatives import derivative_path
from brainuad.preprocessing.histogram import Reference, load_reference, load_references, match_histograms
from brainuad.preprocessing.pack import pack_dataset
from brainuad.preprocessing.recipe_steps import Scan, apply_steps
from brainuad.preprocessing.recipes import MatchHistogram, Recipe
from brainuad.storage import read_json, write_table

SHAPE = (20, 18, 16)
STEP = MatchHistogram(step="match_histogram", dataset="brats21")
RECIPE = Recipe.model_validate(
    {"modalities": ["flair", "t1"], "steps": [{"step": "match_histogram", "dataset": "brats21"}]}
)


def head(seed: int, scale: float = 1.0) -> np.ndarray:
    """A smooth random brain in empty air, (x, y, z) float32."""
    rng = np.random.default_rng(seed)
    inside = np.linalg.norm(np.indices(SHAPE).T - (np.array(SHAPE) - 1) / 2, axis=-1).T < 7
    values = 100 + 40 * ndimage.gaussian_filter(rng.standard_normal(SHAPE), 1)
    return (scale * values.clip(1) * inside).astype(np.float32)


def store(folder: Path, subject: str, **images: np.ndarray) -> None:
    for modality, voxels in images.items():
        path = derivative_path(folder, subject, modality)
        path.parent.mkdir(parents=True, exist_ok=True)
        nib.save(nib.Nifti1Image(voxels, np.diag([-1.0, -1, 1, 1])), path)


def quality(folder: Path, **status: str) -> pd.DataFrame:
    """The quality table, written to the folder, with the subjects in the order given."""
    table = pd.DataFrame(
        {"subject": list(status), "status": list(status.values()), "reason": "", "group": "patient"}
    )
    write_table(table, folder / "quality.tsv")
    return table


@pytest.mark.parametrize(("levels", "points"), [(256, 1), (64, 7)])
def test_each_channel_is_what_simpleitk_gives(levels: int, points: int) -> None:
    images, reference = np.stack([head(0), head(1, 3)]), np.stack([head(2, 7), head(3)])
    step = STEP.model_copy(update={"levels": levels, "points": points})
    matched = match_histograms(images, reference, step)
    for image, other, got in zip(images, reference, matched, strict=True):
        expected = sitk.HistogramMatching(
            sitk.GetImageFromArray(image.astype(float)),
            sitk.GetImageFromArray(other.astype(float)),
            levels,
            points,
        )
        np.testing.assert_allclose(got, sitk.GetArrayFromImage(expected), rtol=1e-5, atol=1e-3)


def test_a_change_of_scale_is_undone() -> None:
    image = head(4)
    matched = match_histograms(2.5 * image[None], image[None], STEP)
    np.testing.assert_allclose(matched[0], image, atol=0.01 * image.max())


def test_air_stays_empty() -> None:
    matched = match_histograms(head(5)[None], head(6, 4)[None], STEP)
    assert (matched[0][head(5) == 0] == 0).all()


def test_an_image_without_contrast_is_a_defect_of_the_scan() -> None:
    with pytest.raises(ScanError, match="no contrast"):
        match_histograms(np.zeros((1, *SHAPE), np.float32), head(0)[None], STEP)


def test_the_step_takes_the_reference_of_its_data_set_and_leaves_masks_alone() -> None:
    brain = head(7) > 0
    scan = Scan(head(7)[None], brain, brain, np.eye(4))
    references = {"brats21": Reference("a", 2 * head(7)[None])}
    result = apply_steps(scan, [STEP], references)
    np.testing.assert_allclose(result.images, 2 * scan.images, atol=0.02 * scan.images.max())
    np.testing.assert_array_equal(result.lesion, brain)


def test_the_reference_is_the_first_usable_subject_that_has_every_modality(tmp_path: Path) -> None:
    quality(tmp_path, z="excluded", c="ok", b="ok", a="ok")
    store(tmp_path, "c", flair=head(0))
    for subject, scale in (("b", 2.0), ("a", 3.0)):
        store(tmp_path, subject, flair=head(1, scale), t1=head(2, scale))
    reference = load_reference(STEP, tmp_path, ("t1", "flair"))
    assert reference.subject == "b"
    np.testing.assert_array_equal(reference.images, [head(2, 2), head(1, 2)])


def test_a_named_subject_is_taken(tmp_path: Path) -> None:
    quality(tmp_path, a="ok", b="ok")
    for subject in ("a", "b"):
        store(tmp_path, subject, t1=head(0))
    step = STEP.model_copy(update={"subject": "b"})
    assert load_reference(step, tmp_path, ("t1",)).subject == "b"


def test_a_missing_subject_is_named_with_the_modalities(tmp_path: Path) -> None:
    quality(tmp_path, a="ok", b="excluded")
    step = STEP.model_copy(update={"subject": "b"})
    with pytest.raises(InputError, match=r"subject b of brats21 is not usable.*\n?.*flair, t1"):
        load_reference(step, tmp_path, ("flair", "t1"))


def test_a_missing_modality_is_named_with_its_subject(tmp_path: Path) -> None:
    quality(tmp_path, a="ok")
    store(tmp_path, "a", t1=head(0))
    step = STEP.model_copy(update={"subject": "a"})
    with pytest.raises(InputError, match="subject a of brats21 has no derivative of flair"):
        load_reference(step, tmp_path, ("t1", "flair"))


def test_no_complete_subject_names_the_modalities(tmp_path: Path) -> None:
    quality(tmp_path, a="ok")
    with pytest.raises(InputError, match="none of 1 usable subjects of brats21 has all of t1, flair"):
        load_reference(STEP, tmp_path, ("t1", "flair"))


def test_a_reference_that_cannot_be_read_names_subject_and_modality(tmp_path: Path) -> None:
    quality(tmp_path, a="ok")
    store(tmp_path, "a", t1=head(0))
    derivative_path(tmp_path, "a", "t1").write_bytes(b"no image")
    with pytest.raises(InputError, match="subject a of brats21: t1: the file cannot be read"):
        load_reference(STEP, tmp_path, ("t1",))


def test_a_missing_data_set_is_named() -> None:
    with pytest.raises(InputError, match="the derivatives of 'brats21' are not given"):
        load_references(RECIPE, {})


def test_packed_arrays_are_matched_and_say_to_whom(tmp_path: Path) -> None:
    own, other = tmp_path / "msseg", tmp_path / "brats21"
    store(own, "train01", flair=head(0), t1=head(1))
    quality(other, r="ok")
    store(other, "r", flair=head(0, 0.01), t1=head(1, 0.02))
    table = quality(own, train01="ok")
    pack_dataset("msseg", own, table, "matched", RECIPE, tmp_path / "arrays", {"brats21": other})
    images = np.load(tmp_path / "arrays/images.npy").transpose(1, 2, 3, 0)
    np.testing.assert_allclose(images, [head(0, 0.01), head(1, 0.02)], atol=0.05)
    assert read_json(tmp_path / "arrays/recipe.json")["references"] == {"brats21": "r"}


def test_matching_after_another_step_is_refused() -> None:
    steps = [{"step": "normalise"}, {"step": "match_histogram", "dataset": "brats21"}]
    with pytest.raises(ValidationError, match="must be the first step"):
        Recipe.model_validate({"modalities": ["t1"], "steps": steps})
