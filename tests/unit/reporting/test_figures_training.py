"""Training curves read the logs of models."""

import numpy as np
import pytest
from matplotlib.figure import Figure

from brainuad.reporting.colours import colour_of, dash_of
from brainuad.reporting.figures.draw import draw_figure
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
