"""The scores of a method's existing maps under the common protocol; nothing is inferred again."""

from collections.abc import Mapping
from math import prod
from pathlib import Path

import pandas as pd

from brainuad.arrays import ArrayStore
from brainuad.evaluation.evaluate import evaluate_method
from brainuad.evaluation.map_sets import MapSet
from brainuad.leaderboard.settings import LeaderboardSettings


def voxel_ml(store: ArrayStore) -> float:
    """The volume of a voxel of packed arrays in millilitres."""
    return float(prod(store.spacing_mm)) / 1000


def rescore(
    maps: MapSet,
    split: pd.DataFrame,
    healthy: MapSet | None,
    settings: LeaderboardSettings,
    labels: Mapping[str, str | int],
) -> pd.DataFrame:
    """The tidy scores of one study, method, run and data set (named in `labels`)."""
    evaluation = settings.evaluation(voxel_ml(maps.store))
    return evaluate_method(maps, split, [healthy] if healthy else [], evaluation, labels).scores


def open_maps(manifest: Path, index: Path) -> MapSet:
    """The maps in `manifest`, beside the arrays whose index is given."""
    return MapSet.open(manifest, ArrayStore(index.parent))
