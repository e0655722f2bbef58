"""The tables of the leaderboard from fabricated scores."""

from dataclasses import replace
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from brainuad.leaderboard.field import SUPERVISED
from brainuad.leaderboard.inputs import RankingInputs
from brainuad.leaderboard.rank import ENTRANT_COLUMNS, Ranking, rank_methods
from brainuad.leaderboard.settings import LeaderboardSettings
from brainuad.leaderboard.summary import RANKING_COLUMNS
from brainuad.reporting.pages.ranking import ranking_page
from brainuad.storage import read_table, write_table
from tests.unit.leaderboard.toy import QUICK, Made, make_inputs, name


@pytest.fixture(scope="module")
def ranking(two_studies: RankingInputs) -> Ranking:
    return rank_methods(two_studies, QUICK, seed=0)


def rows(
    table: pd.DataFrame, contest: str, metric: str, protocol: str = "", stratum: str = ""
) -> pd.DataFrame:
    chosen = (table["contest"] == contest) & (table["metric"] == metric)
    chosen &= (table["protocol"] == protocol) & (table["stratum"] == stratum)
    found = table[chosen]
    return found.set_index(found["study"] + "/" + found["method"])


def test_means_are_over_the_subjects_that_all_studies_tested_on(
    ranking: Ranking, two_studies: RankingInputs
) -> None:
    found = rows(ranking.ranking, "brats21", "auprc")
    assert set(found["subjects"]) == {10}
    entrant = two_studies.entrants[0]
    common = [name("brats21", number) for number in range(10, 20)]
    expected = []
    for run in range(2):
        scores = read_table(entrant.scores(run))
        scores = scores[(scores["metric"] == "auprc") & scores["subject"].isin(common)]
        expected.append(scores["value"].astype(float).mean())
    row = found.loc["alpha/dae"]
    assert row["mean"] == pytest.approx(np.mean(expected))
    assert row["sd"] == pytest.approx(np.std(expected, ddof=1))
    assert row["runs"] == 2


def test_ranks_follow_the_means_of_the_ranked_methods(ranking: Ranking) -> None:
    for metric, protocol in (("auprc", ""), ("dice", "validation")):
        found = rows(ranking.ranking, "brats21", metric, protocol).dropna(subset=["rank"])
        assert found.sort_values("rank").index.tolist() == found.sort_values("mean").index.tolist()[::-1]
        assert sorted(found["rank"]) == [1, 2, 3, 4, 5, 6]
        assert (found["rank_low"] <= found["rank_high"]).all()


def test_oracle_values_are_never_ranked(ranking: Ranking) -> None:
    found = rows(ranking.ranking, "brats21", "dice", "oracle")
    assert found["mean"].notna().all()
    assert found["rank"].isna().all()


def test_a_supervised_method_is_a_reference(ranking: Ranking) -> None:
    assert np.isnan(rows(ranking.ranking, "brats21", "auprc").loc["alpha/unet", "rank"])
    assert rows(ranking.ranking, "brats21", "auprc").loc["alpha/unet", "scope"] == "common"
    listed = ranking.entrants.set_index(["contest", "study", "method"])
    assert listed.loc[("brats21", "alpha", "unet"), "reason"] == SUPERVISED


def test_groups_divide_the_common_subjects(ranking: Ranking) -> None:
    table = ranking.ranking
    for prefix in ("lesion load", "age", "sex"):
        strata = table[(table["contest"] == "brats21") & table["stratum"].str.startswith(prefix)]
        assert strata.groupby(["study", "method", "metric"])["subjects"].sum().eq(10).all()


def test_cost_and_healthy_errors_are_of_the_methods_own_scans(ranking: Ranking) -> None:
    table = ranking.ranking
    assert rows(table, "brats21", "seconds_per_volume").loc["alpha/dae", "mean"] == pytest.approx(1.6)
    assert rows(table, "brats21", "training_hours").loc["alpha/dae", "mean"] == pytest.approx(2.4)
    healthy = rows(table, "brats21", "fpr", "validation")
    assert healthy.loc["alpha/dae", ["subjects", "scope"]].tolist() == [4, "own"]
    assert "beta/pddpm" not in healthy.index  # its study has no healthy scans


def test_pairs_of_two_studies_are_compared_on_their_common_subjects(ranking: Ranking) -> None:
    pairs = ranking.pairs["brats21"]
    across = pairs[pairs["study_a"] != pairs["study_b"]]
    within = pairs[(pairs["study_a"] == "beta") & (pairs["study_b"] == "beta")]
    assert set(across["n"]) == {10}
    assert set(within["n"]) == {20}
    assert set(pairs["metric"]) == {"auprc", "dice"}


def test_what_each_study_worked_with_is_listed(ranking: Ranking) -> None:
    listed = ranking.entrants.set_index(["contest", "study", "method"])
    row = listed.loc[("brats21", "beta", "pddpm")]
    assert row[["modalities", "spacing_mm", "training"]].tolist() == ["flair t1", "4 4 4", "ixi"]
    assert row[["test_subjects", "common_subjects"]].tolist() == [20, 10]


def test_contests_agree_on_the_methods_that_both_have(ranking: Ranking) -> None:
    row = ranking.agreement.set_index("metric").loc["auprc"]
    assert (row["contest_a"], row["contest_b"], row["methods"]) == ("brats21", "mslub", 3)
    first = ranking.across[ranking.across["metric"] == "auprc"].iloc[0]
    assert (first["study"], first["method"]) == ("alpha", "dae")


def test_the_same_seed_gives_the_same_tables(ranking: Ranking, two_studies: RankingInputs) -> None:
    again = rank_methods(two_studies, QUICK, seed=0)
    pd.testing.assert_frame_equal(again.ranking, ranking.ranking)
    pd.testing.assert_frame_equal(again.pairs["brats21"], ranking.pairs["brats21"])


def test_thresholds_from_healthy_scans_are_marked(tmp_path: Path) -> None:
    inputs = make_inputs(tmp_path, {"one": Made({"a": 0.5, "b": 0.7}, {"mslub": range(5)})})
    path = inputs.entrants[0].scores(0)
    path.write_text(path.read_text().replace("threshold_fallback\t\t0.0", "threshold_fallback\t\t1.0"))
    table = rank_methods(inputs, QUICK, 0).ranking
    for metric in ("dice", "lesion_f1", "fpr"):
        found = rows(table, "mslub", metric, "validation")
        assert found["fallback"].to_dict() == {"one/a": True, "one/b": False}
    assert not rows(table, "mslub", "dice", "yen")["fallback"].any()


def test_borrowed_thresholds_are_marked_and_their_scans_named(tmp_path: Path) -> None:
    origins = {"validation": "patient:brats21", "healthy-fpr": "slices:brats21"}
    made = Made(
        {"a": 0.5}, {"msseg": range(5)}, chosen_on=origins, borrowed=("validation",), healthy="slices:brats21"
    )
    ranking = rank_methods(make_inputs(tmp_path, {"one": made}), QUICK, 0)
    assert rows(ranking.ranking, "msseg", "dice", "validation")["borrowed"].tolist() == [True]
    assert rows(ranking.ranking, "msseg", "dice", "healthy-fpr")["borrowed"].tolist() == [False]
    (row,) = ranking.entrants.to_dict("records")
    assert (row["validation_from"], row["healthy_fpr_from"]) == ("patient:brats21", "slices:brats21")
    assert (row["fpr_scans"], row["lesion_subjects"]) == ("slices:brats21", 5)
    assert rows(ranking.ranking, "msseg", "fpr", "yen")["subjects"].tolist() == [4]


def test_the_rate_is_that_of_the_first_healthy_scans_that_there_are(tmp_path: Path) -> None:
    made = Made({"a": 0.5}, {"cq500": range(3)}, healthy="hospital_ct")
    (entrant,) = make_inputs(tmp_path, {"one": made}).entrants
    scores = read_table(entrant.scores(0))
    subject = name("cq500", 0)
    own = scores[scores["metric"] == "fpr"].assign(stratum="", value="0.5")
    own = pd.concat([own, own[own["protocol"] == "yen"].assign(subject=subject)])
    write_table(pd.concat([scores, own]), entrant.scores(0))
    for strata, expected in (
        (("", "hospital_ct"), "healthy:cq500"),
        (("hospital_ct", ""), "healthy:hospital_ct"),
    ):
        ranking = rank_methods(RankingInputs((replace(entrant, healthy=strata),)), QUICK, 0)
        assert ranking.entrants["fpr_scans"].tolist() == [expected]
        (rate,) = rows(ranking.ranking, "cq500", "fpr", "yen").to_dict("records")
        assert (rate["mean"] == 0.5) == (expected == "healthy:cq500")
        assert rate["subjects"] == (1 if expected == "healthy:cq500" else 4)


def test_a_method_without_a_validated_threshold_has_no_rank_by_it(tmp_path: Path) -> None:
    inputs = make_inputs(tmp_path, {"one": Made({"a": 0.5, "b": 0.7}, {"mslub": range(5)})})
    path = inputs.entrants[0].scores(0)
    kept = [
        line
        for line in path.read_text().splitlines(True)
        if "\tvalidation\t" not in line and "validation\tdice" not in line
    ]
    path.write_text("".join(kept))
    table = rank_methods(inputs, QUICK, 0).ranking
    assert rows(table, "mslub", "auprc")["rank"].tolist() == [2, 1]
    assert rows(table, "mslub", "dice", "validation")["rank"].to_dict() == {"one/b": 1}


def test_a_method_that_failed_is_an_entrant_without_a_rank(tmp_path: Path) -> None:
    made = Made(
        {"a": 0.5, "b": 0.7, "c": 0.4}, {"mslub": range(6)}, unfinished=("b",), failed={"c": (0, 1, 2)}
    )
    ranking = rank_methods(make_inputs(tmp_path, {"one": made}), QUICK, 0)
    reasons = ranking.entrants.set_index("method")["reason"].to_dict()
    assert reasons == {"a": "", "b": "no result", "c": "failed on 3 of 6 test subjects"}
    found = rows(ranking.ranking, "mslub", "auprc")
    assert found.loc["one/c", ["subjects", "scope"]].tolist() == [3, "own"]
    assert found["rank"].dropna().to_dict() == {"one/a": 1}


def test_nothing_finished_gives_empty_tables(tmp_path: Path) -> None:
    made = Made({"a": 0.5}, {"mslub": range(3)}, unfinished=("a",))
    ranking = rank_methods(make_inputs(tmp_path, {"one": made}), QUICK, 0)
    assert ranking.entrants["reason"].tolist() == ["no result"]
    assert ranking.pairs["mslub"].empty
    assert ranking.ranking["rank"].isna().all()


def test_no_study_gives_tables_with_headings_alone() -> None:
    ranking = rank_methods(RankingInputs(()), LeaderboardSettings(), 0)
    assert ranking.ranking.columns.tolist() == RANKING_COLUMNS
    assert ranking.entrants.columns.tolist() == ENTRANT_COLUMNS


def test_written_tables_hold_no_subject(ranking: Ranking, tmp_path: Path) -> None:
    ranking.write(tmp_path)
    written = sorted(path.relative_to(tmp_path).as_posix() for path in tmp_path.rglob("*.tsv"))
    assert written == [
        "across.tsv", "agreement.tsv", "entrants.tsv", "not_scored.tsv", "pairs/brats21.tsv", "pairs/mslub.tsv",
        "ranking.tsv",
    ]  # fmt: skip
    assert not any("BRATS21" in path.read_text() for path in tmp_path.rglob("*.tsv"))


def test_an_entrant_can_be_ranked_in_a_contest_of_its_own(two_studies: RankingInputs) -> None:
    own = [replace(entrant, contest="alpha-planted") for entrant in two_studies.entrants[:3]]
    ranking = rank_methods(RankingInputs(tuple(own)), QUICK, 0)
    assert set(rows(ranking.ranking, "alpha-planted", "auprc")["subjects"]) == {20}


def test_a_data_set_without_lesion_masks_lists_its_methods_without_a_rank(tmp_path: Path) -> None:
    inputs = make_inputs(tmp_path, {"alpha": Made({"dae": 0.8, "vae": 0.3}, {"cq500": range(4)}, healthy="")})
    for entrant in inputs.entrants:
        index = read_table(entrant.arrays / "index.tsv").assign(lesion_voxels="")
        write_table(index, entrant.arrays / "index.tsv")
        rows = [(subject, "", "image_score", "", 0.2) for subject in index["subject"]]
        rows += [("pooled", "", "auroc", "", 0.9), ("pooled", "", "subjects_with_lesion", "", 0)]
        table = pd.DataFrame(rows, columns=["subject", "protocol", "metric", "stratum", "value"])
        labels = {"study": "alpha", "method": entrant.method, "run": 0, "dataset": "cq500"}
        write_table(table.assign(**labels, threshold=0.1), entrant.scores(0))
    found = rank_methods(inputs, QUICK, seed=0)
    assert set(found.entrants["reason"]) == {"no result"}
    assert found.ranking["rank"].isna().all()
    found.write(tmp_path / "leaderboard")
    (contest,) = ranking_page(tmp_path / "leaderboard", ()).contests
    assert contest.label == "CQ500"
