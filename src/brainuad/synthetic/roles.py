"""The roles of synthetic test sets: each takes the healthy test subjects of the data set it is made from."""

from collections.abc import Mapping

import pandas as pd


def add_synthetic_sets(
    split: pd.DataFrame, cohorts: Mapping[str, pd.DataFrame], synthetic: Mapping[str, str]
) -> pd.DataFrame:
    """The split with a row of role `test` for each healthy test subject of the data set a set is made from.

    `synthetic` maps the names of the sets to their data sets, `cohorts` data sets to their tables.
    """
    parts = [split]
    for name, base in synthetic.items():
        cohort = cohorts[base]
        healthy = cohort.loc[cohort["group"] == "healthy", "subject"]
        chosen = (split["dataset"] == base) & (split["role"] == "test") & split["subject"].isin(healthy)
        parts.append(split[chosen].assign(dataset=name))
    return pd.concat(parts, ignore_index=True)
