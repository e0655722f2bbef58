"""ANDi: deviations by their definition, means over times by brute force, zeros, noise, times and chunks."""

import math

import numpy as np
import pytest
import torch
from pydantic import ValidationError
from torch import Tensor

from brainuad.diffusion.process import posterior_mean, q_sample
from brainuad.diffusion.schedule import make_schedule
from brainuad.diffusion.settings import ScheduleSettings
from brainuad.errors import InputError
from brainuad.methods.andi import Andi, AndiSettings, deviation, mean_over_times
from brainuad.methods.base import ImageShape, Scan
from brainuad.noise.fields import draw_noise
from brainuad.noise.settings import NoiseSettings
from brainuad.randomness import Draws, torch_generator
from tests.unit.diffusion.closed_forms import posterior_mean_from_eps

SHAPE = (3, 2, 6, 5)  # slice, channel, x, y
SCHEDULE = make_schedule(ScheduleSettings())
DRAWS = Draws(7, ("scoring", "s"))


class Fake:
    """A model that answers with 0.3 x_t + t / 1000, and keeps what it is asked."""

    schedule = SCHEDULE

    def __init__(self) -> None:
        self.times: list[int] = []
        self.sizes: list[int] = []
        self.drawn = 0

    def predict_eps(self, x_t: Tensor, t: Tensor) -> Tensor:
        self.times += t.tolist()
        self.sizes.append(len(x_t))
        return 0.3 * x_t + t.view(-1, 1, 1, 1) / 1000

    def draw_noise(self, shape: torch.Size, generator: torch.Generator) -> Tensor:
        self.drawn += 1
        return draw_noise(NoiseSettings(kind="coarse", resolution=3), tuple(shape), generator)

    def to_network_range(self, x: Tensor) -> Tensor:
        return 2 * x - 1


class Perfect(Fake):
    """A model that finds exactly the noise that it draws, which is 0.5 everywhere."""

    def predict_eps(self, x_t: Tensor, t: Tensor) -> Tensor:
        return torch.full_like(x_t, 0.5)

    def draw_noise(self, shape: torch.Size, generator: torch.Generator) -> Tensor:
        return torch.full(shape, 0.5)


def rule(model: Fake, **settings: object) -> Andi:
    return Andi(AndiSettings(**settings), model, ImageShape(("flair", "t1"), SHAPE[2:]))


def scan() -> Scan:
    x = torch.rand(SHAPE, generator=torch_generator(0, "images"))
    x[:, :, 0] = 0
    return Scan("s", x, torch.ones(SHAPE[0], 1, *SHAPE[2:], dtype=torch.bool))


def deviations_by_definition(times: range) -> np.ndarray:
    """(mu_q - mu_theta)^2 of the fake model (time, slice, channel, x, y), with mu_q of equation 2."""
    x_0 = (2 * scan().images - 1).double()
    found = []
    for t in times:
        eps = torch.randn(SHAPE, generator=DRAWS.within("t", t).generator("noise")).double()
        x_t = q_sample(SCHEDULE, x_0, t, eps)
        mu_q = posterior_mean(SCHEDULE, x_0, x_t, t)
        mu_theta = posterior_mean_from_eps(SCHEDULE, x_t, t, 0.3 * x_t + t / 1000)
        found.append((mu_q - mu_theta).square().numpy())
    return np.stack(found)


@pytest.mark.parametrize("t", [0, 75, 199, 999])
def test_deviation_is_the_squared_distance_of_the_posterior_means(t: int) -> None:
    x_t, eps, eps_theta = torch.randn(3, *SHAPE, dtype=torch.float64, generator=torch_generator(0))
    mu_q, mu_theta = (posterior_mean_from_eps(SCHEDULE, x_t, t, e) for e in (eps, eps_theta))
    assert torch.allclose(deviation(SCHEDULE, t, eps, eps_theta), (mu_q - mu_theta).square(), rtol=1e-8)


def test_deviation_scales_with_beta_squared_over_alpha_times_one_minus_alpha_bar() -> None:
    betas = np.linspace(1e-4, 0.02, 1000)
    alpha_bar = np.prod(1 - betas[:101])
    expected = betas[100] ** 2 / ((1 - betas[100]) * (1 - alpha_bar))
    found = deviation(SCHEDULE, 100, torch.ones(1, 1, 1), torch.zeros(1, 1, 1))
    assert found.item() == pytest.approx(expected, rel=1e-6)


def test_geometric_mean_is_the_exponential_of_the_mean_logarithm() -> None:
    times = range(75, 85)
    expected = np.exp(np.log(deviations_by_definition(times)).mean(axis=0)).max(axis=1)
    found = rule(Fake(), last_t=85).score(scan(), DRAWS).anomaly_map
    assert found.dtype == torch.float32
    assert np.allclose(found.numpy(), expected, rtol=1e-3)


def test_arithmetic_mean_over_times_and_mean_over_modalities_are_the_base_of_the_ablation() -> None:
    expected = deviations_by_definition(range(75, 85)).mean(axis=0).mean(axis=1)
    settings = {"last_t": 85, "over_times": "arithmetic", "over_modalities": "mean"}
    found = rule(Fake(), **settings).score(scan(), DRAWS).anomaly_map
    assert np.allclose(found.numpy(), expected, rtol=1e-3)


@pytest.mark.parametrize("over_times", ["geometric", "arithmetic"])
def test_a_perfect_prediction_gives_a_zero_map(over_times: str) -> None:
    found = rule(Perfect(), noise=None, over_times=over_times).score(scan(), DRAWS).anomaly_map
    assert torch.equal(found, torch.zeros(SHAPE[0], *SHAPE[2:]))


def test_one_zero_deviation_makes_the_geometric_mean_zero_and_not_the_arithmetic() -> None:
    deviations = [torch.tensor([0.0, 4.0]), torch.tensor([2.0, 9.0])]
    assert mean_over_times(deviations, geometric=True).tolist() == pytest.approx([0, 6])
    assert mean_over_times(deviations, geometric=False).tolist() == [1, 6.5]


def test_each_slice_is_asked_once_at_each_of_the_125_times_of_the_paper() -> None:
    model = Fake()
    rule(model).score(scan(), DRAWS)
    assert sorted(model.times) == sorted([*range(75, 200)] * SHAPE[0])


def test_larger_steps_leave_times_out() -> None:
    model = Fake()
    rule(model, t_step=50).score(scan(), DRAWS)
    assert sorted(set(model.times)) == [75, 125, 175]


@pytest.mark.parametrize("batch_size", [1, 2, 7, 1000])
def test_the_map_does_not_depend_on_the_batch_size_which_bounds_the_passes(batch_size: int) -> None:
    expected = rule(Fake(), last_t=90).score(scan(), DRAWS).anomaly_map
    model = Fake()
    found = rule(model, last_t=90, batch_size=batch_size).score(scan(), DRAWS).anomaly_map
    assert torch.allclose(found, expected, rtol=1e-5)
    assert max(model.sizes) <= batch_size


def test_slices_and_times_have_independent_noise() -> None:
    class Keeper(Fake):
        def predict_eps(self, x_t: Tensor, t: Tensor) -> Tensor:
            seen.extend(x_t.flatten(1))
            return x_t

    seen: list[Tensor] = []
    same = Scan("s", torch.full(SHAPE, 0.5), torch.ones(SHAPE[0], 1, *SHAPE[2:], dtype=torch.bool))
    rule(Keeper(), last_t=79).score(same, DRAWS)
    correlation = np.corrcoef(torch.stack(seen).numpy()) - np.eye(len(seen))
    assert len(seen) == 4 * SHAPE[0]
    assert np.abs(correlation).max() < 0.7


def test_test_noise_is_gaussian_unless_it_is_that_of_the_model() -> None:
    model = Fake()
    gaussian = rule(model, last_t=80).score(scan(), DRAWS).anomaly_map
    assert model.drawn == 0
    own = rule(model, last_t=80, noise=None).score(scan(), DRAWS).anomaly_map
    assert model.drawn == 5
    assert not torch.allclose(own, gaussian)


def test_the_background_counts_unless_it_is_masked() -> None:
    plain = rule(Fake(), last_t=80).score(scan(), DRAWS).anomaly_map
    masked = rule(Fake(), last_t=80, mask="foreground").score(scan(), DRAWS).anomaly_map
    assert (plain > 0).all()
    assert torch.equal(masked[:, 0], torch.zeros(SHAPE[0], SHAPE[3]))
    assert torch.equal(masked[:, 1:], plain[:, 1:])


@pytest.mark.parametrize("error", [1e-2, 30.0])
def test_maps_fit_into_float16_for_small_and_large_errors_of_the_noise(error: float) -> None:
    for t in (75, 199, 325):
        d_t = deviation(SCHEDULE, t, torch.full((1, 1, 1), error), torch.zeros(1, 1, 1)).item()
        stored = d_t * 2.0**Andi.scale_exponent
        assert float(np.finfo(np.float16).tiny) < stored < float(np.finfo(np.float16).max)
        assert math.isclose(float(np.float16(stored)), stored, rel_tol=1e-3)


def test_times_that_do_not_rise_are_refused() -> None:
    with pytest.raises(ValidationError, match="is not before last_t"):
        AndiSettings(first_t=200, last_t=200)


def test_times_behind_the_end_of_the_model_are_refused() -> None:
    with pytest.raises(InputError, match="1000 times"):
        rule(Fake(), last_t=1001)
