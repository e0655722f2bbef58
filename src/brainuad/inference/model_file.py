"""Loads a trained model for scoring, and refuses one that does not fit the images."""

import json
from pathlib import Path

from brainuad.errors import InputError
from brainuad.methods.base import ImageShape, Model
from brainuad.methods.registry import models
from brainuad.training import state as states

CONTENT = frozenset({"kind", "settings", "channels", "size", "weights"})


def load_model(path: Path, shape: ImageShape, needs: str) -> Model:
    """The model in evaluation mode; an `InputError` if it lacks the method `needs` or fits other images.

    `shape` is that of the slices to score. A model of volumes has a third size, which is `model.shape.size[2]`.
    """
    content = states.load(path)
    if not content.keys() >= CONTENT:
        raise InputError(f"{path}: a training state, not a finished model. Let the training end first.")
    chosen = models().get(content["kind"])
    if chosen is None:
        raise InputError(
            f"{path}: a model of kind {content['kind']!r}; this version has {', '.join(sorted(models()))}. "
            "Train it again."
        )
    if not hasattr(chosen, needs):
        raise InputError(
            f"{path}: a model of kind {content['kind']!r}, which cannot {needs}, as this scoring rule needs."
        )
    trained = ImageShape(tuple(content["channels"]), tuple(content["size"]))
    if (trained.channels, trained.size[:2]) != (shape.channels, shape.size):
        raise InputError(
            f"{path}: trained for channels {', '.join(trained.channels)} of size {trained.size[:2]}, but the "
            f"images have channels {', '.join(shape.channels)} of size {shape.size}. "
            "Use the recipe it was trained with."
        )
    try:
        model = chosen(chosen.settings_class.model_validate(json.loads(content["settings"])), trained)
        model.load_state_dict(content["weights"])
    except (RuntimeError, TypeError, ValueError) as error:
        raise InputError(
            f"{path}: its settings or weights do not fit a {content['kind']!r} model of this version. "
            "Train it again."
        ) from error
    return model.eval()
