"""The common protocol."""

import pytest
from pydantic import ValidationError

from brainuad.leaderboard.settings import LeaderboardSettings


def test_every_method_has_all_four_thresholds_and_the_same_post_processing() -> None:
    evaluation = LeaderboardSettings().evaluation(0.001)
    assert evaluation.protocols == ("oracle", "validation", "healthy-fpr", "yen")
    assert [step.step for step in evaluation.postprocessing] == ["mask_brain", "median"]
    assert evaluation.region == "brain"
    assert evaluation.role == "test"


@pytest.mark.parametrize(
    ("voxel_ml", "bounds"), [(0.001, (1000, 10_000)), (0.027, (37, 370)), (0.064, (15, 156))]
)
def test_lesion_sizes_in_millilitres_become_voxels_of_the_grid(
    voxel_ml: float, bounds: tuple[int, int]
) -> None:
    small, medium, large = LeaderboardSettings().evaluation(voxel_ml).lesion_strata
    assert (small.up_to, medium.above, medium.up_to, large.above) == (
        bounds[0],
        bounds[0],
        bounds[1],
        bounds[1],
    )
    assert large.up_to is None


def test_a_size_smaller_than_a_voxel_is_left_out() -> None:
    assert [stratum.name for stratum in LeaderboardSettings().evaluation(2.0).lesion_strata] == [
        "medium",
        "large",
    ]


def test_bounds_ascend() -> None:
    with pytest.raises(ValidationError, match="lesion_ml: 10 must lie below 1"):
        LeaderboardSettings(lesion_ml=(10, 1))
