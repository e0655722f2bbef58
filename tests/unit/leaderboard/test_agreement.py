"""Agreement of rankings against SciPy and by hand."""

import numpy as np
import pandas as pd
import pytest
from scipy.stats import kendalltau

from brainuad.leaderboard.agreement import across_contests, rank_agreement


def tau_b(x: np.ndarray, y: np.ndarray) -> float:
    """Kendall 1945, from all pairs: agreements minus disagreements over the pairs not tied in x, and in y."""
    i, j = np.triu_indices(len(x), 1)
    a, b = np.sign(x[i] - x[j]), np.sign(y[i] - y[j])
    return float((a * b).sum() / np.sqrt((a != 0).sum() * (b != 0).sum()))


def test_tau_is_that_of_scipy_and_of_the_definition_on_the_common_methods() -> None:
    ranks = pd.DataFrame(
        {"x": [1, 2, 3.5, 3.5, 5, np.nan], "y": [2, 1, 3, 4, 5, 6], "z": [np.nan] * 4 + [1, 2]},
        index=[f"s/{m}" for m in "abcdef"],
        dtype=float,
    )
    table = rank_agreement(ranks).set_index(["contest_a", "contest_b"])
    both = ranks[["x", "y"]].dropna()
    assert table.loc[("x", "y"), "methods"] == 5
    assert table.loc[("x", "y"), "tau"] == pytest.approx(kendalltau(both["x"], both["y"]).statistic)
    assert table.loc[("x", "y"), "tau"] == pytest.approx(tau_b(both["x"].to_numpy(), both["y"].to_numpy()))
    assert table.loc[("y", "z"), "reason"] == "2 common methods, at least 3 are needed"
    assert np.isnan(table.loc[("y", "z"), "tau"])


def test_reversed_rankings_disagree_completely() -> None:
    ranks = pd.DataFrame({"x": [1.0, 2, 3], "y": [3.0, 2, 1]}, index=["s/a", "s/b", "s/c"])
    assert rank_agreement(ranks)["tau"].tolist() == [-1]


def test_rankings_that_are_one_tie_have_no_tau() -> None:
    ranks = pd.DataFrame({"x": [2.0, 2, 2], "y": [3.0, 2, 1]}, index=["s/a", "s/b", "s/c"])
    assert rank_agreement(ranks)["reason"].tolist() == ["all methods are tied"]


def test_one_contest_has_nothing_to_agree_with() -> None:
    assert rank_agreement(pd.DataFrame({"x": [1.0, 2]}, index=["s/a", "s/b"])).empty


def test_methods_are_compared_on_the_contests_where_both_are_ranked() -> None:
    # b was only in the contest that a lost; a's good rank in the other does not count against b.
    ranks = pd.DataFrame({"x": [2.0, 1, 3], "y": [1.0, np.nan, 2]}, index=["s/a", "s/b", "t/c"])
    table = across_contests(ranks).set_index("method")
    assert table["contests"].to_dict() == {"b": 1, "a": 2, "c": 2}
    assert table["mean_rank"].to_dict() == {"b": 1, "a": 1.5, "c": 2.5}
    assert table["ahead"].to_dict() == {"b": 2, "a": 1, "c": 0}
    assert table["compared"].tolist() == [2, 2, 2]
    assert table.loc["c", "study"] == "t"


def test_equal_mean_ranks_are_ties() -> None:
    table = across_contests(pd.DataFrame({"x": [1.0, 2], "y": [2.0, 1]}, index=["s/a", "s/b"]))
    assert table["tied"].tolist() == [1, 1]
    assert table["ahead"].tolist() == [0, 0]


def test_methods_without_a_common_contest_are_not_compared() -> None:
    ranks = pd.DataFrame(
        {"x": [1.0, np.nan, np.nan], "y": [np.nan, 1.0, np.nan]}, index=["s/a", "s/b", "s/c"]
    )
    table = across_contests(ranks)
    assert table["compared"].tolist() == [0, 0]
    assert set(table["method"]) == {"a", "b"}


def test_counts_are_those_of_brute_force() -> None:
    rng = np.random.default_rng(0)
    values = rng.integers(1, 5, (6, 4)).astype(float)
    values[rng.random((6, 4)) < 0.4] = np.nan
    ranks = pd.DataFrame(values, index=[f"s/{m}" for m in "abcdef"])
    table = across_contests(ranks).set_index("method")
    for i, method in enumerate("abcdef"):
        ahead = 0
        for j in range(6):
            both = ~np.isnan(values[i]) & ~np.isnan(values[j])
            ahead += int(i != j and both.any() and values[i][both].mean() < values[j][both].mean())
        assert method not in table.index or table.loc[method, "ahead"] == ahead
