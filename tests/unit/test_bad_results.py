"""Arrays, splits and score tables that do not fit together: each verb names the file and what is wrong."""

import inspect
import json
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest

from brainuad.cli.main import app
from brainuad.errors import InputError
from brainuad.evaluation.score_rows import SCORE_COLUMNS
from brainuad.storage import read_table, write_table
from brainuad.training.cost import read_cost
from tests.unit.scoring import evaluate, infer, remove_lesions
from tests.verbs import error_of, run

Change = Callable[[Path], Any]


def without(column: str) -> Change:
    return lambda path: write_table(read_table(path).drop(columns=column), path)


def with_values(**values: str) -> Change:
    return lambda path: write_table(read_table(path).assign(**values), path)


def same_row_twice(path: Path) -> None:
    table = read_table(path)
    write_table(pd.concat([table, table]), path)


def text_of(content: str) -> Change:
    return lambda path: path.write_text(content)


@pytest.mark.parametrize(
    ("name", "change", "expected"),
    [
        ("index.tsv", without("group"), "the columns group are missing"),
        ("index.tsv", without("slices"), "the columns slices are missing"),
        ("index.tsv", with_values(slices="1.5"), "slices is not a whole number"),
        ("index.tsv", with_values(first_slice=""), "first_slice is not a whole number"),
        ("index.tsv", with_values(lesion_voxels="x"), "lesion_voxels is not a whole number"),
        ("index.tsv", with_values(first_slice="900"), "slices where index.tsv has"),
        ("index.tsv", same_row_twice, "p0, p1, p2 more than once"),
        ("recipe.json", text_of("[]"), "recipe.json: channels is not what packing writes"),
        ("recipe.json", text_of('{"channels": ["t2"], "size": [0, 9]}'), "recipe.json: size is not"),
        ("recipe.json", text_of('{"channels": ["t2"], "size": [9, 9]}'), "are not those of recipe.json"),
        ("lesion.npy", lambda path: np.save(path, np.load(path)[:3]), "3 slices where index.tsv has 18"),
        ("lesion.npy", lambda path: np.save(path, np.load(path)[:, :5]), "are not those of recipe.json"),
        ("lesion.npy", lambda path: np.save(path, np.zeros(())), "are not those of recipe.json"),
    ],
)
def test_arrays_that_do_not_fit_together_are_named(
    scored: dict[str, Path], name: str, change: Change, expected: str
) -> None:
    change(scored["patients"].with_name(name))
    shutil.rmtree(scored["patients maps"].with_suffix(""))
    assert expected in error_of(*infer(scored))


@pytest.mark.parametrize(
    ("change", "expected"),
    [
        (same_row_twice, "h0, h1, h2, h3, h4 more than once"),
        (with_values(role="tets"), "role 'tets' is not one of train, validation, test"),
    ],
)
def test_a_split_in_which_somebody_counts_twice_or_not_at_all_is_refused(
    scored: dict[str, Path], change: Change, expected: str
) -> None:
    change(scored["split"])
    assert expected in error_of(*evaluate(scored))


COLUMN = {"label": "Dice", "dataset": "patients", "metric": "dice", "protocol": "validation"}


def tabulate(places: dict[str, Path]) -> tuple[Any, ...]:
    table = {"title": "T", "rows": [{"method": "m", "label": "M"}], "columns": [COLUMN]}
    folder = places["split"].parent
    settings = json.dumps({"table": table, "phantoms": [], "remarks": {}, "methods": []})
    return ("tabulate", "--settings", settings, "--output", folder / "t.csv", folder / "scores.tsv")


@pytest.mark.parametrize(
    ("change", "expected"),
    [
        (without("stratum"), "the columns stratum are missing"),
        (with_values(run="x"), "run is not a number in every row"),
        (with_values(run=""), "run is not a number in every row"),
        (with_values(value="high"), "value is not a number in every row"),
    ],
)
def test_a_wrong_score_table_is_named(scored: dict[str, Path], change: Change, expected: str) -> None:
    run(*evaluate(scored))
    change(scored["split"].with_name("scores.tsv"))
    text = error_of(*tabulate(scored))
    assert "scores.tsv: " in text
    assert expected in text


def test_a_table_says_that_a_threshold_fell_back(scored: dict[str, Path]) -> None:
    run(*evaluate(scored, healthy=True))
    run(*tabulate(scored))
    path = scored["split"].with_name("t.md")
    assert "threshold from healthy scans" not in path.read_text()
    remove_lesions(scored, "p0")
    run(*evaluate(scored, healthy=True))
    run(*tabulate(scored))
    assert "(threshold from healthy scans)" in path.read_text()


VERBS = ("simulate", "index", "preprocess", "pack", "split", "plant", "train", "calibrate", "infer", "evaluate",
         "embed", "export", "compare", "tabulate", "plot", "report", "rescore", "rank")  # fmt: skip

NUMBERS = ("run", "max_failed_share")


def call(verb: str, settings: str, folder: Path) -> tuple[Any, ...]:
    """A verb with files that are not there: its settings are read before them."""
    found = next(c for c in app.registered_commands if c.callback and c.callback.__name__ == verb)
    assert found.callback is not None
    parameters = inspect.signature(found.callback).parameters
    options = [name for name, value in parameters.items() if value.default is value.empty]
    positional = [name for name in options if parameters[name].annotation == list[Path]]
    words: list[Any] = [verb, "--settings", settings]
    for name in options:
        if name not in ("settings", *positional):
            words += [f"--{name.replace('_', '-')}", "0" if name in NUMBERS else folder / name]
    return (*words, *(folder / name for name in positional))


@pytest.mark.parametrize("verb", VERBS)
@pytest.mark.parametrize(
    ("settings", "expected"),
    [
        ('{"version": 1,', "--settings: not readable as JSON"),
        ("[1]", "--settings: expected keys and values"),
        ("{}", "Error: "),
    ],
)
def test_malformed_settings_of_a_verb_are_one_message(
    tmp_path: Path, verb: str, settings: str, expected: str
) -> None:
    write_table(pd.DataFrame({"subject": ["folder"], "status": ["ok"]}), tmp_path / "quality")
    split = pd.DataFrame(columns=["dataset", "subject", "participant", "role"])
    write_table(split, tmp_path / "split")
    scores = pd.DataFrame(columns=SCORE_COLUMNS)
    write_table(scores, tmp_path / "scores")
    text = error_of(*call(verb, settings, tmp_path))
    assert expected in text


def test_unknown_keys_of_settings_name_the_nearest(scored: dict[str, Path]) -> None:
    text = error_of(*infer(scored, sed=1))
    assert "--settings: unknown key; 'sed' is not one of dataset, roles, rule, seed" in text
    assert "Did you mean 'seed'?" in text
    assert "healthy_fpr = 3" in error_of(*evaluate(scored, healthy_fpr=3))


@pytest.mark.parametrize(
    ("content", "expected"),
    [
        ("{", "not a readable JSON file"),
        ("[]", "training_hours is not a number"),
        ('{"training_hours": "2"}', "training_hours is not a number"),
        ('{"training_hours": 2, "peak_memory_mb": null}', "peak_memory_mb is not a number"),
    ],
)
def test_a_broken_cost_file_is_named(tmp_path: Path, content: str, expected: str) -> None:
    path = tmp_path / "cost.json"
    path.write_text(content)
    with pytest.raises(InputError, match=rf"cost\.json: {expected}"):
        read_cost(path)
