"""Anatomies are kept beside the atlas, or elsewhere where that cannot be written."""

from pathlib import Path

import nibabel as nib
import numpy as np
import pytest

from brainuad.errors import InputError
from brainuad.phantom.anatomy import prepare_anatomies


@pytest.fixture
def atlas_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Small files under the names of the atlas, whose segmentation is made up."""
    folder = tmp_path / "atlases" / "sri24"
    folder.mkdir(parents=True)
    for part in ("t1_brain", "brain_mask", "t1_head"):
        image = nib.Nifti1Image(np.ones((2, 2, 2), np.uint8), np.eye(4))
        nib.save(image, folder / f"sri24_{part}.nii.gz")
    monkeypatch.setattr("brainuad.phantom.anatomy.segment_sri24", lambda *_: np.ones((3, 2, 2, 2), np.uint8))
    return folder.parent


def test_the_anatomy_is_kept_beside_the_atlas(atlas_folder: Path, tmp_path: Path) -> None:
    (path,) = prepare_anatomies("sri24", atlas_folder, tmp_path / "other")
    assert path.parent == atlas_folder / "sri24/phantom"
    assert not (tmp_path / "other").exists()


def test_an_atlas_that_cannot_be_written_to_keeps_its_anatomy_elsewhere(
    atlas_folder: Path, tmp_path: Path, caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    (atlas_folder / "sri24/phantom").touch()  # no folder can be made there, not even by root
    (path,) = prepare_anatomies("sri24", atlas_folder, tmp_path / "other")
    assert path.parent == tmp_path / "other"
    assert np.load(path).shape == (2, 2, 2, 3)
    assert f"{atlas_folder / 'sri24/phantom'}: nothing can be written there" in caplog.text
    monkeypatch.setattr("brainuad.phantom.anatomy.segment_sri24", None)  # it is not made again
    assert prepare_anatomies("sri24", atlas_folder, tmp_path / "other") == [path]


def test_an_anatomy_that_can_be_kept_nowhere_is_an_error(atlas_folder: Path, tmp_path: Path) -> None:
    (atlas_folder / "sri24/phantom").touch()
    (tmp_path / "other").touch()
    with pytest.raises(InputError, match="other: the anatomy of the phantom cannot be written there"):
        prepare_anatomies("sri24", atlas_folder, tmp_path / "other")
