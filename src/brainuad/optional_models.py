"""Models that a study can do without: optional ones whose training program is not installed.

A study is read as if it did not have them, so that it runs anywhere; the rows of its tables say why they are empty.
"""

from collections.abc import Iterable, Mapping
from typing import Any

from brainuad.errors import InputError
from brainuad.external.model import ExternalModel
from brainuad.methods.registry import models
from brainuad.study import Study


def without_missing(content: Mapping[str, Any]) -> dict[str, Any]:
    """A study's mapping without its `optional` models that are not installed, and without their methods.

    Rows of tables stay, with the reason; pictures of the methods are left out of figures. What is wrong in the
    mapping stays as it is: the study's own validation names it.
    """
    missing = {name: str(entry["kind"]) for name, entry in _entries(content, "models") if _is_missing(entry)}
    methods = {
        name: f"optional, and not installed here; see docs/methods/{missing[entry['model']]}.md"
        for name, entry in _entries(content, "methods")
        if str(entry.get("model")) in missing
    }
    if not missing:
        return dict(content)
    tables = {name: _with_reasons(table, methods) for name, table in _entries(content, "tables")}
    figures = {name: _without_methods(figure, methods) for name, figure in _entries(content, "figures")}
    return {
        **content,
        "models": {name: entry for name, entry in content["models"].items() if name not in missing},
        "methods": {name: entry for name, entry in content["methods"].items() if name not in methods},
        "tables": (content.get("tables") or {}) | tables,
        "figures": (content.get("figures") or {}) | figures,
    }


def optional_errors(study: Study, file: str) -> Iterable[str]:
    """A line for each optional model that needs no program of its own."""
    for name, entry in study.models.items():
        known = models().get(entry.kind)
        if entry.optional and known is not None and not issubclass(known, ExternalModel):
            yield f"{file}: models.{name}.optional: kind {entry.kind!r} needs no other program; leave the key out."


def _is_missing(entry: Mapping[str, Any]) -> bool:
    kind = models().get(str(entry.get("kind")))
    if entry.get("optional") is not True or kind is None or not issubclass(kind, ExternalModel):
        return False
    try:
        kind.check_installed()
    except InputError:
        return True
    return False


def _entries(content: Mapping[str, Any], part: str) -> list[tuple[str, dict[str, Any]]]:
    """The entries of a part of a study that are written as mappings."""
    found = content.get(part)
    return [(k, v) for k, v in found.items() if isinstance(v, dict)] if isinstance(found, dict) else []


def _with_reasons(table: dict[str, Any], methods: Mapping[str, str]) -> dict[str, Any]:
    if not isinstance(table.get("rows"), list):
        return table
    return table | {"rows": [_with_reason(row, methods) for row in table["rows"]]}


def _with_reason(row: Any, methods: Mapping[str, str]) -> Any:
    left_out = isinstance(row, dict) and str(row.get("method")) in methods
    return row | {"unavailable": methods[row["method"]]} if left_out else row


def _without_methods(figure: dict[str, Any], methods: Mapping[str, str]) -> dict[str, Any]:
    if not isinstance(figure.get("methods"), list):
        return figure
    shown = [e for e in figure["methods"] if not (isinstance(e, dict) and str(e.get("method")) in methods)]
    return figure | {"methods": shown}
