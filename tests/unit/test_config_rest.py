"""A part of the configuration that cannot be read hides no error elsewhere, and makes none."""

import shutil
from pathlib import Path
from typing import Any

import pytest
import yaml

from tests.unit.test_plan_reader import WORKFLOW, change_study, errors_of

PHANTOMS = dict.fromkeys(("ixi", "brats21", "mslub"), "phantom")
WRONG: list[dict[str, Any]] = [
    {"scale": "quik"},
    {"studies": ["quickstart", 5]},
    {"studies": "quickstart"},
    {"studies": ["quickstart", "quickstart"]},
    {"datasets": {**PHANTOMS, "ixi": {"pth": "/data/IXI"}}},
    {"datasets": {**PHANTOMS, "mine": 5}},
    {"datasets": {**PHANTOMS, "mine": {"path": "/data/mine", "format": 3}}},
    {"datasets": {**PHANTOMS, "a b": "phantom"}},
    {"phantom": {"subjects": {**dict.fromkeys(PHANTOMS, 4), "ixi": -1}}},
    {"phantom": {"settings": {"anatommy": "sri24"}}},
    {"leaderboard": {"postprocessing": [{"step": "median", "size": "x"}]}},
]


@pytest.fixture
def workflow(tmp_path: Path) -> Path:
    """A copy of the workflow's recipes and studies that a test may break."""
    shutil.copytree(WORKFLOW, tmp_path / "workflow")
    return tmp_path / "workflow"


@pytest.mark.parametrize("config", WRONG, ids=str)
def test_a_wrong_key_and_an_error_of_a_study_are_shown_together(
    workflow: Path, config: dict[str, Any]
) -> None:
    change_study(workflow, {"methods/vae/model": "vea"})
    first, second = errors_of(config, workflow)
    assert first.startswith(f"config.yaml: {next(iter(config))}")
    assert second.startswith("quickstart.yaml: methods.vae.model = 'vea'")


def test_data_sets_that_cannot_be_read_at_all_make_no_error_of_a_study(workflow: Path) -> None:
    text = (workflow / "studies/quickstart.yaml").read_text()
    (workflow / "studies/quickstart.yaml").write_text(text.replace("ixi", "my_cohort"))
    (line,) = errors_of({"datasets": ["my_cohort", "brats21", "mslub"]}, workflow)
    assert line.startswith("config.yaml: datasets = [")


def test_a_study_that_cannot_be_read_hides_no_error_of_another(workflow: Path) -> None:
    change_study(workflow, {"seed": "abc", "methods/vae/model": "vea"})
    change_study(workflow, {"methods/ra/model": "rha"}, "every-method")
    first, second = errors_of({"studies": ["quickstart", "every-method"]}, workflow)
    assert first.startswith("quickstart.yaml: seed = 'abc'")
    assert second.startswith("every-method.yaml: methods.ra.model = 'rha'")


def test_a_recipe_that_cannot_be_read_is_not_unknown_too(workflow: Path) -> None:
    recipes = yaml.safe_load((workflow / "recipes.yaml").read_text())
    recipes["kascenas2023-mri"]["modalities"] = ["flare"]
    (workflow / "recipes.yaml").write_text(yaml.safe_dump(recipes))
    change_study(workflow, {"methods/vae/model": "vea"})
    lines = errors_of({"studies": ["quickstart", "supervised"]}, workflow)
    assert [line.split(":")[0] for line in lines] == ["recipes.yaml", "quickstart.yaml"]
