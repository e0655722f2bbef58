"""The tables of a fictional hospital: scans.csv, reports.csv, and the truth behind them in truth.csv.

Layout and columns are those of an export of one's own (docs/datasets/hospital_ct.md); only a phantom has
truth.csv. An emergency service with a stroke cohort, such as that of Kascenas 2023, section 4.2.2, is the model.
"""

import csv
import os
from collections.abc import Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np

from brainuad.curation.labels import CLASSES, LABELS
from brainuad.phantom.ct.people import ScanFacts, condition_of, outlined
from brainuad.phantom.patients import Patient, Visit, draw_patient
from brainuad.phantom.reports.authors import AUTHORS
from brainuad.phantom.reports.facts import Facts, Finding, Rates, Report
from brainuad.phantom.reports.markup import stronger
from brainuad.phantom.reports.write import USUAL, compose_addendum, compose_report
from brainuad.randomness import numpy_generator
from brainuad.storage import atomic_path

COLUMNS = {
    "scans": ("scan", "patient", "age", "sex", "date", "report", "path", "mask", "condition"),
    "reports": ("report", "patient", "date", "text"),
    "truth": ("scan", "label", "in_image", "in_report"),
}
DATES = ("%d/%m/%Y", "%d.%m.%y", "%d %B %Y")
ADDENDUM = 0.05  # of the visits have a second report that adds something
SECOND_READING = 0.03  # of the visits are reported twice
UNREPORTED = 0.01  # of the visits have no report
UNLINKED = 0.05  # of the reported visits' scans do not name their report
SENT_AGAIN = 0.006  # of the reports are there twice under two names
REPEATED_ROW = 0.004  # of the visits' first rows are there twice
CONVERTED = 0.15  # of the scans are NIfTI files

Row = tuple[object, ...]


@dataclass
class Records:
    """The rows of a part of the hospital, for each table."""

    scans: list[Row] = field(default_factory=list)
    reports: list[Row] = field(default_factory=list)
    truth: list[Row] = field(default_factory=list)


def simulate_hospital(folder: Path, count: int, seed: int, rates: Rates = USUAL) -> None:
    """Writes the tables of the first `count` patients of a fictional hospital, readable for their owner alone."""
    folder = Path(folder)
    with ExitStack() as stack:
        tables = {
            name: stack.enter_context(_table(folder / f"{name}.csv", COLUMNS[name])) for name in COLUMNS
        }
        for number in range(1, count + 1):
            records = patient_records(draw_patient(number, seed), seed, rates)
            for name, table in tables.items():
                table.writerows(getattr(records, name))


@contextmanager
def _table(path: Path, columns: tuple[str, ...]) -> Iterator[Any]:
    with atomic_path(path) as temporary:
        descriptor = os.open(temporary, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
        with os.fdopen(descriptor, "w", encoding="utf-8", newline="") as file:
            writer = csv.writer(file, lineterminator="\n")
            writer.writerow(columns)
            yield writer


def scan_name(patient: Patient, visit: Visit, scan: int) -> str:
    """The name of a scan, such as HCT000012V1S2; scans of a visit are counted from 1."""
    return f"{patient.name}V{visit.number}S{scan}"


def scan_files(name: str, findings: Sequence[Finding], seed: int) -> dict[str, str]:
    """The paths of a scan below the root: `ct`, a folder of DICOM files or a NIfTI file, and `mask` if there is one."""
    converted = numpy_generator(seed, "phantom", "hospital_ct", name, "file").random() < CONVERTED
    files = {"ct": f"nifti/{name}.nii.gz" if converted else f"dicom/{name}"}
    return files | ({"mask": f"masks/{name}.nii.gz"} if outlined(findings) else {})


def hospital_scans(count: int, seed: int) -> list[ScanFacts]:
    """The scans of the first `count` patients, and what each of them shows."""
    return [facts for number in range(1, count + 1) for facts in _scans_of(draw_patient(number, seed), seed)]


def _scans_of(patient: Patient, seed: int) -> Iterator[ScanFacts]:
    for visit in patient.visits:
        for scan in range(1, visit.scans + 1):
            name, findings = scan_name(patient, visit, scan), visit.findings_of(scan)
            yield ScanFacts(
                subject=name,
                number=int(patient.name[3:]),
                site="",
                scan=scan,
                age=visit.age,
                sex=patient.sex,
                patient=patient.name,
                day=visit.day.strftime("%Y%m%d"),
                findings=findings,
                files=scan_files(name, findings, seed),
            )


def patient_records(patient: Patient, seed: int, rates: Rates) -> Records:
    """The rows of one patient, a function of (seed, patient)."""
    records = Records()
    for visit in patient.visits:
        rng = numpy_generator(seed, "phantom", "hospital_ct", "records", patient.name, visit.number)
        reports = visit_reports(patient, visit, rates, rng)
        _add_reports(records, patient, visit, reports, rng)
        report = _report_name(patient, visit, 0) if reports and rng.random() >= UNLINKED else ""
        rows = _scan_rows(patient, visit, report, seed)
        records.scans += rows[:1] if rng.random() < REPEATED_ROW else []
        records.scans += rows
        for scan in range(1, visit.scans + 1):
            records.truth += _truth(patient, visit, scan, reports)
    return records


def visit_reports(patient: Patient, visit: Visit, rates: Rates, rng: np.random.Generator) -> list[Report]:
    """The reports of one visit: usually one, with an addendum or a second reading now and then, seldom none."""
    if rng.random() < UNREPORTED:
        return []
    facts = _facts(patient, visit, rng)
    first = compose_report(facts, visit.findings, rng, rates)
    reports = [first]
    if rng.random() < ADDENDUM:
        missed = [finding for finding in visit.findings if finding.kind in first.omitted]
        reports.append(compose_addendum(facts, missed, rng))
    if rng.random() < SECOND_READING:
        reports.append(compose_report(_facts(patient, visit, rng), visit.findings, rng, rates))
    return reports


def _facts(patient: Patient, visit: Visit, rng: np.random.Generator) -> Facts:
    style = DATES[int(rng.integers(len(DATES)))]
    before = patient.visits[visit.number - 2].findings if visit.number > 1 else ()
    return Facts(
        age=visit.age,
        sex=patient.sex,
        reason=visit.reason,
        author=int(rng.integers(len(AUTHORS))),
        earlier=visit.earlier.strftime(style) if visit.earlier else "",
        known=tuple(finding.kind for finding in visit.findings if finding in before),
    )


def _report_name(patient: Patient, visit: Visit, place: int) -> str:
    return f"R{patient.name[3:]}V{visit.number}{'ABCDEFGH'[place]}"


def _add_reports(
    records: Records, patient: Patient, visit: Visit, reports: list[Report], rng: np.random.Generator
) -> None:
    texts = [report.text for report in reports]
    if texts and rng.random() < SENT_AGAIN:
        texts.append(texts[0])
    rows: list[Row] = [
        (_report_name(patient, visit, place), patient.name, visit.day.isoformat(), text)
        for place, text in enumerate(texts)
    ]
    records.reports += rows[:1] if rng.random() < REPEATED_ROW else []
    records.reports += rows


def _scan_rows(patient: Patient, visit: Visit, report: str, seed: int) -> list[Row]:
    rows: list[Row] = []
    for scan in range(1, visit.scans + 1):
        name = scan_name(patient, visit, scan)
        findings = visit.findings_of(scan)
        files = scan_files(name, findings, seed)
        row = (name, patient.name, visit.age, patient.sex, visit.day.isoformat(), report)
        rows.append((*row, files["ct"], files.get("mask", ""), condition_of(findings)))
    return rows


def _truth(patient: Patient, visit: Visit, scan: int, reports: list[Report]) -> list[Row]:
    """A row for each label that the scan has or that its reports mention."""
    present = {label for finding in visit.findings_of(scan) for label in finding.labels}
    said = _together(report.said for report in reports)
    name = scan_name(patient, visit, scan)
    return [
        (name, label, "positive" if label in present else "negative", said.get(label, CLASSES[-1]))
        for label in LABELS
        if label in present or label in said
    ]


def _together(reports: Iterator[Mapping[str, Any]]) -> dict[str, str]:
    said: dict[str, Any] = {}
    for report in reports:
        for label, certainty in report.items():
            said[label] = stronger(said.get(label, CLASSES[-1]), certainty)
    return said
