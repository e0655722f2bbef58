"""Loads a trained model for scoring, and refuses one that does not fit the images."""

import json
from pathlib import Path

from brainuad.errors import InputError
from brainuad.methods.base import ImageShape, Model
from brainuad.methods.registry import model_class
from brainuad.training import state as states


def load_model(path: Path, shape: ImageShape, needs: str) -> Model:
    """The model in evaluation mode; an `InputError` if it lacks the method `needs` or fits other images."""
    content = states.load(path)
    if "weights" not in content or "kind" not in content:
        raise InputError(f"{path}: a training state, not a finished model. Let the training end first.")
    if not hasattr(model_class(content["kind"]), needs):
        raise InputError(
            f"{path}: a model of kind {content['kind']!r}, which cannot {needs}, as this scoring rule needs."
        )
    trained = ImageShape(tuple(content["channels"]), tuple(content["size"]))
    if trained != shape:
        raise InputError(
            f"{path}: trained for channels {', '.join(trained.channels)} of size {trained.size}, but the "
            f"images have channels {', '.join(shape.channels)} of size {shape.size}. "
            "Use the recipe it was trained with."
        )
    chosen = model_class(content["kind"])
    model = chosen(chosen.settings_class.model_validate(json.loads(content["settings"])), shape)
    try:
        model.load_state_dict(content["weights"])
    except RuntimeError as error:
        raise InputError(
            f"{path}: its weights do not fit a {content['kind']!r} model of this version. Train it again."
        ) from error
    return model.eval()
