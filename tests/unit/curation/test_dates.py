"""Days of scans and reports are the same however an export writes them, and are never guessed."""

import logging
from pathlib import Path

import pandas as pd
import pytest

from brainuad.curation.dates import days_of, readings
from brainuad.errors import InputError
from tests.unit.curation.hospital import Hospital

TIMED = '{"selection": {"held_out_share": 0}}'


@pytest.fixture
def hospital(tmp_path: Path) -> Hospital:
    return Hospital(tmp_path)


def days(scans: list[str], reports: list[str]) -> tuple[list[str], list[str]]:
    found = days_of(pd.Series(scans, dtype=str), pd.Series(reports, dtype=str))
    return list(found[0]), list(found[1])


@pytest.mark.parametrize(
    "text",
    [
        *("2016-03-14", "2016/3/14", "20160314", "2016-03-14T09:12:00", "20160314091200", "2016-03-14 09:12"),
        *("14/3/2016", "14.03.16", "14-03-2016 9:12", "14/3/2016T9:12"),
        *(
            "14 March 2016",
            "14-MAR-16",
            "14-MAR-2016 09.12.00",
            "14MAR2016",
            "14th of March, 2016",
            "Mon 14 Mar 2016",
        ),
        *("March 14, 2016", "Mar 14 2016 2:05 PM", "3/14/2016"),
    ],
)
def test_a_day_is_read_however_it_is_written(text: str) -> None:
    assert readings(text) == ((2016, 3, 14),)


@pytest.mark.parametrize(
    "text", ["", "unknown", "32/1/2016", "13/13/2016", "March 2016", "2016", "14.5", "1/3/20161"]
)
def test_what_names_no_day_has_no_reading(text: str) -> None:
    assert readings(text) == ()


def test_a_year_of_two_digits_is_of_the_nearest_century() -> None:
    assert [readings(f"14/3/{year}")[0][0] for year in ("16", "69", "70")] == [2016, 2069, 1970]


def test_the_order_of_numbers_is_told_from_the_values_of_each_table() -> None:
    scans, reports = days(["1/3/2016 14:05", "14/3/2016"], ["3/1/2016", "3/14/2016 9:12", ""])
    assert scans == ["2016-03-01", "2016-03-14"]
    assert reports == ["2016-03-01", "2016-03-14", ""]


def test_a_table_that_leaves_the_order_open_is_like_the_other() -> None:
    assert days(["3/1/2016"], ["3/1/2016", "3/14/2016"]) == (["2016-03-01"], ["2016-03-01", "2016-03-14"])
    assert days(["1/3/2016"], ["14/3/2016", "1/3/2016"])[0] == ["2016-03-01"]


def test_two_tables_that_leave_the_order_open_are_read_alike() -> None:
    scans, reports = days(["1/3/2016 14:05", "3/3/2016"], ["01/03/2016 9:12"])
    assert scans[0] == reports[0]


@pytest.mark.parametrize(
    ("scans", "reports", "named"),
    [(["2016-03-01"], ["01/03/2016"], "reports"), (["1/3/2016"], ["1 March 2016"], "scans")],
)
def test_an_order_that_cannot_be_told_is_not_guessed(
    scans: list[str], reports: list[str], named: str
) -> None:
    with pytest.raises(InputError, match=f"In the {named} file it cannot be told") as told:
        days(scans, reports)
    assert "2016-03-01, or set `curation.NAME.selection.reports_of_same_day`" in str(told.value)


def test_dates_that_contradict_each_other_are_refused() -> None:
    told = r"begin with the day \(2 of them, the first in row 0\) and with the month \(1 of them, the first in row 3\)"
    with pytest.raises(InputError, match=told):
        days(["14/3/2016", "14/3/2016", "15/3/2016", "3/14/2016"], [])


def test_what_names_no_day_is_compared_as_it_is_written(caplog: pytest.LogCaptureFixture) -> None:
    scans, reports = days(["Visit 1 14:05", "Visit 2"], ["visit 1 9:12"])
    assert (scans, reports) == (["visit 1", "visit 2"], ["visit 1"])
    assert "3 dates of scans and reports name no day" in caplog.text
    assert "isit" not in caplog.text


@pytest.mark.parametrize(
    ("scan", "addendum"),
    [
        ("1/3/2016 14:05", "1/3/2016 9:12"),
        ("2016-03-01", "1 Mar 2016 09:12"),
        ("20160301T140500", "2016-03-01"),
    ],
)
def test_an_addendum_of_the_day_counts_whatever_its_time_and_format(
    hospital: Hospital, scan: str, addendum: str
) -> None:
    hospital.scan("s1", "p1", "r1", scan)
    hospital.report("r1", "p1", date=scan)
    hospital.report("r2", "p1", "Addendum: there is a small subdural haematoma.", addendum)
    hospital.label("r1")
    hospital.label("r2", "hemorrhage", "positive")
    assert hospital.select(TIMED).loc["s1", "reason"] == "hemorrhage (positive)"


def test_formats_that_cannot_be_compared_stop_the_selection_unless_days_do_not_count(
    hospital: Hospital,
) -> None:
    hospital.scan("s1", "p1", "r1", "2016-03-01")
    hospital.report("r1", "p1", date="01/03/2016")
    hospital.label("r1")
    assert "it cannot be told whether dates begin with the day or the month" in hospital.fail()
    settings = '{"selection": {"held_out_share": 0, "reports_of_same_day": false}}'
    assert hospital.select(settings).loc["s1", "kept"] == "yes"


def test_days_that_never_meet_are_told_without_an_identifier(
    hospital: Hospital, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.WARNING)
    hospital.scan("s1", "patient-one", "r1", "2016-03-01")
    hospital.report("r1", "patient-one", date="2017-03-01")
    hospital.label("r1")
    hospital.select()
    assert "No scan has a report of the same patient and day, though 1 patients" in caplog.text
    assert not any(word in caplog.text for word in ("patient-one", "2016", "2017"))


def test_days_that_meet_are_not_warned_of(hospital: Hospital, caplog: pytest.LogCaptureFixture) -> None:
    hospital.scan("s1", "p1", "r1", "2016-03-01")
    hospital.report("r1", "p1", date="2016-03-01 10:00")
    hospital.label("r1")
    hospital.select()
    assert "same patient and day" not in caplog.text


def test_dates_that_join_nothing_are_not_judged(hospital: Hospital) -> None:
    hospital.normal(1)
    hospital.normal(2, date="2016-03-14")
    for number, date in enumerate(("13/02/2016", "02/13/2016", "1/3/2016")):
        hospital.report(f"other{number}", "somebody else", date=date)
    assert set(hospital.select(TIMED)["kept"]) == {"yes"}


def test_dates_of_other_patients_tell_the_order_of_those_that_count(hospital: Hospital) -> None:
    hospital.scan("s1", "p1", "r1", "3/1/2016")
    hospital.scan("s2", "p2", "r2", "3/14/2016")
    for number, date in ((1, "1/3/2016"), (2, ""), (3, "14/3/2016")):
        hospital.report(f"r{number}", f"p{number}", date=date)
        hospital.label(f"r{number}")
    hospital.report("addendum", "p1", date="01/03/2016")
    hospital.label("addendum", "fracture", "positive")
    assert hospital.select(TIMED).loc["s1", "reason"] == "fracture (positive)"


def test_open_dates_of_a_table_with_both_orders_stop_the_selection(hospital: Hospital) -> None:
    hospital.scan("s1", "p1", "r1", "1/3/2016")
    hospital.report("r1", "p1", date="1/3/2016")
    hospital.label("r1")
    for number, date in enumerate(("13/02/2016", "02/13/2016")):
        hospital.report(f"other{number}", "somebody else", date=date)
    message = hospital.fail()
    assert (
        f"The dates of {hospital.folder / 'reports.csv'} begin with the day (1 of them, the first in row 3)"
        in message
    )
    assert "with the month (1 of them, the first in row 4)" in message
