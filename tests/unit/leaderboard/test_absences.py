"""Why a study is not scored on a test set of the leaderboard: one reason per pair, from the study files."""

from pathlib import Path
from typing import Any

import pytest
import yaml

from brainuad.leaderboard.absences import (
    NO_METHOD,
    NO_TEST_SUBJECT,
    NOT_NAMED,
    SIMULATED,
    absences,
    why_not_scored,
)
from brainuad.leaderboard.plan import ranking_inputs
from brainuad.plan import Plan
from brainuad.plan_reader import read_plan
from brainuad.preprocessing.split_settings import DatasetSplit

REPOSITORY = Path(__file__).parents[3]
STUDIES = ["behrendt2023", "bercea2023-ra", "kascenas2023", "every-method"]


@pytest.fixture(scope="module")
def plan() -> Plan:
    """Four of the studies that come with the package."""
    config = yaml.safe_load((REPOSITORY / "config.yaml").read_text())
    return read_plan({**config, "studies": STUDIES, "scale": "paper"}, REPOSITORY / "workflow")


def test_every_pair_of_a_study_and_a_test_set_is_scored_or_has_one_reason(plan: Plan) -> None:
    inputs = ranking_inputs(plan)
    datasets = {entrant.dataset for entrant in inputs.entrants if entrant.dataset == entrant.contest}
    scored = {(entrant.dataset, entrant.study) for entrant in inputs.entrants if entrant.dataset in datasets}
    absent = [(absence.contest, absence.study) for absence in inputs.not_scored]
    assert len(set(absent)) == len(absent)
    assert not scored & set(absent)
    assert scored | set(absent) == {(dataset, study) for dataset in datasets for study in STUDIES}
    assert all(absence.reason for absence in inputs.not_scored)


@pytest.mark.parametrize(
    ("study", "dataset", "reason"),
    [
        ("behrendt2023", "atlas2", "the data set has no T2"),
        ("kascenas2023", "fastmri", "the data set has no FLAIR, T1CE, T2"),
        (
            "bercea2023-ra",
            "brats21",
            "another field of view: brains without the skull in SRI24; the study takes whole heads in "
            "MNI152NLin2009aSym or whole heads in their own space",
        ),
        ("every-method", "mslub", NOT_NAMED),
    ],
)
def test_a_reason_says_what_keeps_a_study_from_a_test_set(
    plan: Plan, study: str, dataset: str, reason: str
) -> None:
    assert why_not_scored(plan, study, dataset) == reason


def test_a_data_set_without_test_subjects_in_the_study_is_no_test_set(plan: Plan) -> None:
    content: Any = plan.studies["every-method"]
    splits = {**content.splits, "mslub": DatasetSplit(train=20, validation=10)}
    other = Plan(
        plan.config,
        {**plan.studies, "every-method": content.model_copy(update={"splits": splits})},
        plan.recipes,
    )
    assert why_not_scored(other, "every-method", "mslub") == NO_TEST_SUBJECT


def test_a_test_set_that_no_method_of_the_study_scores_says_so(plan: Plan) -> None:
    content: Any = plan.studies["every-method"]
    named = content.model_copy(update={"test_datasets": (*content.test_datasets, "mslub")})
    other = Plan(plan.config, {**plan.studies, "every-method": named}, plan.recipes)
    assert why_not_scored(other, "every-method", "mslub") == NO_METHOD


def test_simulated_scans_are_no_test_set_beside_real_ones(plan: Plan) -> None:
    real = plan.config.datasets["ixi"].model_copy(update={"path": Path("somewhere")})
    config = plan.config.model_copy(update={"datasets": {**plan.config.datasets, "ixi": real}})
    assert why_not_scored(Plan(config, plan.studies, plan.recipes), "every-method", "mslub") == SIMULATED


def test_synthetic_test_sets_belong_to_their_study(plan: Plan) -> None:
    entrants = [entrant for entrant in ranking_inputs(plan).entrants if entrant.contest != entrant.dataset]
    assert entrants
    assert absences(plan, entrants) == ()
