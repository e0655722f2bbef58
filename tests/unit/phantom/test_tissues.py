"""Signal equations against closed forms, and the contrasts that radiologists expect."""

import numpy as np
import pytest

from brainuad.phantom.layout import Sequence, find_layout
from brainuad.phantom.tissues import PROPERTIES, Tissue, draw_tissues, signal

WATER = Tissue(t1_ms=1000, t2_ms=100, density=0.8, t1_contrast_ms=300)


def test_spin_echo_with_long_tr_and_no_te_shows_density():
    assert signal(WATER, Sequence("spin-echo", tr_ms=1e6, te_ms=0)) == pytest.approx(0.8)


def test_spin_echo_decays_to_1_over_e_after_t2():
    assert signal(WATER, Sequence("spin-echo", tr_ms=1e6, te_ms=100)) == pytest.approx(0.8 / np.e)


def test_inversion_recovery_nulls_tissue_at_t1_ln_2():
    sequence = Sequence("inversion-recovery", tr_ms=1e6, te_ms=0, ti_ms=1000 * np.log(2))
    assert signal(WATER, sequence) == pytest.approx(0, abs=1e-12)


def test_gradient_echo_is_brightest_at_the_ernst_angle():
    ernst = np.rad2deg(np.arccos(np.exp(-20 / 1000)))
    angles = np.linspace(1, 60, 600)
    signals = [signal(WATER, Sequence("gradient-echo", tr_ms=20, te_ms=0, flip_deg=a)) for a in angles]
    assert angles[np.argmax(signals)] == pytest.approx(ernst, abs=0.1)


def test_contrast_agent_uses_the_shortened_t1():
    sequence = Sequence("spin-echo", tr_ms=500, te_ms=0, contrast_agent=True)
    assert signal(WATER, sequence) == pytest.approx(0.8 * (1 - np.exp(-500 / 300)))


def contrasts(dataset: str, modality: str) -> list[dict[str, float]]:
    tables = []
    for scanner in find_layout(dataset).scanners:
        tissues = draw_tissues(scanner.field_tesla, 0, np.random.default_rng(0))
        tables.append({n: abs(signal(t, scanner.sequences[modality])) for n, t in tissues.items()})
    return tables


@pytest.mark.parametrize("dataset", ["ixi", "brats21", "mslub"])
def test_t1_shows_white_over_grey_over_fluid(dataset):
    for s in contrasts(dataset, "t1"):
        assert s["fat"] > s["white"] > 1.2 * s["grey"] > 2 * s["csf"]


@pytest.mark.parametrize("dataset", ["ixi", "brats21", "mslub"])
def test_t2_shows_fluid_over_grey_over_white_over_bone(dataset):
    for s in contrasts(dataset, "t2"):
        assert s["csf"] > 1.5 * s["grey"] > 1.8 * s["white"] > 10 * s["bone"]


@pytest.mark.parametrize(("dataset", "lesion"), [("brats21", "oedema"), ("mslub", "plaque")])
def test_flair_shows_lesions_over_tissue_over_fluid(dataset, lesion):
    for s in contrasts(dataset, "flair"):
        assert s[lesion] > 1.15 * s["grey"] > s["white"] > 5 * s["csf"]


def test_only_the_contrast_agent_makes_the_rim_enhance():
    for before, after in zip(contrasts("brats21", "t1"), contrasts("brats21", "t1ce"), strict=True):
        assert before["enhancing"] < before["white"]
        assert after["enhancing"] > 1.5 * after["white"]


def test_subjects_differ_in_tissue():
    first, second = (draw_tissues(1.5, 0.03, np.random.default_rng(seed)) for seed in (1, 2))
    assert first["white"] != second["white"]
    assert first["white"].t1_ms == pytest.approx(PROPERTIES["white"].t1_ms, rel=0.15)
