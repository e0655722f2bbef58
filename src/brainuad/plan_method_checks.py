"""What does not fit between a method's settings, those of its model, the recipe, and the machine.

Every function gives a line per error, with the file and the key.
"""

from collections.abc import Iterable
from typing import Any

from pydantic import ValidationError

from brainuad.config_errors import unknown_name
from brainuad.methods.registry import models, scoring_rules
from brainuad.plan import Plan
from brainuad.study import MethodEntry, Study
from brainuad.sweeps import made_by_sweeps

# The settings of scoring rules that are times of a diffusion model, and what is added to each for the last time that
# is needed of 1 ... T. AutoDDPM counts from 0; the last index of ANDi lies before `last_t`.
TIMES: dict[str, dict[str, int]] = {
    "andi": {"last_t": 0},
    "autoddpm": {"t_coarse": 1, "t_inpaint": 1},
    "diffusion-reconstruction": {"t_test": 0},
    "kl": {"last_t": 0},
    "kl-inpainting": {"last_t": 0, "t_inpaint": 0},
    "patched-one-shot": {"t_test": 0},
}


def method_errors(plan: Plan, name: str, file: str) -> Iterable[str]:
    """Scoring rules that ask for what their model or the recipe does not have, and models that cannot train."""
    study = plan.studies[name]
    made = made_by_sweeps(study)
    for key, method in study.methods.items():
        where = f"{file}: {'sweeps: ' if key in made else ''}methods.{key}"
        yield from _variant_errors(study, key, where)
        rule = {} if method.maps_of is not None else _settings(plan, name, method=key)
        yield from _modality_errors(plan, study, rule, where)
        if rule and method.model in study.models:
            model = _settings(plan, name, model=method.model)
            yield from _time_errors(method, rule, model, where)
            yield from _reuse_errors(method, rule, model, where)
    yield from _lattice_errors(plan, name, file)


def _variant_errors(study: Study, key: str, where: str) -> Iterable[str]:
    """Variants of nothing, and methods of the comparisons that show the maps of a variant, which is in none."""
    method = study.methods[key]
    base, seen = method.variant_of, {key}
    while base is not None:
        if base not in study.methods:
            yield f"{where}.variant_of = {base!r} {unknown_name(base, study.methods)}"
            return
        if base in seen:
            yield f"{where}.variant_of = {method.variant_of!r}: a method is no variant of itself. Name another one."
            return
        seen.add(base)
        base = study.methods[base].variant_of
    maps_of = study.methods.get(method.maps_of or "")
    compared = method.variant_of is None and method.role == "test"
    if compared and maps_of is not None and maps_of.variant_of is not None:
        yield f"{where}.maps_of = {method.maps_of!r}, a variant: write `variant_of: {maps_of.variant_of}` here too."


def _time_errors(
    method: MethodEntry, rule: dict[str, Any], model: dict[str, Any], where: str
) -> Iterable[str]:
    """Scoring rules that ask for a later time than their model was trained for."""
    steps = model.get("schedule", {}).get("steps")
    for setting, offset in TIMES.get(method.rule, {}).items() if steps else ():
        if rule[setting] + offset > steps:
            yield (
                f"{where}.settings.{setting} = {rule[setting]}: model {method.model!r} has {steps} times "
                f"(schedule.steps). Choose one of at most {steps - offset}."
            )


def _reuse_errors(
    method: MethodEntry, rule: dict[str, Any], model: dict[str, Any], where: str
) -> Iterable[str]:
    """Scoring rules that turn one field of noise for many slices, where the model looks at volumes."""
    if rule.get("reuse_noise") and model.get("dimension") == 3:
        yield (
            f"{where}.settings.reuse_noise = true: one field is turned for many slices, but model {method.model!r} has "
            "dimension: 3 and looks at whole volumes. Set it to false."
        )


def _lattice_errors(plan: Plan, name: str, file: str) -> Iterable[str]:
    """Models of volumes whose simplex noise has two dimensions."""
    for key in plan.trained_models(name):
        model = _settings(plan, name, model=key)
        noise = model.get("noise", {})
        if model.get("dimension") == 3 and (noise.get("kind"), noise.get("lattice_dims")) == ("simplex", 2):
            yield (
                f"{file}: models.{key}.settings.noise.lattice_dims = 2: that makes images only, and the model has "
                "dimension: 3. Set it to 3."
            )


def _modality_errors(plan: Plan, study: Study, rule: dict[str, Any], where: str) -> Iterable[str]:
    """Scoring rules that look at a modality which the recipe does not have; an equalised copy names its own."""
    recipe = plan.recipes.get(study.recipe)
    if recipe is None or "modality" not in rule or rule.get("equalised") == "recipe":
        return
    if (wanted := rule["modality"]) not in recipe.modalities:
        yield f"{where}.settings.modality = {wanted!r} {unknown_name(wanted, recipe.modalities)}"


def batch_errors(plan: Plan, name: str, file: str, where: str) -> Iterable[str]:
    """Models whose batches cannot be shared out over the GPUs of a training."""
    gpus = plan.config.gpus_per_training
    if plan.config.scale != "paper" or plan.config.device == "cpu":
        return  # one process trains
    for key in plan.trained_models(name):
        training = _settings(plan, name, model=key).get("training")
        if training and training["batch_size"] < gpus:
            yield (
                f"{where}: gpus_per_training = {gpus}: each GPU needs a sample, but model {key!r} of {file} has "
                f"batches of {training['batch_size']} (training.batch_size). Choose at most so many."
            )


def _settings(plan: Plan, study: str, *, method: str = "", model: str = "") -> dict[str, Any]:
    """All settings of a method's rule or of a model; none where they are wrong, which is said elsewhere."""
    content = plan.studies[study]
    try:
        if method:
            known = content.methods[method].rule in scoring_rules()
            return plan.rule_settings(study, method) if known else {}
        return plan.model_settings(study, model) if content.models[model].kind in models() else {}
    except ValidationError:
        return {}
