"""Which threshold each protocol takes, and what a case looks like at it."""

import logging
from collections.abc import Mapping
from dataclasses import dataclass, field

import numpy as np

from brainuad.evaluation import thresholds
from brainuad.evaluation.detection import Detection, detect, truth_components
from brainuad.evaluation.float16_counts import PatternCounts
from brainuad.evaluation.map_sets import Case
from brainuad.evaluation.metrics import Confusion
from brainuad.evaluation.postprocess import apply_to_mask
from brainuad.evaluation.settings import EvaluationSettings, Protocol

log = logging.getLogger(__name__)


@dataclass(frozen=True)
class Choice:
    """The threshold of a protocol in stored units; `fallback` if it had to come from healthy maps instead."""

    threshold: float
    fallback: bool = False


Choices = Mapping[Protocol, Choice]


@dataclass
class Prediction:
    """Voxels and lesions of one or more cases at the threshold of a protocol (NaN when there are several)."""

    threshold: float = float("nan")
    confusion: Confusion = field(default_factory=Confusion)
    detection: Detection = field(default_factory=Detection)

    def add(self, other: "Prediction") -> None:
        """Adds the voxels and lesions of another case."""
        self.confusion += other.confusion
        self.detection += other.detection


def choose_thresholds(
    validation: PatternCounts, healthy: PatternCounts, settings: EvaluationSettings
) -> dict[Protocol, Choice]:
    """The threshold of each protocol that has one for all cases.

    A validation set without lesions falls back to the healthy threshold; without healthy maps either, the
    protocol is left out. Both are logged.
    """
    chosen: dict[Protocol, Choice] = {}
    from_healthy = thresholds.healthy_threshold(healthy, settings.healthy_fpr) if healthy.total else None
    for protocol in settings.protocols:
        if protocol in ("oracle", "yen"):
            continue
        if protocol != "healthy-fpr" and validation.total_positives:
            chosen[protocol] = Choice(_validated(protocol, validation, settings))
        elif from_healthy is None:
            log.warning("no validation lesion and no healthy map: no threshold for protocol '%s'", protocol)
        else:
            fallback = protocol != "healthy-fpr"
            if fallback:
                log.warning("no validation lesion: protocol '%s' uses the healthy threshold", protocol)
            chosen[protocol] = Choice(from_healthy, fallback)
    return chosen


def _validated(protocol: Protocol, counts: PatternCounts, settings: EvaluationSettings) -> float:
    if protocol == "validation-bisection":
        return thresholds.bisection_threshold(counts, settings.bisection_steps)
    return thresholds.exact_threshold(counts)


def predict(
    case: Case, choices: Choices, settings: EvaluationSettings, scale: float
) -> dict[Protocol, Prediction]:
    """The case at the threshold of each protocol, Yen's included; maps hold `scale` times the true value."""
    masks = {p: (choice.threshold, case.scores >= choice.threshold) for p, choice in choices.items()}
    if "yen" in settings.protocols:
        scores = case.scores.astype(np.float32)
        threshold = thresholds.yen_threshold(scores)
        masks["yen"] = threshold, thresholds.yen_mask(scores, threshold, settings.yen_dilation)
    lesions = truth_components(case.lesion)
    true_scores = case.scores.astype(np.float32) / np.float32(scale)
    predictions: dict[Protocol, Prediction] = {}
    for protocol, (threshold, mask) in masks.items():
        predicted = apply_to_mask(mask, settings.postprocessing)
        if case.region is not None:
            predicted = predicted & case.region
        predictions[protocol] = Prediction(
            threshold,
            Confusion.of(case.counted(predicted), case.counted(case.lesion)),
            detect(lesions, predicted, true_scores, case.brain & ~case.lesion, settings.lesion_overlap),
        )
    return predictions
