"""Reports that a user has labelled, for training: a table of report, label and class beside reports.csv."""

from pathlib import Path

from brainuad.config_errors import unknown_name
from brainuad.curation.labels import CLASSES, LABELS
from brainuad.curation.reports import read_reports
from brainuad.curation.synthesis.reports import LabelledText
from brainuad.errors import InputError
from brainuad.spreadsheets import identifier
from brainuad.storage import read_table


def read_labelled(labelled_tsv: Path, reports_csv: Path) -> list[LabelledText]:
    """The reports that a table names, in the order of reports.csv, with the classes that it gives them.

    A label that the table does not give to a report is not mentioned in it; a row without a label says only that the
    report was read. A report that is there twice, word for word, counts once. Messages name rows, and never a report or
    what stands in a cell: it could be a sentence of one.
    """
    classes, rows = _read_classes(labelled_tsv)
    found: dict[str, LabelledText] = {}
    for part in read_reports(reports_csv):
        for report in part:
            if report.report in classes:
                known = found.setdefault(report.report, LabelledText(report.text, classes[report.report]))
                if known.text != report.text:
                    raise InputError(
                        f"{reports_csv}: the report that row {rows[report.report]} of {labelled_tsv} names is there "
                        "with two texts. Give each report a name of its own."
                    )
    if missing := [row for report, row in rows.items() if report not in found]:
        raise InputError(
            f"{labelled_tsv}: row {missing[0]} names a report that {reports_csv} lacks "
            f"({len(missing)} such reports). Remove its rows, or add the report."
        )
    return list(found.values())


def _read_classes(labelled_tsv: Path) -> tuple[dict[str, dict[str, str]], dict[str, int]]:
    """The classes of each report that a table names, and the row that names it first, counted with the header."""
    table = read_table(labelled_tsv, ("report", "label", "class"))
    classes: dict[str, dict[str, str]] = {}
    rows: dict[str, int] = {}
    columns = (
        table["report"].map(identifier),
        *(table[name].str.strip() for name in ("label", "class")),
    )
    for number, (report, label, certainty) in enumerate(zip(*columns, strict=True), start=2):
        where = f"{labelled_tsv}: row {number}"
        said = classes.setdefault(report, {})
        rows.setdefault(report, number)
        if not report:
            raise InputError(f"{where} names no report. Name one of reports.csv.")
        if not label and not certainty:
            continue
        if label not in LABELS:
            raise InputError(f"{where}: the label {unknown_name(label, LABELS)}")
        if certainty not in CLASSES:
            raise InputError(f"{where}: the class {unknown_name(certainty, CLASSES)}")
        if said.setdefault(label, certainty) != certainty:
            raise InputError(
                f"{where}: the report already has another class for {label}. Keep one of the two."
            )
    return {report: _mentioned(said) for report, said in classes.items()}, rows


def _mentioned(classes: dict[str, str]) -> dict[str, str]:
    return {label: certainty for label, certainty in classes.items() if certainty != "not mentioned"}
