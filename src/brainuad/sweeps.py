"""Sweeps of a study: one setting of a method over several values, each of them a method of its own.

A sweep over a setting of the model makes a model per value, one over a setting of the rule scores the same
model again. The value that the method has already stands for the method itself, and the value of `equal_to` for the
method named there, so nothing is trained twice.
"""

from collections.abc import Mapping
from typing import Any

from pydantic import ValidationError

from brainuad.config_errors import unknown_name
from brainuad.methods.registry import models, scoring_rules
from brainuad.study import MethodEntry, ModelEntry, Study, Sweep, overlay, resolved


def expand_sweeps(content: Mapping[str, Any], scale: str) -> dict[str, Any]:
    """A study's mapping with the models and methods of its sweeps, and with them in its figures' series.

    What is wrong in a sweep stays as it is: the study's own validation names it.
    """
    expanded = dict(content)
    sweeps = content.get("sweeps")
    if not isinstance(sweeps, dict) or not all(
        isinstance(content.get(k), dict) for k in ("models", "methods")
    ):
        return expanded
    expanded["models"], expanded["methods"] = dict(content["models"]), dict(content["methods"])
    points: dict[str, tuple[list[Any], list[str]]] = {}
    for name, given in sweeps.items():
        try:
            sweep = Sweep.model_validate(given)
            _check_entries(expanded, sweep)
        except ValidationError:
            continue
        if sweep.method in expanded["methods"]:
            names = [_variant(expanded, sweep, value, scale) for value in sweep.values]
            points[name] = (list(sweep.values), names)
    if isinstance(content.get("figures"), dict):
        expanded["figures"] = {
            name: _figure_with_points(figure, points) for name, figure in content["figures"].items()
        }
    return expanded


def unknown_sweeps(content: Mapping[str, Any], where: str) -> list[str]:
    """A line for each series of a figure that names a sweep which the study does not have."""
    sweeps, figures = content.get("sweeps") or {}, content.get("figures")
    if not isinstance(sweeps, dict) or not isinstance(figures, dict):
        return []
    return [
        f"{where}: figures.{name}.series.{number}.sweep = {sweep!r} {unknown_name(sweep, sweeps)}"
        for name, figure in figures.items()
        if isinstance(figure, dict) and isinstance(figure.get("series"), list)
        for number, series in enumerate(figure["series"])
        if (sweep := _sweep_of(series)) and sweep not in sweeps
    ]


def made_by_sweeps(study: Study) -> set[str]:
    """Names of the methods and models that stand in no file: the sweeps of the study made them."""
    return {
        _name(base, sweep, value)
        for sweep in study.sweeps.values()
        if sweep.method in study.methods
        for base in (sweep.method, study.methods[sweep.method].model)
        for value in sweep.values
    }


def _name(base: str | None, sweep: Sweep, value: float) -> str:
    """The name of a method or model with one value of the setting that a sweep varies."""
    setting = sweep.vary.rpartition(".")[2].replace("_", "-")
    return f"{base}-{setting}-{value + sweep.offset}"


def _check_entries(content: Mapping[str, Any], sweep: Sweep) -> None:
    """Raises `ValidationError` if the method of a sweep, or its model, is not written as one."""
    if sweep.method in content["methods"]:
        method = MethodEntry.model_validate(content["methods"][sweep.method])
        if method.model in content["models"]:
            ModelEntry.model_validate(content["models"][method.model])


def _variant(content: dict[str, Any], sweep: Sweep, value: float, scale: str) -> str:
    """Adds the method of one value, and its model if it needs one, and returns its name."""
    part, *path = sweep.vary.split(".")
    method = content["methods"][sweep.method]
    if sweep.equal_to and value == sweep.equal_to.value and sweep.equal_to.method in content["methods"]:
        return sweep.equal_to.method
    if sweep.role == method.get("role", "test") and _has_already(content, sweep, value + sweep.offset, scale):
        return sweep.method
    change = _nested(path, value + sweep.offset)
    name = _name(sweep.method, sweep, value)
    label = f"{method.get('label', sweep.method)}, {path[-1].replace('_', ' ')} {value + sweep.offset}"
    # `maps_of` belongs to maps of the unchanged method.
    own = {key: kept for key, kept in method.items() if key != "maps_of"}
    variant = own | {"label": label, "role": sweep.role, "variant_of": sweep.method}
    if sweep.datasets:
        variant["datasets"] = list(sweep.datasets)
    if _has_already(content, sweep, value + sweep.offset, scale):
        variant["maps_of"] = method.get("maps_of") or sweep.method
    elif part == "rule":
        variant |= _changed(method, change)
    else:
        base = method.get("model")
        if isinstance(content["models"].get(base), dict):
            variant["model"] = _name(base, sweep, value)
            model = content["models"][base]
            content["models"][variant["model"]] = model | _changed(model, change)
    content["methods"][name] = variant
    return name


def _changed(entry: Mapping[str, Any], change: dict[str, Any]) -> dict[str, Any]:
    """The settings of an entry under a change that also holds at the quick scale."""
    return {key: overlay(entry.get(key) or {}, change) for key in ("settings", "quick")}


def _has_already(content: Mapping[str, Any], sweep: Sweep, value: float, scale: str) -> bool:
    part, *path = sweep.vary.split(".")
    method = content["methods"][sweep.method]
    try:
        if part == "rule":
            entry: ModelEntry | MethodEntry = MethodEntry.model_validate(method)
            chosen: Any = scoring_rules()[method["rule"]]
        else:
            entry = ModelEntry.model_validate(content["models"][method["model"]])
            chosen = models()[entry.kind]
        found: Any = resolved(chosen.settings_class, entry, chosen.quick, scale)
        for key in path:
            found = found[key]
    except (ValidationError, KeyError, TypeError):
        return False
    return bool(found == value)


def _nested(path: list[str], value: Any) -> dict[str, Any]:
    for key in reversed(path):
        value = {key: value}
    return dict(value)


def _figure_with_points(figure: Any, points: Mapping[str, tuple[list[Any], list[str]]]) -> Any:
    """A figure in which `sweep: NAME` of a series stands for its methods and, for all series, the values of x."""
    if not isinstance(figure, dict) or not isinstance(figure.get("series"), list):
        return figure
    x = figure.get("x") or []
    if not isinstance(x, list) or any(isinstance(value, list | dict) for value in x):
        return figure
    figure = dict(figure)
    values = [v for s in figure["series"] for v in points.get(_sweep_of(s), ([], []))[0]]
    x = list(x or dict.fromkeys(values))
    figure["series"] = [_series_with_points(series, x, points) for series in figure["series"]]
    return figure | {"x": x} if values else figure


def _series_with_points(series: Any, x: list[Any], points: Mapping[str, tuple[list[Any], list[str]]]) -> Any:
    if _sweep_of(series) not in points:
        return series
    values, names = points[_sweep_of(series)]
    by_value = dict(zip(values, names, strict=True))
    kept = {key: value for key, value in series.items() if key != "sweep"}
    return kept | {"methods": [by_value.get(value) for value in x]}


def _sweep_of(series: Any) -> str:
    return str(series.get("sweep", "")) if isinstance(series, dict) else ""
