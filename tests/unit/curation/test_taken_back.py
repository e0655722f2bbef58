"""What a sentence denies in part, on one side or with an exception is there all the same."""

import pytest

from brainuad.curation.rule_labeller import RuleLabeller

LABELLER = RuleLabeller()


def says(text: str, label: str) -> str:
    found = {decision.label: decision.certainty for decision in LABELLER.label(text)}
    return found.get(label, "not mentioned")


@pytest.mark.parametrize(
    "text",
    [
        "The right convexity subdural has cleared but the left one persists.",
        "The left extradural has disappeared, that on the right is stable.",
        "The subarachnoid haemorrhage has resolved except for a thin rim.",
        "The contusions have gone with a tiny residual at the pole.",
        "The intraventricular haemorrhage has largely resolved.",
        "The haematoma has now almost completely disappeared.",
        "The left temporal contusion has not fully cleared.",
    ],
)
def test_what_resolved_in_part_or_on_one_side_is_there(text: str) -> None:
    assert says(text, "hemorrhage") == "positive"


@pytest.mark.parametrize(
    "text",
    [
        "The left subdural has resolved.",
        "The contusions have cleared and no residual blood is seen.",
        "The haematoma has resolved, the ventricles remain small.",
        "The haemorrhage has completely resolved.",
    ],
)
def test_what_resolved_altogether_is_denied(text: str) -> None:
    assert says(text, "hemorrhage") == "negative"


@pytest.mark.parametrize(
    ("text", "label"),
    [
        ("None of the cavernomas has grown.", "cavernoma"),
        ("Neither of the infarcts is new.", "ischemia"),
        ("Neither the meningioma nor the cyst has changed.", "cyst"),
        ("Neither the meningioma nor the cyst has changed.", "tumor"),
        ("None of the lesions shows enhancement.", "lesion"),
        ("Neither aneurysm is larger.", "aneurysm"),
    ],
)
def test_what_none_of_which_has_changed_is_there(text: str, label: str) -> None:
    assert says(text, label) == "positive"


@pytest.mark.parametrize("text", ["No abscess has enlarged.", "No abscess is bigger."])
def test_what_has_not_grown_may_be_there(text: str) -> None:
    assert says(text, "abscess") == "uncertain"


@pytest.mark.parametrize(
    "text",
    [
        "Neither abscess nor tumour is seen.",
        "Neither tumour nor abscess has been identified.",
        "None of the described abscesses is visible.",
        "No abscess is demonstrated.",
        "None of the abscesses remains.",
    ],
)
def test_what_is_not_seen_is_denied(text: str) -> None:
    assert says(text, "abscess") == "negative"


@pytest.mark.parametrize(
    ("text", "label"),
    [
        ("No haemorrhage except along the left tentorium.", "hemorrhage"),
        ("No intracranial haemorrhage other than a sliver over the falx.", "hemorrhage"),
        ("Cortical sulci are patent, except at the right vertex.", "effacement"),
        ("Normal grey-white differentiation apart from the left insular cortex.", "loss of differentiation"),
        ("The ventricles are normal aside from the right temporal horn.", "dilation"),
    ],
)
def test_an_excepted_place_or_remnant_has_the_finding(text: str, label: str) -> None:
    assert says(text, label) == "positive"


@pytest.mark.parametrize(
    "text",
    [
        "No haemorrhage apart from polyps in the left maxillary sinus.",
        "No haemorrhage, other than ethmoid mucosal thickening.",
        "No haemorrhage. Normal apart from sinus disease.",
        "No haemorrhage apart from that on the previous scan.",
    ],
)
def test_an_exception_of_something_else_leaves_a_denial(text: str) -> None:
    assert says(text, "hemorrhage") == "negative"


@pytest.mark.parametrize(
    ("text", "label"),
    [
        ("No abnormality other than the known right acoustic schwannoma.", "tumor"),
        ("Not previously seen is a left thalamic bleed.", "hemorrhage"),
        ("Not a normal study: right cerebellar infarct.", "ischemia"),
        ("No visible cause for the hydrocephalus.", "hydrocephalus"),
    ],
)
def test_a_denial_of_something_else_leaves_the_finding(text: str, label: str) -> None:
    assert says(text, label) == "positive"


@pytest.mark.parametrize("text", ["A tumour needs to be excluded.", "Tumour should be ruled out."])
def test_what_is_to_be_excluded_is_uncertain(text: str) -> None:
    assert says(text, "tumor") == "uncertain"
