"""The contract covers what the studies choose: a new variant in a study is a case without being named in a test."""

from brainuad.methods.registry import models
from brainuad.study import MethodEntry, ModelEntry, Study, resolved
from tests.contract.cases import is_external, model_cases, model_choices, scoring_cases
from tests.contract.training import MODELS, SCORINGS, STUDIES


def with_entry(settings: dict) -> dict[str, Study]:
    """The studies, and in the quickstart a DAE with these settings and the method that scores with it."""
    quickstart = STUDIES["quickstart"]
    added = {"new": ModelEntry(kind="dae", settings=settings)}
    scored = {"new": MethodEntry(label="New", rule="reconstruction", model="new")}
    changed = {"models": quickstart.models | added, "methods": quickstart.methods | scored}
    return {**STUDIES, "quickstart": quickstart.model_copy(update=changed)}


def noises(rule: str, pairs: list[tuple[MethodEntry, ModelEntry]]) -> set[str]:
    """The kinds of noise of the models that a rule scores with."""
    settings = [
        resolved(models()[model.kind].settings_class, model, models()[model.kind].quick, "quick")
        for method, model in pairs
        if method.rule == rule
    ]
    return {some["noise"]["kind"] for some in settings}


def test_an_entry_of_a_study_that_chooses_what_no_other_does_is_trained_and_scored() -> None:
    studies = with_entry({"noise": {"kind": "pyramid"}})
    trained = model_cases(studies)
    assert trained.keys() - MODELS.keys() == {"quickstart-new"}
    assert scoring_cases(studies, trained)["quickstart-new"].model == "quickstart-new"


def test_an_entry_of_a_study_that_differs_in_numbers_only_is_no_case_of_its_own() -> None:
    studies = with_entry({"network": {"widths": [24, 48]}, "noise": {"scale": 0.3}})
    assert model_cases(studies) == MODELS


def test_every_choice_of_a_model_in_a_study_is_made_by_a_case() -> None:
    made = frozenset().union(*map(model_choices, MODELS.values()))
    for study, content in STUDIES.items():
        for name, entry in content.models.items():
            assert is_external(entry) or not model_choices(entry) - made, f"{study}: {name}"


def test_a_rule_of_noise_models_is_tried_with_every_noise_that_a_study_gives_it() -> None:
    wanted = [
        (method, study.models[method.model])
        for study in STUDIES.values()
        for method in study.methods.values()
        if method.model
    ]
    tried = [(case.entry, MODELS[case.model]) for case in SCORINGS.values() if case.model]
    for rule in ("kl", "kl-inpainting", "diffusion-reconstruction", "andi"):
        assert noises(rule, wanted) <= noises(rule, tried), rule
