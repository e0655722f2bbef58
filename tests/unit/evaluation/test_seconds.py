"""The table of what each subject took."""

import json

import pandas as pd
import pytest

from brainuad.evaluation.evaluate import evaluate_method
from brainuad.evaluation.settings import EvaluationSettings
from brainuad.storage import read_table, write_table
from tests.unit.evaluation.toy import (
    LABELS,
    PATIENTS,
    TEST,
    change_manifest,
    open_maps,
    split_of,
    write_dataset,
)
from tests.verbs import run

SPLIT = split_of(toy=PATIENTS)


@pytest.fixture
def folder(tmp_path):
    write_dataset(tmp_path, "toy", PATIENTS)
    for number, subject in enumerate(TEST):
        change_manifest(tmp_path, "toy", subject, seconds=10 + number)
    return tmp_path


def test_post_processing_is_added_to_the_inference(folder):
    settings = EvaluationSettings(postprocessing=({"step": "median", "size": 3},))
    seconds = evaluate_method(open_maps(folder, "toy"), SPLIT, [], settings, LABELS).seconds
    assert seconds["subject"].tolist() == list(TEST)
    assert seconds["seconds"].tolist() == [10, 11, 12]
    assert (seconds["seconds_postprocessing"] > 0).all()
    total = seconds["seconds"] + seconds["seconds_postprocessing"]
    assert seconds["seconds_total"].tolist() == total.tolist()


def test_scores_do_not_depend_on_the_clock(folder):
    first, second = (
        evaluate_method(open_maps(folder, "toy"), SPLIT, [], EvaluationSettings(), LABELS) for _ in range(2)
    )
    pd.testing.assert_frame_equal(first.scores, second.scores)
    assert not first.scores["metric"].str.contains("seconds").any()


def test_the_verb_writes_the_table_where_asked(folder):
    write_table(SPLIT, folder / "split.tsv")
    job = json.dumps({**LABELS, "evaluation": {}})
    files = {"maps": "maps/toy.tsv", "arrays": "arrays/toy/index.tsv", "split": "split.tsv"}
    files |= {"scores": "scores.tsv", "curve": "curve.tsv"}
    options = [part for name, path in files.items() for part in (f"--{name}", folder / path)]
    run("evaluate", "--settings", job, *options)
    assert not (folder / "seconds.tsv").exists()
    run("evaluate", "--settings", job, *options, "--seconds", folder / "seconds.tsv")
    table = read_table(folder / "seconds.tsv")
    assert table.columns.tolist() == ["subject", "seconds", "seconds_postprocessing", "seconds_total"]
    assert table["subject"].tolist() == list(TEST)


def test_unknown_seconds_of_the_inference_stay_unknown(tmp_path):
    write_dataset(tmp_path, "toy", PATIENTS)
    seconds = evaluate_method(open_maps(tmp_path, "toy"), SPLIT, [], EvaluationSettings(), LABELS).seconds
    assert seconds["seconds"].isna().all()
    assert (seconds["seconds_postprocessing"] > 0).all()
