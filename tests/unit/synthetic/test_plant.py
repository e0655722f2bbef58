"""A synthetic test set: whose scans, what is in its folder, and the same draws every time."""

import json
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
from pydantic import TypeAdapter
from typer.testing import CliRunner

from brainuad.arrays import ArrayStore
from brainuad.cli.main import app
from brainuad.errors import InputError
from brainuad.storage import read_table, write_table
from brainuad.synthetic.plant import PlantingRequest, plant_dataset
from brainuad.synthetic.roles import add_synthetic_sets
from brainuad.synthetic.settings import SyntheticSettings
from tests.conftest import SLICES, write_arrays
from tests.verbs import error_of

KINDS = ["ellipses", "copy-paste", "spheres"]


@pytest.fixture
def base(tmp_path: Path) -> Path:
    """Arrays of two channels, five healthy subjects and a patient; the first slice of h1 shows no brain."""
    folder = write_arrays(tmp_path / "ixi/two", [f"h{k}" for k in range(6)], False, ("t1", "t2"))
    index = read_table(folder / "index.tsv")
    index.loc[5, "group"] = "patient"
    write_table(index, folder / "index.tsv")
    brain = np.load(folder / "brain.npy")
    brain[SLICES] = False
    np.save(folder / "brain.npy", brain)
    return folder


@pytest.fixture
def split(base: Path) -> pd.DataFrame:
    names = list(read_table(base / "index.tsv")["subject"])
    roles = ["train", "test", "test", "test", "validation", "test"]
    return pd.DataFrame({"dataset": "ixi", "subject": names, "participant": names, "role": roles})


def request(kind: str, seed: int = 3, **content: Any) -> PlantingRequest:
    # The head of these tests has 32 pixels of 1 mm.
    own = {"diameter_mm": [5, 9]} if kind == "spheres" else {}
    made: Any = TypeAdapter(SyntheticSettings).validate_python({"kind": kind, "of": "ixi", **own, **content})
    return PlantingRequest("planted", made, seed)


def plant(kind: str, base: Path, split: pd.DataFrame, folder: Path, **content: Any) -> ArrayStore:
    plant_dataset(request(kind, **content), ArrayStore(base), split, folder)
    return ArrayStore(folder)


@pytest.mark.parametrize("kind", KINDS)
def test_the_healthy_test_subjects_become_patients_of_the_same_name(
    kind: str, base: Path, split: pd.DataFrame, tmp_path: Path
) -> None:
    store = plant(kind, base, split, tmp_path / "out")
    assert store.subjects == ["h1", "h2", "h3"]
    assert (store.index["group"] == "patient").all()
    assert store.index["first_slice"].tolist() == [0, SLICES, 2 * SLICES]


@pytest.mark.parametrize("kind", KINDS)
def test_images_differ_from_the_clean_ones_inside_the_mask_only(
    kind: str, base: Path, split: pd.DataFrame, tmp_path: Path
) -> None:
    store, original = plant(kind, base, split, tmp_path / "out"), ArrayStore(base)
    for subject in store.subjects:
        volume, healthy = store.volume(subject), original.volume(subject)
        assert volume.clean is not None
        assert np.array_equal(volume.clean, healthy.images)
        assert np.array_equal(volume.brain, healthy.brain)
        changed = (volume.images != volume.clean).any(axis=1)
        assert changed.any()
        assert not (changed & ~volume.lesion).any()
        assert store.index["lesion_voxels"][subject] == volume.lesion.sum() > 0


@pytest.mark.parametrize("kind", ["ellipses", "copy-paste"])
def test_every_slice_with_brain_has_its_own_anomaly_and_other_slices_have_none(
    kind: str, base: Path, split: pd.DataFrame, tmp_path: Path
) -> None:
    store = plant(kind, base, split, tmp_path / "out")
    assert store.volume("h1").lesion.any(axis=(1, 2)).tolist() == [False] + [True] * (SLICES - 1)
    masks = store.volume("h2").lesion
    assert len({mask.tobytes() for mask in masks}) == SLICES


@pytest.mark.parametrize("kind", KINDS)
def test_the_same_seed_plants_the_same_whatever_else_is_planted(
    kind: str, base: Path, split: pd.DataFrame, tmp_path: Path
) -> None:
    all_of_them = plant(kind, base, split, tmp_path / "a").volume("h3")
    alone = plant(kind, base, split[split["subject"] == "h3"], tmp_path / "b").volume("h3")
    other = plant(kind, base, split, tmp_path / "c", seed=4).volume("h3")
    assert np.array_equal(all_of_them.images, alone.images)
    assert np.array_equal(all_of_them.lesion, alone.lesion)
    assert not np.array_equal(all_of_them.images, other.images)


@pytest.mark.parametrize("kind", KINDS)
def test_copies_of_a_scan_have_their_own_anomalies_and_leave_the_first_as_it_is(
    kind: str, base: Path, split: pd.DataFrame, tmp_path: Path
) -> None:
    once = plant(kind, base, split, tmp_path / "once")
    store, original = plant(kind, base, split, tmp_path / "out", copies=3), ArrayStore(base)
    assert store.subjects[:4] == ["h1", "h1-copy2", "h1-copy3", "h2"]
    assert len(store.subjects) == 9
    assert store.index.loc["h2-copy3", "participant"] == "h2"
    assert np.array_equal(store.volume("h2").images, once.volume("h2").images)
    masks = {store.volume(subject).lesion.tobytes() for subject in ("h2", "h2-copy2", "h2-copy3")}
    assert len(masks) == 3
    clean = store.volume("h2-copy2").clean
    assert clean is not None
    assert np.array_equal(clean, original.volume("h2").images)
    assert np.array_equal(store.affine("h2-copy2"), original.affine("h2"))


def test_a_split_names_every_copy(base: Path, split: pd.DataFrame, tmp_path: Path) -> None:
    cohorts = {"ixi": read_table(base / "index.tsv")}
    whole = add_synthetic_sets(split, cohorts, {"planted": "ixi", "single": "ixi"}, {"planted": 2})
    store = plant("spheres", base, split, tmp_path / "out", copies=2)
    assert whole[whole["dataset"] == "planted"]["subject"].tolist() == store.subjects
    assert whole[whole["dataset"] == "single"]["subject"].tolist() == ["h1", "h2", "h3"]
    assert whole[whole["dataset"] == "ixi"].equals(split)


def test_the_table_of_planted_things_tells_what_was_drawn(
    base: Path, split: pd.DataFrame, tmp_path: Path
) -> None:
    store = plant("spheres", base, split, tmp_path / "out", count=2)
    table = read_table(tmp_path / "out/planted.tsv")
    assert table["subject"].tolist() == ["h1", "h1", "h2", "h2", "h3", "h3"]
    assert table["diameter_mm"].astype(float).between(5, 9).all()
    for row in table.itertuples():
        assert store.volume(row.subject).lesion[int(row.slice), int(row.x), int(row.y)]  # type: ignore[arg-type]


def test_images_have_new_hashes_and_the_recipe_says_what_was_planted(
    base: Path, split: pd.DataFrame, tmp_path: Path
) -> None:
    first, second = (plant("ellipses", base, split, tmp_path / n, seed=s) for n, s in (("a", 1), ("b", 2)))
    assert first.image_hash("h1") != second.image_hash("h1") != ""
    assert first.recipe["channels"] == ["t1", "t2"]
    assert first.recipe["synthetic"]["name"] == "planted"
    assert first.recipe["synthetic"]["semi_axes"] == [8, 12]
    assert np.array_equal(first.affine("h1"), np.eye(4))


def test_half_an_array_of_a_killed_process_is_removed(
    base: Path, split: pd.DataFrame, tmp_path: Path
) -> None:
    (tmp_path / "out").mkdir()
    (tmp_path / "out" / ".0123456789ab.clean.npy").write_bytes(b"half")
    plant("ellipses", base, split, tmp_path / "out")
    assert not list((tmp_path / "out").glob(".*"))


def test_a_single_slice_can_be_planted_into(tmp_path: Path) -> None:
    folder = write_arrays(tmp_path / "ixi/one", ["h0"], False)
    for name in ("images", "brain", "lesion"):
        np.save(folder / f"{name}.npy", np.load(folder / f"{name}.npy")[:1])
    write_table(read_table(folder / "index.tsv").assign(slices=1), folder / "index.tsv")
    split = pd.DataFrame({"dataset": ["ixi"], "subject": ["h0"], "participant": ["h0"], "role": ["test"]})
    for kind in KINDS:
        assert plant(kind, folder, split, tmp_path / kind).volume("h0").lesion.any()


def test_a_scan_without_brain_is_a_row_with_its_reason(
    base: Path, split: pd.DataFrame, tmp_path: Path
) -> None:
    brain = np.load(base / "brain.npy")
    brain[2 * SLICES : 3 * SLICES] = False  # h2
    np.save(base / "brain.npy", brain)
    for kind, reason in (("spheres", "brain mask is empty"), ("ellipses", "no slice shows any brain")):
        store = plant(kind, base, split, tmp_path / kind)
        assert store.subjects == ["h1", "h3"]
        assert store.index["status"]["h2"] == "excluded"
        assert reason in store.index["reason"]["h2"]
        assert np.array_equal(store.volume("h3").brain, ArrayStore(base).volume("h3").brain)


def test_a_data_set_without_healthy_test_subject_is_an_error_that_names_the_key(
    base: Path, split: pd.DataFrame, tmp_path: Path
) -> None:
    with pytest.raises(InputError, match=r"Give splits\.ixi\.test a count in the study"):
        plant("ellipses", base, split.assign(role="train"), tmp_path / "out")
    assert not (tmp_path / "out").exists()


def test_patients_alone_do_not_do(base: Path, split: pd.DataFrame, tmp_path: Path) -> None:
    with pytest.raises(InputError, match=r"ixi has no healthy test subject \(1 test subjects, 5 healthy"):
        plant("ellipses", base, split[split["subject"] == "h5"], tmp_path / "out")


def test_the_verb_writes_the_arrays(base: Path, split: pd.DataFrame, tmp_path: Path) -> None:
    write_table(split, tmp_path / "split.tsv")
    job = {"name": "p", "seed": 0, "synthetic": {"kind": "copy-paste", "of": "ixi"}, "version": 1}
    arguments = ["--settings", json.dumps(job), "--split", str(tmp_path / "split.tsv")]
    arguments += ["--arrays", str(base / "index.tsv"), "--output", str(tmp_path / "out/index.tsv")]
    result = CliRunner().invoke(app, ["plant", *arguments])
    assert result.exit_code == 0, result.output
    assert ArrayStore(tmp_path / "out").subjects == ["h1", "h2", "h3"]


def test_the_verb_names_the_study_whose_set_cannot_be_made(
    base: Path, split: pd.DataFrame, tmp_path: Path
) -> None:
    write_table(split[split["subject"] == "h5"], tmp_path / "split.tsv")
    job = {"name": "p", "seed": 0, "synthetic": {"kind": "copy-paste", "of": "ixi"}}
    files = ("--split", tmp_path / "split.tsv", "--arrays", base / "index.tsv")
    output = tmp_path / "results/mine/synthetic/p/index.tsv"
    text = error_of("plant", "--settings", json.dumps(job), *files, "--output", output)
    assert "mine.yaml: synthetic.p: data set ixi has no healthy test subject" in text
    assert "name another data set in synthetic.p.of" in text
