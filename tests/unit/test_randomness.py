import torch

from brainuad.randomness import Draws, numpy_generator, seed_for, torch_generator


def test_a_seed_depends_on_every_part_of_its_purpose() -> None:
    seeds = {
        seed_for(0, "noise", 1),
        seed_for(1, "noise", 1),
        seed_for(0, "noise", 2),
        seed_for(0, "noise", "1"),
        seed_for(0, "noise1"),
        seed_for(0, "batch", 1),
    }
    assert len(seeds) == 6


def test_a_seed_fits_a_torch_generator() -> None:
    assert all(0 <= seed_for(k, "x") < 2**63 for k in range(1000))


def test_the_same_purpose_gives_the_same_numbers() -> None:
    first, second = (torch.rand(4, generator=torch_generator(7, "noise", 3)) for _ in range(2))
    assert torch.equal(first, second)
    assert numpy_generator(7, "a").random() == numpy_generator(7, "a").random()


def test_a_narrower_scope_is_the_same_as_a_longer_purpose() -> None:
    draws = Draws(3)
    assert draws.within("scoring", "s1").seed_of("noise") == seed_for(3, "scoring", "s1", "noise")
