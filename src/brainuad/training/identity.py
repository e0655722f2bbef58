"""What identifies the data of a training, so that a state which was trained on others is known as such."""

import hashlib
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from brainuad.arrays import ArrayStore
from brainuad.training.batches import Slices


def data_identity(split: pd.DataFrame, folders: Sequence[Path], samples: Sequence[Slices]) -> dict[str, Any]:
    """The recipes, images, chosen slices and, where a model learns from them, lesions of training and validation.

    Only subjects of the data sets in `folders` count: a model does not depend on those of others.
    """
    stores = {folder.parent.name: ArrayStore(folder) for folder in folders}
    used = split[split["role"].isin(["train", "validation"]) & split["dataset"].isin(stores)]
    return {
        "split": used[["dataset", "subject", "role"]].to_csv(index=False),
        "recipes": [(folder / "recipe.json").read_text() for folder in folders],
        "images": [
            stores[dataset].image_hash(subject)
            for dataset, subject in zip(used["dataset"], used["subject"], strict=True)
        ],
        "samples": [_digest(chosen) for chosen in samples],
    }


def _digest(samples: Slices) -> str:
    """A hash of which slices of whom the samples are made of, and of their lesions where they have some."""
    digest = hashlib.blake2b(digest_size=16)
    for store, subject, where, numbers in _by_subject(samples):
        digest.update(f"{store.folder.parent.name}/{subject}:{len(numbers)}:".encode())
        digest.update(numbers.tobytes())
        if samples.with_lesion:
            digest.update(np.packbits(store.lesion[where]).tobytes())
    return digest.hexdigest()


def _by_subject(samples: Slices) -> Iterator[tuple[ArrayStore, str, slice, np.ndarray]]:
    """The arrays of each subject, where they lie, and the numbers of the chosen slices within the volume."""
    stores = [ArrayStore(folder) for folder in samples.folders]
    rows = samples.index.slices
    ends = np.searchsorted(rows[:, 2], np.arange(1, len(samples.index.subjects)))
    for subject, chosen in zip(samples.index.subjects, np.split(rows, ends), strict=True):
        if len(chosen):
            store = stores[int(chosen[0, 0])]
            where = store.slices(subject)
            yield store, subject, where, chosen[:, 1] - where.start
