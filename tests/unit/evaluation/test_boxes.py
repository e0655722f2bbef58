"""Detection of annotated boxes, against every step written out over single pixels."""

import numpy as np
import pandas as pd
import pytest

from brainuad.errors import InputError
from brainuad.evaluation.boxes import BoxDetection, detect_boxes
from brainuad.storage import write_table
from tests.unit.evaluation.toy import (
    HEALTHY,
    PATIENTS,
    SHAPE,
    TEST,
    evaluate,
    planted,
    value,
    write_dataset,
)

COLUMNS = ("subject", "box", "label", "slice", "x_first", "x_last", "y_first", "y_last")


def boxes_of(*rows):
    return pd.DataFrame(rows, columns=COLUMNS)


def plain_box(box, boxes, scores, head, threshold, overlap=0.1):
    """Whether a box is detected and its F1, pixel by pixel as Bercea 2023 (RA) describes it."""

    def within(b, x, y, z):
        return z == b["slice"] and b["x_first"] <= x <= b["x_last"] and b["y_first"] <= y <= b["y_last"]

    pixels = marked = inside = outside = 0.0
    z = box["slice"]
    for x in range(scores.shape[0]):
        for y in range(scores.shape[1]):
            positive = scores[x, y, z] >= threshold
            if within(box, x, y, z):
                pixels, marked = pixels + 1, marked + positive
                inside += scores[x, y, z] * positive
            elif head[x, y, z] and not any(within(b, x, y, z) for b in boxes):
                outside += scores[x, y, z] * positive
    tp = 1.0 if marked / pixels > overlap else 0.0
    fp = int(outside / max(inside, 1))
    precision = tp / max(tp + fp, 1)
    return tp, 2 * precision * tp / (precision + tp + 1e-8)


@pytest.mark.parametrize("seed", range(5))
@pytest.mark.parametrize("threshold", [0.0, 0.3, 1.5, 9.0])
def test_boxes_are_found_and_scored_as_written_out(seed, threshold):
    rng = np.random.default_rng(seed)
    shape = (14, 12, 3)
    scores = (rng.exponential(size=shape) * 0.5).astype(np.float32)
    head = rng.random(shape) < 0.8
    corners = [sorted(rng.integers(0, limit, 2)) for limit in (14, 12) * 6]
    rows = [
        ("a", k, "mass" if k % 2 else "edema", k % 2, *corners[2 * k], *corners[2 * k + 1]) for k in range(6)
    ]  # overlapping boxes, some of one pixel or one row
    boxes = boxes_of(*rows)
    scores[3:6, 3:6, 1] += 4
    found = detect_boxes(boxes, scores >= threshold, scores, head, 0.1)
    records = boxes.to_dict("records")
    expected = np.array([plain_box(box, records, scores, head, threshold) for box in records])
    np.testing.assert_array_equal(found.detected, expected[:, 0])
    np.testing.assert_allclose(found.f1, expected[:, 1], atol=1e-6)
    assert found.labels.tolist() == boxes["label"].tolist()


def test_a_box_is_detected_when_more_than_the_share_is_marked():
    boxes = boxes_of(("a", 0, "mass", 0, 0, 4, 0, 1))  # ten pixels
    predicted = np.zeros((6, 6, 1), dtype=bool)
    predicted[0, 0, 0] = True
    scores, head = np.ones(predicted.shape, dtype=np.float32), np.ones(predicted.shape, dtype=bool)
    assert not detect_boxes(boxes, predicted, scores, head, 0.1).detected[0]
    predicted[1, 0, 0] = True
    assert detect_boxes(boxes, predicted, scores, head, 0.1).detected[0]


@pytest.mark.parametrize("level", [0.0, 0.5])
def test_a_map_of_one_value_finds_every_box_or_none(level):
    boxes = boxes_of(("a", 0, "mass", 0, 1, 1, 1, 1), ("a", 1, "mass", 0, 0, 5, 0, 5))
    scores, head = np.full((6, 6, 1), level, dtype=np.float32), np.ones((6, 6, 1), dtype=bool)
    everything = detect_boxes(boxes, np.ones(head.shape, dtype=bool), scores, head, 0.1)
    nothing = detect_boxes(boxes, np.zeros(head.shape, dtype=bool), scores, head, 0.1)
    assert everything.detected.all()
    assert everything.f1 == pytest.approx([1, 1])  # the boxes leave no healthy tissue
    assert not nothing.detected.any()
    assert nothing.f1.tolist() == [0, 0]


def test_only_the_slice_of_a_box_has_its_false_positives():
    boxes = boxes_of(("a", 0, "mass", 0, 0, 1, 0, 1))
    scores = np.ones((4, 4, 2), dtype=np.float32)
    scores[:, :, 1] = 100
    predicted = np.ones(scores.shape, dtype=bool)
    head = np.ones(scores.shape, dtype=bool)
    precision = 1 / (1 + 3)  # 12 marked pixels beside the box, 4 in it
    assert detect_boxes(boxes, predicted, scores, head, 0.1).f1[0] == pytest.approx(
        2 * precision / (precision + 1)
    )


def test_without_boxes_there_are_no_detections_and_no_f1():
    assert BoxDetection().values() == {"boxes": 0, "detected": 0}
    empty = detect_boxes(boxes_of(), *[np.ones((2, 2, 1), dtype=bool)] * 3, 0.1)
    assert (BoxDetection() + empty).values("mass") == {"boxes": 0, "detected": 0}


def boxes_of_patients():
    """A box over the lesion of each test patient, and one that holds nothing."""
    rows = []
    for subject in TEST:
        lesion = planted(subject, True)[1]
        x, y, z = (np.flatnonzero(lesion.any(axis=axes)).tolist() for axes in ((1, 2), (0, 2), (0, 1)))
        rows.append((subject, 0, "mass", z[0], x[0], x[-1], y[0], y[-1]))
        rows.append((subject, 1, "edema", 7, 0, 1, 0, 1))
    return boxes_of(*rows)


def write_boxes(folder, boxes):
    write_dataset(folder, "toy", PATIENTS)
    write_dataset(folder, "well", HEALTHY, group="healthy")
    write_table(boxes, folder / "arrays" / "toy" / "boxes.tsv")


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    path = tmp_path_factory.mktemp("boxes")
    write_boxes(path, boxes_of_patients())
    return path


@pytest.mark.parametrize("protocol", ["validation", "healthy-fpr"])
def test_boxes_are_counted_for_each_protocol_and_label(folder, protocol):
    scores, _ = evaluate(folder, boxes=True)
    threshold = value(scores, "threshold", protocol=protocol)
    expected = {"mass": [], "edema": []}
    boxes = boxes_of_patients()
    for subject in TEST:
        brain, _, anomaly_map = planted(subject, True)
        own = boxes[boxes["subject"] == subject].to_dict("records")
        for box in own:
            result = plain_box(box, own, anomaly_map.astype(np.float64), brain, threshold)
            expected[box["label"]].append(result)
    everything = np.array(expected["mass"] + expected["edema"])
    for label, rows in (("", everything), *((k, np.array(v)) for k, v in expected.items())):
        assert value(scores, "boxes", protocol=protocol, stratum=label) == len(rows)
        assert value(scores, "detected", protocol=protocol, stratum=label) == rows[:, 0].sum()
        mean = value(scores, "f1_boxes", protocol=protocol, stratum=label)
        assert mean == pytest.approx(rows[:, 1].mean(), abs=1e-6)
    assert value(scores, "detected", protocol=protocol, stratum="mass") > 0


def test_boxes_are_looked_at_only_when_asked(folder):
    scores, _ = evaluate(folder)
    assert "boxes" not in set(scores["metric"])


def test_a_data_set_without_boxes_has_none_to_detect(tmp_path):
    write_dataset(tmp_path, "toy", PATIENTS)
    scores, _ = evaluate(tmp_path, healthy=False, boxes=True)
    assert value(scores, "boxes", protocol="validation") == 0
    assert value(scores, "detected", protocol="validation") == 0
    assert "f1_boxes" not in set(scores["metric"])


@pytest.mark.parametrize("place", [(3, SHAPE[0], 0, 1), (3, 2, 0, 1), (-1, 2, 0, 1)])
def test_a_box_outside_the_slices_or_without_pixels_is_refused(tmp_path, place):
    write_boxes(tmp_path, boxes_of(("p1", 0, "mass", 0, *place)))
    with pytest.raises(InputError, match=r"boxes\.tsv: a box of p1 lies outside"):
        evaluate(tmp_path, boxes=True)


def test_boxes_of_other_classes_are_no_items() -> None:
    found = BoxDetection(
        np.array(["Mass", "extra-axial mass", "artifact"], dtype=object),
        np.array([True, False, True]),
        np.ones(3),
    )
    kept = found.in_classes({"mass": ["mass", "Extra-axial mass"]})
    assert kept.labels.tolist() == ["mass", "mass"]
    assert kept.values("mass")["detected_share"] == 0.5
