"""A selection by reports says who is healthy, and leaves the others out without calling them failures."""

from pathlib import Path

import pandas as pd
import pytest

from brainuad.datasets.selected import apply_selection, used_subjects
from brainuad.errors import InputError
from brainuad.preprocessing.quality import check_failed_share, summarise
from brainuad.storage import write_json

ROWS = (
    "s-0\tp0\tr\tyes\ttraining cohort\t",
    "s-1\tp1\tr\tno\treport labels\themorrhage (positive), collection (uncertain)",
    "s-2\tp2\tr\tno\treport labels\tischemia (uncertain)",
    "s-3\tp3\tr\tno\ttraining cohort\theld out",
)


@pytest.fixture
def selection(tmp_path: Path) -> Path:
    path = tmp_path / "selection.tsv"
    path.write_text("\n".join(["scan\tpatient\treport\tkept\tstep\treason", *ROWS]) + "\n")
    return path


def cohort(*subjects: str, status: str = "ok") -> pd.DataFrame:
    rows = [{"subject": name, "participant": name, "group": "unknown", "reason": ""} for name in subjects]
    return pd.DataFrame(rows).assign(status=status)


def test_a_kept_scan_is_healthy_and_one_with_a_positive_label_a_patient(selection: Path) -> None:
    found = apply_selection(cohort("s0", "s1", "s2", "s4"), selection)
    assert found["group"].tolist() == ["healthy", "patient", "unknown", "unknown"]
    assert found["status"].tolist() == ["ok", "ok", *["not selected"] * 2]
    assert found["reason"].tolist() == [
        *("", "", "not selected: report labels"),
        "not selected: not in the selection",
    ]


def test_a_normal_scan_that_is_held_out_of_the_training_is_healthy_too(selection: Path) -> None:
    found = apply_selection(cohort("s0", "s1", "s3"), selection)
    assert found["group"].tolist() == ["healthy", "patient", "healthy"]
    assert found["held_out"].tolist() == ["", "", "yes"]
    assert found["status"].tolist() == ["ok"] * 3


def test_a_defect_of_a_scan_stays_in_its_reason(selection: Path) -> None:
    broken = cohort("s0", "s2", status="excluded").assign(reason="no image")
    found = apply_selection(broken, selection)
    assert found["status"].tolist() == ["excluded", "not selected"]
    assert found["reason"].tolist() == ["no image", "not selected: report labels; no image"]


def test_healthy_scans_and_patients_are_used(selection: Path) -> None:
    assert used_subjects(selection) == {"s0", "s1", "s3"}


def test_a_selection_by_hand_may_write_in_capitals(selection: Path) -> None:
    written = selection.read_text().replace("\tyes\t", "\t Yes\t").replace("\tno\t", "\tNO\t")
    selection.write_text(written.replace("held out", " Held out").replace("(positive)", "(Positive)"))
    assert used_subjects(selection) == {"s0", "s1", "s3"}


def test_rows_of_one_scan_may_be_repeated_but_not_differ(selection: Path) -> None:
    selection.write_text(selection.read_text() + ROWS[1] + "\n")
    assert used_subjects(selection) == {"s0", "s1", "s3"}
    selection.write_text(selection.read_text() + "s-1\tp1\tr\tyes\ttraining cohort\t\n")
    with pytest.raises(InputError, match="1 scans have several rows that differ") as caught:
        used_subjects(selection)
    assert "s-1" not in str(caught.value)


@pytest.mark.parametrize("word", ["1", "TRUE", "healthy", ""])
def test_another_word_than_yes_or_no_stops_and_is_not_repeated(selection: Path, word: str) -> None:
    selection.write_text(selection.read_text() + f"s-4\tp4\tr\t{word}\t\t\ns-5\tp5\tr\tSmith\t\t\n")
    with pytest.raises(
        InputError, match=r"selection\.tsv: data row 5: `kept` is neither yes nor no \(2 such"
    ) as caught:
        used_subjects(selection)
    assert "Smith" not in str(caught.value)


def test_a_selection_of_another_export_is_refused_without_names(selection: Path) -> None:
    with pytest.raises(InputError, match="none of its 4 rows is about a scan of this data set") as caught:
        apply_selection(cohort("x1"), selection)
    assert "s-0" not in str(caught.value)


def test_scans_that_are_not_selected_are_no_failures_of_preprocessing(
    selection: Path, tmp_path: Path
) -> None:
    for name in ("s0", "s1", "s3"):
        record = {"subject": name, "status": "ok", "reason": ""}
        write_json(record, tmp_path / f"sub-{name}" / "quality.json")
    table = summarise(tmp_path, apply_selection(cohort("s0", "s1", "s2", "s3"), selection))
    check_failed_share(tmp_path / "quality.tsv", table, 0.0)
    assert table["status"].tolist() == ["ok", "ok", "not selected", "ok"]
    assert table["held_out"].tolist() == ["no", "no", "no", "yes"]


def test_scans_that_were_not_exported_because_nobody_selected_them_are_no_failures(
    selection: Path, tmp_path: Path
) -> None:
    record = {"subject": "s0", "status": "ok", "reason": ""}
    write_json(record, tmp_path / "sub-s0" / "quality.json")
    left = ("s2", *(f"s{number}" for number in range(10, 20)))
    absent = cohort(*left, status="excluded").assign(reason="the path in scans.csv does not exist")
    scans = pd.concat([cohort("s0"), absent], ignore_index=True)
    table = summarise(tmp_path, apply_selection(scans, selection))
    check_failed_share(tmp_path / "quality.tsv", table, 0.0)
    assert table["status"].tolist() == ["ok", *["not selected"] * len(left)]
