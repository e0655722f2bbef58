"""Thresholds from scans of other data sets, against what is counted by hand."""

from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from brainuad.errors import InputError
from brainuad.leaderboard.rescore import Lenders, rescore
from brainuad.leaderboard.settings import LeaderboardSettings
from tests.unit.evaluation.toy import (
    EXPONENT,
    HEALTHY,
    PATIENTS,
    change_index,
    change_manifest,
    dice_of,
    open_maps,
    plain,
    planted,
    split_of,
    value,
    write_dataset,
)

SETTINGS = LeaderboardSettings(postprocessing=(), resamples=200, rounds=2000)
LABELS: dict[str, str | int] = {"study": "s", "method": "m", "run": 0}
# The first patient has the name of a validation patient of the lender.
TESTED = {"v1": "test", "q2": "test"}
SPLIT = split_of(toy=PATIENTS, well=HEALTHY, tested=TESTED)


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    write_dataset(tmp_path, "toy", PATIENTS)
    write_dataset(tmp_path, "well", HEALTHY, group="healthy")
    write_dataset(tmp_path, "tested", TESTED)
    return tmp_path


def scores_of(folder: Path, lenders: Lenders, dataset: str = "tested") -> pd.DataFrame:
    return rescore(open_maps(folder, dataset), SPLIT, lenders, SETTINGS, LABELS)


def best_threshold(subjects: tuple[str, ...]) -> float:
    """The threshold with the highest Dice of all voxels in the brain, by trying every value."""
    scores, lesion = plain(subjects)
    inside = np.stack([planted(subject, True)[0] for subject in subjects])
    values, truth = scores[inside], lesion[inside]
    candidates = np.unique(values)
    return float(candidates[np.argmax([dice_of(values >= c, truth) for c in candidates])])


def slices_without_lesion(subject: str) -> np.ndarray:
    """The values in the brain of a patient's slices without a lesion voxel."""
    brain, lesion, scores = planted(subject, True)
    free = ~lesion.any(axis=(0, 1))
    return scores[..., free][brain[..., free]]


def sources(scores: pd.DataFrame, protocol: str) -> dict[str, float]:
    rows = scores[(scores["metric"] == "threshold_scans") & (scores["protocol"] == protocol)]
    return dict(zip(rows["stratum"], rows["value"], strict=True))


def test_the_validated_threshold_is_that_of_the_lenders_validation_patients(folder: Path) -> None:
    scores = scores_of(folder, Lenders(patients=[open_maps(folder, "toy")]))
    threshold = value(scores, "threshold", protocol="validation")
    assert threshold == pytest.approx(best_threshold(("v1", "v2")))
    for subject in TESTED:
        brain, lesion, found = planted(subject, True)
        expected = dice_of((found.astype(float) >= threshold) & brain, lesion)
        assert value(scores, "dice", subject, "validation") == pytest.approx(expected)
    assert sources(scores, "validation") == {"patient:toy": 2}
    assert value(scores, "threshold_borrowed", protocol="validation") == 1
    assert value(scores, "threshold_fallback", protocol="validation") == 0


def test_lent_patients_are_not_scored(folder: Path) -> None:
    scores = scores_of(folder, Lenders(patients=[open_maps(folder, "toy")]))
    assert set(scores["subject"]) == {*TESTED, "pooled", "mean"}
    assert set(scores["dataset"]) == {"tested"}


def test_test_patients_of_the_lender_have_no_say(folder: Path) -> None:
    before = scores_of(folder, Lenders(patients=[open_maps(folder, "toy")]))
    for subject, role in PATIENTS.items():
        if role == "test":
            (folder / f"maps/toy/sub-{subject}_map.npy").unlink()
    after = scores_of(folder, Lenders(patients=[open_maps(folder, "toy")]))
    pd.testing.assert_frame_equal(before, after)


def test_own_validation_patients_come_before_lent_ones(folder: Path) -> None:
    alone = scores_of(folder, Lenders(), "toy")
    write_dataset(folder, "other", {"v9": "validation"})
    both = rescore(
        open_maps(folder, "toy"),
        pd.concat([SPLIT, split_of(other={"v9": "validation"})]),
        Lenders(patients=[open_maps(folder, "other")]),
        SETTINGS,
        LABELS,
    )
    pd.testing.assert_frame_equal(alone, both)
    assert sources(both, "validation") == {"patient:toy": 2}
    assert value(both, "threshold_borrowed", protocol="validation") == 0


def test_own_validation_patients_without_a_lesion_let_others_lend(folder: Path) -> None:
    own = {"e1": "validation", "p1": "test"}
    write_dataset(folder, "empty", own, without_lesion=("e1",))
    scores = rescore(
        open_maps(folder, "empty"),
        pd.concat([SPLIT, split_of(empty=own)]),
        Lenders(patients=[open_maps(folder, "toy")]),
        SETTINGS,
        LABELS,
    )
    assert sources(scores, "validation") == {"patient:toy": 2}


def test_a_lender_without_lesion_masks_lends_nothing(folder: Path) -> None:
    for subject in ("v1", "v2"):
        change_index(folder, "toy", subject, lesion_voxels="")
    scores = scores_of(folder, Lenders(patients=[open_maps(folder, "toy")]))
    assert "validation" not in set(scores["protocol"])


def test_lent_maps_of_another_scale_are_refused(folder: Path) -> None:
    change_manifest(folder, "toy", "v1", scale_exponent=EXPONENT + 1)
    with pytest.raises(InputError, match="different scale exponents"):
        scores_of(folder, Lenders(patients=[open_maps(folder, "toy")]))


def test_lent_healthy_scans_give_a_threshold_and_a_rate(folder: Path) -> None:
    scores = scores_of(folder, Lenders(healthy=[open_maps(folder, "well")]))
    threshold = value(scores, "threshold", protocol="healthy-fpr")
    values = np.concatenate([planted(s, False)[2][planted(s, False)[0]] for s in ("h1", "h2")])
    assert (
        (values >= threshold).mean() <= 0.05 < (values >= np.nextafter(threshold, 0, dtype=np.float16)).mean()
    )
    assert sources(scores, "healthy-fpr") == {"healthy:well": 2}
    assert value(scores, "threshold_borrowed", protocol="healthy-fpr") == 1
    rates = [(planted(s, False)[2][planted(s, False)[0]] >= threshold).mean() for s in ("h3", "h4")]
    assert value(scores, "fpr", "mean", "healthy-fpr", "well") == pytest.approx(np.mean(rates))
    # Without any patient the healthy threshold takes the place of the validated one.
    assert value(scores, "threshold_fallback", protocol="validation") == 1
    assert sources(scores, "validation") == {"healthy:well": 2}


def test_healthy_scans_that_the_study_names_are_not_borrowed(folder: Path) -> None:
    scores = scores_of(folder, Lenders(healthy=[open_maps(folder, "well")], named=True))
    assert value(scores, "threshold_borrowed", protocol="healthy-fpr") == 0


@pytest.mark.parametrize("slices", ["tumour-free", "tumour-free-unresized"])
def test_slices_without_a_lesion_are_the_healthy_scans_of_patients(folder: Path, slices: str) -> None:
    scores = scores_of(folder, Lenders(healthy=[open_maps(folder, "toy")], slices=slices))
    threshold = value(scores, "threshold", protocol="healthy-fpr")
    values = np.concatenate([slices_without_lesion(subject) for subject in ("v1", "v2")])
    assert (
        (values >= threshold).mean() <= 0.05 < (values >= np.nextafter(threshold, 0, dtype=np.float16)).mean()
    )
    rates = [(slices_without_lesion(subject) >= threshold).mean() for subject in ("p1", "p2", "p3")]
    assert value(scores, "fpr", "mean", "healthy-fpr", "slices:toy") == pytest.approx(np.mean(rates))
    assert value(scores, "subjects", "mean", stratum="slices:toy") == 3
    assert sources(scores, "healthy-fpr") == {"slices:toy": 2}
    assert value(scores, "threshold_borrowed", protocol="healthy-fpr") == 1


def test_slices_that_showed_a_lesion_before_the_resize_are_left_out(folder: Path) -> None:
    store = open_maps(folder, "toy").store
    shown = np.load(store.folder / "lesion_slices.npy")
    first = store.slices("p1").start
    free = int(np.flatnonzero(~planted("p1", True)[1].any(axis=(0, 1)))[0])
    shown[first + free] = True
    np.save(store.folder / "lesion_slices.npy", shown)
    rates = {}
    for slices in ("tumour-free", "tumour-free-unresized"):
        scores = scores_of(folder, Lenders(healthy=[open_maps(folder, "toy")], slices=slices))
        rates[slices] = value(scores, "fpr", "mean", "yen", "slices:toy")
    assert rates["tumour-free"] != rates["tumour-free-unresized"]


def test_numbers_of_whole_scans_are_not_those_of_their_slices(folder: Path) -> None:
    scores = scores_of(folder, Lenders(healthy=[open_maps(folder, "toy")], slices="tumour-free"))
    named = set(scores.loc[scores["stratum"] == "slices:toy", "metric"])
    assert named == {"fpr", "healthy_components", "subjects", "threshold_scans"}


def test_a_test_set_can_lend_its_own_slices(folder: Path) -> None:
    scores = scores_of(folder, Lenders(healthy=[open_maps(folder, "toy")], slices="tumour-free"), "toy")
    assert value(scores, "threshold", protocol="validation") == pytest.approx(best_threshold(("v1", "v2")))
    assert sources(scores, "healthy-fpr") == {"slices:toy": 2}
    assert 0 <= value(scores, "fpr", "mean", "healthy-fpr", "slices:toy") <= 1


def test_healthy_scans_come_before_slices(folder: Path) -> None:
    lenders = Lenders(healthy=[open_maps(folder, "toy"), open_maps(folder, "well")], slices="tumour-free")
    assert sources(scores_of(folder, lenders), "healthy-fpr") == {"healthy:well": 2}


def test_a_test_set_with_healthy_scans_of_its_own_borrows_none(folder: Path) -> None:
    scores = scores_of(folder, Lenders(healthy=[open_maps(folder, "toy")], slices="tumour-free"), "well")
    assert sources(scores, "healthy-fpr") == {"healthy:well": 2}
    assert value(scores, "threshold_borrowed", protocol="healthy-fpr") == 0


def test_without_any_lender_two_protocols_have_no_threshold(folder: Path) -> None:
    scores = scores_of(folder, Lenders())
    assert set(scores["protocol"]) == {"", "oracle", "yen"}
    assert not scores["metric"].isin(["threshold_scans", "threshold_borrowed"]).any()
