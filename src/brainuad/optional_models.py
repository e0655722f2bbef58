"""Models that a study can do without: optional ones whose training program is not installed.

After its validation a study is taken as if it did not have them, so that it runs anywhere; the rows of its tables
say why they are empty.
"""

from collections.abc import Iterable, Mapping

from brainuad.errors import InputError
from brainuad.external.model import ExternalModel
from brainuad.methods.registry import models
from brainuad.reporting.figure_settings import FigureSettings, Series
from brainuad.reporting.settings import AnyTableSettings, TableSettings
from brainuad.study import MethodEntry, ModelEntry, Study


def without_missing(study: Study) -> Study:
    """The study without its `optional` models that are not installed, and without what needs their maps.

    Rows of tables stay, with the reason; methods and models are left out of figures, and a figure of nothing else is
    left out whole.
    """
    missing = {name: entry.kind for name, entry in study.models.items() if _is_missing(entry)}
    if not missing:
        return study
    reasons = {
        name: f"optional, and not installed here; see docs/methods/{missing[model]}.md"
        for name, method in study.methods.items()
        if (model := _model_of(study, method)) in missing
    }
    figures = {name: _shown(figure, {*reasons}, {*missing}) for name, figure in study.figures.items()}
    return study.model_copy(
        update={
            "models": {name: entry for name, entry in study.models.items() if name not in missing},
            "methods": {name: entry for name, entry in study.methods.items() if name not in reasons},
            "sweeps": {name: sweep for name, sweep in study.sweeps.items() if sweep.method not in reasons},
            "tables": {name: _with_reasons(table, reasons) for name, table in study.tables.items()},
            "figures": {name: figure for name, figure in figures.items() if figure is not None},
        }
    )


def optional_errors(study: Study, file: str) -> Iterable[str]:
    """A line for each optional model that needs no program of its own, and one if no method is without them."""
    for name, entry in study.models.items():
        known = models().get(entry.kind)
        if entry.optional and known is not None and not issubclass(known, ExternalModel):
            yield f"{file}: models.{name}.optional: kind {entry.kind!r} needs no other program; leave the key out."
    optional = {name for name, entry in study.models.items() if entry.optional}
    if all(_model_of(study, method) in optional for method in study.methods.values()):
        yield f"{file}: models: all methods use optional models; leave `optional` out of one that must be there."


def _is_missing(entry: ModelEntry) -> bool:
    kind = models()[entry.kind]
    if not entry.optional or not issubclass(kind, ExternalModel):
        return False
    try:
        kind.check_installed()
    except InputError:
        return True
    return False


def _model_of(study: Study, method: MethodEntry) -> str | None:
    """The model that makes a method's maps, its own or that of the method whose maps it takes."""
    source = study.methods.get(method.maps_of, method) if method.maps_of else method
    return source.model


def _with_reasons(table: AnyTableSettings, reasons: Mapping[str, str]) -> AnyTableSettings:
    if not isinstance(table, TableSettings):
        return table
    rows = tuple(
        row if row.unavailable else row.model_copy(update={"unavailable": reasons.get(row.method, "")})
        for row in table.rows
    )
    return table.model_copy(update={"rows": rows})


def _shown(figure: FigureSettings, methods: set[str], left_out: set[str]) -> FigureSettings | None:
    """The figure without some methods and models; None if it showed nothing else."""
    kept = {
        "methods": [entry for entry in getattr(figure, "methods", ()) if entry.method not in methods],
        "models": [entry for entry in getattr(figure, "models", ()) if entry.model not in left_out],
        "series": [
            line for given in getattr(figure, "series", ()) if (line := _without_points(given, methods))
        ],
    }
    change = {key: tuple(entries) for key, entries in kept.items() if getattr(figure, key, ())}
    return None if change and not any(change.values()) else figure.model_copy(update=change)


def _without_points(series: Series, methods: set[str]) -> Series | None:
    """The line without the points of some methods; None if it had no others."""
    points = tuple(None if method in methods else method for method in series.methods)
    return series.model_copy(update={"methods": points}) if any(points) else None
