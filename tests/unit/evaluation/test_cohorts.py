"""Empty masks, evaluation of validation patients, strata by size and by attribute."""

import numpy as np
import pandas as pd
import pytest
from sklearn.metrics import average_precision_score, roc_auc_score

from brainuad.errors import InputError
from brainuad.evaluation.attributes import age_group
from brainuad.storage import write_table
from tests.unit.evaluation.toy import (
    HEALTHY,
    PATIENTS,
    SHAPE,
    TEST,
    change_index,
    dice_of,
    evaluate,
    plain,
    planted,
    replace,
    split_of,
    value,
    write_dataset,
)

EMPTY = np.zeros(SHAPE, dtype=bool)


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    """Test patients p1 and p3 with a lesion, p2 without; validation patients v1 with, v2 without."""
    path = tmp_path_factory.mktemp("cohorts")
    write_dataset(path, "toy", PATIENTS)
    write_dataset(path, "well", HEALTHY, group="healthy")
    for subject in ("p2", "v2"):
        replace(path, "toy", subject, lesion=EMPTY)
    return path


def pooled(subjects, empty=()):
    maps, truth = plain(subjects)
    truth[[subject in empty for subject in subjects]] = False
    return maps.ravel(), truth.ravel()


def best_dice(maps, truth):
    return max(dice_of(maps >= level, truth) for level in np.unique(maps))


@pytest.mark.parametrize(
    ("empty_masks", "subjects"),
    [("patients", ("p1", "p2", "p3")), ("leave-out", ("p1", "p3")), ("healthy", ("p1", "p3"))],
)
def test_empty_masks_are_pooled_only_as_patients(folder, empty_masks, subjects):
    scores, _ = evaluate(folder, empty_masks=empty_masks)
    maps, truth = pooled(subjects, empty=("p2",))
    assert value(scores, "auprc") == pytest.approx(average_precision_score(truth, maps))
    assert value(scores, "dice", protocol="oracle") == pytest.approx(best_dice(maps, truth))
    assert value(scores, "subjects") == 3
    assert value(scores, "subjects_with_lesion") == 2
    assert value(scores, "subjects_without_lesion") == 1


def test_empty_masks_that_count_as_healthy_have_rows_of_healthy_subjects(folder):
    scores, _ = evaluate(folder, empty_masks="healthy")
    threshold = value(scores, "threshold", protocol="validation")
    assert value(scores, "fpr", "p2", "validation") == pytest.approx(
        (planted("p2", True)[2] >= threshold).mean()
    )
    assert value(scores, "l1", "p2") == 0.25
    assert "auprc" not in set(scores.loc[scores["subject"] == "p2", "metric"])


def test_empty_masks_that_count_as_healthy_are_the_normals_of_the_auroc(folder):
    scores, _ = evaluate(folder, empty_masks="healthy")
    normal, *abnormal = (planted(subject, True)[2].mean() for subject in ("p2", "p1", "p3"))
    assert value(scores, "auroc") == pytest.approx(roc_auc_score([0, 1, 1], [normal, *abnormal]))


def test_empty_masks_that_are_left_out_keep_their_image_score_alone(folder):
    scores, _ = evaluate(folder, empty_masks="leave-out")
    assert scores.loc[scores["subject"] == "p2", "metric"].tolist() == ["image_score"]


def test_patients_without_a_lesion_mask_are_counted_and_stop_no_evaluation(tmp_path):
    write_dataset(tmp_path, "toy", PATIENTS)
    write_dataset(tmp_path, "well", HEALTHY, group="healthy")
    for subject in ("p2", "p3"):
        change_index(tmp_path, "toy", subject, lesion_voxels="")
    scores, _ = evaluate(tmp_path)
    maps, truth = pooled(("p1",))
    assert value(scores, "auprc") == pytest.approx(average_precision_score(truth, maps))
    assert value(scores, "subjects_unannotated") == 2
    assert value(scores, "subjects_failed") == 0
    assert scores.loc[scores["subject"] == "p2", "metric"].tolist() == ["image_score"]


@pytest.mark.parametrize(("empty_masks", "subjects"), [("patients", ("v1", "v2")), ("leave-out", ("v1",))])
def test_empty_masks_count_alike_where_the_threshold_is_chosen(folder, empty_masks, subjects):
    scores, _ = evaluate(folder, empty_masks=empty_masks)
    maps, truth = pooled(subjects, empty=("v2",))
    threshold = value(scores, "threshold", protocol="validation")
    assert dice_of(maps >= threshold, truth) == pytest.approx(best_dice(maps, truth))


def test_validation_patients_can_be_evaluated_without_their_own_threshold(folder, caplog):
    scores, _ = evaluate(folder, role="validation")
    maps, truth = pooled(("v1", "v2"), empty=("v2",))
    assert value(scores, "auprc") == pytest.approx(average_precision_score(truth, maps))
    assert value(scores, "dice", protocol="oracle") == pytest.approx(best_dice(maps, truth))
    assert set(scores["protocol"]) == {"", "oracle", "healthy-fpr", "yen"}
    assert value(scores, "protocol_left_out", stratum="validation") == 1
    assert value(scores, "protocol_left_out", stratum="validation-bisection") == 1
    assert "protocol 'validation' is left out" in caplog.text
    assert not {"p1", "p2", "p3"} & set(scores["subject"])


def test_no_test_map_is_opened_where_validation_patients_are_evaluated(tmp_path):
    write_dataset(tmp_path, "toy", PATIENTS)
    write_dataset(tmp_path, "well", HEALTHY, group="healthy")
    for dataset, subjects in (("toy", ("p1", "p2", "p3")), ("well", ("h3", "h4"))):
        for subject in subjects:
            (tmp_path / "maps" / dataset / f"sub-{subject}_map.npy").unlink()
    scores, _ = evaluate(tmp_path, role="validation", healthy_role="test")
    assert value(scores, "subjects_failed") == 0
    assert value(scores, "subjects", "mean", stratum="well") == 2


def test_evaluated_validation_patients_are_compared_with_healthy_validation_subjects(folder):
    scores, _ = evaluate(folder, role="validation")
    normal = [planted(subject, False)[2].mean() for subject in ("h1", "h2")]
    abnormal = [planted(subject, True)[2].mean() for subject in ("v1", "v2")]
    expected = roc_auc_score([0, 0, 1, 1], [*normal, *abnormal])
    assert value(scores, "auroc", stratum="well") == pytest.approx(expected)


def test_each_stratum_of_sizes_has_its_own_best_threshold(tmp_path):
    subjects = ("p1", "p2", "p3", "p4", "p5")
    write_dataset(tmp_path, "toy", dict.fromkeys(subjects, "test"))
    rng, lesions, maps = np.random.default_rng(0), {}, {}
    for subject, voxels in zip(subjects, (1, 2, 71, 72, 600), strict=True):
        lesions[subject] = EMPTY.copy()
        lesions[subject].ravel()[rng.choice(EMPTY.size, voxels, replace=False)] = True
        level = 4 if voxels < 71 else 1
        maps[subject] = (rng.exponential(size=SHAPE) + level * lesions[subject]).astype(np.float16)
        replace(tmp_path, "toy", subject, maps[subject].astype(np.float32), lesions[subject])
    strata = (
        {"name": "small", "above": 1, "up_to": 71},
        {"name": "medium", "above": 71, "up_to": 570},
        {"name": "large", "above": 570},
    )
    split = split_of(toy=dict.fromkeys(subjects, "test"))
    grid = {"start": 0, "stop": 8, "step": 0.1}
    scores, _ = evaluate(tmp_path, split, False, subject_strata=strata, threshold_grid=grid)
    for name, members in (("small", ("p2", "p3")), ("medium", ("p4",)), ("large", ("p5",))):
        values = np.concatenate([maps[s].ravel() for s in members]).astype(np.float64)
        truth = np.concatenate([lesions[s].ravel() for s in members])
        assert value(scores, "dice", protocol="oracle", stratum=name) == pytest.approx(
            best_dice(values, truth)
        )
        on_grid = max(dice_of(values > 0.1 * step, truth) for step in range(80))
        assert value(scores, "dice_grid", protocol="oracle", stratum=name) == pytest.approx(on_grid)
        assert value(scores, "auprc", stratum=name) == pytest.approx(average_precision_score(truth, values))
        assert value(scores, "subjects_with_lesion", stratum=name) == len(members)
    best = scores[(scores["metric"] == "dice") & (scores["subject"] == "pooled") & (scores["stratum"] != "")]
    assert best["threshold"].nunique() == 3


def test_spheres_are_grouped_by_the_diameter_that_was_drawn_whatever_the_brain_leaves_of_them(tmp_path):
    write_dataset(tmp_path, "toy", dict.fromkeys(TEST, "test"))
    planted_mm = {"subject": ["p1", "p2", "p3", "p3"], "diameter_mm": [7.5, 42.0, 6.0, 10.5]}
    write_table(pd.DataFrame(planted_mm), tmp_path / "arrays/toy/planted.tsv")
    cut = EMPTY.copy()
    cut[3, 3, 3] = True  # of the sphere of 42 mm
    replace(tmp_path, "toy", "p2", lesion=cut)
    bins = ((5, 10), (10, 15), (40, None))
    strata = [
        {"name": f"from {above} mm", "by": "diameter_mm", "above": above, "up_to": up_to}
        for above, up_to in bins
    ]
    split = split_of(toy=dict.fromkeys(TEST, "test"))
    scores, _ = evaluate(tmp_path, split, False, subject_strata=strata)
    for name, subject in (("from 5 mm", "p1"), ("from 10 mm", "p3"), ("from 40 mm", "p2")):
        assert value(scores, "subjects_with_lesion", stratum=name) == 1
        assert value(scores, "auprc", stratum=name) == value(scores, "auprc", subject)


def test_scans_without_lesion_masks_are_told_apart_as_wholes_and_no_voxel_is_measured(tmp_path):
    write_dataset(tmp_path, "toy", dict.fromkeys((*TEST, "h1", "h2"), "test"))
    for subject in TEST:
        change_index(tmp_path, "toy", subject, lesion_voxels="", condition="ICH;SDH")
    for subject in ("h1", "h2"):
        replace(tmp_path, "toy", subject, lesion=EMPTY)
        change_index(tmp_path, "toy", subject, group="healthy")
    split = split_of(toy=dict.fromkeys((*TEST, "h1", "h2"), "test"))
    scores, _ = evaluate(tmp_path, split, False)
    means = [planted(subject, True)[2].mean() for subject in (*TEST, "h1", "h2")]
    assert value(scores, "auroc") == pytest.approx(roc_auc_score([1, 1, 1, 0, 0], means))
    assert value(scores, "subjects_image_only") == 3
    measured = scores[scores["metric"].isin(["auprc", "dice"])]
    assert measured["value"].isna().all()


def test_a_diameter_that_is_no_number_names_the_file(tmp_path):
    write_dataset(tmp_path, "toy", PATIENTS)
    planted_mm = pd.DataFrame({"subject": ["p1"], "diameter_mm": ["wide"]})
    write_table(planted_mm, tmp_path / "arrays/toy/planted.tsv")
    with pytest.raises(InputError, match=r"planted\.tsv: diameter_mm is not a number in every row"):
        evaluate(tmp_path, split_of(toy=PATIENTS), False)


def test_attributes_group_subjects_in_means(tmp_path):
    write_dataset(tmp_path, "toy", PATIENTS)
    for subject, age, sex in (("p1", "39.9", "F"), ("p2", "40", "M"), ("p3", "52", "F")):
        change_index(tmp_path, "toy", subject, age=age, sex=sex)
    scores, _ = evaluate(tmp_path, healthy=False, attributes=("age", "sex", "site"))
    for stratum, members in (("age 20-40", ["p1"]), ("age 40-60", ["p2", "p3"]), ("sex F", ["p1", "p3"])):
        each = [value(scores, "auprc", subject) for subject in members]
        assert value(scores, "auprc", "mean", stratum=stratum) == pytest.approx(np.mean(each))
        each = [value(scores, "dice", subject, "validation") for subject in members]
        assert value(scores, "dice", "mean", "validation", stratum) == pytest.approx(np.mean(each))
        assert value(scores, "subjects_with_lesion", stratum=stratum) == len(members)
    assert not scores["stratum"].str.startswith("site").any()


def test_attributes_are_off_by_default(folder):
    scores, _ = evaluate(folder)
    assert not scores["stratum"].str.contains("age|sex").any()


@pytest.mark.parametrize(
    ("age", "group"),
    [
        *(("0", "0-20"), ("19.99", "0-20"), ("20", "20-40"), ("60", "60-80"), ("79", "60-80"), ("80", "80+")),
        *(("", ""), ("adult", ""), ("nan", ""), ("-1", "")),
    ],
)
def test_ages_fall_into_the_groups_of_the_paper(age, group):
    assert age_group(age) == group
