"""Reads a split from its file, as every later stage does: a leak stops the run, whoever wrote it."""

from pathlib import Path

import pandas as pd

from brainuad.errors import InputError
from brainuad.preprocessing.split_settings import ROLES
from brainuad.preprocessing.splits import check_leaks
from brainuad.storage import read_table

COLUMNS = ("dataset", "subject", "participant", "role")


def read_split(path: Path) -> pd.DataFrame:
    """The split (dataset, subject, participant, role); one with a subject in two roles is an `InputError`."""
    split = read_table(path)
    if missing := [column for column in COLUMNS if column not in split]:
        raise InputError(
            f"{path}: the columns {', '.join(missing)} are missing. Delete it, and the split is drawn again."
        )
    if unknown := sorted(set(split["role"]) - set(ROLES)):
        raise InputError(f"{path}: role {unknown[0]!r} is not one of {', '.join(ROLES)}. Correct it.")
    repeated = split.duplicated(["dataset", "subject", "role"])
    if repeated.any():
        named = ", ".join(split.loc[repeated, "subject"].head(5))
        raise InputError(f"{path}: {named} more than once, and would count so. Keep one row of each.")
    try:
        check_leaks(split)
    except InputError as error:
        raise InputError(f"{path}: {error} Correct it, or delete it to draw the split again.") from error
    return split
