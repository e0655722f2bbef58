"""Who is ranked with whom."""

import numpy as np
import pandas as pd

from brainuad.leaderboard.field import SUPERVISED, choose_field


def table(**columns: str) -> pd.DataFrame:
    """Values of methods written `study__method="pqr"`, each letter a subject that the method scored."""
    subjects = sorted(set("".join(columns.values())))
    values = {
        key.replace("__", "/"): [0.5 if subject in scored else np.nan for subject in subjects]
        for key, scored in columns.items()
    }
    return pd.DataFrame(values, index=subjects)


def everyone(values: pd.DataFrame) -> dict[str, set[str]]:
    return {key: set(values.index[values[key].notna()]) for key in values}


def test_methods_are_ranked_on_the_subjects_that_all_scored() -> None:
    values = table(one__a="pqrs", one__b="pqrs", two__c="rstu")
    field = choose_field(values, everyone(values), 2, 0.2)
    assert (field.methods, field.subjects, field.left_out) == (("one/a", "one/b", "two/c"), ("r", "s"), {})


def test_a_study_that_shares_too_few_subjects_is_left_out_with_the_reason() -> None:
    values = table(one__a="pqrs", one__b="pqrs", two__c="stuv")
    field = choose_field(values, everyone(values), 2, 0.2)
    assert field.methods == ("one/a", "one/b")
    assert field.subjects == ("p", "q", "r", "s")
    assert field.left_out == {"two/c": "1 common test subjects, at least 2 are needed"}


def test_the_field_has_as_many_methods_as_possible() -> None:
    values = table(one__a="pq", two__b="pqrs", three__c="rs", three__d="rs")
    field = choose_field(values, everyone(values), 2, 0.2)
    assert field.methods == ("two/b", "three/c", "three/d")
    assert field.subjects == ("r", "s")


def test_a_method_that_failed_often_does_not_take_subjects_from_the_others() -> None:
    values = table(one__a="pqrst", one__b="pqrst", one__c="pq")
    subjects = {key: set("pqrst") for key in values}
    field = choose_field(values, subjects, 2, 0.2)
    assert field.left_out == {"one/c": "failed on 3 of 5 test subjects"}
    assert field.subjects == ("p", "q", "r", "s", "t")


def test_a_subject_that_one_method_failed_on_counts_for_none() -> None:
    values = table(one__a="pqrst", one__b="pqrs")
    field = choose_field(values, {key: set("pqrst") for key in values}, 2, 0.2)
    assert field.subjects == ("p", "q", "r", "s")


def test_subjects_without_a_lesion_are_nobodys_failure() -> None:
    values = table(one__a="pq", one__b="pq")
    field = choose_field(values, {key: set("pqrstuvw") for key in values}, 2, 0.2)
    assert field.subjects == ("p", "q")
    assert field.left_out == {}


def test_a_method_without_scores_is_left_out() -> None:
    values = table(one__a="pq")
    field = choose_field(values, {**everyone(values), "one/b": set()}, 2, 0.2)
    assert field.left_out == {"one/b": "no result"}


def test_a_single_method_is_a_field() -> None:
    values = table(one__a="pq")
    assert choose_field(values, everyone(values), 2, 0.2).methods == ("one/a",)


def test_one_subject_is_too_few() -> None:
    values = table(one__a="p", one__b="p")
    field = choose_field(values, everyone(values), 2, 0.2)
    assert (field.methods, field.subjects) == ((), ())
    assert set(field.left_out.values()) == {"1 common test subjects, at least 2 are needed"}


def test_supervised_methods_are_references_without_a_rank() -> None:
    values = table(one__a="pq", one__unet="pq")
    field = choose_field(values, everyone(values), 2, 0.2, ["one/unet"])
    assert field.methods == ("one/a",)
    assert field.left_out == {"one/unet": SUPERVISED}


def test_supervised_methods_alone_compete_with_each_other() -> None:
    values = table(one__unet="pq", one__nnunet="pq")
    assert len(choose_field(values, everyone(values), 2, 0.2, list(values)).methods) == 2


def test_nothing_scored_gives_an_empty_field() -> None:
    assert choose_field(pd.DataFrame(), {"one/a": set()}, 2, 0.2).methods == ()
