"""The flow table counts images and patients after each step, beside the published numbers."""

from pathlib import Path

import pytest

from brainuad.curation.selection import STEPS
from tests.unit.curation.hospital import Hospital, write_table


@pytest.fixture
def hospital(tmp_path: Path) -> Hospital:
    """Ten normal scans, one of which is a patient's second, and a scan that leaves at each step but the last."""
    export = Hospital(tmp_path)
    for number in range(9):
        export.normal(number)
    export.scan("second", "p0", "r0")
    export.scan("unread", "p10", "")
    export.normal(11)
    export.label("r11", "hemorrhage", "positive")
    export.normal(12)
    export.reports[-1] = ("r12", "p12", "", "No interval change.")
    export.normal(13)
    return export


def select(hospital: Hospital, share: float = 0, **more: Path) -> None:
    review = write_table(hospital.folder / "review.tsv", "scan\tdecision", "s13\trejected")
    hospital.select(f'{{"selection": {{"held_out_share": {share}}}}}', review=review, **more)


def test_images_and_patients_are_counted_after_each_step(hospital: Hospital) -> None:
    select(hospital)
    flow = hospital.flow()
    assert list(flow.index) == ["initial", *STEPS]
    assert list(flow["images"]) == [14, 13, 12, 11, 10, 10]
    assert list(flow["patients"]) == [13, 12, 11, 10, 9, 9]
    assert list(flow["images_lost"]) == [0, 1, 1, 1, 1, 0]


def test_patients_that_are_held_out_leave_at_the_last_step(hospital: Hospital) -> None:
    select(hospital, share=0.34)
    assert hospital.flow().loc["training cohort", "patients_lost"] == 3


def test_without_truth_nothing_is_said_about_contamination(hospital: Hospital) -> None:
    select(hospital)
    assert not [column for column in hospital.flow() if "abnormal" in column or "normals" in column]


@pytest.mark.parametrize("column", ["certainty", "in_image"])
def test_contamination_counts_abnormal_scans_before_and_after_each_step(
    hospital: Hospital, column: str
) -> None:
    rows = ["s11,hemorrhage,positive", "s1,oedema,uncertain", "s2,atrophy,positive", "s3,oedema,negative"]
    truth = write_table(hospital.folder / "truth.csv", f"scan,label,{column}", *rows)
    select(hospital, truth=truth)
    flow = hospital.flow()
    assert list(flow["abnormal_before"]) == [2, 2, 2, 1, 1, 1]
    assert list(flow["abnormal_after"]) == [2, 2, 1, 1, 1, 1]
    assert flow.loc["report labels", "contamination_before"] == pytest.approx(2 / 13, abs=1e-4)
    assert flow.loc["report labels", "contamination_after"] == pytest.approx(1 / 12, abs=1e-4)
    assert list(flow["normals_lost"]) == [0, 1, 0, 1, 1, 0]


def test_a_cohort_that_loses_everything_has_zeros(tmp_path: Path) -> None:
    hospital = Hospital(tmp_path)
    hospital.normal(0)
    hospital.label("r0", "tumor", "positive")
    truth = write_table(tmp_path / "truth.csv", "scan,label,certainty", "s0,tumor,positive")
    hospital.select(truth=truth)
    assert list(hospital.flow()["images"]) == [1, 1, 0, 0, 0, 0]
