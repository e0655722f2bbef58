"""Verbs that choose a normal cohort from labelled reports, and show the remaining scans to a reviewer."""

import logging
from pathlib import Path
from typing import Any

from brainuad.cli.app import File, OptionalFile, Settings, settings_under, verb

log = logging.getLogger("brainuad")


@verb
def select_cohort(
    settings: Settings,
    scans: File,
    reports: File,
    labels: File,
    selection: File,
    flow: File,
    review: OptionalFile = "",
    truth: OptionalFile = "",
    root: OptionalFile = "",
    remarks: OptionalFile = "",
) -> None:
    """Choose the scans that are normal for their age; SELECTION has a row per scan, FLOW one per step.

    Paths of SCANS lie below ROOT (its folder). REMARKS takes the warnings, one per row, with the names of files alone.
    """
    from brainuad.curation import selection_inputs as files
    from brainuad.curation.flow import flow_table
    from brainuad.curation.private import write_private_table
    from brainuad.curation.remarks import warnings_of, write_remarks
    from brainuad.curation.review import names_in_review
    from brainuad.curation.selection import SelectionInputs
    from brainuad.curation.selection import select_cohort as select
    from brainuad.curation.selection_settings import SelectionSettings
    from brainuad.storage import write_table

    chosen = settings_under(settings, "selection", SelectionSettings)
    with warnings_of(log) as warned:
        rows = files.with_places(files.read_scans(scans), Path(root) if root else scans.parent)
        facts = files.read_report_facts(reports, chosen.follow_up_patterns)
        named = files.read_labels(labels, facts["report"])
        decisions = files.read_review(Path(review), names_in_review(rows["scan"])) if review else {}
        simulated = files.read_truth(Path(truth), rows["scan"]) if truth else None
        inputs = SelectionInputs(rows, facts, named, decisions, (str(scans), str(reports)))
        selected = select(inputs, chosen)
    steps = flow_table(selected, simulated, chosen.allowed_labels)
    write_private_table(selected, selection)
    write_table(steps, flow)
    if remarks:
        tables = [scans, reports, labels, *(Path(table) for table in (review, truth) if table)]
        write_remarks(warned, tables, Path(remarks))
    for step in steps.to_dict("records"):
        log.info("%-16s %7d images %7d patients", step["step"], step["images"], step["patients"])


@verb
def review_sheet(
    settings: Settings,
    scans: File,
    selection: File,
    output: File,
    root: OptionalFile = "",
    review: OptionalFile = "",
    state: OptionalFile = "",
) -> None:
    """Write the contact sheet of the scans that a selection leaves; paths of SCANS lie below ROOT (its folder).

    Pictures are kept in a subfolder of STATE, if it is given, so that a scan that has not changed is not read again.
    """
    from tqdm import tqdm

    from brainuad.curation import selection_inputs as files
    from brainuad.curation.cards import Cards
    from brainuad.curation.private import write_private_text
    from brainuad.curation.review import names_in_review, review_page, scans_to_review
    from brainuad.curation.selection import COLUMNS
    from brainuad.curation.selection_settings import ReviewSettings
    from brainuad.curation.thumbnails import reason_card
    from brainuad.errors import InputError, ScanError
    from brainuad.preprocessing.faults import refuse_fault
    from brainuad.storage import read_table

    chosen = settings_under(settings, "review", ReviewSettings)
    rows = files.read_scans(scans)
    selected = read_table(selection, needs=COLUMNS)
    decisions = files.read_review(Path(review), names_in_review(rows["scan"])) if review else {}
    places = {row["scan"]: (row["path"], row["series"]) for row in rows.to_dict("records")}
    folder = Path(root) if root else scans.parent
    cards = Cards(folder, places, chosen, Path(state) if state else None)
    progress = tqdm(total=len(scans_to_review(selected)), unit="scan", leave=False, disable=None)

    unreadable: list[str] = []

    def thumbnail(scan: str) -> Any:
        progress.update()
        try:
            return cards.picture(scan)
        except ScanError as error:
            unreadable.append(scan)
            return reason_card(str(error), chosen)
        except InputError as error:
            # Said again of the row, for the path can hold identifiers.
            row = rows.index[rows["scan"] == scan][-1]
            refuse_fault(error.__cause__ or error, Path(f"{scans}: row {row}"))
            raise

    with progress:
        page = review_page(selected, thumbnail, decisions)
    if unreadable:
        log.warning("%d of %d scans have no picture; their cards say why.", len(unreadable), progress.total)
    write_private_text(page, output)
    cards.forget_others()
