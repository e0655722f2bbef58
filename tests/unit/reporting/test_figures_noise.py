"""Noise fields, and slices with them."""

from pathlib import Path

import numpy as np
import pytest
from matplotlib.figure import Figure
from pydantic import ValidationError

from brainuad.arrays import ArrayStore
from brainuad.noise.fields import draw_noise
from brainuad.noise.settings import NoiseSettings
from brainuad.randomness import torch_generator
from brainuad.reporting.figures.draw import draw_figure
from brainuad.reporting.figures.noise_samples import noised_at
from brainuad.reporting.inputs import StudyEntry
from tests.unit.reporting.figure_results import empty_study, figure_settings, texts, with_scores

PANELS = [
    {"label": f"resolution {a}", "noise": {"kind": "coarse", "resolution": a, "scale": 0.2}}
    for a in (1, 4, 24)
]


def pictures(figure: Figure) -> list[np.ndarray]:
    return [np.asarray(axes.images[0].get_array()) for axes in figure.axes if axes.images]


def test_a_field_is_that_of_the_generator_and_its_settings(tmp_path: Path) -> None:
    settings = figure_settings("noise-samples", panels=PANELS, size=16, seed=3)
    fields = pictures(draw_figure(settings, with_scores(empty_study(tmp_path), [])))
    expected = [
        draw_noise(NoiseSettings(**panel["noise"]), (1, 1, 16, 16), torch_generator(3, "noise samples"))
        for panel in PANELS
    ]
    for field, same in zip(fields, expected, strict=True):
        np.testing.assert_array_equal(field, same[0, 0].numpy())


def test_all_fields_have_one_grey_scale_about_zero(tmp_path: Path) -> None:
    figure = draw_figure(
        figure_settings("noise-samples", panels=PANELS, size=16), with_scores(empty_study(tmp_path), [])
    )
    limits = {axes.images[0].get_clim() for axes in figure.axes}
    assert len(limits) == 1
    low, high = limits.pop()
    assert low == -high


def test_the_slice_is_noised_inside_the_head_alone(study: StudyEntry) -> None:
    settings = figure_settings("noise-samples", panels=PANELS, dataset="brats21")
    found = pictures(draw_figure(settings, with_scores(study, [])))
    fields, noised = found[:3], found[3:]
    images = ArrayStore(study.datasets[0].arrays).images
    for field, picture in zip(fields, noised, strict=True):
        clean = np.where(np.isclose(picture, 0), 0, picture - field)
        assert any(np.allclose(np.sort(clean.ravel()), np.sort(x.ravel()), atol=1e-3) for x in images[:, 0])


def test_x_t_is_that_of_the_forward_process() -> None:
    settings = figure_settings("noise-samples", panels=PANELS, dataset="d", times=[0, 100, 1000])
    rng = np.random.default_rng(0)
    x, eps = rng.random((4, 5), dtype=np.float32), rng.normal(size=(4, 5)).astype(np.float32)
    at_0, at_100, at_1000 = noised_at(settings, x, settings.times, eps)
    alpha_bar = np.cumprod(1 - np.linspace(1e-4, 0.02, 1000))
    np.testing.assert_allclose(at_0, 2 * x - 1)
    expected = np.sqrt(alpha_bar[99]) * (2 * x - 1) + np.sqrt(1 - alpha_bar[99]) * eps
    np.testing.assert_allclose(at_100, expected, rtol=1e-4, atol=1e-5)
    np.testing.assert_allclose(at_1000, eps, atol=0.02)


def test_times_make_a_row_per_panel_with_the_times_above(study: StudyEntry) -> None:
    times = [0, 250, 500]
    settings = figure_settings("noise-samples", panels=PANELS, dataset="brats21", times=times)
    figure = draw_figure(settings, with_scores(study, []))
    assert len(pictures(figure)) == 3 * 4
    shown = texts(figure)
    assert [shown.count(f"t = {t}\n") for t in times] == [1, 1, 1]
    assert "resolution 24" in " ".join(shown.split())


def test_many_panels_go_on_in_further_rows(tmp_path: Path) -> None:
    settings = figure_settings("noise-samples", panels=PANELS, size=16, columns=2, width="column")
    figure = draw_figure(settings, with_scores(empty_study(tmp_path), []))
    bottoms = [round(axes.get_position().y0, 3) for axes in figure.axes]
    assert bottoms[0] == bottoms[1] > bottoms[2]


def test_without_the_data_set_the_figure_says_so(tmp_path: Path) -> None:
    settings = figure_settings("noise-samples", panels=PANELS, dataset="brats21")
    assert "not run" in texts(draw_figure(settings, with_scores(empty_study(tmp_path), [])))


def test_times_need_an_image_and_end_with_the_schedule() -> None:
    with pytest.raises(ValidationError, match="set `dataset` too"):
        figure_settings("noise-samples", panels=PANELS, times=[100])
    with pytest.raises(ValidationError, match="later than the last time of the schedule, 1000"):
        figure_settings("noise-samples", panels=PANELS, dataset="d", times=[1001])
