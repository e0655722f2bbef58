"""Shapes of subjects."""

from dataclasses import replace

import numpy as np
import pytest

from brainuad.phantom.warp import STEP, draw_warp, push_away

CENTRE = 60.0


def test_to_subject_inverts_to_anatomy(ball):
    warp = draw_warp(ball.guide, 60, 1.0, 0.04, np.random.default_rng(0))
    points = np.random.default_rng(1).uniform(20, 100, (200, 3)).astype(np.float32)
    np.testing.assert_allclose(warp.to_anatomy(warp.to_subject(points)), points, atol=0.05)


@pytest.mark.parametrize("seed", range(5))
def test_warps_do_not_fold(ball, seed):
    warp = draw_warp(ball.guide, 80, 1.0, 0.04, np.random.default_rng(seed))
    gradient = np.stack([np.stack(np.gradient(warp.displacement[..., a], STEP), -1) for a in range(3)], -2)
    assert np.linalg.det(warp.linear + gradient).min() > 0


def test_ventricles_widen_with_age(ball):
    rim = np.array([[CENTRE + 10.0, CENTRE, CENTRE]], dtype=np.float32)
    young, old = (draw_warp(ball.guide, age, 0, 0, np.random.default_rng(0)) for age in (25, 85))
    distance = [np.linalg.norm(warp.to_subject(rim)[0] - ball.guide.centre) for warp in (young, old)]
    assert distance[1] > distance[0] + 1


def test_a_growth_moves_tissue_outwards_and_stays_in_place(ball):
    still = draw_warp(ball.guide, 45, 0, 0, np.random.default_rng(0))
    still = replace(still, displacement=np.zeros_like(still.displacement))
    centre = np.array([80.0, 60.0, 60.0])
    pushed = push_away(still, centre, radius_mm=10, shift_mm=3)
    points = (centre + np.array([[0, 0, 0], [10, 0, 0], [-10, 0, 0]])).astype(np.float32)
    moved = pushed.to_subject(points) - points
    np.testing.assert_allclose(moved[0], 0, atol=0.05)
    assert moved[1, 0] > 1.5
    assert moved[2, 0] < -1.5


def test_the_guide_finds_the_inner_ventricle_only(ball):
    distance = ball.guide.to_ventricle_mm
    middle = distance.shape[0] // 2
    assert distance[middle, middle, middle] == 0
    assert distance[middle + 12, middle, middle] > 30  # the fluid below the skull is not a ventricle
