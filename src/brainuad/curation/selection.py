"""From scans with reports to a cohort of normal scans, step by step (Kascenas 2023, section 4.2.2, Table 1).

Every scan leaves at one step with one reason, or stays. `STEPS` is the order: a usable report, the labels of the
report, the follow-up filter, the manual review, and the share of patients that is held out of the training cohort.
"""

import logging
from collections.abc import Mapping
from dataclasses import dataclass, field

import pandas as pd

from brainuad.curation.dates import FILES, days_of
from brainuad.curation.labels import WORSE
from brainuad.curation.matching import scans_with_reports
from brainuad.curation.selection_settings import HELD_OUT, SelectionSettings
from brainuad.errors import InputError
from brainuad.randomness import seed_for
from brainuad.spreadsheets import whole_number

log = logging.getLogger(__name__)

STEPS = ("usable report", "report labels", "follow-up filter", "manual review", "training cohort")
USABLE, LABELLED, FILTERED, REVIEWED, TRAINING = STEPS
COLUMNS = ("scan", "patient", "report", "kept", "step", "reason")
NOT_REVIEWED = "not reviewed"
# A DICOM unique identifier, unlike a series number.
UID = r"[0-2](?:\.\d+){3,}"


@dataclass(frozen=True)
class SelectionInputs:
    """The tables of selection_inputs.py (of scans with their places), and the decisions of a review by scan.

    `files` are the names of the tables of scans and reports in messages.
    """

    scans: pd.DataFrame
    reports: pd.DataFrame
    labels: pd.DataFrame
    decisions: Mapping[str, str] = field(default_factory=dict)
    files: tuple[str, str] = FILES


def select_cohort(inputs: SelectionInputs, settings: SelectionSettings) -> pd.DataFrame:
    """One row per scan, in the order of the scans: scan, patient, report, kept (yes or no), step, reason.

    `step` is where a scan left, or the last one if it is kept. A kept scan has a reason only while it is not
    reviewed. Several reports are joined by semicolons. No scan with a report of its patient is an `InputError`.
    """
    scans = inputs.scans.drop_duplicates("scan").set_index("scan")
    images = _images(inputs.scans)
    pairs = _with_reports_of_copies(reports_of_scans(inputs, settings), images)
    _check_reports(inputs, pairs)
    read = pairs[pairs["found"] & ~pairs["empty"]]
    reports = (
        pairs[pairs["report"] != ""].groupby("scan")["report"].agg(lambda names: ";".join(sorted(set(names))))
    )
    scans["report"] = reports.reindex(scans.index).fillna("")
    reasons = {
        USABLE: _unusable(inputs.scans, scans, images, pairs),
        LABELLED: _abnormal(read, inputs.labels, settings),
        FILTERED: read[read["earlier"] != ""].groupby("scan")["earlier"].first(),
        REVIEWED: _not_accepted(scans, inputs.decisions, settings),
    }
    left = pd.DataFrame({step: reason.reindex(scans.index) for step, reason in reasons.items()}, dtype=object)
    if settings.scans_per_report == "first":
        passing = left[[USABLE, LABELLED, FILTERED]].isna().all(axis=1)
        # A scan that leaves for another of its reports does not stand for those that it shares.
        for group in (passing, left[USABLE].isna() & ~passing):
            left.loc[_of_known_reports(scans.index[group], read), USABLE] = "another scan of the same report"
    staying = scans[left.isna().all(axis=1)]
    held_out = held_out_patients(staying["patient"], settings)
    left[TRAINING] = staying["patient"].isin(held_out).map({True: HELD_OUT}).reindex(scans.index)
    return _as_table(scans, left, inputs.decisions)


def _check_reports(inputs: SelectionInputs, pairs: pd.DataFrame) -> None:
    """Refuses tables of which no scan finds its report, and warns where most do not."""
    found, remark = scans_with_reports(inputs.scans, inputs.reports, pairs, inputs.files)
    if remark and not found:
        raise InputError(remark)
    if remark:
        log.warning("%s", remark)


def _of_known_reports(scans: pd.Index, read: pd.DataFrame) -> list[str]:
    """The scans that share a report with an earlier one that is none of these."""
    reports = read.groupby("scan")["report"].agg(set).to_dict()
    known: set[str] = set()
    repeated = []
    for scan in scans:
        if known.isdisjoint(reports[scan]):
            known |= reports[scan]
        else:
            repeated.append(scan)
    return repeated


def held_out_patients(patients: pd.Series, settings: SelectionSettings) -> set[str]:
    """The share of the patients that is not trained on, the nearest whole number, drawn with the seed."""
    people = sorted(set(patients), key=lambda patient: (seed_for(settings.seed, HELD_OUT, patient), patient))
    return set(people[: round(settings.held_out_share * len(people))])


def reports_of_scans(inputs: SelectionInputs, settings: SelectionSettings) -> pd.DataFrame:
    """Pairs of a scan and a report: those it names, and those of the same patient and day.

    Columns scan, patient (the scan's), report, found, and what is known of the report.
    """
    reports = inputs.reports.rename(columns={"patient": "of_patient"})
    scans = inputs.scans[["scan", "patient", "date", "report"]]
    named = scans[scans["report"] != ""].merge(reports.drop(columns="date"), on="report", how="left")
    pairs = named.drop(columns="date")
    if settings.reports_of_same_day:
        pairs = pd.concat([pairs, _of_same_day(scans, reports, inputs.files)])
    pairs = pairs.drop_duplicates()
    found = pairs["of_patient"].notna()
    flags = {name: pairs[name].eq(True) for name in ("empty", "english")}
    return pairs.assign(found=found, earlier=pairs["earlier"].fillna(""), **flags)


def _of_same_day(scans: pd.DataFrame, reports: pd.DataFrame, files: tuple[str, str]) -> pd.DataFrame:
    """Pairs of a scan and a report of the same patient and day; a day may be written in many ways."""
    scans = scans[(scans["date"] != "") & (scans["patient"] != "")].drop(columns="report")
    reports = reports.assign(patient=reports["of_patient"])
    reports = reports[(reports["date"] != "") & (reports["patient"] != "")]
    seen = (scans["date"], reports["date"])
    # Nothing joins the other patients, so that their dates need not be understood.
    shared = set(scans["patient"]) & set(reports["patient"])
    scans, reports = scans[scans["patient"].isin(shared)], reports[reports["patient"].isin(shared)]
    days, days_of_reports = days_of(scans["date"], reports["date"], seen, files)
    scans, reports = scans.assign(date=days).drop_duplicates(), reports.assign(date=days_of_reports)
    pairs = scans.merge(reports, on=["patient", "date"], how="inner").drop(columns="date")
    if pairs.empty and shared:
        log.warning(
            "No scan has a report of the same patient and day, though %d patients have scans and reports with dates. "
            "A report that no scan names, such as an addendum, is not read. Are the dates of both files right?",
            len(shared),
        )
    return pairs


def _images(rows: pd.DataFrame) -> pd.DataFrame:
    """Pairs of a scan and an image that its rows name: scan, patient, image, and the first scan of that image.

    An image is a place and a series; a series that is named by its UID is an image by itself.
    """
    named = rows[rows["path"] != ""]
    images = named[["scan", "patient"]].assign(
        image=_series_at_places(named).where(~named["series"].str.fullmatch(UID), named["series"])
    )
    return images.assign(first=images.groupby("image")["scan"].transform("first")).drop_duplicates()


def _series_at_places(rows: pd.DataFrame) -> pd.Series:
    """Place and series of each row, however they are written."""
    return rows["place"] + "\n" + rows["series"].map(whole_number)


def _with_reports_of_copies(pairs: pd.DataFrame, images: pd.DataFrame) -> pd.DataFrame:
    """The pairs, and for the first scan of an image those of its other scans: they all report one image."""
    copies = images.loc[images["scan"] != images["first"], ["scan", "first"]].drop_duplicates()
    if copies.empty:
        return pairs
    others = copies.merge(pairs, on="scan").drop(columns="scan").rename(columns={"first": "scan"})
    return pd.concat([pairs, others[pairs.columns]]).drop_duplicates()


def _unusable(
    rows: pd.DataFrame, scans: pd.DataFrame, images: pd.DataFrame, pairs: pd.DataFrame
) -> pd.Series:
    """Why a scan has no report that can be read, by scan; the first reason that applies."""
    grouped = pairs.groupby("scan")
    patients = rows.groupby("scan")["patient"].nunique()
    patients_of_image = images.groupby("image")["patient"].transform("nunique")
    copies = images.loc[images["scan"] != images["first"], "scan"]
    images_of_scan = _series_at_places(rows).groupby(rows["scan"]).nunique()
    foreign = pairs["found"] & (pairs["of_patient"] != "") & (pairs["of_patient"] != pairs["patient"])
    foreign_to = pairs["found"] & ~pairs["empty"] & ~pairs["english"]
    reasons = [
        ("no patient", scans.index[scans["patient"] == ""]),
        ("named for several patients", patients.index[patients > 1]),
        ("named for several patients", images.loc[patients_of_image > 1, "scan"]),
        ("duplicate scan", copies),
        ("several images", images_of_scan.index[images_of_scan > 1]),
        ("no report", scans.index.difference(pd.Index(pairs["scan"]))),
        ("report missing from the reports", pairs.loc[~pairs["found"], "scan"]),
        ("report of another patient", pairs.loc[foreign, "scan"]),
        ("empty report", grouped["empty"].all()[lambda empty: empty].index),
        ("report not in English", pairs.loc[foreign_to, "scan"]),
    ]
    why = pd.Series(index=scans.index, dtype=object)
    for reason, names in reversed(reasons):
        why[list(set(names))] = reason
    return why


def _abnormal(read: pd.DataFrame, labels: pd.DataFrame, settings: SelectionSettings) -> pd.Series:
    """Why the reports of a scan do not call it normal for its age, by scan.

    The worst certainty of all reports counts.
    """
    known = read[["scan", "report"]].drop_duplicates()
    unlabelled = known.loc[~known["report"].isin(set(labels["report"])), "scan"]
    stated = labels[labels["label"].ne("") & labels["class"].isin(WORSE[2:])]
    stated = stated[~stated["label"].isin(settings.allowed_labels)]
    found = known.merge(stated, on="report")
    found["rank"] = found["class"].map(WORSE.index)
    worst = found.sort_values(["scan", "label", "rank"]).drop_duplicates(["scan", "label"], keep="last")
    text = worst["label"] + " (" + worst["class"] + ")"
    why = text.groupby(worst["scan"]).agg(", ".join).astype(object)
    missing = pd.Series("report without labels", index=unlabelled.unique(), dtype=object)
    return pd.concat([why, missing[~missing.index.isin(why.index)]])


def _not_accepted(
    scans: pd.DataFrame, decisions: Mapping[str, str], settings: SelectionSettings
) -> pd.Series:
    """Why a scan does not pass the manual review, by scan."""
    decided = pd.Series(scans.index.map(decisions), index=scans.index, dtype=object)
    if settings.require_review:
        decided = decided.fillna(NOT_REVIEWED)
    return decided[decided.isin(["rejected", NOT_REVIEWED])]


def _as_table(scans: pd.DataFrame, left: pd.DataFrame, decisions: Mapping[str, str]) -> pd.DataFrame:
    gone = left.notna()
    kept = ~gone.any(axis=1)
    first = gone.idxmax(axis=1)
    reason = left.bfill(axis=1).iloc[:, 0]
    pending = pd.Series(~scans.index.isin(decisions.keys()), index=scans.index)
    return pd.DataFrame(
        {
            "scan": scans.index,
            "patient": scans["patient"].to_numpy(),
            "report": scans["report"].to_numpy(),
            "kept": kept.map({True: "yes", False: "no"}).to_numpy(),
            "step": first.where(~kept, STEPS[-1]).to_numpy(),
            "reason": reason.where(~kept, pending.map({True: NOT_REVIEWED, False: ""})).to_numpy(),
        },
        columns=list(COLUMNS),
    )
