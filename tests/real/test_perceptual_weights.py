"""ImageNet weights of SqueezeNet, where a folder of them lies beside the repository (see CONTRIBUTING.md)."""

import nibabel as nib
import numpy as np
import pytest
import torch
from torch import Tensor

from brainuad.networks.perceptual import PerceptualDistance
from brainuad.networks.pretrained import find_weights
from brainuad.networks.settings import PerceptualSettings
from tests.unit.networks.lpips_reference import reference_map
from tests.workflow.conftest import REPOSITORY

DATA = REPOSITORY.parent / "shared" / "data"
WEIGHTS = DATA / "perceptual"
pytestmark = [
    pytest.mark.real,
    pytest.mark.skipif(
        not (WEIGHTS.is_dir() and (DATA / "mslub").is_dir()),
        reason=f"no ImageNet weights or no real scans in {DATA.parent.name}/{DATA.name}",
    ),
]


@pytest.fixture(scope="module")
def brain() -> Tensor:
    """A slice through a patient's ventricles (1, 1, 128, 128) in [0, 1]."""
    volume = np.asarray(nib.load(DATA / "mslub/patient19/patient19_T2W.nii.gz").dataobj, dtype=np.float32)
    slice_ = torch.from_numpy(volume[:, :, 90].clip(min=0))[None, None]
    return torch.nn.functional.interpolate(slice_ / slice_.max(), (128, 128), mode="bilinear")


@pytest.fixture(scope="module")
def perceptual() -> PerceptualDistance:
    distance = PerceptualDistance(PerceptualSettings())
    distance.load_pretrained(WEIGHTS)
    return distance


def with_disc(image: Tensor, strength: float) -> tuple[Tensor, Tensor]:
    """The image with a brightened disc of 8 pixels radius, and the disc."""
    x, y = torch.meshgrid(torch.arange(128), torch.arange(128), indexing="ij")
    disc = (x - 50) ** 2 + (y - 70) ** 2 <= 64
    return (image + strength * disc).clamp(0, 1), disc


def test_distance_of_real_slices_equals_that_of_torchmetrics(
    brain: Tensor, perceptual: PerceptualDistance
) -> None:
    weights = torch.load(find_weights(WEIGHTS, "squeeze"), weights_only=True)
    single = {name: value.float() for name, value in weights.items()}
    changed, _ = with_disc(brain, 0.4)
    expected = reference_map("squeeze", single, brain.repeat(1, 3, 1, 1), changed.repeat(1, 3, 1, 1))
    torch.testing.assert_close(perceptual.distance(brain, changed), expected, rtol=1e-4, atol=1e-6)


def test_a_planted_lesion_is_where_the_distance_is(brain: Tensor, perceptual: PerceptualDistance) -> None:
    weak, disc = with_disc(brain, 0.2)
    strong, _ = with_disc(brain, 0.5)
    maps = [perceptual.distance(brain, image)[0, 0] for image in (weak, strong)]
    assert maps[1].mean() > 1.2 * maps[0].mean()
    for distance in maps:
        assert distance[disc].mean() > 3 * distance[~disc].mean()
