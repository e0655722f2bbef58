"""An export becomes a table of labels: in order, private, and the same however many processes work on it."""

import json
import logging
from pathlib import Path

import pytest

from brainuad.curation.label_reports import label_reports
from brainuad.curation.labels import Decision
from brainuad.curation.rule_labeller import RuleLabeller
from brainuad.curation.selection_inputs import read_labels
from brainuad.curation.settings import LabellingSettings
from brainuad.errors import InputError
from brainuad.storage import read_table
from tests.verbs import error_of, run

ROWS = (
    ("r1", "p1", "No fracture. Acute haemorrhage."),
    ("r2", "p2", "Normal study."),
    ("r3", "p3", " "),
    (
        "r4",
        "p4",
        "Kein Nachweis einer Blutung. Der Schädelknochen ist intakt und das Ventrikelsystem ist normal weit.",
    ),
)


def write_reports(folder: Path, rows: tuple[tuple[str, str, str], ...] = ROWS) -> Path:
    path = folder / "reports.csv"
    lines = [f'{report},{patient},2014-01-01,"{text}"\n' for report, patient, text in rows]
    path.write_text("report,patient,date,text\n" + "".join(lines))
    return path


def test_every_report_has_a_row_and_one_for_each_of_its_labels(tmp_path: Path) -> None:
    output = tmp_path / "labels.tsv"
    counts = label_reports(write_reports(tmp_path), output, LabellingSettings())
    assert read_table(output).to_numpy().tolist() == [
        ["r1", "fracture", "negative", "No fracture.", "negation: no; term: fracture", "labelled"],
        ["r1", "hemorrhage", "positive", "Acute haemorrhage.", "affirmed: hemorrhage", "labelled"],
        ["r2", "", "", "", "", "labelled"],
        ["r3", "", "", "", "", "empty"],
        ["r4", "", "", "", "", "not English"],
    ]
    assert counts == {"labelled": 2, "empty": 1, "not English": 1}


def test_the_table_is_for_its_owner_alone(tmp_path: Path) -> None:
    output = tmp_path / "labels.tsv"
    label_reports(write_reports(tmp_path), output, LabellingSettings())
    assert output.stat().st_mode & 0o777 == 0o600


def test_two_processes_write_what_one_writes(tmp_path: Path) -> None:
    texts = [text for _, _, text in ROWS]
    rows = tuple((f"r{number}", "p", texts[number % len(texts)]) for number in range(600))
    reports = write_reports(tmp_path, rows)
    for workers in (1, 2):
        label_reports(reports, tmp_path / f"{workers}.tsv", LabellingSettings(), workers)
    assert (tmp_path / "1.tsv").read_bytes() == (tmp_path / "2.tsv").read_bytes()


def _fail_on_odd(labeller: RuleLabeller, text: str) -> list[Decision]:
    if "odd" in text:
        raise IndexError(text)
    return []


def test_a_report_on_which_the_rules_fail_is_a_row_without_labels(
    tmp_path: Path, caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(RuleLabeller, "label", _fail_on_odd)
    output = tmp_path / "labels.tsv"
    reports = write_reports(tmp_path, (("r1", "p", "The odd scan."), ("r2", "p", "Normal scan.")))
    assert label_reports(reports, output, LabellingSettings()) == {"failed": 1, "labelled": 1}
    rule = read_table(output).set_index("report").loc["r1", "rule"]
    assert rule.startswith("IndexError at test_label_reports.py:")
    assert "failed on 1 of 2 reports" in caplog.text
    assert "odd" not in caplog.text + output.read_text()
    assert read_labels(output, ["r1", "r2"])["report"].tolist() == ["r2"]


def test_rules_that_fail_on_many_reports_stop_the_job(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(RuleLabeller, "label", _fail_on_odd)
    reports = write_reports(tmp_path, (("r1", "p", "The odd scan."), ("r2", "p", "An odd scan.")))
    with pytest.raises(InputError, match=r"reports\.csv: The rules failed on 2 of 2 reports"):
        label_reports(reports, tmp_path / "labels.tsv", LabellingSettings())
    assert not (tmp_path / "labels.tsv").exists()


def test_no_text_and_no_identifier_reaches_the_log(
    tmp_path: Path, caplog: pytest.LogCaptureFixture, capfd: pytest.CaptureFixture[str]
) -> None:
    caplog.set_level(logging.DEBUG)
    reports = write_reports(tmp_path, (("name-1", "name-2", "Acute haemorrhage."),))
    label_reports(reports, tmp_path / "labels.tsv", LabellingSettings())
    logged = caplog.text + "".join(capfd.readouterr())
    assert "1 reports: 1 labelled" in logged
    assert not any(word in logged for word in ("name-1", "name-2", "haemorrhage"))


def test_progress_without_a_terminal_is_a_few_short_lines(
    tmp_path: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    rows = tuple((f"r{number}", "p", "No fracture.") for number in range(600))
    label_reports(write_reports(tmp_path, rows), tmp_path / "labels.tsv", LabellingSettings())
    lines = [line.strip() for line in capfd.readouterr().err.splitlines() if line.strip()]
    assert 1 <= len(lines) <= 3
    assert lines[-1].startswith("label reports: 600 of 600, ")
    assert max(map(len, lines)) < 90


def test_a_broken_row_is_found_before_anything_is_written(tmp_path: Path) -> None:
    reports = write_reports(tmp_path)
    reports.write_text(reports.read_text() + "r5,p5\n")
    settings = json.dumps({})
    output = tmp_path / "labels.tsv"
    told = error_of("label-reports", "--settings", settings, "--reports", reports, "--output", output)
    assert "row 6 has 2 columns" in told
    assert not output.exists()


def test_the_verb_labels_by_the_settings_of_its_job(tmp_path: Path) -> None:
    reports = write_reports(tmp_path, (("r1", "p1", "Probable infarct."),))
    settings = json.dumps({"labelling": {"rules": {"likely": "positive"}}})
    run("label-reports", "--settings", settings, "--reports", reports, "--output", tmp_path / "labels.tsv")
    assert read_table(tmp_path / "labels.tsv")["class"].tolist() == ["positive"]


def test_a_learned_labeller_without_a_model_is_refused() -> None:
    with pytest.raises(ValueError, match="folder of a trained model"):
        LabellingSettings(labeller="learned")
