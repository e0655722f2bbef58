"""The worked example of the box evaluation: its numbers are those of the evaluation."""

import re
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from matplotlib.axes import Axes
from matplotlib.colors import to_rgb
from matplotlib.patches import Rectangle
from pydantic import TypeAdapter

from brainuad.arrays import ArrayStore
from brainuad.evaluation.boxes import detect_boxes, sum_in_boxes
from brainuad.evaluation.settings import EvaluationSettings
from brainuad.plan_reader import read_plan
from brainuad.report_plan import study_entry
from brainuad.reporting.figure_settings import FigureSettings
from brainuad.reporting.figures.box_example import FALSE_COLOUR, draw_box_example
from brainuad.reporting.figures.boxed import Box, boxed_scans, typical_example
from brainuad.reporting.figures.draw import draw_figure
from brainuad.reporting.figures.pictures import TRUTH_COLOUR
from brainuad.reporting.figures.style import Results
from brainuad.reporting.inputs import DatasetEntry, MethodEntry, StudyEntry
from brainuad.reporting.volumes import choose_cases
from brainuad.storage import write_table
from tests.conftest import SIZE, SLICES, write_arrays
from tests.unit.reporting.figure_results import figure_settings, texts, with_scores

METHODS = [{"method": "ra", "label": "RA"}]
THRESHOLD = 0.25


def box(label: str, x: tuple[int, int], y: tuple[int, int], z: int = 2, number: int = 0) -> dict[str, object]:
    place = {"x_first": x[0], "x_last": x[1], "y_first": y[0], "y_last": y[1]}
    return {"subject": "s0", "box": number, "label": label, "slice": z, **place}


@pytest.fixture
def study(tmp_path: Path) -> StudyEntry:
    """One scan with two boxes and a map: 3.16 in the first box, 13.95 in healthy tissue, as in the paper."""
    arrays = write_arrays(tmp_path / "fastmri/one", ["s0"], True)
    brain = np.ones((SLICES, SIZE, SIZE), dtype=bool)
    brain[:, 0] = False
    np.save(arrays / "brain.npy", brain)
    boxes = [box("edema", (4, 7), (4, 7)), box("mass", (12, 15), (4, 7), number=1)]
    write_table(pd.DataFrame(boxes), arrays / "boxes.tsv")
    scores = np.zeros((SIZE, SIZE, SLICES))
    scores[4:6, 4:6, 2] = 3.16 / 4
    scores[20:25, 20:25, 2] = 13.95 / 25
    scores[0, 3, 2] = 2.0  # outside the head
    scores[4, 4, 3] = 9.0  # in another slice
    entry = StudyEntry(
        "ra", "RA", "", tmp_path / "ra", (MethodEntry("ra", "RA"),),
        (DatasetEntry("fastmri", arrays, False),), evaluation=EvaluationSettings(boxes=True),
    )  # fmt: skip
    manifest = entry.manifest("ra", 0, "fastmri")
    manifest.with_suffix("").mkdir(parents=True)
    np.save(manifest.with_suffix("") / "sub-s0_map.npy", (scores * 2**8).astype(np.float16))
    row = {"subject": "s0", "role": "test", "status": "ok", "reason": "", "scale_exponent": 8, "l1": 0.1}
    row |= {"image_score": 0.1, "seconds": 1, "map": "sub-s0_map.npy", "pseudo_healthy": ""}
    write_table(pd.DataFrame([row]), manifest)
    return entry


def results(study: StudyEntry) -> Results:
    return with_scores(study, [("ra", 0, "fastmri", "pooled", "healthy-fpr", "threshold", "", THRESHOLD)])


def rectangles(axes: Axes) -> list[Rectangle]:
    return [patch for patch in axes.patches if isinstance(patch, Rectangle)]


def test_the_numbers_are_those_of_the_paper_s_example(study: StudyEntry) -> None:
    figure = draw_figure(figure_settings("box-example", dataset="fastmri", methods=METHODS), results(study))
    written = texts(figure)
    assert "1  edema: detected\n     marked pixels: 25 %" in written
    assert "FP = int(13.95 / 3.16) = 4" in written
    assert "F1 = 33.3 %" in written
    assert "2  mass: missed\n     marked pixels: 0 %" in written
    assert "FP = int(13.95 / 1.00) = 13" in written
    assert f"healthy-FPR threshold: {THRESHOLD:g}" in written


def test_boxes_and_sums_are_those_of_the_evaluation(study: StudyEntry) -> None:
    store = ArrayStore(study.datasets[0].arrays)
    settings = figure_settings("box-example", dataset="fastmri", methods=METHODS)
    cases = choose_cases(store, study, "fastmri", 1)
    (scan,) = boxed_scans(settings, results(study), store, "ra", cases)
    head = np.moveaxis(store.volume("s0").brain, 0, -1)
    found = detect_boxes(store.boxes, scan.scores >= THRESHOLD, scan.scores, head, 0.1)
    sums = sum_in_boxes(store.boxes, scan.scores >= THRESHOLD, scan.scores, head)
    assert [b.detected for b in scan.boxes] == found.detected.tolist() == [True, False]
    assert [b.f1 for b in scan.boxes] == pytest.approx(found.f1)
    assert [b.inside for b in scan.boxes] == pytest.approx(sums.inside)


def test_boxes_of_classes_that_do_not_count_are_left_out_but_are_no_healthy_tissue(study: StudyEntry) -> None:
    arrays = study.datasets[0].arrays
    boxes = pd.DataFrame([box("edema", (4, 7), (4, 7)), box("motion artifact", (20, 24), (20, 24), number=1)])
    write_table(boxes, arrays / "boxes.tsv")
    counted = EvaluationSettings(boxes=True, box_classes={"edema": ("Edema",)})
    study = StudyEntry(**{**vars(study), "evaluation": counted})
    written = texts(
        draw_figure(figure_settings("box-example", dataset="fastmri", methods=METHODS), results(study))
    )
    assert "motion" not in written
    assert "FP = int(0.00 / 3.16) = 0" in written


def test_marks_in_boxes_and_in_healthy_tissue_have_their_colours_and_a_missed_box_is_dashed(
    study: StudyEntry,
) -> None:
    figure = draw_box_example(
        figure_settings("box-example", dataset="fastmri", methods=METHODS), results(study)
    )
    panels = figure.axes[:4]
    overlay = np.asarray(panels[2].images[0].get_array())

    def pixels(colour: str) -> int:
        distance = np.abs(overlay - np.array(to_rgb(colour))).max(axis=-1)
        return int((distance < 0.26).sum())

    assert (pixels(TRUTH_COLOUR), pixels(FALSE_COLOUR)) == (4, 25)
    for axes in panels[:3]:
        solid, dashed = rectangles(axes)
        assert (solid.get_linestyle(), dashed.get_linestyle() == "-") == ("-", False)
        assert (solid.get_width(), solid.get_height()) == (4, 4)


def made(f1: float, detected: bool = True, z: int = 0) -> Box:
    return Box("edema", (slice(0, 1), slice(0, 1), z), 0.5, 1.0, 1.0, detected, 0, f1)


def test_the_example_is_the_detected_box_nearest_to_their_mean() -> None:
    scans = [[made(0.1)], [made(0.9, z=3), made(0.4, detected=False)], [made(0.6, z=5)]]
    assert typical_example(scans) == (2, 5)
    assert typical_example([[], [made(0, detected=False, z=1)]]) == (1, 1)
    assert typical_example([[]]) is None


@pytest.mark.parametrize("left_out", ["threshold", "maps", "arrays"])
def test_without_results_the_figure_says_so(study: StudyEntry, left_out: str) -> None:
    found = results(study)
    if left_out == "threshold":
        found = Results(study, found.scores.iloc[:0])
    elif left_out == "maps":
        study.manifest("ra", 0, "fastmri").unlink()
    else:
        (study.datasets[0].arrays / "index.tsv").unlink()
    figure = draw_figure(figure_settings("box-example", dataset="fastmri", methods=METHODS), found)
    assert "not run" in texts(figure)


def test_a_method_that_was_not_run_is_a_row_that_says_so(study: StudyEntry) -> None:
    methods = [*METHODS, {"method": "dae", "label": "DAE"}]
    figure = draw_figure(figure_settings("box-example", dataset="fastmri", methods=methods), results(study))
    assert re.search(r"not run", texts(figure))
    assert not figure.axes[4].images


def test_figure_7_of_the_study_is_such_an_example() -> None:
    workflow = Path(__file__).parents[3] / "workflow"
    plan = read_plan({"studies": ["bercea2023-ra"]}, workflow)
    figure = study_entry(plan, "bercea2023-ra").figures["figure7"]
    assert TypeAdapter(FigureSettings).validate_python(figure).kind == "box-example"
