"""Agreement of two readers, against counts made by hand."""

from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from brainuad.curation.agreement import agreement, classes_in, classes_of, read_expected
from brainuad.curation.labels import LABELS, WORSE, Decision
from brainuad.errors import InputError

P, N, U, O = "positive", "negative", "uncertain", "not mentioned"  # noqa: E741
HEADER = "report\ttext\tlabel\tcertainty\n"


def classes(said: list[str], label: str = "tumor") -> np.ndarray:
    """One label of some reports; the others are mentioned in none."""
    found = np.zeros((len(said), len(LABELS)), np.uint8)
    found[:, LABELS.index(label)] = [WORSE.index(each) for each in said]
    return found


def row(table: pd.DataFrame, label: str) -> pd.Series:
    return table.set_index("label").loc[label]


def test_scores_are_pooled_over_what_is_mentioned() -> None:
    # 3 of 4 mentions that were found are right, and 3 of 5 that there are were found.
    found = row(agreement(classes([P, P, N, U, O, P]), classes([P, P, N, P, O, O])), "tumor")
    assert found["precision"] == pytest.approx(3 / 4)
    assert found["recall"] == pytest.approx(3 / 5)
    assert found["f1"] == pytest.approx(2 * 3 / (4 + 5))
    assert (found["reports"], found["mentioned"]) == (6, 5)


def test_kappa_is_the_agreement_beyond_chance() -> None:
    by_chance = (2 * 1 + 2 * 3) / 16
    kappa = row(agreement(classes([P, P, N, N]), classes([P, N, N, N])), "tumor")["kappa"]
    assert kappa == pytest.approx((3 / 4 - by_chance) / (1 - by_chance))


def test_uncertain_counts_as_abnormal_for_the_cohort() -> None:
    found = row(agreement(classes([P, U, N, O]), classes([U, P, O, U])), "tumor")
    assert found["abnormal_recall"] == 1
    assert found["abnormal_precision"] == pytest.approx(2 / 3)


def test_measures_that_are_not_defined_are_missing() -> None:
    found = row(agreement(classes([O, O]), classes([O, O])), "tumor")
    assert found[["precision", "recall", "kappa"]].isna().all()


def test_a_label_that_is_found_where_nobody_mentions_it_costs_precision_over_all() -> None:
    table = agreement(classes([P, P]), classes([P, P]) + classes([O, P], "cyst"))
    assert row(table, "all (micro)")["precision"] == pytest.approx(2 / 3)
    assert row(table, "all (micro)")["recall"] == 1


def test_the_mean_is_over_labels_that_the_truth_mentions() -> None:
    truth = classes([P, P]) + classes([P, N], "cyst")
    table = agreement(truth, classes([P, P]) + classes([P, P], "cyst") + classes([P, O], "gliosis"))
    assert table["label"].tolist() == [*LABELS, "all (micro)", "all (macro)"]
    assert row(table, "all (macro)")["precision"] == pytest.approx((1 + 1 / 2) / 2)


def test_the_worst_of_several_rows_counts_and_rows_of_other_reports_do_not() -> None:
    rows = pd.DataFrame(
        [("a", "tumor", N), ("a", "tumor", U), ("b", "", ""), ("x", "tumor", P)],
        columns=["report", "label", "class"],
    )
    assert (classes_in(rows, ["a", "b"]) == classes([U, O])).all()


def test_decisions_become_classes_in_the_order_of_the_reports() -> None:
    found = classes_of([[Decision("tumor", P, "", "")], [], [Decision("tumor", N, "", "")]])
    assert (found == classes([P, O, N])).all()


def test_a_report_without_a_mention_is_read_as_such(tmp_path: Path) -> None:
    (tmp_path / "test.tsv").write_text(f"{HEADER}r1\tNormal.\t\t\nr2\tA cyst.\tcyst\tpositive\n")
    rows = read_expected(tmp_path / "test.tsv")
    assert classes_in(rows, ["r1", "r2"]).sum(axis=1).tolist() == [0, WORSE.index(P)]


@pytest.mark.parametrize(("label", "certainty"), [("tumor", "maybe"), ("tumour", "positive")])
def test_an_unknown_name_in_a_test_file_is_told_with_its_row(
    tmp_path: Path, label: str, certainty: str
) -> None:
    (tmp_path / "test.tsv").write_text(f"{HEADER}r1\tt\ttumor\tpositive\nr2\tt\t{label}\t{certainty}\n")
    with pytest.raises(InputError, match="row 3 has an unknown"):
        read_expected(tmp_path / "test.tsv")
