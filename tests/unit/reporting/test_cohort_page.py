"""How a cohort was chosen by reports, on its page and in a table of a paper."""

from dataclasses import replace
from pathlib import Path

import pandas as pd
import pytest
from pydantic import TypeAdapter, ValidationError

from brainuad.curation.agreement import MACRO, MICRO
from brainuad.curation.flow import INITIAL, flow_table
from brainuad.curation.selection import STEPS
from brainuad.reporting.flow_table import build_flow_table, read_flow
from brainuad.reporting.html import PAGES, build_report
from brainuad.reporting.inputs import CurationEntry, ReportInputs
from brainuad.reporting.pages import cohort
from brainuad.reporting.pages.cohort import chosen_cohort
from brainuad.reporting.settings import AnyTableSettings, FlowRow, FlowTableSettings
from brainuad.reporting.tables import write_tables
from brainuad.storage import write_table

SCANS = (
    ("s0", "p0", "yes", "training cohort", ""),
    ("s1", "p1", "yes", "training cohort", ""),
    ("s2", "p2", "no", "report labels", "hemorrhage (positive)"),
    ("s3", "p3", "no", "follow-up filter", "since"),
)


def write_flow(path: Path, *abnormal: str, known: bool = True) -> Path:
    """The flow table of four scans, of which the named ones are abnormal."""
    selection = pd.DataFrame(SCANS, columns=["scan", "patient", "kept", "step", "reason"])
    rows = [(scan, "hemorrhage", "positive") for scan in abnormal]
    truth = pd.DataFrame(rows, columns=["scan", "label", "certainty"])
    write_table(flow_table(selection, truth if known else None), path)
    return path


@pytest.fixture
def entry(tmp_path: Path) -> CurationEntry:
    flow = write_flow(tmp_path / "flow.tsv", "s1", "s2")
    measures = {"precision": 0.5, "recall": 0.25, "f1": 1 / 3, "kappa": 0.4}
    measures |= {"abnormal_precision": 1.0, "abnormal_recall": float("nan")}
    rows = [
        {"labeller": "learned", "reference": "rules", "label": label, "reports": 9, "mentioned": mentioned}
        for label, mentioned in (("cyst", 4), ("gliosis", 0), (MICRO, 4), (MACRO, 4))
    ]
    write_table(pd.DataFrame([{**row, **measures} for row in rows]), tmp_path / "agreement.tsv")
    remarks = pd.DataFrame(
        {"remark": ["reports.csv: 2 rows repeat a report word for word; each counts once."]}
    )
    write_table(remarks, tmp_path / "remarks.tsv")
    return CurationEntry(
        "hospital_ct", True, "rules", flow, tmp_path / "remarks.tsv", tmp_path / "agreement.tsv"
    )


def test_a_phantom_shows_contamination_before_and_after_each_step(entry: CurationEntry) -> None:
    shown = chosen_cohort(entry)
    assert shown is not None
    step = next(step for step in shown.steps if step.name == "report labels")
    assert (step.images, step.patients, step.images_lost, step.share) == (3, 3, 1, 0.75)
    assert (step.contamination_before, step.contamination_after) == ("2 (50.0 %)", "1 (33.3 %)")
    assert step.normals_lost == "0"
    assert shown.has_truth


def test_without_a_truth_nothing_is_said_about_contamination(entry: CurationEntry, tmp_path: Path) -> None:
    flow = write_flow(tmp_path / "real.tsv", known=False)
    shown = chosen_cohort(replace(entry, flow=flow, phantom=False))
    assert shown is not None
    assert not shown.has_truth


def test_agreement_shows_labels_that_are_mentioned_and_dashes_for_what_is_undefined(
    entry: CurationEntry,
) -> None:
    shown = chosen_cohort(entry)
    assert shown is not None
    (found,) = shown.agreements
    assert (found.labeller, found.reference, found.reports) == ("learned labeller", "rules", 9)
    assert (found.micro["f1"], found.micro["abnormal_recall"]) == ("0.333", "–")
    assert [row["label"] for row in found.labels] == ["cyst"]


def test_the_page_names_the_rows_as_the_agreement_does() -> None:
    assert (cohort.MICRO, cohort.MACRO) == (MICRO, MACRO)


def test_a_report_has_the_page_only_where_reports_have_chosen(
    inputs: ReportInputs, entry: CurationEntry, tmp_path: Path
) -> None:
    few = replace(inputs, subjects=0)
    build_report(few, tmp_path / "without")
    assert not (tmp_path / "without" / "cohort.html").exists()
    assert "cohort.html" not in (tmp_path / "without" / "index.html").read_text()
    build_report(replace(few, curation=(entry,)), tmp_path / "with")
    page = (tmp_path / "with" / "cohort.html").read_text()
    assert "2 (50.0 %)" in page
    assert "<li>reports.csv: 2 rows repeat a report word for word; each counts once.</li>" in page
    assert not any(scan in page for scan, *_ in SCANS)
    for name, _ in PAGES:
        assert 'href="cohort.html"' in (tmp_path / "with" / f"{name}.html").read_text()


def test_a_cohort_that_was_not_chosen_yet_is_left_out(entry: CurationEntry, tmp_path: Path) -> None:
    assert chosen_cohort(replace(entry, flow=tmp_path / "none.tsv")) is None


def test_a_cohort_without_remarks_shows_none(entry: CurationEntry, tmp_path: Path) -> None:
    write_table(pd.DataFrame({"remark": []}), entry.remarks)
    shown = chosen_cohort(entry)
    assert shown is not None
    assert shown.remarks == ()


TABLE = FlowTableSettings(
    kind="cohort-flow",
    title="Selection",
    source="Somebody 2023, Table 1",
    dataset="hospital_ct",
    rows=(
        FlowRow(step="initial", label="Initial"),
        FlowRow(step="follow-up filter", label="Follow-up filter"),
    ),
    published={"initial": (16_559, 7_122)},
)


def test_counts_stand_beside_the_published_ones(tmp_path: Path) -> None:
    table = build_flow_table(TABLE, read_flow([write_flow(tmp_path / "flow.tsv")]))
    write_tables(TABLE, table, tmp_path, "table1")
    text = (tmp_path / "table1.md").read_text()
    assert "| Step | Images | Patients |" in text
    assert "| Initial | 4<br>published 16,559 (−16,555) | 4<br>published 7,122 (−7,118) |" in text
    assert "| Follow-up filter | 2 | 2 |" in text
    assert "Published values: Somebody 2023, Table 1." in text
    assert r"\shortstack[r]{4\\{\scriptsize 16,559 ($-$16,555)}}" in (tmp_path / "table1.tex").read_text()


def test_a_phantom_and_a_data_set_that_is_not_configured_say_so(tmp_path: Path) -> None:
    phantom = build_flow_table(TABLE, read_flow([write_flow(tmp_path / "flow.tsv")]), ["hospital_ct"])
    write_tables(TABLE, phantom, tmp_path, "phantom")
    assert "simulated phantom" in (tmp_path / "phantom.md").read_text()
    absent = build_flow_table(TABLE, read_flow([]))
    assert set(absent["note"]) == {"data set not in config.yaml"}
    assert absent["ours_mean"].isna().all()


def test_the_rows_of_such_a_table_are_the_steps_of_the_selection() -> None:
    for step in (INITIAL, *STEPS):
        assert FlowRow.model_validate({"step": step, "label": "x"}).step == step
    with pytest.raises(ValidationError, match="not a row of this table"):
        FlowTableSettings.model_validate({**TABLE.model_dump(), "published": {"manual review": (1, 1)}})


def test_a_table_of_a_study_is_one_of_scores_unless_it_says_otherwise() -> None:
    read = TypeAdapter(AnyTableSettings).validate_python
    assert isinstance(read(TABLE.model_dump()), FlowTableSettings)
    with pytest.raises(ValidationError, match="columns"):
        read({"title": "T", "rows": [{"method": "a", "label": "A"}]})
    with pytest.raises(ValidationError, match="cohort-flow"):
        read({"kind": "flow", "title": "T"})
