"""AutoDDPM: coarse reconstruction, stitching, re-sampling and the map, by brute force; each switch of them."""

import numpy as np
import pytest
import torch
from pydantic import ValidationError
from torch import Tensor

from brainuad.errors import InputError
from brainuad.methods.autoddpm import AutoDdpm, AutoDdpmSettings
from tests.unit.methods.fake_autoddpm import DRAWS, FEW, SHAPE, Fake, Shrinking, rule, scan, volume


def disc(channels: int = SHAPE[1]) -> Tensor:
    """A mask (slice, channel, x, y) that is empty in the first slice."""
    m = torch.zeros(SHAPE[0], channels, *SHAPE[2:], dtype=torch.bool)
    m[1:, :, 3:7, 2:6] = True
    return m


# Coarse reconstruction.


def test_coarse_reconstruction_is_what_the_model_takes_the_image_for() -> None:
    found = rule().coarse_reconstruction(volume(), DRAWS)
    assert torch.allclose(found, torch.full(SHAPE, 0.5), atol=1e-4)


def test_coarse_reconstruction_visits_the_indices_200_to_0() -> None:
    model = Fake()
    rule(model).coarse_reconstruction(volume(), DRAWS)
    assert model.times[:: SHAPE[0]] == [*range(200, -1, -1)]


def test_a_number_of_steps_spreads_them_from_t_coarse_to_0() -> None:
    model = Fake()
    rule(model, steps=5).coarse_reconstruction(volume(), DRAWS)
    assert model.times[:: SHAPE[0]] == [200, 150, 100, 50, 0]


def test_coarse_reconstruction_lies_in_the_unit_range() -> None:
    found = rule(Shrinking(), steps=4).coarse_reconstruction(volume(above=5.0), DRAWS)
    assert found.min() >= 0
    assert found.max() <= 1


def test_times_behind_the_end_of_the_model_are_refused() -> None:
    with pytest.raises(InputError, match="1000"):
        rule(t_coarse=1000).coarse_reconstruction(volume(), DRAWS)


def test_a_single_step_is_refused() -> None:
    with pytest.raises(ValidationError, match="steps"):
        AutoDdpmSettings(steps=1)


# Stitching and re-sampling.


@pytest.mark.parametrize("inpaint_from", ["coarse", "input"])
def test_resampling_is_the_loop_of_the_released_code(inpaint_from: str) -> None:
    model, x, x_hat, m = Shrinking(), volume(0), volume(1), disc()
    x[0], x_hat[0], m[0] = x[1], x_hat[1], m[1]  # no empty slice
    settings = {"t_inpaint": 3, "resamples": 3, "inpaint_from": inpaint_from}
    found = rule(model, **settings).resampled(x, x_hat, m, DRAWS)

    beta = np.linspace(1e-4, 0.02, 1000)
    alpha_bar = np.cumprod(1 - beta)

    def noise(purpose: str, t: int, u: int) -> np.ndarray:
        return torch.randn(SHAPE, generator=DRAWS.generator(purpose, t, u)).numpy()

    def noised(clean: np.ndarray, t: int, eps: np.ndarray) -> np.ndarray:
        return np.sqrt(alpha_bar[t]) * clean + np.sqrt(1 - alpha_bar[t]) * eps

    context = np.where(m, 0, x)
    h = noised(np.asarray(x_hat if inpaint_from == "coarse" else x), 3, noise("start", 4, 0))
    for t in (3, 2, 1, 0):
        for u in range(3):
            known = noised(context, t - 1, noise("known", t, u)) if t else context
            if t:
                eps = 0.2 * h + t / 500
                x_0 = ((h - np.sqrt(1 - alpha_bar[t]) * eps) / np.sqrt(alpha_bar[t])).clip(-1, 1)
                of_x_0 = np.sqrt(alpha_bar[t - 1]) * beta[t] / (1 - alpha_bar[t])
                of_h = np.sqrt(1 - beta[t]) * (1 - alpha_bar[t - 1]) / (1 - alpha_bar[t])
                variance = beta[t] * (1 - alpha_bar[t - 1]) / (1 - alpha_bar[t])
                inner = of_x_0 * x_0 + of_h * h + np.sqrt(variance) * noise("unknown", t, u)
            h = np.where(m, inner, known)
            if t and u < 2:
                h = np.sqrt(1 - beta[t - 1]) * h + np.sqrt(beta[t - 1]) * noise("again", t, u)
    assert np.allclose(found.numpy(), h.clip(0, 1), atol=1e-5)


def test_resampling_asks_five_times_at_each_index_from_50_to_1() -> None:
    model = Fake()
    rule(model).resampled(volume(0), volume(1), disc(), DRAWS)
    masked_slices = SHAPE[0] - 1
    assert model.times[::masked_slices] == [t for t in range(50, 0, -1) for _ in range(5)]


def test_outside_the_mask_the_image_is_kept_exactly_and_inside_it_changes() -> None:
    x, m = volume(0, above=1.5), disc()
    found = rule(**FEW).resampled(x, volume(1), m, DRAWS)
    assert torch.equal(found[~m], x[~m])
    assert not torch.isclose(found[m], x[m]).any()
    assert torch.allclose(found[m], torch.tensor(0.5), atol=0.1)


def test_an_empty_mask_gives_the_image_itself_and_no_anomaly() -> None:
    model, x = Fake(), volume()
    scored = rule(model, mask_threshold=10.0, **FEW).score(scan(x), DRAWS)
    assert torch.equal(scored.pseudo_healthy, x)
    assert torch.equal(scored.anomaly_map, torch.zeros(SHAPE[0], *SHAPE[2:]))
    assert scored.image_score == 0
    assert len(model.times) == FEW["steps"] * SHAPE[0]  # the coarse reconstruction alone


def test_a_slice_does_not_depend_on_the_masks_of_others() -> None:
    x, x_hat, all_masked = volume(0), volume(1), disc()
    all_masked[0] = all_masked[1]
    few, many = (rule(Shrinking(), **FEW).resampled(x, x_hat, m, DRAWS) for m in (disc(), all_masked))
    assert torch.allclose(few[1:], many[1:], atol=1e-6)


# The map and its switches.


def composed(x: Tensor, chosen: AutoDdpm) -> tuple[Tensor, Tensor, Tensor, Tensor]:
    """x_hat, m_soft, m and the re-sampled image, step by step."""
    x_hat = chosen.coarse_reconstruction(x, DRAWS)
    m_soft = chosen.soft_mask(x, x_hat)
    m = chosen.mask(m_soft)
    return x_hat, m_soft, m, chosen.resampled(x, x_hat, m, DRAWS)


def test_map_is_the_residual_times_the_soft_mask_and_the_image_score_its_mean() -> None:
    x, chosen = volume(), rule(**FEW)
    _, m_soft, m, PH = composed(x, chosen)
    scored = chosen.score(scan(x), DRAWS)
    expected = ((x - PH).abs() * m_soft).amax(dim=1)
    assert m.any()
    assert torch.equal(scored.pseudo_healthy, PH)
    assert torch.equal(scored.anomaly_map, expected)
    assert scored.image_score == pytest.approx(float(expected.mean()))


def test_without_uncertainty_the_map_is_the_residual() -> None:
    x, chosen = volume(), rule(**FEW, uncertainty=False)
    PH = composed(x, chosen)[3]
    assert torch.equal(chosen.score(scan(x), DRAWS).anomaly_map, (x - PH).abs().amax(dim=1))


def test_maps_of_modalities_can_be_averaged() -> None:
    x, chosen = volume(), rule(**FEW, over_modalities="mean")
    _, m_soft, _, PH = composed(x, chosen)
    assert torch.allclose(chosen.score(scan(x), DRAWS).anomaly_map, ((x - PH).abs() * m_soft).mean(dim=1))


def test_stitching_alone_puts_the_coarse_reconstruction_where_the_mask_is() -> None:
    x, chosen = volume(), rule(**FEW, stitch_only=True)
    x_hat, _, m, _ = composed(x, chosen)
    PH = chosen.score(scan(x), DRAWS).pseudo_healthy
    assert torch.equal(PH, m * x_hat + ~m * x)


@pytest.mark.parametrize("batch_size", [1, 2, 50])
def test_the_map_does_not_depend_on_the_batch_size_which_bounds_the_passes(batch_size: int) -> None:
    expected = rule(Shrinking(), **FEW).score(scan(), DRAWS).anomaly_map
    found = rule(Shrinking(), **FEW, batch_size=batch_size).score(scan(), DRAWS).anomaly_map
    assert torch.allclose(found, expected, atol=1e-5)
    model = Fake()
    rule(model, **FEW, batch_size=batch_size).score(scan(), DRAWS)
    assert max(model.sizes) <= batch_size
