"""What is wrong between the parts of a study: splits and their use, synthetic sets, tables and figures.

Every function gives a line per error, with the file and the key.
"""

from collections.abc import Iterable
from pathlib import Path

from brainuad.config_errors import unknown_name
from brainuad.methods.registry import models
from brainuad.plan import Plan
from brainuad.reporting.figure_settings import SeriesFigure
from brainuad.study import Study


def split_errors(study: Study, file: str) -> Iterable[str]:
    """Data sets that are trained with or tested on without anybody to do it with, and lists that are missing."""
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
        for listed, path in split.lists.items():
            files = {path.format(run=run) for run in range(study.runs.count)}
            for missing in sorted(found for found in files if not Path(found).is_file()):
                yield f"{file}: splits.{name}.lists.{listed} = {missing!r}: no such file."


def synthetic_errors(study: Study, file: str) -> Iterable[str]:
    """Synthetic test sets where only real data sets can stand: they have patients of role test alone."""
    places = {"training_data": study.training_data.datasets, "splits": study.splits}
    places["healthy_dataset"] = (study.healthy_dataset,) if study.healthy_dataset else ()
    places |= {f"synthetic.{name}.of": (planted.of,) for name, planted in study.synthetic.items()}
    for name, model in study.models.items():
        places[f"models.{name}.training_data"] = model.training_data.datasets if model.training_data else ()
    for key, names in places.items():
        for name in sorted(study.synthetic.keys() & set(names)):
            yield f"{file}: {key}: {name!r} is a synthetic test set; name a real data set."


def report_errors(plan: Plan, name: str, file: str) -> Iterable[str]:
    """Tables and figures that name something which the study does not have."""
    yield from _table_errors(plan, name, file)
    yield from _figure_errors(plan, name, file)


def _table_errors(plan: Plan, name: str, file: str) -> Iterable[str]:
    study = plan.studies[name]
    for key, table in study.tables.items():
        where = f"{file}: tables.{key}"
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
        trained = {entry.model for entry in getattr(figure, "models", ())}
        yield from _unknown(where, "model", trained, study.models)
        if figure.kind == "latent-map":
            yield from _without_latent(study, methods & study.methods.keys(), where)
        if study.recipe in plan.recipes:
            channels = {getattr(figure, "channel", "")} - {""}
            yield from _unknown(where, "channel", channels, plan.recipes[study.recipe].modalities)
        if (run := getattr(figure, "run", 0)) not in range(study.runs.count):
            yield f"{where}.run = {run}: the study has {study.runs.count} runs, counted from 0."


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
