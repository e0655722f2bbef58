"""What a training took, read from the file that its job wrote."""

import math
from collections.abc import Iterable
from pathlib import Path
from typing import Any

from brainuad.errors import InputError
from brainuad.storage import read_json

NUMBERS = ("training_hours", "peak_memory_mb")


def read_cost(path: Path, needs: Iterable[str] = NUMBERS) -> dict[str, Any]:
    """The content of a `cost.json`: training_hours, peak_memory_mb, parameters, iterations, device.

    A file in which one that it `needs` is no number, or that is no such file, is an `InputError`.
    """
    cost = read_json(path)
    for key in needs:
        value = cost.get(key) if isinstance(cost, dict) else None
        if isinstance(value, bool) or not isinstance(value, int | float) or not math.isfinite(value):
            raise InputError(f"{path}: {key} is not a number. Delete it, and the model is trained again.")
    return dict(cost)
