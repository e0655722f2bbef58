"""Whole volumes as training samples, for models of dimension 3 (Kascenas 2023, head CT)."""

from collections.abc import Sequence
from pathlib import Path

import numpy as np
import pandas as pd
import torch

from brainuad.arrays import ArrayStore, to_volume_axes
from brainuad.errors import InputError
from brainuad.training.batches import NO_MASKS, SliceFilter, SliceIndex, Slices, open_stores, usable_subjects


class Volumes(Slices):
    """Samples that are whole volumes: images (channel, x, y, z) and masks (1, x, y, z)."""

    def __init__(
        self, folders: Sequence[Path], index: SliceIndex, depth: int, with_lesion: bool = False
    ) -> None:
        super().__init__(folders, index, with_lesion)
        self.depth = depth

    def __getitem__(self, number: int) -> tuple[torch.Tensor, ...]:
        store, first = self.place(number)
        where = slice(first, first + self.depth)
        image = to_volume_axes(np.asarray(store.images[where], dtype=np.float32))
        masks = (store.brain, store.lesion) if self.with_lesion else (store.brain,)
        volumes = (to_volume_axes(np.array(mask[where], dtype=bool))[None] for mask in masks)
        return tuple(torch.from_numpy(np.ascontiguousarray(volume)) for volume in (image, *volumes))


def open_volumes(
    folders: Sequence[Path],
    split: pd.DataFrame,
    role: str,
    volume_filter: SliceFilter,
    with_lesion: bool = False,
) -> Volumes:
    """The volumes of all subjects of one role that pass the filter.

    `non-empty` keeps volumes with brain in them, `tumour-free` those of them without a lesion voxel, `tumour` those
    of them with one; both leave out subjects whose lesions are not annotated, as does a model that learns from
    lesions. No volume, or volumes that differ in their number of slices, are an `InputError`.
    """
    rows: list[tuple[int, int, int]] = []
    depths: list[tuple[str, int]] = []
    for number, (store, wanted) in enumerate(open_stores(folders, split, role)):
        for subject in usable_subjects(store, wanted, volume_filter, with_lesion):
            where = store.slices(subject)
            if _passes(store, where, volume_filter):
                rows.append((number, where.start, len(rows)))
                depths.append((subject, where.stop - where.start))
    names = ", ".join(folder.parent.name for folder in folders)
    if not rows:
        kind = f"{volume_filter} volumes" + (" with a lesion mask" if with_lesion else "")
        raise InputError(
            f"no {kind} of role {role!r} in {names}. A model of dimension 3 learns from whole volumes: check the split "
            "counts and `slices` of training_data in the study, and quality.tsv for excluded subjects."
            + (NO_MASKS if with_lesion else "")
        )
    index = SliceIndex(np.array(rows, dtype=np.int64), tuple(subject for subject, _ in depths))
    return Volumes(folders, index, common_depth(depths, names), with_lesion)


def common_depth(depths: Sequence[tuple[str, int]], names: str) -> int:
    """The number of slices that all volumes have; `depths` holds it by subject, `names` is where they are from."""
    first, depth = depths[0]
    for subject, found in depths:
        if found != depth:
            raise InputError(
                f"{names}: subject {first} has {depth} slices and subject {subject} {found}, but a model of "
                "dimension 3 takes volumes of one size. Add a crop_or_pad step with three sizes to the recipe, or "
                "set dimension to 2."
            )
    return depth


def _passes(store: ArrayStore, where: slice, volume_filter: SliceFilter) -> bool:
    if volume_filter == "all":
        return True
    if not np.any(store.brain[where]):
        return False
    return volume_filter == "non-empty" or bool(np.any(store.lesion[where])) == (volume_filter == "tumour")
