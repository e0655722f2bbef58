"""A simulated hospital, labelled by rules and selected: what the follow-up filter is for is in its reports."""

import csv
from dataclasses import replace
from pathlib import Path

import pandas as pd
import pytest

from brainuad.curation.label_reports import label_reports
from brainuad.curation.settings import LabellingSettings
from brainuad.phantom.hospital import simulate_hospital
from brainuad.phantom.reports.facts import Rates
from tests.verbs import run

PATIENTS = 400
# Reports that name all that they see: what the labels let in, they let in because nothing is said of it.
COMPLETE = Rates(hedge=0, omit=0, doubt=0, typo=0, addendum=0, addendum_alone=0)


def flow_of(folder: Path, rates: Rates) -> pd.DataFrame:
    """The flow table of a hospital whose reports are written at these rates."""
    simulate_hospital(folder, PATIENTS, 3, rates)
    label_reports(folder / "reports.csv", folder / "labels.tsv", LabellingSettings())
    names = {"scans": "scans.csv", "reports": "reports.csv", "labels": "labels.tsv", "truth": "truth.csv"}
    names |= {"selection": "selection.tsv", "flow": "flow.tsv"}
    options = [part for name, file in names.items() for part in (f"--{name}", folder / file)]
    run("select-cohort", "--settings", "{}", *options)
    return pd.read_csv(folder / "flow.tsv", sep="\t").set_index("step")


@pytest.fixture(scope="module")
def flow(tmp_path_factory: pytest.TempPathFactory) -> pd.DataFrame:
    return flow_of(tmp_path_factory.mktemp("hospital"), COMPLETE)


def test_the_follow_up_filter_removes_abnormal_scans_whose_finding_is_not_named(flow: pd.DataFrame) -> None:
    step = flow.loc["follow-up filter"]
    assert step["abnormal_before"] >= 5
    assert step["abnormal_after"] <= step["abnormal_before"] / 5
    assert step["contamination_after"] < step["contamination_before"]


def test_without_such_reports_the_labels_leave_the_filter_nothing(tmp_path: Path, flow: pd.DataFrame) -> None:
    named = flow_of(tmp_path, replace(COMPLETE, unnamed=0)).loc["follow-up filter"]
    assert named["abnormal_before"] <= flow.loc["follow-up filter", "abnormal_before"] / 4


def test_the_reports_say_nothing_of_what_the_images_hold(tmp_path: Path) -> None:
    simulate_hospital(tmp_path, PATIENTS, 3, replace(COMPLETE, follow_up=1, unnamed=1))
    with (tmp_path / "truth.csv").open(encoding="utf-8", newline="") as file:
        truth = list(csv.DictReader(file))
    unsaid = {
        row["scan"]
        for row in truth
        if row["label"] in ("tumor", "cyst", "aneurysm", "cavernoma")
        and (row["in_image"], row["in_report"]) == ("positive", "not mentioned")
    }
    assert len(unsaid) > 5
