"""Permutation tests against mlxtend, SciPy and enumeration by hand."""

import numpy as np
import pandas as pd
import pytest
from mlxtend.evaluate import permutation_test
from scipy import stats

from brainuad.errors import InputError
from brainuad.evaluation.significance import (
    COLUMNS,
    cohen_d_z,
    compare_methods,
    holm,
    mean_interval,
    paired_p,
    subject_values,
    unpaired_p,
)
from brainuad.evaluation.significance_settings import SignificanceSettings

QUICK = SignificanceSettings(rounds=500, resamples=500)


def two_methods(n: int, gain: float = 0.1) -> tuple[np.ndarray, np.ndarray]:
    rng = np.random.default_rng(n)
    a = rng.uniform(0.2, 0.8, n)
    return a, a + rng.normal(gain, 0.1, n)


def scores_of(values: dict[tuple[str, int], dict[str, float]]) -> pd.DataFrame:
    return pd.DataFrame(
        [
            {
                "study": "s", "method": method, "run": str(run), "dataset": "brats21", "subject": subject,
                "protocol": "validation", "metric": "dice", "stratum": "", "value": value, "threshold": 0.1,
            }
            for (method, run), row in values.items()
            for subject, value in row.items()
        ]
    )  # fmt: skip


def three_methods(n: int = 12) -> pd.DataFrame:
    a, b = two_methods(n)
    names = [f"S{i:02}" for i in range(n)]
    table = {("a", 0): a, ("b", 0): b, ("c", 0): a[::-1]}
    return scores_of({key: dict(zip(names, values, strict=True)) for key, values in table.items()})


@pytest.mark.parametrize("n", [2, 5, 8])
def test_exhaustive_sign_flips_equal_the_exact_paired_test_of_mlxtend(n: int) -> None:
    a, b = two_methods(n, gain=0.03)
    exact = permutation_test(a, b, method="exact", paired=True)
    assert paired_p(a - b, 10_000, np.random.default_rng(0)) == pytest.approx(exact, abs=1e-12)


def test_ties_count_as_extreme_as_they_do_in_mlxtend() -> None:
    a, b = np.array([0.1, 0.2, 0.3, 0.4, 0.4]), np.array([0.2, 0.1, 0.4, 0.5, 0.4])
    exact = permutation_test(a, b, method="exact", paired=True)
    assert paired_p(a - b, 10_000, np.random.default_rng(0)) == exact


def test_random_sign_flips_agree_with_mlxtend_within_monte_carlo_error() -> None:
    a, b = two_methods(20, gain=0.035)
    rounds = 4_000
    theirs = permutation_test(a, b, method="approximate", num_rounds=rounds, seed=1, paired=True)
    ours = paired_p(a - b, rounds, np.random.default_rng(1))
    assert 0.01 < theirs < 0.9
    assert abs(ours - theirs) < 5 * np.sqrt(2 * theirs * (1 - theirs) / rounds)


def test_random_sign_flips_agree_with_scipy_within_monte_carlo_error() -> None:
    a, b = two_methods(150, gain=0.012)
    rounds = 20_000
    theirs = stats.permutation_test(
        (a - b,), np.mean, permutation_type="samples", n_resamples=rounds, vectorized=True, rng=2
    ).pvalue
    ours = paired_p(a - b, rounds, np.random.default_rng(3))
    assert abs(ours - theirs) < 5 * np.sqrt(2 * theirs * (1 - theirs) / rounds)


def test_the_smallest_p_of_random_flips_is_one_over_rounds_plus_one() -> None:
    assert paired_p(np.full(64, 0.5), 999, np.random.default_rng(0)) == 1 / 1000


def test_p_does_not_depend_on_how_many_flips_are_held_in_memory(monkeypatch: pytest.MonkeyPatch) -> None:
    a, b = two_methods(30, gain=0.03)
    whole = paired_p(a - b, 1000, np.random.default_rng(4))
    monkeypatch.setattr("brainuad.evaluation.significance._SIGNS_AT_ONCE", 30 * 7)
    assert paired_p(a - b, 1000, np.random.default_rng(4)) == whole


def test_unpaired_p_is_that_of_mlxtend() -> None:
    a, b = two_methods(15)
    theirs = permutation_test(a, b, method="approximate", num_rounds=300, seed=5)
    assert unpaired_p(a, b, 300, seed=5) == theirs


def test_holm_multiplies_by_the_number_of_tests_left_and_never_decreases() -> None:
    corrected = holm(np.array([0.01, 0.04, np.nan, 0.03, 0.5]))
    assert corrected == pytest.approx([0.04, 0.09, np.nan, 0.09, 0.5], nan_ok=True)


def test_holm_stops_at_one() -> None:
    assert holm(np.array([0.6, 0.7])).tolist() == [1.0, 1.0]


def test_interval_of_a_normal_sample_is_close_to_the_t_interval() -> None:
    d = np.random.default_rng(6).normal(0.1, 0.2, 400)
    low, high = mean_interval(d, 0.95, 4000, np.random.default_rng(7))
    expected = stats.t.interval(0.95, 399, d.mean(), stats.sem(d))
    assert (low, high) == pytest.approx(expected, abs=0.003)


def test_interval_of_equal_differences_is_that_difference() -> None:
    assert mean_interval(np.full(5, 0.25), 0.95, 100, np.random.default_rng(0)) == (0.25, 0.25)


@pytest.mark.parametrize(("d", "expected"), [([1, 3], 2 / 2**0.5), ([0, 0, 0], 0.0), ([1, 1], np.nan)])
def test_effect_size_is_the_mean_difference_in_standard_deviations(d: list[float], expected: float) -> None:
    assert cohen_d_z(np.array(d, float)) == pytest.approx(expected, nan_ok=True)


def test_values_are_averaged_over_runs_that_have_one() -> None:
    scores = scores_of(
        {("a", 0): {"S1": 0.2, "S2": 0.4}, ("a", 1): {"S1": 0.4, "S2": float("nan")}, ("b", 0): {"S1": 1.0}}
    )
    table = subject_values(scores, "brats21", "dice", "validation")
    assert table["a"].tolist() == pytest.approx([0.3, 0.4])
    assert table["b"].tolist() == pytest.approx([1.0, np.nan], nan_ok=True)


def test_pooled_values_means_strata_and_other_protocols_are_no_subjects() -> None:
    scores = three_methods()
    extra = pd.concat([scores.head(4)] * 4, ignore_index=True).head(4)
    extra.loc[0, "subject"], extra.loc[1, "subject"] = "pooled", "mean"
    extra.loc[2, "stratum"], extra.loc[3, "protocol"] = "small", "oracle"
    table = subject_values(pd.concat([scores, extra]), "brats21", "dice", "validation")
    assert list(table.index) == [f"S{i:02}" for i in range(12)]


def test_scores_as_text_and_as_numbers_give_the_same_values() -> None:
    scores = three_methods()
    text = scores.astype(str)
    pd.testing.assert_frame_equal(
        subject_values(scores, "brats21", "dice", "validation"),
        subject_values(text, "brats21", "dice", "validation"),
    )


def test_scores_of_two_studies_are_refused_together() -> None:
    scores = three_methods()
    with pytest.raises(InputError, match="one study at a time"):
        compare_methods(pd.concat([scores, scores.assign(study="t")]), "brats21", QUICK, seed=0)


def test_every_pair_has_one_row_per_test() -> None:
    table = compare_methods(three_methods(), "brats21", QUICK, seed=0)
    assert list(table.columns) == COLUMNS
    assert table["test"].tolist() == ["permutation (unpaired, mlxtend)"] * 3 + ["permutation (paired)"] * 3
    assert list(zip(table["method_a"], table["method_b"], strict=True))[:3] == [
        ("a", "b"),
        ("a", "c"),
        ("b", "c"),
    ]


def test_same_seed_same_statistics() -> None:
    first = compare_methods(three_methods(), "brats21", QUICK, seed=3)
    pd.testing.assert_frame_equal(first, compare_methods(three_methods(), "brats21", QUICK, seed=3))


def test_a_pair_does_not_change_when_another_method_is_added() -> None:
    scores = three_methods()
    alone = compare_methods(scores[scores["method"] != "c"], "brats21", QUICK, seed=3)
    together = compare_methods(scores, "brats21", QUICK, seed=3)
    both = together[(together["method_a"] == "a") & (together["method_b"] == "b")]
    assert both["p"].tolist() == alone["p"].tolist()
    assert both["ci_low"].tolist() == alone["ci_low"].tolist()


def test_subjects_without_a_value_are_left_out_of_that_pair_only() -> None:
    scores = three_methods()
    scores.loc[(scores["method"] == "a") & (scores["subject"] == "S00"), "value"] = np.nan
    table = compare_methods(scores, "brats21", QUICK, seed=0)
    assert table["n"].tolist() == [11, 11, 12] * 2


def test_a_pair_with_one_common_subject_has_a_reason_and_no_p() -> None:
    scores = scores_of(
        {("a", 0): {"S1": 0.1, "S2": 0.2}, ("b", 0): {"S1": 0.3}, ("c", 0): {"S1": 0.1, "S2": 0.9}}
    )
    table = compare_methods(scores, "brats21", QUICK, seed=0)
    refused = table[table["method_b"] == "b"]
    assert refused["p"].isna().all()
    assert refused["reason"].str.contains("1 common subjects").all()
    assert table[(table["method_a"] == "a") & (table["method_b"] == "c")]["p_holm"].notna().all()


def test_one_method_alone_gives_an_empty_table_with_all_columns() -> None:
    table = compare_methods(scores_of({("a", 0): {"S1": 0.1, "S2": 0.2}}), "brats21", QUICK, seed=0)
    assert list(table.columns) == COLUMNS
    assert table.empty
