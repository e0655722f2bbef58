"""Settings of preprocessing that contradict each other are refused."""

import pytest
from pydantic import ValidationError

from brainuad.preprocessing.settings import BIDS_SUFFIX, PreprocessingSettings


def test_the_reference_must_be_a_required_modality() -> None:
    with pytest.raises(ValidationError, match="reference = 't1' must be one of modalities"):
        PreprocessingSettings(modalities=("t2",), reference="t1")


def test_a_modality_is_required_or_optional_but_not_both() -> None:
    with pytest.raises(ValidationError, match="t2: both in modalities and in optional_modalities"):
        PreprocessingSettings(modalities=("t1", "t2"), optional_modalities=("t2",))


def test_bias_correction_defaults_to_the_numbers_of_behrendt_2023() -> None:
    n4 = PreprocessingSettings().n4_parameters
    assert (n4.levels, n4.iterations, n4.tolerance) == (4, 200, 5e-4)


def test_settings_survive_json() -> None:
    settings = PreprocessingSettings(modalities=("t2",), reference="t2", skull_strip="hd-bet")
    assert PreprocessingSettings.model_validate_json(settings.model_dump_json()) == settings


def test_every_modality_has_a_suffix_of_its_own() -> None:
    assert len(set(BIDS_SUFFIX.values())) == len(BIDS_SUFFIX) == 6
