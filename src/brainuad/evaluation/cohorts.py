"""What each subject counts as: a patient, healthy, left out, or only an image score."""

from typing import Literal

import pandas as pd

from brainuad.evaluation.map_sets import MapSet
from brainuad.evaluation.settings import EvaluatedRole, EvaluationSettings

# "image-only": abnormal as a whole, without any lesion that could be marked (Bercea 2023, RA).
Kind = Literal["patient", "healthy", "left-out", "image-only"]
_EMPTY: dict[str, Kind] = {"patients": "patient", "leave-out": "left-out", "healthy": "healthy"}


def kinds_of(
    maps: MapSet, split: pd.DataFrame, role: EvaluatedRole, settings: EvaluationSettings
) -> dict[str, Kind]:
    """What each subject of a role counts as, in the order of the split."""
    return {subject: kind_of(maps, subject, settings) for subject in maps.subjects(split, role)}


def kind_of(maps: MapSet, subject: str, settings: EvaluationSettings) -> Kind:
    """What one subject counts as, from its group, its conditions and whether its mask is empty.

    A patient whose lesions nobody has annotated gives an image score alone.
    """
    if maps.is_healthy(subject):
        return "healthy"
    voxels = maps.lesion_voxels(subject)
    if not voxels and maps.conditions(subject):
        return "image-only"
    if maps.is_unannotated(subject):
        return "left-out"
    return _EMPTY[settings.empty_masks] if voxels == 0 else "patient"


def of_kind(kinds: dict[str, Kind], *chosen: Kind) -> list[str]:
    """The subjects that are of one of these kinds, in order."""
    return [subject for subject, kind in kinds.items() if kind in chosen]
