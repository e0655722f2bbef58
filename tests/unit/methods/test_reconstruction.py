"""The residual map: error, combination of modalities and foreground mask, by hand."""

from typing import Literal

import numpy as np
import pytest
import torch
from torch import Tensor, nn

from brainuad.evaluation.postprocess import interior as interior_of_brain
from brainuad.evaluation.settings import MaskBrainInterior
from brainuad.methods.base import ImageShape, Scan
from brainuad.methods.reconstruction import (
    ReconstructionResidual,
    ResidualSettings,
    foreground,
    interior,
    residual,
)
from brainuad.randomness import Draws, torch_generator

# One slice of two modalities and three pixels; the last pixel is background.
X = torch.tensor([[[[1.0, 0.5, 0.0]], [[0.2, 0.9, 0.005]]]])
X_HAT = torch.tensor([[[[0.6, 0.7, 0.3]], [[0.3, 0.1, 0.1]]]])


class Halving(nn.Module):
    """A "model" whose reconstruction is half the image, and that counts the slices it is given."""

    def __init__(self) -> None:
        super().__init__()
        self.seen: list[int] = []

    def reconstruct(self, x: Tensor) -> Tensor:
        self.seen.append(len(x))
        return x / 2


@pytest.mark.parametrize(
    ("error", "over_modalities", "expected"),
    [
        ("absolute", "mean", [0.25, 0.5, 0.1975]),
        ("absolute", "max", [0.4, 0.8, 0.3]),
        ("squared", "mean", [0.085, 0.34, 0.0495125]),
        ("squared", "max", [0.16, 0.64, 0.09]),
    ],
)
def test_residual_equals_the_computation_by_hand(error, over_modalities, expected: list[float]) -> None:
    settings = ResidualSettings(error=error, over_modalities=over_modalities, mask="none")
    torch.testing.assert_close(residual(X, X_HAT, settings), torch.tensor([[expected]]))


def test_residual_is_zero_outside_the_foreground() -> None:
    torch.testing.assert_close(residual(X, X_HAT, ResidualSettings()), torch.tensor([[[0.25, 0.5, 0.0]]]))


def test_foreground_is_where_the_sum_of_the_modalities_exceeds_a_hundredth() -> None:
    x = torch.tensor([0.0, 0.004, 0.006, 1.0]).view(1, 1, 2, 2).repeat(1, 2, 1, 1)
    assert foreground(x).flatten().tolist() == [0, 0, 1, 1]
    assert foreground(x).shape == (1, 1, 2, 2)


def test_negative_modality_counts_in_the_sum() -> None:
    x = torch.tensor([0.5, -0.495]).view(1, 2, 1, 1)
    assert foreground(x).item() == 0


@pytest.mark.parametrize("batch_size", [1, 3, 7, 64])
def test_batch_size_changes_neither_map_nor_reconstruction(batch_size: int) -> None:
    x = torch.rand(7, 2, 5, 4, generator=torch_generator(0))
    scan = Scan("s", x, torch.ones(7, 1, 5, 4, dtype=torch.bool))
    model = Halving()
    rule = ReconstructionResidual(
        ResidualSettings(batch_size=batch_size), model, ImageShape(("t1", "t2"), (5, 4))
    )
    scored = rule.score(scan, Draws(0))
    torch.testing.assert_close(scored.pseudo_healthy, x / 2)
    torch.testing.assert_close(scored.anomaly_map, x.mean(dim=1) / 2 * foreground(x)[:, 0])
    assert sum(model.seen) == 7
    assert max(model.seen) <= batch_size


def test_the_interior_is_where_a_whole_window_is_foreground() -> None:
    fg = torch.zeros(1, 1, 9, 9)
    fg[..., 1:8, 0:7] = 1
    found = interior(fg, window=3)[0, 0].bool()
    expected = torch.zeros(9, 9, dtype=torch.bool)
    expected[2:7, 1:6] = True
    assert torch.equal(found, expected)


@pytest.mark.parametrize("window", [1, 2, 4, 5, 6])
@pytest.mark.parametrize("dimensions", [2, 3])
def test_any_window_gives_the_interior_of_the_post_processing(window: int, dimensions: Literal[2, 3]) -> None:
    inside = torch.rand(20, 17, 9, generator=torch_generator(0)) > 0.02
    step = MaskBrainInterior(step="mask_brain_interior", window=window, dimensions=dimensions)
    fg = inside.float()[None, None] if dimensions == 3 else inside.float().permute(2, 0, 1)[:, None]
    found = interior(fg, window)
    found = found[0, 0] if dimensions == 3 else found[:, 0].permute(1, 2, 0)
    expected = interior_of_brain(inside.numpy(), step)
    assert expected.any()
    assert np.array_equal(found.numpy() > 0, expected)
