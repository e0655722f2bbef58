"""Scans with annotated boxes as the evaluation sees them, and which of them is a typical example."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from brainuad.arrays import ArrayStore
from brainuad.evaluation.boxes import pixels_of, sum_in_boxes
from brainuad.evaluation.catalogue import POOLED, Quantity
from brainuad.evaluation.detection import bercea_f1, bercea_false_positives
from brainuad.evaluation.map_sets import MapSet
from brainuad.evaluation.settings import EvaluationSettings
from brainuad.evaluation.thresholded import mask_at
from brainuad.reporting.figures.style import Results
from brainuad.reporting.inputs import StudyEntry
from brainuad.reporting.picture_settings import BoxExampleFigure
from brainuad.reporting.summary import select
from brainuad.reporting.volumes import Case


@dataclass(frozen=True)
class Box:
    """One box at a threshold: its pixels, and what they count (see `evaluation.boxes`).

    `share` of its pixels is marked; `inside` and `outside` are sums of marked scores in it and in healthy tissue.
    """

    label: str
    pixels: tuple[slice, slice, int]
    share: float
    inside: float
    outside: float
    detected: bool
    false_positives: int
    f1: float

    @property
    def slice(self) -> int:
        """The axial slice that it lies in."""
        return self.pixels[2]


@dataclass(frozen=True)
class BoxedScan:
    """One scan under one method: its boxes that count, and its map and mask (x, y, z) at a threshold in true units.

    `covered` (x, y, z) is what lies in any box, whether it counts or not: it is no healthy tissue.
    """

    case: Case
    boxes: list[Box]
    covered: np.ndarray
    scores: np.ndarray
    mask: np.ndarray
    threshold: float


def boxed_scans(
    settings: BoxExampleFigure, results: Results, store: ArrayStore, method: str, cases: Sequence[Case]
) -> list[BoxedScan]:
    """The cases with boxes that a method has maps of; none where it has no threshold."""
    manifest = results.study.manifest(method, settings.run, settings.dataset)
    threshold = _threshold(settings, results, method)
    if not np.isfinite(threshold) or not manifest.exists():
        return []
    maps = MapSet.open(manifest, store)
    evaluation = _evaluation_of(results.study, method)
    with_boxes = set(store.boxes["subject"])
    scored = [case for case in cases if case.subject in with_boxes and not maps.failure(case.subject)]
    return [_evaluate(case, maps, evaluation, threshold) for case in scored]


def typical_example(scans: Sequence[Sequence[Box]]) -> tuple[int, int] | None:
    """The number of the scan, and the slice, of the detected box whose F1 is nearest to the mean of those.

    Where none is detected it is the first box; None without any box.
    """
    boxes = [(number, box) for number, scan in enumerate(scans) for box in scan]
    detected = [(number, box) for number, box in boxes if box.detected]
    if not boxes:
        return None
    mean = float(np.mean([box.f1 for _, box in detected])) if detected else 0.0
    number, box = min(detected, key=lambda found: abs(found[1].f1 - mean)) if detected else boxes[0]
    return number, box.slice


def _threshold(settings: BoxExampleFigure, results: Results, method: str) -> float:
    quantity = Quantity(settings.dataset, "threshold", settings.protocol, POOLED)
    rows = select(results.scores, quantity)
    values = rows.loc[(rows["method"] == method) & (rows["run"] == settings.run), "value"]
    return float(values.iloc[0]) if len(values) else float("nan")


def _evaluation_of(study: StudyEntry, method: str) -> EvaluationSettings:
    steps = next((entry.steps for entry in study.methods if entry.name == method), ())
    return study.evaluation.model_copy(update={"postprocessing": steps, "boxes": True})


def _evaluate(case: Case, maps: MapSet, settings: EvaluationSettings, threshold: float) -> BoxedScan:
    scan = maps.case(case.subject, settings)
    assert scan.boxes is not None
    scale = 2.0 ** next(iter(maps.scale_exponents))
    scores = scan.scores.astype(np.float32) / np.float32(scale)
    mask = mask_at(scan, threshold * scale, settings)
    sums = sum_in_boxes(scan.boxes, mask, scores, scan.brain)
    detected = sums.share > settings.lesion_overlap
    false_positives = bercea_false_positives(sums.inside, sums.outside)
    f1 = bercea_f1(detected, sums.inside, sums.outside)
    counted = {label.casefold() for labels in settings.box_classes.values() for label in labels}
    covered = np.zeros(mask.shape, dtype=bool)
    for box in scan.boxes.itertuples():
        covered[pixels_of(box)] = True
    boxes = [
        Box(
            label=str(box.label),
            pixels=pixels_of(box),
            share=float(sums.share[number]),
            inside=float(sums.inside[number]),
            outside=float(sums.outside[number]),
            detected=bool(detected[number]),
            false_positives=int(false_positives[number]),
            f1=float(f1[number]),
        )
        for number, box in enumerate(scan.boxes.itertuples())
        if not counted or str(box.label).casefold() in counted
    ]
    return BoxedScan(case, boxes, covered, scores, mask, threshold)
