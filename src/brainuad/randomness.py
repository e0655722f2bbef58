"""Random draws as functions of (seed, purpose, step or subject), never of what ran before.

A resumed training then equals an uninterrupted one, and a subject's map does not depend on which
subjects came before it.
"""

import hashlib
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    import torch

Purpose = str | int


def seed_for(seed: int, *purpose: Purpose) -> int:
    """A 63-bit seed that depends on every part of (`seed`, `purpose`) and on nothing else."""
    text = "\x1f".join(f"{type(part).__name__}:{part}" for part in (int(seed), *purpose))
    return int.from_bytes(hashlib.blake2b(text.encode(), digest_size=8).digest(), "big") >> 1


def numpy_generator(seed: int, *purpose: Purpose) -> np.random.Generator:
    """A NumPy generator for one purpose."""
    return np.random.default_rng(seed_for(seed, *purpose))


def torch_generator(seed: int, *purpose: Purpose, device: str = "cpu") -> "torch.Generator":
    """A torch generator on `device` for one purpose."""
    import torch

    return torch.Generator(device=device).manual_seed(seed_for(seed, *purpose))


class Draws:
    """A source of generators under one seed and scope, handed down to whatever draws at random."""

    def __init__(self, seed: int, scope: tuple[Purpose, ...] = (), device: str = "cpu") -> None:
        self.seed = seed
        self.scope = scope
        self.device = device

    def within(self, *purpose: Purpose) -> "Draws":
        """The same source with a longer scope."""
        return Draws(self.seed, (*self.scope, *purpose), self.device)

    def generator(self, *purpose: Purpose) -> "torch.Generator":
        """The torch generator of one purpose in this scope."""
        return torch_generator(self.seed, *self.scope, *purpose, device=self.device)

    def seed_of(self, *purpose: Purpose) -> int:
        """The integer seed of one purpose in this scope, for libraries with their own generators."""
        return seed_for(self.seed, *self.scope, *purpose)
