"""Reports are read from the exports that hospitals make, a part at a time."""

import re
from pathlib import Path

import pytest

from brainuad.curation.follow_up import refers_to_earlier
from brainuad.curation.line_breaks import BEGINNINGS, with_line_breaks
from brainuad.curation.reports import Report, read_reports
from brainuad.curation.rule_labeller import RuleLabeller
from brainuad.curation.spelling import expand
from brainuad.curation.terms import TERMS
from brainuad.errors import InputError

HEADER = "report,patient,date,text\n"
LABELLER = RuleLabeller()
SECRET = "subdural haematoma of Mrs Example"


def written(folder: Path, content: str, encoding: str = "utf-8") -> Path:
    path = folder / "reports.csv"
    path.write_bytes(content.encode(encoding))
    return path


def read(path: Path) -> list[Report]:
    return [report for part in read_reports(path) for report in part]


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16", "latin-1"])
def test_reports_are_read_in_the_encodings_of_exports(tmp_path: Path, encoding: str) -> None:
    path = written(tmp_path, HEADER + "r1,p1,2014-03-12,Normales Schädel-CT\n", encoding)
    assert read(path) == [Report("r1", "p1", "2014-03-12", "Normales Schädel-CT")]


def test_texts_in_quotes_hold_line_breaks_separators_and_quotes(tmp_path: Path) -> None:
    path = written(tmp_path, HEADER + 'r1,p1,,"Findings:\nno ""bleed"", no shift"\nr2,p1,,Normal\n')
    assert [report.text for report in read(path)] == ['Findings:\nno "bleed", no shift', "Normal"]


@pytest.mark.parametrize("separator", [";", "\t"])
def test_other_separators_orders_and_further_columns_are_read(tmp_path: Path, separator: str) -> None:
    rows = [["Text", "site", "Report", "date", "patient"], ["Normal, all of it", "A", "r1", "", "p1"]]
    path = written(tmp_path, "\n".join(separator.join(row) for row in rows))
    assert read(path) == [Report("r1", "p1", "", "Normal, all of it")]


def test_reports_come_in_parts_of_the_asked_size(tmp_path: Path) -> None:
    path = written(tmp_path, HEADER + "".join(f"r{number},p,,t\n" for number in range(5)))
    assert [len(part) for part in read_reports(path, chunk=2)] == [2, 2, 1]


@pytest.mark.parametrize(
    ("content", "told"),
    [
        ("report,patient,text\nr1,p1,x\n", "columns date are missing"),
        ("", "columns report, patient, date, text are missing"),
        (HEADER + f"r1,p1,,Normal\nr2,p1,,{SECRET}, more\n", "row 3 has 5 columns, expected 4"),
        (HEADER + f",p1,,{SECRET}\n", "row 2 names no report"),
        (HEADER + f"r1,p1,,Findings:\n{SECRET}\n", "row 3 has 1 columns, expected 4"),
        (HEADER + f'r1,p1,,"{SECRET}" it says\n', "line 2"),
        (HEADER + f'r1,p1,,"{SECRET}\nr2,p2,,x\n', "line 3"),
    ],
)
def test_a_broken_file_is_named_with_its_row_and_without_its_content(
    tmp_path: Path, content: str, told: str
) -> None:
    with pytest.raises(InputError) as error:
        read(written(tmp_path, content))
    assert told in str(error.value)
    assert "reports.csv" in str(error.value)
    assert "haematoma" not in str(error.value)


def test_a_text_is_never_cut_at_a_line_break_without_quotes(tmp_path: Path) -> None:
    path = written(
        tmp_path, "report,patient,date,text,site\nr1,p1,,No bleed.\nMass, oedema, shift, acute,A\n"
    )
    with pytest.raises(InputError, match=r"reports\.csv: row 2 has 4 columns, expected 5"):
        read(path)


BREAKS = [r"\n", r"\r\n", r"\r", r"\\n", r"\n\n", "<br>", "<BR />", "<br/>", "\\\n"]


@pytest.mark.parametrize("written_break", BREAKS)
def test_escaped_line_breaks_are_line_breaks(tmp_path: Path, written_break: str) -> None:
    path = written(tmp_path, HEADER + f'r1,p1,,"No fracture.{written_break}Hydrocephalus."\n')
    text = read(path)[0].text
    assert "\\" not in text
    assert [line.strip() for line in text.splitlines() if line] == ["No fracture.", "Hydrocephalus."]
    labels = {each.label: each.certainty for each in LABELLER.label(text)}
    assert labels == {"fracture": "negative", "hydrocephalus": "positive"}


@pytest.mark.parametrize("said", ["Compared with the CT of May.", "Previous CT: normal.", "Unchanged."])
def test_what_follows_an_escaped_line_break_can_refer_to_earlier_imaging(tmp_path: Path, said: str) -> None:
    text = read(written(tmp_path, HEADER + rf"r1,p1,,No bleed.\n{said}" + "\n"))[0].text
    assert refers_to_earlier(text)


def test_a_heading_after_an_escaped_line_break_is_one(tmp_path: Path) -> None:
    row = r"r1,p1,,Clinical history:\tstroke\nFindings:\nThere is no bleed.\nImpression:\nNormal."
    assert [each.label for each in LABELLER.label(read(written(tmp_path, HEADER + row))[0].text)] == [
        "hemorrhage"
    ]


@pytest.mark.parametrize("text", [r"Old\new infarct.", r"No left\right shift.", r"Frontal\temporal."])
def test_a_backslash_for_a_slash_is_no_line_break(tmp_path: Path, text: str) -> None:
    assert read(written(tmp_path, HEADER + f"r1,p1,,{text}\n"))[0].text == text


@pytest.mark.parametrize(
    ("text", "label"),
    [
        (r"Large frontal lesion\tumour.", "tumor"),
        (r"Acute infarct\neoplasm of the left frontal lobe.", "tumor"),
        (r"Left frontal cyst\nodule.", "lesion"),
        (r"A lesion\nor tumour of the left frontal lobe.", "tumor"),
        (r"A fracture of the vault, and\noedema.", "oedema"),
        (r"A cyst, left\tischaemic infarct.", "ischemia"),
    ],
)
def test_no_finding_behind_a_backslash_is_lost(tmp_path: Path, text: str, label: str) -> None:
    read_as = read(written(tmp_path, HEADER + f'r1,p1,,"{text}"\n'))[0].text
    found = {each.label: each.certainty for each in LABELLER.label(read_as)}
    assert found[label] in ("positive", "uncertain")


@pytest.mark.parametrize(
    "word", ["temporo", "traumatic", "recent", "normal", "thalamic", "tumors", "rebleed"]
)
def test_a_letter_that_a_word_begins_with_stays(word: str) -> None:
    assert with_line_breaks(rf"one\{word}. two\n\nthree") == f"one\\{word}. two\n\nthree"


@pytest.mark.parametrize(
    "word", ["there", "ischaemia", "infarct", "oedema", "and", "either", "or", "on", "right"]
)
def test_a_break_before_a_small_letter_is_one(word: str) -> None:
    assert with_line_breaks(rf"one\n{word}") == f"one\n{word}"


def test_no_term_loses_its_first_letter() -> None:
    phrases = {phrase for group in TERMS.values() for pattern in group for phrase in expand(pattern)}
    words = {word for word in re.findall("[a-z]{3,}", " ".join(phrases)) if word[0] in "nrt"} - {"non", "the"}
    assert {"tumor", "neoplasm", "nodule", "thrombus"} <= words
    assert {word for word in words if not word.startswith(BEGINNINGS)} == set()


def test_a_backslash_hides_no_word() -> None:
    found = LABELLER.label(r"There is subdural\subarachnoid haemorrhage. Hydrocephalus\infarct is seen.")
    assert {each.label: each.certainty for each in found} == {
        "hydrocephalus": "positive",
        "ischemia": "positive",
        "hemorrhage": "positive",
    }


def test_a_missing_file_is_an_error_for_the_user(tmp_path: Path) -> None:
    with pytest.raises(InputError, match=r"none\.csv"):
        read(tmp_path / "none.csv")
