"""Data sets that are misspelt, or cannot have what a study takes from them, are found before the first job."""

import shutil
from pathlib import Path
from typing import Any

import pytest
import yaml

from brainuad.plan_reader import read_plan
from tests.unit.test_plan_reader import WORKFLOW, change_study, errors_of

PHANTOMS = dict.fromkeys(("ixi", "brats21", "mslub"), "phantom")
COUNTS = dict.fromkeys(PHANTOMS, 4)


@pytest.fixture
def workflow(tmp_path: Path) -> Path:
    """A copy of the workflow's recipes and studies that a test may break."""
    shutil.copytree(WORKFLOW, tmp_path / "workflow")
    return tmp_path / "workflow"


def add_recipe(workflow: Path, name: str, modalities: list[str]) -> None:
    path = workflow / "recipes.yaml"
    recipe = {name: {"modalities": modalities, "steps": []}}
    path.write_text(path.read_text() + "\n" + yaml.safe_dump(recipe))


@pytest.mark.parametrize(
    ("change", "start", "end"),
    [
        (
            {"datasets": {**PHANTOMS, "brats2021": "/data/BraTS2021"}},
            "datasets.brats2021: 'brats2021' is not one of ",
            "Did you mean 'brats21'? For a folder of your own set `format: bids`, or the name of a data set with its "
            "layout.",
        ),
        (
            {"datasets": {**PHANTOMS, "mine": {"path": "/data/mine", "format": "bidz"}}},
            "datasets.mine.format = 'bidz' is not one of ",
            "Did you mean 'bids'?",
        ),
        (
            {"phantom": {"subjects": {**COUNTS, "brats2021": 9}}},
            "phantom.subjects.brats2021: 'brats2021' is not one of ",
            "Did you mean 'brats21'?",
        ),
        (
            {"datasets": {**PHANTOMS, "mine": {"format": "mslub", "preprocessing": {"skul_strip": "none"}}}},
            "datasets.mine.preprocessing: skul_strip: unknown key",
            "Did you mean 'skull_strip'?",
        ),
    ],
)
def test_a_wrong_data_set_that_no_study_uses_is_one_line(
    change: dict[str, Any], start: str, end: str
) -> None:
    (line,) = errors_of(change)
    assert line.startswith(f"config.yaml: {start}")
    assert line.endswith(end)


def test_a_used_data_set_without_a_layout_names_the_file_once(workflow: Path) -> None:
    (workflow / "studies/quickstart.yaml").write_text(
        (workflow / "studies/quickstart.yaml").read_text().replace("mslub", "mslab")
    )
    (line,) = errors_of({"datasets": {**PHANTOMS, "mslab": "phantom"}}, workflow)
    assert line.count("config.yaml") == 1
    assert "Did you mean 'mslub'?" in line


@pytest.mark.parametrize("name", ["mine", "mslub"])
def test_a_data_set_in_a_layout_that_is_not_simulated_needs_a_path(workflow: Path, name: str) -> None:
    study = workflow / "studies/quickstart.yaml"
    study.write_text(study.read_text().replace("mslub", name))
    (line,) = errors_of({"datasets": {**PHANTOMS, name: {"format": "bids"}}}, workflow)
    assert line.startswith(f"config.yaml: datasets.{name}.path: this key is required: the folder of its ")
    assert "atlas2, brats21, " in line


def test_all_wrong_data_sets_are_shown_at_once() -> None:
    config = {"datasets": {**PHANTOMS, "ixy": "phantom", "cq5000": "phantom"}}
    assert len(errors_of({**config, "phantom": {"subjects": {**COUNTS, "ixy": 5}}})) == 3


def test_a_recipe_of_modalities_that_a_data_set_cannot_have_is_an_error(workflow: Path) -> None:
    change_study(workflow, {"recipe": "kascenas2023-mri"})
    lines = errors_of({}, workflow)
    text = "recipe 'kascenas2023-mri' needs flair, t1ce, but data set 'ixi' has t1, t2, pd alone."
    assert [line for line in lines if "alone" in line] == [
        f"quickstart.yaml: {text} Choose another recipe or data set."
    ]


def test_a_modality_that_is_not_preprocessed_names_the_key(workflow: Path) -> None:
    add_recipe(workflow, "pd-alone", ["pd"])
    change_study(workflow, {"recipes": {"ixi": "pd-alone"}})
    (line,) = errors_of({}, workflow)
    assert "recipe 'pd-alone' of data set 'ixi' needs pd, which is not preprocessed." in line
    assert line.endswith("config.yaml: datasets.ixi.preprocessing.")
    own = {"preprocessing": {"optional_modalities": ["pd"]}}
    read_plan({"datasets": {**PHANTOMS, "ixi": own}}, workflow)


def test_a_training_without_anybody_to_validate_on_is_an_error(workflow: Path) -> None:
    change_study(workflow, {"splits/ixi": {"unit": "share", "train": 0.8, "test": 0.2}})
    (line,) = errors_of({}, workflow)
    assert line.startswith(
        "quickstart.yaml: splits.ixi.validation: nobody has this role, and the training of "
    )
    assert line.endswith("needs somebody to validate on.")


def test_one_of_several_training_sets_may_give_all_validation_subjects(workflow: Path) -> None:
    both = {"datasets": ["ixi", "brats21"]}
    splits = {
        "splits/ixi": {"train": 4, "test": 2},
        "splits/brats21": {"train": 4, "validation": 2, "test": 2},
    }
    change_study(workflow, {**splits, "training_data": both})
    read_plan({}, workflow)
