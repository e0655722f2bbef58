"""Who can be ranked with whom: the largest group of methods that share enough test subjects."""

from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import combinations

import pandas as pd

SUPERVISED = "learnt from annotated lesions: a reference without a rank"


@dataclass(frozen=True)
class Field:
    """The methods that are ranked together, the subjects on which, and why others are not among them."""

    methods: tuple[str, ...]
    subjects: tuple[str, ...]
    left_out: Mapping[str, str]


def choose_field(
    values: pd.DataFrame,
    tested: Mapping[str, set[str]],
    minimum: int,
    max_failed_share: float,
    references: Collection[str] = (),
) -> Field:
    """The field of a contest.

    `values` (subjects) × (study/method) are NaN where a method has no value; `tested` are the test subjects of
    each method; `references` are methods that learnt from annotated lesions and compete only among themselves,
    when there is nobody else. Studies have test sets of their own, so the field is chosen among groups of
    whole studies: the one with the most methods whose common subjects number at least `minimum`, then the one
    with the most subjects.
    """
    left_out = {key: reason for key in tested if (reason := _fault(values, key, tested, max_failed_share))}
    if set(tested) - set(references):
        left_out |= {key: SUPERVISED for key in references if key not in left_out}
    scored: dict[str, set[str]] = {}  # of each study, the subjects that all its methods scored
    members: dict[str, list[str]] = {}
    for key in (key for key in tested if key not in left_out):
        study = key.partition("/")[0]
        subjects = set(values.index[values[key].notna()])
        scored[study] = scored.get(study, subjects) & subjects
        members.setdefault(study, []).append(key)
    candidates = [
        (sum(len(members[study]) for study in studies), len(common), studies)
        for studies in _groups(list(members))
        if len(common := set.intersection(*(scored[study] for study in studies))) >= minimum
    ]
    chosen = max(candidates, key=lambda candidate: candidate[:2])[2] if candidates else ()
    common = set.intersection(*(scored[study] for study in chosen)) if chosen else set()
    for study in members.keys() - set(chosen):
        shared = len(common & scored[study]) if chosen else len(scored[study])
        reason = f"{shared} common test subjects, at least {minimum} are needed"
        left_out |= dict.fromkeys(members[study], reason)
    methods = tuple(key for key in tested if key not in left_out)
    return Field(methods, tuple(sorted(common)), left_out)


def _groups(studies: Sequence[str]) -> Iterator[tuple[str, ...]]:
    return (group for size in range(1, len(studies) + 1) for group in combinations(studies, size))


def _fault(values: pd.DataFrame, key: str, tested: Mapping[str, set[str]], max_failed_share: float) -> str:
    """Why a method cannot be ranked at all; empty if it can. Subjects that no method of its study has count not."""
    if key not in values or not values[key].notna().any():
        return "no result"
    study = key.partition("/")[0] + "/"
    siblings = values[[column for column in values if str(column).startswith(study)]].dropna(how="all")
    expected = sorted(tested[key] & set(siblings.index))
    failed = int(values.loc[expected, key].isna().sum())
    if failed > max_failed_share * len(expected):
        return f"failed on {failed} of {len(expected)} test subjects"
    return ""
