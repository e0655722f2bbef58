"""The rows of one subject."""

from brainuad.evaluation import metrics
from brainuad.evaluation.float16_counts import PatternCounts
from brainuad.evaluation.pooled import lesion_values
from brainuad.evaluation.score_rows import ScoreRows
from brainuad.evaluation.settings import EvaluationSettings
from brainuad.evaluation.thresholded import Predictions


def add_patient_rows(
    subject: str,
    counts: PatternCounts,
    predictions: Predictions,
    settings: EvaluationSettings,
    rows: ScoreRows,
) -> None:
    """Adds how well a patient's lesions are told from the rest; without a lesion most of it is undefined."""
    prevalence = counts.total_positives / max(counts.total, 1)
    rows.add(subject, {"auprc": metrics.average_precision(counts), "prevalence": prevalence})
    if "oracle" in settings.protocols:
        value, threshold = metrics.best_dice(counts)
        rows.add(subject, {"dice": value}, "oracle", threshold)
    for protocol, prediction in predictions.items():
        rows.add(subject, lesion_values(prediction, settings), protocol, prediction.threshold)


def add_healthy_rows(subject: str, predictions: Predictions, rows: ScoreRows) -> None:
    """Adds how much is marked in a healthy subject."""
    for protocol, prediction in predictions.items():
        values = {
            "fpr": prediction.confusion.false_positive_rate,
            "healthy_components": prediction.detection.false_components,
        }
        rows.add(subject, values, protocol, prediction.threshold)
