"""Volumes for people to look at: which subjects and slices are shown, and their maps as the metrics saw them.

Subjects appear under pseudonyms (`BraTS 2021 #3`: the third largest lesion among the test subjects), never
under their identifiers.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from brainuad.arrays import ArrayStore, to_volume_axes
from brainuad.errors import InputError
from brainuad.evaluation import postprocess, thresholds
from brainuad.evaluation.map_sets import MANIFEST_COLUMNS
from brainuad.evaluation.settings import PostProcessingStep
from brainuad.reporting.inputs import DatasetEntry, StudyEntry
from brainuad.reporting.names import pseudonym
from brainuad.storage import read_table


@dataclass(frozen=True)
class Case:
    """A test subject to show: `number` ranks it by lesion volume, 1 being the largest.

    `z` is the slice to show, where it is not the one with the most lesion.
    """

    dataset: str
    subject: str
    number: int
    z: int | None = None

    @property
    def pseudonym(self) -> str:
        """The name it is shown under."""
        return pseudonym(self.dataset, self.number)


@dataclass(frozen=True)
class MethodVolume:
    """What a method made of a subject: map (slice, x, y), pseudo-healthy (slice, channel, x, y) or None.

    Outside the brain (of head CT: the head) the pseudo-healthy image is the input: a loss on the foreground leaves
    undefined what a network makes of the background.
    """

    anomaly_map: np.ndarray
    pseudo_healthy: np.ndarray | None


@dataclass(frozen=True)
class Ranking:
    """The scored test subjects of a data set, by falling lesion volume; a place is a position among them."""

    dataset: str
    store: ArrayStore
    subjects: list[str]

    @property
    def index(self) -> pd.DataFrame:
        """Their rows of the index of the arrays."""
        return self.store.index.loc[self.subjects]

    def case(self, place: int, z: int | None = None) -> Case:
        """The case at a place."""
        return Case(self.dataset, self.subjects[place], place + 1, z)

    def spread(self, candidates: Iterable[int], count: int) -> list[Case]:
        """At most `count` of the candidates, at even steps; of different participants where there are enough."""
        places = np.array(list(candidates), dtype=int)
        distinct = places[~self.index["participant"].iloc[places].duplicated().to_numpy()]
        places = places if len(distinct) < count else distinct
        shown = min(count, len(places))
        steps = ((np.arange(shown) + 0.5) * len(places) / max(shown, 1)).astype(int)
        return [self.case(int(place)) for place in places[steps]]


def choose_cases(store: ArrayStore, study: StudyEntry, dataset: str, count: int) -> list[Case]:
    """At most `count` test scans, at even steps of the rank of their lesion volume, largest first.

    They are of different participants where there are enough. Where no lesion is annotated they are patients in the
    order of their names, or healthy if nobody is a patient.
    """
    ranking = rank_subjects(store, study, dataset)
    patient = ranking.index["group"] == "patient"
    candidates = sum(lesion_voxels(ranking.index) > 0) or sum(patient) or len(ranking.subjects)
    return ranking.spread(range(candidates), count)


def rank_subjects(store: ArrayStore, study: StudyEntry, dataset: str) -> Ranking:
    """The scored test subjects that have arrays; of equal volumes, patients first, in the order of their names."""
    subjects = _scored_subjects(study, dataset) & set(store.subjects)
    voxels, patient = lesion_voxels(store.index), store.index["group"] == "patient"
    ranked = sorted(subjects, key=lambda subject: (-voxels[subject], not patient[subject], subject))
    return Ranking(dataset, store, ranked)


def lesion_voxels(index: pd.DataFrame) -> pd.Series:
    """Lesion voxels by subject, 0 where they are not annotated."""
    return index["lesion_voxels"].fillna(0).astype(int)


def _scored_subjects(study: StudyEntry, dataset: str) -> set[str]:
    scored: set[str] = set()
    for method in study.compared_methods:
        table = _manifest(study.manifest(method.name, 0, dataset))
        if table is not None:
            scored |= set(table.loc[(table["role"] == "test") & (table["status"] == "ok"), "subject"])
    return scored


def _manifest(path: Path) -> pd.DataFrame | None:
    return read_table(path, needs=MANIFEST_COLUMNS) if path.exists() else None


def load_method_volume(
    study: StudyEntry, method: str, run: int, case: Case, store: ArrayStore
) -> MethodVolume | None:
    """The post-processed map in its true units, or None where the method has no map of the subject."""
    path = study.manifest(method, run, case.dataset)
    table = _manifest(path)
    if table is None:
        return None
    found = table[(table["subject"] == case.subject) & (table["status"] == "ok")].to_dict("records")
    if not found:
        return None
    row: dict[Any, str] = found[0]
    folder = path.with_suffix("")
    scale = 2.0 ** -int(row["scale_exponent"])
    raw = _load(folder, row["map"]).astype(np.float32) * np.float32(scale)
    steps = _steps(study, method)
    volume = store.volume(case.subject)
    brain = to_volume_axes(volume.brain)
    if raw.shape != brain.shape:
        raise InputError(f"{folder / row['map']}: shape {raw.shape}, but the arrays have {brain.shape}.")
    anomaly_map = postprocess.apply(raw, brain, steps)
    healthy = None
    if row.get("pseudo_healthy"):
        healthy = np.moveaxis(_load(folder, row["pseudo_healthy"]).astype(np.float32), -1, 0)
        healthy = np.where(volume.brain[:, None], healthy, volume.images)
    return MethodVolume(np.moveaxis(anomaly_map, -1, 0), healthy)


def yen_mask(study: StudyEntry, method: str, anomaly_map: np.ndarray, brain: np.ndarray) -> np.ndarray:
    """The evaluation's mask (slice, x, y) of a post-processed map with Yen's threshold, dilations included."""
    threshold = thresholds.yen_threshold(anomaly_map)
    mask = thresholds.yen_mask(anomaly_map, threshold, study.evaluation.yen_dilation)
    mask = postprocess.apply_to_mask(mask, _steps(study, method))
    return mask & brain if study.evaluation.region == "brain" else mask


def _steps(study: StudyEntry, method: str) -> tuple[PostProcessingStep, ...]:
    return next((entry.steps for entry in study.methods if entry.name == method), ())


def _load(folder: Path, name: str) -> np.ndarray:
    path = folder / name
    if path.parent != folder:
        raise InputError(f"{folder}.tsv: '{name}' names a file outside the folder of the maps.")
    try:
        return np.asarray(np.load(path, allow_pickle=False))
    except (OSError, ValueError) as error:
        raise InputError(f"{path}: not a readable array ({error}). Run the inference again.") from error


def load_dataset(entry: DatasetEntry | None) -> ArrayStore | None:
    """The packed arrays of a data set, or None where they were not made."""
    return ArrayStore(entry.arrays) if entry and (entry.arrays / "index.tsv").exists() else None


def display_window(image: np.ndarray, brain: np.ndarray) -> tuple[float, float]:
    """Intensities shown as black (background, or 0.5th percentile of the brain) and white (99.5th)."""
    inside = image[brain] if brain.any() else image.ravel()
    low, high = (float(value) for value in np.percentile(inside, [0.5, 99.5]))
    if not brain.all() and brain.any():
        low = min(low, float(np.median(image[~brain])))
    return low, max(high, low + 1e-6)


def to_unit(image: np.ndarray, window: tuple[float, float]) -> np.ndarray:
    """`image` mapped linearly so that the window becomes [0, 1], clipped."""
    low, high = window
    return np.clip((image - low) / (high - low), 0, 1)


def as_seen(plane: np.ndarray, affine: np.ndarray) -> np.ndarray:
    """Axial planes (..., x, y) as images (..., row, column): front up, the patient's right on the left."""
    rows = np.swapaxes(plane, -1, -2)
    if affine[1, 1] > 0:  # y grows to the front
        rows = rows[..., ::-1, :]
    if affine[0, 0] > 0:  # x grows to the patient's right
        rows = rows[..., ::-1]
    return rows


def bounding_box(mask: np.ndarray, margin: int) -> tuple[slice, slice]:
    """Rows and columns that hold `mask` (..., row, column), widened by `margin`; all if it is empty."""
    flat: np.ndarray = np.any(mask.reshape(-1, *mask.shape[-2:]), axis=0)
    if not flat.any():
        return slice(None), slice(None)
    rows, columns = np.flatnonzero(flat.any(axis=1)), np.flatnonzero(flat.any(axis=0))
    return (
        slice(max(0, int(rows[0]) - margin), int(rows[-1]) + 1 + margin),
        slice(max(0, int(columns[0]) - margin), int(columns[-1]) + 1 + margin),
    )
