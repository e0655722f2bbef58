"""Names of studies and recipes become folders, so that a shell must be able to read them."""

import shutil
from pathlib import Path

from brainuad.config_errors import NAME_RULE
from tests.unit.configurations import WORKFLOW, errors_of


def test_a_study_and_a_recipe_whose_names_are_no_names_are_shown_with_all_errors(tmp_path: Path) -> None:
    shutil.copytree(WORKFLOW, tmp_path / "workflow")
    workflow = tmp_path / "workflow"
    shutil.copy(workflow / "studies/quickstart.yaml", workflow / "studies/my study.yaml")
    recipes = workflow / "recipes.yaml"
    recipes.write_text(recipes.read_text() + "\nmy recipe: {modalities: [t2], steps: []}\n")
    assert errors_of({"studies": ["my study"], "skul_strip": "deepbet"}, workflow)[:3] == [
        f"config.yaml: studies.0: 'my study' is no name: {NAME_RULE}.",
        *errors_of({"skul_strip": "deepbet"}),
        f"recipes.yaml: my recipe: 'my recipe' is no name: {NAME_RULE}.",
    ]
