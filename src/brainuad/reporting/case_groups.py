"""Which subjects a figure shows by what they have: a lesion of some size, none, or a name on a user's list.

Bercea 2023 (AutoDDPM), Figure 3: healthy slices, strokes and artefacts of ATLAS.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from brainuad.arrays import ArrayStore
from brainuad.reporting.inputs import StudyEntry
from brainuad.reporting.picture_settings import CaseGroup
from brainuad.reporting.volumes import Case, Ranking, lesion_voxels, rank_subjects


@dataclass(frozen=True)
class CaseRow:
    """A row of a figure: how the case is written, or the `reason` why there is none."""

    label: str
    case: Case | None
    reason: str = ""


def choose_groups(
    store: ArrayStore, study: StudyEntry, dataset: str, groups: Sequence[CaseGroup]
) -> list[CaseRow]:
    """The rows of each group in turn; a group without a case has one that says why. [] where nothing is scored."""
    ranking = rank_subjects(store, study, dataset)
    if not ranking.subjects:
        return []
    return [row for group in groups for row in _rows_of(group, ranking, study)]


def _rows_of(group: CaseGroup, ranking: Ranking, study: StudyEntry) -> list[CaseRow]:
    if group.kind == "named":
        return _named(group, ranking)
    if group.kind == "healthy":
        cases, which = _without_lesion(ranking, group.subjects)
        missing = "no slice without a lesion among the test subjects"
    else:
        cases, which = ranking.spread(_with_lesion(group, ranking, study), group.subjects), ""
        missing = "no test subject with a lesion" + (" of this size" if group.stratum else "")
    rows = [CaseRow(f"{group.label}: {case.pseudonym}{which}", case) for case in cases]
    return rows or [CaseRow(group.label, None, missing)]


def _with_lesion(group: CaseGroup, ranking: Ranking, study: StudyEntry) -> list[int]:
    """The places of those with a lesion, in the stratum of the group where it has one."""
    strata = [stratum for stratum in study.evaluation.subject_strata if stratum.name == group.stratum]
    if group.stratum and not strata:
        return []
    voxels = lesion_voxels(ranking.index)
    sizes = {"voxels": voxels, "diameter_mm": ranking.store.sphere_diameters_mm}
    return [
        place
        for place, name in enumerate(ranking.subjects)
        if voxels[name] > 0
        and all(stratum.holds(float(sizes[stratum.by].get(name, 0))) for stratum in strata)
    ]


def _without_lesion(ranking: Ranking, count: int) -> tuple[list[Case], str]:
    """At most `count` healthy subjects, and which kind they are; patients whose whole scan is abnormal are none.

    Where nobody is healthy they are patients without a lesion voxel, and where there is none, slices beside the
    smallest lesions.
    """
    index = ranking.index
    if (healthy := np.flatnonzero(index["group"] == "healthy")).size:
        return ranking.spread(healthy, count), " (healthy subject)"
    abnormal = np.asarray(index["condition"] != "" if "condition" in index else np.zeros(len(index), bool))
    empty = (index["lesion_voxels"] == 0).fillna(False).to_numpy(bool)
    if (places := np.flatnonzero(empty & ~abnormal)).size:
        return ranking.spread(places, count), " (patient, no lesion here)"
    cases: list[Case] = []
    for place in np.flatnonzero(lesion_voxels(index) > 0)[::-1]:
        if len(cases) < count and (z := _slice_without_lesion(ranking, place)) is not None:
            cases.append(ranking.case(place, z))
    return cases, " (slice beside the lesion)"


def _slice_without_lesion(ranking: Ranking, place: int) -> int | None:
    """The slice with the most brain among those without a lesion; None where these have no brain."""
    volume = ranking.store.volume(ranking.subjects[place])
    area = np.where(volume.lesion.any(axis=(1, 2)), 0, volume.brain.sum(axis=(1, 2)))
    return int(area.argmax()) if area.any() else None


def _named(group: CaseGroup, ranking: Ranking) -> list[CaseRow]:
    """The subjects that a user has listed, in that order; one that is not scored has an image and no map."""
    listed = group.subjects_named
    if not listed:
        return [CaseRow(group.label, None, f"no {group.label} slices listed")]
    places = {name: place for place, name in enumerate(ranking.subjects)}
    packed = set(ranking.store.subjects).intersection(listed)
    rows = []
    for name in [name for name in listed if name in packed][: group.subjects]:
        if name in places:
            case = ranking.case(places[name])
            rows.append(CaseRow(f"{group.label}: {case.pseudonym}", case))
        else:
            rows.append(CaseRow(f"{group.label} (not scored)", Case(ranking.dataset, name, 0)))
    return rows or [
        CaseRow(group.label, None, f"none of the {len(listed)} {group.label} slices listed is packed")
    ]
