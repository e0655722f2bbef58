"""Broken files and wrong names, given to the verbs as a user would: a clear message, or a row with a reason."""

import gzip
import json
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import nibabel
import numpy as np
import pandas as pd
import pytest
import torch
from tests.conftest import SIZE, SLICES
from typer.testing import CliRunner

from brainuad.atlas import sri24_paths
from brainuad.cli import app
from brainuad.preprocessing.settings import PreprocessingSettings
from brainuad.storage import read_json, read_table, write_table

ATLAS = Path(__file__).parents[2] / "resources" / "sri24"
BRAIN_ONLY = PreprocessingSettings(skull_strip="none", coregistration="none", registration="none", n4=False)
AFFINE = np.diag([-1.0, -1.0, 1.0, 1.0])
Change = Callable[[Path], Any]


def run(*arguments: object) -> None:
    """Calls a verb that must succeed."""
    result = CliRunner().invoke(app, [str(argument) for argument in arguments])
    assert result.exit_code == 0, result.output


def error_of(*arguments: object) -> str:
    """What the user reads of a verb that must fail, which is never a traceback."""
    result = CliRunner().invoke(app, [str(argument) for argument in arguments])
    assert isinstance(result.exception, SystemExit), repr(result.exception)
    assert result.exit_code == 1
    lines = result.stderr.splitlines()
    starts = [number for number, line in enumerate(lines) if line.startswith("Error: ")]
    assert starts, result.stderr
    assert "Traceback" not in result.stderr
    return "\n".join(lines[starts[-1] :])


# Raw scans: a defect is a row with its reason.


def save(voxels: np.ndarray, path: Path, affine: np.ndarray = AFFINE) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    nibabel.save(nibabel.Nifti1Image(voxels, affine), path)


def box(*shape: int) -> np.ndarray:
    return np.random.default_rng(0).random(shape or (16, 16, 16)).astype(np.float32)


def truncate(path: Path) -> None:
    content = path.read_bytes()
    path.write_bytes(content[: len(content) // 2])


def flip_bits(path: Path) -> None:
    content = bytearray(gzip.decompress(path.read_bytes()))
    packed = bytearray(gzip.compress(bytes(content), 0))  # stored, so that only the checksum can tell
    packed[len(packed) // 2] ^= 0x10
    path.write_bytes(bytes(packed))


def change_header(offset: int, value: bytes) -> Change:
    def change(path: Path) -> None:
        content = bytearray(gzip.decompress(path.read_bytes()))
        content[offset : offset + len(value)] = value
        path.write_bytes(gzip.compress(bytes(content)))

    return change


def colours(path: Path) -> None:
    save(np.zeros((16, 16, 16), dtype=[("R", "u1"), ("G", "u1"), ("B", "u1")]), path)


def with_value(value: float) -> Change:
    def change(path: Path) -> None:
        voxels = box()
        voxels[3, 4, 5] = value
        save(voxels, path)

    return change


def preprocessed(folder: Path, **row: str) -> dict[str, Any]:
    """The quality record of one subject, made by the verb from a cohort table with one row."""
    columns = {"subject": "a", "participant": "a", "status": "ok", "reason": "", "t1": "a_t1.nii.gz"}
    write_table(pd.DataFrame([columns | row]), folder / "cohort.tsv")
    job = {"root": str(folder / "raw"), "preprocessing": BRAIN_ONLY.model_dump(mode="json")}
    record = folder / "derivatives" / "sub-a" / "quality.json"
    paths = ("--cohort", folder / "cohort.tsv", "--atlas", ATLAS, "--output", record)
    run("preprocess", "--settings", json.dumps(job), "--subject", "a", *paths)
    quality: dict[str, Any] = read_json(record)
    assert str(folder) not in quality["reason"]
    return quality


@pytest.mark.parametrize(
    ("change", "reason"),
    [
        (truncate, "t1: the file cannot be read (truncated, or not NIfTI)"),
        (lambda path: path.write_bytes(b""), "t1: the file cannot be read (truncated, or not NIfTI)"),
        (lambda path: path.write_text("no image"), "t1: the file cannot be read (truncated, or not NIfTI)"),
        (
            lambda path: path.write_bytes(gzip.compress(b"no image" * 99)),
            "t1: the file cannot be read (truncated, or not NIfTI)",
        ),
        (lambda path: path.unlink(), "t1: the file is missing"),
        (with_value(np.nan), "t1: 1 voxels are not finite"),
        (with_value(np.inf), "t1: 1 voxels are not finite"),
        (lambda path: save(0 * box(), path), "t1: all voxels have the same value"),
        (
            lambda path: save(box(16, 16, 16, 2), path),
            "t1: 4-D image (shape 16 x 16 x 16 x 2), expected 3-D",
        ),
        (lambda path: save(box(16, 16), path), "t1: 2-D image (shape 16 x 16), expected 3-D"),
    ],
    ids=["truncated", "empty", "text", "packed text", "missing", "nan", "inf", "zero", "4-D", "2-D"],
)
def test_a_broken_scan_is_a_row_with_its_reason(tmp_path: Path, change: Change, reason: str) -> None:
    scan = tmp_path / "raw" / "a_t1.nii.gz"
    save(box(), scan)
    change(scan)
    quality = preprocessed(tmp_path)
    assert (quality["status"], quality["reason"]) == ("excluded", reason)


@pytest.mark.parametrize(
    "change",
    [change_header(70, b"\x07\x10"), change_header(108, b"\0\0\x20\x43"), colours, flip_bits],
    ids=["type of voxels", "offset of voxels", "colours", "checksum"],
)
def test_a_scan_with_a_damaged_header_or_content_is_a_row_with_its_reason(
    tmp_path: Path, change: Change
) -> None:
    scan = tmp_path / "raw" / "a_t1.nii.gz"
    save(box(), scan)
    change(scan)
    quality = preprocessed(tmp_path)
    assert quality["status"] == "excluded"
    assert quality["reason"].startswith("t1: the file cannot be read")


def test_a_missing_modality_is_a_row_with_its_reason(tmp_path: Path) -> None:
    quality = preprocessed(tmp_path, t1="")
    assert (quality["status"], quality["reason"]) == ("excluded", "missing t1")


@pytest.mark.parametrize(
    ("mask", "affine", "reason"),
    [
        (np.ones((16, 16, 15), np.uint8), AFFINE, "mask: its shape differs from that of t1"),
        (np.ones((16, 16, 16), np.uint8), AFFINE + np.eye(4), "mask: its position differs from that of t1"),
        (np.full((16, 16, 16), np.nan, np.float32), AFFINE, "mask: voxels are not finite"),
    ],
    ids=["shape", "affine", "nan"],
)
def test_a_mask_that_does_not_fit_is_a_row_with_its_reason(
    tmp_path: Path, mask: np.ndarray, affine: np.ndarray, reason: str
) -> None:
    save(box(), tmp_path / "raw" / "a_t1.nii.gz")
    save(mask, tmp_path / "raw" / "a_mask.nii.gz", affine)
    quality = preprocessed(tmp_path, mask="a_mask.nii.gz")
    assert quality["status"] == "excluded"
    assert quality["reason"].startswith(reason)


@pytest.mark.parametrize("place", ["../secret.nii.gz", "/etc/hostname", "link.nii.gz"])
def test_a_cohort_table_cannot_name_a_file_outside_the_root(tmp_path: Path, place: str) -> None:
    save(box(), tmp_path / "secret.nii.gz")
    (tmp_path / "raw").mkdir()
    (tmp_path / "raw" / "link.nii.gz").symlink_to(tmp_path / "secret.nii.gz")
    quality = preprocessed(tmp_path, t1=place)
    assert (quality["status"], quality["reason"]) == ("excluded", "t1: path outside the root")


def test_an_empty_lesion_mask_and_a_fourth_axis_of_length_one_are_accepted(tmp_path: Path) -> None:
    root = tmp_path / "raw with spaces ö"
    brain = nibabel.load(sri24_paths(ATLAS).brain)
    save(np.asarray(brain.dataobj, dtype=np.float32)[..., None], root / "a_t1.nii.gz", brain.affine)
    save(np.zeros((*brain.shape, 1), np.uint8), root / "a_mask.nii.gz", brain.affine)
    (tmp_path / "raw").symlink_to(root)
    quality = preprocessed(tmp_path, mask="a_mask.nii.gz")
    assert (quality["status"], quality["reason"]) == ("ok", "")
    assert quality["note"] == "no lesion in the mask"
    assert quality["lesion_voxels"] == 0


# Folders and spreadsheets


def index(root: Path, output: Path, dataset: str = "clinic", format: str | None = "bids") -> tuple[Any, ...]:
    settings = json.dumps({"dataset": dataset, "format": format, "root": str(root)})
    return ("index", "--settings", settings, "--output", output)


def indexed(root: Path, output: Path, dataset: str = "clinic", format: str | None = "bids") -> pd.DataFrame:
    run(*index(root, output, dataset, format))
    return read_table(output).set_index("subject")


def bids_folder(root: Path, *labels: str, people: str = "") -> Path:
    for label in labels:
        scan = root / f"sub-{label}" / "anat" / f"sub-{label}_T1w.nii.gz"
        scan.parent.mkdir(parents=True)
        scan.touch()
    if people:
        (root / "participants.tsv").write_text(people)
    return root


def test_without_participants_nobody_counts_as_healthy(tmp_path: Path) -> None:
    cohort = indexed(bids_folder(tmp_path / "bids", "01", "02"), tmp_path / "c.tsv")
    assert cohort["group"].tolist() == ["patient", "patient"]
    assert cohort["status"].tolist() == ["ok", "ok"]


def test_of_a_repeated_participant_the_first_row_counts_and_a_missing_one_is_unknown(tmp_path: Path) -> None:
    people = "participant_id\tage\tsex\tgroup\nsub-01\t30\tF\tcontrol\nsub-01\t60\tM\tpatient\n"
    cohort = indexed(bids_folder(tmp_path / "bids", "01", "02", people=people), tmp_path / "c.tsv")
    assert cohort.loc["01", ["age", "sex", "group"]].tolist() == ["30", "F", "healthy"]
    assert cohort.loc["02", ["age", "sex", "group"]].tolist() == ["", "", "patient"]


@pytest.mark.parametrize(
    "rows",
    [
        "sub-01 \t30\tcontrol\t\nsub-02\t40\tcontrol\t\n",
        'sub-01\t30\tcontrol\t"fell\nsub-02\t40\tcontrol\t"\n',
        "sub-01\t30\tcontrol\t\t\nsub-02\t40\tcontrol\t\t\n",
    ],
    ids=["space", "quotation mark", "column too many"],
)
def test_a_flaw_in_participants_moves_no_healthy_person_to_the_patients(tmp_path: Path, rows: str) -> None:
    people = f"participant_id\tage\tgroup\tnote\n{rows}"
    cohort = indexed(bids_folder(tmp_path / "bids", "01", "02", people=people), tmp_path / "c.tsv")
    assert cohort["group"].tolist() == ["healthy", "healthy"]


def test_participants_without_their_key_are_named(tmp_path: Path) -> None:
    root = bids_folder(tmp_path / "bids", "01", people="id,age\nsub-01,30\n")
    text = error_of(*index(root, tmp_path / "c.tsv"))
    assert "participants.tsv: expected a column participant_id" in text


def test_spaces_and_other_letters_in_a_path_and_odd_labels_are_fine(tmp_path: Path) -> None:
    cohort = indexed(bids_folder(tmp_path / "Köln $1 'a'", "Mü-1", "b c"), tmp_path / "c.tsv")
    assert sorted(cohort.index) == ["M1", "bc"]
    assert (cohort["status"] == "ok").all()


def test_a_label_without_letters_and_digits_is_refused(tmp_path: Path) -> None:
    text = error_of(*index(bids_folder(tmp_path / "bids", "é", "01"), tmp_path / "c.tsv"))
    assert "sub-é" in text


def test_two_folders_that_become_one_subject_are_refused(tmp_path: Path) -> None:
    text = error_of(*index(bids_folder(tmp_path / "bids", "a1", "a_1"), tmp_path / "c.tsv"))
    assert "2 folders become the subject a1" in text


def test_two_scans_of_one_ixi_number_exclude_the_subject_alone(tmp_path: Path) -> None:
    root = tmp_path / "ixi"
    for name in (
        "IXI002-Guys-0828-T1.nii.gz",
        "T1/IXI002-Guys-0828-T1.nii.gz",
        "T1/IXI012-HH-1211-T1.nii.gz",
    ):
        (root / name).parent.mkdir(parents=True, exist_ok=True)
        (root / name).touch()
    cohort = indexed(root, tmp_path / "c.tsv", "ixi", None)
    assert cohort["status"].to_dict() == {"IXI002": "excluded", "IXI012": "ok"}
    assert cohort.at["IXI002", "reason"] == "2 files for t1"
    assert cohort["age"].tolist() == ["", ""]  # there is no IXI.xls


@pytest.mark.parametrize(
    ("columns", "expected"),
    [(None, "not a readable spreadsheet"), (["IXI_ID", "AGE"], "expected the columns IXI_ID, SEX_ID")],
    ids=["no spreadsheet", "a column missing"],
)
def test_a_broken_ixi_spreadsheet_is_named(tmp_path: Path, columns: list[str] | None, expected: str) -> None:
    import xlwt

    (tmp_path / "IXI002-Guys-0828-T1.nii.gz").touch()
    if columns is None:
        (tmp_path / "IXI.xls").write_text("<html>not found</html>")
    else:
        book = xlwt.Workbook()
        sheet = book.add_sheet("Table")
        for number, name in enumerate(columns):
            sheet.write(0, number, name)
        book.save(tmp_path / "IXI.xls")
    text = error_of(*index(tmp_path, tmp_path / "c.tsv", "ixi", None))
    assert "IXI.xls" in text
    assert expected in text


@pytest.mark.parametrize("kind", ["missing", "file", "empty"])
def test_a_root_without_the_layout_names_the_layout(tmp_path: Path, kind: str) -> None:
    root = tmp_path / "mslub"
    if kind == "file":
        root.touch()
    elif kind == "empty":
        root.mkdir()
    text = error_of(*index(root, tmp_path / "c.tsv", "mslub", None))
    assert str(root) in text
    assert "Expected folders patient01" in text


def test_a_typo_in_a_data_set_name_names_the_nearest(tmp_path: Path) -> None:
    text = error_of(*index(tmp_path, tmp_path / "c.tsv", "brats12", None))
    assert "Did you mean 'brats21'?" in text


def test_an_index_lists_no_path_that_leaves_the_root(tmp_path: Path) -> None:
    root = bids_folder(tmp_path / "bids", "01", "02")
    scan = root / "sub-01" / "anat" / "sub-01_T1w.nii.gz"
    scan.unlink()
    scan.symlink_to("/etc/hostname")
    cohort = indexed(root, tmp_path / "c.tsv")
    assert cohort.loc["01", ["status", "reason", "t1"]].tolist() == [
        "excluded",
        "t1: path outside the root",
        "",
    ]
    assert cohort.at["02", "status"] == "ok"


# Splits, models and maps


@pytest.fixture
def scored(cohort: dict[str, Path], tmp_path: Path) -> dict[str, Path]:
    """A copy of the arrays and the split that a test may break, with the maps of a method on both data sets."""
    places = {}
    for name in ("healthy", "patients"):
        shutil.copytree(cohort[name], tmp_path / name / "small")
        places[name] = tmp_path / name / "small" / "index.tsv"
    places["split"] = Path(shutil.copy(cohort["split"], tmp_path))
    for name in ("healthy", "patients"):
        places[f"{name} maps"] = tmp_path / "maps" / f"{name}.tsv"
        run(*infer(places, name))
    return places


def infer(places: dict[str, Path], dataset: str = "patients", **change: Any) -> tuple[Any, ...]:
    job = {"version": 1, "rule": "thresholding", "settings": {"modality": "t2"}, "seed": 0}
    checkpoint = change.pop("checkpoint", "")
    settings = json.dumps(job | {"dataset": dataset} | change)
    output = places.get(f"{dataset} maps", places["split"].with_name("other.tsv"))
    files = ("--split", places["split"], "--arrays", places.get(dataset, places["patients"]))
    files += ("--maps", output.with_suffix(""), "--output", output, "--checkpoint", checkpoint)
    return ("infer", "--settings", settings, "--device", "cpu", *files)


def evaluate(places: dict[str, Path], healthy: bool = False, **settings: Any) -> tuple[Any, ...]:
    job = {"study": "s", "method": "m", "run": 0, "evaluation": settings}
    files = ("--split", places["split"], "--maps", places["patients maps"], "--arrays", places["patients"])
    files += (
        "--scores",
        places["split"].with_name("scores.tsv"),
        "--curve",
        places["split"].with_name("c.tsv"),
    )
    if healthy:
        files += ("--healthy-maps", places["healthy maps"], "--healthy-arrays", places["healthy"])
    return ("evaluate", "--settings", json.dumps(job), *files)


def scores_of(places: dict[str, Path], healthy: bool = False, **settings: Any) -> pd.DataFrame:
    """The rows of the whole test set, by metric and protocol."""
    run(*evaluate(places, healthy, **settings))
    table = read_table(places["split"].with_name("scores.tsv"))
    return table[(table["subject"] == "pooled") & (table["stratum"] == "")].set_index(["metric", "protocol"])


def remove_lesions(places: dict[str, Path], *subjects: str) -> None:
    lesion = places["patients"].with_name("lesion.npy")
    values, table = np.load(lesion), read_table(places["patients"])
    for subject in subjects:
        first = int(table.loc[table["subject"] == subject, "first_slice"].item())
        values[first : first + SLICES] = False
        table.loc[table["subject"] == subject, "lesion_voxels"] = "0"
    np.save(lesion, values)
    write_table(table, places["patients"])


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
    ],
    ids=["missing", "no YAML", "latin-1", "empty", "list", "study", "key"],
)
def test_a_broken_configuration_is_explained(tmp_path: Path, content: bytes | None, expected: str) -> None:
    config = tmp_path / "config.yaml"
    if content is not None:
        config.write_bytes(content)
    workflow = Path(__file__).parents[2] / "workflow"
    text = error_of("doctor", "--config", config, "--workflow", workflow)
    assert "config.yaml" in text
    assert expected in text
