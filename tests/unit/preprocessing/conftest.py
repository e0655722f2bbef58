"""A data set of one subject and its atlas, shared by the tests of preprocessing."""

import numpy as np
import pytest

from brainuad.datasets.base import COHORT_COLUMNS
from tests.unit.preprocessing.small_head import (
    ATLAS_AFFINE,
    ATLAS_SHAPE,
    LESION,
    RAW_AFFINE,
    RAW_SHAPE,
    World,
    ball,
    brain,
    moved,
    pose,
    save,
    world,
)


@pytest.fixture(scope="session")
def small_world(tmp_path_factory: pytest.TempPathFactory) -> World:
    """A patient whose T1 and T2 differ in grid, orientation and pose; the lesion mask lies on the T2."""
    folder = tmp_path_factory.mktemp("world")
    atlas, root = folder / "atlas", folder / "raw"
    points = world(ATLAS_AFFINE, ATLAS_SHAPE)
    for name, voxels in (("head", brain(points)), ("brain", brain(points))):
        save(voxels, atlas / "sri24" / f"sri24_t1_{name}.nii.gz", ATLAS_AFFINE)
    save((brain(points) > 0).astype(np.uint8), atlas / "sri24" / "sri24_brain_mask.nii.gz", ATLAS_AFFINE)
    to_atlas = pose()
    nod = pose(3.0, 1.0, (2.0, 1.0, -2.0))
    flipped = RAW_AFFINE @ np.diag([-1.0, 1, 1, 1])
    flipped[:3, 3] = RAW_AFFINE[:3, 3] + RAW_AFFINE[:3, 0] * (RAW_SHAPE[0] - 1)
    t1_points = moved(world(RAW_AFFINE, RAW_SHAPE), to_atlas)
    t2_points = moved(world(flipped, RAW_SHAPE), to_atlas @ nod)
    save(brain(t1_points), root / "a_t1.nii.gz")
    save(brain(t2_points, "t2"), root / "a_t2.nii.gz", flipped)
    save(ball(t2_points, *LESION), root / "a_mask.nii.gz", flipped)
    row = dict.fromkeys(COHORT_COLUMNS, "")
    row |= {"subject": "a", "participant": "a", "group": "patient", "status": "ok"}
    row |= {"t1": "a_t1.nii.gz", "t2": "a_t2.nii.gz", "mask": "a_mask.nii.gz"}
    return World(root, atlas, row)
