"""Which methods' scores, on which data sets, a table or figure of a study reads, so that it waits for no others."""

from dataclasses import dataclass

from brainuad.reporting.figure_settings import FigureSettings, SeriesFigure
from brainuad.reporting.settings import TableSettings


@dataclass(frozen=True)
class Needed:
    """Names of methods and data sets; every method is read on every data set that it is scored on."""

    methods: frozenset[str] = frozenset()
    datasets: frozenset[str] = frozenset()


def needed_by_table(table: TableSettings) -> Needed:
    """The methods of all rows, in the variants that columns name, and the data sets of all columns."""
    methods = {
        column.method.replace("{method}", row.method)
        for row in table.rows
        for column in table.columns
        if not (row.unavailable or column.unavailable)
    }
    return Needed(frozenset(methods), frozenset(column.dataset for column in table.columns))


def needed_by_figure(figure: FigureSettings) -> Needed:
    """The methods and data sets that a figure names.

    A figure of noise or of training logs names no methods, one of latent vectors no data sets.
    """
    if isinstance(figure, SeriesFigure):
        methods = {method for series in figure.series for method in series.methods if method}
        datasets = {figure.dataset, *figure.datasets, *(series.dataset for series in figure.series)}
    else:
        methods = {entry.method for entry in getattr(figure, "methods", ())}
        datasets = {getattr(figure, "dataset", ""), *getattr(figure, "datasets", ())}
    return Needed(frozenset(methods), frozenset(datasets - {""}))
