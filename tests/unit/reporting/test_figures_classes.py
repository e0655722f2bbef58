"""Bars of detected boxes by class."""

from itertools import pairwise

import numpy as np
import pytest
from matplotlib.container import BarContainer
from matplotlib.figure import Figure

from brainuad.reporting.colours import colour_of
from brainuad.reporting.figures.draw import draw_figure
from tests.unit.reporting.figure_results import empty_study, figure_settings, texts, with_scores

BOXES = {"edema": 18, "mass": 26, "enlarged ventricles": 19}
FOUND = {"ra": {"edema": (16, 14), "mass": (24, 24), "enlarged ventricles": (19, 19)}}
FOUND |= {"vae": {"edema": (9, 9), "mass": (13, 13), "enlarged ventricles": (0, 0)}}
METHODS = [{"method": name, "label": name.upper()} for name in ("vae", "ra", "mkd")]


def drawn(folder, **changes: object) -> Figure:
    rows = []
    for method, classes in FOUND.items():
        for label, counts in classes.items():
            for run, count in enumerate(counts):
                place = (method, run, "fastmri", "pooled", "healthy-fpr")
                rows += [(*place, "detected", label, count), (*place, "boxes", label, BOXES[label])]
                rows += [(method, run, "fastmri", "pooled", "oracle", "detected", label, 99)]
                rows += [(method, run, "fastmri", "S1", "healthy-fpr", "detected", label, 77)]
    content = {"dataset": "fastmri", "methods": METHODS, **changes}
    return draw_figure(figure_settings("class-bars", **content), with_scores(empty_study(folder, 2), rows))


def bars(figure: Figure) -> dict[str, list[float]]:
    found = [c for axes in figure.axes for c in axes.containers if isinstance(c, BarContainer)]
    return {str(c.get_label()): [bar.get_width() for bar in c] for c in found}


def test_a_bar_is_the_mean_share_of_the_boxes_over_runs(tmp_path):
    shares = bars(drawn(tmp_path))
    assert shares["RA"] == pytest.approx([100 * 24 / 26, 100, 100 * 15 / 18])
    assert shares["VAE"] == pytest.approx([50, 0, 50])


def test_a_line_is_one_standard_deviation_over_runs(tmp_path):
    figure = drawn(tmp_path, classes=["edema"])
    ends = [c.get_segments()[0] for c in figure.axes[0].collections]
    lengths = [np.ptp(segment[:, 0]) / 2 for segment in ends]
    assert max(lengths) == pytest.approx(np.std([100 * 16 / 18, 100 * 14 / 18], ddof=1))


def test_classes_come_by_their_number_of_boxes_which_stands_beside_them(tmp_path):
    labels = [label.get_text() for label in drawn(tmp_path).axes[0].get_yticklabels()]
    assert labels == ["mass\n(n = 26)", "enlarged\nventricles\n(n = 19)", "edema\n(n = 18)"]


def test_chosen_classes_keep_their_order(tmp_path):
    figure = drawn(tmp_path, classes=["edema", "mass"])
    labels = [label.get_text() for label in figure.axes[0].get_yticklabels()]
    assert [label.splitlines()[0] for label in labels] == ["edema", "mass"]


def test_methods_have_their_colour_and_one_that_was_not_run_is_named(tmp_path):
    figure = drawn(tmp_path)
    container = next(c for c in figure.axes[0].containers if c.get_label() == "RA")
    assert "#{:02x}{:02x}{:02x}".format(*(round(255 * v) for v in container[0].get_facecolor()[:3])) == (
        colour_of("ra")
    )
    assert "MKD: not run" in texts(figure)


def test_thirteen_classes_of_six_methods_fit_a_journal_column(tmp_path):
    classes = [f"class number {i}" for i in range(13)]
    names = ["ae", "vae", "dae", "si-vae", "mkd", "ra"]
    rows = [
        (name, 0, "fastmri", "pooled", "healthy-fpr", metric, label, value)
        for name in names
        for label in classes
        for metric, value in (("boxes", 10), ("detected", 5))
    ]
    methods = [{"method": name, "label": name} for name in names]
    for width, panels in (("column", 1), ("page", 2)):
        settings = figure_settings("class-bars", dataset="fastmri", methods=methods, width=width)
        figure = draw_figure(settings, with_scores(empty_study(tmp_path), rows))
        assert figure.get_size_inches()[1] < 9
        assert len(figure.axes) == panels
        assert sum(len(values) for values in bars_of_all(figure)) == 78
        figure.draw_without_rendering()
        heights = [bar.get_window_extent().height for c in figure.axes[0].containers[:1] for bar in c]
        assert min(heights) / figure.dpi > 0.04  # inches


def bars_of_all(figure: Figure) -> list[list[float]]:
    return [
        [bar.get_width() for bar in c]
        for axes in figure.axes
        for c in axes.containers
        if isinstance(c, BarContainer)
    ]


def test_labels_of_classes_do_not_run_into_each_other(tmp_path):
    figure = drawn(tmp_path)
    figure.draw_without_rendering()
    boxes = sorted(
        (label.get_window_extent() for label in figure.axes[0].get_yticklabels()), key=lambda b: b.y0
    )
    assert all(low.y1 < high.y0 for low, high in pairwise(boxes))


def test_without_boxes_the_figure_says_so(tmp_path):
    settings = figure_settings("class-bars", dataset="fastmri", methods=METHODS)
    assert "not run" in texts(draw_figure(settings, with_scores(empty_study(tmp_path), [])))
