"""Patients with a lesion mask are also scored by what their scans show."""

import numpy as np
import pandas as pd
import pytest
from pydantic import ValidationError
from sklearn.metrics import average_precision_score

from brainuad.evaluation.settings import EvaluationSettings
from tests.unit.evaluation.toy import (
    HEALTHY,
    PATIENTS,
    TEST,
    change_index,
    evaluate,
    plain,
    value,
    write_dataset,
)

GROUPS = {"blood": ["hemorrhage"], "blood alone": ["Only Hemorrhage"], "tumour": ["tumor"]}
GRID = {"start": 0, "stop": 1, "step": 0.01}


@pytest.fixture(scope="module")
def scores(tmp_path_factory: pytest.TempPathFactory) -> pd.DataFrame:
    """Of three patients one bleeds, one has an infarct too, and of one nothing is known."""
    folder = tmp_path_factory.mktemp("conditions")
    write_dataset(folder, "toy", PATIENTS)
    write_dataset(folder, "well", HEALTHY, group="healthy")
    change_index(folder, "toy", "p1", condition="Hemorrhage")
    change_index(folder, "toy", "p2", condition="hemorrhage; ischemia")
    return evaluate(folder, conditions=GROUPS, threshold_grid=GRID)[0]


@pytest.mark.parametrize(("group", "members"), [("blood", ("p1", "p2")), ("blood alone", ("p1",))])
def test_voxels_of_a_group_are_pooled_without_those_of_others(
    scores: pd.DataFrame, group: str, members: tuple[str, ...]
) -> None:
    maps, truth = plain(members)
    expected = average_precision_score(truth.ravel(), maps.ravel())
    assert value(scores, "auprc", stratum=group) == pytest.approx(expected)
    assert value(scores, "subjects_with_lesion", stratum=group) == len(members)
    best = max(
        2 * (truth & (maps >= level)).sum() / (truth.sum() + (maps >= level).sum())
        for level in np.unique(maps)
    )
    assert value(scores, "dice", protocol="oracle", stratum=group) == pytest.approx(best)
    assert value(scores, "dice_grid", protocol="oracle", stratum=group) <= best


def test_the_mean_over_patients_of_a_group_is_theirs(scores: pd.DataFrame) -> None:
    each = [value(scores, "auprc", subject) for subject in ("p1", "p2")]
    assert value(scores, "auprc", "mean", stratum="blood") == pytest.approx(np.mean(each))
    all_of_them = [value(scores, "auprc", subject) for subject in TEST]
    assert value(scores, "auprc", "mean") == pytest.approx(np.mean(all_of_them))


def test_a_group_that_nobody_belongs_to_has_no_scores(scores: pd.DataFrame) -> None:
    rows = scores[scores["stratum"] == "tumour"]
    assert rows[["metric", "value"]].to_numpy().tolist() == [["subjects", 0]]


@pytest.mark.parametrize(
    ("conditions", "groups"),
    [
        (set(), []),
        ({"hemorrhage"}, ["blood", "blood alone"]),
        ({"hemorrhage", "ischemia"}, ["blood"]),
        ({"only hemorrhage"}, []),
    ],
)
def test_only_asks_for_one_condition_and_no_other(conditions: set[str], groups: list[str]) -> None:
    assert EvaluationSettings(conditions=GROUPS).groups_of(frozenset(conditions)) == groups


def test_a_group_and_a_stratum_by_size_need_two_names() -> None:
    with pytest.raises(ValidationError, match="small: both in subject_strata and in conditions"):
        EvaluationSettings(conditions={"small": ["cyst"]}, subject_strata=({"name": "small"},))
