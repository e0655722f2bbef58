"""Reads `config.yaml`, recipes and studies into a plan, and reports everything that is wrong at once."""

import logging
from collections.abc import Collection, Iterable, Mapping
from pathlib import Path
from typing import Any

from pydantic import TypeAdapter, ValidationError

from brainuad.config import Config
from brainuad.config_errors import ConfigError, explain, read_yaml, unknown_name
from brainuad.config_rest import rest_of
from brainuad.curation.plan import curation_errors
from brainuad.methods.registry import models, scoring_rules
from brainuad.optional_models import optional_errors, without_missing
from brainuad.plan import Plan
from brainuad.plan_checks import (
    anatomy_errors,
    dataset_errors,
    equalised_errors,
    report_errors,
    split_errors,
    synthetic_errors,
)
from brainuad.plan_dataset_checks import modality_errors, phantom_errors, unused_errors
from brainuad.plan_leaderboard import own_datasets, without_absent
from brainuad.plan_method_checks import batch_errors, method_errors
from brainuad.preprocessing.recipes import Recipe
from brainuad.settings import Name
from brainuad.study import MethodEntry, ModelEntry, Study, Sweep, at_scale, resolved
from brainuad.sweeps import expand_sweeps, made_by_sweeps, unknown_sweeps

log = logging.getLogger(__name__)

# The parts of a study that name things.
QUICK_PARTS = ("splits", "models", "methods", "sweeps", "tables", "figures")


def read_plan(config: Mapping[str, Any], folder: Path, where: str = "config.yaml") -> Plan:
    """The plan of a configuration; `ConfigError` lists everything that is wrong with it.

    `folder` holds `recipes.yaml` and `studies/`. Where a part cannot be read, the others are checked all the same.
    """
    errors: list[str] = []
    read = _validate(Config, config, where, errors)
    settings, wrong = rest_of(config) if read is None else (read, set[str]())
    recipes, unread = _read_recipes(folder / "recipes.yaml", settings.scale, errors)
    studies = _read_studies(settings, folder / "studies", where, errors)
    whole = {
        name: study
        for name, study in studies.items()
        if unread is not None and unread.isdisjoint({study.recipe, *study.recipes.values()})
    }
    plan, said = without_absent(Plan(settings, whole, recipes), where)
    errors += _inconsistencies(plan, where, wrong)
    if errors:
        raise ConfigError(errors)
    for line in said:
        log.warning("%s", line)
    return Plan(settings, {name: without_missing(study) for name, study in plan.studies.items()}, recipes)


def _validate(model: Any, content: Any, where: str, errors: list[str]) -> Any:
    try:
        return model.model_validate(content)
    except ValidationError as error:
        errors += explain(error, where, model)
        return None


def _read_yaml(path: Path, errors: list[str]) -> dict[str, Any] | None:
    """The mapping in a file; None, after a line in `errors`, where there is none."""
    try:
        content = read_yaml(path)
    except ConfigError as error:
        errors += error.lines
        return None
    if not isinstance(content, dict):
        errors.append(f"{path}: expected a mapping of keys to values.")
        return None
    return content


def _read_recipes(path: Path, scale: str, errors: list[str]) -> tuple[dict[str, Recipe], set[str] | None]:
    """The recipes, and the names of those that cannot be read; None where none can."""
    written = _read_yaml(path, errors)
    if written is None:
        return {}, None
    try:
        TypeAdapter(dict[Name, Any]).validate_python(written)
    except ValidationError as error:
        errors += explain(error, path.name, dict[Name, Any])
    recipes = {}
    for name, content in written.items():
        if not isinstance(content, dict):
            errors.append(f"{path.name}: {name}: expected modalities and steps.")
            continue
        chosen = _at_scale(content, scale, f"{path.name}: {name}", errors)
        recipe = _validate(Recipe, chosen, f"{path.name}: {name}", errors)
        if recipe is not None:
            recipes[name] = recipe
    return recipes, set(written) - recipes.keys()


def _read_studies(config: Config, folder: Path, where: str, errors: list[str]) -> dict[str, Study]:
    known = sorted(path.stem for path in folder.glob("*.yaml"))
    studies = {}
    for name in config.studies:
        if name not in known:
            errors.append(f"{where}: studies: {name!r} {unknown_name(name, known)}")
            continue
        path = folder / f"{name}.yaml"
        written = _read_yaml(path, errors)
        if written is None:
            continue
        errors += _unknown_under_quick(written, path.name)
        content = _at_scale(written, config.scale, path.name, errors)
        unknown = unknown_sweeps(content, path.name)
        errors += unknown
        content = expand_sweeps(content, config.scale)
        study = _validate(Study, content, path.name, errors)
        if study is not None and not unknown:
            studies[name] = study
    return studies


def _at_scale(content: dict[str, Any], scale: str, where: str, errors: list[str]) -> dict[str, Any]:
    if not isinstance(content.get("quick", {}), dict):
        errors.append(f"{where}: quick: expected a mapping of keys to values.")
        return {key: value for key, value in content.items() if key != "quick"}
    return at_scale(content, scale)


def _unknown_under_quick(written: dict[str, Any], file: str) -> Iterable[str]:
    """Takes entries out of `quick` that the study does not have, and names them: it changes entries and adds none."""
    quick = written.get("quick")
    for part in QUICK_PARTS:
        changed, known = (
            mapping.get(part) if isinstance(mapping, dict) else None for mapping in (quick, written)
        )
        if isinstance(changed, dict) and isinstance(known, dict):
            for name in sorted(changed.keys() - known.keys()):
                del changed[name]
                yield f"{file}: quick: {part}: {name!r} {unknown_name(name, known)}"


def _inconsistencies(plan: Plan, where: str, wrong: Collection[str]) -> Iterable[str]:
    """What is wrong between the parts: names that do not exist, settings that a method does not have.

    Of the data sets in `wrong` the errors are known already.
    """
    for name, study in plan.studies.items():
        file = f"{name}.yaml"
        yield from _recipe_errors(plan, study, file)
        yield from _unknown_datasets(plan, study, file, where)
        made = made_by_sweeps(study)
        for key, model in study.models.items():
            place = f"{file}: {'sweeps: ' if key in made else ''}models.{key}"
            yield from _entry_errors(model.kind, models(), model, place, plan)
        for key, method in study.methods.items():
            place = f"{file}: {'sweeps: ' if key in made else ''}methods.{key}"
            yield from _entry_errors(method.rule, scoring_rules(), method, place, plan)
            yield from _method_errors(study, key, method, file)
        yield from optional_errors(study, file)
        yield from _sweep_errors(study, file)
        yield from method_errors(plan, name, file)
        yield from batch_errors(plan, name, file, where)
        yield from split_errors(study, file)
        yield from modality_errors(plan, study, file, where)
        yield from synthetic_errors(plan, study, file)
        yield from equalised_errors(plan, name, file)
        yield from report_errors(plan, name, file)
    used = plan.used_datasets()
    for name in dict.fromkeys([*used, *plan.config.datasets]):
        if name in plan.known_datasets and not {name, plan.scans_of(name)} & {*wrong}:
            yield from (dataset_errors if name in used else unused_errors)(plan, name, where)
    yield from phantom_errors(plan, where)
    yield from anatomy_errors(plan, where)
    yield from curation_errors(plan, where)


def _recipe_errors(plan: Plan, study: Study, file: str) -> Iterable[str]:
    for key, name in {
        "recipe": study.recipe,
        **{f"recipes.{k}": v for k, v in study.recipes.items()},
    }.items():
        if name not in plan.recipes:
            yield f"{file}: {key} = {name!r} {unknown_name(name, plan.recipes)}"
        elif study.recipe in plan.recipes:
            wanted, found = plan.recipes[study.recipe].modalities, plan.recipes[name].modalities
            if len(wanted) != len(found):
                yield f"{file}: {key} = {name!r} has {len(found)} modalities where {study.recipe!r} has {len(wanted)}."
    for name in study.recipes:
        if name not in study.splits:
            yield f"{file}: recipes: data set {name!r} {unknown_name(name, study.splits)}"
    for name in filter(plan.recipes.__contains__, {study.recipe, *study.recipes.values()}):
        for reference in plan.histogram_references(name):
            if reference not in study.splits:
                hint = "whose intensities it matches, has no split in this study."
                yield f"{file}: recipe {name!r}: data set {reference!r}, {hint}"


def _unknown_datasets(plan: Plan, study: Study, file: str, where: str) -> Iterable[str]:
    named = {*study.splits, *study.leaderboard_datasets} | own_datasets(study)
    for name in study.synthetic:
        if name in plan.known_datasets:
            yield f"{file}: synthetic.{name}: a data set has this name already; choose another one."
    for name in sorted(named - study.synthetic.keys()):
        if name not in plan.known_datasets:
            hint = unknown_name(name, plan.known_datasets)
            yield f"{file}: data set {name!r} {hint} Add it to `datasets` in {where}."
        elif name not in study.splits:
            yield f"{file}: splits: data set {name!r} is used but has no split."


def _entry_errors(
    kind: str, known: Mapping[str, Any], entry: ModelEntry | MethodEntry, where: str, plan: Plan
) -> Iterable[str]:
    key = "kind" if isinstance(entry, ModelEntry) else "rule"
    if kind not in known:
        yield f"{where}.{key} = {kind!r} {unknown_name(kind, known)}"
        return
    settings_class = known[kind].settings_class
    found: dict[str, None] = {}
    for scale in (
        "paper",
        plan.config.scale,
    ):  # what is laid over the paper's settings would hide their errors
        try:
            resolved(settings_class, entry, known[kind].quick, scale)
        except ValidationError as error:
            found |= dict.fromkeys(explain(error, f"{where}.settings", settings_class))
    yield from found


def _method_errors(study: Study, key: str, method: MethodEntry, file: str) -> Iterable[str]:
    rule = scoring_rules().get(method.rule)
    where = f"{file}: methods.{key}"
    if method.maps_of is not None and method.maps_of not in study.methods:
        yield f"{where}.maps_of = {method.maps_of!r} {unknown_name(method.maps_of, study.methods)}"
    elif method.maps_of is not None and study.methods[method.maps_of].maps_of is not None:
        yield f"{where}.maps_of = {method.maps_of!r}, which has no maps of its own; name the method that makes them."
    scored = {*study.test_datasets, *study.synthetic, study.healthy_dataset}
    for name in set(method.datasets or ()) - scored:
        yield f"{where}.datasets: {name!r} {unknown_name(name, filter(None, scored))}"
    if rule is None:
        return
    if method.model is None:
        if rule.needs:
            names = ", ".join(sorted(study.models))
            yield f"{where}: rule {method.rule!r} needs a `model`; there are {names}."
        return
    if method.model not in study.models:
        yield f"{where}.model = {method.model!r} {unknown_name(method.model, study.models)}"
        return
    kind = study.models[method.model].kind
    if rule.needs and kind in models() and not hasattr(models()[kind], rule.needs):
        yield f"{where}: rule {method.rule!r} cannot use a model of kind {kind!r}."
    dimension = study.models[method.model].settings.get("dimension", 2)
    if rule.needs and dimension not in rule.dimensions:
        yield (
            f"{where}: rule {method.rule!r} takes models of dimension {' or '.join(map(str, rule.dimensions))}, "
            f"but model {method.model!r} has dimension: {dimension}."
        )


def _sweep_errors(study: Study, file: str) -> Iterable[str]:
    for name, sweep in study.sweeps.items():
        where = f"{file}: sweeps.{name}"
        method = study.methods.get(sweep.method)
        if method is None:
            yield f"{where}.method = {sweep.method!r} {unknown_name(sweep.method, study.methods)}"
        elif sweep.equal_to and sweep.equal_to.method not in study.methods:
            known = unknown_name(sweep.equal_to.method, study.methods)
            yield f"{where}.equal_to.method = {sweep.equal_to.method!r} {known}"
        elif sweep.equal_to and (fault := _unlike(sweep, study.methods[sweep.equal_to.method])):
            yield f"{where}.equal_to.method = {sweep.equal_to.method!r}: {fault}"
        elif sweep.vary.startswith("model.") and method.model is None:
            yield f"{where}.vary = {sweep.vary!r}: method {sweep.method!r} has no model."


def _unlike(sweep: Sweep, other: MethodEntry) -> str:
    """Why a method cannot stand for a value of a sweep: it is scored on other scans."""
    if other.role != sweep.role:
        return f"its role is {other.role!r}, that of the sweep {sweep.role!r}."
    lacking = sorted(set(sweep.datasets or ()) - set(other.datasets or sweep.datasets or ()))
    return f"it is not scored on {', '.join(lacking)}." if lacking else ""
