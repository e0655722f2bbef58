"""What does not fit between a method's settings, those of its model, and the machine.

Every function gives a line per error, with the file and the key.
"""

from collections.abc import Iterable
from typing import Any

from pydantic import ValidationError

from brainuad.methods.registry import models, scoring_rules
from brainuad.plan import Plan

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


def time_errors(plan: Plan, name: str, file: str) -> Iterable[str]:
    """Scoring rules that ask for a later time than their model was trained for."""
    study = plan.studies[name]
    for key, method in study.methods.items():
        if method.rule not in TIMES or method.model not in study.models or method.maps_of is not None:
            continue
        rule, model = _settings(plan, name, method=key), _settings(plan, name, model=method.model)
        steps = model.get("schedule", {}).get("steps")
        for setting, offset in TIMES[method.rule].items() if rule and steps else ():
            if rule[setting] + offset > steps:
                place = f"{file}: {'sweeps: ' if method.variant_of else ''}methods.{key}"
                yield (
                    f"{place}.settings.{setting} = {rule[setting]}: model {method.model!r} has {steps} times "
                    f"(schedule.steps). Choose one of at most {steps - offset}."
                )


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
