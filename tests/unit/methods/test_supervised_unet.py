"""The supervised U-Net: its loss by hand and by an independent formula, its scores, and what it refuses."""

import math
from pathlib import Path

import pytest
import torch
from pydantic import ValidationError
from torch import Tensor, nn

from brainuad.errors import InputError
from brainuad.methods.base import Batch, ImageShape, Scan
from brainuad.methods.supervised_unet import (
    Segmentation,
    SegmentationLossSettings,
    SegmentationSettings,
    SupervisedUnet,
    SupervisedUnetSettings,
)
from brainuad.networks.settings import DaeUnetSettings
from brainuad.randomness import Draws, torch_generator
from brainuad.training.train import Machine, ModelRequest, TrainingFiles, train_model

SHAPE = ImageShape(("t1", "t2"), (16, 16))


class FirstChannel(nn.Module):
    """A "network" whose logits are the first channel of its input."""

    def forward(self, x: Tensor) -> Tensor:
        return x[:, :1]


def model(**loss) -> SupervisedUnet:
    settings = SupervisedUnetSettings(
        network=DaeUnetSettings(widths=(4, 8)), loss=SegmentationLossSettings(**loss)
    )
    unet = SupervisedUnet(settings, SHAPE)
    unet.network = FirstChannel()
    return unet


def batch() -> Batch:
    """Three images of random logits; the last one has no lesion."""
    generator = torch_generator(0)
    x = 3 * torch.randn(3, 2, 16, 16, generator=generator)
    lesion = torch.rand(3, 1, 16, 16, generator=generator) < 0.2
    lesion[2] = False
    return Batch(x, torch.ones_like(lesion), lesion)


def cross_entropy(p: list[float], y: list[float]) -> float:
    terms = [-math.log(a if b else 1 - a) for a, b in zip(p, y, strict=True)]
    return sum(terms) / len(terms)


def dice(p: list[float], y: list[float], power: int) -> float:
    both = sum(a * b for a, b in zip(p, y, strict=True))
    return 2 * both / (sum(a**power for a in p) + sum(y))


def pixels(images: Tensor) -> list[float]:
    return images.flatten().double().tolist()


@pytest.mark.parametrize(("denominator", "power"), [("plain", 1), ("squared", 2)])
def test_loss_is_cross_entropy_plus_one_minus_dice_over_the_batch(denominator, power) -> None:
    shown = batch()
    p, y = pixels(torch.sigmoid(shown.images[:, :1].double())), pixels(shown.lesion)
    expected = 0.5 * cross_entropy(p, y) + 2 * (1 - dice(p, y, power))
    unet = model(cross_entropy=0.5, dice=2.0, denominator=denominator)
    assert float(unet.loss(shown, Draws(1))) == pytest.approx(expected, rel=1e-5)


def test_dice_over_images_is_the_mean_of_the_dice_of_each() -> None:
    shown = batch()
    p = torch.sigmoid(shown.images[:, :1])
    each = [1 - dice(pixels(p[k]), pixels(shown.lesion[k]), 1) for k in range(3)]
    unet = model(cross_entropy=0.0, dice_over="image")
    assert float(unet.loss(shown, Draws(1))) == pytest.approx(sum(each) / 3, rel=1e-4)


def test_a_certain_and_right_prediction_has_no_loss() -> None:
    shown = batch()
    shown.images[:, :1] = torch.where(shown.lesion, 50.0, -50.0)
    assert float(model().loss(shown, Draws(1))) == pytest.approx(0, abs=1e-6)


def test_a_loss_without_any_term_is_refused() -> None:
    with pytest.raises(ValidationError, match="cannot both be 0"):
        SegmentationLossSettings(cross_entropy=0, dice=0)


def test_score_is_the_probability_whatever_the_chunks() -> None:
    scan = Scan("a", batch().images, batch().brain)
    maps = []
    for size in (1, 64):
        scored = Segmentation(SegmentationSettings(batch_size=size), model(), SHAPE).score(scan, Draws(1))
        assert scored.pseudo_healthy is None
        maps.append(scored.anomaly_map)
    torch.testing.assert_close(maps[0], torch.sigmoid(scan.images[:, 0]))
    assert torch.equal(*maps)


def test_largest_score_fits_the_stored_range() -> None:
    stored = torch.tensor(1.0 * 2**Segmentation.scale_exponent, dtype=torch.float16)
    assert torch.isfinite(stored)


def test_paper_scale_is_that_of_the_dae_with_one_output() -> None:
    with torch.device("meta"):
        unet = SupervisedUnet(SupervisedUnetSettings(), ImageShape(("flair", "t1", "t1ce", "t2"), (128, 128)))
        output = unet.predict_probability(torch.zeros(2, 4, 128, 128))
    # Three outputs of 64 weights and a bias fewer than the 7,703,748 of the DAE.
    assert sum(parameter.numel() for parameter in unet.parameters()) == 7_703_748 - 3 * 65
    assert output.shape == (2, 1, 128, 128)
    assert (unet.settings.training.iterations, unet.settings.training.batch_size) == (67_200, 16)


def test_sizes_that_do_not_fit_the_network_are_refused() -> None:
    with pytest.raises(InputError, match="multiple of 8"):
        SupervisedUnet(SupervisedUnetSettings(), ImageShape(("t2",), (100, 96)))


@pytest.mark.parametrize("slices", ["non-empty", "tumour-free"])
def test_training_without_a_lesion_voxel_is_refused_before_the_first_step(
    slices, cohort: dict[str, Path], tmp_path: Path
) -> None:
    arrays = cohort["healthy"] if slices == "non-empty" else cohort["tumours"]
    outputs = [tmp_path / name for name in ("model.ckpt", "log.tsv", "cost.json")]
    files = TrainingFiles(cohort["split"], (arrays,), tmp_path / "state", *outputs)
    request = ModelRequest("unet", SupervisedUnetSettings().model_dump(mode="json"), slices, seed=1)
    with pytest.raises(InputError, match=f"{arrays.parent.name} have no lesion voxel"):
        train_model(request, files, Machine(device="cpu", threads=1))
    assert not (tmp_path / "state").exists()
