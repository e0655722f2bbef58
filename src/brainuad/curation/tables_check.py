"""Whether the tables of an export belong together, before anything reads a text or opens a scan."""

from brainuad.curation.matching import scans_with_reports
from brainuad.curation.plan import curation_of, reports_table, review_table, scans_table
from brainuad.curation.review import names_in_review
from brainuad.curation.selection import SelectionInputs, reports_of_scans
from brainuad.curation.selection_inputs import read_report_names, read_review, read_scans
from brainuad.errors import InputError
from brainuad.plan_data import DatasetPlan


def faults_of_tables(plan: DatasetPlan, name: str) -> str:
    """What to say where most scans of a data set find no report; what would stop the selection is an `InputError`."""
    paths = scans_table(plan, name), reports_table(plan, name)
    scans, reports = read_scans(paths[0]), read_report_names(paths[1])
    review = review_table(plan, name)
    if review is not None:
        read_review(review, names_in_review(scans["scan"]))
    files = str(paths[0]), str(paths[1])
    inputs = SelectionInputs(scans, reports, labels=reports[:0], files=files)
    pairs = reports_of_scans(inputs, curation_of(plan, name).selection)
    found, remark = scans_with_reports(scans, reports, pairs, files)
    if remark and not found:
        raise InputError(remark)
    return remark
