"""Groups of subjects by age, sex and site."""

from collections.abc import Sequence

import numpy as np

from brainuad.evaluation.catalogue import AGE_GROUPS
from brainuad.evaluation.map_sets import MapSet
from brainuad.evaluation.settings import Attribute

AGE_BOUNDS = (20, 40, 60, 80)  # years, between AGE_GROUPS: Behrendt 2023, section 3.1


def strata_by_attribute(maps: MapSet, subject: str, attributes: Sequence[Attribute]) -> list[str]:
    """The names of a subject's groups, such as `age 20-40`; an attribute that is not known gives none."""
    return [
        f"{attribute} {group}"
        for attribute in attributes
        if (group := _group(attribute, maps.attribute(subject, attribute)))
    ]


def _group(attribute: Attribute, value: str) -> str:
    return age_group(value) if attribute == "age" else value


def age_group(age: str) -> str:
    """The group of an age in years, `20-40` up to but without 40; empty where it is no number."""
    try:
        years = float(age)
    except ValueError:
        return ""
    if not years >= 0:
        return ""
    return AGE_GROUPS[int(np.digitize(years, AGE_BOUNDS))]
