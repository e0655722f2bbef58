"""Score tables, read and summarised over runs: the only source of numbers in tables, figures and pages."""

from collections.abc import Iterable
from pathlib import Path

import numpy as np
import pandas as pd

from brainuad.evaluation.catalogue import Quantity
from brainuad.evaluation.score_rows import MEAN, POOLED, SCORE_COLUMNS, read_score_rows

# Columns with few different values: as categories they are small and quickly compared.
WORDS = ("study", "method", "dataset", "subject", "protocol", "metric", "stratum")


def read_scores(paths: Iterable[Path]) -> pd.DataFrame:
    """The score tables that exist, one below the other; `run`, `value` and `threshold` are numbers."""
    tables = [read_score_rows(path) for path in paths if path.exists()]
    scores = pd.concat(tables, ignore_index=True) if tables else pd.DataFrame(columns=SCORE_COLUMNS)
    scores["run"] = scores["run"].astype(int)
    for column in WORDS:
        scores[column] = scores[column].astype("category")
    for column in ("value", "threshold"):
        scores[column] = scores[column].astype(float)
    return scores


def select(scores: pd.DataFrame, quantity: Quantity) -> pd.DataFrame:
    """The rows of one aggregated quantity, all methods and runs."""
    rows = _of_quantity(scores, quantity)
    return rows[rows["subject"] == quantity.aggregate]


def of_subjects(scores: pd.DataFrame, quantity: Quantity) -> pd.DataFrame:
    """The rows of single subjects of one quantity, all methods and runs."""
    rows = _of_quantity(scores, quantity)
    return rows[~rows["subject"].isin((POOLED, MEAN))]


def _of_quantity(scores: pd.DataFrame, quantity: Quantity) -> pd.DataFrame:
    return scores[
        (scores["dataset"] == quantity.dataset)
        & (scores["metric"] == quantity.metric)
        & (scores["protocol"] == quantity.protocol)
        & (scores["stratum"] == quantity.stratum)
    ]


def subject_means(scores: pd.DataFrame, quantity: Quantity, method: str) -> pd.Series:
    """Value of each subject, averaged over the runs of one method; subjects without a value are left out."""
    rows = of_subjects(scores, quantity)
    return rows[rows["method"] == method].groupby("subject", observed=True)["value"].mean().dropna()


def over_runs(values: pd.Series) -> tuple[float, float, int]:
    """Mean, sample standard deviation and number of the finite `values`, one per run; NaN if undefined."""
    finite = values.to_numpy(float)
    finite = finite[np.isfinite(finite)]
    mean = float(finite.mean()) if len(finite) else float("nan")
    deviation = float(finite.std(ddof=1)) if len(finite) > 1 else float("nan")
    return mean, deviation, len(finite)


def summarise(scores: pd.DataFrame) -> pd.DataFrame:
    """Mean, sd and number of runs of every aggregated quantity of every method.

    Columns: dataset method metric protocol aggregate stratum mean sd runs.
    """
    keys = ["dataset", "method", "metric", "protocol", "subject", "stratum"]
    rows = scores[scores["subject"].isin((POOLED, MEAN))]
    summary = (
        rows.groupby(keys, sort=False, observed=True)["value"].agg(["mean", "std", "count"]).reset_index()
    )
    return summary.rename(columns={"subject": "aggregate", "std": "sd", "count": "runs"})


def interval_over_subjects(values: np.ndarray, seed: int = 0, resamples: int = 2000) -> tuple[float, float]:
    """Bounds of the 95 % percentile bootstrap interval of the mean of `values` (subjects,)."""
    if len(values) < 2:
        return float("nan"), float("nan")
    draws = np.random.default_rng(seed).integers(len(values), size=(resamples, len(values)))
    low, high = np.percentile(values[draws].mean(axis=1), [2.5, 97.5])
    return float(low), float(high)
