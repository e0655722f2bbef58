"""LPIPS a second time: torchmetrics' own module on feature layers written out with functional calls.

torchmetrics takes these layers from torchvision, which is not a part of this project.
"""

from collections.abc import Callable, Mapping

import pytest
import torch
import torch.nn.functional as F
from torch import Tensor, nn
from torchmetrics.functional.image import lpips

Weights = Mapping[str, Tensor]


class Call(nn.Module):
    """A function as a layer."""

    def __init__(self, function: Callable[[Tensor], Tensor]) -> None:
        super().__init__()
        self.function = function

    def forward(self, x: Tensor) -> Tensor:
        return self.function(x)


def convolve(weights: Weights, name: str, **options: int) -> Callable[[Tensor], Tensor]:
    return lambda x: F.conv2d(
        x, weights[f"features.{name}.weight"], weights[f"features.{name}.bias"], **options
    )


def squeeze_layers(weights: Weights) -> list[Callable[[Tensor], Tensor]]:
    def fire(number: int) -> Callable[[Tensor], Tensor]:
        def forward(x: Tensor) -> Tensor:
            low = F.relu(convolve(weights, f"{number}.squeeze")(x))
            one = convolve(weights, f"{number}.expand1x1")(low)
            three = convolve(weights, f"{number}.expand3x3", padding=1)(low)
            return F.relu(torch.cat([one, three], dim=1))

        return forward

    def pool(x: Tensor) -> Tensor:
        return F.max_pool2d(x, 3, 2, ceil_mode=True)

    first = [convolve(weights, "0", stride=2), F.relu, pool]
    return [*first, fire(3), fire(4), pool, fire(6), fire(7), pool, fire(9), fire(10), fire(11), fire(12)]


def alex_layers(weights: Weights) -> list[Callable[[Tensor], Tensor]]:
    def pool(x: Tensor) -> Tensor:
        return F.max_pool2d(x, 3, 2)

    stages = [convolve(weights, "0", stride=4, padding=2), F.relu, pool]
    stages += [convolve(weights, "3", padding=2), F.relu, pool]
    for number in (6, 8, 10):
        stages += [convolve(weights, str(number), padding=1), F.relu]
    return stages


def vgg_layers(weights: Weights) -> list[Callable[[Tensor], Tensor]]:
    stages: list[Callable[[Tensor], Tensor]] = []
    for number in range(31):
        if number in (4, 9, 16, 23, 30):
            stages.append(lambda x: F.max_pool2d(x, 2, 2))
        elif f"features.{number}.weight" in weights:
            stages.append(convolve(weights, str(number), padding=1))
        else:
            stages.append(F.relu)
    return stages


LAYERS = {"squeeze": squeeze_layers, "alex": alex_layers, "vgg": vgg_layers}


def reference_map(network: str, weights: Weights, a: Tensor, b: Tensor) -> Tensor:
    """The map of torchmetrics' LPIPS, with its heads, for images (batch, 3, x, y) in [0, 1]."""
    layers = nn.Sequential(*map(Call, LAYERS[network](weights)))
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(lpips, "_get_tv_model_features", lambda *arguments: layers)
        module = lpips._LPIPS(net=network, spatial=True)
    return module(a, b, normalize=True)
