"""Training curves read the logs of models."""

from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from matplotlib.figure import Figure

from brainuad.plan_reader import read_plan
from brainuad.report_plan import study_entry
from brainuad.reporting.colours import colour_of, dash_of
from brainuad.reporting.figures.draw import draw_figure
from brainuad.reporting.figures.style import look
from brainuad.reporting.figures.training import model_remarks
from brainuad.reporting.inputs import MethodEntry
from tests.unit.reporting.figure_results import empty_study, figure_settings, texts, with_scores, write_log

MODELS = [{"model": name, "label": f"Label {name}"} for name in ("ra", "ra-without-reverse", "mkd")]
COLUMNS = [
    {"column": "validation", "label": "Validation MSE"},
    {"column": "validation_perceptual", "label": "Validation LPIPS"},
]


@pytest.fixture
def drawn(tmp_path):
    study = empty_study(tmp_path, runs=2)
    for run, shift in enumerate((0.0, 0.2)):
        columns = {"step": [10, 20, 30, 40], "validation": [None, 0.4 + shift, None, 0.3 + shift]}
        write_log(study, "ra", run, {**columns, "validation_perceptual": [None, 0.1, None, 0.2]})
    write_log(study, "ra-without-reverse", 0, {"step": [20, 40], "validation": [0.5, 0.1]})

    def draw(**changes: object) -> Figure:
        content = {"models": MODELS, "columns": COLUMNS, **changes}
        return draw_figure(figure_settings("training-curves", **content), with_scores(study, []))

    return draw


def lines(figure: Figure, panel: int) -> dict[str, tuple[list[float], list[float]]]:
    return {
        str(line.get_label()): (list(line.get_xdata()), list(line.get_ydata()))
        for line in figure.axes[panel].lines
        if len(line.get_xdata())
    }


def test_a_line_is_the_mean_over_runs_where_the_log_has_a_value(drawn):
    steps, values = lines(drawn(), 0)["Label ra"]
    assert steps == [20, 40]
    assert values == pytest.approx([0.5, 0.4])


def test_every_column_has_a_panel_of_the_models_that_logged_it(drawn):
    figure = drawn()
    assert set(lines(figure, 0)) == {"Label ra", "Label ra-without-reverse"}
    assert set(lines(figure, 1)) == {"Label ra"}
    assert [axes.get_ylabel() for axes in figure.axes] == ["Validation MSE", "Validation LPIPS"]
    assert "Iteration" in texts(figure)


def test_runs_spread_in_a_band_of_one_standard_deviation(drawn):
    (band,) = drawn().axes[0].collections
    points = band.get_paths()[0].vertices
    at_20 = points[np.isclose(points[:, 0], 20)][:, 1]
    assert np.ptp(at_20) == pytest.approx(2 * np.std([0.4, 0.6], ddof=1))


def test_a_model_has_its_colour_and_dash(drawn):
    shown = {line.get_label(): line for line in drawn().axes[0].lines}
    assert shown["Label ra"].get_color() == colour_of("ra")
    assert shown["Label ra-without-reverse"].is_dashed() == bool(dash_of("ra-without-reverse"))


def test_a_model_without_a_log_is_named(drawn):
    assert "Label mkd: not run" in texts(drawn())


def test_a_column_that_no_log_has_is_a_panel_that_says_so(drawn):
    column = {"column": "accuracy", "label": "Accuracy"}
    assert "Accuracy: no column 'accuracy' in the logs" in texts(drawn(columns=[COLUMNS[0], column]))


def test_the_axis_may_be_logarithmic(drawn):
    assert drawn(log_y=True).axes[0].get_yscale() == "log"


WORKFLOW = Path(__file__).parents[3] / "workflow"
RANDOM = "The distance of validations has random weights."


def with_remarks(tmp_path, logged: list[str], methods: list[tuple[str, str]], **changes: Any) -> Figure:
    """A figure of the models of `logged`, and methods by their model and remark."""
    entries = tuple(
        MethodEntry(str(i), str(i), model, remark=remark) for i, (model, remark) in enumerate(methods)
    )
    study = replace(empty_study(tmp_path), methods=entries)
    for model in logged:
        write_log(study, model, 0, {"step": [10, 20], "validation": [0.4, 0.3]})
    settings = figure_settings("training-curves", **{"models": MODELS, "columns": COLUMNS[:1], **changes})
    return draw_figure(settings, with_scores(study, []))


def test_what_is_said_of_every_method_with_a_model_stands_below_its_curve(tmp_path):
    methods = [("ra", f"The map has random weights. {RANDOM}"), ("ra", RANDOM), ("mkd", "Random teacher.")]
    shown = texts(with_remarks(tmp_path, ["ra"], methods, width="page"))
    assert f"Label ra: {RANDOM}" in shown
    # Of one method alone, and of a model that is not drawn.
    assert "The map" not in shown
    assert "teacher" not in shown


def test_a_remark_on_several_models_is_written_once(tmp_path):
    logged = ["ra", "ra-without-reverse"]
    shown = texts(with_remarks(tmp_path, logged, [(model, RANDOM) for model in logged], width="page"))
    assert f"Label ra, Label ra-without-reverse: {RANDOM}" in shown
    assert shown.count(RANDOM) == 1


@pytest.mark.parametrize("width", ["column", "page"])
def test_remarks_lie_inside_the_figure_and_under_its_axes(tmp_path, width):
    long = "The distance of VALIDATIONS " * 8 + "has random weights."
    figure = with_remarks(tmp_path, ["ra"], [("ra", long)], width=width)
    with look():
        figure.draw_without_rendering()
    (legend,) = figure.legends
    box, title = legend.get_window_extent(), legend.get_title()
    assert len(title.get_text().splitlines()) == (4 if width == "column" else 2)
    inside = title.get_window_extent()
    assert figure.bbox.x0 <= inside.x0 < inside.x1 <= figure.bbox.x1
    assert box.y0 <= inside.y0 < inside.y1 <= box.y1 <= figure.axes[0].get_tightbbox().y0


def test_without_remarks_nothing_stands_below(drawn):
    figure = drawn()
    assert not figure.legends[0].get_title().get_visible()


def test_figure_6_of_bercea_says_at_the_quick_scale_that_its_perceptual_distance_is_random():
    plan = read_plan({"studies": ["bercea2023-ra"], "scale": "quick"}, WORKFLOW)
    results = with_scores(study_entry(plan, "bercea2023-ra"), [])
    for model in ("ra", "ra-without-reverse"):
        (remark,) = model_remarks(model, results)
        assert "distance of validations has random weights" in remark
    assert model_remarks("dae", results) == []
