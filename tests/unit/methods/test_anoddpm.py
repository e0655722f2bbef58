"""Reconstruction by diffusion: what comes back, how often and from which noise."""

import pytest
import torch
from torch import Tensor

from brainuad.diffusion.process import q_sample
from brainuad.errors import InputError
from brainuad.methods.anoddpm import (
    DiffusionReconstruction,
    DiffusionReconstructionSettings,
    turned_views,
)
from brainuad.methods.base import ImageShape, Scan, Scored
from brainuad.noise.fields import draw_noise
from brainuad.noise.settings import NoiseSettings
from brainuad.randomness import Draws, torch_generator
from tests.unit.diffusion.closed_forms import eps_from_x_0
from tests.unit.methods.fake_denoiser import FakeDenoiser, small_ddpm

SIDE = 8


def image(channels: int = 2) -> Tensor:
    return torch.rand(channels, SIDE, SIDE, generator=torch_generator(0, "image"))


def scan(x: Tensor | None = None, slices: int = 3) -> Scan:
    x = torch.rand(slices, 2, SIDE, SIDE, generator=torch_generator(0, "scan")) if x is None else x
    return Scan("s", x, torch.ones(len(x), 1, *x.shape[2:], dtype=torch.bool))


def score(model, scan: Scan, seed: int = 4, **settings) -> Scored:
    settings = {"mask": "none", **settings}
    rule = DiffusionReconstruction(
        DiffusionReconstructionSettings(**settings), model, ImageShape(("t1", "t2"), (SIDE, SIDE))
    )
    return rule.score(scan, Draws(seed))


@pytest.mark.parametrize("variance", ["small", "large"])
@pytest.mark.parametrize("steps", [None, 10])
def test_model_that_knows_the_image_gives_it_back(steps: int | None, variance: str) -> None:
    x = image().expand(3, -1, -1, -1)
    reverse = {"variance": variance}
    scored = score(FakeDenoiser(2 * image() - 1), scan(x), t_test=60, steps=steps, repeats=2, reverse=reverse)
    torch.testing.assert_close(scored.pseudo_healthy, x, atol=1e-5, rtol=0)
    torch.testing.assert_close(scored.anomaly_map, torch.zeros(3, SIDE, SIDE), atol=1e-5, rtol=0)


def test_lesion_that_the_model_does_not_know_remains_in_the_map() -> None:
    x = image().expand(3, -1, -1, -1).clone()
    x[1, :, 2:4, 5] += 0.5
    scored = score(FakeDenoiser(2 * image() - 1), scan(x), t_test=60, repeats=1)
    expected = torch.zeros(3, SIDE, SIDE)
    expected[1, 2:4, 5] = 0.5
    torch.testing.assert_close(scored.anomaly_map, expected, atol=1e-5, rtol=0)


@pytest.mark.parametrize("steps", [None, 10])
def test_no_noise_leaves_the_image_as_it_is(steps: int | None) -> None:
    model = FakeDenoiser(torch.zeros(2, SIDE, SIDE))
    scored = score(model, scan(), t_test=0, steps=steps)
    assert torch.equal(scored.pseudo_healthy, scan().images)
    assert not scored.anomaly_map.any()
    assert not model.t


@pytest.mark.parametrize(("t_test", "steps", "times"), [(5, None, [4, 3, 2, 1, 0]), (251, 3, [250, 125, 0])])
def test_the_way_back_starts_at_t_test_and_ends_at_the_image(
    t_test: int, steps: int | None, times: list[int]
) -> None:
    model = FakeDenoiser(torch.zeros(2, SIDE, SIDE))
    score(model, scan(), t_test=t_test, steps=steps, repeats=2)
    assert model.t == [[t] * 3 for t in times] * 2
    eps = draw_noise(NoiseSettings(), (3, 2, SIDE, SIDE), Draws(4).generator("repeat", 1, "forward", "noise"))
    x_t = q_sample(model.schedule, 2 * scan().images - 1, t_test - 1, eps)
    torch.testing.assert_close(model.x_t[len(times)], x_t)


def test_reconstructions_are_averaged() -> None:
    class Counting(FakeDenoiser):
        """Answers 0.1 in the first reconstruction, 0.2 in the second and so on."""

        def predict_eps(self, x_t: Tensor, t: Tensor) -> Tensor:
            self.answer = self.answer + 0.1
            return super().predict_eps(x_t, t)

    scored = score(Counting(torch.zeros(2, SIDE, SIDE)), scan(), steps=1, repeats=3)
    torch.testing.assert_close(scored.pseudo_healthy, torch.full((3, 2, SIDE, SIDE), (1 + 0.2) / 2))


def test_every_reconstruction_and_step_has_its_own_noise() -> None:
    model = FakeDenoiser(torch.zeros(2, SIDE, SIDE))
    score(model, scan(), t_test=3, repeats=2)
    assert len({float(x_t.sum()) for x_t in model.x_t}) == 6
    # The answer is 0, so that what is left after a step is x_t scaled down and that step's noise.
    assert all(shape == (3, 2, SIDE, SIDE) for shape in model.shapes)


@pytest.mark.parametrize("kind", ["gaussian", "coarse", "simplex", "pyramid"])
def test_all_noise_is_of_the_kind_of_the_training(kind: str, monkeypatch: pytest.MonkeyPatch) -> None:
    kinds = []

    def recorded(settings: NoiseSettings, *arguments) -> Tensor:
        kinds.append(settings.kind)
        return draw_noise(settings, *arguments)

    monkeypatch.setattr("brainuad.methods.ddpm.draw_noise", recorded)
    score(small_ddpm(noise=NoiseSettings(kind=kind)), scan(), t_test=4, repeats=2)
    assert kinds == [kind] * (1 + 4) * 2


def test_nothing_but_the_noise_is_random() -> None:
    model = small_ddpm()
    model.draw_noise = lambda shape, generator: torch.ones(shape)  # type: ignore[method-assign]
    first, second = (score(model, scan(), seed=seed, t_test=3) for seed in (1, 2))
    assert torch.equal(first.anomaly_map, second.anomaly_map)


def test_batch_size_does_not_change_the_map() -> None:
    maps = [score(small_ddpm(), scan(), t_test=6, batch_size=size).anomaly_map for size in (1, 2, 64)]
    torch.testing.assert_close(maps[0], maps[1])
    torch.testing.assert_close(maps[0], maps[2])


@pytest.mark.parametrize(("clamp", "lowest"), [(True, 0.0), (False, -0.5)])
def test_reconstruction_is_clamped_when_asked(clamp: bool, lowest: float) -> None:
    model = FakeDenoiser(torch.full((2, SIDE, SIDE), -2.0))
    scored = score(model, scan(), t_test=3, repeats=1, clamp=clamp, reverse={"clip": None})
    torch.testing.assert_close(float(scored.pseudo_healthy.min()), lowest, atol=1e-5, rtol=0)


def test_predicted_image_is_clipped_in_every_step() -> None:
    scored = score(FakeDenoiser(torch.full((2, SIDE, SIDE), -2.0)), scan(), t_test=3, repeats=1)
    torch.testing.assert_close(scored.pseudo_healthy, torch.zeros(3, 2, SIDE, SIDE))


def test_time_beyond_the_model_is_refused() -> None:
    with pytest.raises(InputError, match="1200"):
        score(FakeDenoiser(torch.zeros(2, SIDE, SIDE)), scan(), t_test=1200)


def test_published_settings() -> None:
    paper = DiffusionReconstructionSettings()
    assert (paper.t_test, paper.repeats, paper.steps) == (250, 5, None)
    assert (paper.reverse.variance, paper.reverse.clip) == ("large", (-1, 1))


# One field for all slices.


def test_one_field_a_step_is_drawn_when_noise_is_shared_by_turns() -> None:
    model = FakeDenoiser(torch.zeros(2, SIDE, SIDE))
    score(model, scan(), t_test=3, repeats=1, reuse_noise=True)
    assert model.shapes[1:] == [(1, 2, 12, 12)] * 3  # the diagonal of 8 x 8


def test_image_is_noised_with_a_field_of_its_own_even_when_steps_share_theirs() -> None:
    model = FakeDenoiser(torch.zeros(2, SIDE, SIDE))
    score(model, scan(), t_test=3, repeats=1, reuse_noise=True)
    expected = draw_noise(
        NoiseSettings(), (3, 2, SIDE, SIDE), Draws(4).generator("repeat", 0, "forward", "noise")
    )
    eps = eps_from_x_0(model.schedule, model.x_t[0], torch.tensor(2), 2 * scan().images - 1)
    torch.testing.assert_close(eps, expected)


def test_turned_views_cover_the_image_at_every_angle() -> None:
    views = turned_views(torch.ones(1, 2, 25, 25), 200, (20, 15), torch_generator(0))
    assert views.shape == (200, 2, 20, 15)
    assert (views == 1).all()


def test_turned_views_are_quarter_turns_flips_and_angles_between() -> None:
    field = torch.arange(27.0**2).view(1, 1, 27, 27)
    views = turned_views(field, 2_000, (19, 19), torch_generator(0))[:, 0]
    assert (views[:, 9, 9] == field[0, 0, 13, 13]).all()
    different = {tuple(view.flatten().tolist()) for view in views}
    # 24 angles and their mirror images; at 45 degrees two pixels can be equally near.
    assert 48 <= len(different) <= 96
    middle = field[0, 0, 4:23, 4:23]
    for start in (middle, middle.flip(0)):
        for quarter in range(4):
            assert tuple(torch.rot90(start, quarter).flatten().tolist()) in different
