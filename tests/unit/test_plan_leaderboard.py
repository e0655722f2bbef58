"""Data sets for the leaderboard alone: real studies run without them, and never beside simulated ones."""

import shutil
from pathlib import Path

import pytest

from brainuad.leaderboard.plan import ranking_inputs
from brainuad.plan import Plan
from brainuad.plan_reader import read_plan
from tests.unit.real_folders import write_folder
from tests.unit.test_plan_reader import WORKFLOW, change_study, errors_of

PHANTOMS = dict.fromkeys(("brats21", "mslub", "msseg", "ljubljana", "ixi"), "phantom")


def plan_of(study: str, datasets: dict[str, str]) -> Plan:
    return read_plan({"studies": [study], "datasets": datasets}, WORKFLOW)


@pytest.mark.parametrize("others", [{}, PHANTOMS])
def test_a_study_on_real_scans_runs_without_what_the_leaderboard_alone_needs(
    tmp_path: Path, others: dict[str, str], caplog: pytest.LogCaptureFixture
) -> None:
    plan = plan_of("kascenas2023", {**others, "brats21": write_folder(tmp_path, "brats21")})
    assert plan.used_datasets() == ["brats21"]
    assert {entrant.dataset for entrant in ranking_inputs(plan).entrants} == {"brats21"}
    (line,) = caplog.messages
    assert line.startswith("kascenas2023: left out of the leaderboard: mslub, msseg, ljubljana. ")


def test_a_data_set_with_a_path_stays_in_the_leaderboard(tmp_path: Path) -> None:
    real = {name: write_folder(tmp_path / name, name) for name in ("brats21", "mslub")}
    plan = plan_of("kascenas2023", {**PHANTOMS, **real})
    assert plan.studies["kascenas2023"].leaderboard_datasets == ("mslub",)
    assert plan.used_datasets() == ["brats21", "mslub"]


def test_phantoms_of_the_leaderboard_do_not_meet_its_real_scans(tmp_path: Path) -> None:
    plan = plan_of("kascenas2023", {**PHANTOMS, "mslub": write_folder(tmp_path, "mslub")})
    assert plan.studies["kascenas2023"].leaderboard_datasets == ("mslub",)


def test_phantoms_meet_phantoms(caplog: pytest.LogCaptureFixture) -> None:
    plan = plan_of("kascenas2023", PHANTOMS)
    assert plan.studies["kascenas2023"].leaderboard_datasets == ("mslub", "msseg", "ljubljana")
    assert not caplog.messages


def test_a_phantom_that_the_protocol_tests_on_stays(tmp_path: Path) -> None:
    plan = plan_of("frotscher2023", {**PHANTOMS, "brats21": write_folder(tmp_path, "brats21")})
    assert plan.used_datasets() == ["brats21", "msseg", "ljubljana"]
    assert "mslub" not in plan.studies["frotscher2023"].recipes


def test_a_training_set_that_the_leaderboard_scores_too_stays(tmp_path: Path) -> None:
    real = {name: write_folder(tmp_path / name, name) for name in ("ixi", "fastmri", "atlas2")}
    plan = plan_of("bercea2023-autoddpm", real)
    assert plan.studies["bercea2023-autoddpm"].leaderboard_datasets == ("fastmri",)


@pytest.mark.parametrize("real", [True, False])
def test_a_misspelt_data_set_of_the_leaderboard_is_an_error(tmp_path: Path, real: bool) -> None:
    shutil.copytree(WORKFLOW, tmp_path / "workflow")
    change_study(tmp_path / "workflow", {"leaderboard_datasets": ["msegg"]}, "kascenas2023")
    brats21 = write_folder(tmp_path / "brats21", "brats21") if real else "phantom"
    config = {"studies": ["kascenas2023"], "datasets": {**PHANTOMS, "brats21": brats21}}
    assert any("data set 'msegg'" in line for line in errors_of(config, tmp_path / "workflow"))
