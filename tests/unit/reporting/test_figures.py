"""Every kind of figure is drawn from the fabricated results, and says what it does not show."""

from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
from matplotlib.figure import Figure
from matplotlib.text import Text
from pydantic import TypeAdapter

from brainuad.arrays import ArrayStore
from brainuad.reporting.colours import colour_of
from brainuad.reporting.figure_settings import FigureSettings
from brainuad.reporting.figures.draw import draw_figure, write_figure
from brainuad.reporting.figures.lesions import lesion_volumes_ml
from brainuad.reporting.figures.style import Results
from brainuad.reporting.inputs import StudyEntry

METHODS = [
    {"method": m, "label": f"Label {m}"} for m in ("threshold", "dae-coarse", "ddpm-simplex", "andi-mf5")
]
SERIES = [{"label": "DAE", "methods": ["dae-gaussian", "dae-coarse"], "published": [[0.325, 0.004], 0.833]}]
KINDS: dict[str, dict[str, Any]] = {
    "maps": {"dataset": "brats21", "methods": METHODS, "subjects": 2},
    "reconstructions": {"dataset": "brats21", "methods": METHODS, "subjects": 2},
    "precision-recall": {"dataset": "brats21", "methods": METHODS},
    "dice-by-lesion-size": {"dataset": "brats21", "methods": METHODS},
    "bars": {"datasets": ["brats21", "ixi"], "methods": METHODS},
    "trend": {"dataset": "brats21", "x_label": "Pixels", "x": [1, 16], "log_x": True, "series": SERIES},
    "noise-comparison": {"dataset": "brats21", "x": ["Gaussian", "coarse"], "series": SERIES},
    "cost": {"dataset": "brats21", "methods": METHODS},
}


def settings_of(kind: str, **changes: object) -> Any:
    return TypeAdapter(FigureSettings).validate_python(
        {"kind": kind, "title": "Title", **KINDS[kind], **changes}
    )


def texts(figure: Figure) -> str:
    figure.canvas.draw()
    return "\n".join(text.get_text() for text in figure.findobj(Text))


@pytest.fixture
def results(study: StudyEntry, scores: pd.DataFrame) -> Results:
    return Results(study, scores)


@pytest.mark.parametrize("kind", KINDS)
def test_a_figure_of_a_phantom_says_so_in_its_title(kind: str, results: Results) -> None:
    assert "Title (simulated phantom)" in texts(draw_figure(settings_of(kind), results))


@pytest.mark.parametrize("kind", KINDS)
def test_a_figure_of_real_data_does_not(kind: str, results: Results) -> None:
    real = tuple(replace(entry, phantom=False) for entry in results.study.datasets)
    figure = draw_figure(settings_of(kind), Results(replace(results.study, datasets=real), results.scores))
    assert "phantom" not in texts(figure)


@pytest.mark.parametrize("kind", KINDS)
def test_without_results_a_figure_says_so(kind: str, results: Results, tmp_path: Path) -> None:
    empty = Results(replace(results.study, folder=tmp_path), results.scores.iloc[:0])
    shown = texts(draw_figure(settings_of(kind), empty))
    assert "not run" in shown or "no values" in shown


@pytest.mark.parametrize("kind", KINDS)
def test_figures_fit_a_column_or_a_page(kind: str, results: Results) -> None:
    for width, inches in (("column", 3.5), ("page", 7.2)):
        figure = draw_figure(settings_of(kind, width=width), results)
        # Few pictures take less than the width of the page.
        narrow = width == "page" and kind == "reconstructions"
        assert figure.get_size_inches()[0] == pytest.approx(inches) or (
            narrow and inches / 2 < figure.get_size_inches()[0] < inches
        )
        assert figure.get_size_inches()[1] < 9


@pytest.mark.parametrize("kind", ["bars", "maps"])
def test_the_same_figure_is_the_same_file(kind: str, results: Results, tmp_path: Path) -> None:
    for folder in ("a", "b"):
        write_figure(settings_of(kind), results, tmp_path / folder, "figure")
    for suffix in ("svg", "png"):
        first, second = (tmp_path / folder / f"figure.{suffix}" for folder in ("a", "b"))
        assert first.read_bytes() == second.read_bytes()
        assert first.stat().st_size > 1000


def test_curves_have_the_colour_of_their_method_and_auprc_in_the_legend(results: Results) -> None:
    figure = draw_figure(settings_of("precision-recall"), results)
    lines = {line.get_label(): line.get_color() for line in figure.axes[0].lines}
    label = next(label for label in lines if str(label).startswith("Label dae-coarse"))
    assert lines[label] == colour_of("dae-coarse")
    assert "±" in str(label)
    assert "prevalence" in texts(figure)


def test_axes_carry_units(results: Results) -> None:
    assert "Lesion volume / ml" in texts(draw_figure(settings_of("dice-by-lesion-size"), results))
    assert "Seconds per volume" in texts(draw_figure(settings_of("cost"), results))


def test_an_oracle_axis_is_called_an_upper_bound(results: Results) -> None:
    figure = draw_figure(settings_of("bars", metric="dice", protocol="oracle"), results)
    assert "upper bound" in texts(figure)


def test_bars_are_ordered_from_the_best_and_name_what_was_not_run(results: Results) -> None:
    figure = draw_figure(settings_of("bars"), results)
    labels = [label.get_text() for label in figure.axes[0].get_yticklabels()]
    assert labels[0] == "Label dae-coarse"
    assert labels[-1] == "Label andi-mf5"
    assert "not run" in texts(figure)


def test_maps_name_subjects_by_pseudonym_only(results: Results) -> None:
    shown = texts(draw_figure(settings_of("maps"), results))
    assert "BraTS 2021 #" in shown
    assert "BRATS21" not in shown


def test_published_values_are_drawn_beside_ours(results: Results) -> None:
    figure = draw_figure(settings_of("noise-comparison"), results)
    published = [line for line in figure.axes[0].lines if line.get_fillstyle() == "none"]
    assert np.asarray(published[0].get_ydata()) == pytest.approx([0.325, 0.833])
    assert "published" in texts(figure)


def test_lesion_volumes_are_in_millilitres(study: StudyEntry) -> None:
    store = ArrayStore(study.datasets[0].arrays)
    volumes = lesion_volumes_ml(store)
    voxels = int(store.lesion[store.slices("BRATS21000")].sum())
    assert volumes["BRATS21000"] == pytest.approx(voxels * 8 / 1000)
