"""Which threshold each protocol takes, and what a case looks like at it."""

import logging
import time
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field

import numpy as np

from brainuad.evaluation import thresholds
from brainuad.evaluation.boxes import BoxDetection, detect_boxes
from brainuad.evaluation.detection import Detection, detect, truth_components
from brainuad.evaluation.float16_counts import VALUES, PatternCounts, value_of
from brainuad.evaluation.map_sets import Case
from brainuad.evaluation.metrics import Confusion
from brainuad.evaluation.postprocess import apply_to_mask
from brainuad.evaluation.settings import OF_HEALTHY_MAPS, EvaluationSettings, Protocol

log = logging.getLogger(__name__)


@dataclass(frozen=True)
class Choice:
    """The threshold of a protocol in stored units.

    `fallback` if it had to come from healthy maps instead, `beyond_grid` if it is the exact one because every
    threshold of the paper's grid marks too much.
    """

    threshold: float
    fallback: bool = False
    beyond_grid: bool = False


Choices = Mapping[Protocol, Choice]


@dataclass
class Prediction:
    """Voxels, lesions and boxes of one or more cases at a protocol's threshold (NaN when there are several).

    `seconds` is the time that thresholding and post-processing of the mask took.
    """

    threshold: float = float("nan")
    confusion: Confusion = field(default_factory=Confusion)
    detection: Detection = field(default_factory=Detection)
    boxes: BoxDetection = field(default_factory=BoxDetection)
    seconds: float = 0.0

    def add(self, other: "Prediction") -> None:
        """Adds another case."""
        self.confusion += other.confusion
        self.detection += other.detection
        self.boxes += other.boxes
        self.seconds += other.seconds


Predictions = Mapping[Protocol, Prediction]


def choose_thresholds(
    validation: PatternCounts, healthy: PatternCounts, settings: EvaluationSettings, scale: float
) -> dict[Protocol, Choice]:
    """The threshold of each protocol that has one for all cases; maps hold `scale` times the true value.

    A validation set without lesions falls back to the healthy threshold; without healthy maps either, the
    protocol is left out. Both are logged.
    """
    chosen: dict[Protocol, Choice] = {}
    for protocol in settings.protocols:
        if protocol in ("oracle", "yen"):
            continue
        if protocol not in OF_HEALTHY_MAPS and validation.total_positives:
            chosen[protocol] = Choice(_validated(protocol, validation, settings))
        elif not healthy.total:
            log.warning("no validation lesion and no healthy map: no threshold for protocol '%s'", protocol)
        elif protocol == "healthy-fpr-grid":
            chosen[protocol] = _on_grid(healthy, settings, scale)
        else:
            fallback = protocol != "healthy-fpr"
            if fallback:
                log.warning("no validation lesion: protocol '%s' uses the healthy threshold", protocol)
            chosen[protocol] = Choice(thresholds.healthy_threshold(healthy, settings.healthy_fpr), fallback)
    return chosen


def _validated(protocol: Protocol, counts: PatternCounts, settings: EvaluationSettings) -> float:
    if protocol == "validation-bisection":
        return thresholds.bisection_threshold(counts, settings.bisection_steps)
    return thresholds.exact_threshold(counts)


def _on_grid(counts: PatternCounts, settings: EvaluationSettings, scale: float) -> Choice:
    on_grid = thresholds.healthy_grid_threshold(counts, settings.healthy_fpr, scale)
    if on_grid is not None:
        return Choice(on_grid)
    log.warning("no threshold from 0 to 1 keeps the healthy rate: the exact one beyond 1 is taken")
    return Choice(thresholds.healthy_threshold(counts, settings.healthy_fpr), beyond_grid=True)


def predict(
    case: Case, choices: Choices, settings: EvaluationSettings, scale: float
) -> dict[Protocol, Prediction]:
    """The case at the threshold of each protocol, Yen's included; maps hold `scale` times the true value."""
    lesions = truth_components(case.lesion)
    true_scores = case.scores.astype(np.float32) / np.float32(scale)
    predictions: dict[Protocol, Prediction] = {}
    for protocol, threshold, predicted, seconds in _masks(case, choices, settings):
        predictions[protocol] = Prediction(
            threshold,
            Confusion.of(case.counted(predicted), case.counted(case.lesion)),
            detect(lesions, predicted, true_scores, case.brain & ~case.lesion, settings.lesion_overlap),
            seconds=seconds,
        )
        if case.boxes is not None and len(case.boxes):
            found = detect_boxes(case.boxes, predicted, true_scores, case.brain, settings.lesion_overlap)
            classes = settings.box_classes
            predictions[protocol].boxes = found.in_classes(classes) if classes else found
    return predictions


def _masks(
    case: Case, choices: Choices, settings: EvaluationSettings
) -> Iterator[tuple[Protocol, float, np.ndarray, float]]:
    """Protocol, threshold, post-processed mask and the seconds that it took."""
    for protocol in settings.protocols:
        started = time.perf_counter()
        if protocol in choices:
            threshold = choices[protocol].threshold
            mask = at_least(case.scores, threshold)
        elif protocol == "yen":
            scores = case.scores.astype(np.float32)
            threshold = thresholds.yen_threshold(scores)
            mask = thresholds.yen_mask(scores, threshold, settings.yen_dilation)
        else:
            continue
        yield protocol, threshold, _post_processed(mask, case, settings), time.perf_counter() - started


def mask_at(case: Case, threshold: float, settings: EvaluationSettings) -> np.ndarray:
    """The mask (x, y, z) that is evaluated at a threshold in stored units."""
    return _post_processed(at_least(case.scores, threshold), case, settings)


def _post_processed(mask: np.ndarray, case: Case, settings: EvaluationSettings) -> np.ndarray:
    predicted = apply_to_mask(mask, settings.postprocessing)
    return predicted if case.region is None else predicted & case.region


def at_least(scores: np.ndarray, threshold: float) -> np.ndarray:
    """Where float16 scores are at least the threshold, which is not rounded to float16 for it."""
    return scores >= np.float16(value_of(int(np.searchsorted(VALUES, threshold, side="left"))))
