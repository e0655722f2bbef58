"""Broken splits, arrays, checkpoints, maps and configurations: each verb names the file and the remedy."""

import json
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
import torch

from brainuad.storage import read_table, write_table
from tests.conftest import SIZE, SLICES
from tests.unit.scoring import evaluate, infer, remove_lesions, scores_of
from tests.verbs import error_of, run

Change = Callable[[Path], Any]


def truncate(path: Path) -> None:
    content = path.read_bytes()
    path.write_bytes(content[: len(content) // 2])


@pytest.mark.parametrize("verb", ["train", "infer", "evaluate"])
def test_a_subject_in_two_roles_stops_every_stage(scored: dict[str, Path], verb: str) -> None:
    split = read_table(scored["split"])
    again = split[split["role"] == "test"].assign(role="train")
    write_table(pd.concat([split, again]), scored["split"])
    folder = scored["split"].parent
    files = ("--split", scored["split"], "--state", folder / "state", "--checkpoint", folder / "m.ckpt")
    files += ("--log", folder / "log.tsv", "--cost", folder / "cost.json", scored["patients"])
    job = {"version": 1, "kind": "dae", "settings": {}, "slices": "all", "seed": 0}
    train = ("train", "--settings", json.dumps(job), *files)
    calls = {"train": train, "infer": infer(scored), "evaluate": evaluate(scored)}
    text = error_of(*calls[verb])
    assert "split.tsv: The split leaks: 2 participants have several roles" in text


def test_a_split_without_its_columns_is_named(scored: dict[str, Path]) -> None:
    write_table(read_table(scored["split"]).drop(columns="role"), scored["split"])
    assert "split.tsv: the columns role are missing" in error_of(*infer(scored))


def test_a_data_set_without_subjects_to_score_names_the_key(scored: dict[str, Path]) -> None:
    assert "splits.elsewhere" in error_of(*infer(scored, "elsewhere"))


@pytest.mark.parametrize("name", ["index.tsv", "recipe.json", "images.npy"])
def test_a_missing_file_of_the_arrays_is_named(scored: dict[str, Path], name: str) -> None:
    scored["patients"].with_name(name).unlink()
    shutil.rmtree(scored["patients maps"].with_suffix(""))
    assert name in error_of(*infer(scored))


def test_an_empty_file_of_the_arrays_is_named(scored: dict[str, Path]) -> None:
    scored["patients"].with_name("lesion.npy").write_bytes(b"")
    assert "lesion.npy" in error_of(*evaluate(scored))


def test_a_typo_in_a_scoring_rule_names_the_nearest(scored: dict[str, Path]) -> None:
    assert "Did you mean 'thresholding'?" in error_of(*infer(scored, rule="tresholding"))


GOOD = {
    **{"format": 1, "kind": "dae", "settings": "{}", "channels": ["t2"], "size": [SIZE, SIZE]},
    "weights": {},
}


@pytest.mark.parametrize(
    ("content", "expected"),
    [
        (None, "no such checkpoint"),
        (b"", "not a readable checkpoint"),
        (b"text", "not a readable checkpoint"),
        ({"weights": {}}, "not a checkpoint of brain-uad"),
        ({"format": 1, "step": 3}, "a training state, not a finished model"),
        (GOOD | {"kind": "dea"}, "a model of kind 'dea'"),
        (GOOD | {"channels": ["t1", "t2"]}, "trained for channels t1, t2"),
        (GOOD | {"size": [16, 16]}, "of size (16, 16)"),
        (GOOD | {"settings": '{"nose": 1}'}, "do not fit a 'dae' model of this version"),
        (GOOD | {"settings": '{"no'}, "do not fit a 'dae' model of this version"),
        (GOOD | {"weights": {"x": torch.zeros(1)}}, "do not fit a 'dae' model of this version"),
        (GOOD | {"anything": Path("x")}, "not a readable checkpoint"),
    ],
)
def test_a_wrong_checkpoint_is_named(scored: dict[str, Path], content: Any, expected: str) -> None:
    checkpoint = scored["split"].with_name("model.ckpt")
    if isinstance(content, bytes):
        checkpoint.write_bytes(content)
    elif content is not None:
        torch.save(content, checkpoint)
    call = infer(scored, rule="reconstruction", settings={}, checkpoint=checkpoint)
    text = error_of(*call)
    assert "model.ckpt" in text
    assert expected in text


def test_a_truncated_checkpoint_is_named(scored: dict[str, Path]) -> None:
    checkpoint = scored["split"].with_name("model.ckpt")
    torch.save(GOOD, checkpoint)
    truncate(checkpoint)
    call = infer(scored, rule="reconstruction", settings={}, checkpoint=checkpoint)
    assert "model.ckpt: not a readable checkpoint" in error_of(*call)


@pytest.mark.parametrize(
    ("change", "reason"),
    [
        (Path.unlink, "'sub-p1_map.npy' is missing"),
        (truncate, "'sub-p1_map.npy' cannot be read"),
        (lambda path: path.write_bytes(b""), "'sub-p1_map.npy' cannot be read"),
        (lambda path: np.savez(path.open("wb"), x=np.zeros(3)), "'sub-p1_map.npy' cannot be read"),
        (lambda path: np.save(path, np.zeros((4, 4, 4), np.float16)), "has the shape (4, 4, 4)"),
    ],
    ids=["missing", "truncated", "empty", "several arrays", "shape"],
)
def test_a_broken_map_is_counted_in_the_table_or_stops_with_its_subject(
    scored: dict[str, Path], change: Change, reason: str
) -> None:
    change(scored["patients maps"].with_suffix("") / "sub-p1_map.npy")
    table = scores_of(scored, max_failed_share=0.5)
    assert table.loc[("subjects_failed", ""), "value"] == "1.0"
    text = error_of(*evaluate(scored))
    assert f"p1: its map {reason}" in text


def test_a_broken_validation_map_does_not_move_the_threshold_silently(scored: dict[str, Path]) -> None:
    (scored["patients maps"].with_suffix("") / "sub-p0_map.npy").unlink()
    assert "1 of 1 subjects cannot be scored" in error_of(*evaluate(scored, healthy=True))


def test_a_map_that_was_deleted_is_made_again(scored: dict[str, Path]) -> None:
    path = scored["patients maps"].with_suffix("") / "sub-p1_map.npy"
    before = np.load(path)
    path.unlink()
    run(*infer(scored))
    np.testing.assert_array_equal(np.load(path), before)


@pytest.mark.parametrize(
    ("column", "value", "expected"),
    [
        ("map", "../../secret.npy", "lies outside its folder"),
        ("map", "link.npy", "lies outside its folder"),
        ("scale_exponent", "", "scale_exponent is not a whole number"),
        ("scale_exponent", "3", "different scale exponents"),
        ("image_score", "high", "image_score is not a number"),
        ("subject", "p2", "p2 more than once"),
        ("role", "validation", "another role"),
    ],
)
def test_a_wrong_entry_of_a_manifest_is_named(
    scored: dict[str, Path], column: str, value: str, expected: str
) -> None:
    folder = scored["patients maps"].with_suffix("")
    np.save(folder.parent.parent / "secret.npy", np.zeros((SIZE, SIZE, SLICES), np.float16))
    (folder / "link.npy").symlink_to(folder.parent.parent / "secret.npy")
    table = read_table(scored["patients maps"])
    table.loc[table["subject"] == "p1", column] = value
    write_table(table, scored["patients maps"])
    text = error_of(*evaluate(scored))
    assert "patients.tsv: " in text
    assert expected in text


def test_a_manifest_without_its_columns_is_named(scored: dict[str, Path]) -> None:
    write_table(read_table(scored["patients maps"]).drop(columns="map"), scored["patients maps"])
    assert "patients.tsv: the columns map are missing" in error_of(*evaluate(scored))


def test_without_a_validation_lesion_the_threshold_falls_back_and_the_table_says_so(
    scored: dict[str, Path],
) -> None:
    remove_lesions(scored, "p0")
    table = scores_of(scored, healthy=True)
    assert table.loc[("threshold_fallback", "validation"), "value"] == "1.0"
    assert table.loc[("threshold_fallback", "healthy-fpr"), "value"] == "0.0"


def test_a_test_set_without_lesions_has_no_score_instead_of_a_wrong_one(scored: dict[str, Path]) -> None:
    remove_lesions(scored, "p1", "p2")
    table = scores_of(scored, healthy=True)
    assert table.loc[("subjects_with_lesion", ""), "value"] == "0.0"
    for key in (("auprc", ""), ("dice", "oracle"), ("dice", "validation"), ("recall", "validation")):
        assert table.loc[key, "value"] == ""


# config.yaml, as `brainuad doctor` reads it


@pytest.mark.parametrize(
    ("content", "expected"),
    [
        (None, "no such file"),
        (b"studies: [quickstart\nscale: : x", "not readable as YAML"),
        ("# \u00e9".encode("latin-1"), "not readable as YAML"),
        (b"", "expected keys with values"),
        (b"- quickstart\n", "expected keys with values"),
        (b"studies: [quikstart]", "Did you mean 'quickstart'?"),
        (b"skul_strip: deepbet", "Did you mean 'skull_strip'?"),
        (b"seed: 1\nseed: 2", "the key 'seed' is written twice"),
    ],
    ids=["missing", "no YAML", "latin-1", "empty", "list", "study", "key", "twice"],
)
def test_a_broken_configuration_is_explained(tmp_path: Path, content: bytes | None, expected: str) -> None:
    config = tmp_path / "config.yaml"
    if content is not None:
        config.write_bytes(content)
    workflow = Path(__file__).parents[2] / "workflow"
    text = error_of("doctor", "--config", config, "--workflow", workflow)
    assert "config.yaml" in text
    assert expected in text
