"""Splits are by participant, deterministic and stratified, and leaks stop them."""

import numpy as np
import pandas as pd
import pytest
from pydantic import ValidationError

from brainuad.errors import InputError
from brainuad.preprocessing.split_settings import SplitSettings
from brainuad.preprocessing.splits import check_leaks, make_split


def cohort_of(count, group="healthy", sessions=1, seed=0):
    rng = np.random.default_rng(seed)
    rows = [
        {
            "subject": f"P{p:03d}s{s}",
            "participant": f"P{p:03d}",
            "group": group,
            "age": str(age),
            "status": "ok",
        }
        for p, age in enumerate(rng.integers(20, 95, count))
        for s in range(sessions)
    ]
    return pd.DataFrame(rows)


def settings_of(folds=1, seed=0, **counts):
    return SplitSettings(datasets={"toy": counts}, folds=folds, seed=seed)


def members(split, role):
    return set(split.loc[split["role"] == role, "participant"])


def sizes(split):
    return {role: len(members(split, role)) for role in ("train", "validation", "test")}


def test_published_counts_are_met_when_the_cohort_is_large_enough():
    split = make_split({"toy": cohort_of(562)}, settings_of(train=358, validation=44, test=158), 0)
    assert sizes(split) == {"train": 358, "validation": 44, "test": 158}


@pytest.mark.parametrize("count", [3, 4, 7, 12, 100])
def test_counts_become_proportions_in_a_smaller_cohort_and_no_role_is_empty(count):
    split = make_split({"toy": cohort_of(count)}, settings_of(train=938, validation=62, test=251), 0)
    got = sizes(split)
    assert sum(got.values()) == count
    assert min(got.values()) >= 1
    assert got["train"] == pytest.approx(count * 938 / 1251, abs=2)


def test_shares_divide_the_cohort():
    split = make_split(
        {"toy": cohort_of(100)}, settings_of(train=0.7, validation=0.1, test=0.2, unit="share"), 0
    )
    assert sizes(split) == {"train": 70, "validation": 10, "test": 20}


def test_a_cohort_smaller_than_its_roles_is_an_error():
    with pytest.raises(InputError, match="at least 3"):
        make_split({"toy": cohort_of(2)}, settings_of(train=5, validation=5, test=5), 0)


def test_sessions_of_a_participant_stay_together():
    split = make_split({"toy": cohort_of(30, sessions=3)}, settings_of(train=10, validation=10, test=10), 0)
    assert (split.groupby("participant")["role"].nunique() == 1).all()
    assert (split.groupby("participant").size() == 3).all()


def test_the_split_is_a_function_of_the_seed_and_not_of_the_row_order():
    cohort = cohort_of(50)
    settings = settings_of(train=30, validation=10, test=10)
    again = make_split({"toy": cohort.sample(frac=1, random_state=1)}, settings, 0)
    first = make_split({"toy": cohort}, settings, 0)
    other = make_split({"toy": cohort}, settings_of(seed=1, train=30, validation=10, test=10), 0)
    assert members(first, "test") == members(again, "test")
    assert members(first, "test") != members(other, "test")


def test_runs_that_are_not_folds_share_one_split():
    settings = settings_of(train=30, validation=10, test=10)
    first, second = (make_split({"toy": cohort_of(50)}, settings, run) for run in (0, 1))
    pd.testing.assert_frame_equal(first, second)


def test_folds_keep_the_test_set_and_rotate_validation():
    settings = settings_of(folds=5, train=40, validation=10, test=10)
    splits = [make_split({"toy": cohort_of(60)}, settings, run) for run in range(5)]
    assert len({frozenset(members(split, "test")) for split in splits}) == 1
    validation = [members(split, "validation") for split in splits]
    assert len(set.union(*validation)) == 50  # disjoint: every other participant once
    assert all(sizes(split) == {"train": 40, "validation": 10, "test": 10} for split in splits)


def test_validation_stays_where_nothing_is_trained():
    settings = settings_of(folds=5, validation=10, test=20)
    first, second = (make_split({"toy": cohort_of(30)}, settings, run) for run in (0, 3))
    pd.testing.assert_frame_equal(first, second)


def test_age_groups_have_the_same_share_in_every_role():
    cohort = cohort_of(400)
    split = make_split({"toy": cohort}, settings_of(train=200, validation=100, test=100), 0)
    table = split.merge(cohort[["subject", "age"]])
    group = pd.cut(table["age"].astype(float), [0, 40, 60, 80, 200], right=False)
    share = pd.crosstab(table["role"], group, normalize="index")
    assert (share.max() - share.min()).max() < 0.03


def test_patients_can_have_counts_of_their_own():
    cohort = pd.concat([cohort_of(20), cohort_of(10, "patient").replace(r"^P", "Q", regex=True)])
    counts = {"train": 15, "validation": 3, "test": 2, "patients": {"test": 1, "unit": "share"}}
    split = make_split({"toy": cohort}, settings_of(**counts), 0)
    assert sizes(split) == {"train": 15, "validation": 3, "test": 12}
    assert {p for p in members(split, "test") if p.startswith("Q")} == {f"Q{n:03d}" for n in range(10)}


ANNOTATED = {"train": 0.5, "test": 0.5, "unit": "share", "annotated": True}


def half_annotated() -> pd.DataFrame:
    """Ten normals and ten patients with two scans each; five patients have a mask for their second scan."""
    ill = cohort_of(10, "patient", sessions=2).replace(r"^P", "Q", regex=True)
    masked = ill["subject"].isin([f"Q{n:03d}s1" for n in range(5)])
    annotated = ill.assign(lesion_voxels=masked.map({True: "7", False: ""}))
    return pd.concat([cohort_of(10), annotated], ignore_index=True).fillna("")


def test_patients_without_a_lesion_mask_can_be_left_out():
    settings = settings_of(train=1, unit="share", patients=ANNOTATED)
    split = make_split({"toy": half_annotated()}, settings, 0)
    ill = split[split["participant"].str.startswith("Q")]
    assert set(ill["subject"]) == {f"Q{n:03d}s1" for n in range(5)}
    assert set(ill["role"]) == {"train", "test"}


def test_a_normal_scan_of_a_patient_without_a_mask_is_trained_on_and_the_abnormal_one_has_no_role():
    cohort = half_annotated()
    cohort.loc[cohort["subject"] == "Q009s0", "group"] = "healthy"
    settings = settings_of(train=1, unit="share", patients=ANNOTATED)
    roles = make_split({"toy": cohort}, settings, 0).set_index("subject")["role"]
    assert roles["Q009s0"] == "train"
    assert "Q009s1" not in roles


def test_a_normal_scan_of_a_patient_with_a_mask_goes_where_the_abnormal_one_goes():
    cohort = half_annotated()
    cohort.loc[cohort["subject"].isin([f"Q{n:03d}s0" for n in range(5)]), "group"] = "healthy"
    settings = settings_of(train=1, unit="share", patients=ANNOTATED)
    roles = make_split({"toy": cohort}, settings, 0).set_index("subject")["role"]
    assert all(roles[f"Q{n:03d}s0"] == roles[f"Q{n:03d}s1"] for n in range(5))
    assert set(roles[[f"Q{n:03d}s0" for n in range(5)]]) == {"train", "test"}


def test_all_patients_have_roles_where_nobody_is_annotated():
    cohort = half_annotated().assign(lesion_voxels="")
    split = make_split({"toy": cohort}, settings_of(train=1, unit="share", patients=ANNOTATED), 0)
    assert set(split["participant"]) == set(cohort["participant"])


def curated(normals: int, held_out: int, patients: int) -> tuple[pd.DataFrame, set[str]]:
    """A cohort of which curation holds out the first normals, and these."""
    healthy, ill = cohort_of(normals), cohort_of(patients, group="patient")
    ill = ill.assign(subject="X" + ill["subject"], participant="X" + ill["participant"])
    apart = {f"P{number:03d}" for number in range(held_out)}
    marked = healthy["participant"].isin(apart).map({True: "yes", False: ""})
    return pd.concat([healthy.assign(held_out=marked), ill], ignore_index=True).fillna(""), apart


def test_normals_that_curation_holds_out_validate_and_test_and_all_others_are_trained_on():
    cohort, apart = curated(normals=40, held_out=10, patients=20)
    ill = set(cohort.loc[cohort["group"] == "patient", "participant"])
    counts = {"train": 0.8, "validation": 0.05, "test": 0.15, "unit": "share"}
    split = make_split({"toy": cohort}, settings_of(**counts, patients={"test": 1, "unit": "share"}), 0)
    assert members(split, "train") == set(cohort["participant"]) - apart - ill
    assert members(split, "validation") | members(split, "test") == apart | ill
    assert len(members(split, "validation")) in (2, 3)


SHARES = {"train": 0.8, "validation": 0.1, "test": 0.1, "unit": "share"}
PATIENTS = {"validation": 0.5, "test": 0.5, "unit": "share"}


@pytest.mark.parametrize(
    "counts", [SHARES, {"train": 1, "unit": "share", "patients": PATIENTS}, {**SHARES, "patients": PATIENTS}]
)
def test_normals_that_curation_holds_out_are_never_trained_on(counts):
    cohort, apart = curated(normals=26, held_out=6, patients=6)
    split = make_split({"toy": cohort}, settings_of(**counts), 0)
    assert members(split, "train")
    assert not members(split, "train") & apart


def test_a_cohort_without_patients_trains_on_all_normals_that_are_not_held_out():
    cohort, apart = curated(normals=20, held_out=4, patients=1)
    cohort = cohort[cohort["group"] == "healthy"]
    split = make_split({"toy": cohort}, settings_of(**SHARES), 0)
    assert members(split, "train") == set(cohort["participant"]) - apart
    assert members(split, "validation") | members(split, "test") == apart


def test_holding_out_all_normals_leaves_none_to_train_on_and_is_an_error():
    cohort, _ = curated(normals=5, held_out=5, patients=4)
    with pytest.raises(InputError, match="holds out all 5 healthy participants"):
        make_split({"toy": cohort}, settings_of(**SHARES), 0)


def test_excluded_subjects_have_no_role():
    cohort = cohort_of(10)
    cohort.loc[3, "status"] = "excluded"
    split = make_split({"toy": cohort}, settings_of(train=5, validation=2, test=2), 0)
    assert "P003" not in set(split["participant"])


def test_published_lists_are_followed(tmp_path):
    (tmp_path / "train0.csv").write_text("name,age\nP000-s0,30\nP001s0,40\nUNKNOWN,1\n")
    (tmp_path / "test.csv").write_text("P004s0\n")
    lists = {"train": str(tmp_path / "train{run}.csv"), "test": str(tmp_path / "test.csv")}
    split = make_split({"toy": cohort_of(6)}, settings_of(train=1, lists=lists), 0)
    assert members(split, "train") == {"P000", "P001"}
    assert members(split, "test") == {"P004"}


def test_overlapping_published_lists_are_an_error(tmp_path):
    (tmp_path / "train.csv").write_text("P000s0\nP001s0\n")
    (tmp_path / "test.csv").write_text("P001s0\n")
    lists = {"train": str(tmp_path / "train.csv"), "test": str(tmp_path / "test.csv")}
    with pytest.raises(InputError, match="1 subjects of toy are also in another list"):
        make_split({"toy": cohort_of(6)}, settings_of(train=1, lists=lists), 0)


def test_a_participant_with_two_roles_is_a_leak():
    split = pd.DataFrame(
        {"dataset": "toy", "subject": ["a1", "a2"], "participant": "a", "role": ["train", "test"]}
    )
    with pytest.raises(InputError, match="1 participants have several roles"):
        check_leaks(split)


def test_the_same_image_under_two_names_is_a_leak():
    split = pd.DataFrame(
        {"dataset": "toy", "subject": ["a", "b"], "participant": ["a", "b"], "role": ["train", "test"]}
    )
    with pytest.raises(InputError, match="1 images occur under several roles"):
        check_leaks(split.assign(image_hash="0f"))


def test_the_hashes_of_the_cohort_are_compared():
    cohort = cohort_of(2).assign(image_hash="0f")
    with pytest.raises(InputError, match="1 images occur under several roles"):
        make_split({"toy": cohort}, settings_of(train=1, test=1), 0)


def test_counts_without_any_role_are_refused():
    with pytest.raises(ValidationError, match="at least one role"):
        settings_of()
