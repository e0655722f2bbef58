"""What does not fit between a method, its model and the machine is found before the first job."""

import shutil
from pathlib import Path
from typing import Any

import pytest

from brainuad.plan_method_checks import TIMES
from brainuad.plan_reader import read_plan
from tests.unit.test_plan_reader import WORKFLOW, change_study, errors_of


@pytest.fixture
def workflow(tmp_path: Path) -> Path:
    """A copy of the workflow's recipes and studies that a test may break."""
    shutil.copytree(WORKFLOW, tmp_path / "workflow")
    return tmp_path / "workflow"


def with_method(rule: str, settings: dict[str, Any], steps: int) -> dict[str, Any]:
    """The changes of a study that add a method whose model has so many times."""
    kind = "patched-ddpm" if rule == "patched-one-shot" else "ddpm"
    last_t = {"last_t": steps} if kind == "ddpm" else {}
    model = {"kind": kind, "settings": {"schedule": {"steps": steps}, **last_t}}
    return {
        "models/late": model,
        "methods/late": {"label": "Late", "rule": rule, "model": "late", "settings": settings},
    }


# Rule, setting, and the latest value that a model of 700 times allows.
LATEST = [
    ("andi", "last_t", 700),
    ("autoddpm", "t_coarse", 699),
    ("autoddpm", "t_inpaint", 699),
    ("diffusion-reconstruction", "t_test", 700),
    ("kl", "last_t", 700),
    ("kl-inpainting", "last_t", 700),
    ("kl-inpainting", "t_inpaint", 700),
    ("patched-one-shot", "t_test", 700),
]


def test_every_time_is_tried_here() -> None:
    tried = {(rule, setting) for rule, setting, _ in LATEST}
    assert tried == {(rule, setting) for rule, settings in TIMES.items() for setting in settings}


@pytest.mark.parametrize(("rule", "setting", "latest"), LATEST)
def test_a_time_that_the_model_does_not_have_is_an_error(
    workflow: Path, rule: str, setting: str, latest: int
) -> None:
    change_study(workflow, with_method(rule, {setting: latest}, steps=700))
    read_plan({}, workflow)
    change_study(workflow, with_method(rule, {setting: latest + 1}, steps=700))
    (line,) = errors_of({}, workflow)
    assert line.startswith(f"quickstart.yaml: methods.late.settings.{setting} = {latest + 1}: model 'late'")
    assert f"at most {latest}." in line


def test_maps_of_another_method_need_no_time_of_their_own(workflow: Path) -> None:
    change = with_method("diffusion-reconstruction", {"t_test": 100}, steps=700)
    again = {**change["methods/late"], "maps_of": "late", "settings": {"t_test": 900}}
    change_study(workflow, {**change, "methods/again": again})
    read_plan({}, workflow)


BATCH_OF_TWO = {"models/vae/settings": {"training": {"batch_size": 2}}}


def test_more_gpus_than_samples_of_a_batch_are_an_error(workflow: Path) -> None:
    change_study(workflow, BATCH_OF_TWO)
    read_plan({"scale": "paper", "gpus_per_training": 2}, workflow)
    (line,) = errors_of({"scale": "paper", "gpus_per_training": 3}, workflow)
    assert line.startswith("config.yaml: gpus_per_training = 3")
    assert "model 'vae' of quickstart.yaml has batches of 2" in line


@pytest.mark.parametrize("config", [{"scale": "quick"}, {"scale": "paper", "device": "cpu"}])
def test_where_one_process_trains_the_number_of_gpus_does_not_matter(
    workflow: Path, config: dict[str, str]
) -> None:
    change_study(workflow, BATCH_OF_TWO)
    read_plan({**config, "gpus_per_training": 3}, workflow)
