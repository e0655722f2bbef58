"""Lesion-wise detection on small planted cases."""

import numpy as np
import pytest

from brainuad.evaluation.detection import Detection, bercea_f1, detect, truth_components
from brainuad.evaluation.settings import Stratum


def planted():
    """Lesions of 8 and 27 voxels; marks on half of the first, on none of the second, and a stray one."""
    truth = np.zeros((16, 16, 16), dtype=bool)
    truth[1:3, 1:3, 1:3] = True
    truth[6:9, 6:9, 6:9] = True
    predicted = np.zeros_like(truth)
    predicted[1:3, 1:3, 1:2] = True
    predicted[13:15, 13, 13] = True
    return truth, predicted


def detection_of(truth, predicted, scores=None, overlap=0.1):
    scores = np.ones(truth.shape, dtype=np.float32) if scores is None else scores
    return detect(truth_components(truth), predicted, scores, ~truth, overlap)


def test_a_lesion_is_found_when_more_than_a_share_is_marked():
    detection = detection_of(*planted())
    assert sorted(detection.sizes) == [8, 27]
    assert sorted(detection.covered) == [0, 0.5]
    assert detection.recall(0.1) == 0.5
    assert detection.recall(0.5) == 0  # more than the share, not as much


def test_marks_that_touch_no_lesion_are_false_positives():
    detection = detection_of(*planted())
    assert detection.hits == 1
    assert detection.false_components == 1
    assert detection.precision == 0.5
    assert detection.f1_score(0.1) == 0.5


def test_components_touch_at_corners():
    truth = np.zeros((4, 4, 4), dtype=bool)
    truth[0, 0, 0] = truth[1, 1, 1] = True
    assert detection_of(truth, truth).sizes.tolist() == [2]


def test_one_mark_over_two_lesions_is_one_hit():
    truth = np.zeros((9, 3, 3), dtype=bool)
    truth[1, 1, 1] = truth[7, 1, 1] = True
    predicted = np.zeros_like(truth)
    predicted[:, 1, 1] = True
    detection = detection_of(truth, predicted)
    assert (detection.hits, detection.false_components) == (1, 0)
    assert detection.recall(0.1) == 1


def test_strata_select_lesions_by_size():
    detection = detection_of(*planted())
    assert detection.recall(0.1, Stratum(name="small", up_to=8)) == 1
    assert detection.recall(0.1, Stratum(name="large", above=8)) == 0
    assert np.isnan(detection.recall(0.1, Stratum(name="huge", above=100)))


def test_without_lesions_recall_is_undefined_and_every_mark_is_false():
    truth, predicted = planted()
    detection = detection_of(np.zeros_like(truth), predicted)
    assert np.isnan(detection.recall(0.1))
    assert np.isnan(detection.f1_score(0.1))
    assert np.isnan(detection.mean_f1)
    assert detection.false_components == 2


def test_without_marks_precision_is_undefined_and_f1_zero():
    truth, _ = planted()
    detection = detection_of(truth, np.zeros_like(truth))
    assert np.isnan(detection.precision)
    assert detection.f1_score(0.1) == 0


def test_detections_add_up():
    first, second = detection_of(*planted()), detection_of(*planted())
    total = Detection() + first + second
    assert len(total.sizes) == 4
    assert (total.hits, total.false_components) == (2, 2)


def test_the_f1_of_a_box_counts_whole_multiples_of_its_sum_as_false_positives():
    detected, inside = np.array([True, True, False, True]), np.array([10.0, 3.0, 0.0, 0.2])
    precision = np.array([1.0, 1 / 4, 0.0, 1 / 10])  # false positives: 0, 3, 9 and 9 (sums below 1 become 1)
    expected = 2 * precision * detected / np.maximum(precision + detected, 1e-8)
    np.testing.assert_allclose(bercea_f1(detected, inside, outside=9.9), expected, atol=1e-7)


def test_sums_of_the_f1_are_those_of_the_marked_scores():
    truth, predicted = planted()
    scores = np.full(truth.shape, 0.5, dtype=np.float32)
    scores[13:15, 13, 13] = 3  # marked healthy tissue sums to 6, the marked half of the lesion to 2
    detection = detection_of(truth, predicted, scores)
    precision = 1 / (1 + 3)
    assert detection.mean_f1 == pytest.approx((2 * precision / (precision + 1) + 0) / 2)
