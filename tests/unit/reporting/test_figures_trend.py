"""Metrics against a parameter: bands, panels, strata, axes and marks."""

from itertools import pairwise
from pathlib import Path

import numpy as np
import pytest
import yaml
from matplotlib.axes import Axes
from matplotlib.collections import FillBetweenPolyCollection
from matplotlib.colors import to_hex
from matplotlib.figure import Figure
from pydantic import ValidationError

from brainuad.plan_reader import read_plan
from brainuad.reporting.colours import colour_of
from brainuad.reporting.figures.draw import draw_figure
from tests.unit.reporting.figure_results import empty_study, figure_settings, texts, with_scores

REPOSITORY = Path(__file__).parents[3]
X = [1, 2, 4, 8, 16, 32, 64, 128]
VALUES = {"brats21": 0.6, "mslub": 0.2}
SERIES = [{"label": "DAE", "methods": [f"dae-{x}" for x in X]}]


def drawn(folder: Path, **changes: object) -> Figure:
    rows = []
    for dataset, value in VALUES.items():
        for position, x in enumerate(X):
            for run, shift in enumerate((-0.01, 0.0, 0.01)):
                score = value + 0.01 * position + shift
                rows.append((f"dae-{x}", run, dataset, "pooled", "", "auprc", "", score))
                rows.append((f"kl-{x}", run, dataset, "pooled", "", "auprc", "", score / 2))
    for number in range(3):
        rows.append(("dae-1", 0, "spheres", "pooled", "", "auprc", f"size{number}", number / 10))
    content = {"dataset": "brats21", "x_label": "Pixels", "x": X, "series": SERIES, **changes}
    return draw_figure(figure_settings("trend", **content), with_scores(empty_study(folder, 3), rows))


def line(axes: Axes, label: str) -> tuple[list[float], list[float]]:
    found = next(c for c in axes.containers if c.get_label() == label)
    return found.lines[0].get_xdata().tolist(), found.lines[0].get_ydata().tolist()


def test_the_line_is_the_mean_over_runs_and_the_band_one_standard_deviation(tmp_path):
    axes = drawn(tmp_path).axes[0]
    x, y = line(axes, "DAE")
    assert x == X
    assert y == pytest.approx([0.6 + 0.01 * i for i in range(8)])
    (band,) = [c for c in axes.collections if isinstance(c, FillBetweenPolyCollection)]
    points = band.get_paths()[0].vertices
    first = points[np.isclose(points[:, 0], 1)][:, 1]
    assert (first.min(), first.max()) == pytest.approx((0.59, 0.61))


def test_several_data_sets_are_panels(tmp_path):
    for width, beside in (("column", False), ("page", True)):
        figure = drawn(tmp_path, dataset="", datasets=["brats21", "mslub"], width=width)
        first, second = figure.axes
        assert line(first, "DAE")[1][0] == pytest.approx(0.6)
        assert line(second, "DAE")[1][0] == pytest.approx(0.2)
        figure.draw_without_rendering()
        assert (first.get_position().x1 < second.get_position().x0) == beside
        assert {"BraTS 2021", "MSLUB"} <= set(texts(figure).splitlines())


def test_a_series_may_have_a_data_set_of_its_own(tmp_path):
    series = [{**SERIES[0], "label": "MRI"}, {**SERIES[0], "label": "CT", "dataset": "mslub"}]
    axes = drawn(tmp_path, series=series).axes[0]
    assert line(axes, "CT")[1][0] == pytest.approx(0.2)
    dashes = {c.get_label(): c.lines[0].is_dashed() for c in axes.containers}
    assert dashes == {"MRI": False, "CT": True}
    panels = drawn(tmp_path, series=series, dataset="", datasets=["brats21", "mslub"]).axes
    assert [c.get_label() for c in panels[0].containers] == ["MRI"]
    assert [c.get_label() for c in panels[1].containers] == ["MRI", "CT"]


def test_the_axis_may_have_base_two(tmp_path):
    axes = drawn(tmp_path, log_x=True, log_base=2).axes[0]
    assert axes.get_xscale() == "log"
    assert axes.xaxis.get_transform().base == 2
    assert [label.get_text() for label in axes.get_xticklabels()] == [str(x) for x in X]


def test_a_vertical_line_marks_the_best_value_of_the_paper(tmp_path):
    figure = drawn(tmp_path, best=16)
    vertical = next(entry for entry in figure.axes[0].lines if "best" in str(entry.get_label()))
    assert vertical.get_xdata() == [16, 16]
    assert "best in the paper: 16" in texts(figure)


def test_the_best_value_of_the_paper_is_the_papers_own_where_the_axis_has_another_unit(tmp_path):
    figure = drawn(tmp_path, best=16, best_in_paper="32 of 96 pixels")
    vertical = next(entry for entry in figure.axes[0].lines if "best" in str(entry.get_label()))
    assert vertical.get_xdata() == [16, 16]
    assert "best in the paper: 32 of 96 pixels" in texts(figure)
    with pytest.raises(ValidationError, match="best_in_paper: set `best` too"):
        drawn(tmp_path, best_in_paper="32")


def test_at_the_quick_scale_the_patch_size_is_that_of_the_paper():
    config = yaml.safe_load((REPOSITORY / "config.yaml").read_text())
    labels = {}
    for scale in ("quick", "paper"):
        plan = read_plan({**config, "studies": ["behrendt2023"], "scale": scale}, REPOSITORY / "workflow")
        figure = plan.studies["behrendt2023"].figures["figure3-patch-size"]
        labels[scale] = figure.best_in_paper or f"{figure.best:g}"
    assert labels == {"quick": "60 of 96 pixels", "paper": "60"}


def test_strata_of_one_method_can_stand_on_the_axis(tmp_path):
    strata = ["size0", "size1", "size2"]
    series = [{"label": "resolution 1", "methods": ["dae-1"]}]
    figure = drawn(tmp_path, dataset="spheres", x=["5-10", "10-15", "15-20"], strata=strata, series=series)
    assert line(figure.axes[0], "resolution 1")[1] == pytest.approx([0, 0.1, 0.2])


def test_tick_labels_do_not_run_into_each_other(tmp_path):
    words = [f"a rather long kind {i}" for i in range(8)]
    series = [{"label": "DAE", "methods": [f"dae-{x}" for x in X]}]
    for changes in ({}, {"x": words, "series": series}):
        figure = drawn(tmp_path, **changes)
        figure.draw_without_rendering()
        labels = [label for label in figure.axes[0].get_xticklabels() if label.get_text()]
        if labels[0].get_rotation():
            continue
        boxes = [label.get_window_extent() for label in labels]
        assert 3 < len(boxes) < 8
        assert all(left.x1 < right.x0 for left, right in pairwise(boxes))


def test_words_that_do_not_fit_are_turned_and_none_is_lost(tmp_path):
    words = [f"a rather long kind {i}" for i in range(8)]
    figure = drawn(tmp_path, x=words)
    labels = figure.axes[0].get_xticklabels()
    assert [label.get_text() for label in labels] == words
    assert all(label.get_rotation() == 35 for label in labels)


def test_a_line_has_the_colour_of_the_family_where_no_other_line_is_of_it(tmp_path):
    series = [*SERIES, {"label": "KL", "methods": [f"kl-{x}" for x in X]}]
    axes = drawn(tmp_path, series=series).axes[0]
    colours = {c.get_label(): to_hex(c.lines[0].get_color()) for c in axes.containers}
    assert colours == {"DAE": colour_of("dae"), "KL": colour_of("kl")}


def test_many_variants_of_one_method_differ_in_colour_and_marker(tmp_path):
    series = [{"label": f"resolution {x}", "methods": [f"dae-{x}"] * len(X)} for x in X]
    axes = drawn(tmp_path, series=series).axes[0]
    looks = {(to_hex(c.lines[0].get_color()), c.lines[0].get_marker()) for c in axes.containers}
    assert len(looks) == len({colour for colour, _ in looks}) == len(X)


def test_a_series_that_was_not_run_is_named_in_the_legend(tmp_path):
    figure = drawn(tmp_path, series=[*SERIES, {"label": "MKD", "methods": ["mkd"] * len(X)}])
    assert "MKD: not run" in texts(figure)
    assert [c.get_label() for c in figure.axes[0].containers] == ["DAE"]


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"dataset": ""}, "series DAE: no data set"),
        ({"strata": ["a"]}, "1 strata for 8 values of x"),
        ({"best": "coarse"}, "best: 'coarse' is not a value of x"),
        (
            {"datasets": ["ixi"], "series": [{**SERIES[0], "dataset": "mslub"}]},
            "mslub is not one of `datasets`",
        ),
    ],
)
def test_settings_that_do_not_fit_are_refused(tmp_path, changes, message):
    with pytest.raises(ValidationError, match=message):
        drawn(tmp_path, **changes)
