"""Rows that say how close pseudo-healthy images are to their inputs, from the manifest of maps."""

import math

from brainuad.evaluation.catalogue import ANOMALOUS, IN_LESION, WHOLE_IMAGE
from brainuad.evaluation.map_sets import MapSet
from brainuad.evaluation.score_rows import ScoreRows


def healthy_similarity(maps: MapSet, subject: str) -> dict[str, float]:
    """Similarities of a healthy subject; `l1` is NaN without a pseudo-healthy image, others are left out."""
    return {"l1": maps.number(subject, "l1"), **_known(maps, subject, WHOLE_IMAGE)}


def add_similarity(maps: MapSet, subject: str, rows: ScoreRows) -> None:
    """Adds a patient's similarities, under a stratum of their own: images with a lesion should change."""
    rows.add(subject, _known(maps, subject, WHOLE_IMAGE), stratum=ANOMALOUS)


def add_similarity_in_lesion(maps: MapSet, subject: str, rows: ScoreRows) -> None:
    """Adds how well the tissue under a synthetic anomaly was restored (Bercea 2023, RA, Table 1a)."""
    rows.add(subject, _known(maps, subject, IN_LESION))


def _known(maps: MapSet, subject: str, columns: tuple[str, ...]) -> dict[str, float]:
    numbers = {column: maps.number(subject, column) for column in columns}
    return {column: number for column, number in numbers.items() if math.isfinite(number)}
