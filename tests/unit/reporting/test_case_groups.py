"""Rows of a figure by what their subjects have: a lesion, none, or a name on a user's list."""

from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
from matplotlib.figure import Figure
from matplotlib.text import Text
from pydantic import TypeAdapter, ValidationError

from brainuad.arrays import ArrayStore
from brainuad.evaluation.settings import EvaluationSettings
from brainuad.plan_reader import read_plan
from brainuad.report_plan import study_entry
from brainuad.reporting.case_groups import choose_groups
from brainuad.reporting.figure_settings import MapsFigure
from brainuad.reporting.figures.draw import draw_figure
from brainuad.reporting.figures.shown import shown_slice
from brainuad.reporting.inputs import StudyEntry
from brainuad.reporting.picture_settings import CaseGroup
from brainuad.reporting.volumes import choose_cases
from brainuad.storage import read_table, write_table
from tests.unit.reporting.figure_results import figure_settings, texts, with_scores

WORKFLOW = Path(__file__).parents[3] / "workflow"
METHODS = [{"method": "dae-coarse", "label": "DAE"}, {"method": "threshold", "label": "Thresholding"}]
HEALTHY = {"label": "healthy", "kind": "healthy"}
LESION = {"label": "stroke", "kind": "lesion"}
ARTEFACT = {"label": "artefact", "kind": "named"}


def groups(*contents: dict[str, Any]) -> list[CaseGroup]:
    return [CaseGroup.model_validate(content) for content in contents]


def changed_store(study: StudyEntry, folder: Path, **columns: Any) -> ArrayStore:
    """The arrays of the first data set with other columns in their index; a function gets the index."""
    source = study.datasets[0].arrays
    folder.mkdir(exist_ok=True)
    for path in source.iterdir():
        if path.name != "index.tsv":
            (folder / path.name).symlink_to(path)
    index = read_table(source / "index.tsv")
    for name, column in columns.items():
        index[name] = column(index)
    write_table(index, folder / "index.tsv")
    return ArrayStore(folder)


def two_without(index: pd.DataFrame) -> list[str]:
    """The lesion voxels of the index, those of the last two subjects 0."""
    return [*index["lesion_voxels"][:-2], "0", "0"]


@pytest.fixture
def store(study: StudyEntry) -> ArrayStore:
    """Patients with lesions in some of their slices."""
    return ArrayStore(study.datasets[0].arrays)


def test_a_healthy_case_is_a_patient_without_a_lesion_voxel_where_nobody_is_healthy(
    study: StudyEntry, tmp_path: Path
) -> None:
    changed = changed_store(study, tmp_path / "arrays", lesion_voxels=two_without)
    (row,) = choose_groups(changed, study, "brats21", groups(HEALTHY))
    assert row.case is not None
    assert row.case.subject in changed.subjects[-2:]
    assert row.label == f"healthy: {row.case.pseudonym} (patient, no lesion here)"


def test_a_patient_whose_whole_scan_is_abnormal_is_not_healthy(study: StudyEntry, tmp_path: Path) -> None:
    changed = changed_store(
        study,
        tmp_path / "arrays",
        lesion_voxels=two_without,
        condition=lambda index: [*[""] * (len(index) - 2), "motion artifact", ""],
    )
    rows = choose_groups(changed, study, "brats21", groups({**HEALTHY, "subjects": 2}))
    assert [row.case.subject for row in rows if row.case] == changed.subjects[-1:]


def test_a_scan_whose_lesions_nobody_has_annotated_is_neither(study: StudyEntry, tmp_path: Path) -> None:
    changed = changed_store(study, tmp_path / "arrays", lesion_voxels=lambda index: [""] * len(index))
    rows = choose_groups(changed, study, "brats21", groups(HEALTHY, LESION))
    assert [row.case for row in rows] == [None, None]
    assert rows[0].reason == "no slice without a lesion among the test subjects"
    assert rows[1].reason == "no test subject with a lesion"


def test_healthy_subjects_come_before_patients(study: StudyEntry, tmp_path: Path) -> None:
    changed = changed_store(
        study,
        tmp_path / "arrays",
        lesion_voxels=two_without,
        group=lambda index: [*["patient"] * (len(index) - 1), "healthy"],
    )
    rows = choose_groups(changed, study, "brats21", groups({**HEALTHY, "subjects": 2}))
    assert [row.case.subject for row in rows if row.case] == changed.subjects[-1:]
    assert rows[0].label.endswith("(healthy subject)")


def test_where_everybody_has_a_lesion_a_slice_beside_it_is_shown(
    study: StudyEntry, store: ArrayStore
) -> None:
    (row,) = choose_groups(store, study, "brats21", groups(HEALTHY))
    assert row.case is not None
    volume = store.volume(row.case.subject)
    assert row.case.z is not None
    assert row.case.z != shown_slice(volume)
    assert volume.lesion.any()
    assert not volume.lesion[row.case.z].any()
    assert volume.brain[row.case.z].any()
    assert row.label.endswith("(slice beside the lesion)")


def test_a_lesion_in_every_slice_leaves_no_healthy_row(study: StudyEntry, tmp_path: Path) -> None:
    changed = changed_store(study, tmp_path / "arrays")
    everywhere = np.ones_like(np.load(changed.folder / "lesion.npy"))
    (changed.folder / "lesion.npy").unlink()
    np.save(changed.folder / "lesion.npy", everywhere)
    (row,) = choose_groups(changed, study, "brats21", groups(HEALTHY))
    assert row.case is None
    assert row.reason


def test_lesions_are_those_of_the_stratum(study: StudyEntry, store: ArrayStore) -> None:
    voxels = store.index["lesion_voxels"].astype(int)
    bound = int(voxels.median())
    strata = [
        {"name": "small", "up_to": bound},
        {"name": "large", "above": bound},
        {"name": "huge", "above": 10**6},
    ]
    study = replace(study, evaluation=EvaluationSettings.model_validate({"subject_strata": strata}))
    chosen = [{**LESION, "stratum": name, "subjects": 9} for name in ("small", "large", "huge")]
    *rows, none = choose_groups(store, study, "brats21", groups(*chosen))
    sizes = [int(voxels[row.case.subject]) for row in rows if row.case]
    count = int((voxels <= bound).sum())
    assert len(sizes) == len(voxels)
    assert max(sizes[:count]) <= bound < min(sizes[count:])
    assert (none.case, none.reason) == (None, "no test subject with a lesion of this size")


def test_without_a_stratum_they_are_those_of_a_figure_without_groups(
    study: StudyEntry, store: ArrayStore
) -> None:
    rows = choose_groups(store, study, "brats21", groups({**LESION, "subjects": 3}))
    assert [row.case for row in rows] == choose_cases(store, study, "brats21", 3)


def test_named_subjects_come_in_their_order_and_say_when_they_are_not_scored(
    study: StudyEntry, store: ArrayStore, tmp_path: Path
) -> None:
    names = store.subjects
    moved = replace(study, folder=tmp_path)
    manifest = read_table(study.manifest("threshold", 0, "brats21"))
    write_table(manifest[manifest["subject"] != names[0]], moved.manifest("threshold", 0, "brats21"))
    chosen = {**ARTEFACT, "subjects_named": ["nobody", names[2], names[0], names[1]], "subjects": 2}
    rows = choose_groups(store, moved, "brats21", groups(chosen))
    assert [row.case.subject for row in rows if row.case] == [names[2], names[0]]
    assert rows[0].label == f"artefact: {rows[0].case.pseudonym if rows[0].case else ''}"
    assert rows[1].label == "artefact (not scored)"


def test_where_nobody_is_named_the_row_says_so(study: StudyEntry, store: ArrayStore) -> None:
    rows = choose_groups(
        store, study, "brats21", groups(ARTEFACT, {**ARTEFACT, "subjects_named": ["nobody"]})
    )
    assert [row.case for row in rows] == [None, None]
    assert rows[0].reason == "no artefact slices listed"
    assert rows[1].reason == "none of the 1 artefact slices listed is packed"


def drawn(study: StudyEntry, *chosen: dict[str, Any], **content: Any) -> Figure:
    content = {"methods": METHODS, "dataset": "brats21", **content}
    return draw_figure(figure_settings("maps", groups=chosen, **content), with_scores(study, []))


@pytest.mark.parametrize("order", [(ARTEFACT, HEALTHY, LESION), (HEALTHY, LESION, ARTEFACT)])
def test_an_empty_row_keeps_its_place_and_says_why(
    study: StudyEntry, order: tuple[dict[str, Any], ...]
) -> None:
    figure = drawn(study, *order)
    columns = 2 + 2 + 1  # input, truth, the DAE's image and map, and the map of thresholding
    cells = figure.axes[: 3 * columns]  # colour bars come last
    heights = [axes.get_position().height for axes in cells[::columns]]
    assert heights[order.index(ARTEFACT)] < 0.4 * max(heights)
    empty = order.index(ARTEFACT)
    rows = [cells[number * columns : (number + 1) * columns] for number in range(3)]
    assert [sum(bool(axes.images) for axes in row) for row in rows] == [
        0 if number == empty else columns for number in range(3)
    ]
    (reason,) = (text for text in figure.texts if text.get_text() == "artefact: no artefact slices listed")
    box = rows[empty][0].get_position()
    assert box.y0 < reason.get_position()[1] < box.y1
    assert [axes.get_title() for axes in rows[0]][:2] == ["FLAIR", "truth"]
    assert not any(axes.get_title() for row in rows[1:] for axes in row)


def test_a_healthy_row_has_no_outline(study: StudyEntry) -> None:
    figure = drawn(study, HEALTHY, LESION, pseudo_healthy=False)
    first, second = figure.axes[:4], figure.axes[4:8]
    assert not any(axes.collections for axes in first)
    assert all(axes.collections for axes in second[1:])


def test_a_named_subject_that_is_not_scored_has_an_image_and_no_map(
    study: StudyEntry, tmp_path: Path
) -> None:
    name = ArrayStore(study.datasets[0].arrays).subjects[0]
    moved = replace(study, folder=tmp_path)
    for method in ("threshold", "dae-coarse"):
        manifest = study.manifest(method, 0, "brats21")
        moved.manifest(method, 0, "brats21").parent.mkdir(parents=True)
        moved.manifest(method, 0, "brats21").with_suffix("").symlink_to(manifest.with_suffix(""))
        table = read_table(manifest)
        write_table(table[table["subject"] != name], moved.manifest(method, 0, "brats21"))
    figure = drawn(moved, LESION, {**ARTEFACT, "subjects_named": [name]}, pseudo_healthy=False)
    assert [bool(axes.images) for axes in figure.axes[:8]] == [True] * 6 + [False] * 2
    assert texts(figure).count("no map") == 2
    assert name not in texts(figure)


def test_a_figure_of_empty_groups_says_why(study: StudyEntry) -> None:
    assert "no artefact slices listed" in texts(drawn(study, ARTEFACT))


def test_groups_of_what_was_not_run_say_so(study: StudyEntry, tmp_path: Path) -> None:
    assert "not run" in texts(drawn(replace(study, folder=tmp_path), HEALTHY, ARTEFACT))


@pytest.mark.parametrize(("width", "pseudo_healthy"), [("column", False), ("page", True)])
def test_nothing_written_overlaps(study: StudyEntry, width: str, pseudo_healthy: bool) -> None:
    figure = drawn(study, HEALTHY, LESION, ARTEFACT, width=width, pseudo_healthy=pseudo_healthy)
    figure.draw_without_rendering()
    written = [text for text in figure.findobj(Text) if text.get_text() and text.get_visible()]
    boxes = [text.get_window_extent().shrunk(0.98, 0.8) for text in written]
    for number, box in enumerate(boxes):
        overlapping = [written[i].get_text() for i in range(number) if box.overlaps(boxes[i])]
        assert not overlapping, (written[number].get_text(), overlapping)


@pytest.mark.parametrize(
    "content",
    [
        {**HEALTHY, "stratum": "small"},
        {**LESION, "subjects_named": ["a"]},
        {**ARTEFACT, "subjects_named": ["a", "a"]},
        {**LESION, "subjects": 0},
        {"label": "x", "kind": "sick"},
    ],
)
def test_a_group_with_keys_of_another_kind_is_refused(content: dict[str, Any]) -> None:
    with pytest.raises(ValidationError):
        CaseGroup.model_validate(content)


def test_figure_3_of_autoddpm_has_healthy_slices_strokes_and_artefacts() -> None:
    entry = study_entry(read_plan({"studies": ["bercea2023-autoddpm"]}, WORKFLOW), "bercea2023-autoddpm")
    adapter = TypeAdapter(StudyEntry)
    figure = adapter.validate_python(adapter.dump_python(entry, mode="json")).figures["figure3"]
    assert isinstance(figure, MapsFigure)
    shown = [(group.kind, group.stratum) for group in figure.groups]
    assert shown == [
        ("healthy", ""), ("lesion", "small"), ("lesion", "medium"), ("lesion", "large"), ("named", ""),
    ]  # fmt: skip
