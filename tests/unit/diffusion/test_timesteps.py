"""Noise predictions of many slices and times in common passes against one pass per slice and time."""

from types import SimpleNamespace

import pytest
import torch
from torch import Tensor

from brainuad.diffusion.process import q_sample
from brainuad.diffusion.schedule import make_schedule
from brainuad.diffusion.settings import ScheduleSettings
from brainuad.diffusion.timesteps import in_chunks, predicted_noise
from brainuad.randomness import torch_generator

SCHEDULE = make_schedule(ScheduleSettings())
TIMES = [0, 40, 41, 300, 999]
SHAPE = (5, 2, 4, 3)
X_0 = torch.randn(SHAPE, generator=torch_generator(0, "images"))


def noise_at(t: int) -> Tensor:
    return torch.randn(SHAPE, generator=torch_generator(0, "noise", t))


def predict_eps(x_t: Tensor, t: Tensor) -> Tensor:
    """A prediction that depends on the image and on its own time."""
    return x_t.sin() + t.view(-1, 1, 1, 1) / 1000


def passes(batch_size: int) -> tuple[list[tuple[int, Tensor, Tensor]], list[int]]:
    """What is found, and the number of images in each pass."""
    sizes: list[int] = []

    def counted(x_t: Tensor, t: Tensor) -> Tensor:
        sizes.append(len(x_t))
        return predict_eps(x_t, t)

    model = SimpleNamespace(schedule=SCHEDULE, predict_eps=counted)
    return list(predicted_noise(model, X_0, TIMES, noise_at, batch_size)), sizes


@pytest.mark.parametrize("batch_size", [1, 2, 5, 7, 10, 12, 1000])
def test_every_slice_and_time_is_predicted_as_if_alone(batch_size: int) -> None:
    found, _ = passes(batch_size)
    assert [t for t, _, _ in found] == TIMES
    for t, eps, eps_hat in found:
        assert torch.equal(eps, noise_at(t))
        x_t = q_sample(SCHEDULE, X_0, t, eps)
        for number in range(len(X_0)):
            alone = predict_eps(x_t[number : number + 1], torch.tensor([t]))
            torch.testing.assert_close(eps_hat[number : number + 1], alone)


@pytest.mark.parametrize(
    ("batch_size", "expected"),
    [(1, [1] * 25), (2, [2, 2, 1] * 5), (5, [5] * 5), (10, [10, 10, 5]), (12, [10, 10, 5]), (1000, [25])],
)
def test_passes_hold_as_many_times_as_fit(batch_size: int, expected: list[int]) -> None:
    assert passes(batch_size)[1] == expected


@pytest.mark.parametrize("batch_size", [1, 3, 5, 64])
def test_chunks_give_the_prediction_of_one_pass(batch_size: int) -> None:
    t = torch.arange(5) * 100
    torch.testing.assert_close(in_chunks(predict_eps, batch_size)(X_0, t), predict_eps(X_0, t))
