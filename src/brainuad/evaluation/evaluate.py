"""From the maps of one method, run and data set to a tidy table of scores and a precision-recall curve.

Thresholds are chosen on validation and healthy maps before any test map is opened. Test maps are opened once,
one after the other; memory does not grow with the number of voxels.
"""

import logging
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

import numpy as np
import pandas as pd

from brainuad.errors import InputError
from brainuad.evaluation import metrics
from brainuad.evaluation.attributes import strata_by_attribute
from brainuad.evaluation.cohorts import Kind, kinds_of, of_kind
from brainuad.evaluation.images import add_auroc, add_auroc_of_conditions
from brainuad.evaluation.map_sets import Case, MapSet
from brainuad.evaluation.pooled import Pool, add_oracle_of_means, add_pooled
from brainuad.evaluation.score_rows import MEAN, POOLED, SCORE_COLUMNS, ScoreRows
from brainuad.evaluation.settings import EvaluationSettings
from brainuad.evaluation.similarity_rows import (
    add_similarity,
    add_similarity_in_lesion,
    healthy_similarity,
)
from brainuad.evaluation.subject_rows import add_healthy_rows, add_patient_rows
from brainuad.evaluation.threshold_maps import (
    check_failures,
    choose_on_maps,
    without_leaking_protocols,
)
from brainuad.evaluation.thresholded import Choices, Predictions, predict

log = logging.getLogger(__name__)

SECONDS_COLUMNS = ["subject", "seconds", "seconds_postprocessing", "seconds_total"]


@dataclass(frozen=True)
class Evaluation:
    """What the evaluation of one method, run and data set gives.

    `scores` are the tidy rows, `curve` the pooled precision-recall curve. `seconds` has a row per evaluated
    subject: the inference, the post-processing here, and both; it differs from time to time.
    """

    scores: pd.DataFrame
    curve: pd.DataFrame
    seconds: pd.DataFrame


@dataclass
class _Subjects:
    """What is gathered while the maps of the evaluated subjects pass by."""

    kinds: dict[str, Kind]
    rows: ScoreRows
    pool: Pool = field(default_factory=Pool)
    failures: dict[str, str] = field(default_factory=dict)
    seconds: list[dict[str, object]] = field(default_factory=list)


def evaluate_method(
    maps: MapSet,
    split: pd.DataFrame,
    healthy: Sequence[MapSet],
    settings: EvaluationSettings,
    labels: Mapping[str, str | int],
) -> Evaluation:
    """The scores of one method, run and data set, and its pooled precision-recall curve.

    `labels` gives study, method and run. `healthy` are maps of the same method and run on healthy data sets;
    rows about them have that data set's name as their stratum. Thresholds are in true units.
    """
    rows = ScoreRows(_common_scale([maps, *healthy]))
    for protocol in settings.leaking_protocols:
        rows.add(POOLED, {"protocol_left_out": 1}, stratum=protocol)
    settings = without_leaking_protocols(settings)
    choices = choose_on_maps(maps, split, healthy, settings, rows.scale)
    for protocol, choice in choices.items():
        values = {"threshold": choice.threshold / rows.scale, "threshold_fallback": choice.fallback}
        if protocol == "healthy-fpr-grid":
            values["threshold_beyond_grid"] = choice.beyond_grid
        rows.add(POOLED, values, protocol, choice.threshold)
    found = _Subjects(kinds_of(maps, split, settings.role, settings), rows)
    _score_subjects(maps, choices, settings, found)
    add_oracle_of_means(found.pool, settings, rows)
    rows.add_means(_strata(maps, found, settings))
    add_pooled(found.pool, choices, settings, rows)
    others = [(other, kinds_of(other, split, settings.role, settings)) for other in healthy]
    add_auroc(maps, found.kinds, others, rows)
    add_auroc_of_conditions(maps, found.kinds, others, settings, rows)
    for other, kinds in others:
        _add_healthy_set(other, of_kind(kinds, "healthy"), choices, settings, rows)
    curve = metrics.precision_recall_curve(found.pool.counts, settings.curve_points)
    curve["threshold"] /= rows.scale
    scores = rows.table().assign(**{**labels, "dataset": maps.dataset})[SCORE_COLUMNS]
    return Evaluation(scores, curve, pd.DataFrame(found.seconds, columns=SECONDS_COLUMNS))


def _common_scale(sets: Sequence[MapSet]) -> float:
    """The factor between stored and true values, which is the same for all maps of a method."""
    exponents = set().union(*(s.scale_exponents for s in sets))
    if len(exponents) > 1:
        raise InputError(
            f"{sets[0].folder}.tsv: the maps have different scale exponents ({sorted(exponents)}) and cannot "
            "share thresholds. Remove the maps of this method and run again."
        )
    return float(2.0 ** exponents.pop()) if exponents else 1.0


def _score_subjects(maps: MapSet, choices: Choices, settings: EvaluationSettings, found: _Subjects) -> None:
    """Adds the rows of every evaluated subject and of how many there are; patients are pooled."""
    subjects = list(found.kinds)
    if not subjects:
        raise InputError(
            f"{maps.dataset}: the split has no {settings.role} subject; give `{settings.role}` a count in the "
            "study."
        )
    for subject in of_kind(found.kinds, "image-only", "left-out"):
        if reason := maps.failure(subject):
            found.failures[subject] = reason
        else:
            found.rows.add(subject, {"image_score": maps.number(subject, "image_score")})
    for case in maps.cases(of_kind(found.kinds, "patient", "healthy"), settings, found.failures):
        predictions = predict(case, choices, settings, found.rows.scale)
        found.seconds.append(_seconds(maps, case, predictions))
        _add_subject(maps, case, predictions, settings, found)
    check_failures(maps, subjects, found.failures, settings)
    found.rows.add(POOLED, _numbers_of_subjects(maps, found))
    if not found.pool.dice_curves:
        log.warning(
            "%s: no %s subject has a lesion: AUPRC and Dice are undefined", maps.dataset, settings.role
        )


def _add_subject(
    maps: MapSet, case: Case, predictions: Predictions, settings: EvaluationSettings, found: _Subjects
) -> None:
    subject, rows = case.subject, found.rows
    rows.add(subject, {"image_score": maps.number(subject, "image_score")})
    add_similarity_in_lesion(maps, subject, rows)
    if found.kinds[subject] == "healthy":
        rows.add(subject, healthy_similarity(maps, subject))
        add_healthy_rows(subject, predictions, rows)
        return
    counts = case.counts()
    if maps.lesion_voxels(subject):
        add_similarity(maps, subject, rows)
    add_patient_rows(subject, counts, predictions, settings, rows)
    found.pool.add(case, counts, predictions, settings)


def _numbers_of_subjects(maps: MapSet, found: _Subjects) -> dict[str, int]:
    numbers = {
        "subjects": len(found.kinds) - len(found.failures),
        "subjects_with_lesion": len(found.pool.dice_curves),
        "subjects_failed": len(found.failures),
    }
    scored = {subject: kind for subject, kind in found.kinds.items() if subject not in found.failures}
    empty = [s for s in of_kind(scored, "patient", "healthy", "left-out") if not maps.is_healthy(s)]
    without = sum(maps.lesion_voxels(subject) == 0 for subject in empty)
    image_only = len(of_kind(scored, "image-only"))
    unannotated = sum(map(maps.is_unannotated, of_kind(scored, "left-out")))
    if unannotated:
        log.warning("%s: %d subjects have no lesion mask and are left out", maps.dataset, unannotated)
    further = {
        "subjects_without_lesion": without,
        "subjects_image_only": image_only,
        "subjects_unannotated": unannotated,
    }
    return numbers | {name: number for name, number in further.items() if number}


def _seconds(maps: MapSet, case: Case, predictions: Predictions) -> dict[str, object]:
    """One subject's row: a map is post-processed once, its masks are on average over protocols."""
    inference = maps.number(case.subject, "seconds")
    of_masks = [prediction.seconds for prediction in predictions.values()]
    post = case.seconds + (float(np.mean(of_masks)) if of_masks else 0.0)
    return dict(zip(SECONDS_COLUMNS, (case.subject, inference, post, inference + post), strict=True))


def _strata(maps: MapSet, found: _Subjects, settings: EvaluationSettings) -> dict[str, list[str]]:
    """The strata of each patient with a lesion; adds how many are in those by attribute."""
    strata = {subject: list(found.pool.strata.get(subject, [])) for subject in found.pool.dice_curves}
    members: dict[str, int] = {}
    for subject, names in strata.items():
        for name in strata_by_attribute(maps, subject, settings.attributes):
            names.append(name)
            members[name] = members.get(name, 0) + 1
    for name, count in sorted(members.items()):
        found.rows.add(POOLED, {"subjects_with_lesion": count}, stratum=name)
    return strata


def _add_healthy_set(
    healthy: MapSet,
    subjects: Sequence[str],
    choices: Choices,
    settings: EvaluationSettings,
    rows: ScoreRows,
) -> None:
    """Adds means over the healthy subjects of another data set, whose name is the stratum."""
    found = ScoreRows(rows.scale)
    failures: dict[str, str] = {}
    for case in healthy.cases(subjects, settings, failures):
        found.add(case.subject, {**healthy_similarity(healthy, case.subject), "subjects": 1})
        add_healthy_rows(case.subject, predict(case, choices, settings, rows.scale), found)
    check_failures(healthy, subjects, failures, settings)
    table = found.table().dropna(subset=["value"])
    thresholds = {str(protocol): choice.threshold for protocol, choice in choices.items()}
    for key, values in table.groupby(["protocol", "metric"])["value"]:
        protocol, metric = map(str, key)
        value = values.sum() if metric == "subjects" else values.mean()
        threshold = thresholds.get(protocol, float("nan"))
        rows.add(MEAN, {metric: value}, protocol, threshold, stratum=healthy.dataset)
