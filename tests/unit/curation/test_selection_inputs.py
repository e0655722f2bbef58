"""Only a text that stands for a report as a whole is taken for an empty report."""

from pathlib import Path

import pytest

from brainuad.curation.selection_inputs import is_empty
from brainuad.curation.terms import TERMS
from tests.unit.curation.hospital import Hospital


@pytest.mark.parametrize(
    "text",
    [
        "",
        " - ",
        "n/a",
        "Nil.",
        "Report to follow",
        "Report pending.",
        "Pending",
        "Not reported",
        "Unreported",
        "No report available.",
        "Awaiting report",
        "Awaiting formal report.",
        "See other report",
        "Please see addendum.",
        "CT head: not yet reported. Report to follow.",
    ],
)
def test_a_text_that_only_stands_for_a_report_is_empty(text: str) -> None:
    assert is_empty(text)


@pytest.mark.parametrize(
    "text",
    [
        "Large subdural haematoma. Neurosurgical review pending.",
        "SDH. Report to follow.",
        "Acute infarct, see above.",
        "I see a mass.",
        "Pending infarct.",
        "No mass reported.",
        "None seen.",
        "Normal. See addendum.",
    ],
)
def test_a_text_that_says_something_is_not_empty(text: str) -> None:
    assert not is_empty(text)


def test_no_placeholder_beside_a_term_of_a_label_is_empty() -> None:
    assert len(TERMS) > 0
    for patterns in TERMS.values():
        term = patterns[0].partition("|")[0].replace("(", "").replace(")", "")
        assert not is_empty(f"{term}. Report pending.")


def test_a_finding_whose_review_is_pending_counts_beside_a_normal_report(tmp_path: Path) -> None:
    hospital = Hospital(tmp_path)
    hospital.scan("s1", "p1", "r1")
    hospital.scan("s1", "p1", "r2")
    hospital.report("r1", "p1", "No intracranial abnormality.")
    hospital.report("r2", "p1", "Large subdural haematoma. Neurosurgical review pending.")
    hospital.label("r1")
    hospital.label("r2", "hemorrhage", "positive")
    row = hospital.select().loc["s1"]
    assert (row["step"], row["reason"]) == ("report labels", "hemorrhage (positive)")
