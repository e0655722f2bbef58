"""Rankings across contests: how far they agree, and who is ahead where both were scored."""

from itertools import combinations

import numpy as np
import pandas as pd
from scipy.stats import kendalltau

AGREEMENT_COLUMNS = ["metric", "protocol", "contest_a", "contest_b", "methods", "tau", "p", "reason"]
ACROSS_COLUMNS = [
    "metric",
    "protocol",
    "study",
    "method",
    "contests",
    "mean_rank",
    "compared",
    "ahead",
    "tied",
]
FEWEST = 3  # methods; the order of two agrees or does not


def rank_agreement(ranks: pd.DataFrame) -> pd.DataFrame:
    """Kendall's tau-b between the rankings of each pair of contests.

    `ranks` (study/method) × (contests), NaN where a method is not ranked; a pair of contests is compared on
    the methods that have a rank in both.
    """
    rows = []
    for a, b in combinations(ranks.columns, 2):
        both = ranks[[a, b]].dropna()
        tau, p, reason = float("nan"), float("nan"), ""
        if len(both) < FEWEST:
            reason = f"{len(both)} common methods, at least {FEWEST} are needed"
        elif both.nunique().min() == 1:
            reason = "all methods are tied"
        else:
            found = kendalltau(both[a], both[b], variant="b")
            tau, p = float(found.statistic), float(found.pvalue)
        rows.append((a, b, len(both), tau, p, reason))
    return pd.DataFrame(rows, columns=AGREEMENT_COLUMNS[2:])


def across_contests(ranks: pd.DataFrame) -> pd.DataFrame:
    """Of each method: contests, mean rank, and how many others it is ahead of or tied with.

    `ranks` as in `rank_agreement`. Mean ranks over different contests mean different things, so two methods
    are compared by their mean ranks over the contests in which both are ranked. The best come first.
    """
    values = ranks.to_numpy(float)
    have = np.isfinite(values)
    filled = np.where(have, values, 0.0)
    common = have.astype(float) @ have.T.astype(float)  # contests in which both are ranked
    sums = filled @ have.T.astype(float)  # (a, b): ranks of a where b is ranked too
    difference = np.round(sums - sums.T, 9)
    others = (common > 0) & ~np.eye(len(values), dtype=bool)
    keys = [str(key).split("/", 1) for key in ranks.index]
    table = pd.DataFrame(
        {
            "study": [key[0] for key in keys],
            "method": [key[1] for key in keys],
            "contests": have.sum(axis=1),
            "mean_rank": sums.diagonal() / np.maximum(common.diagonal(), 1),
            "compared": others.sum(axis=1),
            "ahead": (others & (difference < 0)).sum(axis=1),
            "tied": (others & (difference == 0)).sum(axis=1),
        }
    )
    table = table[table["contests"] > 0]
    share = (table["ahead"] + table["tied"] / 2) / table["compared"].clip(lower=1)
    order = pd.DataFrame({"share": -share, "rank": table["mean_rank"]}).sort_values(
        ["share", "rank"], kind="stable"
    )
    return table.loc[order.index].reset_index(drop=True)
