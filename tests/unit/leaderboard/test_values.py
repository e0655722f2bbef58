"""Which scores count, and the groups of patients."""

from dataclasses import replace
from pathlib import Path

import pandas as pd
import pytest

from brainuad.leaderboard.inputs import Entrant, RankingInputs
from brainuad.leaderboard.values import eligible_subjects, read_contest, size_group, subject_groups
from brainuad.storage import write_table
from tests.unit.leaderboard.toy import Made, make_study, name


def entrant(**changes: object) -> Entrant:
    plain = Entrant("one", "a", "A", "ixi_mni", "ixi_mni", Path("arrays"))
    return replace(plain, **changes)  # type: ignore[arg-type]


def split(*rows: tuple[str, str, str]) -> pd.DataFrame:
    return pd.DataFrame(rows, columns=["dataset", "subject", "role"])


def test_only_test_subjects_of_the_data_set_are_eligible() -> None:
    roles = split(("ixi_mni", "p", "test"), ("ixi_mni", "q", "train"), ("other", "r", "test"))
    assert eligible_subjects(roles, entrant()) == {"p"}


def test_a_subject_that_was_learnt_from_under_another_name_is_not_eligible() -> None:
    roles = split(
        ("ixi_mni", "p", "test"), ("ixi_mni", "q", "test"), ("ixi", "p", "train"), ("ixi", "q", "test")
    )
    assert eligible_subjects(roles, entrant(same_scans=("ixi",))) == {"q"}


def test_scores_of_subjects_that_a_run_learnt_from_are_not_read(tmp_path: Path) -> None:
    (one,) = make_study(tmp_path, "one", Made({"a": 0.5}, {"mslub": range(4)}, runs=2))
    roles = split(*(("mslub", name("mslub", i), "test" if i < 2 else "train") for i in range(4)))
    write_table(roles.assign(participant=""), one.split(1))
    scores = read_contest([one])
    values = scores.by_run("auprc", "")
    assert values[("one/a", 0)].notna().sum() == 4
    assert values[("one/a", 1)].notna().sum() == 2
    # The others count with the run in which they were test subjects.
    only_first = values.loc[name("mslub", 3)]
    assert scores.table("auprc").loc[name("mslub", 3), "one/a"] == only_first[("one/a", 0)]
    both = values.loc[name("mslub", 0)]
    assert scores.table("auprc").loc[name("mslub", 0), "one/a"] == pytest.approx(both.mean())


def test_runs_that_did_not_finish_are_counted_as_such(two_studies: RankingInputs) -> None:
    absent = replace(two_studies.entrants[0], method="absent")
    scores = read_contest([two_studies.entrants[0], absent])
    assert scores.runs == {"alpha/dae": 2, "alpha/absent": 0}
    assert scores.tested["alpha/absent"] == set()


@pytest.mark.parametrize(
    ("volume", "group"),
    [
        (0, ""),
        (float("nan"), ""),
        (0.1, "small"),
        (1, "small"),
        (1.1, "medium"),
        (10, "medium"),
        (11, "large"),
    ],
)
def test_lesion_volumes_fall_into_three_groups(volume: float, group: str) -> None:
    assert size_group(volume, (1, 10)) == group


def test_a_subject_is_in_one_group_for_all_studies(two_studies: RankingInputs) -> None:
    groups = subject_groups(two_studies.of_contest("brats21"), ("age", "sex", "site"), (1, 10))
    assert len(groups) == 30
    assert groups.loc[name("brats21", 1)].to_dict() == {
        "lesion load": "small",
        "age": "20-40",
        "sex": "M",
        "site": "",
    }
    assert groups.loc[name("brats21", 2), "lesion load"] == "large"


def test_arrays_that_are_not_there_have_no_groups() -> None:
    assert subject_groups([entrant()], ("age",), (1, 10)).empty
