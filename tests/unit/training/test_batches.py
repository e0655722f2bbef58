"""Batches are functions of (seed, step) and pass over every slice of an epoch once."""

import shutil
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch

from brainuad.arrays import ArrayStore
from brainuad.errors import InputError
from brainuad.storage import read_table, write_table
from brainuad.training.batches import BatchOrder, SliceIndex, in_sequences, load_batches, open_slices


def index(volumes: int, slices: int) -> SliceIndex:
    rows = [(0, v * slices + s, v) for v in range(volumes) for s in range(slices)]
    return SliceIndex(np.array(rows), tuple(f"s{v}" for v in range(volumes)))


def test_an_epoch_over_slices_shows_each_slice_once() -> None:
    order = BatchOrder(index(5, 4), batch_size=4, epoch="slices", seed=1)
    seen = [number for step in range(order.per_epoch) for number in order.batch(step)]
    assert sorted(seen) == list(range(20))


def test_an_epoch_over_volumes_shows_one_slice_of_each() -> None:
    order = BatchOrder(index(6, 7), batch_size=3, epoch="volumes", seed=1)
    seen = [number // 7 for step in range(order.per_epoch) for number in order.batch(step)]
    assert sorted(seen) == list(range(6))


def test_successive_epochs_differ() -> None:
    order = BatchOrder(index(5, 4), batch_size=20, epoch="slices", seed=1)
    assert order.batch(0) != order.batch(1)


def test_a_batch_does_not_depend_on_what_was_read_before() -> None:
    one, other = (BatchOrder(index(5, 4), 4, "slices", seed=1) for _ in range(2))
    for step in range(9):
        one.batch(step)
    assert one.batch(9) == other.batch(9)


def test_a_batch_is_no_larger_than_the_training_set() -> None:
    assert len(BatchOrder(index(2, 3), batch_size=64, epoch="slices", seed=0).batch(0)) == 6


@pytest.mark.parametrize("workers", [0, 2])
def test_batches_do_not_depend_on_the_number_of_workers(cohort: dict[str, Path], workers: int) -> None:
    slices = open_slices([cohort["healthy"]], read_table(cohort["split"]), "train", "non-empty")
    order = BatchOrder(slices.index, 5, "slices", seed=2)
    loaded = [batch.images for batch in load_batches(slices, order, range(3, 6), workers)]
    expected = [torch.stack([slices[number][0] for number in order.batch(step)]) for step in range(3, 6)]
    assert all(torch.equal(a, b) for a, b in zip(loaded, expected, strict=True))


def test_ranks_share_a_batch_without_overlap(cohort: dict[str, Path]) -> None:
    slices = open_slices([cohort["healthy"]], read_table(cohort["split"]), "train", "non-empty")
    order = BatchOrder(slices.index, 6, "slices", seed=2)
    whole = order.batch(0)
    parts = [load_batches(slices, order, range(1), ranks=(rank, 2)).batch_sampler for rank in range(2)]
    assert sorted(number for part in parts for number in next(iter(part))) == sorted(whole)


def test_more_processes_than_samples_of_a_batch_are_refused_before_training(cohort: dict[str, Path]) -> None:
    slices = open_slices([cohort["healthy"]], read_table(cohort["split"]), "train", "non-empty")
    order = BatchOrder(slices.index, 3, "slices", seed=2)
    load_batches(slices, order, range(1), ranks=(0, 3))
    with pytest.raises(InputError, match=r"4 GPUs share each batch .* have 3 samples"):
        load_batches(slices, order, range(1), ranks=(0, 4))


def test_tumour_free_slices_have_no_lesion(cohort: dict[str, Path]) -> None:
    split = read_table(cohort["split"])
    every = open_slices([cohort["patients"]], split, "test", "non-empty")
    free = open_slices([cohort["patients"]], split, "test", "tumour-free")
    assert len(every) == 2 * 6
    assert len(free) == 2 * 4


def test_a_lesion_that_resizing_has_lost_counts_where_unresized_masks_are_asked_for(
    cohort: dict[str, Path], tmp_path: Path
) -> None:
    split, arrays = read_table(cohort["split"]), tmp_path / cohort["patients"].parent.name / "small"
    shutil.copytree(cohort["patients"], arrays)
    slices = np.load(arrays / "lesion.npy").any(axis=(1, 2))
    slices[::6] = True  # the first slice of each volume
    np.save(arrays / "lesion_slices.npy", slices)
    assert len(open_slices([arrays], split, "test", "tumour-free-unresized")) == 2 * 3
    assert len(open_slices([arrays], split, "test", "tumour-free")) == 2 * 4


def test_a_model_that_learns_from_lesions_leaves_out_who_has_no_lesion_mask(
    cohort: dict[str, Path], tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    split, arrays = read_table(cohort["split"]), tmp_path / cohort["tumours"].parent.name / "small"
    shutil.copytree(cohort["tumours"], arrays)
    index = read_table(arrays / "index.tsv")
    index.loc[index["subject"] == "t1", "lesion_voxels"] = ""
    write_table(index, arrays / "index.tsv")
    with caplog.at_level("INFO"):
        supervised = open_slices([arrays], split, "train", "non-empty", with_lesion=True)
    assert supervised.index.subjects == ("t0", "t2", "t3")
    assert "tumours: 1 subjects without a lesion mask" in caplog.text
    assert open_slices([arrays], split, "train", "non-empty").index.subjects == ("t0", "t1", "t2", "t3")
    write_table(index.assign(lesion_voxels=""), arrays / "index.tsv")
    with pytest.raises(InputError, match="no all slices with a lesion mask of role 'train' in tumours"):
        open_slices([arrays], split, "train", "all", with_lesion=True)


def test_unresized_masks_that_were_not_packed_are_named(cohort: dict[str, Path]) -> None:
    with pytest.raises(InputError, match=r"lesion_slices\.npy: .* Pack the data set again"):
        open_slices([cohort["patients"]], read_table(cohort["split"]), "test", "tumour-free-unresized")


def test_an_empty_training_set_says_what_was_asked_for(cohort: dict[str, Path]) -> None:
    with pytest.raises(InputError, match="no tumour-free slices of role 'train' in patients"):
        open_slices([cohort["patients"]], read_table(cohort["split"]), "train", "tumour-free")


def sequences(volumes: int, slices: int, length: int) -> SliceIndex:
    return replace(index(volumes, slices), sequence=length)


def test_an_epoch_over_sequences_shows_every_volume_once() -> None:
    chosen = sequences(6, 7, length=3)
    order = BatchOrder(chosen, batch_size=3, epoch="slices", seed=1)
    seen = [chosen.volumes[number] for step in range(order.per_epoch) for number in order.batch(step)]
    assert sorted(seen) == list(range(6))


def test_sequences_begin_anywhere_where_enough_slices_follow() -> None:
    chosen = sequences(2, 7, length=3)
    order = BatchOrder(chosen, batch_size=2, epoch="slices", seed=1)
    starts = {int(chosen.starts[number]) for step in range(100) for number in order.batch(step)}
    assert starts == {0, 1, 2, 3, 4, 7, 8, 9, 10, 11}


def test_sequences_do_not_reach_over_a_gap_or_into_the_next_volume() -> None:
    rows = np.array([(0, p, v) for v, p in [(0, 0), (0, 1), (0, 3), (0, 4), (0, 5), (1, 6), (1, 7)]])
    assert SliceIndex(rows, ("a", "b"), sequence=2).starts.tolist() == [0, 2, 3, 5]
    assert SliceIndex(rows, ("a", "b"), sequence=3).starts.tolist() == [2]
    assert SliceIndex(rows, ("a", "b"), sequence=9).starts.tolist() == []


@pytest.mark.parametrize("workers", [0, 2])
def test_a_sequence_is_consecutive_slices_of_one_subject_from_any_step_on(
    cohort: dict[str, Path], workers: int
) -> None:
    single = open_slices([cohort["patients"]], read_table(cohort["split"]), "test", "non-empty", True)
    slices = in_sequences(single, 4)
    order = BatchOrder(slices.index, 2, "volumes", seed=2)
    whole = list(load_batches(slices, order, range(5)))
    resumed = list(load_batches(slices, order, range(3, 5), workers))
    for batch, step in [*zip(whole, range(5), strict=True), *zip(resumed, range(3, 5), strict=True)]:
        assert batch.images.shape == (2, 4, 1, 32, 32)
        assert batch.brain.shape == batch.lesion.shape == (2, 4, 1, 32, 32)
        assert {slices.subject(number) for number in order.batch(step)} == {"p1", "p2"}
        for sample, number in enumerate(order.batch(step)):
            first = int(slices.index.starts[number])
            images, brains, lesions = zip(*(single[first + k] for k in range(4)), strict=True)
            assert torch.equal(batch.images[sample], torch.stack(images))
            assert torch.equal(batch.brain[sample], torch.stack(brains))
            assert torch.equal(batch.lesion[sample], torch.stack(lesions))


def test_the_length_of_a_volume_gives_whole_volumes(cohort: dict[str, Path]) -> None:
    slices = in_sequences(open_slices([cohort["healthy"]], read_table(cohort["split"]), "train", "all"), 6)
    assert len(slices) == 6
    volume = ArrayStore(cohort["healthy"]).volume(slices.subject(3))
    assert np.array_equal(slices[3][0].numpy(), volume.images)


def test_a_volume_that_is_shorter_than_the_sequence_is_named(cohort: dict[str, Path]) -> None:
    slices = open_slices([cohort["patients"]], read_table(cohort["split"]), "test", "tumour-free")
    with pytest.raises(InputError, match="no 3 consecutive slices to learn from in p1, p2"):
        in_sequences(slices, 3)


def test_validation_keeps_an_incomplete_last_batch() -> None:
    order = BatchOrder(index(volumes=3, slices=5), batch_size=4, epoch="slices", seed=1, keep_rest=True)
    seen = [number for step in range(order.per_epoch) for number in order.batch(step)]
    assert sorted(seen) == list(range(15))


@pytest.mark.parametrize(
    ("slices", "epoch", "most", "steps"),
    [
        (5, "slices", 9, 4),  # a second pass would repeat the first one
        (5, "slices", 2, 2),
        (5, "volumes", 9, 9),  # other slices in every pass
        (1, "volumes", 9, 1),
    ],
)
def test_further_passes_are_made_where_they_have_other_samples(
    slices: int, epoch: str, most: int, steps: int
) -> None:
    order = BatchOrder(index(volumes=3, slices=slices), batch_size=4, epoch=epoch, seed=1, keep_rest=True)
    assert order.first_steps(most) == range(steps)
