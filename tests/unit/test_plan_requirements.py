"""Weights and programs are asked for when a run starts, not in a dry run."""

from pathlib import Path
from typing import Any

import pytest
import yaml

from brainuad.config_errors import ConfigError
from brainuad.doctor import examine
from brainuad.plan import Plan
from brainuad.plan_reader import read_plan
from brainuad.plan_requirements import require_all, requirements

WORKFLOW = Path(__file__).parents[2] / "workflow"
STUDY: dict[str, Any] = {
    "title": "Perceptual",
    "recipe": "quickstart-t2",
    "splits": {"ixi": {"unit": "share", "train": 0.5, "validation": 0.3, "test": 0.2}},
    "training_data": {"datasets": ["ixi"]},
    "test_datasets": ["ixi"],
    "models": {"vae": {"kind": "vae"}},
    "methods": {"weighted": {"label": "Weighted", "rule": "ra", "model": "vae"}},
}


def plan_with(folder: Path, **config: Any) -> Plan:
    (folder / "studies").mkdir(parents=True)
    (folder / "recipes.yaml").write_text((WORKFLOW / "recipes.yaml").read_text())
    (folder / "studies" / "perceptual.yaml").write_text(yaml.safe_dump(STUDY))
    weights = str(folder / "weights")
    return read_plan({"studies": ["perceptual"], "perceptual_weights": weights, **config}, folder)


def test_missing_weights_name_network_and_method_and_stop_a_run(tmp_path: Path) -> None:
    plan = plan_with(tmp_path, scale="paper")
    (needed,) = requirements(plan)
    assert (needed.text, needed.users) == ("weights of squeeze", ("perceptual: weighted",))
    with pytest.raises(ConfigError) as caught:
        require_all(plan)
    assert "perceptual: weighted" in caught.value.lines[0]
    assert "squeezenet1_1" in caught.value.lines[0]


def test_the_quick_scale_needs_no_weights_and_says_so_in_its_results(tmp_path: Path) -> None:
    plan = plan_with(tmp_path, scale="quick")
    assert requirements(plan) == []
    assert "random" in plan.remark("perceptual", "weighted")


def test_a_missing_program_names_the_model_and_how_to_install_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    monkeypatch.chdir(tmp_path)
    plan = read_plan({"studies": ["supervised"]}, WORKFLOW)
    (needed,) = [found for found in requirements(plan) if found.error]
    assert needed.users == ("supervised: nnunet",)
    assert "make nnunet" in needed.error


def test_the_doctor_says_how_long_a_program_of_its_own_trains() -> None:
    plan = read_plan({"studies": ["supervised"]}, WORKFLOW)
    texts = [finding.text for finding in examine(plan)]
    assert "supervised, nnunet: 2 epochs of 60 iterations" in texts
    assert "supervised, unet: 250 iterations of batch 8" in texts
