"""Published split lists in a plan: where they may lie, and that a change of one draws the split anew."""

import shutil
from pathlib import Path
from typing import Any

import pytest

from brainuad.plan import Plan
from brainuad.plan_reader import read_plan
from tests.unit.test_plan_data import write
from tests.unit.test_plan_reader import WORKFLOW, change_study, errors_of

ROLES = ("train", "validation", "test")


@pytest.fixture
def workflow(tmp_path: Path) -> Path:
    """A copy of the workflow's recipes and studies that a test may change."""
    shutil.copytree(WORKFLOW, tmp_path / "workflow")
    return tmp_path / "workflow"


def plan_of(workflow: Path, lists: dict[str, Any], **change: Any) -> Plan:
    """A plan anew, as each run makes one."""
    change_study(workflow, {"splits/ixi/lists": lists, **change})
    return read_plan({}, workflow)


def lists_in(folder: Path) -> dict[str, str]:
    for number, role in enumerate(ROLES):
        write(folder, f"{role}.csv", f"IXI00{number}\n")
    return {role: str(folder / f"{role}.csv") for role in ROLES}


def test_a_list_that_is_edited_in_place_draws_the_split_anew(workflow: Path, tmp_path: Path) -> None:
    lists = lists_in(tmp_path)
    before = plan_of(workflow, lists).split_settings("quickstart", 0)
    assert plan_of(workflow, lists).split_settings("quickstart", 0) == before
    write(tmp_path, "test.csv", "IXI009\n")
    assert plan_of(workflow, lists).split_settings("quickstart", 0) != before


def test_every_file_of_a_role_counts(workflow: Path, tmp_path: Path) -> None:
    write(tmp_path, "more.csv", "IXI007\n")
    lists: dict[str, Any] = lists_in(tmp_path)
    lists |= {"test": [lists["test"], str(tmp_path / "more.csv")]}
    before = plan_of(workflow, lists).split_settings("quickstart", 0)
    write(tmp_path, "more.csv", "IXI008\n")
    assert plan_of(workflow, lists).split_settings("quickstart", 0) != before


def test_the_list_of_one_fold_draws_no_other_fold_anew(workflow: Path, tmp_path: Path) -> None:
    lists = lists_in(tmp_path) | {"train": str(tmp_path / "train{run}.csv")}
    for run in range(2):
        write(tmp_path, f"train{run}.csv", f"IXI01{run}\n")
    folds = {"runs": {"kind": "fold", "count": 2}}
    before = [plan_of(workflow, lists, **folds).split_settings("quickstart", run) for run in range(2)]
    write(tmp_path, "train1.csv", "IXI019\n")
    after = [plan_of(workflow, lists, **folds).split_settings("quickstart", run) for run in range(2)]
    assert [one == other for one, other in zip(before, after, strict=True)] == [True, False]


def test_a_split_without_lists_says_nothing_of_them(workflow: Path) -> None:
    assert "lists" not in read_plan({}, workflow).split_settings("quickstart", 0)


def test_lists_may_lie_in_the_home_folder(
    workflow: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("HOME", str(tmp_path))
    lists_in(tmp_path / "lists")
    plan = plan_of(workflow, {role: f"~/lists/{role}.csv" for role in ROLES})
    read = plan.split_settings("quickstart", 0)["datasets"]["ixi"]["lists"]
    assert read == {role: [str(tmp_path / "lists" / f"{role}.csv")] for role in ROLES}


def test_a_missing_one_of_several_lists_is_named(workflow: Path, tmp_path: Path) -> None:
    lists: dict[str, Any] = lists_in(tmp_path)
    change_study(workflow, {"splits/ixi/lists": lists | {"test": [lists["test"], "none.csv"]}})
    (line,) = errors_of({}, workflow)
    assert "splits.ixi.lists.test = 'none.csv': no such file" in line
