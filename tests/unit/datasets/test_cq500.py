"""CQ500: studies as published, and three readers who agree or not."""

from pathlib import Path

import pytest

from brainuad.config import Config
from brainuad.datasets.base import COHORT_COLUMNS
from brainuad.datasets.registry import find_dataset
from brainuad.errors import InputError
from brainuad.plan_data import DatasetPlan

FINDINGS = ("ICH", "SDH", "BleedLocation-Left", "MassEffect")


def reads(root: Path, **votes: str) -> None:
    """A table of readings; `votes` gives for scan 0 and so on the twelve cells, reader by reader."""
    columns = [f"R{reader}:{finding}" for reader in (1, 2, 3) for finding in FINDINGS]
    lines = [",".join(["name", "Category", *columns])]
    lines += [f"CQ500-CT-{name[1:]},B1,{','.join(cells)}" for name, cells in votes.items()]
    (root / "reads.csv").write_text("\n".join(lines) + "\n")


def published(root: Path, *numbers: int) -> Path:
    for number in numbers:
        series = root / f"CQ500CT{number} CQ500CT{number}" / "Unknown Study" / "CT Plain"
        series.mkdir(parents=True)
        (series / "CT000000.dcm").touch()
    return root


def rows(root: Path) -> dict[str, dict[str, str]]:
    dataset = find_dataset("cq500")
    table = dataset.index(root)
    assert tuple(table.columns) == COHORT_COLUMNS
    assert table["subject"].tolist() == dataset.subjects(root)
    return {row["subject"]: row for row in table.to_dict("records")}


@pytest.mark.parametrize(
    ("votes", "group", "condition", "reason"),
    [
        ("000000000000", "healthy", "", ""),
        ("110011000000", "patient", "ICH;SDH", ""),
        ("100010011000", "patient", "ICH", ""),
        ("100000010000", "unknown", "", "the readers do not agree on a finding"),
        ("100001000001", "unknown", "", "the readers do not agree on a finding"),
        ("00000000000x", "unknown", "", "reads.csv: a reading that is neither 0 nor 1"),
    ],
)
def test_readers_make_the_group(tmp_path: Path, votes: str, group: str, condition: str, reason: str) -> None:
    reads(published(tmp_path, 0), s0=votes)
    row = rows(tmp_path)["CQ500CT0"]
    assert (row["group"], row["condition"], row["reason"]) == (group, condition, reason)
    assert row["status"] == ("excluded" if reason else "ok")


def test_the_series_are_left_to_preprocessing(tmp_path: Path) -> None:
    reads(published(tmp_path, 12), s12="0" * 12)
    row = rows(tmp_path)["CQ500CT12"]
    assert (row["ct"], row["series"]) == ("CQ500CT12 CQ500CT12", "*")
    assert find_dataset("cq500").preprocessing.reference == "ct"


def test_scans_are_in_the_order_of_their_numbers(tmp_path: Path) -> None:
    assert list(rows(published(tmp_path, 10, 9, 100))) == ["CQ500CT9", "CQ500CT10", "CQ500CT100"]


def test_without_readings_nobody_is_healthy(tmp_path: Path) -> None:
    row = rows(published(tmp_path, 0))["CQ500CT0"]
    assert (row["group"], row["status"]) == ("unknown", "ok")


def test_a_scan_without_a_reading_is_excluded(tmp_path: Path) -> None:
    reads(published(tmp_path, 0, 1), s0="0" * 12)
    assert rows(tmp_path)["CQ500CT1"]["reason"] == "no row in reads.csv"


def test_an_empty_folder_is_a_row_without_an_image(tmp_path: Path) -> None:
    published(tmp_path, 0)
    (tmp_path / "CQ500CT7 CQ500CT7").mkdir()
    row = rows(tmp_path)["CQ500CT7"]
    assert (row["status"], row["reason"]) == ("excluded", "no image found")


def test_two_folders_of_one_scan_are_refused(tmp_path: Path) -> None:
    (published(tmp_path, 5) / "CQ500CT5").mkdir()
    with pytest.raises(InputError, match="are one scan"):
        rows(tmp_path)


@pytest.mark.parametrize(
    ("content", "message"),
    [
        ("name,R1:ICH,R2:ICH\nCQ500-CT-0,0,0\n", "R3:ICH is missing"),
        ("scan,R1:ICH,R2:ICH,R3:ICH\n", "expected a column name"),
        ("name,R1:ICH,R2:ICH,R3:ICH\nsomebody,0,0,0\n", "row 2: the column name is not a scan"),
    ],
)
def test_a_table_in_another_form_is_refused(tmp_path: Path, content: str, message: str) -> None:
    (published(tmp_path, 0) / "reads.csv").write_text(content)
    with pytest.raises(InputError, match=message):
        rows(tmp_path)


def test_a_folder_without_scans_says_what_was_expected(tmp_path: Path) -> None:
    with pytest.raises(InputError, match=r"cq500: no subject found in .*Unknown Study"):
        rows(tmp_path)


def test_the_skull_stripper_for_mri_does_not_replace_that_of_ct(tmp_path: Path) -> None:
    config = Config.model_validate({"datasets": {"cq500": str(tmp_path)}, "skull_strip": "hd-bet"})
    settings = DatasetPlan(config, {}, {}).preprocessing("cq500")
    assert (settings.skull_strip, settings.reference, settings.registration) == ("hounsfield", "ct", "rigid")
