"""The noise that a network finds at many times of one volume, samples and times batched together."""

import math
from collections.abc import Callable, Iterator, Sequence
from typing import Any

import torch
from torch import Tensor

from brainuad.diffusion.process import PredictNoise, q_sample


def predicted_noise(
    model: Any, x_0: Tensor, times: Sequence[int], draw_noise: Callable[[int], Tensor], batch_size: int
) -> Iterator[tuple[int, Tensor, Tensor]]:
    """(t, eps, eps_hat) for each array index t of `times`: the noise in x_t and what the model takes it for.

    x_0, eps and eps_hat are (sample, channel, *size), in the network's range; samples are slices or volumes.
    `draw_noise(t)` makes the noise of all samples at t. A pass of the network takes at most `batch_size` samples, of
    as many times as fit; in memory are those and one volume. The noise does not depend on `batch_size`.
    """
    samples = len(x_0)
    together = max(1, batch_size // samples)
    predict_eps = in_chunks(model.predict_eps, batch_size)
    for first in range(0, len(times), together):
        chosen = times[first : first + together]
        eps = torch.cat([draw_noise(t) for t in chosen])  # (time * sample, channel, *size)
        t = torch.tensor(chosen, device=x_0.device).repeat_interleave(samples)
        x_t = q_sample(model.schedule, x_0.repeat(len(chosen), *[1] * (x_0.ndim - 1)), t, eps)
        eps_hat = predict_eps(x_t, t)
        yield from zip(chosen, eps.split(samples), eps_hat.split(samples), strict=True)


def in_chunks(predict_eps: PredictNoise, batch_size: int) -> PredictNoise:
    """The same prediction, made in passes of nearly equal size and at most `batch_size` images."""

    def predict(x_t: Tensor, t: Tensor) -> Tensor:
        passes = math.ceil(len(x_t) / batch_size)
        pieces = zip(x_t.tensor_split(passes), t.tensor_split(passes), strict=True)
        return torch.cat([predict_eps(x, time) for x, time in pieces])

    return predict
