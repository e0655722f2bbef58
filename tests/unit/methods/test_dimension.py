"""Settings and mathematics of the methods on volumes, against closed forms and brute force."""

from typing import Any

import numpy as np
import pytest
import torch
from pydantic import ValidationError
from scipy import ndimage

from brainuad.methods.base import AnyDimensionSettings, Batch, ImageShape, Model
from brainuad.methods.dae import Dae, DaeSettings
from brainuad.methods.ddpm import Ddpm, DdpmSettings, build_network
from brainuad.methods.kl import above_percentile
from brainuad.methods.reconstruction import interior, per_pass
from brainuad.methods.registry import models, scoring_rules
from brainuad.methods.vae import VaeSettings
from brainuad.methods.vae_restoration import VaeRestoration, VaeRestorationSettings, total_variation
from brainuad.noise.settings import NoiseSettings
from brainuad.randomness import Draws, torch_generator
from brainuad.study import ModelEntry, resolved

VOLUMETRIC = [
    kind for kind, found in models().items() if issubclass(found.settings_class, AnyDimensionSettings)
]


def settings_of(kind: str, scale: str, **given: Any) -> dict[str, Any]:
    chosen: type[Model] = models()[kind]
    entry = ModelEntry(kind=kind, settings={"dimension": 3, **given})
    return resolved(chosen.settings_class, entry, chosen.quick, scale)


def test_the_models_of_kascenas_have_three_dimensions() -> None:
    assert set(VOLUMETRIC) == {"dae", "ddpm", "unet", "vae"}


def test_the_rules_of_kascenas_take_volumes() -> None:
    able = {kind for kind, rule in scoring_rules().items() if 3 in rule.dimensions}
    denoising = {"reconstruction", "vae-restoration", "diffusion-reconstruction", "kl", "kl-inpainting"}
    assert able == {*denoising, "segmentation"}


def test_a_setting_of_a_group_leaves_the_others_of_three_dimensions() -> None:
    settings = settings_of("dae", "paper", training={"iterations": 7}, noise={"kind": "simplex"})
    assert settings["training"]["iterations"] == 7
    assert settings["training"]["batch_size"] == 3
    assert settings["training"]["optimiser"]["schedule"] == "one-cycle"
    assert settings["training"]["gradient_clip"] == 0.5
    assert settings["network"]["widths"] == [32, 64, 128, 256]
    assert settings["noise"] == NoiseSettings(kind="simplex", scale=0.2).model_dump(mode="json")


def test_without_a_dimension_settings_are_those_of_slices() -> None:
    assert DaeSettings().dimension == 2
    assert DaeSettings().network.widths == (64, 128, 256, 512)
    assert DaeSettings(dimension=3).training.iterations == 25_600


def parameters(kind: str, scale: str, size: tuple[int, ...]) -> int:
    settings = models()[kind].settings_class.model_validate(settings_of(kind, scale))
    shape = ImageShape(("ct",), size)
    with torch.device("meta"):
        network = build_network(settings, shape) if kind == "ddpm" else models()[kind](settings, shape)  # type: ignore[arg-type]
    return sum(parameter.numel() for parameter in network.parameters())


@pytest.mark.parametrize("kind", VOLUMETRIC)
def test_the_quick_scale_has_small_networks_for_volumes(kind: str) -> None:
    assert parameters(kind, "quick", (40, 56, 44)) < 0.1 * parameters(kind, "paper", (80, 112, 88))


@pytest.mark.parametrize(("kind", "count"), [("dae", 5_602_529), ("ddpm", 15_839_937), ("vae", 156_804_577)])
def test_parameters_at_the_size_of_head_ct(kind: str, count: int) -> None:
    assert parameters(kind, "paper", (80, 112, 88)) == count


@pytest.mark.parametrize(
    ("settings_class", "architecture"),
    [
        (VaeSettings, "strided"),
        (VaeSettings, "convolutional"),
        (DdpmSettings, "andi"),
        (DdpmSettings, "monai"),
    ],
)
def test_architectures_for_slices_are_refused(settings_class: Any, architecture: str) -> None:
    with pytest.raises(ValidationError, match="is for slices"):
        settings_class(dimension=3, architecture=architecture)


@pytest.mark.parametrize(
    ("shape", "expected"), [((9, 1, 4, 4), 6), ((2, 1, 4, 4, 3), 2), ((2, 1, 4, 4, 88), 1)]
)
def test_a_pass_takes_as_many_volumes_as_have_so_many_slices(shape: tuple[int, ...], expected: int) -> None:
    assert per_pass(6, torch.empty(shape)) == expected


def test_the_loss_of_the_dae_is_the_masked_mean_over_all_voxels() -> None:
    settings = DaeSettings(dimension=3, network={"widths": (4, 8)}, noise=NoiseSettings(scale=0.2))
    model = Dae(settings, ImageShape(("ct",), (8, 6, 4)))
    x = torch.rand(2, 1, 8, 6, 4, generator=torch_generator(0)) * (torch.arange(4) > 0)
    batch = Batch(x, torch.ones_like(x, dtype=torch.bool))
    noise = 0.2 * torch.randn(x.shape, generator=Draws(1).generator("noise"))
    fg = (x > 0.01).float()
    expected = (fg * (model.network(x + noise * fg) - x) ** 2).sum() / x.numel()
    torch.testing.assert_close(model.loss(batch, Draws(1)), expected)


def test_the_loss_of_the_diffusion_model_is_that_of_its_noise() -> None:
    model = Ddpm(
        DdpmSettings.model_validate(settings_of("ddpm", "quick", noise={"kind": "coarse", "resolution": 3})),
        ImageShape(("ct",), (8, 12, 4)),
    )
    batch = Batch(torch.rand(2, 1, 8, 12, 4), torch.ones(2, 1, 8, 12, 4, dtype=torch.bool))
    eps = model.draw_noise(batch.images.shape, Draws(1).generator("noise"))
    # The network's output is zero at first.
    torch.testing.assert_close(model.loss(batch, Draws(1)), eps.square().mean())


def test_the_interior_of_a_volume_is_eroded_along_all_axes() -> None:
    fg = np.zeros((12, 10, 9), dtype=np.float32)
    fg[1:10, 2:9, 1:8] = 1
    mean = ndimage.uniform_filter(fg.astype(float), 3, mode="constant")
    found = interior(torch.from_numpy(fg)[None, None], 3)[0, 0].numpy()
    assert np.array_equal(found > 0, mean > 0.95)


@pytest.mark.parametrize("of", ["slice", "volume"])
def test_the_percentile_of_a_volume_is_that_of_all_its_voxels(of: Any) -> None:
    K = torch.rand(1, 8, 10, 5, generator=torch_generator(0))
    M = above_percentile(K, 97.5, of)
    assert M.sum() == 10
    assert K[M].min() > K[~M].max()


def test_total_variation_of_a_volume_counts_three_axes() -> None:
    x = torch.rand(2, 1, 3, 4, 5, generator=torch_generator(0))
    expected = [sum(np.abs(np.diff(v, axis=a)).sum() for a in range(3)) for v in x[:, 0].double().numpy()]
    assert total_variation(x).tolist() == pytest.approx(expected)


def test_restoration_moves_a_volume_only_inside_the_brain() -> None:
    class Shrinking:
        def encode_decode(self, x: torch.Tensor) -> tuple[torch.Tensor, ...]:
            zero = torch.zeros(len(x), 2)
            return 0.5 * x, zero, zero

        def reconstruction_error(
            self, x: torch.Tensor, x_hat: torch.Tensor, fg: torch.Tensor
        ) -> torch.Tensor:
            return fg * (x - x_hat).square()

    settings = VaeRestorationSettings(iterations=1, step=0.1, tv_weight=0.0)
    rule = VaeRestoration(settings, Shrinking(), ImageShape(("ct",), (4, 6, 5)))
    x = 0.1 + torch.rand(1, 1, 4, 6, 5, generator=torch_generator(0))
    brain = torch.zeros_like(x)
    brain[..., 2:] = 1
    # d/dx of -(x - x / 2)^2 is -x / 2.
    torch.testing.assert_close(rule.restore(x, brain, 0.0), x - 0.05 * x * brain)
