"""A map in atlas space comes back to where it belongs in the raw scan."""

from pathlib import Path
from typing import Any

import nibabel
import numpy as np
import pytest

from brainuad.errors import InputError
from brainuad.preprocessing.derivatives import transform_path
from brainuad.preprocessing.native import to_native, write_native
from brainuad.preprocessing.scan import array_from_image
from tests.unit.preprocessing.small_head import ATLAS_AFFINE, ATLAS_SHAPE, COARSE, LESION, ball, world


@pytest.fixture(scope="module")
def derivatives(small_world: Any, tmp_path_factory: pytest.TempPathFactory) -> Path:
    output = tmp_path_factory.mktemp("derivatives")
    small_world.preprocess(output, COARSE.model_copy(update={"n4": False}))
    return output


def centre(voxels: np.ndarray) -> np.ndarray:
    return np.argwhere(voxels > 0.5).mean(axis=0)


@pytest.mark.parametrize("step", [1, 2])
def test_a_blob_returns_within_a_voxel_from_the_atlas_and_from_a_coarser_array(
    small_world: Any, derivatives: Path, step: int
) -> None:
    affine = ATLAS_AFFINE @ np.diag([step, step, 1.0, 1.0])
    blob = ball(world(affine, (ATLAS_SHAPE[0] // step, ATLAS_SHAPE[1] // step, ATLAS_SHAPE[2])), *LESION)
    scan = small_world.root / "a_t2.nii.gz"
    native = to_native(blob, affine, transform_path(derivatives, "a", "t2"), scan)
    truth = np.asarray(nibabel.load(small_world.root / "a_mask.nii.gz").dataobj)
    assert native.GetSize() == truth.shape
    assert np.abs(centre(array_from_image(native)) - centre(truth)).max() < 1


def test_labels_stay_labels(small_world: Any, derivatives: Path) -> None:
    labels = 3 * ball(world(ATLAS_AFFINE, ATLAS_SHAPE), *LESION)
    scan = small_world.root / "a_t1.nii.gz"
    native = to_native(labels, ATLAS_AFFINE, transform_path(derivatives, "a", "t1"), scan, "nearest")
    assert set(np.unique(array_from_image(native))) == {0, 3}


def test_written_map_lies_on_the_grid_of_the_raw_scan(
    small_world: Any, derivatives: Path, tmp_path: Path
) -> None:
    blob, scan = ball(world(ATLAS_AFFINE, ATLAS_SHAPE), *LESION), small_world.root / "a_t1.nii.gz"
    write_native(blob, ATLAS_AFFINE, transform_path(derivatives, "a", "t1"), scan, tmp_path / "map.nii.gz")
    np.testing.assert_allclose(
        nibabel.load(tmp_path / "map.nii.gz").affine, nibabel.load(scan).affine, atol=1e-4
    )


def test_a_missing_transform_is_named(small_world: Any, tmp_path: Path) -> None:
    with pytest.raises(InputError, match=r"none\.tfm"):
        to_native(np.zeros((9, 9, 9)), np.eye(4), tmp_path / "none.tfm", small_world.root / "a_t1.nii.gz")
