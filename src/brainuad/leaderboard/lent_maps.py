"""Maps of other data sets as validation patients or healthy scans of a test set that has none."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import cached_property

import numpy as np
import pandas as pd

from brainuad.evaluation.cohorts import Kind, kinds_of, of_kind
from brainuad.evaluation.map_sets import Case, MapSet
from brainuad.evaluation.settings import EvaluationSettings
from brainuad.leaderboard.inputs import SLICES


@dataclass(frozen=True)
class LentPatients(MapSet):
    """The maps of a test set, with validation patients of other data sets beside its own.

    `lent` says whose maps and which subject stand behind a name. Names are like brats21/BRATS21001, because two data
    sets may both have a patient01.
    """

    lent: Mapping[str, tuple[MapSet, str]] = field(default_factory=dict)

    @property
    def lenders(self) -> tuple[MapSet, ...]:
        """The maps of each data set that lends."""
        return tuple({maps.dataset: maps for maps, _ in self.lent.values()}.values())

    @cached_property
    def scale_exponents(self) -> set[int]:
        """The powers of two by which the maps, lent ones included, are multiplied."""
        own = MapSet(self.dataset, self.manifest, self.folder, self.store)
        return own.scale_exponents.union(*(lender.scale_exponents for lender in self.lenders))

    def subjects(self, split: pd.DataFrame, role: str) -> list[str]:
        """The subjects of a role; those of validation include the lent ones."""
        own = super().subjects(split, role)
        return [*own, *self.lent] if role == "validation" else own

    def lesion_voxels(self, subject: str) -> int | None:
        """How many voxels the subject's lesion mask has; None where its lesions are not annotated."""
        maps, name = self._behind(subject)
        return maps.lesion_voxels(name) if maps is not self else super().lesion_voxels(subject)

    def failure(self, subject: str) -> str:
        """Why a subject has no map; empty if it has one."""
        maps, name = self._behind(subject)
        return maps.failure(name) if maps is not self else super().failure(subject)

    def case(self, subject: str, settings: EvaluationSettings) -> Case:
        """One subject's case; a missing or broken map, or an unknown truth, is a `ScanError`."""
        maps, name = self._behind(subject)
        return maps.case(name, settings) if maps is not self else super().case(subject, settings)

    def _behind(self, subject: str) -> tuple[MapSet, str]:
        return self.lent.get(subject, (self, subject))


@dataclass(frozen=True)
class HealthySlices(MapSet):
    """Maps of patients of whom only the slices without a lesion count, as healthy scans.

    `dataset` is the name of these scans, `patients` the maps that they are part of. `slices` says which slices: those
    without a lesion voxel in the arrays, or before their masks were resized.
    """

    patients: MapSet = field(kw_only=True)
    slices: str = field(kw_only=True)

    @classmethod
    def of(cls, patients: MapSet, slices: str) -> "HealthySlices":
        """The slices without a lesion in the maps of patients."""
        name = SLICES + patients.dataset
        return cls(name, patients.manifest, patients.folder, patients.store, patients=patients, slices=slices)

    def subjects(self, split: pd.DataFrame, role: str) -> list[str]:
        """The patients of a role."""
        return self.patients.subjects(split, role)

    def is_healthy(self, subject: str) -> bool:
        """Whether an annotated patient has a slice with brain and without a lesion."""
        known = subject in self.store.subjects and self.store.lesions_known(subject)
        return known and bool(self._without_lesion(subject).any())

    def number(self, subject: str, column: str) -> float:
        """NaN: the numbers in the manifest are of whole scans."""
        return float("nan")

    def case(self, subject: str, settings: EvaluationSettings) -> Case:
        """One patient's case, in which only the slices without a lesion count."""
        whole = super().case(subject, settings)
        counted = np.broadcast_to(self._without_lesion(subject), whole.brain.shape)  # (x, y, z)
        region = counted.copy() if whole.region is None else whole.region & counted
        return replace(whole, region=region, lesion=np.zeros_like(whole.lesion))

    def _without_lesion(self, subject: str) -> np.ndarray:
        """(slice,) bool."""
        where = self.store.slices(subject)
        if self.slices == "tumour-free-unresized":
            lesion = np.array(self.store.lesion_slices[where])
        else:
            lesion = np.any(self.store.lesion[where], axis=(1, 2))
        return np.any(self.store.brain[where], axis=(1, 2)) & ~lesion


def validation_scans(
    maps: MapSet, split: pd.DataFrame, kind: Kind, settings: EvaluationSettings
) -> list[str]:
    """The validation subjects of a kind that have a map."""
    found = of_kind(kinds_of(maps, split, "validation", settings), kind)
    return [subject for subject in found if not maps.failure(subject)]


def has_lesions(maps: MapSet, split: pd.DataFrame, settings: EvaluationSettings) -> bool:
    """Whether a validation patient with a map has a lesion in its mask."""
    return any(maps.lesion_voxels(s) for s in validation_scans(maps, split, "patient", settings))


def with_lent_patients(
    maps: MapSet, split: pd.DataFrame, lenders: Sequence[MapSet], settings: EvaluationSettings
) -> MapSet:
    """The maps of a test set, with the validation patients of all lenders where its own have no lesion to mark."""
    if has_lesions(maps, split, settings):
        return maps
    lent = {
        f"{lender.dataset}/{subject}": (lender, subject)
        for lender in lenders
        if has_lesions(lender, split, settings)
        for subject in validation_scans(lender, split, "patient", settings)
    }
    return LentPatients(maps.dataset, maps.manifest, maps.folder, maps.store, lent) if lent else maps
