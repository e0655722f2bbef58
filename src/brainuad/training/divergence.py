"""Tells when a training has diverged, and says so with the step, the subjects and the last good checkpoint.

A gradient can be not finite where its loss is finite. The next loss shows it, but a state may be saved in between, so
weights are looked at before they are validated or saved. Looking at every step would hold up a GPU.
"""

from collections.abc import Mapping
from itertools import chain
from pathlib import Path

import torch
from lightning_fabric import Fabric
from torch import nn

from brainuad.errors import InputError

# A gradient scaler begins at 2**16 and halves its scale with each step that it skips. Here it has skipped 40 steps
# more than it should: a gradient that overflows float16 at this scale is above 1e12.
SMALLEST_SCALE = 2.0**-24


def finite_weights(model: nn.Module) -> bool:
    """Whether all weights and running statistics of a model are finite; waits for the device once."""
    tensors = chain(model.parameters(), model.buffers())
    finite = [tensor.detach().isfinite().all() for tensor in tensors if tensor.is_floating_point()]
    return bool(torch.stack(finite).all())


def every_step_is_skipped(fabric: Fabric) -> bool:
    """Whether a gradient scaler (precision 16-mixed) finds no scale at which gradients are finite.

    A scaler leaves out single steps whose gradients overflow, as it should; the weights stay as they were.
    """
    scaler = getattr(fabric._precision, "scaler", None)
    return scaler is not None and scaler.get_scale() < SMALLEST_SCALE


def divergence(what: str, subjects: str, folder: Path, saved: Mapping[str, int]) -> InputError:
    """The error that ends a training; `saved` is the step of each checkpoint in `folder`, 0 for one not written."""
    kept = ", ".join(f"{name} of step {step}" for name, step in saved.items() if step)
    checkpoint = f"Last good checkpoint in {folder}: {kept}" if kept else "No checkpoint has been saved yet"
    return InputError(
        f"{what}. Subjects {subjects}. {checkpoint}. "
        "Lower the learning rate, use precision 32-true, or look at these subjects' arrays."
    )
