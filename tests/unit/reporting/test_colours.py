"""Colours: one per method, whatever other methods there are."""

import itertools
import re

import numpy as np
import pytest
from skimage.color import rgb2lab

from brainuad.reporting.colours import FAMILIES, colour_of, dash_of, marker_of

METHODS = [
    "threshold",
    "ae",
    "vae",
    "svae",
    "f-anogan",
    "dae-coarse",
    "ddpm-simplex",
    "kl-coarse",
    "pddpm",
    "andi",
]
METHODS += ["autoddpm", "si-vae", "ra", "mkd", "unet"]


def lab(colour: str) -> np.ndarray:
    channels = [int(colour[i : i + 2], 16) / 255 for i in (1, 3, 5)]
    return np.asarray(rgb2lab(np.array([[channels]]))[0, 0])


@pytest.mark.parametrize("method", [*METHODS, "something-new", "x"])
def test_every_method_has_a_colour_a_marker_and_a_dash(method: str) -> None:
    assert re.fullmatch("#[0-9a-f]{6}", colour_of(method))
    assert len(marker_of(method)) == 1
    assert dash_of(method) is None or len(dash_of(method) or ()) % 2 == 0


def test_the_colour_is_a_function_of_the_name_alone() -> None:
    first = [colour_of(method) for method in METHODS]
    assert [colour_of(method) for method in reversed(METHODS)] == first[::-1]


def test_families_can_be_told_apart() -> None:
    pairs = itertools.combinations(METHODS, 2)
    assert min(np.linalg.norm(lab(colour_of(a)) - lab(colour_of(b))) for a, b in pairs) > 10


def test_variants_of_a_family_differ_in_shade_and_dash() -> None:
    variants = ["dae-gaussian", "dae-simplex", "dae-coarse", "dae-pyramid"]
    assert len({colour_of(method) for method in variants}) == 4
    assert len({dash_of(method) for method in variants}) == 4


def test_the_plain_method_has_the_colour_of_its_family() -> None:
    assert colour_of("dae") == colour_of("dae-coarse") == FAMILIES["dae"].lower()


def test_a_short_name_inside_another_word_is_not_its_family() -> None:
    assert colour_of("random-forest") != colour_of("ra")


def test_colours_are_visible_on_white() -> None:
    assert max(lab(colour_of(method))[0] for method in [*METHODS, "dae-gaussian", "ddpm-gaussian"]) < 86
