"""Training batches read from memory-mapped arrays, each a function of (seed, step) alone.

Because batch `k` does not depend on what was read before it, a resumed training sees the same batches
as an uninterrupted one, with any number of loader workers. A sample is one slice, or a sequence of consecutive
slices of one volume; `volumes.py` has whole volumes.
"""

import logging
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from pathlib import Path
from typing import Literal

import numpy as np
import pandas as pd
import torch
from torch.utils.data import DataLoader, Dataset

from brainuad.arrays import ArrayStore
from brainuad.errors import InputError
from brainuad.methods.base import Batch
from brainuad.randomness import numpy_generator
from brainuad.training.signals import ignore_stop_signals

log = logging.getLogger(__name__)

SliceFilter = Literal["all", "non-empty", "tumour-free", "tumour-free-unresized", "tumour"]
# The filters that must know where lesions are.
NEEDS_LESIONS: tuple[SliceFilter, ...] = ("tumour-free", "tumour-free-unresized", "tumour")
NO_MASKS = (
    " This model learns from lesions and leaves out who has no lesion mask: give masks, or `patients: {annotated: "
    "true}` to the split."
)


@dataclass(frozen=True)
class SliceIndex:
    """Where each usable slice lies: row i of `slices` is (store, slice in the store, volume number).

    A sample is one slice, or `sequence` consecutive ones of a volume. Whole volumes have one row each, with their
    first slice.
    """

    slices: np.ndarray
    subjects: tuple[str, ...]
    sequence: int | None = None

    @cached_property
    def starts(self) -> np.ndarray:
        """The rows at which a sample may begin."""
        length = self.sequence or 1
        last = self.slices[length - 1 :]
        first = self.slices[: len(last)]
        return np.flatnonzero((last[:, 2] == first[:, 2]) & (last[:, 1] - first[:, 1] == length - 1))

    @cached_property
    def volumes(self) -> np.ndarray:
        """The volume number of each possible sample."""
        return self.slices[self.starts, 2]


def select_slices(
    stores: Sequence[ArrayStore],
    wanted: Sequence[set[str]],
    slice_filter: SliceFilter,
    with_lesion: bool = False,
) -> SliceIndex:
    """The slices of the wanted subjects that pass the filter.

    `non-empty` keeps slices with brain in them; `tumour-free` those of them without a lesion voxel in the arrays
    (Kascenas 2023), `tumour-free-unresized` those without one before the masks were resized (Frotscher 2023),
    `tumour` those with one in the arrays. The last three leave out subjects whose lesions are not annotated, as
    does a model that learns from lesions.
    """
    rows: list[tuple[int, int, int]] = []
    subjects: list[str] = []
    for number, (store, names) in enumerate(zip(stores, wanted, strict=True)):
        for subject in usable_subjects(store, names, slice_filter, with_lesion):
            where = store.slices(subject)
            usable = _usable(store, where, slice_filter)
            rows += [(number, int(i), len(subjects)) for i in np.flatnonzero(usable) + where.start]
            subjects.append(subject)
    return SliceIndex(np.array(rows, dtype=np.int64).reshape(-1, 3), tuple(subjects))


def usable_subjects(
    store: ArrayStore, names: set[str], slice_filter: SliceFilter, with_lesion: bool
) -> list[str]:
    """The subjects among `names` that have arrays and, where lesions matter, a lesion mask of their own."""
    subjects = [subject for subject in store.subjects if subject in names]
    if slice_filter not in NEEDS_LESIONS and not with_lesion:
        return subjects
    known = [subject for subject in subjects if store.lesions_known(subject)]
    if unknown := len(subjects) - len(known):
        log.info("%s: %d subjects without a lesion mask are left out", _dataset_of(store.folder), unknown)
    return known


def _usable(store: ArrayStore, where: slice, slice_filter: SliceFilter) -> np.ndarray:
    if slice_filter == "all":
        return np.ones(where.stop - where.start, dtype=bool)
    usable = np.any(store.brain[where], axis=(1, 2))
    if slice_filter == "tumour-free-unresized":
        return np.asarray(usable & ~store.lesion_slices[where])
    if slice_filter in {"tumour-free", "tumour"}:
        usable = usable & (np.any(store.lesion[where], axis=(1, 2)) == (slice_filter == "tumour"))
    return np.asarray(usable)


class Slices(Dataset):
    """Samples from several array folders; opened lazily so that loader workers map the files themselves."""

    def __init__(self, folders: Sequence[Path], index: SliceIndex, with_lesion: bool = False) -> None:
        self.folders = tuple(folders)
        self.index = index
        self.with_lesion = with_lesion
        self._stores: dict[int, ArrayStore] = {}

    def __len__(self) -> int:
        return len(self.index.starts)

    def place(self, number: int) -> tuple[ArrayStore, int]:
        """Where a sample begins: its arrays, and the number of its first slice in them."""
        store_number, position, _ = (int(value) for value in self.index.slices[self.index.starts[number]])
        if store_number not in self._stores:
            self._stores[store_number] = ArrayStore(self.folders[store_number])
        return self._stores[store_number], position

    def __getitem__(self, number: int) -> tuple[torch.Tensor, ...]:
        store, position = self.place(number)
        length = self.index.sequence
        where = position if length is None else slice(position, position + length)
        image = torch.from_numpy(np.asarray(store.images[where], dtype=np.float32))
        masks = (store.brain, store.lesion) if self.with_lesion else (store.brain,)
        return image, *(torch.from_numpy(np.array(mask[where], dtype=bool)).unsqueeze(-3) for mask in masks)

    def subject(self, number: int) -> str:
        """The subject that a sample belongs to."""
        return self.index.subjects[int(self.index.volumes[number])]


class BatchOrder:
    """The sample numbers of every training batch, in epochs without replacement.

    An epoch passes over every slice once (`slices`) or over one random slice of every volume (`volumes`). With
    sequences it passes over every volume once, each from a random first slice. An incomplete last batch is dropped,
    unless `keep_rest` is set.
    """

    def __init__(
        self, index: SliceIndex, batch_size: int, epoch: str, seed: int, keep_rest: bool = False
    ) -> None:
        self.index = index
        self.by_volume = epoch == "volumes" or index.sequence is not None
        self.seed = seed
        units = len(np.unique(index.volumes)) if self.by_volume else len(index.volumes)
        self.batch_size = min(batch_size, units)
        self.per_epoch = -(-units // self.batch_size) if keep_rest else units // self.batch_size
        self.repeats = units == len(index.volumes)
        self._epoch: tuple[int, np.ndarray] | None = None

    def first_steps(self, most: int) -> range:
        """The first `most` steps, or those of one epoch if the next one repeats its samples.

        A further pass over volumes takes other slices of them.
        """
        return range(min(most, self.per_epoch) if self.repeats else most)

    def batch(self, step: int) -> list[int]:
        """The sample numbers of the batch of `step` (counted from 0)."""
        epoch, position = divmod(step, self.per_epoch)
        if self._epoch is None or self._epoch[0] != epoch:
            self._epoch = (epoch, self._order(epoch))
        start = position * self.batch_size
        return self._epoch[1][start : start + self.batch_size].tolist()

    def _order(self, epoch: int) -> np.ndarray:
        generator = numpy_generator(self.seed, "batch order", epoch)
        volume = self.index.volumes
        if not self.by_volume:
            return generator.permutation(len(volume))
        picked = [generator.choice(np.flatnonzero(volume == v)) for v in np.unique(volume)]
        return generator.permutation(np.array(picked))


class _Steps:
    """The batches from one step on, shared out over the ranks of a distributed run."""

    def __init__(self, order: BatchOrder, first: int, stop: int, rank: int, ranks: int) -> None:
        self.order, self.first, self.stop, self.rank, self.ranks = order, first, stop, rank, ranks

    def __iter__(self) -> Iterator[list[int]]:
        for step in range(self.first, self.stop):
            yield self.order.batch(step)[self.rank :: self.ranks]

    def __len__(self) -> int:
        return self.stop - self.first


def load_batches(
    slices: Slices, order: BatchOrder, steps: range, workers: int = 0, ranks: tuple[int, int] = (0, 1)
) -> DataLoader:
    """A loader of the batches of `steps`; `ranks` is (this process, number of processes).

    Fewer samples a batch than processes are an `InputError`: some would have nothing to learn from.
    """
    if order.batch_size < ranks[1]:
        raise InputError(
            f"{ranks[1]} GPUs share each batch of a training, but its batches have {order.batch_size} samples, for so "
            "says batch_size or there are no more. Lower gpus_per_training in config.yaml."
        )
    sampler = _Steps(order, steps.start, steps.stop, *ranks)
    return DataLoader(
        slices,
        batch_sampler=sampler,  # type: ignore[arg-type]
        num_workers=workers,
        worker_init_fn=ignore_stop_signals,
        collate_fn=collate,
        pin_memory=torch.cuda.is_available(),
        prefetch_factor=4 if workers else None,
    )


def collate(samples: Sequence[tuple[torch.Tensor, ...]]) -> Batch:
    """One batch from tuples of image, brain mask and, for supervised models, lesion mask."""
    return Batch(*(torch.stack(parts) for parts in zip(*samples, strict=True)))


def open_stores(folders: Sequence[Path], split: pd.DataFrame, role: str) -> list[tuple[ArrayStore, set[str]]]:
    """The arrays of each folder, and the subjects of its data set that have this role."""
    chosen = split[split["role"] == role]
    return [
        (ArrayStore(folder), set(chosen.loc[chosen["dataset"] == _dataset_of(folder), "subject"]))
        for folder in folders
    ]


def open_slices(
    folders: Sequence[Path],
    split: pd.DataFrame,
    role: str,
    slice_filter: SliceFilter,
    with_lesion: bool = False,
) -> Slices:
    """The slices of all subjects of one role; an empty set is an `InputError` that says what was asked."""
    stores, wanted = zip(*open_stores(folders, split, role), strict=True)
    index = select_slices(stores, wanted, slice_filter, with_lesion)
    if not len(index.slices):
        names = ", ".join(_dataset_of(folder) for folder in folders)
        kind = f"{slice_filter} slices" + (" with a lesion mask" if with_lesion else "")
        raise InputError(
            f"no {kind} of role {role!r} in {names} ({sum(map(len, wanted))} subjects in the split). Check the split "
            f"counts of the study, and quality.tsv for excluded subjects.{NO_MASKS if with_lesion else ''}"
        )
    return Slices(folders, index, with_lesion)


def in_sequences(slices: Slices, length: int) -> Slices:
    """The same slices as sequences of `length` consecutive ones; a batch's images are (batch, slice, channel, x, y).

    A volume without so many consecutive slices is an `InputError` that names its subject: a shorter sequence
    would need a mask in every model, and leaving the volume out would change the training set unseen.
    """
    index = replace(slices.index, sequence=length)
    short = sorted(set(range(len(index.subjects))) - set(index.volumes.tolist()))
    if short:
        names = ", ".join(index.subjects[number] for number in short[:5])
        others = f" and {len(short) - 5} others" if len(short) > 5 else ""
        raise InputError(
            f"no {length} consecutive slices to learn from in {names}{others}, but the model takes sequences of "
            f"{length} slices. Give the model a shorter sequence, or `slices: all` to training_data in the study, "
            "or exclude these subjects."
        )
    return Slices(slices.folders, index, slices.with_lesion)


def _dataset_of(folder: Path) -> str:
    return Path(folder).parent.name


def describe(slices: Slices, numbers: Sequence[int]) -> Mapping[str, int]:
    """How many samples of each subject are in a batch, for error messages."""
    names = [slices.subject(number) for number in numbers]
    return {name: names.count(name) for name in dict.fromkeys(names)}
