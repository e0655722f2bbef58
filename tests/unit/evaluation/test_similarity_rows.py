"""Which subjects have which rows of similarity."""

import numpy as np
import pytest

from tests.unit.evaluation.toy import (
    HEALTHY,
    PATIENTS,
    TEST,
    change_manifest,
    evaluate,
    replace,
    value,
    write_dataset,
)

WHOLE = ("l1", "mse", "ssim", "lpips")


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    """Patients of whom p2 has no lesion, with every similarity but the perceptual one of p1."""
    path = tmp_path_factory.mktemp("similarity")
    write_dataset(path, "toy", PATIENTS)
    write_dataset(path, "well", HEALTHY, group="healthy")
    for dataset, subjects in (("toy", TEST), ("well", ("h3", "h4"))):
        for number, subject in enumerate(subjects):
            known = {column: 0.1 * position + 0.01 * number for position, column in enumerate(WHOLE, start=1)}
            change_manifest(path, dataset, subject, **known)
    change_manifest(path, "toy", "p1", lpips="")
    for subject, error in (("p1", 0.003), ("p2", 0.005), ("p3", 0.004)):
        change_manifest(path, "toy", subject, mse_lesion=error)
    replace(path, "toy", "p2", lesion=np.zeros((12, 10, 8), dtype=bool))
    return path


def test_healthy_sets_have_means_under_their_name(folder):
    scores, _ = evaluate(folder)
    for position, metric in enumerate(WHOLE, start=1):
        assert value(scores, metric, "mean", stratum="well") == pytest.approx(0.1 * position + 0.005)


def test_patients_with_a_lesion_have_rows_of_their_own_stratum(folder):
    scores, _ = evaluate(folder)
    assert value(scores, "ssim", "p3", stratum="anomalous") == pytest.approx(0.32)
    assert value(scores, "ssim", "mean", stratum="anomalous") == pytest.approx((0.30 + 0.32) / 2)
    assert "p2" not in set(scores.loc[scores["stratum"] == "anomalous", "subject"])


def test_patients_without_a_lesion_count_as_healthy_where_asked(folder):
    scores, _ = evaluate(folder, empty_masks="healthy")
    assert value(scores, "ssim", "p2") == pytest.approx(0.31)
    assert value(scores, "ssim", "mean") == pytest.approx(0.31)
    assert value(scores, "ssim", "mean", stratum="anomalous") == pytest.approx(0.31)


def test_a_similarity_that_was_not_measured_has_no_row(folder):
    scores, _ = evaluate(folder)
    assert value(scores, "lpips", "mean", stratum="anomalous") == pytest.approx(0.42)
    assert "p1" not in set(scores.loc[scores["metric"] == "lpips", "subject"])


def test_errors_in_synthetic_anomalies_are_of_every_subject(folder):
    scores, _ = evaluate(folder)
    assert value(scores, "mse_lesion", "p2") == pytest.approx(0.005)
    assert value(scores, "mse_lesion", "mean") == pytest.approx(0.004)
    assert "lpips_lesion" not in set(scores["metric"])
