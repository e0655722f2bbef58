"""Tests between pairs of methods against the test of single pairs and closed forms."""

import numpy as np
import pandas as pd
import pytest

from brainuad.evaluation.significance import paired_p
from brainuad.leaderboard.comparisons import COLUMNS, compare_pairs, paired_p_values
from brainuad.leaderboard.settings import LeaderboardSettings

QUICK = LeaderboardSettings(resamples=200, rounds=2000)
QUANTITY = ("brats21", "auprc", "")


def holm_by_hand(p: list[float]) -> list[float]:
    """Holm 1979: the i-th smallest of m is multiplied by m - i + 1, and never falls below an earlier one."""
    corrected, floor = [0.0] * len(p), 0.0
    for place, index in enumerate(sorted(range(len(p)), key=p.__getitem__)):
        floor = max(floor, min(1.0, (len(p) - place) * p[index]))
        corrected[index] = floor
    return corrected


def test_exact_p_values_of_all_pairs_are_those_of_single_pairs() -> None:
    values = np.random.default_rng(0).random((8, 5))
    values[:, 4] = values[:, 3]  # a tie
    found = paired_p_values(values, 1000, np.random.default_rng(1))
    for i in range(5):
        for j in range(5):
            expected = paired_p(values[:, i] - values[:, j], 1000, np.random.default_rng(2))
            assert found[i, j] == pytest.approx(expected)


def test_drawn_p_values_come_close_to_exact_ones() -> None:
    values = np.random.default_rng(3).random((12, 3))
    exact = paired_p_values(values, 2**12, np.random.default_rng(4))
    drawn = paired_p_values(values, 4000, np.random.default_rng(5))
    np.testing.assert_allclose(drawn, exact, atol=0.03)


def test_flips_in_several_parts_are_all_counted(monkeypatch: pytest.MonkeyPatch) -> None:
    values = np.random.default_rng(6).random((7, 4))
    whole = paired_p_values(values, 200, np.random.default_rng(7))
    monkeypatch.setattr("brainuad.leaderboard.comparisons._SUMS_AT_ONCE", 21)
    np.testing.assert_array_equal(paired_p_values(values, 200, np.random.default_rng(7)), whole)


def test_p_values_are_corrected_over_all_pairs_by_holm() -> None:
    rng = np.random.default_rng(8)
    shift = np.array([0.0, 0.3, 0.9, 1.0])
    values = pd.DataFrame(rng.normal(size=(10, 4)) * 0.3 + shift, columns=[f"s/{m}" for m in "abcd"])
    table = compare_pairs(values, QUANTITY, QUICK, seed=0)
    assert table["p_holm"].tolist() == pytest.approx(holm_by_hand(table["p"].tolist()))
    assert len(table) == 6


def test_means_and_interval_are_of_the_common_subjects() -> None:
    values = pd.DataFrame(
        {"one/a": [0.5, 0.7, 0.9, np.nan, 0.1], "two/b": [0.4, 0.3, 0.7, 0.9, np.nan]}, index=list("pqrst")
    )
    row = compare_pairs(values, QUANTITY, QUICK, seed=0).iloc[0]
    assert (row["n"], row["study_a"], row["method_b"]) == (3, "one", "b")
    assert (row["mean_a"], row["mean_b"]) == (pytest.approx(0.7), pytest.approx(1.4 / 3))
    assert row["p"] == pytest.approx(2 / 8)  # all three differences are positive
    assert 0.1 - 1e-9 <= row["ci_low"] <= row["difference"] <= row["ci_high"] <= 0.4 + 1e-9


def test_too_few_common_subjects_are_a_row_with_its_reason() -> None:
    values = pd.DataFrame(
        {"one/a": [0.5, 0.7, np.nan], "two/b": [np.nan, 0.3, 0.7], "two/c": [0.1, 0.2, 0.3]}
    )
    table = compare_pairs(values, QUANTITY, QUICK, seed=0)
    row = table[table["method_b"] == "b"].iloc[0]
    assert row["reason"] == "1 common test subjects, at least 2 are needed"
    assert np.isnan(row["p"])
    tested = table.dropna(subset=["p"])
    assert tested["p_holm"].tolist() == pytest.approx(holm_by_hand(tested["p"].tolist()))


@pytest.mark.parametrize("methods", [0, 1])
def test_fewer_than_two_methods_have_no_pairs(methods: int) -> None:
    values = pd.DataFrame(np.ones((3, methods)), columns=["s/a"][:methods])
    table = compare_pairs(values, QUANTITY, QUICK, seed=0)
    assert table.empty
    assert table.columns.tolist() == COLUMNS


def test_equal_methods_do_not_differ() -> None:
    values = pd.DataFrame({"s/a": [0.2, 0.4], "s/b": [0.2, 0.4]})
    row = compare_pairs(values, QUANTITY, QUICK, seed=0).iloc[0]
    assert (row["p"], row["difference"], row["effect_size"]) == (1, 0, 0)
