"""The manifest of maps says how similar pseudo-healthy images are to their inputs and to clean images."""

from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
import torch

from brainuad.arrays import ArrayStore
from brainuad.errors import InputError
from brainuad.inference import infer
from brainuad.inference.infer import ScoringFiles, ScoringRequest, infer_dataset
from brainuad.inference.similarity import lesion_similarity, similarity
from brainuad.methods.base import Scan, Scored, ScoringRule
from brainuad.randomness import Draws
from brainuad.settings import Settings
from brainuad.storage import read_json, read_table, write_table
from tests.conftest import write_arrays

WHOLE = ["l1", "mse", "ssim", "lpips"]
INSIDE = ["mse_lesion", "lpips_lesion"]
RANDOM = {"lpips": "alex", "weights": "random"}


class DarkerSettings(Settings):
    """Whether `DarkerRule` gives a pseudo-healthy image."""

    reconstructs: bool = True


class DarkerRule(ScoringRule):
    """Its pseudo-healthy image has nine tenths of the intensities."""

    kind = "darker"
    settings_class = DarkerSettings

    def score(self, scan: Scan, draws: Draws) -> Scored:
        healthy = 0.9 * scan.images if self.settings.reconstructs else None
        return Scored(scan.images[:, 0].clamp(min=0), healthy)


@pytest.fixture
def files(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> ScoringFiles:
    monkeypatch.setattr(infer, "scoring_rule_class", lambda kind: DarkerRule)
    arrays = write_arrays(tmp_path / "arrays", ["p0", "p1"], lesions=True)
    split = pd.DataFrame({"dataset": "set", "subject": ["p0", "p1"], "participant": ["p0", "p1"]})
    write_table(split.assign(role="test"), tmp_path / "split.tsv")
    return ScoringFiles(
        tmp_path / "split.tsv", arrays, None, tmp_path / "maps", tmp_path / "maps.tsv", tmp_path / "weights"
    )


def score(files: ScoringFiles, similarity: dict[str, Any] | None = None, **settings: Any) -> pd.DataFrame:
    """The manifest, indexed by subject."""
    request = ScoringRequest("darker", settings, 0, "set", similarity or {})
    infer_dataset(request, files, "cpu")
    return read_table(files.manifest).set_index("subject")


def identities(files: ScoringFiles) -> set[str]:
    return {read_json(path)["identity"] for path in files.maps.glob("sub-*.json")}


def add_clean_images(files: ScoringFiles) -> None:
    images = np.load(files.arrays / "images.npy")
    lesion = np.load(files.arrays / "lesion.npy")
    np.save(files.arrays / "clean.npy", np.where(lesion[:, None], images - np.float16(0.45), images))


def test_the_columns_hold_what_the_functions_give(files: ScoringFiles) -> None:
    add_clean_images(files)
    manifest = score(files)
    for subject in ("p0", "p1"):
        volume = ArrayStore(files.arrays).volume(subject)
        assert volume.clean is not None
        x, clean, lesion = (torch.from_numpy(a) for a in (volume.images, volume.clean, volume.lesion))
        expected = similarity(0.9 * x, x) | lesion_similarity(0.9 * x, clean, lesion)
        assert float(manifest["l1"][subject]) == pytest.approx(0.1 * float(x.mean()), rel=1e-4)
        for column in ("mse", "ssim", "mse_lesion"):
            assert float(manifest[column][subject]) == pytest.approx(expected[column])


def test_lpips_is_measured_only_when_it_is_asked_for(files: ScoringFiles) -> None:
    add_clean_images(files)
    assert (score(files)[["lpips", "lpips_lesion"]] == "").all(axis=None)
    assert (score(files, RANDOM)[["lpips", "lpips_lesion"]].astype(float) > 0).all(axis=None)


def test_without_clean_images_nothing_is_compared_inside_lesions(files: ScoringFiles) -> None:
    manifest = score(files, RANDOM)
    assert (manifest[INSIDE] == "").all(axis=None)
    assert (manifest[WHOLE].astype(float) > 0).all(axis=None)


def test_without_a_pseudo_healthy_image_all_columns_are_empty(files: ScoringFiles) -> None:
    add_clean_images(files)
    manifest = score(files, RANDOM, reconstructs=False)
    assert (manifest["status"] == "ok").all()
    assert (manifest[WHOLE + INSIDE] == "").all(axis=None)


def test_finished_subjects_keep_their_numbers(files: ScoringFiles) -> None:
    add_clean_images(files)
    first = score(files, RANDOM)
    written = {path: path.stat().st_mtime_ns for path in files.maps.glob("*_map.npy")}
    pd.testing.assert_frame_equal(score(files, RANDOM), first)
    assert {path: path.stat().st_mtime_ns for path in files.maps.glob("*_map.npy")} == written


def test_other_similarity_settings_score_every_subject_again(files: ScoringFiles) -> None:
    score(files)
    before = identities(files)
    score(files, RANDOM)
    assert not identities(files) & before


def test_the_defaults_of_similarity_are_the_same_as_none_given(files: ScoringFiles) -> None:
    score(files)
    before = identities(files)
    score(files, {"lpips": "none", "weights": "pretrained"})
    assert identities(files) == before


def test_missing_weights_stop_before_the_first_scan(files: ScoringFiles) -> None:
    with pytest.raises(InputError, match="no weights of AlexNet"):
        score(files, {"lpips": "alex"})
    assert not files.maps.exists()


def test_a_subject_that_could_not_be_packed_is_a_row_with_its_reason(files: ScoringFiles) -> None:
    index = read_table(files.arrays / "index.tsv")
    index.loc[0, ["status", "reason"]] = ["excluded", "its brain mask is empty"]
    write_table(index, files.arrays / "index.tsv")
    manifest = score(files)
    assert manifest["status"].tolist() == ["excluded", "ok"]
    assert manifest["reason"]["p0"] == "its brain mask is empty"


def test_a_subject_that_the_arrays_do_not_know_is_an_error(files: ScoringFiles) -> None:
    split = read_table(files.split)
    write_table(split.assign(subject=["p0", "p9"]), files.split)
    with pytest.raises(InputError, match="no packed subject 'p9'"):
        score(files)
