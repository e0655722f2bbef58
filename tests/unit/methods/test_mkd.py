"""Knowledge distillation: loss in closed form, a frozen teacher, maps from gradients by brute force."""

import math
from pathlib import Path

import numpy as np
import pytest
import torch
from scipy import ndimage
from torch import Tensor, nn

from brainuad.errors import InputError
from brainuad.methods.base import Batch, ImageShape, Scan
from brainuad.methods.mkd import Mkd, MkdRule, MkdRuleSettings, MkdSettings, scaled_by_image
from brainuad.networks.pretrained import random_features
from brainuad.networks.settings import DistillationSettings
from brainuad.randomness import Draws, torch_generator

SHAPE = ImageShape(("t1",), (32, 32))
SMALL = DistillationSettings(weights="random", teacher_width=8, cloner_width=4)
RAW = {"scaling": "none", "sigma": 0, "opening": False}


def model(**settings) -> Mkd:
    torch.manual_seed(0)
    return Mkd(MkdSettings(networks=SMALL, **settings), SHAPE)


def images(count: int = 5) -> Tensor:
    return torch.rand(count, 1, 32, 32, generator=torch_generator(0))


def scan(count: int = 5) -> Scan:
    x = images(count)
    return Scan("s", x, torch.ones_like(x, dtype=torch.bool))


def rule(mkd: Mkd, **settings) -> MkdRule:
    return MkdRule(MkdRuleSettings(**settings), mkd.eval(), SHAPE)


class Fixed(nn.Module):
    """A pair of networks with given outputs."""

    def __init__(self, source: Tensor, cloned: Tensor) -> None:
        super().__init__()
        self.answer = ([source] * 13, [cloned] * 13)

    def forward(self, v: Tensor) -> tuple[list[Tensor], list[Tensor]]:
        return self.answer


@pytest.mark.parametrize(
    ("source", "cloned", "direction", "square"),
    [
        ([3.0, 0.0], [0.0, 2.0], 1.0, (9 + 4) / 2),  # a right angle
        ([1.0, 2.0], [2.0, 4.0], 0.0, (1 + 4) / 2),  # the same direction
        ([1.0, 0.0], [1.0, 1.0], 1 - 1 / math.sqrt(2), 1 / 2),  # 45 degrees
    ],
)
@pytest.mark.parametrize("layers", [(3, 6, 9, 12), (12,)])
def test_loss_sums_direction_and_weighted_square_over_the_critical_layers(
    source, cloned, direction: float, square: float, layers: tuple[int, ...]
) -> None:
    mkd = model(critical_layers=layers, mse_weight=0.25)
    outputs = [torch.tensor(values).view(1, 2, 1, 1).repeat(5, 1, 1, 1) for values in (source, cloned)]
    mkd.networks = Fixed(*outputs)
    loss = mkd.loss(Batch(images(), images() > 0), Draws(0))
    assert float(loss) == pytest.approx(len(layers) * (direction + 0.25 * square), abs=1e-5)


def test_loss_of_mixed_precision_activations_keeps_small_angles() -> None:
    mkd = model(critical_layers=(12,), mse_weight=0)
    outputs = [torch.tensor(values).view(1, 2, 1, 1).repeat(5, 1, 1, 1) for values in ([1, 0], [1, 1 / 32])]
    mkd.networks = Fixed(*(output.bfloat16() for output in outputs))
    loss = mkd.loss(Batch(images(), images() > 0), Draws(0))
    assert float(loss) == pytest.approx(1 - 1 / math.hypot(1, 1 / 32), rel=0.01)


def test_loss_is_the_mean_over_the_images_of_their_own_losses() -> None:
    mkd = model().eval()
    x = images()
    alone = [mkd.loss(Batch(one[None], one[None] > 0), Draws(0)).item() for one in x]
    assert mkd.loss(Batch(x, x > 0), Draws(0)).item() == pytest.approx(np.mean(alone), rel=1e-4)


def test_grey_images_are_repeated_and_normalised_as_on_imagenet() -> None:
    v = model().to_teacher_input(torch.full((1, 1, 32, 32), 0.485))
    assert v.shape == (1, 3, 32, 32)
    expected = [0, (0.485 - 0.456) / 0.224, (0.485 - 0.406) / 0.225]
    torch.testing.assert_close(v[0, :, 7, 9], torch.tensor(expected))


def test_without_normalisation_images_stay_as_they_are() -> None:
    x = images()
    assert torch.equal(model(normalisation="none").to_teacher_input(x), x.repeat(1, 3, 1, 1))


def test_training_moves_the_cloner_and_never_the_teacher() -> None:
    mkd = model().train()
    teacher = {name: value.clone() for name, value in mkd.networks.teacher.state_dict().items()}
    cloner = [parameter.clone() for parameter in mkd.cloner.parameters()]
    optimiser = mkd.optimisers()["model"]
    mkd.loss(Batch(images(), images() > 0), Draws(0)).backward()
    optimiser.step()
    assert all(torch.equal(value, teacher[name]) for name, value in mkd.networks.teacher.state_dict().items())
    moved = [not torch.equal(a, b) for a, b in zip(mkd.cloner.parameters(), cloner, strict=True)]
    assert all(moved)
    optimised = {id(p) for group in optimiser.param_groups for p in group["params"]}
    assert optimised == {id(p) for p in mkd.cloner.parameters()}


def test_defaults_are_those_for_mvtec() -> None:
    settings = MkdSettings()
    assert (settings.mse_weight, settings.critical_layers) == (0.5, (3, 6, 9, 12))
    assert (settings.training.batch_size, settings.training.optimiser.learning_rate) == (64, 1e-3)
    assert settings.training.iterations == 601 * (712 // 64)


def test_a_trained_model_carries_its_teacher_and_needs_no_file(tmp_path: Path) -> None:
    weights = {
        f"features.{name}": value for name, value in random_features("vgg", seed=3).state_dict().items()
    }
    torch.save(weights, tmp_path / "vgg16.pth")
    trained = Mkd(MkdSettings(), SHAPE).eval()
    trained.load_pretrained(tmp_path)
    loaded = Mkd(MkdSettings(), SHAPE).eval()
    loaded.load_state_dict(trained.state_dict())
    v = trained.to_teacher_input(images(1))
    expected = trained.discrepancy(v, (6, 9, 12))
    assert expected.isfinite().all()
    assert torch.equal(loaded.discrepancy(v, (6, 9, 12)), expected)


def test_only_a_pretrained_teacher_asks_for_weights_and_only_a_random_one_is_remarked() -> None:
    assert Mkd.pretrained_networks(MkdSettings()) == ("vgg",)
    assert Mkd.remarks(MkdSettings()) == ()
    assert Mkd.pretrained_networks(MkdSettings(networks=SMALL)) == ()
    (remark,) = Mkd.remarks(MkdSettings(networks=SMALL))
    assert "random" in remark


@pytest.mark.parametrize(
    "shape",
    [ImageShape(("t1", "t2"), (32, 32)), ImageShape(("t1",), (16, 64)), ImageShape(("t1",), (32,) * 3)],
)
def test_images_that_vgg16_cannot_take_are_refused(shape: ImageShape) -> None:
    with pytest.raises(InputError, match="slices of 1 or 3 modalities"):
        Mkd(MkdSettings(networks=SMALL), shape)


def gradient_by_hooks(mkd: Mkd, v: Tensor, guided: bool) -> Tensor:
    """The gradient of each image's score, one image at a time; hooks keep what a ReLU sends back positive."""
    handles = []
    if guided:
        for module in mkd.cloner.modules():
            if isinstance(module, nn.ReLU):
                hook = module.register_full_backward_hook(lambda _, to_input, __: (to_input[0].clamp(min=0),))
                handles.append(hook)
    maps = []
    for image in v:
        single = image[None].clone().requires_grad_()
        mkd.discrepancy(single, (6, 9, 12)).sum().backward()
        assert single.grad is not None
        maps.append(sum(single.grad[0, channel].abs() for channel in range(3)))
    for handle in handles:
        handle.remove()
    return torch.stack(maps)


@pytest.mark.parametrize("localisation", ["guided", "gradients"])
def test_map_is_the_absolute_gradient_of_the_score_by_brute_force(localisation: str) -> None:
    mkd = model().eval()
    scored = rule(mkd, localisation=localisation, **RAW).score(scan(), Draws(0))
    v = mkd.to_teacher_input(images())
    expected = gradient_by_hooks(mkd, v, guided=localisation == "guided")
    assert expected.mean() > 0
    torch.testing.assert_close(scored.anomaly_map, expected, rtol=1e-4, atol=1e-6)


def test_guided_and_plain_gradients_differ() -> None:
    mkd = model().eval()
    guided, plain = (
        rule(mkd, localisation=name, **RAW).score(scan(), Draws(0)).anomaly_map
        for name in ("guided", "gradients")
    )
    assert not torch.allclose(guided, plain, rtol=0.01)


def test_smooth_grad_averages_gradients_at_noisy_images() -> None:
    mkd = model().eval()
    draws = Draws(4)
    settings = {"localisation": "smooth-grad", "samples": 3, "noise": 0.1}
    found = rule(mkd, **settings, **RAW).score(scan(2), draws).anomaly_map[1]
    v = mkd.to_teacher_input(images(2))[1]
    expected = torch.zeros(32, 32)
    for number in range(3):
        n = torch.randn(v.shape, generator=draws.within("slice", 1).generator("smooth-grad", number))
        noisy = v + 0.1 * (v.max() - v.min()) * n
        expected += gradient_by_hooks(mkd, noisy[None], guided=False)[0] / 3
    torch.testing.assert_close(found, expected, rtol=1e-4, atol=1e-6)


def test_smooth_grad_without_noise_is_the_gradient() -> None:
    mkd = model().eval()
    smooth = rule(mkd, localisation="smooth-grad", samples=2, noise=0, **RAW).score(scan(), Draws(0))
    plain = rule(mkd, localisation="gradients", **RAW).score(scan(), Draws(0))
    torch.testing.assert_close(smooth.anomaly_map, plain.anomaly_map)


@pytest.mark.parametrize("localisation", ["guided", "smooth-grad"])
def test_map_does_not_depend_on_how_many_slices_are_taken_at_once(localisation: str) -> None:
    mkd = model().eval()
    maps = [
        rule(mkd, localisation=localisation, samples=2, batch_size=size).score(scan(), Draws(0)).anomaly_map
        for size in (2, 5)
    ]
    torch.testing.assert_close(maps[0], maps[1], rtol=1e-4, atol=1e-5)


def test_image_score_is_the_mean_discrepancy_of_the_slices_with_brain() -> None:
    mkd = model().eval()
    volume = scan()
    volume.brain[3:] = False
    with torch.no_grad():
        expected = mkd.discrepancy(mkd.to_teacher_input(volume.images[:3]), (6, 9, 12)).mean()
    scored = rule(mkd, batch_size=2).score(volume, Draws(0))
    assert scored.image_score == pytest.approx(float(expected), rel=1e-5)


def test_scoring_leaves_no_gradient_on_the_model() -> None:
    mkd = model().eval()
    rule(mkd).score(scan(), Draws(0))
    assert all(parameter.grad is None for parameter in mkd.parameters())


def test_each_slice_is_scaled_from_its_minimum_to_its_percentile() -> None:
    maps = np.stack([np.arange(100.0).reshape(10, 10), 5 + 3 * np.arange(100.0).reshape(10, 10)])
    scaled = scaled_by_image(maps, 50)
    np.testing.assert_allclose(scaled[0], np.minimum(maps[0] / 49.5, 1))
    np.testing.assert_allclose(scaled[1], scaled[0])


def test_a_flat_slice_is_scaled_to_zero() -> None:
    assert not scaled_by_image(np.full((1, 8, 8), 3.0), 99).any()


def test_map_is_scaled_then_smoothed() -> None:
    mkd = model().eval()
    raw = rule(mkd, **RAW).score(scan(), Draws(0)).anomaly_map.double().numpy()
    found = rule(mkd, opening=False, sigma=2.5).score(scan(), Draws(0)).anomaly_map
    expected = [ndimage.gaussian_filter(slice_, 2.5) for slice_ in scaled_by_image(raw, 99)]
    np.testing.assert_allclose(found.numpy(), np.stack(expected), rtol=1e-4, atol=1e-6)


def test_opening_the_map_is_opening_it_at_every_threshold() -> None:
    mkd = model().eval()
    closed, opened = (
        rule(mkd, sigma=0.5, opening=opening).score(scan(), Draws(0)).anomaly_map.numpy()
        for opening in (False, True)
    )
    cross = ndimage.generate_binary_structure(2, 1)
    for threshold in np.linspace(0.05, 0.95, 7):
        for before, after in zip(closed > threshold, opened > threshold, strict=True):
            eroded = ndimage.binary_erosion(before, cross, border_value=1)
            assert np.array_equal(after, ndimage.binary_dilation(eroded, cross))
