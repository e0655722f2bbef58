"""The benchmarks measure what they say, on inputs and with weights that every method of a study can take."""

import os
import sys
from importlib.util import module_from_spec, spec_from_file_location
from pathlib import Path
from types import ModuleType

import numpy as np
import pandas as pd
import pytest
import torch
import yaml

from brainuad.plan_reader import read_plan
from tests.unit.external.fake_nnunet import install

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


FILES = sorted(path.stem for path in (REPOSITORY / "benchmarks").glob("*.py"))
# What makes a benchmark small: its arguments, and constants in place of its own.
SMALL: dict[str, tuple[list[str], dict[str, int]]] = {
    "evaluation": (["--shape", "16", "18", "14"], {}),
    "evaluation_speed": (["--volumes", "2", "--sklearn-volumes", "1"], {"PIXELS": 24, "SLICES": 20}),
    "permutation_test": ([], {"SUBJECTS": 12, "ROUNDS": 50, "REPEATS": 1}),
    "report_labels": ([str(REPOSITORY / "tests/data/report_sentences.tsv")], {}),
    "simplex_noise": ([], {"SIZE": 8, "REPEATS": 1}),
    "streaming_auprc": (["--scores", "2000"], {"VOLUME": 1000}),
}


def test_every_benchmark_is_on_the_page() -> None:
    page = (REPOSITORY / "benchmarks/README.md").read_text()
    assert [name for name in FILES if f"({name}.py)" not in page] == []


@pytest.mark.parametrize("name", FILES)
def test_every_benchmark_can_be_loaded(name: str) -> None:
    module = benchmark(name)
    assert module.__doc__
    assert callable(module.main)


@pytest.mark.parametrize("name", SMALL)
def test_a_small_benchmark_runs(
    name: str, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    arguments, constants = SMALL[name]
    module = benchmark(name)
    for constant, value in constants.items():
        assert hasattr(module, constant)
        monkeypatch.setattr(module, constant, value)
    monkeypatch.setattr(sys, "argv", [name, *arguments])
    module.main()
    assert any(character.isdigit() for character in capsys.readouterr().out)


def test_the_building_of_a_report_makes_all_of_its_parts(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    building = benchmark("report_building")
    monkeypatch.chdir(tmp_path)
    work = building.Work(building.read_studies(["bercea2023-ra"], 1), 3)
    found = building.measure(work)
    assert {name: count for name, (count, _) in found.items() if not count} == {}
    study = work.plan.studies["bercea2023-ra"]
    cells = pd.concat(map(pd.read_csv, sorted((tmp_path / "results").glob("*/tables/*.csv"))))
    assert len(cells) > 0
    assert (cells["n_runs"] == 1).mean() > 0.5
    ranking = pd.read_csv(tmp_path / "results/leaderboard/ranking.tsv", sep="\t")
    assert set(ranking["contest"]) >= {*study.test_datasets, *study.leaderboard_datasets}
    assert ranking["rank"].notna().any()
    assert (tmp_path / "results/report/ranking.html").is_file()


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


def test_nnunet_is_timed_on_a_whole_volume_where_it_is_installed(
    speed: ModuleType, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    environment = install(tmp_path / "environment")
    monkeypatch.setenv("PATH", str(environment.folder / "bin"), prepend=os.pathsep)
    monkeypatch.setitem(speed.SIZES, "supervised", ((16, 16), 4))
    nnunet = work(speed, "supervised", "nnunet")
    assert len(nnunet.scan.images) == 4
    assert nnunet.missing() == ""
    assert nnunet.external_seconds() > 0
    assert len(environment.calls("train")) == 5
    (call,) = environment.calls("predict")
    assert "-f 0 1 2 3 4 -device cpu" in " ".join(call)


def test_nnunet_that_is_missing_is_named_and_the_other_methods_are_timed(
    speed: ModuleType, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("PATH", "/nowhere")
    monkeypatch.setattr(sys, "prefix", "/nowhere/.venv")
    monkeypatch.setattr(sys, "argv", ["inference_speed.py", "--study", "supervised", "--slices", "1"])
    monkeypatch.setitem(speed.SIZES, "supervised", ((16, 16), 4))
    speed.main()
    _, unet, nnunet = capsys.readouterr().out.splitlines()
    assert "1.00 x unet" in unet
    assert "nnunet" in nnunet
    assert "not timed: InputError: no program 'nnUNetv2_plan_and_preprocess'" in nnunet


def test_the_cost_of_a_step_at_the_batch_of_the_paper_follows_from_two_small_ones(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    cost = benchmark("training_cost")

    def linear(_: object, batch: int, steps: int) -> dict[str, float]:
        seconds = steps * (1 + 2 * batch)
        return {"parameters": 7, "training_hours": seconds / 3600, "peak_memory_mb": 1024 * (3 + batch)}

    monkeypatch.setattr(cost, "in_own_process", linear)
    settings = {"training": {"batch_size": 16, "iterations": 10}}
    found = cost.measure(cost.Work("dae", "dae", settings, Path()), (2, 4), 5)
    assert found == pytest.approx({"parameters": 7, "seconds": 33, "gigabytes": 19, "whole": 330})


def test_a_step_is_trained_to_measure_its_cost(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    cost = benchmark("training_cost")
    monkeypatch.setattr(cost, "SIZE", (32, 32))
    config = yaml.safe_load((REPOSITORY / "config.yaml").read_text())
    plan = read_plan({**config, "studies": ["every-method"], "scale": "quick"}, REPOSITORY / "workflow")
    cost.write_random_arrays(tmp_path, plan.recipes[plan.studies["every-method"].recipe].modalities)
    works = {work.name: work for work in cost.works(plan, "every-method", tmp_path)}
    assert {"dae-coarse", "unet", "f-anogan", "pddpm"} <= works.keys()
    found = cost.cost(works["unet"], 2, 1)
    assert found["training_hours"] > 0
    assert found["peak_memory_mb"] > 0
    assert found["parameters"] > 1000
