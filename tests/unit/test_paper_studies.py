"""What the studies of the papers ask for, where the default of a method is another paper's."""

import math
from typing import Any

import pytest
import torch
import yaml

from brainuad.plan import Plan
from brainuad.plan_reader import read_plan
from brainuad.training.optimisers import rate_factor
from brainuad.training.settings import OptimiserSettings
from tests.unit.test_plan_reader import WORKFLOW


def plan_of(study: str, scale: str = "paper") -> Plan:
    config = yaml.safe_load((WORKFLOW.parent / "config.yaml").read_text())
    return read_plan({**config, "studies": [study], "scale": scale}, WORKFLOW)


def test_the_dae_of_frotscher_is_trained_for_19_epochs_whose_rate_hardly_falls() -> None:
    training = plan_of("frotscher2023").model_settings("frotscher2023", "dae")["training"]
    epoch = math.ceil(57_000 / training["batch_size"])
    assert training["iterations"] == 19 * epoch
    optimiser = torch.optim.Adam([torch.nn.Parameter(torch.zeros(1))], lr=1e-4)
    annealing = torch.optim.lr_scheduler.CosineAnnealingLR(optimiser, T_max=100)
    settings = OptimiserSettings.model_validate(training["optimiser"])
    for number in range(19):
        for step in (number * epoch, (number + 1) * epoch - 1):
            rate = settings.learning_rate * rate_factor(settings, step, training["iterations"])
            assert rate == pytest.approx(annealing.get_last_lr()[0])
        optimiser.step()
        annealing.step()
    assert rate == pytest.approx(0.92e-4, rel=5e-3)
    assert (training["gradient_clip"], training["keep"], optimiser.defaults["lr"]) == (None, "last", 1e-4)
    quick = plan_of("frotscher2023", "quick").model_settings("frotscher2023", "dae")["training"]
    assert (quick["iterations"], quick["validate_every"]) == (250, 50)
    assert quick["optimiser"]["schedule"] == "one-cycle"


def test_the_times_of_bercea_are_array_indices_and_take_one_step_more() -> None:
    study = "bercea2023-autoddpm"
    plan = plan_of(study)
    steps = {
        entry.label: plan.rule_settings(study, name)["t_test"]
        for name, entry in plan.studies[study].methods.items()
        if entry.rule == "diffusion-reconstruction"
    }
    gaussian = {f"AnoDDPM, t = {index}": index + 1 for index in (50, 100, 150, 200, 250, 300)}
    assert steps == {**gaussian, "AnoDDPM (simplex), t = 200": 201}


def differences(one: Any, other: Any, path: str = "") -> dict[str, tuple[Any, Any]]:
    """The settings in which two models differ, by their dotted names."""
    if not isinstance(one, dict):
        return {} if one == other else {path[1:]: (one, other)}
    return {k: v for key in one for k, v in differences(one[key], other[key], f"{path}.{key}").items()}


SIMPLEX = {"noise.kind": ("gaussian", "simplex")}
FINER = {"noise.frequency": (64, 32), "noise.octaves": (6, 5)}
RATE = "training.optimiser.learning_rate"
LINEAR = {"schedule.kind": ("cosine", "linear")}


@pytest.mark.parametrize(
    ("study", "base", "variant", "scale", "expected"),
    [
        ("behrendt2023", "pddpm-fixed-lp", "pddpm-fixed-lp-rate", "paper", {RATE: (1e-4, 1e-5)}),
        ("behrendt2023", "pddpm-fixed-lp", "pddpm-fixed-lp-rate", "quick", {RATE: (1e-3, 1e-4)}),
        ("behrendt2023", "pddpm-fixed-lp", "pddpm-fixed-lp-linear", "paper", LINEAR),
        ("behrendt2023", "pddpm-fixed-lp", "pddpm-fixed-lp-linear", "quick", LINEAR),
        ("bercea2023-autoddpm", "ddpm", "ddpm-simplex", "paper", SIMPLEX),
        ("bercea2023-autoddpm", "ddpm", "ddpm-simplex", "quick", {**SIMPLEX, **FINER}),
    ],
)
def test_a_model_of_a_sensitivity_table_differs_in_what_the_paper_says_otherwise(
    study: str, base: str, variant: str, scale: str, expected: dict[str, Any]
) -> None:
    plan = plan_of(study, scale)
    assert differences(plan.model_settings(study, base), plan.model_settings(study, variant)) == expected
    rows = [row.method for row in plan.studies[study].tables["sensitivity"].rows]
    shown = {plan.studies[study].methods[row].model: row for row in rows}
    assert {base, variant} <= shown.keys()
    assert plan.rule_settings(study, shown[base]) == plan.rule_settings(study, shown[variant])
    # The rows are in no comparison: the paper's own methods are tested among themselves.
    assert shown[variant] not in plan.compared_methods(study)


def test_every_method_trains_diffusion_models_as_the_papers_of_their_networks_do() -> None:
    plan = plan_of("every-method")
    papers = {"ddpm-unit": ("bercea2023-autoddpm", "ddpm"), "ddpm-pyramid": ("frotscher2023", "andi")}
    for key, (study, model) in papers.items():
        found = plan.model_settings("every-method", key)["training"]
        expected = plan_of(study).model_settings(study, model)["training"]
        assert differences(expected, found) == {}


@pytest.mark.parametrize("scale", ["quick", "paper"])
def test_published_numbers_of_kascenas_stand_beside_its_own_protocol(scale: str) -> None:
    own, other = plan_of("kascenas2023", scale), plan_of("supervised", scale)
    expected = own.evaluation_request("kascenas2023", "unet")["evaluation"]
    found = other.evaluation_request("supervised", "unet")["evaluation"]
    for key in ("postprocessing", "threshold_grid"):
        assert found[key] == expected[key]
    metrics = [
        [(column.metric, column.aggregate) for column in plan.studies[study].tables[table].columns]
        for plan, study, table in ((own, "kascenas2023", "table3"), (other, "supervised", "results"))
    ]
    assert metrics[0] == metrics[1]


@pytest.mark.parametrize("scale", ["quick", "paper"])
def test_kascenas_thresholds_the_flair_that_is_equalised_before_it_is_resized(scale: str) -> None:
    plan = plan_of("kascenas2023", scale)
    assert plan.rule_settings("kascenas2023", "thresholding")["equalised"] == "recipe"
    steps = [step.step for step in plan.recipes["kascenas2023-mri"].steps]
    assert steps.index("keep_equalised") < min(
        steps.index(step) for step in ("resample", "resize_in_plane") if step in steps
    )


@pytest.mark.parametrize(("scale", "copies"), [("paper", None), ("quick", 12)])
def test_spheres_are_planted_once_into_a_scan_as_in_the_paper_and_often_at_quick(
    scale: str, copies: int | None
) -> None:
    plan = plan_of("kascenas2023-ct", scale)
    assert plan.planting_request("kascenas2023-ct", "spheres")["synthetic"].get("copies") == copies
    assert plan.split_settings("kascenas2023-ct", 0).get("copies", {}).get("spheres") == copies
