"""On which maps thresholds are chosen, before any evaluated map is opened."""

import logging
from collections.abc import Mapping, Sequence

import pandas as pd

from brainuad.errors import InputError
from brainuad.evaluation.cohorts import kinds_of, of_kind
from brainuad.evaluation.float16_counts import PatternCounts
from brainuad.evaluation.map_sets import MapSet
from brainuad.evaluation.settings import OF_HEALTHY_MAPS, EvaluationSettings, Protocol
from brainuad.evaluation.thresholded import Choice, choose_thresholds

log = logging.getLogger(__name__)


def without_leaking_protocols(settings: EvaluationSettings) -> EvaluationSettings:
    """The settings without the protocols that leak, each of which is logged.

    Where validation patients are evaluated, no map of a test subject is opened, healthy or not.
    """
    if settings.role != "validation":
        return settings
    leaking = settings.leaking_protocols
    for protocol in leaking:
        log.warning("validation patients are evaluated: protocol '%s' is left out", protocol)
    kept = tuple(protocol for protocol in settings.protocols if protocol not in leaking)
    return settings.model_copy(update={"protocols": kept, "healthy_role": "validation"})


def choose_on_maps(
    maps: MapSet, split: pd.DataFrame, healthy: Sequence[MapSet], settings: EvaluationSettings, scale: float
) -> dict[Protocol, Choice]:
    """The thresholds, from the validation patients of the data set and from healthy subjects."""
    fixed = set(settings.protocols) - {"oracle", "yen"}
    validation, normal = PatternCounts.empty(), PatternCounts.empty()
    if fixed - set(OF_HEALTHY_MAPS):
        patients = of_kind(kinds_of(maps, split, "validation", settings), "patient")
        _count(maps, patients, settings, validation)
    if fixed & set(OF_HEALTHY_MAPS) or (fixed and not validation.total_positives):
        for source in (maps, *healthy):
            subjects = of_kind(kinds_of(source, split, settings.healthy_role, settings), "healthy")
            _count(source, subjects, settings, normal)
    return choose_thresholds(validation, normal, settings, scale)


def _count(
    maps: MapSet, subjects: Sequence[str], settings: EvaluationSettings, counts: PatternCounts
) -> None:
    failures: dict[str, str] = {}
    for case in maps.cases(subjects, settings, failures):
        counts.add(case.counted(case.scores), case.counted(case.lesion))
    check_failures(maps, subjects, failures, settings)


def check_failures(
    maps: MapSet, subjects: Sequence[str], failures: Mapping[str, str], settings: EvaluationSettings
) -> None:
    """An `InputError` where too large a share of subjects cannot be scored."""
    if len(failures) > settings.max_failed_share * len(subjects):
        reasons = "; ".join(f"{subject}: {reason}" for subject, reason in list(failures.items())[:3])
        raise InputError(
            f"{maps.folder}.tsv: {len(failures)} of {len(subjects)} subjects cannot be scored, more than "
            f"evaluation.max_failed_share = {settings.max_failed_share:g} allows ({reasons})."
        )
