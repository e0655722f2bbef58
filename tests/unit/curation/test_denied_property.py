"""What a negation denies of a finding, or of another scan, does not deny the finding."""

import pytest

from brainuad.curation.rule_labeller import RuleLabeller

LABELLER = RuleLabeller()


def says(text: str, label: str) -> str:
    found = {decision.label: decision.certainty for decision in LABELLER.label(text)}
    return found.get(label, "not mentioned")


@pytest.mark.parametrize(
    ("text", "label"),
    [
        ("No mass effect from subdural haematoma.", "hemorrhage"),
        ("Mass effect from subdural haematoma is not seen.", "hemorrhage"),
        ("No haemorrhage within left parietal metastasis.", "tumor"),
        ("No oedema around left frontal lesion.", "lesion"),
        ("No oedema adjacent to left frontal lesion.", "lesion"),
        ("No haemorrhagic transformation of infarct in left MCA territory.", "ischemia"),
        ("No haemorrhage from left MCA aneurysm.", "aneurysm"),
        ("No haemorrhage at craniotomy site.", "evidence of surgery/intervention"),
        ("No haemorrhage within dilated ventricles.", "dilation"),
        ("No further extension of subdural haematoma.", "hemorrhage"),
        ("No displacement of skull fracture.", "fracture"),
        ("No fracture displacement.", "fracture"),
        ("No enhancement of the known left frontal lesion.", "lesion"),
        ("No change in the known infarct.", "ischemia"),
    ],
)
def test_a_denied_property_does_not_deny_its_bearer(text: str, label: str) -> None:
    assert says(text, label) == "positive"


@pytest.mark.parametrize(
    ("text", "label"),
    [
        ("No mass effect from subdural haematoma.", "mass effect"),
        ("No haemorrhage within left parietal metastasis.", "hemorrhage"),
        ("No haemorrhage within the brain or ventricles.", "hemorrhage"),
        ("No fracture of the skull vault.", "fracture"),
        ("No evidence of haemorrhage or infarct in the posterior fossa.", "ischemia"),
        ("No hyperdensity to suggest haemorrhage.", "hemorrhage"),
        ("No hyperdensity in keeping with haemorrhage.", "hemorrhage"),
        ("No high density of acute blood.", "hemorrhage"),
        ("No haemorrhage within the brain or mass effect.", "mass effect"),
        ("No recurrence of haemorrhage.", "hemorrhage"),
        ("No intracranial spread of infection.", "infection"),
        ("No evidence that this represents haemorrhage.", "hemorrhage"),
    ],
)
def test_what_is_denied_itself_stays_denied(text: str, label: str) -> None:
    assert says(text, label) == "negative"


@pytest.mark.parametrize(
    "text",
    [
        "No resolution of subdural haematoma.",
        "No evidence of resolution of subdural haematoma.",
        "No cause for haemorrhage identified.",
        "No cause for the large haemorrhage identified.",
        "No source of haemorrhage identified.",
    ],
)
def test_what_has_not_resolved_or_has_no_cause_is_there(text: str) -> None:
    assert says(text, "hemorrhage") == "positive"


def test_what_is_not_known_to_have_changed_is_there() -> None:
    text = "There is no evidence that the infarct in the left PCA territory has undergone haemorrhagic transformation."
    assert says(text, "ischemia") == "positive"


@pytest.mark.parametrize(
    ("text", "label"),
    [
        ("Non-displaced fracture of the occipital bone.", "fracture"),
        ("Non-communicating hydrocephalus.", "hydrocephalus"),
        ("Non-haemorrhagic infarct in the left MCA territory.", "ischemia"),
        ("Non-traumatic subarachnoid haemorrhage.", "hemorrhage"),
    ],
)
def test_non_denies_no_more_than_the_word_it_is_joined_to(text: str, label: str) -> None:
    assert says(text, label) == "positive"


def test_non_denies_the_word_it_is_joined_to() -> None:
    assert says("Non-haemorrhagic infarct in the left MCA territory.", "hemorrhage") == "negative"


@pytest.mark.parametrize(
    "text",
    [
        "Subdural haematoma not seen on the previous CT.",
        "Subdural haematoma was not present on the earlier scan.",
        "Subdural haematoma wasn't seen on yesterday's scan.",
        "Left haematoma not visible previously.",
        "Haematoma not seen in 2014.",
    ],
)
def test_what_an_earlier_scan_did_not_show_is_new(text: str) -> None:
    assert says(text, "hemorrhage") == "positive"


@pytest.mark.parametrize(
    "text",
    [
        "Haematoma is not seen on the current scan.",
        "Haematoma is no longer seen compared with the previous CT.",
        "Haemorrhage is not seen on any of the 2000 images.",
    ],
)
def test_what_this_scan_does_not_show_is_denied(text: str) -> None:
    assert says(text, "hemorrhage") == "negative"


@pytest.mark.parametrize(
    ("text", "certainty"),
    [
        ("No haemorrhage on the right but present on the left.", "positive"),
        ("No haemorrhage on the right, however one is seen on the left.", "positive"),
        ("No haemorrhage is seen, but a small one cannot be excluded.", "uncertain"),
        ("No haemorrhage, although seen previously.", "negative"),
        ("No haemorrhage, but artefact is present.", "negative"),
    ],
)
def test_a_denial_that_the_sentence_takes_back_counts_no_more(text: str, certainty: str) -> None:
    assert says(text, "hemorrhage") == certainty


def test_no_previous_finding_is_a_denial_and_no_previous_scan_is_none() -> None:
    assert says("No previous infarct.", "ischemia") == "negative"
    assert says("No previous imaging, infarct seen.", "ischemia") == "positive"


def test_what_is_not_insignificant_is_there() -> None:
    assert says("Not insignificant mass effect.", "mass effect") == "positive"
