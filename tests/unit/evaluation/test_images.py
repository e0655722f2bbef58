"""AUROC of image scores by group of conditions, against pairs counted one by one and scikit-learn."""

from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pandas as pd
import pytest
from pydantic import ValidationError
from sklearn.metrics import roc_auc_score

from brainuad.evaluation.cohorts import kind_of
from brainuad.evaluation.images import add_auroc_of_conditions
from brainuad.evaluation.map_sets import MapSet
from brainuad.evaluation.score_rows import ScoreRows
from brainuad.evaluation.settings import EvaluationSettings
from tests.unit.evaluation.toy import change_index, evaluate, value, write_dataset

GROUPS = {"pathology": ["Ischaemia", "mass effect "], "artefact": ["motion"]}


def image_set(conditions, scores, dataset="toy"):
    """Maps of subjects that are healthy where the condition is None."""
    subjects = [f"{dataset}{number}" for number in range(len(scores))]
    index = pd.DataFrame(
        {
            "group": ["healthy" if c is None else "patient" for c in conditions],
            "condition": [c or "" for c in conditions],
            "lesion_voxels": pd.array([0] * len(scores), dtype="Int64"),
        },
        index=subjects,
    )
    manifest = pd.DataFrame({"image_score": [str(s) for s in scores]}, index=subjects)
    return MapSet(dataset, manifest, Path(dataset), SimpleNamespace(index=index))


def auroc_rows(maps, others=(), groups=GROUPS):
    settings = EvaluationSettings(conditions=groups)

    def kinds(source):
        return {subject: kind_of(source, subject, settings) for subject in source.manifest.index}

    rows = ScoreRows(1.0)
    add_auroc_of_conditions(maps, kinds(maps), [(o, kinds(o)) for o in others], settings, rows)
    return rows.table().set_index(["metric", "stratum"])["value"]


def pairs(normal, abnormal):
    """The share of pairs in which the abnormal image has the higher score, ties counted half."""
    return np.mean([1.0 if a > n else 0.5 if a == n else 0.0 for a in abnormal for n in normal])


@pytest.mark.parametrize("seed", range(4))
def test_each_group_has_its_auroc_and_the_average_is_their_mean(seed):
    rng = np.random.default_rng(seed)
    scores = rng.integers(0, 6, 40) / 4  # many ties
    conditions = [None] * 15 + ["ischaemia"] * 9 + ["Motion"] * 8 + ["MASS EFFECT; motion"] * 4 + [""] * 4
    found = auroc_rows(image_set(conditions, scores))
    normal, pathology, artefact = scores[:15], np.r_[scores[15:24], scores[32:36]], scores[24:36]
    assert found["auroc", "pathology"] == pytest.approx(pairs(normal, pathology))
    assert found["auroc", "artefact"] == pytest.approx(pairs(normal, artefact))
    labels = [0] * len(normal) + [1] * len(artefact)
    assert found["auroc", "artefact"] == pytest.approx(roc_auc_score(labels, np.r_[normal, artefact]))
    mean = (found["auroc", "pathology"] + found["auroc", "artefact"]) / 2
    assert found["auroc", "average"] == pytest.approx(mean)
    assert found["subjects", "pathology"] == 13


def test_scores_that_are_all_equal_tell_nothing():
    found = auroc_rows(image_set([None, None, "motion", "ischaemia"], [0.5] * 4))
    assert found["auroc"].to_dict() == {"pathology": 0.5, "artefact": 0.5, "average": 0.5}


def test_a_star_stands_for_any_condition():
    maps = image_set([None, "odd", "", "motion"], [1, 2, 0, 0])
    assert (
        auroc_rows(maps, groups={"any": ["*"]})["auroc", "any"] == 0.5
    )  # the patient without one is not in it


def test_a_group_without_subjects_is_left_out_and_logged(caplog):
    found = auroc_rows(image_set([None, "motion"], [0, 1]))
    assert found["auroc"].to_dict() == {"artefact": 1.0}  # and no average: it would be that of one group
    assert found["subjects"].to_dict() == {"pathology": 0, "artefact": 1}
    assert "no AUROC of group 'pathology': 0 image scores of its patients and 1 of healthy" in caplog.text


def test_without_healthy_subjects_of_its_own_a_set_is_compared_with_the_others():
    found = auroc_rows(image_set(["motion"], [1]), [image_set([None, None], [0, 2], "well")])
    assert found["auroc", "artefact"] == 0.5


def test_without_any_healthy_subject_there_is_no_auroc(caplog):
    assert "auroc" not in auroc_rows(image_set(["motion"], [1]))
    assert "0 of healthy subjects" in caplog.text


def test_a_subject_without_an_image_score_is_not_compared():
    found = auroc_rows(image_set([None, "motion", "motion"], [0, 1, ""]))
    assert found["subjects", "artefact"] == 1


@pytest.mark.parametrize("groups", [{"average": ["motion"]}, {"": ["motion"]}, {"artefact": [" "]}])
def test_groups_without_a_name_or_a_condition_are_refused(groups):
    with pytest.raises(ValidationError, match="group"):
        EvaluationSettings(conditions=groups)


def test_patients_that_are_abnormal_as_a_whole_need_no_lesions(tmp_path):
    write_dataset(tmp_path, "toy", {f"p{n}": "test" for n in range(1, 5)})
    write_dataset(tmp_path, "well", {"h1": "validation", "h3": "test"}, group="healthy")
    for subject, voxels in (("p1", ""), ("p2", 0)):
        change_index(tmp_path, "toy", subject, lesion_voxels=voxels, condition="motion")
    split = pd.DataFrame(
        [("toy", f"p{n}", "test") for n in range(1, 5)]
        + [("well", "h1", "validation"), ("well", "h3", "test")],
        columns=["dataset", "subject", "role"],
    )
    scores, _ = evaluate(tmp_path, split, conditions={"artefact": ["motion"]})
    assert value(scores, "subjects_image_only") == 2
    assert value(scores, "subjects_failed") == 0
    assert value(scores, "subjects_with_lesion") == 2
    assert value(scores, "subjects", stratum="artefact") == 2
    assert "p1" not in set(scores.loc[scores["metric"] == "auprc", "subject"])
    assert value(scores, "image_score", "p1") > 0
