"""Every scan leaves the selection at one step with one reason, or stays."""

import logging
from pathlib import Path

import pytest
from pydantic import BaseModel

from brainuad.curation.selection_settings import ReviewSettings, SelectionSettings
from tests.unit.curation.hospital import Hospital, write_table
from tests.verbs import error_of


@pytest.fixture
def hospital(tmp_path: Path) -> Hospital:
    """An export with one normal scan."""
    export = Hospital(tmp_path)
    export.normal(0)
    return export


def outcome(
    hospital: Hospital, scan: str, settings: str = '{"selection": {"held_out_share": 0}}'
) -> tuple[str, str]:
    row = hospital.select(settings).loc[scan]
    return row["step"] if row["kept"] == "no" else "kept", row["reason"]


def test_a_normal_scan_is_kept(hospital: Hospital) -> None:
    assert outcome(hospital, "s0") == ("kept", "not reviewed")


def test_what_is_normal_for_age_does_not_exclude(hospital: Hospital) -> None:
    for label in ("calcification", "atrophy", "cerebral small vessel disease", "hypodensity"):
        hospital.label("r0", label, "positive")
    hospital.label("r0", "hemorrhage", "negative")
    assert outcome(hospital, "s0")[0] == "kept"


@pytest.mark.parametrize("certainty", ["positive", "uncertain"])
def test_any_other_positive_or_uncertain_label_excludes(hospital: Hospital, certainty: str) -> None:
    hospital.label("r0", "oedema", certainty)
    assert outcome(hospital, "s0") == ("report labels", f"oedema ({certainty})")


def test_labels_that_settings_allow_do_not_exclude(hospital: Hospital) -> None:
    hospital.label("r0", "cyst", "positive")
    settings = '{"selection": {"allowed_labels": ["cyst"], "held_out_share": 0}}'
    assert outcome(hospital, "s0", settings)[0] == "kept"


def test_a_report_that_nobody_labelled_is_not_normal(hospital: Hospital) -> None:
    hospital.scan("s1", "p1", "r1")
    hospital.report("r1", "p1")
    assert outcome(hospital, "s1") == ("report labels", "report without labels")


def test_a_reference_to_earlier_imaging_excludes_with_its_pattern(hospital: Hospital) -> None:
    hospital.scan("s1", "p1", "r1")
    hospital.report("r1", "p1", "Unchanged appearances of the brain.")
    hospital.label("r1")
    assert outcome(hospital, "s1") == ("follow-up filter", "unchanged")


def test_a_scan_without_report_is_not_usable(hospital: Hospital) -> None:
    hospital.scan("s1", "p1", "")
    assert outcome(hospital, "s1") == ("usable report", "no report")


def test_a_report_that_is_not_in_the_file_is_missing(hospital: Hospital) -> None:
    hospital.scan("s1", "p1", "elsewhere")
    assert outcome(hospital, "s1") == ("usable report", "report missing from the reports")


@pytest.mark.parametrize("text", ["", "  ", "-", "Report to follow.", "Not reported", "Awaiting report"])
def test_a_report_that_says_nothing_is_empty(hospital: Hospital, text: str) -> None:
    hospital.scan("s1", "p1", "r1")
    hospital.report("r1", "p1", text)
    hospital.label("r1")
    assert outcome(hospital, "s1") == ("usable report", "empty report")


def test_a_report_in_another_language_is_not_usable(hospital: Hospital) -> None:
    hospital.scan("s1", "p1", "r1")
    hospital.report("r1", "p1", "Kein Nachweis einer intrakraniellen Blutung.")
    hospital.label("r1")
    assert outcome(hospital, "s1") == ("usable report", "report not in English")


def test_a_row_that_is_repeated_is_one_scan(hospital: Hospital, caplog: pytest.LogCaptureFixture) -> None:
    hospital.scan("s0", "p0", "r0")
    with caplog.at_level(logging.WARNING):
        assert len(hospital.select()) == 1
    assert "1 rows (the first is row 3) repeat an earlier row" in caplog.text


def test_a_scan_of_two_patients_is_not_usable(hospital: Hospital) -> None:
    hospital.scan("s0", "p9", "r0")
    assert outcome(hospital, "s0") == ("usable report", "named for several patients")


def test_a_report_of_another_patient_is_not_usable(hospital: Hospital) -> None:
    hospital.scan("s1", "p1", "r0")
    assert outcome(hospital, "s1") == ("usable report", "report of another patient")


def test_a_report_that_is_repeated_word_for_word_counts_once(hospital: Hospital) -> None:
    hospital.report("r0", "p0")
    assert outcome(hospital, "s0")[0] == "kept"


def test_a_second_text_of_a_report_counts_too(hospital: Hospital) -> None:
    hospital.report("r0", "p0", "Addendum. Compared with the previous CT.")
    assert outcome(hospital, "s0") == ("follow-up filter", "comparison")


def test_the_worst_of_several_reports_of_a_scan_counts(hospital: Hospital) -> None:
    hospital.scan("s0", "p0", "r1")
    hospital.report("r1", "p0")
    hospital.label("r0", "hemorrhage", "negative")
    hospital.label("r1", "hemorrhage", "uncertain")
    selected = hospital.select().loc["s0"]
    assert (selected["reason"], selected["report"]) == ("hemorrhage (uncertain)", "r0;r1")


def test_reports_of_the_same_patient_and_day_count_unless_settings_say_no(hospital: Hospital) -> None:
    hospital.scan("s1", "p1", "r1", "2014-03-12")
    hospital.report("r1", "p1", date="2014-03-12")
    hospital.report("r2", "p1", date="2014-03-12")
    hospital.label("r1")
    hospital.label("r2", "fracture", "positive")
    assert outcome(hospital, "s1")[1] == "fracture (positive)"
    settings = '{"selection": {"reports_of_same_day": false, "held_out_share": 0}}'
    assert outcome(hospital, "s1", settings)[0] == "kept"


def test_a_scan_that_names_no_report_has_those_of_its_day(hospital: Hospital) -> None:
    hospital.scan("s1", "p1", "", "2014-03-12")
    hospital.report("r1", "p1", date="2014-03-12")
    hospital.label("r1")
    assert outcome(hospital, "s1")[0] == "kept"


def test_all_scans_of_a_normal_report_are_kept_or_the_first(hospital: Hospital) -> None:
    hospital.scan("s1", "p0", "r0")
    assert list(hospital.select()["kept"]) == ["yes", "yes"]
    settings = '{"selection": {"scans_per_report": "first", "held_out_share": 0}}'
    assert outcome(hospital, "s1", settings) == ("usable report", "another scan of the same report")


def test_a_scan_that_shares_one_of_several_reports_is_another_scan_of_it(hospital: Hospital) -> None:
    for scan, report in (("s1", "r0"), ("s1", "r1"), ("s2", "r1"), ("s3", "r1")):
        hospital.scan(scan, "p0", report)
    hospital.report("r1", "p0")
    hospital.label("r1")
    settings = '{"selection": {"scans_per_report": "first", "held_out_share": 0}}'
    selected = hospital.select(settings)
    assert selected["kept"].to_dict() == {"s0": "yes", "s1": "no", "s2": "yes", "s3": "no"}
    assert set(selected.loc[["s1", "s3"], "reason"]) == {"another scan of the same report"}


def test_a_review_rejects_and_accepts(hospital: Hospital) -> None:
    hospital.normal(1)
    review = write_table(hospital.folder / "review.tsv", "scan\tdecision", "s0\trejected", "s1\taccepted")
    selected = hospital.select(review=review)
    assert tuple(selected.loc["s0", ["kept", "step", "reason"]]) == ("no", "manual review", "rejected")
    assert tuple(selected.loc["s1", ["kept", "reason"]]) == ("yes", "")


def test_scans_that_wait_for_a_review_leave_only_if_it_is_required(hospital: Hospital) -> None:
    settings = '{"selection": {"require_review": true, "held_out_share": 0}}'
    assert outcome(hospital, "s0", settings) == ("manual review", "not reviewed")


def test_two_opposite_decisions_are_a_rejection(hospital: Hospital) -> None:
    review = write_table(hospital.folder / "review.tsv", "scan\tdecision", "s0\trejected", "s0\taccepted")
    assert hospital.select(review=review).loc["s0", "reason"] == "rejected"


def test_a_review_may_be_saved_by_a_spreadsheet(hospital: Hospital) -> None:
    hospital.normal(1)
    review = write_table(hospital.folder / "review.csv", "scan;decision;remark", "s0;Rejected;noise", "s1;;")
    selected = hospital.select(review=review)
    assert list(selected["reason"]) == ["rejected", "not reviewed"]


def test_patients_are_held_out_with_all_their_scans(hospital: Hospital) -> None:
    for number in range(1, 40):
        hospital.normal(number)
        hospital.scan(f"second{number}", f"p{number}", f"r{number}")
    selected = hospital.select('{"selection": {"held_out_share": 0.25}}')
    held_out = selected["reason"] == "held out"
    assert selected.loc[held_out, "patient"].nunique() == 10
    assert set(selected.loc[held_out, "patient"]).isdisjoint(selected.loc[~held_out, "patient"])


def test_one_patient_more_moves_at_most_one_other(hospital: Hospital) -> None:
    for number in range(1, 40):
        hospital.normal(number)
    settings = '{"selection": {"held_out_share": 0.25}}'
    before = hospital.select(settings)["kept"]
    hospital.normal(40)
    assert (hospital.select(settings)["kept"][:-1] != before).sum() <= 1


def test_the_same_files_give_the_same_bytes(hospital: Hospital) -> None:
    for number in range(1, 20):
        hospital.normal(number)
    written = []
    for _ in range(2):
        hospital.select("{}")
        written.append([(hospital.folder / name).read_bytes() for name in ("selection.tsv", "flow.tsv")])
    assert written[0] == written[1]


def test_the_selection_is_readable_for_its_owner_alone(hospital: Hospital) -> None:
    hospital.select()
    assert (hospital.folder / "selection.tsv").stat().st_mode & 0o777 == 0o600


def test_an_unknown_label_names_its_row_and_the_nearest_label(hospital: Hospital) -> None:
    hospital.label("r0", "haemorrhage", "positive")
    message = hospital.fail()
    assert "labels.tsv: row 3: the label is not one of" in message
    assert "Did you mean 'hemorrhage'?" in message


def test_a_sentence_in_the_wrong_column_is_not_repeated(hospital: Hospital) -> None:
    hospital.label("r0", "Mrs Smith has a large bleed.", "positive")
    assert "Smith" not in hospital.fail()


def test_an_unknown_class_names_the_known_ones(hospital: Hospital) -> None:
    hospital.label("r0", "hemorrhage", "possible")
    assert "the class is not one of positive, negative, uncertain, not mentioned" in hospital.fail()


def test_labels_of_unknown_reports_are_counted(hospital: Hospital, caplog: pytest.LogCaptureFixture) -> None:
    hospital.label("secret", "hemorrhage", "positive")
    with caplog.at_level(logging.WARNING):
        assert hospital.select().loc["s0", "kept"] == "yes"
    assert "1 rows (the first is row 3) name reports that the reports file lacks" in caplog.text
    assert "secret" not in caplog.text


def test_labels_of_another_export_are_refused(hospital: Hospital) -> None:
    hospital.labels = [("other", "", "", "", "")]
    assert "none of its 1 rows names a report of the reports file" in hospital.fail()


def test_a_review_of_unknown_scans_is_counted(hospital: Hospital, caplog: pytest.LogCaptureFixture) -> None:
    review = write_table(hospital.folder / "review.tsv", "scan\tdecision", "secret\taccepted")
    with caplog.at_level(logging.WARNING):
        assert hospital.select(review=review).loc["s0", "kept"] == "yes"
    assert "name scans that the scans file lacks" in caplog.text
    assert "secret" not in caplog.text


@pytest.mark.parametrize("name", ["scans", "reports", "labels", "review", "truth"])
def test_a_missing_file_is_named(hospital: Hospital, name: str) -> None:
    assert "missing.tsv: no such file; expected a table" in hospital.fail(
        **{name: hospital.folder / "missing.tsv"}
    )


def test_missing_columns_are_named(hospital: Hospital) -> None:
    path = write_table(hospital.folder / "other.csv", "scan,report", "s0,r0")
    assert "other.csv: the columns patient are missing" in hospital.fail(scans=path)


def test_an_unclosed_quote_is_an_error_and_swallows_nothing(hospital: Hospital) -> None:
    path = write_table(hospital.folder / "other.csv", "scan,patient,report", 's0,p0,"r0', "s1,p1,r1")
    assert "other.csv: a quotation mark" in hospital.fail(scans=path)


def test_unknown_settings_are_errors_with_the_nearest_name(hospital: Hospital) -> None:
    arguments = hospital.arguments('{"selection": {"held_out": 0.1}}')
    assert "Did you mean 'held_out_share'?" in error_of(*arguments)


@pytest.mark.parametrize("settings", [SelectionSettings(), ReviewSettings()], ids=["selection", "review"])
def test_the_page_lists_every_setting_with_its_default(settings: BaseModel) -> None:
    page = (Path(__file__).parents[3] / "docs/cohort-selection.md").read_text()
    for key, value in settings.model_dump(mode="json").items():
        shown = f"[{', '.join(map(str, value))}]" if isinstance(value, list) else str(value)
        shown = shown.lower() if isinstance(value, bool) else shown
        assert f"| `{key}` | `{shown}` |" in page
