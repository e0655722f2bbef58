"""What is wrong with data sets, and between the parts of a study: splits, synthetic sets, tables and figures.

Every function gives a line per error, with the file and the key.
"""

from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

from pydantic import ValidationError

from brainuad.config_errors import explain, unknown_name
from brainuad.datasets.registry import BUILT_IN
from brainuad.errors import InputError
from brainuad.methods.registry import models
from brainuad.phantom.layout import find_layout
from brainuad.plan import Plan
from brainuad.plan_dataset_checks import layout_error, path_error
from brainuad.plan_score_checks import score_errors
from brainuad.preprocessing.recipes import Recipe
from brainuad.preprocessing.settings import PreprocessingSettings
from brainuad.reporting.figure_settings import SeriesFigure
from brainuad.reporting.settings import FlowTableSettings
from brainuad.study import MethodEntry, Study


def dataset_errors(plan: Plan, name: str, where: str) -> Iterable[str]:
    """A data set whose folder, subjects, spreadsheet or preprocessing are wrong."""
    scans = plan.scans_of(name)
    if scans not in plan.config.datasets:
        yield f"{where}: datasets.{name}: it takes the scans of {scans!r}. Add datasets.{scans}."
        return
    location, own = plan.location(name), plan.config.datasets.get(name)
    if scans != name and own is not None and (own.path or own.format):
        hint = "give path and format there, and only `preprocessing` here."
        yield f"{where}: datasets.{name}: it takes the scans of {scans!r}; {hint}"
    if line := layout_error(plan, name, where) or path_error(plan, scans, where):
        yield line
        return
    try:
        plan.preprocessing(name)
        if location.is_phantom and scans not in plan.config.phantom.subjects:
            yield f"{where}: phantom.subjects.{scans}: how many subjects to simulate is not given."
        elif location.path is not None and not location.path.is_dir():
            yield f"{where}: datasets.{name} = {str(location.path)!r}: no such folder."
        elif not plan.subjects(name):
            yield f"{where}: datasets.{name}: no subject in {plan.root(name)}. Expected {plan.dataset(name).layout}."
        else:
            plan.source(name)  # opens the spreadsheet beside the scans
    except ValidationError as error:
        yield from explain(error, f"{where}: datasets.{name}.preprocessing", PreprocessingSettings)
    except InputError as error:
        yield f"{where}: datasets.{name}: {error}"
    except OSError as error:
        yield f"{where}: datasets.{name}: {error.filename!r} cannot be read ({error.strerror})."


def anatomy_errors(plan: Plan, where: str) -> Iterable[str]:
    """An anatomy of the phantom that is neither the atlas nor a folder of label maps."""
    anatomy = plan.config.phantom.settings.anatomy
    if anatomy != "sri24" and not any(Path(anatomy).glob("*_dseg.nii.gz")):
        hint = "no label map *_dseg.nii.gz there. Give 'sri24' or a folder that holds some."
        yield f"{where}: phantom.settings.anatomy = {anatomy!r}: {hint}"


def split_errors(study: Study, file: str) -> Iterable[str]:
    """Data sets that are trained with or tested on without anybody to do it with, and lists that are missing."""
    yield from _validation_errors(study, file)
    trained = {*study.training_data.datasets}
    for model in study.models.values():
        trained |= set(model.training_data.datasets) if model.training_data else set()
    tested = {*study.test_datasets, *(planted.of for planted in study.synthetic.values())}
    if all(method.role == "validation" for method in study.methods.values()):
        tested = set()
    for role, names in (("train", trained), ("test", tested)):
        for name in sorted(names & study.splits.keys()):
            if role not in study.splits[name].roles:
                use = "train with" if role == "train" else "test on"
                yield f"{file}: splits.{name}.{role}: nobody has this role, and there is nothing to {use}."
    for name, split in study.splits.items():
        for listed in split.lists:
            files = {path for run in range(study.runs.count) for path in split.list_files(listed, run)}
            for missing in sorted(str(path) for path in files if not path.is_file()):
                yield f"{file}: splits.{name}.lists.{listed} = {missing!r}: no such file."


def _validation_errors(study: Study, file: str) -> Iterable[str]:
    """Trainings without anybody to validate on: one data set of several may give all of them."""
    used = {method.model for method in study.methods.values()}
    trained: dict[tuple[str, ...], list[str]] = {}
    for name, model in study.models.items():
        if name in used:
            trained.setdefault((model.training_data or study.training_data).datasets, []).append(name)
    for datasets, names in trained.items():
        splits = [study.splits[dataset] for dataset in datasets if dataset in study.splits]
        if len(splits) == len(datasets) and not any("validation" in split.roles for split in splits):
            keys = " and ".join(f"splits.{dataset}.validation" for dataset in datasets)
            need = f"and the training of {', '.join(names)} needs somebody to validate on."
            yield f"{file}: {keys}: nobody has this role, {need}"


def synthetic_errors(plan: Plan, study: Study, file: str) -> Iterable[str]:
    """Synthetic test sets where only real data sets can stand, and those of data sets without a healthy test subject.

    A synthetic test set has patients of role test alone.
    """
    places = {"training_data": study.training_data.datasets, "splits": study.splits}
    places["healthy_dataset"] = (study.healthy_dataset,) if study.healthy_dataset else ()
    places |= {f"synthetic.{name}.of": (planted.of,) for name, planted in study.synthetic.items()}
    for name, model in study.models.items():
        places[f"models.{name}.training_data"] = model.training_data.datasets if model.training_data else ()
    for key, names in places.items():
        for name in sorted(study.synthetic.keys() & set(names)):
            yield f"{file}: {key}: {name!r} is a synthetic test set; name a real data set."
    for name, planted in study.synthetic.items():
        if reason := _nobody_to_plant_into(plan, study, planted.of):
            yield (
                f"{file}: synthetic.{name}.of = {planted.of!r}: {reason}, and anomalies are planted into healthy test "
                "subjects only."
            )


def _nobody_to_plant_into(plan: Plan, study: Study, dataset: str) -> str:
    """Why a data set has no healthy test subject, with what to do; empty where it may have some."""
    split = study.splits.get(dataset)
    if split is None or dataset not in plan.known_datasets:
        return ""  # said elsewhere
    if "test" in split.roles and split.patients and not split.lists and not split.test:
        return f"splits.{dataset}.test gives no healthy subject this role (patients have counts of their own)"
    return "all of its subjects are patients; name another data set" if _only_patients(plan, dataset) else ""


def _only_patients(plan: Plan, dataset: str) -> bool:
    """Whether it is known before any scan is read that nobody in a data set is healthy."""
    try:
        if plan.is_phantom(dataset):
            return find_layout(plan.scans_of(dataset)).lesions != "none"
        return all(row.group == "patient" for row in plan.dataset(dataset).rows(plan.root(dataset)))
    except (InputError, OSError, KeyError):
        return False  # a data set that cannot be read, or is not in the configuration, is said elsewhere


def equalised_errors(plan: Plan, name: str, file: str) -> Iterable[str]:
    """Methods that score the equalised copy of a recipe, on arrays without one or with another one."""
    study = plan.studies[name]
    for key, method in study.methods.items():
        given = _given(method, plan.config.scale)
        if given.get("equalised") != "recipe":
            continue
        for dataset in dict.fromkeys([*plan.method_datasets(name, key), *study.leaderboard_datasets]):
            recipe = plan.recipes.get(study.recipe_of(dataset))
            if dataset in study.synthetic or (recipe is not None and not recipe.equalised):
                where = (
                    "synthetic test sets"
                    if dataset in study.synthetic
                    else f"recipe {study.recipe_of(dataset)!r}"
                )
                yield (
                    f"{file}: methods.{key}.settings.equalised = 'recipe': {where} of data set {dataset!r} keep no "
                    "equalised copy; add a step keep_equalised to the recipe, or set `equalised: packed`."
                )
            elif recipe is not None and (unlike := _equalised_otherwise(given, recipe)):
                yield (
                    f"{file}: methods.{key}.settings.equalised = 'recipe': the copy that recipe "
                    f"{study.recipe_of(dataset)!r} of data set {dataset!r} keeps has {unlike}; change the method or "
                    "the recipe's step keep_equalised."
                )


def _given(method: MethodEntry, scale: str) -> dict[str, Any]:
    """What a study says of a method's settings at a scale, without defaults."""
    return {**method.settings, **(method.quick if scale == "quick" else {})}


def _equalised_otherwise(given: Mapping[str, Any], recipe: Recipe) -> str:
    """What a study says of the equalised copy that is not so in the recipe; empty where all is alike."""
    (step,) = (step for step in recipe.steps if step.step == "keep_equalised")
    keys = [
        key
        for key in ("modality", "region", "bins")
        if given.get(key, getattr(step, key)) != getattr(step, key)
    ]
    return ", ".join(f"{key} {getattr(step, key)!r} and not {given[key]!r}" for key in keys)


def report_errors(plan: Plan, name: str, file: str) -> Iterable[str]:
    """Tables and figures that name something which the study does not have."""
    parts = (_table_errors, _figure_errors, score_errors)
    yield from dict.fromkeys(line for part in parts for line in part(plan, name, file))


def _table_errors(plan: Plan, name: str, file: str) -> Iterable[str]:
    study = plan.studies[name]
    for key, table in study.tables.items():
        where = f"{file}: tables.{key}"
        if isinstance(table, FlowTableSettings):
            yield from _unknown(where, "data set", {table.dataset}, [*BUILT_IN, *plan.known_datasets])
            continue
        for row in table.rows:
            cells = [] if row.unavailable else [c.method for c in table.columns if not c.unavailable]
            names = {cell.replace("{method}", row.method) for cell in cells}
            yield from _unknown(where, "method", names, study.methods)
        datasets = {column.dataset for column in table.columns if not column.unavailable}
        yield from _unknown(where, "data set", datasets, plan.scored_datasets(name))


def _figure_errors(plan: Plan, name: str, file: str) -> Iterable[str]:
    study = plan.studies[name]
    for key, figure in study.figures.items():
        where = f"{file}: figures.{key}"
        methods = {entry.method for entry in getattr(figure, "methods", ())}
        datasets = {getattr(figure, "dataset", ""), *getattr(figure, "datasets", ())}
        if isinstance(figure, SeriesFigure):
            methods |= {method for series in figure.series for method in series.methods if method}
            datasets |= {series.dataset for series in figure.series}
        yield from _unknown(where, "method", methods, study.methods)
        known = study.synthetic if figure.kind == "anomaly-examples" else plan.scored_datasets(name)
        yield from _unknown(where, "data set", datasets - {""}, known)
        if shown := not isinstance(figure, SeriesFigure) and datasets & set(known):
            yield from _not_scored(plan, name, where, (methods & study.methods.keys(), shown))
        trained = {entry.model for entry in getattr(figure, "models", ())}
        yield from _unknown(where, "model", trained, study.models)
        if figure.kind == "latent-map":
            yield from _without_latent(study, methods & study.methods.keys(), where)
        if study.recipe in plan.recipes:
            channels = {getattr(figure, "channel", "")} - {""}
            yield from _unknown(where, "channel", channels, plan.recipes[study.recipe].modalities)
        if (run := getattr(figure, "run", 0)) not in range(study.runs.count):
            yield f"{where}.run = {run}: the study has {study.runs.count} runs, counted from 0."


def _not_scored(plan: Plan, name: str, where: str, shown: tuple[set[str], set[str]]) -> Iterable[str]:
    """A line for each of the methods that has results on none of the data sets."""
    methods, datasets = shown
    for method in sorted(methods):
        if datasets.isdisjoint(scored := plan.method_datasets(name, method)):
            yield f"{where}: method {method!r} is not scored there, only on {', '.join(scored)}."


def _without_latent(study: Study, methods: Iterable[str], where: str) -> Iterable[str]:
    able = {kind for kind, found in models().items() if hasattr(found, "latent")}
    for name in sorted(methods):
        model = study.models.get(study.methods[name].model or "")
        if model is None or model.kind not in able:
            hint = f"those of kind {', '.join(sorted(able))} do."
            yield f"{where}: the model of method {name!r} has no latent vectors to show; {hint}"


def _unknown(where: str, what: str, names: Iterable[str], known: Iterable[str]) -> Iterable[str]:
    """A line for each name that is not known."""
    for name in sorted(set(names) - set(known)):
        yield f"{where}: {what} {name!r} {unknown_name(name, known)}"
