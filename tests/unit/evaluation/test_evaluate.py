"""The score table of planted maps, against metrics computed plainly from the same arrays."""

import numpy as np
import pytest
from scipy import ndimage
from sklearn.metrics import average_precision_score, roc_auc_score

from brainuad.errors import InputError
from brainuad.storage import write_table
from tests.unit.evaluation.toy import (
    HEALTHY,
    PATIENTS,
    SHAPE,
    SPLIT,
    TEST,
    dice_of,
    evaluate,
    plain,
    planted,
    replace,
    value,
    write_dataset,
)

ON_GRID = ("healthy-fpr", "healthy-fpr-grid")


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    path = tmp_path_factory.mktemp("evaluation")
    write_dataset(path, "toy", PATIENTS)
    write_dataset(path, "well", HEALTHY, group="healthy")
    return path


def test_average_precision_is_that_of_the_test_voxels(folder):
    scores, _ = evaluate(folder)
    maps, truth = plain(TEST)
    each = [average_precision_score(t.ravel(), m.ravel()) for m, t in zip(maps, truth, strict=True)]
    assert value(scores, "auprc") == pytest.approx(average_precision_score(truth.ravel(), maps.ravel()))
    assert value(scores, "auprc", "p2") == pytest.approx(each[1])
    assert value(scores, "auprc", "mean") == pytest.approx(np.mean(each))


def test_oracle_dice_is_the_best_of_the_pool_of_each_volume_and_of_their_mean(folder):
    scores, _ = evaluate(folder)
    maps, truth = plain(TEST)
    levels = np.unique(maps)
    table = np.array([[dice_of(m >= t, y) for m, y in zip(maps, truth, strict=True)] for t in levels])
    assert value(scores, "dice", "pooled", "oracle") == pytest.approx(
        max(dice_of(maps >= t, truth) for t in levels)
    )
    assert value(scores, "dice", "p1", "oracle") == pytest.approx(table[:, 0].max())
    assert value(scores, "dice", "mean", "oracle") == pytest.approx(table.max(axis=0).mean())
    best_mean = value(scores, "dice_mean_volumes", "mean", "oracle")
    assert best_mean == pytest.approx(table.mean(axis=1).max(), abs=1e-6)


def test_the_validation_threshold_comes_from_validation_subjects_in_true_units(folder):
    scores, _ = evaluate(folder)
    maps, truth = plain(("v1", "v2"))
    threshold = max(np.unique(maps), key=lambda t: dice_of(maps >= t, truth))
    assert value(scores, "threshold", protocol="validation") == pytest.approx(threshold)
    assert value(scores, "dice", protocol="validation", column="threshold") == pytest.approx(threshold)
    test_maps, test_truth = plain(TEST)
    predicted = test_maps >= threshold
    assert value(scores, "dice", protocol="validation") == pytest.approx(dice_of(predicted, test_truth))
    each = [dice_of(p, t) for p, t in zip(predicted, test_truth, strict=True)]
    assert value(scores, "dice", "mean", "validation") == pytest.approx(np.mean(each))
    assert value(scores, "precision", protocol="validation") == pytest.approx(
        (predicted & test_truth).sum() / predicted.sum()
    )


def test_thresholds_never_see_test_subjects(folder, tmp_path):
    first, _ = evaluate(folder)
    write_dataset(tmp_path, "toy", PATIENTS)
    write_dataset(tmp_path, "well", HEALTHY, group="healthy")
    for subject in TEST:
        path = tmp_path / "maps" / "toy" / f"sub-{subject}_map.npy"
        np.save(path, np.load(path)[::-1] * np.float16(2))
    second, _ = evaluate(tmp_path)
    for protocol in ("validation", "validation-bisection", "healthy-fpr"):
        assert value(first, "threshold", protocol=protocol) == value(second, "threshold", protocol=protocol)


def test_the_healthy_threshold_keeps_the_rate_on_healthy_validation_maps(folder):
    scores, _ = evaluate(folder, healthy_fpr=0.1)
    threshold = value(scores, "threshold", protocol="healthy-fpr")
    maps = np.stack([planted(s, False)[2] for s in ("h1", "h2")])
    assert (maps >= threshold).mean() <= 0.1 < (maps >= threshold * 0.99).mean()
    test_maps = np.stack([planted(s, False)[2] for s in ("h3", "h4")])
    fpr = value(scores, "fpr", "mean", "healthy-fpr", stratum="well")
    assert fpr == pytest.approx((test_maps >= threshold).mean())
    assert value(scores, "l1", "mean", stratum="well") == 0.25


def test_on_the_grid_the_healthy_rate_counts_and_marks_above_the_threshold(folder):
    scores, _ = evaluate(folder, healthy_fpr=0.1, protocols=ON_GRID, healthy_role="test")
    normal = np.stack([planted(s, False)[2] for s in ("h3", "h4")]).astype(np.float64)
    rates = [(normal > k / 1000).mean(axis=(1, 2, 3)).mean() for k in range(1000)]
    threshold = np.argmax(np.array(rates) <= 0.1) / 1000
    assert value(scores, "threshold", protocol="healthy-fpr-grid") == pytest.approx(threshold, rel=0.001)
    maps, truth = plain(TEST)
    expected = dice_of(maps > threshold, truth)
    assert value(scores, "dice", protocol="healthy-fpr-grid") == pytest.approx(expected)


def test_the_exact_healthy_threshold_stands_beside_that_of_the_grid(folder):
    scores, _ = evaluate(folder, healthy_fpr=0.1, protocols=ON_GRID, healthy_role="test")
    alone, _ = evaluate(folder, healthy_fpr=0.1, healthy_role="test")
    for metric in ("threshold", "dice", "lesion_recall", "threshold_fallback"):
        exact = value(scores, metric, protocol="healthy-fpr")
        assert exact == value(alone, metric, protocol="healthy-fpr")
        assert value(scores, metric, protocol="healthy-fpr-grid") >= 0
    exact, on_grid = (value(scores, "threshold", protocol=p) for p in ON_GRID)
    assert exact <= on_grid < exact + 0.0013  # the next point of the grid, and a step of float16
    assert value(scores, "threshold_beyond_grid", protocol="healthy-fpr-grid") == 0


def test_a_grid_that_ends_too_early_gives_way_to_the_exact_threshold(tmp_path, caplog):
    write_dataset(tmp_path, "toy", PATIENTS)
    write_dataset(tmp_path, "well", HEALTHY, group="healthy")
    for subject in ("h1", "h2"):
        replace(tmp_path, "well", subject, np.full(SHAPE, 3.0))
    scores, _ = evaluate(tmp_path, protocols=ON_GRID)
    for protocol in ON_GRID:
        assert value(scores, "threshold", protocol=protocol) == pytest.approx(3, rel=0.01)
    assert value(scores, "threshold_beyond_grid", protocol="healthy-fpr-grid") == 1
    assert "the exact one beyond 1" in caplog.text


def test_the_brain_alone_can_be_counted(folder):
    scores, _ = evaluate(folder, region="brain")
    maps, truth = plain(TEST)
    inside = np.stack([planted(s, True)[0] for s in TEST])
    expected = average_precision_score(truth[inside], maps[inside])
    assert value(scores, "auprc") == pytest.approx(expected)
    assert value(scores, "prevalence") == pytest.approx(truth[inside].mean())


def test_a_validation_set_without_lesions_falls_back_to_healthy_maps_and_says_so(folder, tmp_path, caplog):
    write_dataset(tmp_path, "toy", PATIENTS, without_lesion=("v1", "v2"))
    write_dataset(tmp_path, "well", HEALTHY, group="healthy")
    scores, _ = evaluate(tmp_path)
    assert value(scores, "threshold_fallback", protocol="validation") == 1
    assert value(scores, "threshold_fallback", protocol="healthy-fpr") == 0
    expected = value(scores, "threshold", protocol="healthy-fpr")
    assert value(scores, "threshold", protocol="validation") == expected
    assert "uses the healthy threshold" in caplog.text


def test_without_any_source_a_protocol_is_left_out_and_logged(tmp_path, caplog):
    write_dataset(tmp_path, "toy", PATIENTS, without_lesion=("v1", "v2"))
    scores, _ = evaluate(tmp_path, healthy=False)
    assert set(scores["protocol"]) == {"", "oracle", "yen"}
    assert "no threshold for protocol 'validation'" in caplog.text


def test_a_test_subject_without_lesion_is_undefined_and_left_out_of_means(tmp_path):
    write_dataset(tmp_path, "toy", PATIENTS, without_lesion=("p2",))
    scores, _ = evaluate(tmp_path, healthy=False)
    assert np.isnan(value(scores, "auprc", "p2"))
    assert np.isnan(value(scores, "dice", "p2", "validation"))
    expected = (value(scores, "auprc", "p1") + value(scores, "auprc", "p3")) / 2
    assert value(scores, "auprc", "mean") == pytest.approx(expected)
    assert value(scores, "subjects") == 3
    assert value(scores, "subjects_with_lesion") == 2


def test_a_missing_map_is_counted_and_the_others_are_scored(tmp_path, caplog):
    maps = write_dataset(tmp_path, "toy", PATIENTS)
    (maps.folder / "sub-p3_map.npy").unlink()
    scores, _ = evaluate(tmp_path, healthy=False, max_failed_share=0.5)
    assert value(scores, "subjects_failed") == 1
    assert value(scores, "subjects") == 2
    assert "p3 is left out" in caplog.text


@pytest.mark.parametrize(
    ("values", "reason"),
    [
        (np.zeros(SHAPE, dtype=np.float32), "float16 is expected"),
        (np.zeros((3, 3, 3), dtype=np.float16), "has the shape"),
        (np.full(SHAPE, -1, dtype=np.float16), "negative or non-finite"),
        (np.full(SHAPE, np.nan, dtype=np.float16), "negative or non-finite"),
    ],
)
def test_a_broken_map_has_a_reason_and_too_many_stop_the_evaluation(tmp_path, values, reason):
    maps = write_dataset(tmp_path, "toy", PATIENTS)
    np.save(maps.folder / "sub-p3_map.npy", values)
    with pytest.raises(InputError, match=reason):
        evaluate(tmp_path, healthy=False)


def test_a_manifest_made_for_another_split_is_refused(folder):
    moved = SPLIT.replace({"subject": {"v1": "p1", "p1": "v1"}})
    with pytest.raises(InputError, match="another role"):
        evaluate(folder, split=moved)


def test_a_map_outside_its_folder_is_refused(tmp_path):
    maps = write_dataset(tmp_path, "toy", PATIENTS)
    table = maps.manifest.assign(map="../../secret.npy")
    write_table(table, tmp_path / "maps" / "toy.tsv")
    with pytest.raises(InputError, match="outside its folder"):
        evaluate(tmp_path, healthy=False)


def test_maps_of_different_scales_are_refused(tmp_path):
    maps = write_dataset(tmp_path, "toy", PATIENTS)
    maps.manifest.loc["p1", "scale_exponent"] = "4"
    write_table(maps.manifest, tmp_path / "maps" / "toy.tsv")
    with pytest.raises(InputError, match="scale exponents"):
        evaluate(tmp_path, healthy=False)


def test_strata_group_subjects_and_lesions_by_size(folder):
    strata = ({"name": "small", "up_to": 35}, {"name": "large", "above": 35})
    scores, _ = evaluate(folder, subject_strata=strata, lesion_strata=strata)
    assert value(scores, "subjects_with_lesion", stratum="large") == 3
    assert value(scores, "dice", protocol="oracle", stratum="large") == value(
        scores, "dice", protocol="oracle"
    )
    assert value(scores, "lesion_recall", protocol="validation", stratum="large") == 1
    assert np.isnan(value(scores, "lesion_recall", protocol="validation", stratum="small"))


def test_image_scores_tell_patients_from_healthy_subjects(folder):
    scores, _ = evaluate(folder)
    healthy, abnormal = (
        [planted(s, lesion)[2].mean() for s in names]
        for names, lesion in (
            (("h3", "h4"), False),
            (TEST, True),
        )
    )
    expected = roc_auc_score([0, 0, 1, 1, 1], [*healthy, *abnormal])
    assert value(scores, "auroc", stratum="well") == pytest.approx(expected)


def test_a_healthy_data_set_has_errors_and_false_positives_but_no_dice(folder):
    scores, curve = evaluate(folder, dataset="well", healthy=False)
    assert value(scores, "l1", "mean") == 0.25
    assert 0 <= value(scores, "fpr", "mean", "healthy-fpr") < 0.2
    assert np.isnan(value(scores, "auprc"))
    assert "dice" not in set(scores.loc[scores["subject"] != "pooled", "metric"])
    assert curve.empty


def test_maps_are_post_processed_before_they_are_counted(folder):
    scores, _ = evaluate(folder, postprocessing=({"step": "median", "size": 3},))
    maps, truth = plain(TEST)
    filtered = np.stack([ndimage.median_filter(m, 3) for m in maps])
    assert value(scores, "auprc") == pytest.approx(average_precision_score(truth.ravel(), filtered.ravel()))


def test_masks_are_post_processed_after_the_threshold(folder):
    small = {"step": "remove_components", "at_most": 20}
    before, _ = evaluate(folder, healthy_fpr=0.05)
    after, _ = evaluate(folder, healthy_fpr=0.05, postprocessing=(small,))
    key = {"metric": "false_positive_components", "protocol": "healthy-fpr"}
    assert value(after, **key) < value(before, **key)
    assert value(after, "dice", protocol="oracle") == value(before, "dice", protocol="oracle")


def test_the_grid_of_a_paper_is_beside_the_exact_values(folder):
    scores, _ = evaluate(folder, threshold_grid={"start": 0, "stop": 1, "step": 0.05})
    maps, truth = plain(TEST)
    expected = max(dice_of(maps > 0.05 * k, truth) for k in range(20))
    assert value(scores, "dice_grid", protocol="oracle") == pytest.approx(expected)
    assert value(scores, "dice_grid", protocol="oracle") <= value(scores, "dice", protocol="oracle")
    exact = value(scores, "dice_mean_volumes", "mean", "oracle")
    assert value(scores, "dice_mean_volumes_grid", "mean", "oracle") <= exact


def test_the_curve_is_in_true_units(folder):
    _, curve = evaluate(folder)
    maps, truth = plain(TEST)
    row = curve.iloc[len(curve) // 2]
    predicted = maps >= row["threshold"]
    assert row["recall"] == pytest.approx(predicted[truth].mean())
    assert row["precision"] == pytest.approx(truth[predicted].mean())


def test_every_row_is_labelled(folder):
    scores, _ = evaluate(folder)
    assert scores.columns.tolist() == [
        *("study", "method", "run", "dataset", "subject"),
        *("protocol", "metric", "stratum", "value", "threshold"),
    ]
    assert not scores.drop(columns=["value", "threshold"]).isna().any().any()
    assert not scores.duplicated(["subject", "protocol", "metric", "stratum"]).any()
