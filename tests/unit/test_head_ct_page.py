"""The page about head CT: its studies of CQ500, in place of a hospital's scans, are valid."""

import re
from pathlib import Path
from typing import Any

import pytest
import yaml

from brainuad.plan import Plan
from brainuad.plan_reader import read_plan

REPOSITORY = Path(__file__).parents[2]
STUDIES = REPOSITORY / "workflow/studies"


def section() -> str:
    page = (REPOSITORY / "docs/head-ct.md").read_text()
    return page.split("## Without scans of your own")[1].split("\n## ")[0]


def plan_of(folder: Path, study: dict[str, Any], scale: str) -> Plan:
    (folder / "studies").mkdir()
    (folder / "recipes.yaml").write_text((REPOSITORY / "workflow/recipes.yaml").read_text())
    (folder / "studies/cq500-only.yaml").write_text(yaml.safe_dump(study))
    return read_plan({"studies": ["cq500-only"], "scale": scale}, folder)


@pytest.mark.parametrize("scale", ["quick", "paper"])
def test_the_study_of_cq500_alone_is_valid_and_uses_nothing_else(tmp_path: Path, scale: str) -> None:
    config, study = (
        yaml.safe_load(block) for block in re.findall(r"```yaml\n(.*?)```", section(), re.DOTALL)
    )
    assert config["studies"] == ["cq500-only"]
    plan = plan_of(tmp_path, study, scale)
    assert plan.used_datasets() == ["cq500"]
    assert plan.scored_datasets("cq500-only") == ["cq500", "spheres"]


@pytest.mark.parametrize("scale", ["quick", "paper"])
def test_the_study_of_head_ct_can_train_on_cq500_with_the_three_keys_of_the_page(
    tmp_path: Path, scale: str
) -> None:
    study = yaml.safe_load((STUDIES / "kascenas2023-ct.yaml").read_text())
    share = {"train": 0.7, "validation": 0.1, "test": 0.2, "unit": "share"}
    study["splits"]["cq500"] = {**share, "patients": {"test": 50}}
    del study["quick"]["splits"]["cq500"]
    study["training_data"] = {"datasets": ["cq500"], "slices": "tumour-free"}
    study["synthetic"]["spheres"]["of"] = "cq500"
    plan = plan_of(tmp_path, study, scale)
    trained = {plan.training_data("cq500-only", name)[0] for name in plan.studies["cq500-only"].models}
    assert ("cq500",) in trained
