"""The scores of a method's existing maps under the common protocol; nothing is inferred again."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from math import prod
from pathlib import Path
from typing import Literal

import pandas as pd

from brainuad.arrays import ArrayStore
from brainuad.errors import InputError
from brainuad.evaluation.evaluate import evaluate_method
from brainuad.evaluation.map_sets import MapSet
from brainuad.evaluation.score_rows import POOLED, SCORE_COLUMNS, ScoreRows
from brainuad.evaluation.settings import EvaluationSettings
from brainuad.leaderboard.lent_maps import (
    HealthySlices,
    LentPatients,
    validation_scans,
    with_lent_patients,
)
from brainuad.leaderboard.settings import LeaderboardSettings

# Rows of a threshold: how many scans it was chosen on, with their kind and data set as the stratum, and whether
# they are borrowed: others than the test set has or the study names.
THRESHOLD_SCANS, THRESHOLD_BORROWED = "threshold_scans", "threshold_borrowed"


@dataclass(frozen=True)
class Lenders:
    """The maps of the data sets that `Sources` names, of the same method and run."""

    patients: Sequence[MapSet] = ()
    healthy: Sequence[MapSet] = ()
    slices: str = ""
    named: bool = False


def voxel_ml(store: ArrayStore) -> float:
    """The volume of a voxel of packed arrays in millilitres."""
    return float(prod(store.spacing_mm)) / 1000


def rescore(
    maps: MapSet,
    split: pd.DataFrame,
    lenders: Lenders,
    settings: LeaderboardSettings,
    labels: Mapping[str, str | int],
) -> pd.DataFrame:
    """The tidy scores of one study, method, run and data set (named in `labels`), and where thresholds come from."""
    evaluation = settings.evaluation(voxel_ml(maps.store))
    scored = with_lent_patients(maps, split, lenders.patients, evaluation)
    healthy = healthy_sets(maps, split, lenders, evaluation)
    scores = evaluate_method(scored, split, healthy, evaluation, labels).scores
    lent = scored.lenders if isinstance(scored, LentPatients) else ()
    patients = _Origin("patient", lent or (maps,), borrowed=bool(lent))
    normals = _Origin("healthy", (maps, *healthy), borrowed=bool(healthy) and not lenders.named)
    rows = ScoreRows(scale=1)
    fallbacks = scores[scores["metric"] == "threshold_fallback"]
    for protocol, fallback in zip(fallbacks["protocol"], fallbacks["value"], strict=True):
        origin = normals if protocol == "healthy-fpr" or fallback else patients
        for name, count in origin.scans(split, evaluation):
            rows.add(POOLED, {THRESHOLD_SCANS: count}, protocol, stratum=name)
        rows.add(POOLED, {THRESHOLD_BORROWED: origin.borrowed}, protocol)
    added = rows.table().assign(**{**labels, "dataset": maps.dataset})[SCORE_COLUMNS]
    return pd.concat([scores, added], ignore_index=True) if len(added) else scores


@dataclass(frozen=True)
class _Origin:
    """The maps that a threshold is chosen on; `borrowed` where the study names none for it."""

    kind: Literal["patient", "healthy"]
    sources: Sequence[MapSet]
    borrowed: bool

    def scans(self, split: pd.DataFrame, settings: EvaluationSettings) -> Iterator[tuple[str, int]]:
        """Kind and name of each source, and how many validation scans it has."""
        for source in self.sources:
            count = len(validation_scans(source, split, self.kind, settings))
            if count:
                slices = isinstance(source, HealthySlices)
                yield source.dataset if slices else f"{self.kind}:{source.dataset}", count


def healthy_sets(
    maps: MapSet, split: pd.DataFrame, lenders: Lenders, settings: EvaluationSettings
) -> list[MapSet]:
    """The healthy scans beside those of the test set: the ones that the study names, or else what it trains on.

    The latter serve a test set without healthy validation scans; slices of patients count only where nobody of them
    is healthy.
    """
    if lenders.named:
        return list(lenders.healthy)
    if validation_scans(maps, split, "healthy", settings):
        return []
    slices = [HealthySlices.of(lender, lenders.slices) for lender in lenders.healthy if lenders.slices]
    for candidates in (lenders.healthy, slices):
        if found := [other for other in candidates if validation_scans(other, split, "healthy", settings)]:
            return found
    return []


def open_maps(manifest: Path, index: Path) -> MapSet:
    """The maps in `manifest`, beside the arrays whose index is given."""
    return MapSet.open(manifest, ArrayStore(index.parent))


def open_all(manifests: Sequence[str], indices: Sequence[str]) -> tuple[MapSet, ...]:
    """The maps of several data sets, in order; as many manifests as indices of arrays."""
    if len(manifests) != len(indices):
        raise InputError(
            f"{len(manifests)} manifests of maps and {len(indices)} indices of arrays are given, but each data set "
            "has one of both."
        )
    return tuple(open_maps(Path(m), Path(i)) for m, i in zip(manifests, indices, strict=True))
