"""How well one score per image tells patients from healthy subjects."""

import logging
from collections.abc import Sequence

import numpy as np

from brainuad.evaluation.cohorts import Kind, of_kind
from brainuad.evaluation.map_sets import MapSet
from brainuad.evaluation.metrics import image_auroc
from brainuad.evaluation.score_rows import POOLED, ScoreRows
from brainuad.evaluation.settings import AVERAGE, EvaluationSettings

log = logging.getLogger(__name__)

Kinds = dict[str, Kind]


def add_auroc(maps: MapSet, kinds: Kinds, others: Sequence[tuple[MapSet, Kinds]], rows: ScoreRows) -> None:
    """Adds the AUROC of all patients against the healthy subjects of each data set, whose name is the stratum.

    `kinds` are those of the evaluated subjects; the stratum of the own data set is empty.
    """
    abnormal = image_scores(maps, of_kind(kinds, "patient", "image-only"))
    for source, members in [(maps, kinds), *others]:
        value = image_auroc(image_scores(source, of_kind(members, "healthy")), abnormal)
        if np.isfinite(value):
            rows.add(POOLED, {"auroc": value}, stratum="" if source is maps else source.dataset)


def add_auroc_of_conditions(
    maps: MapSet,
    kinds: Kinds,
    others: Sequence[tuple[MapSet, Kinds]],
    settings: EvaluationSettings,
    rows: ScoreRows,
) -> None:
    """Adds the AUROC of each group of conditions, which is the stratum, and the mean over groups if all have one.

    The healthy subjects are those of the same data set, or of the others where it has none (Bercea 2023, RA,
    Table 2a: 30 normal scans against 27 with a pathology and 23 with an artefact of the whole image).
    """
    patients = of_kind(kinds, "patient", "image-only")
    normal = image_scores(maps, of_kind(kinds, "healthy"))
    if not len(normal):
        normal = np.concatenate([normal, *(image_scores(s, of_kind(k, "healthy")) for s, k in others)])
    values = []
    for group in settings.conditions:
        members = [s for s in patients if group in settings.groups_of(maps.conditions(s))]
        abnormal = image_scores(maps, members)
        rows.add(POOLED, {"subjects": len(abnormal)}, stratum=group)
        value = image_auroc(normal, abnormal)
        if not np.isfinite(value):
            log.warning(
                "%s: no AUROC of group '%s': %d image scores of its patients and %d of healthy subjects",
                *(maps.dataset, group, len(abnormal), len(normal)),
            )
            continue
        values.append(value)
        rows.add(POOLED, {"auroc": value}, stratum=group)
    if values and len(values) == len(settings.conditions):
        rows.add(POOLED, {"auroc": float(np.mean(values))}, stratum=AVERAGE)


def image_scores(maps: MapSet, subjects: Sequence[str]) -> np.ndarray:
    """The image scores of subjects, (subjects,), without those that have none."""
    scores = np.array([maps.number(subject, "image_score") for subject in subjects], dtype=np.float64)
    return scores[np.isfinite(scores)]
