"""The outline of the mask at Yen's threshold on anomaly maps: it is the mask that the evaluation scores."""

import shutil
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from matplotlib.axes import Axes
from matplotlib.colors import to_hex
from matplotlib.contour import ContourSet
from matplotlib.figure import Figure
from matplotlib.path import Path as Outline
from pydantic import TypeAdapter, ValidationError

from brainuad.arrays import ArrayStore
from brainuad.evaluation.map_sets import Case, MapSet
from brainuad.evaluation.settings import EvaluationSettings, Median, RemoveComponents
from brainuad.evaluation.thresholded import predict
from brainuad.evaluation.thresholds import yen_mask as evaluated_mask
from brainuad.evaluation.thresholds import yen_threshold
from brainuad.plan_reader import read_plan
from brainuad.report_plan import study_entry
from brainuad.reporting import volumes
from brainuad.reporting.figure_settings import MapsFigure
from brainuad.reporting.figures.draw import draw_figure
from brainuad.reporting.figures.pictures import PREDICTED_COLOUR, TRUTH_COLOUR
from brainuad.reporting.figures.shown import MARGIN, shown_slice
from brainuad.reporting.inputs import StudyEntry
from brainuad.storage import read_table, write_table
from tests.unit.reporting.figure_results import figure_settings, texts, with_scores

METHOD = "dae-coarse"
WORKFLOW = Path(__file__).parents[3] / "workflow"
MEDIAN = Median(step="median", size=3, dimensions=3)


def drawn(study: StudyEntry, **content: object) -> Figure:
    methods = [{"method": METHOD, "label": "DAE"}, {"method": "threshold", "label": "Thresholding"}]
    content = {"methods": methods, "subjects": 1, "dataset": "brats21", "pseudo_healthy": False, **content}
    return draw_figure(figure_settings("maps", **content), with_scores(study, []))


def contours(axes: Axes, colour: str) -> list[ContourSet]:
    found = [artist for artist in axes.collections if isinstance(artist, ContourSet)]
    return [
        artist
        for artist in found
        if [to_hex(tuple(c)) for c in np.asarray(artist.get_edgecolor())] == [colour]
    ]


def enclosed(axes: Axes) -> np.ndarray:
    """The pixels inside the outlines of the predicted mask, holes excluded."""
    shape = np.asarray(axes.images[0].get_array()).shape
    rows, columns = np.indices(shape)
    centres = np.column_stack([columns.ravel(), rows.ravel()])
    inside = np.zeros(len(centres), dtype=bool)
    for contour in contours(axes, PREDICTED_COLOUR):
        for path in contour.get_paths():
            for polygon in path.to_polygons():
                inside ^= Outline(polygon).contains_points(centres)
    return inside.reshape(shape)


def case_of(study: StudyEntry, settings: EvaluationSettings) -> tuple[volumes.Case, ArrayStore, Case]:
    """The subject that a figure of one shows, its arrays, and its map as the evaluation reads it."""
    store = ArrayStore(study.datasets[0].arrays)
    (shown,) = volumes.choose_cases(store, study, "brats21", 1)
    maps = MapSet.open(study.manifest(METHOD, 0, "brats21"), store)
    return shown, store, maps.case(shown.subject, settings)


@pytest.mark.parametrize("dilation", [0, 1, 2])
def test_the_outline_encloses_the_mask_of_the_evaluation(study: StudyEntry, dilation: int) -> None:
    steps = (MEDIAN,)
    settings = EvaluationSettings(yen_dilation=dilation, postprocessing=steps)
    methods = tuple(replace(method, steps=steps) for method in study.methods)
    study = replace(study, methods=methods, evaluation=EvaluationSettings(yen_dilation=dilation))
    shown, store, case = case_of(study, settings)
    scores = case.scores.astype(np.float32)
    expected = evaluated_mask(scores, yen_threshold(scores), dilation)
    volume, affine = store.volume(shown.subject), store.affine(shown.subject)
    brain = volumes.as_seen(np.any(volume.brain, axis=0), affine)
    seen = volumes.as_seen(expected[..., shown_slice(volume)], affine)
    assert seen.any()
    found = enclosed(drawn(study, outline="yen").axes[2])
    np.testing.assert_array_equal(found, seen[volumes.bounding_box(brain, MARGIN)])


@pytest.mark.parametrize("region", ["all", "brain"])
@pytest.mark.parametrize("at_most", [0, 6])
def test_the_mask_has_the_voxels_that_are_scored(study: StudyEntry, region: str, at_most: int) -> None:
    steps = (RemoveComponents(step="remove_components", at_most=at_most),)
    content = {"protocols": ["yen"], "region": region, "yen_dilation": 1}
    settings = EvaluationSettings.model_validate(content)
    methods = tuple(replace(method, steps=steps) for method in study.methods)
    study = replace(study, methods=methods, evaluation=settings)
    shown, store, case = case_of(study, settings)
    scored = predict(case, {}, settings.model_copy(update={"postprocessing": steps}), 2.0**8)["yen"].confusion
    volume = volumes.load_method_volume(study, METHOD, 0, shown, store)
    assert volume is not None
    truth = store.volume(shown.subject)
    mask = volumes.yen_mask(study, METHOD, volume.anomaly_map, truth.brain)
    assert (mask & truth.lesion).sum() == scored.tp
    assert (mask & ~truth.lesion).sum() == scored.fp


def test_the_truth_is_outlined_beside_it_and_a_legend_names_both(study: StudyEntry) -> None:
    figure = drawn(study, outline="yen")
    for axes in figure.axes[2:4]:
        assert len(contours(axes, PREDICTED_COLOUR)) == len(contours(axes, TRUTH_COLOUR)) == 1
    (legend,) = figure.legends
    entries = {
        text.get_text(): line.get_color()
        for text, line in zip(legend.get_texts(), legend.get_lines(), strict=True)
    }
    assert entries == {
        "outline: truth": TRUTH_COLOUR,
        "outline: mask at Yen's threshold": PREDICTED_COLOUR,
    }


def test_without_the_option_only_the_truth_is_outlined(study: StudyEntry) -> None:
    figure = drawn(study)
    assert not any(contours(axes, PREDICTED_COLOUR) for axes in figure.axes)
    assert not figure.legends
    assert "outline: truth" in texts(figure)


def test_a_scan_without_annotated_lesions_has_no_truth_to_show(study: StudyEntry, tmp_path: Path) -> None:
    entry = study.dataset("brats21")
    assert entry is not None
    shutil.copytree(entry.arrays, tmp_path / "arrays")
    index = read_table(tmp_path / "arrays/index.tsv")
    index["lesion_voxels"] = ""
    write_table(index, tmp_path / "arrays/index.tsv")
    figure = drawn(replace(study, datasets=(replace(entry, arrays=tmp_path / "arrays"),)), outline="yen")
    assert "not annotated" in texts(figure)
    assert "lesions not annotated" in texts(figure)
    assert not any(contours(axes, TRUTH_COLOUR) for axes in figure.axes)
    assert [text.get_text() for text in figure.legends[0].get_texts()] == ["outline: mask at Yen's threshold"]


@pytest.mark.parametrize("width", ["column", "page"])
def test_the_legend_hides_neither_pictures_nor_notes(study: StudyEntry, width: str) -> None:
    methods = [{"method": METHOD, "label": "DAE"}, {"method": "andi-mf5", "label": "ANDi"}]
    figure = drawn(study, outline="yen", width=width, methods=methods)
    figure.draw_without_rendering()
    legend = figure.legends[0].get_window_extent()
    (note,) = (text for text in figure.texts if "not run: ANDi" in text.get_text())
    others = [axes.get_tightbbox() for axes in figure.axes] + [note.get_window_extent().shrunk(1, 0.8)]
    assert not any(legend.overlaps(box) for box in others if box is not None)
    assert legend.x0 >= 0


def test_figure_3_of_frotscher_has_the_outline_with_the_dilation_of_its_evaluation() -> None:
    entry = study_entry(read_plan({"studies": ["frotscher2023"]}, WORKFLOW), "frotscher2023")
    adapter = TypeAdapter(StudyEntry)
    passed_to_the_job = adapter.validate_python(adapter.dump_python(entry, mode="json"))
    assert passed_to_the_job.evaluation == entry.evaluation
    assert passed_to_the_job.evaluation.yen_dilation == 1
    figure = passed_to_the_job.figures["figure3"]
    assert isinstance(figure, MapsFigure)
    assert figure.outline == "yen"


def test_another_outline_is_refused() -> None:
    with pytest.raises(ValidationError, match="outline"):
        figure_settings(
            "maps", dataset="brats21", methods=[{"method": METHOD, "label": "DAE"}], outline="otsu"
        )
