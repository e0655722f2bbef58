"""Colours: one per method, whatever other methods there are."""

import itertools
import re

import numpy as np
import pytest
from skimage.color import rgb2lab

from brainuad.reporting.colours import FAMILIES, colour_of, dash_of, family_of, marker_of

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


# What people without the pigment for green see of linear red, green and blue (Machado et al. 2009, severity 1).
DEUTERANOPIA = np.array(
    [[0.367322, 0.860646, -0.227968], [0.280085, 0.672501, 0.047413], [-0.011820, 0.042940, 0.968881]]
)
# The methods of the tables of the five papers, under the names that studies give them.
PAPERS = {
    "Kascenas": [
        "thresholding",
        "f-anogan",
        "vae",
        "vae-restoration",
        "reconstruction-coarse",
        "kl-inpainting-coarse",
        "kl-coarse",
        "dae-coarse",
        "unet",
    ],
    "Behrendt": [
        "thresh",
        "ae",
        "vae",
        "svae",
        "dae",
        "f-anogan",
        "ddpm",
        "pddpm-random-lrec",
        "pddpm-fixed-lrec",
        "pddpm-fixed-lp",
    ],
    "Frotscher": ["thresholding-mf5", "dae-max-mf5", "anoddpm-mf5", "autoddpm-mf5", "andi-mf5"],
    "Bercea, RA": ["ae-s", "vae", "dae", "si-vae", "mkd", "ra", "ra-without-reverse"],
    "Bercea, AutoDDPM": ["autoddpm", "anoddpm-t200"],
}


def seen_without_green(colour: str) -> np.ndarray:
    channels = np.array([int(colour[i : i + 2], 16) / 255 for i in (1, 3, 5)])
    linear = np.where(channels <= 0.04045, channels / 12.92, ((channels + 0.055) / 1.055) ** 2.4)
    seen = np.clip(DEUTERANOPIA @ linear, 0, 1)
    encoded = np.where(seen <= 0.0031308, seen * 12.92, 1.055 * seen ** (1 / 2.4) - 0.055)
    return np.asarray(rgb2lab(encoded[None, None])[0, 0])


def test_families_can_be_told_apart_without_seeing_green() -> None:
    colours = sorted(set(FAMILIES.values()))
    distances = [
        np.linalg.norm(seen_without_green(a) - seen_without_green(b))
        for a, b in itertools.combinations(colours, 2)
    ]
    assert min(distances) > 9


@pytest.mark.parametrize("paper", PAPERS)
def test_methods_of_a_paper_differ_in_colour_dash_or_marker_without_seeing_green(paper: str) -> None:
    for a, b in itertools.combinations(PAPERS[paper], 2):
        distance = np.linalg.norm(seen_without_green(colour_of(a)) - seen_without_green(colour_of(b)))
        assert distance > 9 or dash_of(a) != dash_of(b) or marker_of(a) != marker_of(b), (a, b)


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("thresh", "thresholding"),
        ("reconstruction-coarse", "diffusion-coarse"),
        ("reconstruction", "diffusion"),
        ("f_anogan", "f-anogan"),
        ("si-vae", "sivae"),
    ],
)
def test_a_method_has_its_colour_under_every_name_that_studies_give_it(one: str, other: str) -> None:
    assert colour_of(one) == colour_of(other)


def test_the_colour_of_a_family_can_be_asked_by_its_name() -> None:
    assert family_of("pddpm-fixed-lp") == "pddpm"
    assert colour_of(family_of("dae-simplex")) == colour_of("dae")
