"""Maps are kept exactly as long as they are what the method would make again."""

from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from brainuad.errors import InputError
from brainuad.inference.infer import ScoringFiles, ScoringRequest, infer_dataset
from brainuad.storage import read_table, write_table
from tests.conftest import write_arrays


@pytest.fixture
def files(tmp_path: Path) -> ScoringFiles:
    arrays = write_arrays(tmp_path / "patients" / "small", ["p0", "p1"], lesions=True)
    index = read_table(arrays / "index.tsv")
    write_table(index.assign(image_hash=["a", "b"]), arrays / "index.tsv")
    split = pd.DataFrame({"dataset": "patients", "subject": ["p0", "p1"], "participant": ["p0", "p1"]})
    write_table(split.assign(role=["validation", "test"]), tmp_path / "split.tsv")
    return ScoringFiles(tmp_path / "split.tsv", arrays, None, tmp_path / "maps", tmp_path / "maps.tsv")


def score(files: ScoringFiles, bins: int = 64) -> dict[str, int]:
    """Scores the data set; when each map was written."""
    settings = {"modality": "t2", "bins": bins}
    infer_dataset(ScoringRequest("thresholding", settings, seed=0, dataset="patients"), files, "cpu")
    return {path.name: path.stat().st_mtime_ns for path in files.maps.glob("*_map.npy")}


def test_a_finished_subject_is_not_scored_again(files: ScoringFiles) -> None:
    assert score(files) == score(files)


def test_a_changed_setting_scores_every_subject_again(files: ScoringFiles) -> None:
    before, after = score(files), score(files, bins=32)
    assert all(after[name] > before[name] for name in before)


def test_changed_images_score_their_subject_again(files: ScoringFiles) -> None:
    before = score(files)
    index = read_table(files.arrays / "index.tsv")
    write_table(index.assign(image_hash=["a", "changed"]), files.arrays / "index.tsv")
    after = score(files)
    assert after["sub-p0_map.npy"] == before["sub-p0_map.npy"]
    assert after["sub-p1_map.npy"] > before["sub-p1_map.npy"]


def test_a_lost_map_is_made_again(files: ScoringFiles) -> None:
    score(files)
    expected = np.load(files.maps / "sub-p1_map.npy")
    (files.maps / "sub-p1_map.npy").unlink()
    score(files)
    assert np.array_equal(np.load(files.maps / "sub-p1_map.npy"), expected)


def test_the_zeros_of_thresholding_count_as_an_error_and_are_no_image_to_look_at(files: ScoringFiles) -> None:
    score(files)
    manifest = read_table(files.manifest)
    assert (manifest["l1"].astype(float) > 0).all()
    assert (manifest["pseudo_healthy"] == "").all()
    assert not list(files.maps.glob("*pseudohealthy*"))


def test_a_gpu_that_is_not_there_is_said_without_a_traceback(
    files: ScoringFiles, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("torch.cuda.is_available", lambda: False)
    request = ScoringRequest("thresholding", {"modality": "t2"}, seed=0, dataset="patients")
    with pytest.raises(InputError, match="device = 'cuda', but torch sees no GPU"):
        infer_dataset(request, files, "cuda")


def test_roles_follow_the_split_even_for_kept_maps(files: ScoringFiles) -> None:
    score(files)
    split = read_table(files.split)
    write_table(split.assign(role="test"), files.split)
    score(files)
    assert list(read_table(files.manifest)["role"]) == ["test", "test"]
