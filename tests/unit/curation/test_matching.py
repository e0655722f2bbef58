"""Names that a spreadsheet or another program has changed are not lost in silence."""

import logging
from pathlib import Path

import pytest

from brainuad.curation.matching import TOGETHER, hint
from tests.unit.curation.hospital import Hospital, write_table

KEEP = '{"selection": {"held_out_share": 0}}'


@pytest.fixture
def hospital(tmp_path: Path) -> Hospital:
    """An export with two normal scans whose names are numbers."""
    export = Hospital(tmp_path)
    for number in ("0001", "0002"):
        export.scan(number, f"p{number}", f"r{number}")
        export.report(f"r{number}", f"p{number}")
        export.label(f"r{number}")
    return export


@pytest.mark.parametrize(
    ("lacking", "known", "way"),
    [
        (["1", "2"], ["0001", "0002"], "leading zeros dropped"),
        (["p1", "p2"], ["p01", "p02"], "leading zeros dropped"),
        (["1.0", "2."], ["1", "2"], "`.0` at the end dropped"),
        (["p1", "p2"], ["P1", "P2"], "capitals ignored"),
        (["p 1", "p 2"], ["p1", "p2"], "blanks dropped"),
        (["1.0", "2.0"], ["0001", "0002"], TOGETHER),
    ],
)
def test_the_hint_says_in_which_way_names_would_match(lacking: list[str], known: list[str], way: str) -> None:
    assert hint(lacking, known) == f" With {way} 2 of 2 would match."


def test_there_is_no_hint_where_nothing_would_match() -> None:
    assert hint(["1", "2"], ["3", "004"]) == ""


def test_a_rejection_that_names_no_scan_stops_the_selection_without_a_name(hospital: Hospital) -> None:
    rows = ("0002\taccepted", "1\trejected", "secret\trejected")
    review = write_table(hospital.folder / "review.tsv", "scan\tdecision", *rows)
    message = hospital.fail(review=review)
    assert f"{review}: 2 rejections name no scan of the scans file (row 3, 4)." in message
    assert "With leading zeros dropped 1 of 2 would match." in message
    assert "secret" not in message
    assert "0001" not in message


def test_rejections_without_a_decision_or_of_scans_that_left_earlier_stop_nothing(hospital: Hospital) -> None:
    hospital.label("r0001", "hemorrhage", "positive")
    review = write_table(hospital.folder / "review.tsv", "scan\tdecision", "0001\trejected", "gone\t")
    selected = hospital.select(KEEP, review=review)
    assert list(selected["step"]) == ["report labels", "training cohort"]


def test_an_acceptance_that_names_no_scan_is_a_warning_with_a_hint(
    hospital: Hospital, caplog: pytest.LogCaptureFixture
) -> None:
    review = write_table(hospital.folder / "review.tsv", "scan\tdecision", "1\taccepted", "2\taccepted")
    with caplog.at_level(logging.WARNING):
        assert set(hospital.select(KEEP, review=review)["reason"]) == {"not reviewed"}
    assert "are ignored. With leading zeros dropped 2 of 2 would match." in caplog.text


def test_names_of_scans_are_the_same_in_both_forms_of_an_accent(hospital: Hospital) -> None:
    hospital.scan("Rene\u0301", "p0001", "r0001")
    review = write_table(
        hospital.folder / "review.tsv", "scan\tdecision", "Ren\u00e9\u200b\trejected", "0001\xa0\trejected"
    )
    selected = hospital.select(KEEP, review=review)
    assert selected["kept"].to_dict() == {"0001": "no", "0002": "yes", "Ren\u00e9": "no"}


def test_reports_of_which_no_scan_finds_one_stop_the_selection(hospital: Hospital) -> None:
    hospital.reports = [(name[-1], *rest) for name, *rest in hospital.reports]
    hospital.scans = [
        (*first, report[1:], *rest) for *first, report, _, _ in hospital.scans for rest in [("", "")]
    ]
    hospital.labels = [(name[-1], *rest) for name, *rest in hospital.labels]
    message = hospital.fail()
    assert (
        f"scans.csv: none of 2 scans find a report of their patient in {hospital.folder / 'reports.csv'}."
        in message
    )
    assert (
        "2 of 2 reports that scans name are not there. With leading zeros dropped 2 of 2 would match."
        in message
    )


def test_patients_that_are_written_in_two_ways_stop_the_selection(hospital: Hospital) -> None:
    hospital.reports = [(name, patient.upper(), *rest) for name, patient, *rest in hospital.reports]
    message = hospital.fail()
    assert "2 of 2 patients have no report there. With capitals ignored 2 of 2 would match." in message
    assert "2 scans name a report of another patient." in message


@pytest.mark.parametrize("column", ["report", "patient"])
def test_scans_that_name_no_report_or_no_patient_stop_the_selection_and_say_so(
    hospital: Hospital, column: str
) -> None:
    place = {"patient": 1, "report": 3}[column]
    hospital.scans = [(*scan[:place], "", *scan[place + 1 :]) for scan in hospital.scans]
    message = hospital.fail()
    assert f"2 scans name no {column}." in message
    assert "another patient" not in message


def test_a_minority_of_scans_with_reports_is_a_warning(
    hospital: Hospital, caplog: pytest.LogCaptureFixture
) -> None:
    for number in (3, 4, 5):
        hospital.scan(f"s{number}", f"p{number}", f"lost{number}")
    with caplog.at_level(logging.WARNING):
        assert (hospital.select(KEEP)["kept"] == "yes").sum() == 2
    assert "scans.csv: only 2 of 5 scans find a report of their patient" in caplog.text
    assert "lost" not in caplog.text


def test_labels_of_reports_that_are_written_otherwise_are_told(hospital: Hospital) -> None:
    hospital.labels = [(name.upper(), *rest) for name, *rest in hospital.labels]
    assert "Are both from the same export? With capitals ignored 2 of 2 would match." in hospital.fail()
