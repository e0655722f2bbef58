"""On which scans thresholds were chosen and false positives counted, as the scores of a contest say."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass

import pandas as pd

from brainuad.evaluation.score_rows import MEAN, POOLED
from brainuad.leaderboard.inputs import SLICES, Entrant
from brainuad.leaderboard.rescore import THRESHOLD_BORROWED, THRESHOLD_SCANS
from brainuad.leaderboard.values import ContestScores

HEALTHY = "healthy:"


@dataclass(frozen=True)
class ThresholdOrigin:
    """Where the threshold of a method comes from under one protocol, over all runs.

    `scans` are names such as patient:brats21, healthy:ixi or slices:brats21. `fallback`: from healthy scans in place
    of patients; `borrowed`: neither from the test set's own scans nor from those that the study names.
    """

    scans: tuple[str, ...]
    fallback: bool
    borrowed: bool


Origins = Mapping[tuple[str, str], ThresholdOrigin]


def threshold_origins(scores: ContestScores) -> dict[tuple[str, str], ThresholdOrigin]:
    """The origin of each (study/method, protocol) that has a threshold for all cases."""
    names = ("threshold_fallback", THRESHOLD_BORROWED, THRESHOLD_SCANS)
    rows = scores.rows[(scores.rows["subject"] == POOLED) & scores.rows["metric"].isin(names)]
    found = {}
    for group, facts in rows.groupby(["key", "protocol"], sort=False):
        key, protocol = map(str, group)
        said = {name: facts[facts["metric"] == name] for name in names}
        scans = tuple(dict.fromkeys(said[THRESHOLD_SCANS]["stratum"]))
        fallback, borrowed = (bool((said[name]["value"] > 0).any()) for name in names[:2])
        found[key, protocol] = ThresholdOrigin(scans, fallback, borrowed)
    return found


def scans_of(origins: Origins, key: str, protocol: str) -> str:
    """The names of the scans that a threshold was chosen on, with spaces between; empty where there is none."""
    return " ".join(origins[key, protocol].scans) if (key, protocol) in origins else ""


@dataclass(frozen=True)
class HealthyScans:
    """The healthy test scans of a method: their stratum in the scores, their name, and how many they are."""

    stratum: str
    name: str
    count: float


def healthy_scans(scores: ContestScores, entrants: Iterable[Entrant]) -> dict[str, HealthyScans]:
    """The healthy test scans of each study/method that has some: the first of its strata with a rate."""
    rates = scores.rows[(scores.rows["metric"] == "fpr") & scores.rows["value"].notna()]
    means = rates[rates["subject"] == MEAN]
    own = rates[~rates["subject"].isin((MEAN, POOLED))].groupby("key")["subject"].nunique()
    sizes = scores.pooled("subjects", "", MEAN)
    found = {}
    for entrant in entrants:
        strata = set(means.loc[means["key"] == entrant.key, "stratum"])
        stratum = next(filter(strata.__contains__, entrant.healthy), None)
        if stratum is None:
            continue
        of_set = sizes.loc[(sizes["key"] == entrant.key) & (sizes["stratum"] == stratum), "value"]
        count = own.get(entrant.key, float("nan")) if stratum == "" else of_set.max()
        name = stratum if stratum.startswith(SLICES) else HEALTHY + (stratum or entrant.dataset)
        found[entrant.key] = HealthyScans(stratum, name, count)
    return found


def mark_thresholds(table: pd.DataFrame, origins: Origins) -> pd.DataFrame:
    """The rows of a ranking with the columns `fallback` and `borrowed` of their thresholds."""
    none = ThresholdOrigin((), fallback=False, borrowed=False)
    keys = zip(table["study"] + "/" + table["method"], table["protocol"], strict=True)
    of_rows = [origins.get(key, none) for key in keys]
    return table.assign(fallback=[o.fallback for o in of_rows], borrowed=[o.borrowed for o in of_rows])
