"""The benchmarks measure what they say, on inputs and with weights that every method of a study can take."""

import sys
from importlib.util import module_from_spec, spec_from_file_location
from pathlib import Path
from types import ModuleType

import numpy as np
import pytest
import torch
import yaml

from brainuad.plan_reader import read_plan

REPOSITORY = Path(__file__).parents[2]


def benchmark(name: str) -> ModuleType:
    """One file of benchmarks/ as a module."""
    spec = spec_from_file_location(name, REPOSITORY / f"benchmarks/{name}.py")
    assert spec is not None
    assert spec.loader is not None
    module = module_from_spec(spec)
    sys.modules[spec.name] = module
    spec.loader.exec_module(module)
    return module


@pytest.fixture(scope="module")
def speed() -> ModuleType:
    """benchmarks/inference_speed.py as a module."""
    return benchmark("inference_speed")


def test_the_contrast_of_a_lesion_is_its_mean_over_that_of_the_brain_around_it() -> None:
    contrast = benchmark("lesion_contrast").contrast
    brain, lesion = np.zeros((2, 3, 32, 32), dtype=bool)
    brain[:, 2:30, 2:30] = True
    lesion[1, 10:16, 10:16] = True
    anomaly_map = np.where(lesion, 3.0, 1.5)
    anomaly_map[:, 25:] = 100  # far away
    anomaly_map[~brain] = 100
    assert contrast(anomaly_map, lesion, brain, 5) == pytest.approx(2)
    assert np.isnan(contrast(anomaly_map, np.zeros_like(lesion), brain, 5))


def work(speed: ModuleType, study: str, method: str):
    """One method of a study at paper scale, on one slice."""
    config = yaml.safe_load((REPOSITORY / "config.yaml").read_text())
    plan = read_plan({**config, "studies": [study], "scale": "paper"}, REPOSITORY / "workflow")
    return next(work for work in speed.works(plan, study, "cpu", 1) if work.method == method)


def test_a_rule_that_takes_the_equalised_copy_of_a_recipe_is_timed(speed: ModuleType) -> None:
    thresholding = work(speed, "frotscher2023", "thresholding")
    assert thresholding.rule_settings(None)["equalised"] == "recipe"
    assert thresholding.seconds(None) > 0


def test_a_teacher_that_would_be_loaded_has_numbers(speed: ModuleType) -> None:
    model = work(speed, "every-method", "mkd").model("paper")
    assert model.settings.networks.teacher_width == 64
    assert all(torch.isfinite(value).all() for value in model.state_dict().values())
