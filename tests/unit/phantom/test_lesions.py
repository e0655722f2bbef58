"""Tumours and plaques in a ball of white matter."""

import numpy as np
import pytest

from brainuad.phantom.geometry import Grid
from brainuad.phantom.head import Slab, make_head, sample_head
from brainuad.phantom.plaques import draw_plaques
from brainuad.phantom.tumour import draw_tumour
from brainuad.phantom.warp import draw_warp

GRID = Grid((120, 120, 120), np.eye(4), np.eye(4))


@pytest.fixture(scope="module")
def slab(ball) -> Slab:
    """The ball at 1 mm, hardly deformed."""
    warp = draw_warp(ball.guide, 45, 0, 0, np.random.default_rng(3))
    return sample_head(make_head(ball, warp, 45, np.random.default_rng(0)), GRID)


def tumour_shares(ball, slab: Slab, seed: int, radius_mm: tuple[float, float]) -> dict[str, np.ndarray]:
    warp = draw_warp(ball.guide, 45, 0, 0, np.random.default_rng(3))
    return draw_tumour(ball, warp, radius_mm, np.random.default_rng(seed)).fractions(slab)


def test_shares_never_exceed_the_voxel(ball, slab):
    for seed in range(3):
        shares = tumour_shares(ball, slab, seed, (8, 15))
        total = sum(shares.values())
        assert total.max() <= 1 + 1e-5
        assert min(share.min() for share in shares.values()) >= 0


def test_a_tumour_stays_inside_the_skull(ball, slab):
    total = sum(tumour_shares(ball, slab, 1, (15, 20)).values())
    assert total[slab.brain < 0.5].max() == 0


def test_tumours_grow_with_their_radius(ball, slab):
    small, large = (
        np.mean([sum(tumour_shares(ball, slab, s, r).values()).sum() for s in range(2)])
        for r in ((6, 6.1), (14, 14.1))
    )
    assert large > 3 * small


def test_the_rim_surrounds_the_necrosis(ball, slab):
    warp = draw_warp(ball.guide, 45, 0, 0, np.random.default_rng(3))
    draws = (draw_tumour(ball, warp, (12, 14), np.random.default_rng(seed)) for seed in range(50))
    tumour = next(t for t in draws if not t.low_grade and len(t.foci) == 1)
    shares = tumour.fractions(slab)
    distance = np.linalg.norm(slab.places - tumour.foci[0].centre, axis=1)
    mean_distance = {tissue: np.average(distance, weights=share) for tissue, share in shares.items()}
    assert mean_distance["necrosis"] < mean_distance["enhancing"] < mean_distance["oedema"]


def test_plaques_number_as_asked(ball):
    warp = draw_warp(ball.guide, 45, 1, 0, np.random.default_rng(0))
    plaques = draw_plaques(ball, warp, (30, 30.001), np.random.default_rng(0))
    assert len(plaques.centres) == 30


def test_plaques_prefer_the_ventricle(ball, slab):
    warp = draw_warp(ball.guide, 45, 0, 0, np.random.default_rng(3))
    plaques = draw_plaques(ball, warp, (200, 200.001), np.random.default_rng(0))
    near = (np.linalg.norm(plaques.centres - ball.guide.centre, axis=1) < 22).mean()
    share_of_white_matter = (22**3 - 10**3) / (44**3 - 10**3)
    assert near > 3 * share_of_white_matter


def test_plaques_leave_the_fluid_alone(ball, slab):
    warp = draw_warp(ball.guide, 45, 0, 0, np.random.default_rng(3))
    total = sum(draw_plaques(ball, warp, (60, 61), np.random.default_rng(0)).fractions(slab).values())
    assert total[slab.fractions["csf"] > 0.99].max() < 0.02
    assert total.max() > 0.9
