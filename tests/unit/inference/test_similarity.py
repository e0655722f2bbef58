"""Similarity of images: closed forms, brute force and scikit-image; nothing where there is nothing to compare."""

from pathlib import Path

import numpy as np
import pytest
import torch
from skimage.metrics import structural_similarity
from torch import Tensor

from brainuad.errors import InputError
from brainuad.inference.similarity import (
    build_perceptual,
    lesion_similarity,
    mean_ssim,
    perceptual_map,
    similarity,
)
from brainuad.inference.similarity_settings import SimilaritySettings
from brainuad.networks.perceptual import PerceptualDistance
from brainuad.randomness import torch_generator

SHAPE = (3, 2, 32, 32)  # (slice, channel, x, y)


def image(seed: int, shape: tuple[int, ...] = SHAPE) -> Tensor:
    return torch.rand(shape, generator=torch_generator(seed, "similarity"))


@pytest.fixture(scope="module")
def perceptual() -> PerceptualDistance:
    made = build_perceptual(SimilaritySettings(lpips="alex", weights="random"), Path())
    assert made is not None
    return made


@pytest.fixture
def lesion() -> Tensor:
    mask = torch.zeros(3, 32, 32, dtype=torch.bool)
    mask[1, 4:9, 20:23] = True
    mask[2, 15, 15] = True
    return mask


def test_mse_of_a_constant_shift_is_its_square() -> None:
    assert similarity(image(0) + 0.3, image(0))["mse"] == pytest.approx(0.09, rel=1e-5)


def test_ssim_of_constant_images_is_that_of_the_formula() -> None:
    a, b, c1 = 0.2, 0.7, 0.01**2
    expected = (2 * a * b + c1) / (a**2 + b**2 + c1)
    flat = np.ones((1, 1, 9, 9))
    assert mean_ssim(a * flat, b * flat) == pytest.approx(expected)


def test_ssim_is_the_mean_of_scikit_images_over_slices_and_channels() -> None:
    a, b = image(0).double().numpy(), image(1).double().numpy()
    expected = [
        structural_similarity(a[k, c], b[k, c], data_range=1) for k in range(len(a)) for c in range(2)
    ]
    assert mean_ssim(a, b) == pytest.approx(np.mean(expected))


def test_ssim_of_equal_images_is_one() -> None:
    assert similarity(image(0), image(0))["ssim"] == pytest.approx(1)


@pytest.mark.parametrize(("size", "window"), [(6, 5), (5, 5), (4, 3), (3, 3)])
def test_ssim_of_slices_below_the_window_takes_the_largest_odd_window_that_fits(
    size: int, window: int
) -> None:
    a, b = (image(seed, (1, 1, size, 10)).double().numpy() for seed in (0, 1))
    expected = structural_similarity(a[0, 0], b[0, 0], win_size=window, data_range=1)
    assert mean_ssim(a, b) == pytest.approx(expected)


def test_there_is_no_ssim_of_two_pixels() -> None:
    assert mean_ssim(np.zeros((1, 1, 2, 9)), np.zeros((1, 1, 2, 9))) is None


@pytest.mark.parametrize("network", ["squeeze", "alex", "vgg"])
def test_lpips_of_equal_images_is_zero_and_of_others_positive(network: str) -> None:
    made = build_perceptual(SimilaritySettings(lpips=network, weights="random"), Path())
    a, b = image(0, (1, 1, 32, 32)), image(1, (1, 1, 32, 32))
    assert similarity(a, a, made)["lpips"] == 0
    found = similarity(a, b, made)["lpips"]
    assert found is not None
    assert found > 0


def test_lpips_sees_images_clipped_to_0_1(perceptual: PerceptualDistance) -> None:
    above = image(0).clone()
    above[0, 0, 3, 4], above[0, 0, 7, 7] = 2, -1
    assert similarity(above, above.clamp(0, 1), perceptual)["lpips"] == 0


def test_the_map_of_lpips_averages_channels_and_does_not_mix_slices(perceptual: PerceptualDistance) -> None:
    a, b = image(0), image(1)
    found = perceptual_map(a, b, perceptual)
    for k in range(len(a)):
        channels = [perceptual.distance(a[k : k + 1, c : c + 1], b[k : k + 1, c : c + 1]) for c in range(2)]
        assert torch.allclose(found[k], torch.stack(channels).mean(dim=0)[0, 0], atol=1e-6)


def test_without_a_network_there_is_no_lpips(lesion: Tensor) -> None:
    assert build_perceptual(SimilaritySettings(), Path()) is None
    assert similarity(image(0), image(1))["lpips"] is None
    assert lesion_similarity(image(0), image(1), lesion)["lpips_lesion"] is None


def test_inside_the_mask_both_are_what_a_loop_finds(perceptual: PerceptualDistance, lesion: Tensor) -> None:
    rec, clean = image(0), image(1)
    distance = perceptual_map(rec, clean, perceptual)
    squares, distances = [], []
    for k, x, y in np.argwhere(lesion.numpy()):
        squares += [float(rec[k, c, x, y] - clean[k, c, x, y]) ** 2 for c in range(2)]
        distances.append(float(distance[k, x, y]))
    found = lesion_similarity(rec, clean, lesion, perceptual)
    assert found["mse_lesion"] == pytest.approx(np.mean(squares), rel=1e-5)
    assert found["lpips_lesion"] == pytest.approx(np.mean(distances), rel=1e-5)


def test_pixels_outside_the_mask_do_not_count_for_mse(lesion: Tensor) -> None:
    rec, clean = image(0), image(1)
    elsewhere = torch.where(lesion[:, None], rec, rec + 9)
    expected = lesion_similarity(rec, clean, lesion)["mse_lesion"]
    assert lesion_similarity(elsewhere, clean, lesion)["mse_lesion"] == expected


def test_a_mask_of_one_voxel_gives_the_values_there(perceptual: PerceptualDistance) -> None:
    rec, clean = image(0, (2, 1, 32, 32)), image(1, (2, 1, 32, 32))
    one = torch.zeros(2, 32, 32, dtype=torch.bool)
    one[1, 5, 6] = True
    found = lesion_similarity(rec, clean, one, perceptual)
    assert found["mse_lesion"] == pytest.approx(float(rec[1, 0, 5, 6] - clean[1, 0, 5, 6]) ** 2)
    expected = float(perceptual_map(rec, clean, perceptual)[1, 5, 6])
    assert found["lpips_lesion"] == pytest.approx(expected, rel=1e-4)


def test_a_full_mask_gives_the_values_of_the_whole_image(perceptual: PerceptualDistance) -> None:
    full = torch.ones(3, 32, 32, dtype=torch.bool)
    inside, whole = (
        lesion_similarity(image(0), image(1), full, perceptual),
        similarity(image(0), image(1), perceptual),
    )
    assert inside["mse_lesion"] == pytest.approx(whole["mse"])
    assert inside["lpips_lesion"] == pytest.approx(whole["lpips"])


def test_an_empty_mask_gives_nothing(perceptual: PerceptualDistance) -> None:
    empty = torch.zeros(3, 32, 32, dtype=torch.bool)
    found = lesion_similarity(image(0), image(1), empty, perceptual)
    assert found == {"mse_lesion": None, "lpips_lesion": None}


def test_an_image_that_is_not_finite_gives_nothing(perceptual: PerceptualDistance) -> None:
    found = similarity(torch.full(SHAPE, torch.nan), image(0), perceptual)
    assert found == {"mse": None, "ssim": None, "lpips": None}


def test_missing_weights_are_an_error_that_names_the_folder_and_the_file(tmp_path: Path) -> None:
    with pytest.raises(InputError, match=r"no weights of AlexNet .*brainuad download-weights alex"):
        build_perceptual(SimilaritySettings(lpips="alex"), tmp_path)


def test_trained_weights_are_needed_only_where_they_are_asked_for() -> None:
    assert SimilaritySettings(lpips="alex").pretrained_networks == ("alex",)
    assert SimilaritySettings(lpips="alex", weights="random").pretrained_networks == ()
    assert SimilaritySettings().pretrained_networks == ()


def test_random_weights_are_remarked_on() -> None:
    assert "random weights" in SimilaritySettings(lpips="alex", weights="random").remarks[0]
    assert SimilaritySettings(lpips="alex").remarks == ()
    assert SimilaritySettings(weights="random").remarks == ()
