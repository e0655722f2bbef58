"""What does not fit between a method, its model, the recipe and the machine is found before the first job."""

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


def with_volumes(settings: dict[str, Any], **noise: Any) -> dict[str, Any]:
    """The changes of a study that add a diffusion model of volumes and a method that uses it."""
    model = {"kind": "ddpm", "settings": {"dimension": 3, "noise": noise}}
    method = {"label": "V", "rule": "diffusion-reconstruction", "model": "deep", "settings": settings}
    return {"models/deep": model, "methods/deep": method}


def test_one_field_of_noise_for_many_slices_is_an_error_where_the_model_looks_at_volumes(
    workflow: Path,
) -> None:
    change_study(workflow, with_volumes({"reuse_noise": True}))
    (line,) = errors_of({}, workflow)
    assert line.startswith("quickstart.yaml: methods.deep.settings.reuse_noise = true: ")
    assert "model 'deep' has dimension: 3" in line


def test_simplex_noise_of_two_dimensions_is_an_error_in_a_model_of_volumes(workflow: Path) -> None:
    for noise in ({"kind": "simplex"}, {"kind": "coarse", "lattice_dims": 2}):
        change_study(workflow, with_volumes({}, **noise))
        read_plan({}, workflow)
    change_study(workflow, with_volumes({}, kind="simplex", lattice_dims=2))
    (line,) = errors_of({}, workflow)
    assert line.startswith("quickstart.yaml: models.deep.settings.noise.lattice_dims = 2: ")


BRIGHT = {"label": "Bright", "rule": "thresholding"}


@pytest.mark.parametrize(
    ("method", "scale"),
    [
        (BRIGHT, "quick"),  # the default is FLAIR
        (BRIGHT, "paper"),
        ({**BRIGHT, "settings": {"modality": "t2"}, "quick": {"modality": "flair"}}, "quick"),
    ],
)
def test_a_modality_that_the_recipe_does_not_have_is_an_error_wherever_it_comes_from(
    workflow: Path, method: dict[str, Any], scale: str
) -> None:
    change_study(workflow, {"methods/bright": {**BRIGHT, "settings": {"modality": "t2"}}})
    read_plan({"scale": scale}, workflow)
    change_study(workflow, {"methods/bright": method})
    (line,) = errors_of({"scale": scale}, workflow)
    assert line.startswith("quickstart.yaml: methods.bright.settings.modality = 'flair' ")


def test_the_modality_of_an_equalised_copy_is_that_of_the_recipes_step(workflow: Path) -> None:
    change_study(workflow, {"methods/bright": {**BRIGHT, "settings": {"equalised": "recipe"}}})
    lines = errors_of({}, workflow)  # this recipe keeps no copy
    assert not [line for line in lines if "modality" in line]


def test_a_variant_of_no_method_is_an_error(workflow: Path) -> None:
    content = {**BRIGHT, "settings": {"modality": "t2"}, "variant_of": "vea"}
    change_study(workflow, {"methods/bright": content})
    (line,) = errors_of({}, workflow)
    assert "yaml: methods.bright.variant_of = 'vea'" in line
    assert "Did you mean 'vae'?" in line


def test_a_method_is_no_variant_of_itself_not_even_by_way_of_another(workflow: Path) -> None:
    content = {**BRIGHT, "settings": {"modality": "t2"}}
    change_study(workflow, {"methods/bright": {**content, "variant_of": "vae"}})
    read_plan({}, workflow)
    change_study(workflow, {"methods/bright": {**content, "variant_of": "bright"}})
    (line,) = errors_of({}, workflow)
    assert line.startswith(
        "quickstart.yaml: methods.bright.variant_of = 'bright': a method is no variant of itself"
    )
    change_study(
        workflow,
        {
            "methods/bright": {**content, "variant_of": "dark"},
            "methods/dark": {**content, "variant_of": "bright"},
        },
    )
    assert len(errors_of({}, workflow)) == 2


def test_a_method_of_the_comparisons_cannot_show_the_maps_of_a_variant(workflow: Path) -> None:
    content = {**BRIGHT, "settings": {"modality": "t2"}}
    shown = {**content, "maps_of": "bright"}
    change_study(workflow, {"methods/bright": {**content, "variant_of": "vae"}, "methods/shown": shown})
    (line,) = errors_of({}, workflow)
    assert line == (
        "quickstart.yaml: methods.shown.maps_of = 'bright', a variant: write `variant_of: vae` here too."
    )
    change_study(workflow, {"methods/shown": {**shown, "variant_of": "vae"}})
    read_plan({}, workflow)


def test_errors_of_a_written_variant_are_not_those_of_a_sweep(workflow: Path) -> None:
    change_study(
        workflow,
        {
            "models/other": {"kind": "vae", "settings": {"beta": -1}},
            "methods/other": {"label": "O", "rule": "reconstruction", "model": "other", "variant_of": "vae"},
        },
    )
    (line,) = errors_of({}, workflow)
    assert line.startswith("quickstart.yaml: models.other.settings: beta = -1")


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
