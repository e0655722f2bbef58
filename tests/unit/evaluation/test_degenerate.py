"""What a score table says where there is nothing to find, nothing to learn from, or nothing to tell apart."""

import numpy as np
import pytest

from tests.unit.evaluation.toy import (
    HEALTHY,
    PATIENTS,
    SHAPE,
    TEST,
    evaluate,
    replace,
    value,
    write_dataset,
)

EMPTY = np.zeros(SHAPE, dtype=bool)
FULL = ~EMPTY
ONE = EMPTY.copy()
ONE[4, 5, 6] = True
VALIDATED = ("validation", "validation-bisection")
FIXED = (*VALIDATED, "healthy-fpr")


def make(folder):
    write_dataset(folder, "toy", PATIENTS)
    write_dataset(folder, "well", HEALTHY, group="healthy")


def test_a_test_set_without_any_lesion_has_counts_and_no_dice(tmp_path, caplog):
    make(tmp_path)
    for subject in TEST:
        replace(tmp_path, "toy", subject, lesion=EMPTY)
    scores, curve = evaluate(tmp_path, threshold_grid={}, subject_strata=[{"name": "small"}])
    assert value(scores, "subjects_with_lesion") == 0
    assert value(scores, "subjects_without_lesion") == 3
    assert np.isnan(value(scores, "auprc"))
    for protocol in ("oracle", *FIXED, "yen"):
        assert np.isnan(value(scores, "dice", protocol=protocol))
        assert "dice" not in set(scores.loc[(scores["subject"] == "mean"), "metric"])
    assert value(scores, "false_positive_components", protocol="validation") >= 0
    assert value(scores, "prevalence") == 0
    assert curve.empty
    assert "no test subject has a lesion: AUPRC and Dice are undefined" in caplog.text


def test_a_test_set_without_any_lesion_can_count_as_healthy(tmp_path):
    make(tmp_path)
    for subject in TEST:
        replace(tmp_path, "toy", subject, lesion=EMPTY)
    scores, _ = evaluate(tmp_path, empty_masks="healthy")
    assert 0 <= value(scores, "fpr", "mean", "healthy-fpr") <= 1
    assert np.isnan(value(scores, "auprc"))
    assert "auroc" not in set(scores["metric"])


@pytest.mark.parametrize("empty_masks", ["patients", "leave-out", "healthy"])
def test_validation_without_any_lesion_falls_back_to_healthy_maps(tmp_path, empty_masks):
    make(tmp_path)
    for subject in ("v1", "v2"):
        replace(tmp_path, "toy", subject, lesion=EMPTY)
    scores, _ = evaluate(tmp_path, empty_masks=empty_masks)
    for protocol in VALIDATED:
        assert value(scores, "threshold_fallback", protocol=protocol) == 1
        assert 0 <= value(scores, "dice", protocol=protocol) <= 1
        same = value(scores, "threshold", protocol="healthy-fpr")
        assert value(scores, "threshold", protocol=protocol) == same


@pytest.mark.parametrize("lesion", [FULL, ONE], ids=["full", "one voxel"])
def test_full_masks_and_single_voxels_are_scored(tmp_path, lesion):
    make(tmp_path)
    rng = np.random.default_rng(0)
    maps = {s: rng.exponential(size=SHAPE).astype(np.float16).astype(np.float32) for s in TEST}
    for subject, scores in maps.items():
        replace(tmp_path, "toy", subject, scores, lesion)
    scores, _ = evaluate(tmp_path)
    for subject, values in maps.items():
        rank = [(values >= v).sum() for v in values[lesion]]  # voxels at or above each lesion voxel
        found = [(values[lesion] >= v).sum() for v in values[lesion]]
        assert value(scores, "auprc", subject) == pytest.approx(np.mean(np.divide(found, rank)))
        best = max(2 * f / (r + lesion.sum()) for f, r in zip(found, rank, strict=True))
        assert value(scores, "dice", subject, "oracle") == pytest.approx(best)
    for protocol in (*FIXED, "yen"):
        assert 0 <= value(scores, "dice", protocol=protocol) <= 1
        assert 0 <= value(scores, "lesion_recall", protocol=protocol) <= 1


@pytest.mark.parametrize("level", [0.0, 0.25])
def test_maps_of_one_value_are_at_chance(tmp_path, level):
    make(tmp_path)
    for dataset, subjects in (("toy", PATIENTS), ("well", HEALTHY)):
        for subject in subjects:
            replace(tmp_path, dataset, subject, np.full(SHAPE, level))
    scores, curve = evaluate(
        tmp_path, threshold_grid={}, protocols=(*FIXED, "healthy-fpr-grid", "oracle", "yen")
    )
    prevalence = value(scores, "prevalence")
    assert value(scores, "auprc") == pytest.approx(prevalence)
    everything = 2 * prevalence / (1 + prevalence)
    assert value(scores, "dice", protocol="oracle") == pytest.approx(everything)
    assert value(scores, "dice", protocol="validation") == pytest.approx(everything)
    assert value(scores, "threshold", protocol="validation") == level
    assert value(scores, "dice", protocol="yen") == 0  # nothing lies above the only value
    assert value(scores, "fpr", "mean", "yen", "well") == 0
    assert value(scores, "auroc", stratum="well") == 0.5
    assert len(curve) == 1
    assert np.isfinite(scores.loc[scores["metric"] == "threshold", "value"]).all()


def test_no_value_is_nan_but_those_of_what_does_not_exist(tmp_path):
    make(tmp_path)
    replace(tmp_path, "toy", "p2", lesion=EMPTY)
    scores, _ = evaluate(tmp_path)
    undefined = scores[scores["value"].isna()]
    assert set(undefined["subject"]) == {"p2"}
    lesion_metrics = {
        "auprc",
        "dice",
        "recall",
        "precision",
        "lesion_recall",
        "lesion_precision",
        "lesion_f1",
    }
    assert set(undefined["metric"]) <= {*lesion_metrics, "box_f1"}


def test_volumes_of_a_single_slice_are_scored_like_others(tmp_path, monkeypatch):
    monkeypatch.setattr("tests.unit.evaluation.toy.SHAPE", (12, 10, 1))
    make(tmp_path)
    lesion = np.zeros((12, 10, 1), dtype=bool)
    lesion[4:7, 3:6] = True
    for subject in PATIENTS:
        replace(tmp_path, "toy", subject, lesion=lesion, scores=lesion.astype(float))
    scores, _ = evaluate(tmp_path)
    assert value(scores, "dice", protocol="validation") == pytest.approx(1)
