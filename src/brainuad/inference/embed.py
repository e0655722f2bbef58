"""Latent vectors of slices and of their pseudo-healthy versions (Bercea 2023, RA, Figure 5)."""

import logging
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pandas as pd
import torch

from brainuad.arrays import ArrayStore
from brainuad.datasets.base import path_inside
from brainuad.errors import InputError
from brainuad.inference.model_file import load_model
from brainuad.methods.base import ImageShape, Model
from brainuad.methods.registry import models
from brainuad.preprocessing.split_file import read_split
from brainuad.storage import read_table, write_table

log = logging.getLogger(__name__)

BATCH_SIZE = 64
DIGITS = 5
INPUT, PSEUDO_HEALTHY = "input", "pseudo-healthy"


@dataclass(frozen=True)
class EmbedRequest:
    """Which slices are embedded: those of a role, at most `slices` per volume at even steps (None: all).

    Slices without brain are left out. `datasets` names the arrays in their order.
    """

    datasets: tuple[str, ...]
    role: str = "test"
    slices: int | None = None


@dataclass(frozen=True)
class EmbedFiles:
    """What is read, and the table that is written; `maps` are manifests called {dataset}.tsv."""

    split: Path
    arrays: tuple[Path, ...]
    checkpoint: Path
    maps: tuple[Path, ...]
    output: Path


def embed_slices(request: EmbedRequest, files: EmbedFiles, device: str = "cpu") -> pd.DataFrame:
    """One row per slice (dataset, subject, slice, group, kind, z0, z1, ...), also written to `files.output`.

    `kind` says whether the slice is an input or pseudo-healthy; z is the mean of the model's embedding.
    """
    split = read_split(files.split)
    stores = dict(zip(request.datasets, map(ArrayStore, files.arrays), strict=True))
    manifests = {path.stem: path for path in files.maps}
    first = next(iter(stores.values()))
    model = _load_encoder(files.checkpoint, ImageShape(tuple(first.channels), first.size)).to(device)
    tables = []
    for dataset, store in stores.items():
        if (store.channels, store.size) != (first.channels, first.size):
            raise InputError(
                f"{store.folder}: channels or size of {dataset} are not those of {request.datasets[0]}, "
                "and one model takes both. Use recipes of equal channels and size."
            )
        rows = split[(split["dataset"] == dataset) & (split["role"] == request.role)]
        wanted = [subject for subject in store.subjects if subject in set(rows["subject"])]
        for subject in wanted:
            for kind, numbers, images in _slices(subject, store, manifests.get(dataset), request.slices):
                z = _embed(model, images, device)
                tables.append(_table(z, numbers, (dataset, subject, _group(store, subject), kind)))
    if not tables:
        raise InputError(
            f"{files.split}: no {request.role} subject of {', '.join(request.datasets)} has arrays, so there is "
            f"nothing to embed. Give one of them {request.role} subjects in the study's splits."
        )
    table = pd.concat(tables, ignore_index=True)
    write_table(table, files.output)
    log.info("%d slices embedded", len(table))
    return table


def _load_encoder(checkpoint: Path, shape: ImageShape) -> Model:
    model = load_model(checkpoint, shape, needs="eval")  # any kind: what this one lacks is said here
    if not hasattr(model, "latent"):
        able = ", ".join(kind for kind, found in sorted(models().items()) if hasattr(found, "latent"))
        raise InputError(
            f"{checkpoint}: a model of kind {model.kind!r} has no latent vectors to embed; those of kind {able} do. "
            "Name methods with such a model in figures of kind latent-map."
        )
    if len(model.shape.size) == 3:
        raise InputError(
            f"{checkpoint}: a model of dimension 3 has one latent vector per volume, and none of slices to show. "
            "Name methods with a model of dimension 2 in figures of kind latent-map."
        )
    return model


def _slices(
    subject: str, store: ArrayStore, manifest: Path | None, most: int | None
) -> Iterator[tuple[str, np.ndarray, np.ndarray]]:
    """The kind, slice numbers and images (slice, channel, x, y) of a subject's input and pseudo-healthy version."""
    volume = store.volume(subject)
    numbers = np.flatnonzero(volume.brain.any(axis=(1, 2)))
    if most is not None and len(numbers) > most:
        numbers = numbers[((np.arange(most) + 0.5) * len(numbers) / most).astype(int)]
    if len(numbers) == 0:
        return
    yield INPUT, numbers, volume.images[numbers]
    healthy = None if manifest is None else _pseudo_healthy(subject, manifest)
    if healthy is None:
        return
    if healthy.shape != volume.images.shape:
        raise InputError(
            f"{manifest}: the pseudo-healthy image of a subject has shape {healthy.shape}, but the arrays have "
            f"{volume.images.shape}. Run the inference again."
        )
    yield PSEUDO_HEALTHY, numbers, healthy[numbers]


def _pseudo_healthy(subject: str, manifest: Path) -> np.ndarray | None:
    """The pseudo-healthy image (slice, channel, x, y) in float32, None where the method makes none."""
    table = read_table(manifest, needs=("subject", "status", "pseudo_healthy"))
    found = table[(table["subject"] == subject) & (table["status"] == "ok")].to_dict("records")
    if not found or not found[0]["pseudo_healthy"]:
        return None
    path = path_inside(manifest.with_suffix(""), found[0]["pseudo_healthy"])
    try:
        stored = np.load(path, allow_pickle=False)  # (channel, x, y, slice)
    except (OSError, EOFError, ValueError) as error:
        raise InputError(f"{path}: not a readable array ({error}). Run the inference again.") from error
    return np.moveaxis(stored.astype(np.float32), -1, 0)


def _group(store: ArrayStore, subject: str) -> str:
    return str(store.index.at[subject, "group"])


@torch.no_grad()
def _embed(model: torch.nn.Module, images: np.ndarray, device: str) -> np.ndarray:
    """The latent vectors (slice, z)."""
    batches = torch.from_numpy(np.ascontiguousarray(images)).split(BATCH_SIZE)
    z = [model.latent(batch.to(device)).float().cpu() for batch in batches]  # type: ignore[operator]
    return torch.cat(z).numpy()


def _table(z: np.ndarray, numbers: np.ndarray, place: tuple[str, str, str, str]) -> pd.DataFrame:
    dataset, subject, group, kind = place
    names = {"dataset": dataset, "subject": subject, "slice": numbers, "group": group, "kind": kind}
    columns = {f"z{i}": column.round(DIGITS) for i, column in enumerate(z.T)}
    return pd.DataFrame({**names, **columns})
