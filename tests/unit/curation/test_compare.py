"""Labellers are compared report by report, and with the truth of a phantom scan by scan."""

import json
from pathlib import Path

import pandas as pd
import pytest

from brainuad.curation.compare import COMPARISON_COLUMNS, compare_labellers, read_by
from brainuad.curation.labels import Decision
from brainuad.curation.rule_labeller import RuleLabeller
from brainuad.curation.selection import COLUMNS
from brainuad.curation.settings import LabellingSettings
from brainuad.storage import read_table
from tests.verbs import run

NAMES = ["report", "label", "class"]


def labels(*rows: tuple[str, str, str]) -> pd.DataFrame:
    return pd.DataFrame(rows, columns=NAMES)


def selection(*rows: tuple[str, str, str]) -> pd.DataFrame:
    content = [(scan, "p", report, "yes", step, "") for scan, report, step in rows]
    return pd.DataFrame(content, columns=list(COLUMNS))


def micro(table: pd.DataFrame, labeller: str, reference: str) -> pd.Series:
    chosen = table[(table["labeller"] == labeller) & (table["reference"] == reference)]
    return chosen.set_index("label").loc["all (micro)"]


def test_labellers_are_compared_with_the_first_one_report_by_report() -> None:
    rules = labels(("a", "cyst", "positive"), ("b", "", ""), ("c", "cyst", "negative"))
    learned = labels(("a", "cyst", "positive"), ("b", "cyst", "positive"), ("c", "cyst", "positive"))
    found = micro(compare_labellers({"rules": rules, "learned": learned}, selection()), "learned", "rules")
    assert found["reports"] == 3
    assert found["precision"] == pytest.approx(1 / 3)
    assert found["recall"] == pytest.approx(1 / 2)


def test_the_worst_class_of_all_reports_of_a_scan_is_compared_with_the_truth() -> None:
    rules = labels(("a", "cyst", "negative"), ("b", "cyst", "positive"), ("c", "cyst", "positive"))
    scans = selection(("s1", "a;b", "report labels"), ("s2", "c", "report labels"))
    truth = pd.DataFrame({"scan": ["s1"], "label": ["cyst"], "in_report": ["positive"]})
    found = micro(compare_labellers({"rules": rules}, scans, truth), "rules", "written")
    assert (found["reports"], found["recall"]) == (2, 1)
    assert found["precision"] == pytest.approx(1 / 2)


def test_scans_without_a_usable_report_are_not_compared() -> None:
    scans = selection(("s1", "a", "report labels"), ("s2", "b", "usable report"))
    truth = pd.DataFrame({"scan": ["s1", "s2"], "label": "cyst", "in_report": "positive"})
    table = compare_labellers({"rules": labels(("a", "cyst", "positive"))}, scans, truth)
    assert micro(table, "rules", "written")["reports"] == 1


def test_a_report_that_one_labeller_could_not_read_is_compared_by_none() -> None:
    rules = labels(("b", "", ""), ("c", "cyst", "positive"))
    learned = labels(("a", "cyst", "positive"), ("b", "", ""), ("c", "cyst", "positive"))
    for first, other in ((rules, learned), (learned, rules)):
        found = micro(compare_labellers({"first": first, "other": other}, selection()), "other", "first")
        assert (found["reports"], found["precision"], found["recall"]) == (2, 1, 1)


def test_a_scan_with_a_report_that_was_not_labelled_is_not_compared() -> None:
    scans = selection(("s1", "a;b", "report labels"), ("s2", "c", "report labels"))
    truth = pd.DataFrame({"scan": ["s1", "s2"], "label": "cyst", "in_report": "positive"})
    rules = labels(("b", "", ""), ("c", "cyst", "positive"))
    found = micro(compare_labellers({"rules": rules}, scans, truth), "rules", "written")
    assert (found["reports"], found["recall"]) == (1, 1)
    assert compare_labellers({"rules": rules}, scans[:0], truth).empty
    assert compare_labellers({"rules": rules, "learned": labels(("a", "", ""))}, scans).empty


def test_a_failed_report_is_no_report_without_findings(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "reports.csv").write_text(
        "report,patient,date,text\nr1,p,,The odd brain scan.\nr2,p,,Acute haemorrhage.\n"
    )
    label = RuleLabeller.label

    def failing(labeller: RuleLabeller, text: str) -> list[Decision]:
        if "odd" in text:
            raise IndexError(text)
        return label(labeller, text)

    monkeypatch.setattr(RuleLabeller, "label", failing)
    assert read_by(tmp_path / "reports.csv", LabellingSettings())["report"].tolist() == ["r2"]


def test_nothing_to_compare_is_an_empty_table() -> None:
    table = compare_labellers({"rules": labels(("a", "cyst", "positive"))}, selection())
    assert table.empty
    assert tuple(table.columns) == COMPARISON_COLUMNS


def test_the_verb_reads_with_another_labeller_and_writes_no_sentence(tmp_path: Path) -> None:
    text = "Acute haemorrhage. No fracture."
    (tmp_path / "reports.csv").write_text(
        f"report,patient,date,text\nr1,p1,,{text}\nr2,p2,,Normal study.\nr3,p3,,{text}\n"
    )
    rows = "report\tlabel\tclass\tstatus\nr1\themorrhage\tpositive\t\nr2\tcyst\tpositive\t\nr3\t\t\tfailed\n"
    (tmp_path / "labels.tsv").write_text(rows)
    (tmp_path / "selection.tsv").write_text("\t".join(COLUMNS) + "\ns1\tp1\tr1\tno\treport labels\t\n")
    job = json.dumps({"labeller": "table", "others": [{"labeller": "rules"}]})
    options = {"reports": "reports.csv", "labels": "labels.tsv", "selection": "selection.tsv"}
    named = [part for name, file in options.items() for part in (f"--{name}", tmp_path / file)]
    run("compare-labellers", "--settings", job, *named, "--output", tmp_path / "agreement.tsv")
    table = read_table(tmp_path / "agreement.tsv").set_index("label")
    assert float(table.loc["hemorrhage", "f1"]) == 1
    assert float(table.loc["cyst", "recall"]) == 0
    assert int(table.loc["all (micro)", "reports"]) == 2
    assert float(table.loc["all (micro)", "precision"]) == 0.5
    assert "haemorrhage." not in (tmp_path / "agreement.tsv").read_text()
