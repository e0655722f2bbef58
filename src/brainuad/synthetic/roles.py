"""The roles of synthetic test sets: each takes the healthy test subjects of the data set it is made from."""

from collections.abc import Mapping
from functools import partial

import pandas as pd


def add_synthetic_sets(
    split: pd.DataFrame,
    cohorts: Mapping[str, pd.DataFrame],
    synthetic: Mapping[str, str],
    copies: Mapping[str, int],
) -> pd.DataFrame:
    """The split with a row of role `test` for each healthy test subject of the data set a set is made from.

    `synthetic` maps the names of the sets to their data sets, `cohorts` data sets to their tables, `copies` names of
    sets to the volumes that they make from each scan where there are several.
    """
    parts = [split]
    for name, base in synthetic.items():
        cohort = cohorts[base]
        healthy = cohort.loc[cohort["group"] == "healthy", "subject"]
        chosen = (split["dataset"] == base) & (split["role"] == "test") & split["subject"].isin(healthy)
        rows = split[chosen].assign(dataset=name)
        names = rows["subject"].map(partial(names_of_copies, copies=copies.get(name, 1)))
        parts.append(rows.assign(subject=names).explode("subject"))
    return pd.concat(parts, ignore_index=True)


def names_of_copies(subject: str, copies: int) -> list[str]:
    """The subjects of a synthetic set that are made from one scan; the first keeps its name."""
    return [subject, *(f"{subject}-copy{number}" for number in range(2, copies + 1))]
