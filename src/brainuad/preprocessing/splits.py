"""Train, validation and test roles, drawn by participant, and the check that nothing leaks between them."""

import logging
from collections.abc import Mapping

import numpy as np
import pandas as pd

from brainuad.errors import InputError
from brainuad.preprocessing.split_lists import listed_roles
from brainuad.preprocessing.split_settings import ROLES, DatasetSplit, RoleCounts, SplitSettings
from brainuad.randomness import numpy_generator

__all__ = ["DatasetSplit", "RoleCounts", "SplitSettings", "check_leaks", "make_split"]

log = logging.getLogger(__name__)

AGE_BOUNDS = (20, 40, 60, 80)  # 20-40, 40-60, 60-80, 80+ (Behrendt 2023, section 3.1)


def make_split(cohorts: Mapping[str, pd.DataFrame], settings: SplitSettings, run: int) -> pd.DataFrame:
    """The roles of one run: columns dataset, subject, participant, role, remark; a leak is an `InputError`.

    `cohorts` are tables with subject, participant, group, age and status (the index of packed arrays, say);
    where they have an `image_hash`, equal images in different roles count as a leak.
    """
    parts = []
    for dataset, cohort in cohorts.items():
        usable = cohort[cohort["status"] == "ok"]
        if usable.empty:
            raise InputError(f"{dataset}: no usable subject to split; look at the reasons in its index.tsv.")
        counts = settings.datasets[dataset]
        if counts.lists:
            listed = listed_roles(dataset, usable, counts, run)
            part = usable.assign(dataset=dataset, role=listed["role"], remark=listed["remark"])
        else:
            part = usable.assign(
                dataset=dataset, role=_drawn_roles(dataset, usable, settings, run), remark=""
            )
        part = part.dropna(subset=["role"])
        log.info("%s, run %d: %s", dataset, run, part["role"].value_counts().to_dict())
        parts.append(part)
    columns = ["dataset", "subject", "participant", "role", "remark"]
    split = pd.concat(parts, ignore_index=True).reindex(columns=[*columns, "image_hash"])
    check_leaks(split)
    return split[columns]


def _drawn_roles(dataset: str, cohort: pd.DataFrame, settings: SplitSettings, run: int) -> pd.Series:
    """The role of each row of the cohort (missing where a participant is not needed)."""
    counts = settings.datasets[dataset]
    if counts.patients is not None and counts.patients.annotated:
        cohort = _annotated(cohort)
    people = _participants(cohort)
    healthy = people[people["group"] != "patient"]
    if counts.train and len(healthy) and healthy["held_out"].all():
        raise InputError(
            f"{dataset}: curation holds out all {len(healthy)} healthy participants, so that none is left to train "
            "on; lower `held_out_share` under curation.selection."
        )
    roles: dict[str, str] = {}
    for name, (members, wanted) in _groups(people, counts).items():
        if members.empty:
            continue
        order = _stratified_order(members, numpy_generator(settings.seed, "split", dataset, name))
        sizes = _sizes(len(order), wanted, f"{dataset}, {name}")
        roles |= _rotated_roles(order, sizes, run % settings.folds)
    return cohort["participant"].map(roles)


def _annotated(cohort: pd.DataFrame) -> pd.DataFrame:
    """Without abnormal scans that have no lesion mask; the whole cohort where none has one.

    A person of whom only normal scans are left counts as healthy: nothing abnormal of theirs has a role.
    """
    is_patient = cohort["group"] == "patient"
    known = pd.to_numeric(cohort["lesion_voxels"], errors="coerce").notna()
    return cohort[known | ~is_patient] if (is_patient & known).any() else cohort


def _groups(people: pd.DataFrame, counts: DatasetSplit) -> dict[str, tuple[pd.DataFrame, RoleCounts]]:
    """The participants that are split by themselves, and their counts.

    Healthy ones that curation has held out of the training cohort are never trained on: they share validation and
    test in the proportion of the counts. Then the other healthy ones are all trained on, unless patients are among
    them; with patients they are split by the counts.
    """
    groups: dict[str, tuple[pd.DataFrame, RoleCounts]] = {"all": (people, counts)}
    if counts.patients is not None:
        is_patient = people["group"] == "patient"
        groups = {
            "healthy": (people[~is_patient], counts),
            "patient": (people[is_patient], counts.patients),
        }
    first = next(iter(groups))
    drawn = groups[first][0]
    held_out = drawn["held_out"] & (drawn["group"] != "patient")
    if not held_out.any() or not counts.train:
        return groups
    others, kept_apart = drawn[~held_out], counts.validation + counts.test
    all_healthy = kept_apart and (others["group"] != "patient").all()
    groups[first] = (others, RoleCounts(train=1, unit="share") if all_healthy else counts)
    if kept_apart:
        apart = RoleCounts(
            validation=counts.validation / kept_apart, test=counts.test / kept_apart, unit="share"
        )
        groups["held out"] = (drawn[held_out], apart)
    return groups


def _participants(cohort: pd.DataFrame) -> pd.DataFrame:
    """One row per participant, in a fixed order: age of the first session; a patient once is a patient."""
    ages = pd.to_numeric(cohort["age"], errors="coerce")
    table = pd.DataFrame({"participant": cohort["participant"], "age": ages, "group": cohort["group"]})
    table["held_out"] = cohort["held_out"] == "yes" if "held_out" in cohort else False
    people = table.sort_values("participant", kind="stable").groupby("participant")
    # "patient" sorts after "healthy"
    return people.agg(age=("age", "first"), group=("group", "max"), held_out=("held_out", "any"))


def _stratified_order(people: pd.DataFrame, generator: np.random.Generator) -> list[str]:
    """A random order in which every run of participants holds the age groups in their proportions."""
    stratum = np.digitize(people["age"].fillna(-1), AGE_BOUNDS)
    shuffled = pd.Series(stratum, index=people.index).iloc[generator.permutation(len(people))]
    rank = shuffled.groupby(shuffled).cumcount()
    place = (rank + generator.random(len(shuffled))) / shuffled.map(shuffled.value_counts())
    return place.sort_values(kind="stable").index.tolist()


def _sizes(available: int, counts: RoleCounts, where: str) -> dict[str, int]:
    """Participants of each role; published counts become proportions in a cohort that is too small."""
    wanted = {role: getattr(counts, role) for role in ROLES}
    if counts.unit == "participants" and sum(wanted.values()) <= available:
        return {role: int(count) for role, count in wanted.items()}
    total = 1.0 if counts.unit == "share" else sum(wanted.values())
    used = [role for role in ROLES if wanted[role] > 0]
    if available < len(used):
        raise InputError(
            f"{where}: {available} participants for the roles {', '.join(used)}; "
            f"at least {len(used)} are needed."
        )
    goal = min(available, round(available * sum(wanted.values()) / total))
    exact = {role: available * wanted[role] / total for role in used}
    sizes = {role: max(1, int(exact[role])) for role in used}
    while sum(sizes.values()) < goal:
        sizes[max(used, key=lambda role: exact[role] - sizes[role])] += 1
    while sum(sizes.values()) > available:
        sizes[max(used, key=lambda role: sizes[role])] -= 1
    if counts.unit == "participants":
        log.warning("%s: %d participants, fewer than %g; split as %s", where, available, total, sizes)
    return {role: sizes.get(role, 0) for role in ROLES}


def _rotated_roles(order: list[str], sizes: Mapping[str, int], fold: int) -> dict[str, str]:
    """The first participants are the test set of every fold; validation moves through the others.

    Without training there is nothing to rotate and validation stays too.
    """
    test, rest = order[: sizes["test"]], order[sizes["test"] :]
    rest = rest[: sizes["train"] + sizes["validation"]]
    shift = fold * sizes["validation"] % len(rest) if rest and sizes["train"] else 0
    rest = rest[shift:] + rest[:shift]
    validation, train = rest[: sizes["validation"]], rest[sizes["validation"] :]
    named = {"test": test, "validation": validation, "train": train}
    return {participant: role for role, members in named.items() for participant in members}


def check_leaks(split: pd.DataFrame) -> None:
    """Raises `InputError` where a participant, or one and the same image, has more than one role.

    `split` has dataset, subject, participant and role; images are compared where it has an `image_hash`.
    """
    people = split.groupby(["dataset", "participant"])["role"].nunique()
    leaks = people[people > 1]
    if len(leaks):
        in_leaks = pd.MultiIndex.from_frame(split[["dataset", "participant"]]).isin(leaks.index)
        named = ", ".join(split.loc[in_leaks, "subject"].head(5))
        raise InputError(f"The split leaks: {len(leaks)} participants have several roles (subjects {named}).")
    if "image_hash" not in split:
        return
    hashed = split[split["image_hash"].fillna("") != ""]
    images = hashed.groupby("image_hash")["role"].nunique()
    same = images[images > 1]
    if len(same):
        named = ", ".join(hashed.loc[hashed["image_hash"].isin(same.index), "subject"].head(6))
        raise InputError(
            f"The split leaks: {len(same)} images occur under several roles (subjects {named}). "
            "They are copies of one scan: give them one participant, or exclude all but one."
        )
