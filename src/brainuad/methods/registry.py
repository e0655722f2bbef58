"""Finds every model and scoring rule in this folder; a new method file needs no entry here."""

import importlib
import pkgutil
from difflib import get_close_matches
from functools import cache
from types import ModuleType
from typing import TypeVar

import brainuad.methods
from brainuad.errors import InputError
from brainuad.methods.base import Model, ScoringRule

T = TypeVar("T", type[Model], type[ScoringRule])


@cache
def method_modules() -> tuple[ModuleType, ...]:
    """All modules of `brainuad.methods`, in the order of their names."""
    names = sorted(module.name for module in pkgutil.iter_modules(brainuad.methods.__path__))
    return tuple(importlib.import_module(f"brainuad.methods.{name}") for name in names)


def models() -> dict[str, type[Model]]:
    """Every model class by its kind."""
    return _classes(Model)


def scoring_rules() -> dict[str, type[ScoringRule]]:
    """Every scoring rule by its kind."""
    return _classes(ScoringRule)


def model_class(kind: str) -> type[Model]:
    """The model of this kind, or an `InputError` that names the nearest one."""
    return _named(models(), kind, "model kind")


def scoring_rule_class(kind: str) -> type[ScoringRule]:
    """The scoring rule of this kind, or an `InputError` that names the nearest one."""
    return _named(scoring_rules(), kind, "scoring rule")


@cache
def _classes(base: T) -> dict[str, T]:
    found: dict[str, T] = {}
    for module in method_modules():
        for value in vars(module).values():
            own = isinstance(value, type) and issubclass(value, base) and value.__module__ == module.__name__
            if own and "kind" in vars(value):
                assert value.kind not in found, f"two classes of kind {value.kind!r}"
                found[value.kind] = value
    return found


def _named(classes: dict[str, T], kind: str, what: str) -> T:
    if kind in classes:
        return classes[kind]
    near = get_close_matches(kind, classes, n=1)
    hint = f" Did you mean {near[0]!r}?" if near else ""
    raise InputError(f"{what} {kind!r} is not known; there are {', '.join(sorted(classes))}.{hint}")
