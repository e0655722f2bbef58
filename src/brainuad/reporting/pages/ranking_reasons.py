"""Why a cell of the leaderboard across studies has no number, from what its tables say of a method.

What stands before a colon fits into a cell; all of it stands below the table.
"""

from brainuad.leaderboard.quantities import Quantity
from brainuad.reporting.pages.ranking_tables import Tables
from brainuad.reporting.reasons import NO_LESION, NO_LESION_IN_STRATUM, NO_THRESHOLD

NO_RESULT, NO_RANK, NOT_SCORED = "no result", "no rank", "not scored"
NOT_PACKED, NO_TEST, NOBODY = "not packed", "no test", "nobody to compare with"
NO_TRAINING, NOT_MEASURED, UNDEFINED = "no training", "not measured", "undefined"
NO_HEALTHY = "no healthy scan: the study has maps of no healthy test scan"
NO_HEALTHY_THRESHOLD = "no threshold: the study has maps of no healthy validation scan"
NOT_COMMON = f"{NO_RANK}: no value on some of the common test patients"
FAILED = "failed on every test patient with a lesion"
# Where the tables say what a protocol's threshold was chosen on, and why it could not be.
CHOSEN_ON = {
    "validation": ("validation_from", NO_THRESHOLD),
    "healthy-fpr": ("healthy_fpr_from", NO_HEALTHY_THRESHOLD),
}


def why_empty(tables: Tables, contest: str, key: str, quantity: Quantity, stratum: str = "") -> str:
    """Why a method has no value of a quantity."""
    entrant = tables.entrant(contest, key)
    if entrant["runs_finished"] == 0:
        return NO_RESULT
    if quantity.metric == "training_hours":
        return NOT_MEASURED if entrant["training"] else NO_TRAINING
    if quantity.metric == "seconds_per_volume":
        return NOT_MEASURED
    if quantity.metric != "fpr" and entrant["lesion_subjects"] == 0:
        return NO_LESION
    column, no_threshold = CHOSEN_ON.get(quantity.protocol, ("", ""))
    if column and not entrant[column]:
        return no_threshold
    if quantity.metric == "fpr":
        return UNDEFINED if entrant["fpr_scans"] else NO_HEALTHY
    return NO_LESION_IN_STRATUM if stratum else FAILED


def why_unranked(tables: Tables, contest: str, key: str, quantity: Quantity) -> str:
    """Why a method has no rank by a quantity."""
    if reason := tables.entrant(contest, key)["reason"]:
        return no_rank(reason)
    return NOT_COMMON if tables.record(contest, key, quantity) else why_empty(tables, contest, key, quantity)


def absence_note(tables: Tables, contest: str) -> str:
    """Which studies are not scored on a contest's data set and why; empty where all are."""
    rows = tables.not_scored[tables.not_scored["contest"] == contest]
    parts = [
        f"{', '.join(found['study'])} ({reason})" for reason, found in rows.groupby("reason", sort=False)
    ]
    return f"Not scored here: {'; '.join(parts)}." if parts else ""


def no_rank(reason: str) -> str:
    """Why a method without a rank is not among those that are compared."""
    return f"{NO_RANK}: {reason}"
