"""Detection of annotated boxes (Bercea 2023, RA, section 4.3): every box is an item of its own."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import pandas as pd

from brainuad.evaluation.detection import bercea_f1


@dataclass(frozen=True)
class BoxDetection:
    """Boxes of one or more scans, (boxes,) each: their label, whether they are detected, and their F1."""

    labels: np.ndarray = field(default_factory=lambda: np.zeros(0, dtype=object))
    detected: np.ndarray = field(default_factory=lambda: np.zeros(0, dtype=bool))
    f1: np.ndarray = field(default_factory=lambda: np.zeros(0))

    def __add__(self, other: "BoxDetection") -> "BoxDetection":
        return BoxDetection(
            np.concatenate([self.labels, other.labels]),
            np.concatenate([self.detected, other.detected]),
            np.concatenate([self.f1, other.f1]),
        )

    def in_classes(self, classes: Mapping[str, Sequence[str]]) -> "BoxDetection":
        """The boxes of the given classes, each a list of labels (whatever their case), under the class's name."""
        names = {label.casefold(): name for name, labels in classes.items() for label in labels}
        found = np.array([names.get(str(label).casefold(), "") for label in self.labels], dtype=object)
        chosen = found != ""
        return BoxDetection(found[chosen], self.detected[chosen], self.f1[chosen])

    def values(self, label: str = "") -> dict[str, float]:
        """Numbers of boxes and of detected ones, their share and the mean F1, of one label or of all ("").

        Without a box there is no share and no F1.
        """
        chosen = self.labels == label if label else np.ones(len(self.labels), dtype=bool)
        values: dict[str, float] = {"boxes": int(chosen.sum()), "detected": int(self.detected[chosen].sum())}
        if chosen.any():
            values |= {"detected_share": self.detected[chosen].mean(), "f1_boxes": self.f1[chosen].mean()}
        return values


@dataclass(frozen=True)
class BoxSums:
    """What is marked of boxes, (boxes,) each: their share of marked pixels, and sums of marked scores.

    `inside` is the sum in the box, `outside` that in the healthy tissue of its slice.
    """

    share: np.ndarray
    inside: np.ndarray
    outside: np.ndarray


def detect_boxes(
    boxes: pd.DataFrame, predicted: np.ndarray, scores: np.ndarray, head: np.ndarray, overlap: float
) -> BoxDetection:
    """What a prediction finds of a scan's boxes; arrays are (x, y, z), `scores` in true units.

    A box is detected if more than `overlap` of its pixels are marked. Its false positives are the sum of the
    marked scores in healthy tissue as whole multiples of the sum in the box: int(outside / max(inside, 1)).
    """
    sums = sum_in_boxes(boxes, predicted, scores, head)
    detected = sums.share > overlap
    f1 = bercea_f1(detected, sums.inside, sums.outside)
    return BoxDetection(boxes["label"].to_numpy(dtype=object), detected, f1)


def sum_in_boxes(boxes: pd.DataFrame, predicted: np.ndarray, scores: np.ndarray, head: np.ndarray) -> BoxSums:
    """The marked scores in and around a scan's boxes; healthy tissue is the head of a slice without any box."""
    marked = np.where(predicted, scores, 0)
    healthy = {int(z): head[:, :, z] & ~box_mask(boxes, int(z), head.shape) for z in boxes["slice"].unique()}
    around = {z: float(marked[:, :, z][tissue].sum(dtype=np.float64)) for z, tissue in healthy.items()}
    places = [pixels_of(box) for box in boxes.itertuples()]
    return BoxSums(
        share=np.array([predicted[place].mean() for place in places]),
        inside=np.array([marked[place].sum(dtype=np.float64) for place in places]),
        outside=np.array([around[z] for _, _, z in places]),
    )


def box_mask(boxes: pd.DataFrame, z: int, shape: tuple[int, ...]) -> np.ndarray:
    """Pixels of slice `z`, (x, y), that lie in any of its boxes."""
    covered = np.zeros(shape[:2], dtype=bool)
    for box in boxes[boxes["slice"] == z].itertuples():
        x, y, _ = pixels_of(box)
        covered[x, y] = True
    return covered


def pixels_of(box: Any) -> tuple[slice, slice, int]:
    """The pixels of a box, whose bounds are inclusive."""
    return slice(box.x_first, box.x_last + 1), slice(box.y_first, box.y_last + 1), int(box.slice)
