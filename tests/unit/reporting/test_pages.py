"""What the pages of the report show, before it becomes HTML."""

import json
import shutil
from dataclasses import replace
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from brainuad.arrays import ArrayStore
from brainuad.reporting.figures.style import Results
from brainuad.reporting.inputs import ReportInputs, StudyEntry
from brainuad.reporting.pages.cost import duration_text, method_costs, step_costs
from brainuad.reporting.pages.leaderboard import boards
from brainuad.reporting.pages.overview import study_card
from brainuad.reporting.pages.quality import cohort_quality, unnamed
from brainuad.reporting.pages.significance import matrices, p_text
from brainuad.reporting.pages.subjects import shown_slices, write_subject_pages
from brainuad.reporting.volumes import load_method_volume
from brainuad.storage import read_table, write_table


def test_leaderboards_put_all_protocols_side_by_side(study: StudyEntry, scores: pd.DataFrame) -> None:
    board = boards(study, scores, "brats21")[0]
    pooled = [column.label for column in board.columns if column.group == "Dice, all voxels pooled"]
    assert pooled == ["oracle", "validation", "healthy-FPR", "Yen"]
    assert sum(span for _, span in board.groups) == len(board.columns)
    assert all(len(row.cells) == len(board.columns) for row in board.rows)


def test_oracle_columns_are_bounds_and_have_no_winner(study: StudyEntry, scores: pd.DataFrame) -> None:
    board = boards(study, scores, "brats21")[0]
    for position, column in enumerate(board.columns):
        winners = [row.label for row in board.rows if row.cells[position].best]
        assert column.bound == (column.protocol == "oracle")
        assert len(winners) == (0 if column.bound else 1)


def test_low_errors_win(study: StudyEntry, scores: pd.DataFrame) -> None:
    board = next(board for board in boards(study, scores, "ixi") if board.title == "Lesions and images")
    position = [column.metric for column in board.columns].index("l1")
    assert [row.label for row in board.rows if row.cells[position].best] == ["DAE (coarse)"]


def test_strata_have_a_board_of_their_own(study: StudyEntry, scores: pd.DataFrame) -> None:
    titles = {board.title: board for board in boards(study, scores, "brats21")}
    assert {column.group.split(", ")[-1] for column in titles["By group"].columns} == {
        "small",
        "medium",
        "large",
    }


def test_what_no_method_has_is_left_out(study: StudyEntry, scores: pd.DataFrame) -> None:
    unknown = scores.copy()
    unknown.loc[unknown["metric"].isin(["auprc", "dice", "dice_mean_volumes"]), "value"] = float("nan")
    assert boards(study, unknown, "brats21")[0].title == "Lesions and images"


def test_a_threshold_taken_from_healthy_scans_is_marked(study: StudyEntry, scores: pd.DataFrame) -> None:
    row = {"study": "study0", "method": "dae-coarse", "run": 0, "dataset": "brats21", "subject": "pooled"}
    row |= {"protocol": "validation", "metric": "threshold_fallback", "stratum": "", "value": 1.0}
    marked = boards(study, pd.concat([scores, pd.DataFrame([row])]), "brats21")[0]
    flags = {
        (r.label, column.protocol)
        for r in marked.rows
        for cell, column in zip(r.cells, marked.columns, strict=True)
        if cell.signs == "‡"
    }
    assert flags == {("DAE (coarse)", "validation")}


def test_matrices_are_antisymmetric_and_ordered_by_mean(study: StudyEntry) -> None:
    matrix = matrices(study, "brats21")[0]
    assert matrix.test == "permutation (paired)"
    assert matrix.methods[0][0] == "DAE (coarse)"
    for i, row in enumerate(matrix.rows):
        assert row[i] is None
        for j, cell in enumerate(row):
            mirror = matrix.rows[j][i]
            if cell is not None and mirror is not None:
                assert {cell.difference[0], mirror.difference[0]} == {"+", "−"}
                assert cell.p == mirror.p


def test_a_data_set_without_comparisons_has_no_matrix(study: StudyEntry) -> None:
    assert matrices(study, "ixi") == []
    assert matrices(replace(study, folder=Path("absent")), "brats21") == []


@pytest.mark.parametrize(("p", "text"), [(0.0001, "< 0.001"), (0.0123, "= 0.012"), (1.0, "= 1.000")])
def test_p_values_are_written_with_three_decimals(p: float, text: str) -> None:
    assert p_text(p) == text


def test_costs_are_means_over_runs_and_medians_over_volumes(study: StudyEntry, scores: pd.DataFrame) -> None:
    rows = {row["label"]: row for row in method_costs(Results(study, scores))}
    assert rows["DAE (coarse)"]["hours"] == pytest.approx(0.016)
    assert rows["DAE (coarse)"]["runs"] == 2
    assert rows["DAE (coarse)"]["seconds"]["BraTS 2021"] == pytest.approx(1.26, rel=0.06)
    assert rows["Thresholding"]["hours"] is None
    assert rows["ANDi + MF5"]["seconds"]["BraTS 2021"] is None


def test_steps_come_from_benchmark_tables(inputs: ReportInputs) -> None:
    (step,) = step_costs({**inputs.benchmarks, "absent": Path("absent")})
    assert (step["jobs"], step["seconds"]) == (1, 12.5)


@pytest.mark.parametrize(
    ("seconds", "text"), [(None, "–"), (0.02, "20 ms"), (5, "5 s"), (600, "10 min"), (9000, "2.5 h")]
)
def test_durations_have_a_fitting_unit(seconds: float | None, text: str) -> None:
    assert duration_text(seconds) == text


def test_reasons_are_counted_without_names(inputs: ReportInputs) -> None:
    quality = cohort_quality(inputs.quality[0])
    assert quality is not None
    assert (quality.ok, quality.excluded, quality.total) == (6, 3, 9)
    assert quality.reasons == (("brain volume … ml is outside … to … ml", 2), ("t1 missing: …", 1))


def test_identifiers_paths_and_numbers_leave_a_reason() -> None:
    reason = "sub-IXI002: cannot read /data/a b/IXI002-Guys-0828-T1.nii.gz, T2 has shape (3, 4)"
    cleaned = unnamed(reason, ["IXI002"])
    assert not any(word in cleaned for word in ("IXI", "0828", "Guys", "/data", "3", "4"))
    assert "cannot read" in cleaned
    assert "T2" in cleaned


def test_a_cohort_that_was_not_preprocessed_has_no_counts(inputs: ReportInputs) -> None:
    assert cohort_quality(replace(inputs.quality[0], quality=Path("absent"))) is None


def test_the_first_page_counts_evaluations_and_names_leaders(study: StudyEntry, scores: pd.DataFrame) -> None:
    card = study_card(Results(study, scores))
    assert (card["done"], card["wanted"]) == (16, 20)
    assert card["leaders"][0]["methods"][0]["label"] == "DAE (coarse)"


def test_variants_of_a_sweep_lead_nothing(study: StudyEntry, scores: pd.DataFrame) -> None:
    leader = study_card(Results(study, scores))["leaders"][0]["methods"][0]["label"]
    methods = tuple(replace(method, compared=method.label != leader) for method in study.methods)
    (first, *_) = study_card(Results(replace(study, methods=methods), scores))["leaders"]
    assert leader not in [method["label"] for method in first["methods"]]


def test_the_slice_with_the_most_lesion_is_always_shown(study: StudyEntry) -> None:
    store = ArrayStore(study.datasets[0].arrays)
    for subject in store.subjects:
        volume = store.volume(subject)
        for limit in (1, 2, 4, 100):
            slices = shown_slices(volume, limit)
            assert len(slices) <= limit
            assert int(volume.lesion.sum(axis=(1, 2)).argmax()) in slices or not volume.lesion.any()


@pytest.fixture(scope="module")
def subject_folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("subjects")


def received(path: Path) -> dict[str, object]:
    """The content that a volume script hands to the viewer."""
    text = path.read_text()
    content = text[text.index(", ") + 2 : text.rindex(");")]
    return dict(json.loads(content))


def decoded(sprite: str, config: dict[str, object]) -> np.ndarray:
    """The bytes (slice, row, column) as the viewer reads them."""
    import base64
    import io

    from PIL import Image

    sheet = np.asarray(Image.open(io.BytesIO(base64.b64decode(sprite))))
    height, width, columns = (int(str(config[key])) for key in ("height", "width", "columns"))
    tiles = [
        sheet[i // columns * height :][:height, i % columns * width :][:, :width]
        for i in range(len(list(config["slices"])))  # type: ignore[call-overload]
    ]
    return np.stack(tiles)


def test_sprites_hold_the_map_and_the_truth(
    study: StudyEntry, scores: pd.DataFrame, subject_folder: Path
) -> None:
    results = Results(study, scores)
    page = write_subject_pages(results, "brats21", (1, 5), subject_folder)[0]
    store = ArrayStore(study.datasets[0].arrays)
    voxels = store.index["lesion_voxels"].astype(int).sort_values(ascending=False)
    number = int(page.title.split("#")[1])
    subject = voxels.index[number - 1]
    config = page.config
    truth = decoded(str(received(subject_folder / page.slug / "input.js")["truth"]), config)
    lesion = store.volume(subject).lesion[config["slices"]]
    assert (truth > 127).sum() == lesion.sum()
    method = next(entry for entry in config["methods"] if entry["name"] == "dae-coarse")
    coded = decoded(str(received(subject_folder / page.slug / "dae-coarse.js")["map"]), config)
    from brainuad.reporting.volumes import Case

    found = load_method_volume(study, "dae-coarse", 0, Case("brats21", subject, number), store)
    assert found is not None
    restored = np.sort((method["top"] * (coded / 255) ** 2)[truth > 127])
    expected = np.sort(found.anomaly_map[config["slices"]][lesion])
    assert restored == pytest.approx(expected, abs=method["top"] / 127)


def test_a_subject_whose_lesions_are_not_annotated_has_no_lesion_volume(
    study: StudyEntry, scores: pd.DataFrame, tmp_path: Path
) -> None:
    entry = study.dataset("brats21")
    assert entry is not None
    shutil.copytree(entry.arrays, tmp_path / "arrays")
    index = read_table(tmp_path / "arrays/index.tsv")
    write_table(index.assign(lesion_voxels=""), tmp_path / "arrays/index.tsv")
    unknown = replace(study, datasets=(replace(entry, arrays=tmp_path / "arrays"),))
    for known, annotated, volume in ((study, True, " ml"), (unknown, False, "not annotated")):
        page = write_subject_pages(Results(known, scores), "brats21", (1, 2), tmp_path / "pages")[0]
        assert page.config["annotated"] is annotated
        assert dict(page.facts)["Lesion volume"].endswith(volume)


def test_histograms_count_every_voxel_of_the_volume(
    study: StudyEntry, scores: pd.DataFrame, subject_folder: Path
) -> None:
    page = write_subject_pages(Results(study, scores), "brats21", (1, 2), subject_folder / "few")[0]
    shutil.rmtree(subject_folder / "few")
    for entry in page.config["methods"]:
        assert sum(entry["lesion"]) + sum(entry["elsewhere"]) == 9 * 24 * 24


def test_presets_are_the_thresholds_of_the_score_tables(
    study: StudyEntry, scores: pd.DataFrame, subject_folder: Path
) -> None:
    page = write_subject_pages(Results(study, scores), "brats21", (1, 2), subject_folder / "presets")[0]
    presets = {entry["label"]: entry["value"] for entry in page.config["methods"][0]["thresholds"]}
    assert presets == pytest.approx({"oracle": 0.15, "validation": 0.138, "Yen": 0.12, "healthy-FPR": 0.1275})
