"""What is kept of all patients of a test set together, and the rows made from it."""

from dataclasses import dataclass, field

import numpy as np

from brainuad.evaluation import metrics
from brainuad.evaluation.float16_counts import PATTERNS, PatternCounts
from brainuad.evaluation.map_sets import Case
from brainuad.evaluation.score_rows import POOLED, ScoreRows
from brainuad.evaluation.settings import EvaluationSettings, Protocol
from brainuad.evaluation.thresholded import Choices, Prediction, Predictions


@dataclass
class Pool:
    """What is kept of the patients of a test set: counts of all voxels, and a Dice curve per subject.

    Strata are those by size and the groups of conditions.
    """

    counts: PatternCounts = field(default_factory=PatternCounts.empty)
    of_stratum: dict[str, PatternCounts] = field(default_factory=dict)
    predictions: dict[Protocol, Prediction] = field(default_factory=dict)
    dice_curves: dict[str, np.ndarray] = field(default_factory=dict)  # 124 KiB a subject
    strata: dict[str, list[str]] = field(default_factory=dict)  # of subjects with a lesion

    def add(
        self,
        case: Case,
        counts: PatternCounts,
        predictions: Predictions,
        settings: EvaluationSettings,
    ) -> None:
        """Adds one patient."""
        self.counts.merge(counts)
        for protocol, prediction in predictions.items():
            self.predictions.setdefault(protocol, Prediction()).add(prediction)
        if not counts.total_positives:
            return
        self.dice_curves[case.subject] = metrics.dice_curve(counts).astype(np.float32)
        sizes = {"voxels": float(np.count_nonzero(case.lesion)), "diameter_mm": case.diameter_mm}
        names = [stratum.name for stratum in settings.subject_strata if stratum.holds(sizes[stratum.by])]
        for name in (*names, *settings.groups_of(case.conditions)):
            self.strata.setdefault(case.subject, []).append(name)
            self.of_stratum.setdefault(name, PatternCounts.empty()).merge(counts)


def lesion_values(prediction: Prediction, settings: EvaluationSettings) -> dict[str, float]:
    """The metrics of a thresholded map, or of several pooled."""
    voxels, lesions = prediction.confusion, prediction.detection
    return {
        "dice": voxels.dice,
        "precision": voxels.precision,
        "recall": voxels.recall,
        "lesion_recall": lesions.recall(settings.lesion_overlap),
        "lesion_precision": lesions.precision,
        "lesion_f1": lesions.f1_score(settings.lesion_overlap),
        "box_f1": lesions.mean_f1,
        "false_positive_components": lesions.false_components,
    }


def add_oracle_of_means(pool: Pool, settings: EvaluationSettings, rows: ScoreRows) -> None:
    """Adds each subject's Dice at the threshold where the mean over subjects is highest (Frotscher 2023)."""
    if "oracle" not in settings.protocols or not pool.dice_curves:
        return
    total = np.zeros(PATTERNS)
    for curve in pool.dice_curves.values():
        total += curve
    _, threshold = metrics.best_of_curve(total, pool.counts)
    chosen = {"dice_mean_volumes": threshold}
    if settings.threshold_grid:
        patterns = metrics.grid_patterns(settings.threshold_grid, pool.counts, rows.scale)
        chosen["dice_mean_volumes_grid"] = metrics.best_on_grid(total, patterns)[1]
    for metric, threshold in chosen.items():
        for subject, curve in pool.dice_curves.items():
            rows.add(subject, {metric: metrics.value_at(curve, threshold)}, "oracle", threshold)


def add_pooled(pool: Pool, choices: Choices, settings: EvaluationSettings, rows: ScoreRows) -> None:
    """Adds the rows of all voxels together, and those of the strata."""
    prevalence = pool.counts.total_positives / max(pool.counts.total, 1)
    rows.add(POOLED, {"auprc": metrics.average_precision(pool.counts), "prevalence": prevalence})
    _add_pooled_oracle(pool, "", pool.counts, settings, rows)
    for stratum, counts in pool.of_stratum.items():
        members = sum(stratum in names for names in pool.strata.values())
        values = {"auprc": metrics.average_precision(counts), "subjects_with_lesion": members}
        rows.add(POOLED, values, stratum=stratum)
        _add_pooled_oracle(pool, stratum, counts, settings, rows)
    for protocol, prediction in pool.predictions.items():
        threshold = choices[protocol].threshold if protocol in choices else float("nan")
        rows.add(POOLED, lesion_values(prediction, settings), protocol, threshold)
        for group in settings.lesion_strata:
            recall = prediction.detection.recall(settings.lesion_overlap, group)
            rows.add(POOLED, {"lesion_recall": recall}, protocol, threshold, group.name)
        if settings.boxes:
            for label in ("", *sorted(set(prediction.boxes.labels))):
                rows.add(POOLED, prediction.boxes.values(label), protocol, threshold, label)


def _add_pooled_oracle(
    pool: Pool, stratum: str, counts: PatternCounts, settings: EvaluationSettings, rows: ScoreRows
) -> None:
    """Adds the highest Dice of pooled voxels, at a threshold of their own, and that on the paper's grid."""
    if "oracle" not in settings.protocols:
        return
    value, threshold = metrics.best_dice(counts)
    rows.add(POOLED, {"dice": value}, "oracle", threshold, stratum)
    if settings.threshold_grid and pool.counts.total:
        patterns = metrics.grid_patterns(settings.threshold_grid, pool.counts, rows.scale)
        value, threshold = metrics.best_on_grid(metrics.dice_curve(counts), patterns)
        rows.add(POOLED, {"dice_grid": value}, "oracle", threshold, stratum)
