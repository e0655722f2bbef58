"""What a study sets of a network at the paper scale is no error in the small network of the quick scale."""

import pytest

from brainuad.methods.ddpm import Ddpm, DdpmSettings
from brainuad.methods.patched_ddpm import PatchedDdpm, PatchedDdpmSettings
from brainuad.methods.svae import Svae, SvaeSettings
from brainuad.study import ModelEntry, resolved


@pytest.mark.parametrize("dimension", [2, 3])
@pytest.mark.parametrize("heads", [{"head_channels": 64}, {"heads": 3, "width": 96}])
def test_heads_of_the_paper_scale_are_no_error_in_the_small_network(
    dimension: int, heads: dict[str, int]
) -> None:
    entry = ModelEntry(kind="ddpm", settings={"dimension": dimension, "adm": heads})
    paper = resolved(DdpmSettings, entry, Ddpm.quick, "paper")["adm"]
    assert {key: paper[key] for key in heads} == heads
    quick = resolved(DdpmSettings, entry, Ddpm.quick, "quick")["adm"]
    assert (quick["heads"], quick["head_channels"]) == (1, None)


def test_levels_and_attention_of_the_paper_scale_are_no_error_in_the_small_network() -> None:
    network = {"multipliers": [1, 2, 2, 2], "attention_factors": [8], "head_channels": 64}
    entry = ModelEntry(kind="patched-ddpm", settings={"network": network})
    quick = resolved(PatchedDdpmSettings, entry, PatchedDdpm.quick, "quick")["network"]
    assert (quick["multipliers"], quick["attention_factors"], quick["head_channels"]) == ([1, 1, 2], [], 16)


def test_heads_of_attention_between_slices_are_no_error_in_the_small_network() -> None:
    entry = ModelEntry(kind="svae", settings={"coder": {"latent": 96}, "heads": 6})
    assert resolved(SvaeSettings, entry, Svae.quick, "paper")["heads"] == 6
    quick = resolved(SvaeSettings, entry, Svae.quick, "quick")
    assert (quick["coder"]["latent"], quick["heads"]) == (64, 4)
