"""Existing maps scored again, and the verbs that do it."""

import json
from pathlib import Path

import pandas as pd
import pytest
from pydantic import TypeAdapter

from brainuad.leaderboard.inputs import RankingInputs
from brainuad.leaderboard.rescore import Lenders, rescore, voxel_ml
from brainuad.leaderboard.settings import LeaderboardSettings
from brainuad.storage import read_table, write_table
from tests.unit.evaluation.toy import HEALTHY, PATIENTS, SPLIT, open_maps, split_of, value, write_dataset
from tests.unit.leaderboard.toy import QUICK, Made, make_inputs
from tests.verbs import error_of, run

LABELS: dict[str, str | int] = {"study": "s", "method": "m", "run": 0}


def named(folder: Path) -> Lenders:
    """The healthy scans that a study names."""
    return Lenders(healthy=(open_maps(folder, "well"),), named=True)


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("maps")
    write_dataset(path, "toy", PATIENTS)
    write_dataset(path, "well", HEALTHY, group="healthy")
    write_table(SPLIT, path / "split.tsv")
    return path


@pytest.fixture(scope="module")
def scores(folder: Path) -> pd.DataFrame:
    return rescore(open_maps(folder, "toy"), SPLIT, named(folder), QUICK, LABELS)


def test_every_protocol_is_there_for_every_test_patient(scores: pd.DataFrame) -> None:
    for protocol in ("oracle", "validation", "healthy-fpr", "yen"):
        for subject in ("p1", "p2", "p3"):
            assert 0 <= value(scores, "dice", subject, protocol) <= 1


def test_lesion_sizes_are_in_millilitres(folder: Path) -> None:
    # Lesions of 36 voxels of 1 mm are 0.036 ml.
    assert voxel_ml(open_maps(folder, "toy").store) == pytest.approx(0.001)
    fine = LeaderboardSettings(lesion_ml=(0.001, 0.01))
    scores = rescore(open_maps(folder, "toy"), SPLIT, Lenders(), fine, LABELS)
    found = scores[(scores["metric"] == "lesion_recall") & (scores["stratum"] == "large")]
    assert found["value"].notna().any()
    small = scores[(scores["metric"] == "lesion_recall") & (scores["stratum"] == "small")]
    assert small["value"].isna().all()


def test_without_healthy_scans_there_is_no_rate_in_them(folder: Path) -> None:
    scores = rescore(open_maps(folder, "toy"), SPLIT, Lenders(), QUICK, LABELS)
    assert not (scores["metric"] == "fpr").any()


def test_the_verb_writes_the_same_scores(folder: Path, scores: pd.DataFrame) -> None:
    sources = {"healthy": ["well"], "named": True}
    settings = {"version": 1, "leaderboard": QUICK.model_dump(mode="json"), "sources": sources, **LABELS}
    maps, arrays = folder / "maps", folder / "arrays"
    run(
        "rescore", "--settings", json.dumps(settings), "--split", folder / "split.tsv",
        "--maps", maps / "toy.tsv", "--arrays", arrays / "toy/index.tsv", "--healthy-maps", maps / "well.tsv",
        "--healthy-arrays", arrays / "well/index.tsv", "--scores", folder / "scores.tsv",
    )  # fmt: skip
    written = read_table(folder / "scores.tsv")
    assert pd.to_numeric(written["value"]).tolist() == pytest.approx(scores["value"].tolist(), nan_ok=True)


def test_the_verb_opens_the_maps_of_several_lenders(folder: Path, tmp_path: Path) -> None:
    tested, others = {"q1": "test"}, {"o1": "validation", "o2": "validation"}
    write_dataset(folder, "tested", tested)
    write_dataset(folder, "others", others)
    write_table(pd.concat([SPLIT, split_of(tested=tested, others=others)]), tmp_path / "split.tsv")
    sources = {"patients": ["toy", "others"], "healthy": ["well"]}
    settings = {"version": 1, "leaderboard": QUICK.model_dump(mode="json"), "sources": sources, **LABELS}
    maps, arrays = folder / "maps", folder / "arrays"
    words = (
        "rescore", "--settings", json.dumps(settings), "--split", tmp_path / "split.tsv",
        "--maps", maps / "tested.tsv", "--arrays", arrays / "tested/index.tsv",
        "--patient-maps", f"{maps}/toy.tsv {maps}/others.tsv",
        "--healthy-maps", maps / "well.tsv", "--healthy-arrays", arrays / "well/index.tsv",
        "--scores", tmp_path / "scores.tsv",
    )  # fmt: skip
    run(*words, "--patient-arrays", f"{arrays}/toy/index.tsv {arrays}/others/index.tsv")
    written = read_table(tmp_path / "scores.tsv")
    rows = written[written["metric"] == "threshold_scans"]
    found = set(zip(rows["protocol"], rows["stratum"], rows["value"], strict=True))
    assert found == {
        ("validation", "patient:toy", "2.0"),
        ("validation", "patient:others", "2.0"),
        ("healthy-fpr", "healthy:well", "2.0"),
    }
    text = error_of(*words, "--patient-arrays", f"{arrays}/toy/index.tsv")
    assert "2 manifests of maps and 1 indices of arrays" in text


def test_the_verb_ranks_what_the_workflow_describes(tmp_path: Path) -> None:
    inputs = make_inputs(tmp_path, {"one": Made({"a": 0.5, "b": 0.7}, {"mslub": range(4)})})
    described = TypeAdapter(RankingInputs).dump_python(inputs, mode="json")
    settings = {"version": 1, "inputs": described, "leaderboard": QUICK.model_dump(mode="json"), "seed": 0}
    run("rank", "--settings", json.dumps(settings), "--output", tmp_path / "board/ranking.tsv")
    table = read_table(tmp_path / "board/ranking.tsv")
    ranks = table[(table["metric"] == "auprc") & (table["rank"] != "")]
    assert dict(zip(ranks["method"], ranks["rank"], strict=True)) == {"a": "2.0", "b": "1.0"}
