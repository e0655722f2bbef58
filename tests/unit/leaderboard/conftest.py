"""Made-up results that the tests of the leaderboard only read."""

import pytest

from brainuad.leaderboard.inputs import RankingInputs
from tests.unit.leaderboard.toy import TWO_STUDIES, make_inputs


@pytest.fixture(scope="session")
def two_studies(tmp_path_factory: pytest.TempPathFactory) -> RankingInputs:
    """Two studies with ten common test subjects on one data set; tests only read it."""
    return make_inputs(tmp_path_factory.mktemp("results"), TWO_STUDIES)
