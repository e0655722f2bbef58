"""Seconds per volume with post-processing."""

from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from matplotlib.figure import Figure

from brainuad.reporting.figures.draw import draw_figure
from brainuad.storage import write_table
from tests.unit.reporting.figure_results import empty_study, figure_settings, texts, with_scores

METHODS = [{"method": name, "label": f"Label {name}"} for name in ("andi", "dae", "mkd")]
TOTALS = {"andi": [[100.0, 140.0], [120.0, 160.0]], "dae": [[0.5, 0.7], [0.6, 0.8]]}


def drawn(tmp_path: Path, times: dict[str, list[list[float]]]) -> Figure:
    study = empty_study(tmp_path, runs=2)
    for method, runs in times.items():
        for run, totals in enumerate(runs):
            table = pd.DataFrame({"subject": ["a", "b"], "seconds": 0.1, "seconds_total": totals})
            write_table(table.assign(seconds_postprocessing=0.0), study.seconds(method, run, "brats21"))
    settings = figure_settings("wall-clock", dataset="brats21", methods=METHODS)
    return draw_figure(settings, with_scores(study, []))


@pytest.fixture
def figure(tmp_path: Path) -> Figure:
    return drawn(tmp_path, TOTALS)


def test_a_dot_is_the_mean_over_the_volumes_of_all_runs_the_fastest_first(figure):
    dots = [line for line in figure.axes[0].lines if line.get_marker() == "o"]
    assert [float(dot.get_xdata()[0]) for dot in dots] == pytest.approx([0.65, 130])
    assert [label.get_text() for label in figure.axes[0].get_yticklabels()] == [
        *("Label dae", "Label andi", "Label mkd")
    ]


def test_a_bar_is_one_standard_deviation_over_volumes(figure):
    bars = [line for line in figure.axes[0].lines if len(line.get_xdata()) == 2]
    sd = np.std([0.5, 0.7, 0.6, 0.8], ddof=1)
    assert list(bars[0].get_xdata()) == pytest.approx([0.65 - sd, 0.65 + sd])


def test_the_axis_is_logarithmic_and_in_seconds(figure):
    assert figure.axes[0].get_xscale() == "log"
    assert "Seconds per volume with post-processing" in texts(figure)
    assert "130 ± 26 s" in texts(figure)


def test_a_method_that_was_not_run_keeps_its_row(figure):
    assert "not run" in texts(figure).splitlines()


def test_equal_times_are_written_with_few_digits(tmp_path):
    shown = texts(
        drawn(tmp_path, {"dae": [[0.1, 0.1], [0.1, 0.1 + 1e-17]], "andi": [[3.0, 3.0 + 1e-9], [3.0, 3.0]]})
    )
    assert "0.1000 ± 0.0000 s" in shown or "0.10 ± 0.00 s" in shown
    assert "3.000 ± 0.000 s" in shown
