"""Sweeps become models and methods of their own, without training anything twice."""

from typing import Any

import pytest
from pydantic import ValidationError

from brainuad.study import Study
from brainuad.sweeps import expand_sweeps

BASE: dict[str, Any] = {
    "title": "Test",
    "recipe": "any",
    "splits": {"ixi": {"train": 1, "test": 1}},
    "training_data": {"datasets": ["ixi"]},
    "test_datasets": ["ixi"],
    "models": {
        "dae": {"kind": "dae", "settings": {"noise": {"kind": "coarse", "scale": 0.2, "resolution": 16}}}
    },
    "methods": {"dae": {"label": "DAE", "rule": "reconstruction", "model": "dae"}},
}
RESOLUTION = {"method": "dae", "vary": "model.noise.resolution", "values": [4, 16]}
FIGURE = {"kind": "trend", "title": "T", "dataset": "ixi", "x_label": "x"}


def expanded(scale: str = "paper", **change: Any) -> Study:
    return Study.model_validate(expand_sweeps({**BASE, **change}, scale))


def test_each_value_of_a_model_setting_is_a_model_and_a_method() -> None:
    study = expanded(sweeps={"resolution": RESOLUTION})
    assert study.models["dae-resolution-4"].settings["noise"] == {
        "kind": "coarse", "scale": 0.2, "resolution": 4,
    }  # fmt: skip
    method = study.methods["dae-resolution-4"]
    assert (method.model, method.variant_of) == ("dae-resolution-4", "dae")
    assert method.label == "DAE, resolution 4"


def test_another_method_stands_for_the_value_at_which_it_is_the_same() -> None:
    plain = {"label": "Gaussian", "rule": "reconstruction", "model": "gaussian"}
    models = {**BASE["models"], "gaussian": {"kind": "dae", "settings": {"noise": {"kind": "gaussian"}}}}
    base = {**BASE, "models": models, "methods": {**BASE["methods"], "gaussian": plain}}
    sweep = {**RESOLUTION, "values": [4, 64], "equal_to": {"value": 64, "method": "gaussian"}}
    figure = {**FIGURE, "series": [{"label": "S", "sweep": "resolution"}]}
    study = Study.model_validate(
        expand_sweeps({**base, "sweeps": {"resolution": sweep}, "figures": {"f": figure}}, "paper")
    )
    assert sorted(study.models) == ["dae", "dae-resolution-4", "gaussian"]
    assert study.figures["f"].series[0].methods == ("dae-resolution-4", "gaussian")


def test_the_equal_value_is_one_of_the_sweep() -> None:
    sweep = {**RESOLUTION, "equal_to": {"value": 64, "method": "dae"}}
    with pytest.raises(ValidationError, match=r"64 is not one of `values`"):
        expanded(sweeps={"resolution": sweep})


@pytest.mark.parametrize("scale", ["quick", "paper"])
def test_the_value_that_the_method_has_already_is_the_method_itself(scale: str) -> None:
    sweep = {**RESOLUTION, "values": [2, 16]}
    base = {**BASE, "models": {"dae": {**BASE["models"]["dae"], "quick": {"noise": {"resolution": 2}}}}}
    study = Study.model_validate(expand_sweeps({**base, "sweeps": {"resolution": sweep}}, scale))
    other = 16 if scale == "quick" else 2
    assert sorted(study.models) == ["dae", f"dae-resolution-{other}"]


def test_a_swept_value_also_holds_at_the_quick_scale() -> None:
    base = {**BASE, "models": {"dae": {**BASE["models"]["dae"], "quick": {"noise": {"resolution": 2}}}}}
    study = Study.model_validate(expand_sweeps({**base, "sweeps": {"resolution": RESOLUTION}}, "quick"))
    assert study.models["dae-resolution-4"].quick == {"noise": {"resolution": 4}}


def test_a_sweep_over_the_rule_scores_the_same_model() -> None:
    sweep = {"method": "dae", "vary": "rule.interior_window", "values": [3]}
    study = expanded(sweeps={"window": sweep})
    assert list(study.models) == ["dae"]
    assert study.methods["dae-interior-window-3"].settings == {"interior_window": 3}


def test_on_validation_patients_the_unchanged_method_keeps_its_maps() -> None:
    study = expanded(sweeps={"resolution": {**RESOLUTION, "role": "validation"}})
    method = study.methods["dae-resolution-16"]
    assert (method.maps_of, method.model, method.role) == ("dae", "dae", "validation")
    assert "dae-resolution-16" not in study.models


def test_a_figure_names_a_sweep_instead_of_methods() -> None:
    figure = {**FIGURE, "series": [{"label": "DAE", "sweep": "resolution"}]}
    study = expanded(sweeps={"resolution": RESOLUTION}, figures={"trend": figure})
    drawn: Any = study.figures["trend"]
    assert drawn.x == (4, 16)
    assert drawn.series[0].methods == ("dae-resolution-4", "dae")


def test_series_of_several_sweeps_share_the_x_axis() -> None:
    other = {"method": "dae", "vary": "model.noise.resolution", "values": [16, 32]}
    figure = {**FIGURE, "series": [{"label": "A", "sweep": "one"}, {"label": "B", "sweep": "two"}]}
    drawn: Any = expanded(sweeps={"one": RESOLUTION, "two": other}, figures={"trend": figure}).figures[
        "trend"
    ]
    assert drawn.x == (4, 16, 32)
    assert drawn.series[0].methods == ("dae-resolution-4", "dae", None)
    assert drawn.series[1].methods == (None, "dae", "dae-resolution-32")


def test_a_broken_sweep_is_left_to_the_validation_of_the_study() -> None:
    content = expand_sweeps({**BASE, "sweeps": {"resolution": {"method": "dae"}}}, "paper")
    assert content["sweeps"] == {"resolution": {"method": "dae"}}
    assert list(content["models"]) == ["dae"]
