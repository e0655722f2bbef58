"""Lesion-wise detection: lesions and detections are connected components."""

from dataclasses import dataclass, field

import cc3d
import numpy as np

from brainuad.evaluation.settings import Stratum


def _none() -> np.ndarray:
    return np.zeros(0)


@dataclass(frozen=True)
class Detection:
    """Lesions of one or more volumes and what was found of them.

    `sizes` (lesions,) voxels; `covered` (lesions,) share that is marked; `f1` (lesions,) their F1 after
    Bercea 2023; `hits` and `false_components`: marked components that touch a lesion, or none.
    """

    sizes: np.ndarray = field(default_factory=_none)
    covered: np.ndarray = field(default_factory=_none)
    f1: np.ndarray = field(default_factory=_none)
    hits: int = 0
    false_components: int = 0

    def __add__(self, other: "Detection") -> "Detection":
        return Detection(
            np.concatenate([self.sizes, other.sizes]),
            np.concatenate([self.covered, other.covered]),
            np.concatenate([self.f1, other.f1]),
            self.hits + other.hits,
            self.false_components + other.false_components,
        )

    def recall(self, overlap: float, stratum: Stratum | None = None) -> float:
        """The share of lesions of which more than `overlap` is marked; NaN without lesions."""
        chosen = np.array([stratum is None or stratum.holds(int(size)) for size in self.sizes], dtype=bool)
        return float((self.covered[chosen] > overlap).mean()) if chosen.any() else float("nan")

    @property
    def precision(self) -> float:
        """The share of marked components that touch a lesion; NaN where nothing is marked."""
        marked = self.hits + self.false_components
        return self.hits / marked if marked else float("nan")

    def f1_score(self, overlap: float) -> float:
        """The harmonic mean of lesion-wise precision and recall; NaN without lesions, 0 without marks."""
        recall, precision = self.recall(overlap), np.nan_to_num(self.precision)
        return 2 * precision * recall / (precision + recall) if precision + recall > 0 else 0 * recall

    @property
    def mean_f1(self) -> float:
        """The mean over lesions of the F1 of Bercea 2023; NaN without lesions."""
        return float(self.f1.mean()) if len(self.f1) else float("nan")


def truth_components(truth: np.ndarray) -> np.ndarray:
    """Labels 1, 2, … of the 26-connected lesions, (x, y, z); 0 elsewhere."""
    return cc3d.connected_components(truth, connectivity=26)


def detect(
    lesions: np.ndarray, predicted: np.ndarray, scores: np.ndarray, healthy: np.ndarray, overlap: float
) -> Detection:
    """What a prediction finds of labelled lesions (all arrays are (x, y, z)).

    `scores` is the map in true units and `healthy` the tissue without lesions; both serve only the F1 of
    Bercea 2023, whose false positives are the ratio of two sums of marked scores.
    """
    count = int(lesions.max(initial=0))
    sizes = np.bincount(lesions.ravel(), minlength=count + 1)[1:]
    marked = lesions[predicted]
    covered = np.bincount(marked, minlength=count + 1)[1:] / np.maximum(sizes, 1)
    inside = np.bincount(marked, weights=scores[predicted], minlength=count + 1)[1:]
    outside = float(scores[predicted & healthy].sum(dtype=np.float64))
    components = cc3d.connected_components(predicted, connectivity=26)
    touching = np.unique(components[(lesions > 0) & predicted])
    hits = len(touching)
    return Detection(
        sizes=sizes,
        covered=covered,
        f1=bercea_f1(covered > overlap, inside, outside),
        hits=hits,
        false_components=int(components.max(initial=0)) - hits,
    )


def bercea_false_positives(inside: np.ndarray, outside: float | np.ndarray) -> np.ndarray:
    """FP of each lesion (Bercea 2023, RA): int(outside / max(inside, 1)), whole multiples of its own sum.

    `inside` (lesions,) and `outside` are sums of the marked scores in the lesion and in healthy tissue.
    """
    return np.floor(outside / np.maximum(inside, 1))


def bercea_f1(detected: np.ndarray, inside: np.ndarray, outside: float | np.ndarray) -> np.ndarray:
    """F1 of each lesion (Bercea 2023, RA): TP is its detection, FP that of `bercea_false_positives`."""
    tp = detected.astype(float)
    fp = bercea_false_positives(inside, outside)
    precision = tp / np.maximum(tp + fp, 1)
    return 2 * precision * tp / (precision + tp + 1e-8)
