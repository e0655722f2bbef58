"""Reading and summarising score tables."""

from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from brainuad.reporting.inputs import StudyEntry
from brainuad.reporting.summary import (
    Quantity,
    interval_over_subjects,
    over_runs,
    read_scores,
    select,
    subject_means,
    summarise,
)


def test_missing_score_tables_are_methods_that_were_not_run(study: StudyEntry) -> None:
    scores = read_scores([*study.score_files(), Path("absent.tsv")])
    assert set(scores["method"]) == {"threshold", "dae-coarse", "ddpm-simplex", "dae-gaussian"}


def test_without_any_table_there_are_columns_and_no_rows() -> None:
    scores = read_scores([Path("absent.tsv")])
    assert scores.empty
    assert summarise(scores).empty
    assert select(scores, Quantity("brats21", "auprc")).empty


def test_numbers_are_numbers_and_words_are_words(scores: pd.DataFrame) -> None:
    assert scores["value"].dtype == float
    assert scores["run"].dtype == int
    assert set(scores["protocol"]) >= {"", "oracle"}


def test_a_quantity_selects_one_row_per_method_and_run(scores: pd.DataFrame) -> None:
    rows = select(scores, Quantity("brats21", "dice", "validation", "pooled"))
    assert not rows.duplicated(["method", "run"]).any()
    assert len(rows) == 8


def test_summary_means_equal_means_by_hand(scores: pd.DataFrame) -> None:
    summary = summarise(scores)
    row = summary[(summary["method"] == "dae-coarse") & (summary["metric"] == "auprc")]
    row = row[(row["aggregate"] == "pooled") & (row["stratum"] == "")].iloc[0]
    values = [
        float(r.value)
        for r in scores.itertuples()
        if (r.method, r.metric, r.subject, r.stratum) == ("dae-coarse", "auprc", "pooled", "")
    ]
    assert row["mean"] == pytest.approx(np.mean(values))
    assert row["sd"] == pytest.approx(np.std(values, ddof=1))
    assert row["runs"] == 2


def test_subjects_are_averaged_over_runs_without_aggregates(scores: pd.DataFrame) -> None:
    values = subject_means(scores, Quantity("brats21", "dice", "oracle"), "dae-coarse")
    assert sorted(values.index) == [f"BRATS21{i:03}" for i in range(6)]


def test_runs_without_a_value_do_not_count() -> None:
    assert over_runs(pd.Series([1.0, np.nan, 3.0])) == pytest.approx((2.0, 2**0.5, 2))
    assert np.isnan(over_runs(pd.Series([], dtype=float))[0])


def test_the_interval_covers_the_mean_and_needs_two_subjects() -> None:
    low, high = interval_over_subjects(np.arange(20.0))
    assert low < 9.5 < high
    assert np.isnan(interval_over_subjects(np.array([1.0]))).all()
