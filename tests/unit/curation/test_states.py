"""A normal state that is not wholly so names a finding, whatever word before it says so."""

import pytest

from brainuad.curation.rule_labeller import RuleLabeller

LABELLER = RuleLabeller()


def says(text: str, label: str) -> str:
    found = {decision.label: decision.certainty for decision in LABELLER.label(text)}
    return found.get(label, "not mentioned")


@pytest.mark.parametrize(
    ("text", "label"),
    [
        ("Basal cisterns are no longer patent.", "effacement"),
        ("Basal cisterns are barely visible.", "effacement"),
        ("Basal cisterns are only partially patent.", "effacement"),
        ("The basal cisterns cannot be visualised.", "effacement"),
        ("Barely visible sulci.", "effacement"),
        ("The sulci are less clear.", "effacement"),
        ("No patent cisterns.", "effacement"),
        ("Neither ambient cistern is patent.", "effacement"),
        ("Grey-white differentiation is no longer preserved.", "loss of differentiation"),
        ("Grey-white matter differentiation is poorly maintained.", "loss of differentiation"),
        ("Poorly preserved grey-white differentiation.", "loss of differentiation"),
        ("Grey-white differentiation is not well preserved.", "loss of differentiation"),
        ("The midline is no longer central.", "midline shift"),
        ("The midline is not central.", "midline shift"),
        ("The midline isn't central.", "midline shift"),
        ("Calvarium no longer intact.", "fracture"),
        ("The skull vault is not intact.", "fracture"),
        ("The left ICA is no longer patent.", "vessel occlusion"),
    ],
)
def test_a_normal_state_that_is_denied_or_qualified_names_the_finding(text: str, label: str) -> None:
    assert says(text, label) == "positive"


@pytest.mark.parametrize(
    "text", ["Ventricles larger than normal.", "The ventricles are bigger than expected."]
)
def test_what_is_larger_than_normal_is_not_normal(text: str) -> None:
    assert says(text, "dilation") == "positive"


def test_a_structure_that_is_not_normal_may_have_the_finding() -> None:
    assert says("The ventricles are not normal.", "dilation") == "uncertain"


@pytest.mark.parametrize("state", ["lost", "reduced"])
def test_a_state_said_of_a_structure_is_not_that_of_the_territory_it_is_seen_in(state: str) -> None:
    text = f"Grey-white differentiation is {state} in the left MCA territory."
    assert says(text, "loss of differentiation") == "positive"


@pytest.mark.parametrize(
    "text",
    [
        "No shift. Cisterns patent.",
        "No hydrocephalus, basal cisterns patent.",
        "No bleed or shift and the basal cisterns are preserved.",
        "Ventricles not dilated and cisterns preserved.",
        "Basal cisterns are not effaced.",
    ],
)
def test_a_negation_of_something_else_does_not_qualify_a_normal_state(text: str) -> None:
    assert says(text, "effacement") == "negative"


def test_a_dense_vessel_is_a_hyperdensity_too() -> None:
    assert says("The left sigmoid sinus is dense.", "hyperdensity") == "positive"
