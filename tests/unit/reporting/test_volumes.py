"""What is shown of volumes: subjects, slices, orientation and units."""

import shutil
from dataclasses import replace
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from brainuad.arrays import ArrayStore
from brainuad.errors import InputError
from brainuad.evaluation.settings import MaskBrain
from brainuad.reporting.inputs import StudyEntry
from brainuad.reporting.volumes import (
    Case,
    as_seen,
    bounding_box,
    choose_cases,
    display_window,
    load_method_volume,
    to_unit,
)
from brainuad.storage import read_table, write_table


@pytest.fixture
def store(study: StudyEntry) -> ArrayStore:
    return ArrayStore(study.datasets[0].arrays)


def test_subjects_are_ranked_by_lesion_volume_and_spread_over_the_ranks(
    study: StudyEntry, store: ArrayStore
) -> None:
    cases = choose_cases(store, study, "brats21", 3)
    voxels = store.index["lesion_voxels"].astype(int).sort_values(ascending=False)
    assert [case.number for case in cases] == sorted(case.number for case in cases)
    assert all(voxels.index[case.number - 1] == case.subject for case in cases)


def test_pseudonyms_do_not_hold_the_identifier() -> None:
    assert Case("brats21", "BraTS202100000", 3).pseudonym == "BraTS 2021 #3"


def test_no_more_subjects_than_have_lesions_are_shown(study: StudyEntry, store: ArrayStore) -> None:
    cases = choose_cases(store, study, "brats21", 100)
    assert len(cases) == (store.index["lesion_voxels"] > 0).sum()


def test_scans_of_different_participants_are_shown_where_there_are_enough(
    study: StudyEntry, store: ArrayStore, tmp_path: Path
) -> None:
    index = read_table(store.folder / "index.tsv")
    lesions = index["lesion_voxels"].astype(int)
    ranked = lesions[lesions > 0].sort_values(ascending=False).index
    index.loc[ranked[:2], "participant"] = "follow-up"
    write_table(index, tmp_path / "index.tsv")
    twice = ArrayStore(tmp_path)
    cases = choose_cases(twice, study, "brats21", len(ranked) - 1)
    assert [case.number for case in cases] == [1, *range(3, len(ranked) + 1)]
    assert len(choose_cases(twice, study, "brats21", len(ranked))) == len(ranked)


def test_healthy_data_sets_have_cases_too(study: StudyEntry) -> None:
    assert len(choose_cases(ArrayStore(study.datasets[1].arrays), study, "ixi", 2)) == 2


def test_patients_are_shown_where_nobodys_lesions_are_annotated(
    study: StudyEntry, store: ArrayStore, tmp_path: Path
) -> None:
    index = read_table(store.folder / "index.tsv")
    index["lesion_voxels"] = ""
    index["group"] = ["healthy"] * (len(index) - 2) + ["patient"] * 2
    write_table(index, tmp_path / "index.tsv")
    cases = choose_cases(ArrayStore(tmp_path), study, "brats21", 3)
    assert [case.subject for case in cases] == sorted(index["subject"][-2:])


def test_maps_come_in_their_true_units_with_slices_first(study: StudyEntry, store: ArrayStore) -> None:
    case = choose_cases(store, study, "brats21", 1)[0]
    found = load_method_volume(study, "dae-coarse", 0, case, store)
    assert found is not None
    stored = np.load(
        study.manifest("dae-coarse", 0, "brats21").with_suffix("") / f"sub-{case.subject}_map.npy"
    )
    assert found.anomaly_map == pytest.approx(stored.transpose(2, 0, 1).astype(float) / 2**8)
    assert found.pseudo_healthy is not None
    assert found.pseudo_healthy.shape == store.volume(case.subject).images.shape


def test_pseudo_healthy_images_have_the_input_outside_the_brain(
    study: StudyEntry, store: ArrayStore, tmp_path: Path
) -> None:
    case = choose_cases(store, study, "brats21", 1)[0]
    moved = replace(study, folder=tmp_path)
    manifest, name = moved.manifest("dae-coarse", 0, "brats21"), f"sub-{case.subject}_pseudohealthy.npy"
    shutil.copytree(study.manifest("dae-coarse", 0, "brats21").parent, manifest.parent)
    stored = np.load(manifest.with_suffix("") / name)
    np.save(manifest.with_suffix("") / name, np.full_like(stored, 7))
    found = load_method_volume(moved, "dae-coarse", 0, case, store)
    assert found is not None
    volume = store.volume(case.subject)
    assert (found.pseudo_healthy == np.where(volume.brain[:, None], 7, volume.images)).all()


def test_maps_are_post_processed_as_the_metrics_saw_them(study: StudyEntry, store: ArrayStore) -> None:
    case = choose_cases(store, study, "brats21", 1)[0]
    steps = (MaskBrain(step="mask_brain", erosion=2),)
    eroding = replace(study, methods=tuple(replace(method, steps=steps) for method in study.methods))
    plain = load_method_volume(study, "threshold", 0, case, store)
    eroded = load_method_volume(eroding, "threshold", 0, case, store)
    assert plain is not None
    assert eroded is not None
    assert 0 < np.count_nonzero(eroded.anomaly_map) < np.count_nonzero(plain.anomaly_map)


def test_a_method_that_was_not_run_has_no_volume(study: StudyEntry, store: ArrayStore) -> None:
    assert load_method_volume(study, "andi-mf5", 0, Case("brats21", "BRATS21000", 1), store) is None


def test_a_manifest_cannot_name_files_elsewhere(study: StudyEntry, store: ArrayStore, tmp_path: Path) -> None:
    table = read_table(study.manifest("threshold", 0, "brats21"))
    table.loc[table["subject"] == "BRATS21000", "map"] = "../outside.npy"
    moved = replace(study, folder=tmp_path)
    write_table(pd.DataFrame(table), moved.manifest("threshold", 0, "brats21"))
    with pytest.raises(InputError, match="outside the folder"):
        load_method_volume(moved, "threshold", 0, Case("brats21", "BRATS21000", 1), store)


def test_left_posterior_axes_are_shown_as_they_lie() -> None:
    plane = np.arange(6).reshape(2, 3)
    assert (as_seen(plane, np.diag([-1, -1, 1, 1])) == plane.T).all()


def test_right_anterior_axes_are_turned_to_the_same_picture() -> None:
    plane = np.arange(6).reshape(2, 3)
    turned = as_seen(plane[::-1, ::-1], np.diag([1, 1, 1, 1]))
    assert (turned == as_seen(plane, np.diag([-1, -1, 1, 1]))).all()


def test_the_box_holds_the_mask_and_its_margin() -> None:
    mask = np.zeros((2, 8, 9), dtype=bool)
    mask[1, 3, 5] = True
    assert bounding_box(mask, 1) == (slice(2, 5), slice(4, 7))
    assert bounding_box(mask, 4) == (slice(0, 8), slice(1, 10))
    assert bounding_box(np.zeros((1, 4, 4), bool), 1) == (slice(None), slice(None))


def test_the_window_spans_the_brain_and_keeps_the_background_black() -> None:
    image, brain = np.full((10, 10), -1.0), np.zeros((10, 10), bool)
    brain[2:8, 2:8] = True
    image[brain] = np.linspace(0, 2, 36)
    window = display_window(image, brain)
    assert window[0] == -1.0
    assert 1.9 < window[1] <= 2.0
    assert to_unit(image, window).min() == 0
    assert to_unit(image, window).max() == 1


def test_a_constant_image_has_a_window_too() -> None:
    low, high = display_window(np.zeros((3, 3)), np.ones((3, 3), bool))
    assert low < high
