"""What tables and figures ask for and no evaluation gives: metrics, protocols, strata, and groups of subjects.

Every function gives a line per error, with the file and the key.
"""

from collections.abc import Collection, Iterable, Iterator, Sequence
from dataclasses import dataclass
from difflib import get_close_matches
from functools import cached_property
from typing import Any

from brainuad.config_errors import unknown_name
from brainuad.errors import InputError
from brainuad.evaluation.catalogue import Entry, Quantity, Scored, catalogue
from brainuad.evaluation.settings import EvaluationSettings
from brainuad.plan import Plan
from brainuad.reporting.figure_settings import (
    BarsFigure,
    BoxExampleFigure,
    ClassBarsFigure,
    LesionSizeFigure,
    MapsFigure,
    SeriesFigure,
)
from brainuad.reporting.settings import TableSettings


@dataclass(frozen=True)
class _Asked:
    """One quantity that several methods are asked for, and the key that asks."""

    where: str
    methods: tuple[str, ...]
    quantity: Quantity


@dataclass(frozen=True)
class _Evaluations:
    """What the methods of a study are evaluated for."""

    plan: Plan
    study: str

    @cached_property
    def _found(self) -> dict[tuple[str, str], list[Entry]]:
        return {}

    def catalogue(self, method: str, dataset: str) -> list[Entry]:
        """All that the scores of a method on a data set can hold."""
        if (method, dataset) not in self._found:
            self._found[method, dataset] = catalogue(self._scored(method, dataset))
        return self._found[method, dataset]

    def settings(self, method: str) -> EvaluationSettings:
        """How a method is evaluated."""
        request = self.plan.evaluation_request(self.study, method)
        return EvaluationSettings.model_validate(request["evaluation"])

    def _scored(self, method: str, dataset: str) -> Scored:
        study, settings = self.plan.studies[self.study], self.settings(method)
        healthy = study.healthy_dataset or ""
        return Scored(
            settings=settings,
            protocols=tuple(name for name in settings.protocols if name not in settings.leaking_protocols),
            healthy="" if healthy == dataset else healthy,
            planted=study.synthetic[dataset].kind if dataset in study.synthetic else "",
            lpips=study.similarity.lpips != "none",
        )


def score_errors(plan: Plan, name: str, file: str) -> Iterable[str]:
    """A line for each number that a table or figure of a study asks for and no evaluation gives."""
    study, evaluations = plan.studies[name], _Evaluations(plan, name)
    tables = {key: table for key, table in study.tables.items() if isinstance(table, TableSettings)}
    asked = [wish for key, table in tables.items() for wish in _of_table(table, f"tables.{key}")]
    asked += [wish for key, figure in study.figures.items() for wish in _of_figure(figure, f"figures.{key}")]
    asked += _of_significance(plan, name)
    for wish in asked:
        known = [m for m in dict.fromkeys(wish.methods) if m in study.methods]
        if wish.quantity.dataset not in plan.scored_datasets(name):
            continue  # said elsewhere
        faults = {method: _fault(evaluations, method, wish.quantity) for method in known}
        for fault in dict.fromkeys(filter(None, faults.values())):
            having = [method for method in known if faults[method] == fault]
            of = "" if len(having) == len(known) else f" of {', '.join(map(repr, having))}"
            yield f"{file}: {wish.where}: {fault[0]}{of} {fault[1]}"
    for key, figure in study.figures.items():
        if isinstance(figure, MapsFigure):
            yield from _group_errors(plan, name, figure, f"{file}: figures.{key}")


def _group_errors(plan: Plan, name: str, figure: MapsFigure, where: str) -> Iterator[str]:
    """A line for each unknown stratum or subject of the groups of a figure."""
    strata = [stratum.name for stratum in plan.studies[name].evaluation.subject_strata]
    named = [group for group in figure.groups if group.subjects_named]
    subjects = _subjects(plan, figure.dataset) if named else []
    for number, group in enumerate(figure.groups):
        if group.stratum and group.stratum not in strata:
            yield f"{where}.groups.{number}: stratum {group.stratum!r} {unknown_name(group.stratum, strata)}"
        for subject in sorted(set(group.subjects_named) - set(subjects)) if subjects else ():
            near = get_close_matches(subject, subjects, n=1)
            hint = f"Did you mean {near[0]!r}?" if near else f"They are named like {subjects[0]!r}."
            yield f"{where}.groups.{number}: {figure.dataset} has no subject {subject!r}. {hint}"


def _subjects(plan: Plan, dataset: str) -> list[str]:
    """The subjects of a data set; none where it has no scans of its own, or none that can be read (said elsewhere)."""
    try:
        return plan.subjects(dataset) if dataset in plan.known_datasets else []
    except (InputError, OSError, KeyError):
        return []


def _of_significance(plan: Plan, name: str) -> Iterator[_Asked]:
    """What the tests compare; the default is left alone, since a study may do without tests."""
    study = plan.studies[name]
    if "significance" not in study.model_fields_set:
        return
    chosen = study.significance
    for dataset in study.test_datasets:
        methods = [m for m in plan.compared_methods(name) if dataset in plan.method_datasets(name, m)]
        yield _Asked("significance", tuple(methods), Quantity(dataset, chosen.metric, chosen.protocol))


def _of_table(table: TableSettings, where: str) -> Iterator[_Asked]:
    rows = [row.method for row in table.rows if not row.unavailable]
    for number, column in enumerate(table.columns):
        if column.unavailable:
            continue
        methods = tuple(column.method.replace("{method}", row) for row in rows)
        quantity = Quantity(column.dataset, column.metric, column.protocol, column.aggregate, column.stratum)
        yield _Asked(f"{where}.columns.{number} ({column.label})", methods, quantity)


def _of_figure(figure: Any, where: str) -> Iterator[_Asked]:
    if isinstance(figure, SeriesFigure):
        yield from _of_series(figure, where)
        return
    methods = tuple(entry.method for entry in getattr(figure, "methods", ()))
    if isinstance(figure, BarsFigure):
        for dataset in figure.datasets:
            quantity = Quantity(dataset, figure.metric, figure.protocol, figure.aggregate)
            yield _Asked(where, methods, quantity)
    elif isinstance(figure, LesionSizeFigure):
        yield _Asked(where, methods, Quantity(figure.dataset, figure.metric, figure.protocol))
    elif isinstance(figure, BoxExampleFigure):
        yield _Asked(where, methods, Quantity(figure.dataset, "detected", figure.protocol, "pooled"))
    elif isinstance(figure, ClassBarsFigure):
        for name in figure.classes or ("",):
            yield _Asked(
                where, methods, Quantity(figure.dataset, "detected", figure.protocol, "pooled", name)
            )


def _of_series(figure: SeriesFigure, where: str) -> Iterator[_Asked]:
    for number, series in enumerate(figure.series):
        methods = tuple(method for method in series.methods if method)
        of_figure = figure.datasets or (figure.dataset,)
        for dataset in (series.dataset,) if series.dataset else of_figure:
            for stratum in dict.fromkeys(figure.strata or ("",)):
                quantity = Quantity(dataset, figure.metric, figure.protocol, figure.aggregate, stratum)
                yield _Asked(f"{where}.series.{number}", methods, quantity)


def _fault(evaluations: _Evaluations, method: str, wanted: Quantity) -> tuple[str, str] | None:
    """What an evaluation does not give, and what it gives instead; None where it gives all of it."""
    entries = evaluations.catalogue(method, wanted.dataset)
    found = [entry for entry in entries if entry.metric == wanted.metric]
    if not found:
        return f"metric {wanted.metric!r}", _unknown_metric(wanted, entries)
    of_metric = f"of metric {wanted.metric!r}"
    chosen = [entry for entry in found if wanted.protocol in entry.protocols]
    if not chosen:
        settings = evaluations.settings(method)
        return f"protocol {wanted.protocol!r} {of_metric}", _unknown_protocol(wanted, found, settings)
    found = [entry for entry in chosen if wanted.aggregate in entry.aggregates]
    if not found:
        known = _all(entry.aggregates for entry in chosen)
        return f"aggregate {wanted.aggregate!r} {of_metric}", _not_among(wanted.aggregate, known)
    if any(wanted.stratum in entry.strata for entry in found):
        return None
    strata = _all(entry.strata.known for entry in found) + [
        f"{start}…" for entry in found for start in entry.strata.open
    ]
    return f"stratum {wanted.stratum!r} {of_metric}", _not_among(wanted.stratum, strata)


def _unknown_metric(wanted: Quantity, entries: Sequence[Entry]) -> str:
    advice = {
        "dice_grid": "needs `threshold_grid` in the study's `evaluation`",
        "dice_mean_volumes_grid": "needs `threshold_grid` in the study's `evaluation`",
        "lpips": "needs `similarity: {lpips: squeeze}` (or alex, vgg) in the study",
        "lpips_lesion": "needs a synthetic test set and `similarity: {lpips: squeeze}` (or alex, vgg)",
        "mse_lesion": f"needs a synthetic test set, and {wanted.dataset!r} is none",
        **dict.fromkeys(
            ("boxes", "detected", "detected_share", "f1_boxes"),
            "needs `boxes: true` in the study's `evaluation`",
        ),
    }
    if wanted.metric in advice:
        return f"{advice[wanted.metric]}."
    return unknown_name(wanted.metric, {entry.metric for entry in entries})


def _unknown_protocol(wanted: Quantity, found: Sequence[Entry], settings: EvaluationSettings) -> str:
    if wanted.protocol in settings.leaking_protocols:
        return "would be chosen on the validation patients whose maps are evaluated; name another protocol."
    return _not_among(wanted.protocol, _all(entry.protocols for entry in found))


def _all(parts: Iterable[Collection[str]]) -> list[str]:
    return sorted({name for part in parts for name in part})


def _not_among(name: str, known: Sequence[str]) -> str:
    """As `unknown_name`, where the empty name stands for none."""
    if list(known) == [""]:
        return "is unknown: it has none, so leave it out."
    return unknown_name(name, ["'' (none)" if other == "" else other for other in known])
