"""Restoration takes only a model that gives all that its objective is made of."""

import pytest

from brainuad.errors import InputError
from brainuad.methods.base import ImageShape
from brainuad.methods.vae_restoration import VaeRestoration, VaeRestorationSettings


class Coder:
    """A model that has the method of `needs` and no error of its training."""

    encode_decode = None


def test_a_model_without_the_error_of_its_training_is_refused() -> None:
    with pytest.raises(InputError, match="needs a model that can reconstruction_error"):
        VaeRestoration(VaeRestorationSettings(), Coder(), ImageShape(("ct",), (8, 8)))
