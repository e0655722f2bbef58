"""From the maps of one method, run and data set to a tidy table of scores and a precision-recall curve.

Thresholds are chosen on validation and healthy maps before any test map is opened. Test maps are opened once,
one after the other; memory does not grow with the number of voxels.
"""

from collections.abc import Mapping, Sequence

import numpy as np
import pandas as pd

from brainuad.errors import InputError
from brainuad.evaluation import metrics
from brainuad.evaluation.float16_counts import PatternCounts
from brainuad.evaluation.map_sets import MapSet
from brainuad.evaluation.pooled import Pool, add_oracle_of_means, add_pooled, lesion_values
from brainuad.evaluation.score_rows import MEAN, POOLED, SCORE_COLUMNS, ScoreRows
from brainuad.evaluation.settings import EvaluationSettings, Protocol
from brainuad.evaluation.thresholded import Choice, Choices, Prediction, choose_thresholds, predict


def evaluate_method(
    maps: MapSet,
    split: pd.DataFrame,
    healthy: Sequence[MapSet],
    settings: EvaluationSettings,
    labels: Mapping[str, str | int],
) -> tuple[pd.DataFrame, pd.DataFrame]:
    """The scores of one method, run and data set (tidy), and its pooled precision-recall curve.

    `labels` gives study, method and run. `healthy` are maps of the same method and run on healthy data sets;
    rows about them have that data set's name as their stratum. Thresholds are in true units.
    """
    rows = ScoreRows(_common_scale([maps, *healthy]))
    choices = _choose(maps, split, healthy, settings)
    for protocol, choice in choices.items():
        values = {"threshold": choice.threshold / rows.scale, "threshold_fallback": choice.fallback}
        rows.add(POOLED, values, protocol, choice.threshold)
    pool = _score_test_set(maps, split, choices, settings, rows)
    add_oracle_of_means(pool, settings, rows)
    rows.add_means(pool.strata)
    add_pooled(pool, choices, settings, rows)
    _add_auroc(maps, split, [maps, *healthy], rows)
    for other in healthy:
        _add_healthy_set(other, split, choices, settings, rows)
    curve = metrics.precision_recall_curve(pool.counts, settings.curve_points)
    curve["threshold"] /= rows.scale
    return rows.table().assign(**{**labels, "dataset": maps.dataset})[SCORE_COLUMNS], curve


def _common_scale(sets: Sequence[MapSet]) -> float:
    """The factor between stored and true values, which is the same for all maps of a method."""
    exponents = set().union(*(s.scale_exponents for s in sets))
    if len(exponents) > 1:
        raise InputError(
            f"{sets[0].folder}.tsv: the maps have different scale exponents ({sorted(exponents)}) and cannot "
            "share thresholds. Remove the maps of this method and run again."
        )
    return float(2.0 ** exponents.pop()) if exponents else 1.0


def _choose(
    maps: MapSet, split: pd.DataFrame, healthy: Sequence[MapSet], settings: EvaluationSettings
) -> dict[Protocol, Choice]:
    """The thresholds, from the validation patients of the data set and from healthy subjects."""
    fixed = set(settings.protocols) - {"oracle", "yen"}
    validation, normal = PatternCounts.empty(), PatternCounts.empty()
    if fixed - {"healthy-fpr"}:
        patients = [s for s in maps.subjects(split, "validation") if not maps.is_healthy(s)]
        _count(maps, patients, settings, validation)
    if "healthy-fpr" in fixed or (fixed and not validation.total_positives):
        for source in (maps, *healthy):
            subjects = [s for s in source.subjects(split, settings.healthy_role) if source.is_healthy(s)]
            _count(source, subjects, settings, normal)
    return choose_thresholds(validation, normal, settings)


def _count(
    maps: MapSet, subjects: Sequence[str], settings: EvaluationSettings, counts: PatternCounts
) -> None:
    failures: dict[str, str] = {}
    for case in maps.cases(subjects, settings, failures):
        counts.add(case.counted(case.scores), case.counted(case.lesion))
    _check_failures(maps, subjects, failures, settings)


def _score_test_set(
    maps: MapSet, split: pd.DataFrame, choices: Choices, settings: EvaluationSettings, rows: ScoreRows
) -> Pool:
    """Adds the rows of every test subject and of how many there are; patients are pooled."""
    subjects, failures, pool = maps.subjects(split, "test"), {}, Pool()  # type: ignore[var-annotated]
    for case in maps.cases(subjects, settings, failures):
        predictions = predict(case, choices, settings, rows.scale)
        rows.add(case.subject, {"image_score": maps.number(case.subject, "image_score")})
        if case.healthy:
            rows.add(case.subject, {"l1": maps.number(case.subject, "l1")})
            _add_healthy_rows(case.subject, predictions, rows)
            continue
        counts = PatternCounts.of(case.counted(case.scores), case.counted(case.lesion))
        _add_patient_rows(case.subject, counts, predictions, settings, rows)
        pool.add(case, counts, predictions, settings)
    if not subjects:
        raise InputError(f"{maps.dataset}: the split has no test subject; give `test` a count in the study.")
    _check_failures(maps, subjects, failures, settings)
    rows.add(
        POOLED,
        {
            "subjects": len(subjects) - len(failures),
            "subjects_with_lesion": len(pool.dice_curves),
            "subjects_failed": len(failures),
        },
    )
    return pool


def _check_failures(
    maps: MapSet, subjects: Sequence[str], failures: Mapping[str, str], settings: EvaluationSettings
) -> None:
    if len(failures) > settings.max_failed_share * len(subjects):
        reasons = "; ".join(f"{subject}: {reason}" for subject, reason in list(failures.items())[:3])
        raise InputError(
            f"{maps.folder}.tsv: {len(failures)} of {len(subjects)} subjects cannot be scored, more than "
            f" evaluation.max_failed_share = {settings.max_failed_share:g} allows ({reasons})."
        )


def _add_patient_rows(
    subject: str,
    counts: PatternCounts,
    predictions: Mapping[Protocol, Prediction],
    settings: EvaluationSettings,
    rows: ScoreRows,
) -> None:
    prevalence = counts.total_positives / max(counts.total, 1)
    rows.add(subject, {"auprc": metrics.average_precision(counts), "prevalence": prevalence})
    if "oracle" in settings.protocols:
        value, threshold = metrics.best_dice(counts)
        rows.add(subject, {"dice": value}, "oracle", threshold)
    for protocol, prediction in predictions.items():
        values = lesion_values(prediction, settings)
        rows.add(subject, values, protocol, prediction.threshold)


def _add_healthy_rows(
    subject: str, predictions: Mapping[Protocol, Prediction], rows: ScoreRows, stratum: str = ""
) -> None:
    for protocol, prediction in predictions.items():
        values = {
            "fpr": prediction.confusion.false_positive_rate,
            "healthy_components": prediction.detection.false_components,
        }
        rows.add(subject, values, protocol, prediction.threshold, stratum)


def _add_healthy_set(
    healthy: MapSet, split: pd.DataFrame, choices: Choices, settings: EvaluationSettings, rows: ScoreRows
) -> None:
    """Adds means over the healthy test subjects of another data set, whose name is the stratum."""
    found = ScoreRows(rows.scale)
    subjects = [s for s in healthy.subjects(split, "test") if healthy.is_healthy(s)]
    failures: dict[str, str] = {}
    for case in healthy.cases(subjects, settings, failures):
        found.add(case.subject, {"l1": healthy.number(case.subject, "l1"), "subjects": 1})
        _add_healthy_rows(case.subject, predict(case, choices, settings, rows.scale), found)
    _check_failures(healthy, subjects, failures, settings)
    table = found.table().dropna(subset=["value"])
    thresholds = {str(protocol): choice.threshold for protocol, choice in choices.items()}
    for key, values in table.groupby(["protocol", "metric"])["value"]:
        protocol, metric = map(str, key)
        value = values.sum() if metric == "subjects" else values.mean()
        threshold = thresholds.get(protocol, float("nan"))
        rows.add(MEAN, {metric: value}, protocol, threshold, stratum=healthy.dataset)


def _add_auroc(maps: MapSet, split: pd.DataFrame, sets: Sequence[MapSet], rows: ScoreRows) -> None:
    """Adds how well image scores tell the patients of the test set from healthy subjects, set by set."""
    patients = [s for s in maps.subjects(split, "test") if not maps.is_healthy(s)]
    abnormal = np.array([maps.number(s, "image_score") for s in patients])
    for source in sets:
        subjects = [s for s in source.subjects(split, "test") if source.is_healthy(s)]
        normal = np.array([source.number(s, "image_score") for s in subjects])
        stratum = "" if source is maps else source.dataset
        value = metrics.image_auroc(normal, abnormal)
        if np.isfinite(value):
            rows.add(POOLED, {"auroc": value}, stratum=stratum)
