"""Verbs of the rules in `workflow/rules/results.smk`: tests, tables, figures and the report."""

from pathlib import Path
from typing import Annotated

import typer

from brainuad.cli.app import File, Settings, settings_of, validated, verb
from brainuad.storage import write_table

Inputs = Annotated[list[Path] | None, typer.Argument()]


@verb
def compare(settings: Settings, output: File, scores: list[Path]) -> None:
    """Test the differences between the methods on one data set."""
    from brainuad.evaluation.significance import compare_methods
    from brainuad.evaluation.significance_settings import SignificanceSettings
    from brainuad.reporting.summary import read_scores

    job = settings_of(settings)
    chosen = validated(SignificanceSettings, job["significance"], "significance")
    table = compare_methods(read_scores(scores), job["dataset"], chosen, job["seed"], job["methods"])
    write_table(table, output)


@verb
def tabulate(settings: Settings, output: File, inputs: Inputs = None) -> None:
    """Write one table as CSV (OUTPUT), Markdown and LaTeX, from score tables or the flow table of a cohort."""

    from brainuad.reporting.flow_table import build_flow_table, read_flow
    from brainuad.reporting.settings import AnyTableSettings, FlowTableSettings
    from brainuad.reporting.summary import read_scores
    from brainuad.reporting.tables import build_table, write_tables

    job = settings_of(settings)
    chosen = validated(AnyTableSettings, job["table"], "table")
    if isinstance(chosen, FlowTableSettings):
        table = build_flow_table(chosen, read_flow(inputs or []), job["phantoms"])
    else:
        scores = read_scores(inputs or [])
        table = build_table(chosen, scores, job["phantoms"], job["remarks"], job["methods"])
    write_tables(chosen, table, output.parent, output.stem)


@verb
def plot(settings: Settings, output: File, scores: Inputs = None) -> None:
    """Draw one figure as SVG (OUTPUT) and PNG, from score tables where it shows some."""
    from brainuad.reporting.figure_settings import FigureSettings
    from brainuad.reporting.figures.draw import write_figure
    from brainuad.reporting.figures.style import Results
    from brainuad.reporting.inputs import StudyEntry
    from brainuad.reporting.summary import read_scores

    job = settings_of(settings)
    figure = validated(FigureSettings, job["figure"], "figure")
    study = validated(StudyEntry, job["study"], "study")
    write_figure(figure, Results(study, read_scores(scores or [])), output.parent, output.stem)


@verb
def report(settings: Settings, output: File) -> None:
    """Write the HTML report; OUTPUT is its first page."""
    from brainuad.reporting.html import build_report
    from brainuad.reporting.inputs import ReportInputs

    inputs = validated(ReportInputs, settings_of(settings)["inputs"], "inputs")
    build_report(inputs, output.parent)
