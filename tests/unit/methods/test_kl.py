"""KL maps against loops over slices and times, and the inpainting of their highest values."""

import numpy as np
import pytest
import torch
from pydantic import ValidationError
from torch import Tensor

from brainuad.diffusion.process import q_sample
from brainuad.errors import InputError
from brainuad.methods.base import ImageShape, Scan, Scored
from brainuad.methods.kl import Kl, KlInpainting, KlInpaintingSettings, KlSettings, above_percentile
from brainuad.methods.reconstruction import foreground
from brainuad.noise.settings import NoiseSettings
from brainuad.randomness import Draws, torch_generator
from tests.unit.methods.fake_denoiser import FakeDenoiser, small_ddpm

SIDE = 8
SHAPE = ImageShape(("t1", "t2"), (SIDE, SIDE))
FEW = {"first_t": 401, "last_t": 405, "t_step": 2}


def image() -> Tensor:
    return torch.rand(2, SIDE, SIDE, generator=torch_generator(0, "image"))


def scan(x: Tensor | None = None) -> Scan:
    x = torch.rand(3, 2, SIDE, SIDE, generator=torch_generator(0, "scan")) if x is None else x
    return Scan("s", x, torch.ones(len(x), 1, SIDE, SIDE, dtype=torch.bool))


def kl(model, scan: Scan, **settings) -> Tensor:
    scored = Kl(KlSettings(**{**FEW, **settings}), model, SHAPE).score(scan, Draws(4))
    assert scored.pseudo_healthy is None
    return scored.anomaly_map


def inpainted(model, scan: Scan, seed: int = 4, **settings) -> Scored:
    chosen = KlInpaintingSettings(**{**FEW, "mask": "none", **settings})
    return KlInpainting(chosen, model, SHAPE).score(scan, Draws(seed))


# The map.


def test_model_that_finds_the_noise_has_no_divergence() -> None:
    x = image().expand(3, -1, -1, -1)
    K = kl(FakeDenoiser(2 * image() - 1), scan(x))
    torch.testing.assert_close(K, torch.zeros(3, SIDE, SIDE), atol=1e-9, rtol=0)


@pytest.mark.parametrize("over_modalities", ["mean", "max"])
@pytest.mark.parametrize("error", ["squared", "absolute"])
@pytest.mark.parametrize("kind", ["gaussian", "coarse", "simplex", "pyramid"])
def test_map_is_the_mean_error_of_the_noise_by_brute_force(
    kind: str, error: str, over_modalities: str
) -> None:
    model, x = small_ddpm(noise=NoiseSettings(kind=kind)), scan().images
    x[0, :, :3] = 0  # background
    total = torch.zeros(3, 2, SIDE, SIDE)
    for t in (400, 402, 404):  # array indices of the times 401, 403 and 405
        noise = model.draw_noise(x.shape, Draws(4).generator("kl", t))
        for number in range(3):
            x_t = q_sample(model.schedule, 2 * x[number : number + 1] - 1, t, noise[number : number + 1])
            with torch.no_grad():
                found = model.predict_eps(x_t, torch.tensor([t]))[0]
            wrong = (found - noise[number]).abs()
            total[number] += wrong.square() if error == "squared" else wrong
    mean = total / 3
    expected = mean.mean(dim=1) if over_modalities == "mean" else mean.amax(dim=1)
    K = kl(model, scan(x), error=error, over_modalities=over_modalities)
    torch.testing.assert_close(K, expected * foreground(x)[:, 0], atol=1e-5, rtol=1e-4)


def test_paper_compares_21_times_from_400_to_600() -> None:
    model = FakeDenoiser(torch.zeros(2, SIDE, SIDE))
    Kl(KlSettings(batch_size=3), model, SHAPE).score(scan(), Draws(4))
    assert model.t == [[t - 1] * 3 for t in range(400, 601, 10)]


@pytest.mark.parametrize("batch_size", [1, 2, 6, 7, 64])
def test_batch_size_changes_neither_the_map_nor_the_noise(batch_size: int) -> None:
    model = FakeDenoiser(2 * image() - 1)
    K = kl(model, scan(), batch_size=batch_size)
    alone = FakeDenoiser(2 * image() - 1)
    torch.testing.assert_close(K, kl(alone, scan(), batch_size=3))
    assert torch.equal(torch.cat(model.x_t), torch.cat(alone.x_t))
    assert max(map(len, model.t)) <= batch_size


@pytest.mark.parametrize("error", [1e-2, 10.0])
def test_maps_fit_into_float16_for_small_and_large_errors_of_the_noise(error: float) -> None:
    stored = error**2 * 2.0**Kl.scale_exponent
    assert float(np.finfo(np.float16).tiny) < stored < float(np.finfo(np.float16).max)


def test_times_the_wrong_way_round_are_refused() -> None:
    with pytest.raises(ValidationError, match="first_t"):
        KlSettings(first_t=600, last_t=400)


def test_times_beyond_the_model_are_refused() -> None:
    with pytest.raises(InputError, match="1200"):
        kl(FakeDenoiser(torch.zeros(2, SIDE, SIDE)), scan(), last_t=1200)


# The mask.


def test_mask_has_the_highest_410_pixels_of_a_slice_of_128_by_128() -> None:
    K = torch.rand(3, 128, 128, generator=torch_generator(0)) * torch.tensor([1, 2, 3]).view(3, 1, 1)
    M = above_percentile(K, 97.5, "slice")
    assert M.sum(dim=(1, 2)).tolist() == [410] * 3
    assert (K[0][M[0]].min() > K[0][~M[0]]).all()


def test_mask_of_a_volume_lies_where_its_highest_values_are() -> None:
    K = torch.stack([torch.full((10, 10), 1.0), torch.arange(100.0).view(10, 10)])
    M = above_percentile(K, 97.5, "volume")
    assert M.sum(dim=(1, 2)).tolist() == [0, 5]


def test_nothing_is_masked_where_all_values_are_equal() -> None:
    assert not above_percentile(torch.zeros(2, 10, 10), 97.5, "slice").any()


# The inpainting.


def lesion_scan() -> Scan:
    x = image().expand(3, -1, -1, -1).clone()
    x[:, :, 2, 5] += 0.5
    return scan(x)


def test_highest_values_are_replaced_by_what_the_model_knows() -> None:
    scored = inpainted(FakeDenoiser(2 * image() - 1), lesion_scan(), percentile=98, t_inpaint=60)
    torch.testing.assert_close(
        scored.pseudo_healthy, image().expand(3, -1, -1, -1), atol=1e-5, rtol=0, msg="not healthy"
    )
    expected = torch.zeros(3, SIDE, SIDE)
    expected[:, 2, 5] = 0.5
    torch.testing.assert_close(scored.anomaly_map, expected, atol=1e-5, rtol=0)


def test_image_outside_the_mask_is_not_changed_at_all() -> None:
    model, x = small_ddpm(), scan().images
    scored = inpainted(model, scan(), percentile=90, t_inpaint=5)
    M = above_percentile(kl(model, scan(), mask="none"), 90, "slice")
    assert torch.equal(scored.pseudo_healthy.movedim(1, -1)[~M], x.movedim(1, -1)[~M])
    assert not scored.anomaly_map[~M].any()
    assert (scored.anomaly_map[M] > 0).all()


def test_what_is_known_is_the_image_noised_to_each_time() -> None:
    model = FakeDenoiser(2 * image() - 1, noise_scale=0.0)
    inpainted(model, lesion_scan(), percentile=98, t_inpaint=500, steps=3)
    x_0 = 2 * lesion_scan().images - 1
    assert model.t[-3:] == [[499] * 3, [250] * 3, [0] * 3]
    known = torch.ones(SIDE, SIDE, dtype=torch.bool)
    known[2, 5] = False
    for x_t, t in zip(model.x_t[-3:], (499, 250, 0), strict=True):
        expected = float(model.schedule.alpha_bar[t]) ** 0.5 * x_0
        torch.testing.assert_close(x_t[..., known], expected[..., known])


def test_batch_size_does_not_change_the_inpainting() -> None:
    maps = [
        inpainted(small_ddpm(), scan(), percentile=90, t_inpaint=5, batch_size=size).anomaly_map
        for size in (2, 64)
    ]
    torch.testing.assert_close(*maps)


def test_all_noise_is_that_of_the_model() -> None:
    model = small_ddpm()
    model.draw_noise = lambda shape, generator: torch.ones(shape)  # type: ignore[method-assign]
    maps = [inpainted(model, scan(), seed, percentile=90, t_inpaint=5).anomaly_map for seed in (1, 2)]
    assert torch.equal(*maps)


def test_published_settings() -> None:
    paper = KlInpaintingSettings()
    assert (paper.percentile, paper.percentile_of, paper.t_inpaint, paper.steps) == (97.5, "slice", 500, None)
    assert (paper.reverse.variance, paper.error) == ("large", "squared")
