"""Settings of tables and figures: what fits, and what is refused with its key."""

from collections.abc import Callable

import pytest
from pydantic import TypeAdapter, ValidationError

from brainuad.reporting.figure_settings import FigureSettings, NoiseFigure
from brainuad.reporting.settings import TableSettings

METHODS = [{"method": "dae", "label": "DAE"}]


def test_published_values_may_be_numbers_pairs_or_nothing(
    table_settings: Callable[..., TableSettings],
) -> None:
    assert table_settings().published["dae-coarse"] == ((0.833, 0.005), (77.3, 0.4), 0.693)
    assert table_settings().published["threshold"] == (0.798, None, None)


def test_published_values_for_an_unknown_row_are_refused(
    table_settings: Callable[..., TableSettings],
) -> None:
    with pytest.raises(ValidationError, match=r"published\.dea-coarse: not a row of this table"):
        table_settings(published={"dea-coarse": [1, 2, 3]})


def test_as_many_published_values_as_columns_are_needed(table_settings: Callable[..., TableSettings]) -> None:
    with pytest.raises(ValidationError, match="2 values for 3 columns"):
        table_settings(published={"dae-coarse": [1, 2]})


def test_the_kind_of_a_figure_decides_its_keys() -> None:
    content = {
        "kind": "noise-comparison",
        "title": "Noise",
        "dataset": "brats21",
        "x": ["Gaussian", "coarse"],
        "series": [{"label": "DAE", "methods": ["dae-gaussian", None], "published": [[0.3, 0.1], 0.8]}],
    }
    figure = TypeAdapter(FigureSettings).validate_python(content)
    assert isinstance(figure, NoiseFigure)
    assert figure.x_label == "Noise"


def test_an_unknown_kind_of_figure_is_refused_with_the_known_ones() -> None:
    with pytest.raises(ValidationError, match="precision-recall"):
        TypeAdapter(FigureSettings).validate_python({"kind": "pie", "title": "x"})


def test_a_series_needs_a_method_or_null_for_each_position() -> None:
    content = {"kind": "trend", "title": "t", "dataset": "d", "x_label": "x", "x": [1, 2]}
    with pytest.raises(ValidationError, match="series DAE: 1 methods for 2 values of x"):
        TypeAdapter(FigureSettings).validate_python(
            content | {"series": [{"label": "DAE", "methods": ["a"]}]}
        )


def test_a_logarithmic_axis_has_no_place_for_zero() -> None:
    series = [{"label": "DAE", "methods": ["dae"] * 2}]
    content = {"kind": "trend", "title": "T", "dataset": "d", "x_label": "x", "x": [0, 1], "series": series}
    TypeAdapter(FigureSettings).validate_python(content)
    with pytest.raises(ValidationError, match="must lie above 0"):
        TypeAdapter(FigureSettings).validate_python({**content, "log_x": True})
