"""Ellipses lie, look and vary as their settings say."""

import numpy as np
import pytest

from brainuad.randomness import numpy_generator
from brainuad.synthetic.ellipses import Ellipse, draw_ellipses, put_ellipses
from brainuad.synthetic.settings import Ellipses

SETTINGS = Ellipses(kind="ellipses", of="ixi")


def drawn(size: int, count: int = 400, settings: Ellipses = SETTINGS) -> list[Ellipse]:
    generator = numpy_generator(0, "test ellipses")
    return [e for _ in range(count) for e in draw_ellipses(settings, (size, size), generator)]


def ellipse(**changes: float) -> Ellipse:
    content = {"x": 20, "y": 14, "semi_x": 9, "semi_y": 4, "angle_degrees": 0}
    return Ellipse(**{**content, "lower": 30, "upper": 70, "level": 0.25, **changes})  # type: ignore[arg-type]


@pytest.mark.parametrize(("size", "lowest", "highest"), [(128, 32, 95), (64, 16, 47)])
def test_centres_are_uniform_in_the_middle_half_of_every_image(size: int, lowest: int, highest: int) -> None:
    centres = np.array([(e.x, e.y) for e in drawn(size)])
    assert centres.min(axis=0).tolist() == [lowest, lowest]
    assert centres.max(axis=0).tolist() == [highest, highest]
    assert np.allclose(centres.mean(axis=0), (lowest + highest) / 2, atol=1.5 * size / 128)


def test_every_slice_has_one_ellipse_for_each_band() -> None:
    bands = [(e.lower, e.upper) for e in draw_ellipses(SETTINGS, (128, 128), numpy_generator(0))]
    assert bands == [(1, 5), (30, 70), (95, 99)]


def test_semi_axes_are_whole_parts_of_a_folded_normal_law_of_at_least_two_pixels() -> None:
    axes = np.array([(e.semi_x, e.semi_y) for e in drawn(128, 2000)]).ravel()
    law = np.maximum(np.abs(np.random.default_rng(1).normal(8, 12, 200_000)), 2).astype(int)
    assert axes.min() == 2
    assert axes.mean() == pytest.approx(law.mean(), rel=0.03)
    assert axes.std() == pytest.approx(law.std(), rel=0.04)


def test_semi_axes_shrink_with_the_image() -> None:
    large, small = (np.array([e.semi_x for e in drawn(size)]) for size in (128, 64))
    assert small.mean() == pytest.approx(large.mean() / 2, rel=0.1)


def test_the_mask_is_the_ellipse_of_the_textbook() -> None:
    item = ellipse(angle_degrees=30)
    _, mask = put_ellipses(np.zeros((1, 48, 40)), [item], largest=1)
    x, y = np.meshgrid(np.arange(48) - item.x, np.arange(40) - item.y, indexing="ij")
    best = 0.0
    for sign in (1, -1):  # either sense of rotation
        turn = sign * np.deg2rad(30)
        along, across = x * np.cos(turn) + y * np.sin(turn), y * np.cos(turn) - x * np.sin(turn)
        expected = (along / 9.5) ** 2 + (across / 4.5) ** 2 < 1
        best = max(best, 2 * (mask & expected).sum() / (mask.sum() + expected.sum()))
    assert best == 1


def test_intensity_lies_at_its_level_between_the_two_percentiles() -> None:
    image = np.random.default_rng(0).random((1, 48, 40))
    changed, mask = put_ellipses(image, [ellipse()], largest=1)
    lower, upper = np.percentile(image, (30, 70))
    assert np.allclose(changed[0][mask], lower + 0.25 * (upper - lower))
    assert np.array_equal(changed[0][~mask], image[0][~mask])


def test_percentiles_are_those_of_the_image_with_the_earlier_ellipses() -> None:
    image = np.random.default_rng(0).random((1, 48, 40))
    first, second = ellipse(), ellipse(x=30, y=30, lower=95, upper=99)
    once, _ = put_ellipses(image, [first], largest=1)
    both, mask = put_ellipses(image, [first, second], largest=1)
    lower, upper = np.percentile(once, (95, 99))
    assert both[0, 30, 30] == pytest.approx(lower + 0.25 * (upper - lower))
    assert mask[20, 14]
    assert mask[30, 30]


def test_every_channel_gets_the_same_shape_with_its_own_intensity() -> None:
    image = np.stack([np.full((48, 40), value) + np.eye(48, 40) for value in (0.2, 0.6)])
    changed, mask = put_ellipses(image, [ellipse(lower=10, upper=20)], largest=None)
    assert np.array_equal(changed[0][mask], np.full(mask.sum(), 0.2))
    assert np.array_equal(changed[1][mask], np.full(mask.sum(), 0.6))


def test_intensity_is_cut_at_the_largest_one() -> None:
    image = 3 * np.ones((1, 48, 40))
    assert put_ellipses(image, [ellipse()], largest=1)[0].min() == 1
    assert put_ellipses(image, [ellipse()], largest=None)[0].min() == 3


def test_an_ellipse_over_the_edge_is_cut_there() -> None:
    _, mask = put_ellipses(np.zeros((1, 48, 40)), [ellipse(x=0, y=39)], largest=1)
    assert 0 < mask.sum() < 0.4 * np.pi * 9.5 * 4.5
