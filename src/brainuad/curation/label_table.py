"""Labels from elsewhere: a table that another program or a reader has made, checked and written as one of ours."""

import logging
from pathlib import Path

from brainuad.curation.label_reports import LABELLED, label_file
from brainuad.curation.reports import read_reports
from brainuad.curation.selection_inputs import read_labels

log = logging.getLogger(__name__)
RULE = "table"


def copy_labels(table: Path, reports_csv: Path, output_tsv: Path) -> int:
    """Writes the rows of `table` about reports of the export; how many of its reports the table does not name.

    The table has the columns report, label and class. A report in which nothing is mentioned has a row with an
    empty label; one without any row was not labelled.
    """
    names = [report.report for part in read_reports(reports_csv) for report in part]
    rows = read_labels(table, names)
    with label_file(output_tsv) as writer:
        for row in rows.to_dict("records"):
            writer.writerow((row["report"], row["label"], row["class"], "", RULE, LABELLED))
    missing = len(set(names) - set(rows["report"]))
    log.info("%s: labels of %d reports; %d have none.", table, rows["report"].nunique(), missing)
    return missing
