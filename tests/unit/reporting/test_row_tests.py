"""Tests of the cells of a table against the best of their column."""

import numpy as np
import pandas as pd
import pytest
from scipy import stats

from brainuad.reporting.row_tests import NO_STRATA, NO_SUBJECTS, ONE_THRESHOLD, TOO_FEW
from brainuad.reporting.settings import TableSettings
from brainuad.reporting.table_text import table_as_latex, table_as_markdown
from brainuad.reporting.tables import build_table

SUBJECTS = 8
LABELS = {"a": "A", "b": "B", "c": "C"}


def settings(better: str = "higher", reference: str = "") -> TableSettings:
    rows = [
        {"method": name, "label": label, "reference": name == reference} for name, label in LABELS.items()
    ]
    column = {"label": "Dice", "dataset": "brats21", "metric": "dice", "protocol": "yen", "better": better}
    return TableSettings.model_validate({"title": "T", "rows": rows, "columns": [column]})


def values_of(seed: int = 0) -> dict[str, np.ndarray]:
    rng = np.random.default_rng(seed)
    best = rng.uniform(0.5, 0.9, SUBJECTS)
    noise = rng.normal(size=SUBJECTS)
    return {"a": best, "b": best + 0.02 * (noise - noise.mean()) - 0.01, "c": best - 0.2}


def tidy(values: dict[str, np.ndarray], runs: int = 1) -> pd.DataFrame:
    rows = []
    for method, found in values.items():
        for run in range(runs):
            named = {f"S{number}": value for number, value in enumerate(found)} | {"mean": np.nanmean(found)}
            rows += [
                {"study": "s", "method": method, "run": run, "dataset": "brats21", "subject": subject,
                 "protocol": "yen", "metric": "dice", "stratum": "", "value": value, "threshold": np.nan}
                for subject, value in named.items()
            ]  # fmt: skip
    return pd.DataFrame(rows)


def by_row(table: pd.DataFrame) -> pd.DataFrame:
    return table.set_index("row")


def exact_p(x: np.ndarray, y: np.ndarray) -> float:
    found = stats.permutation_test(
        (x, y), lambda a, b: np.mean(a) - np.mean(b), permutation_type="samples", n_resamples=np.inf
    )
    return float(found.pvalue)


def test_p_values_are_those_of_scipys_exact_test_corrected_by_holm() -> None:
    values = values_of()
    table = by_row(build_table(settings(), tidy(values)))
    p = {pair: exact_p(values[pair[0]], values[pair[1]]) for pair in ("ab", "ac", "bc")}
    assert table.loc["B", "p"] == pytest.approx(p["ab"])
    assert table.loc["C", "p"] == pytest.approx(p["ac"])
    order = sorted(p, key=lambda pair: p[pair])
    corrected, highest = {}, 0.0
    for rank, pair in enumerate(order):  # all three pairs, one of them without the best row
        highest = max(highest, min(1, (3 - rank) * p[pair]))
        corrected[pair] = highest
    assert table.loc["B", "p_holm"] == pytest.approx(corrected["ab"])
    assert table.loc["C", "p_holm"] == pytest.approx(corrected["ac"])
    assert table.loc["C", "subject_difference"] == pytest.approx(-0.2)


def test_the_best_row_is_tested_against_nothing_and_the_others_against_it() -> None:
    table = by_row(build_table(settings(), tidy(values_of())))
    assert table.loc["A", "tested_against"] == ""
    assert np.isnan(table.loc["A", "p"])
    assert table.loc[["B", "C"], "tested_against"].tolist() == ["A", "A"]
    assert table.loc[["B", "C"], "n_tested"].tolist() == [SUBJECTS] * 2
    lowest = by_row(build_table(settings("lower"), tidy(values_of())))
    assert lowest.loc["A", "tested_against"] == "C"


def test_a_reference_row_is_not_the_best_but_is_tested() -> None:
    table = by_row(build_table(settings(reference="a"), tidy(values_of())))
    assert table.loc["A", "tested_against"] == "B"
    assert np.isfinite(table.loc["A", "p"])


def test_equal_rows_differ_by_nothing() -> None:
    values = values_of()
    table = by_row(build_table(settings(), tidy({**values, "b": values["a"]})))
    assert table.loc["B", "p"] == 1


def test_runs_are_averaged_and_are_no_subjects() -> None:
    one, three = (build_table(settings(), tidy(values_of(), runs)) for runs in (1, 3))
    assert by_row(three).loc["B", "p"] == by_row(one).loc["B", "p"]
    assert by_row(three).loc["B", "n_tested"] == SUBJECTS


def test_a_column_without_values_of_subjects_says_so() -> None:
    scores = tidy(values_of())
    table = by_row(build_table(settings(), scores[scores["subject"] == "mean"]))
    assert table.loc["B", "test_note"] == NO_SUBJECTS
    assert np.isnan(table.loc["B", "p_holm"])


def test_one_common_subject_is_too_few() -> None:
    scores = tidy(values_of())
    few = scores[scores["subject"].isin(["S0", "mean"])]
    assert by_row(build_table(settings(), few)).loc["B", "test_note"] == TOO_FEW


def pooled(column: dict[str, object], values: dict[str, float]) -> pd.DataFrame:
    """The table of a pooled column, whose subjects have the values of `values_of`."""
    chosen = settings()
    changed = chosen.columns[0].model_copy(update={"aggregate": "pooled", **column})
    scores = tidy(values_of())
    rows = scores[scores["subject"] == "mean"].assign(
        subject="pooled", value=lambda t: t["method"].map(values)
    )
    both = pd.concat([scores, rows]).assign(protocol=changed.protocol, stratum="")
    large = rows.assign(protocol=changed.protocol, stratum="large")
    return build_table(chosen.model_copy(update={"columns": (changed,)}), pd.concat([both, large]))


def test_subjects_that_are_better_than_those_of_the_best_pooled_value_are_marked() -> None:
    table = pooled({"protocol": "yen"}, {"a": 0.1, "b": 0.2, "c": 0.9})
    best = by_row(table)
    assert best.loc["A", "tested_against"] == "C"
    assert best.loc["A", "subject_difference"] == pytest.approx(0.2)
    chosen = settings().model_copy(
        update={"columns": (settings().columns[0].model_copy(update={"aggregate": "pooled"}),)}
    )
    text = table_as_markdown(chosen, table)
    assert f"<br>p = {best.loc['A', 'p_holm']:.3f} ‡ |" in text
    assert "‡: better than the bold one on the mean of single subjects" in text


def test_quantities_that_single_subjects_do_not_have_are_not_tested() -> None:
    values = {"a": 0.1, "b": 0.2, "c": 0.9}
    one_threshold = by_row(pooled({"protocol": "oracle"}, values))
    assert one_threshold.loc["A", "test_note"] == ONE_THRESHOLD
    stratum = by_row(pooled({"protocol": "yen", "stratum": "large"}, values))
    assert stratum.loc["A", "test_note"] == NO_STRATA
    assert np.isnan([one_threshold.loc["A", "p"], stratum.loc["A", "p"]]).all()


def in_stratum(subjects: int = SUBJECTS) -> pd.DataFrame:
    """The table of a column whose single subjects have their values in its stratum."""
    chosen = settings()
    column = chosen.columns[0].model_copy(update={"stratum": "anomalous"})
    scores = tidy({name: values[:subjects] for name, values in values_of().items()})
    changed = chosen.model_copy(update={"columns": (column,)})
    return by_row(build_table(changed, scores.assign(stratum="anomalous")))


def test_a_stratum_of_which_single_subjects_have_values_is_tested() -> None:
    table = in_stratum()
    assert table.loc["C", "p_holm"] == by_row(build_table(settings(), tidy(values_of()))).loc["C", "p_holm"]
    assert table.loc["C", "subject_difference"] == pytest.approx(-0.2)
    assert (table["test_note"] == "").all()
    assert in_stratum(subjects=1).loc["C", "test_note"] == TOO_FEW


def test_the_same_scores_give_the_same_p() -> None:
    rng = np.random.default_rng(1)
    many = {name: rng.uniform(size=40) for name in LABELS}
    first, second = (build_table(settings(), tidy(many)) for _ in range(2))
    pd.testing.assert_frame_equal(first, second)
    assert 0 < by_row(first)["p"].min() < 1


def test_cells_show_p_and_the_notes_say_what_it_is() -> None:
    table = build_table(settings(), tidy(values_of()))
    p = by_row(table).loc["C", "p_holm"]
    text = table_as_markdown(settings(), table)
    assert f"<br>p = {p:.3f} |" in text
    assert "against the best of the column" in text
    assert f"n = {SUBJECTS} subjects" in text
    assert rf"\scriptsize p = {p:.3f}" in table_as_latex(settings(), table, "t")


@pytest.mark.parametrize(("subjects", "said"), [(3, True), (SUBJECTS, False)])
def test_the_notes_say_where_subjects_are_too_few_for_any_p(subjects: int, said: bool) -> None:
    scores = tidy({name: values[:subjects] for name, values in values_of().items()})
    text = table_as_markdown(settings(), build_table(settings(), scores))
    assert ("Of 3 subjects no p is below 0.25" in text) == said
