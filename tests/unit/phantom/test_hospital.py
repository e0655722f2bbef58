"""The tables of a fictional hospital."""

import csv
import stat
from collections import Counter, defaultdict
from pathlib import Path

import numpy as np
import pytest
from scipy.stats import binom

from brainuad.curation.labels import CLASSES, LABELS, NORMAL_FOR_AGE
from brainuad.curation.reports import read_reports
from brainuad.phantom.hospital import (
    COLUMNS,
    UNREPORTED,
    patient_records,
    scan_name,
    simulate_hospital,
    visit_reports,
)
from brainuad.phantom.patients import EARLIER_ELSEWHERE, RETURNS, Patient, draw_patient
from brainuad.phantom.prevalence import ACUTE, AGEING, BACKGROUND, EFFECTS, REASONS, SIZES, WITH
from brainuad.phantom.reports.facts import KINDS, Rates
from brainuad.phantom.reports.write import LASTING, MINOR

COUNT = 1500
SEED = 5
Rows = list[dict[str, str]]


def rows_of(folder: Path, name: str) -> Rows:
    with (folder / f"{name}.csv").open(encoding="utf-8", newline="") as file:
        return list(csv.DictReader(file))


@pytest.fixture(scope="module")
def hospital(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("hospital")
    simulate_hospital(folder, COUNT, SEED)
    return folder


@pytest.fixture(scope="module")
def tables(hospital: Path) -> dict[str, Rows]:
    return {name: rows_of(hospital, name) for name in COLUMNS}


@pytest.fixture(scope="module")
def patients() -> list[Patient]:
    return [draw_patient(number, SEED) for number in range(1, COUNT + 1)]


def within_binomial_bounds(hits: int, count: int, share: float) -> bool:
    """Whether so many hits are less surprising than one in a million."""
    return binom.ppf(5e-7, count, share) <= hits <= binom.isf(5e-7, count, share)


def test_the_same_seed_writes_the_same_files(hospital, tmp_path):
    simulate_hospital(tmp_path, COUNT, SEED)
    for name in COLUMNS:
        assert (tmp_path / f"{name}.csv").read_bytes() == (hospital / f"{name}.csv").read_bytes()


def test_a_larger_hospital_only_appends_patients(hospital, tmp_path):
    simulate_hospital(tmp_path, 20, SEED)
    for name in COLUMNS:
        assert (hospital / f"{name}.csv").read_bytes().startswith((tmp_path / f"{name}.csv").read_bytes())


def test_another_seed_is_another_hospital(hospital, tmp_path):
    simulate_hospital(tmp_path, 20, SEED + 1)
    texts = {row["text"] for row in rows_of(tmp_path, "reports")}
    assert len(texts & {row["text"] for row in rows_of(hospital, "reports")}) < len(texts) / 2


def test_the_tables_are_readable_for_their_owner_alone(hospital):
    assert {stat.S_IMODE((hospital / f"{name}.csv").stat().st_mode) for name in COLUMNS} == {0o600}


def test_reports_are_read_as_an_export_is(hospital, tables):
    read = [report for part in read_reports(hospital / "reports.csv") for report in part]
    assert [each.text for each in read] == [row["text"].strip() for row in tables["reports"]]


def test_no_report_holds_an_identifier(tables):
    texts = [row["text"] for row in tables["reports"]]
    assert not [text for text in texts if "HCT" in text]
    names = {row["report"] for row in tables["reports"]}
    assert not [text for text in texts if names & set(text.replace(".", " ").split())]


def test_scans_and_reports_are_linked_in_every_way(tables):
    scans_of = Counter(scan["report"] for scan in {row["scan"]: row for row in tables["scans"]}.values())
    reports_on = defaultdict(set)
    for row in tables["reports"]:
        reports_on[row["patient"], row["date"]].add(row["report"])
    assert max(number for report, number in scans_of.items() if report) > 1
    assert max(map(len, reports_on.values())) > 1
    assert scans_of[""] > 0
    assert {row["report"] for row in tables["scans"]} - {""} <= {row["report"] for row in tables["reports"]}
    assert any((row["patient"], row["date"]) not in reports_on for row in tables["scans"])


def test_some_rows_and_some_texts_are_there_twice(tables):
    for name in ("scans", "reports"):
        assert max(Counter(tuple(row.values()) for row in tables[name]).values()) == 2
    renamed = defaultdict(set)
    for row in tables["reports"]:
        renamed[row["patient"], row["date"], row["text"]].add(row["report"])
    assert max(map(len, renamed.values())) == 2


def test_the_truth_names_known_scans_labels_and_classes_once(tables):
    truth = tables["truth"]
    assert {row["scan"] for row in truth} <= {row["scan"] for row in tables["scans"]}
    assert {row["label"] for row in truth} == set(LABELS)
    assert {row["in_image"] for row in truth} == {"positive", "negative"}
    assert {row["in_report"] for row in truth} == set(CLASSES)
    assert len({(row["scan"], row["label"]) for row in truth}) == len(truth)


def test_the_truth_of_a_scan_is_what_was_drawn(patients):
    for patient in patients[:100]:
        truth = patient_records(patient, SEED, Rates()).truth
        for visit in patient.visits:
            for scan in range(1, visit.scans + 1):
                drawn = {label for finding in visit.findings_of(scan) for label in finding.labels}
                name = scan_name(patient, visit, scan)
                assert {row[1] for row in truth if row[0] == name and row[2] == "positive"} == drawn


def test_a_repeated_scan_has_no_artefact(patients):
    blurred = [
        visit
        for patient in patients
        for visit in patient.visits
        if visit.findings_of(1) != visit.findings_of(2)
    ]
    assert blurred
    assert all("artefact" not in {each.kind for each in visit.findings_of(2)} for visit in blurred)


def test_reports_that_are_certain_and_complete_agree_with_the_image(patients):
    rates = Rates(hedge=0, omit=0, doubt=0, foreign=0)
    for patient in patients[:150]:
        for _, label, in_image, in_report in patient_records(patient, SEED, rates).truth:
            assert in_report != "uncertain"
            if label not in (
                "artefact",
                "ischemia",
            ):  # not on the repeat; "no acute infarct" beside an old one
                assert (in_image, in_report) not in {("negative", "positive"), ("positive", "negative")}


def test_only_what_was_there_before_goes_unnamed(patients):
    rates = Rates(hedge=0, omit=0, foreign=0, follow_up=1, unnamed=1)
    minor, lasting, kinds = set(MINOR), set(LASTING), set()
    for patient in patients:
        for last, visit in zip(patient.visits, patient.visits[1:], strict=False):
            [report, *_] = visit_reports(patient, visit, rates, np.random.default_rng(0)) or [None]
            if report is None or not report.unnamed:
                continue
            kept = {finding.kind for finding in visit.findings if finding in last.findings}
            assert set(report.unnamed) <= kept | lasting
            assert {finding.kind for finding in visit.findings} - minor == set(report.unnamed)
            kinds |= set(report.unnamed) - lasting
    assert {"subdural", "intracerebral", "old_infarct"} <= kinds


def test_reasons_and_returns_have_their_set_shares(patients):
    first = Counter(patient.visits[0].reason for patient in patients)
    assert all(within_binomial_bounds(first[reason], COUNT, share) for reason, share in REASONS.items())
    assert within_binomial_bounds(sum(len(each.visits) > 1 for each in patients), COUNT, RETURNS)
    elsewhere = sum(patient.visits[0].earlier is not None for patient in patients)
    assert within_binomial_bounds(elsewhere, COUNT, EARLIER_ELSEWHERE)


def test_strokes_show_infarcts_at_the_set_share(patients):
    strokes = [patient.visits[0] for patient in patients if patient.visits[0].reason == "stroke"]
    hits = sum("early_infarct" in {finding.kind for finding in visit.findings} for visit in strokes)
    assert within_binomial_bounds(hits, len(strokes), ACUTE["stroke"]["early_infarct"])


def test_visits_without_a_report_have_their_set_share(tables):
    reported = {(row["patient"], row["date"]) for row in tables["reports"]}
    visits = {(row["patient"], row["date"]) for row in tables["scans"]}
    assert within_binomial_bounds(len(visits - reported), len(visits), UNREPORTED)


def test_a_fair_part_of_the_scans_is_normal_for_age(tables):
    scans = {row["scan"] for row in tables["scans"]}
    rows = [row for row in tables["truth"] if row["in_image"] == "positive"]
    abnormal = {row["scan"] for row in rows if row["label"] not in NORMAL_FOR_AGE}
    assert 0.3 < 1 - len(abnormal) / len(scans) < 0.5


def test_old_people_have_more_signs_of_age(patients):
    def share(visits):
        return sum("atrophy" in {finding.kind for finding in visit.findings} for visit in visits) / len(
            visits
        )

    first = [patient.visits[0] for patient in patients]
    assert share([each for each in first if each.age > 80]) > 2 * share(
        [each for each in first if each.age < 60]
    )


def test_visits_of_a_patient_go_forward_in_time(patients):
    for patient in patients:
        for before, after in zip(patient.visits, patient.visits[1:], strict=False):
            assert before.day == after.earlier < after.day
            assert before.age <= after.age


def test_infarcts_become_old(patients):
    later = [
        {finding.kind for finding in after.findings}
        for patient in patients
        for before, after in zip(patient.visits, patient.visits[1:], strict=False)
        if "early_infarct" in {finding.kind for finding in before.findings}
        and (after.day - before.day).days > 30
    ]
    assert later
    assert all("old_infarct" in kinds for kinds in later)


def test_the_tables_of_prevalence_name_known_kinds_and_labels():
    chances = (*ACUTE.values(), WITH, *WITH.values(), BACKGROUND, SIZES, EFFECTS, AGEING)
    assert {kind for table in chances for kind in table} == set(KINDS)
    assert {kind for _, kind in AGEING.values() if kind} <= set(KINDS)
    assert {label for effects in EFFECTS.values() for label in effects} <= set(LABELS)
    assert set(ACUTE) == {*REASONS, "progress"}
    assert sum(REASONS.values()) == pytest.approx(1)
