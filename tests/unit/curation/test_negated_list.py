"""A negation denies the list that belongs to it, and no finding that is stated after it."""

import pytest

from brainuad.curation.rule_labeller import RuleLabeller

LABELLER = RuleLabeller()


def says(text: str, label: str) -> str:
    found = {decision.label: decision.certainty for decision in LABELLER.label(text)}
    return found.get(label, "not mentioned")


@pytest.mark.parametrize(
    "text",
    [
        "No mass, left parietal haemorrhage noted.",
        "No fracture, there is a subdural haematoma.",
        "No mass effect or midline shift, small SDH along the falx.",
        "No midline shift, acute subdural haematoma on the right.",
        "No infarct, haemorrhage seen in the left basal ganglia.",
        "No shift, no fracture, 4 mm SDH.",
        "No infarct or mass, left temporal haemorrhage seen.",
        "No shift or fracture and a small SDH.",
        "No infarct is seen, haemorrhage is seen.",
        "No dislocation, right frontal haemorrhage.",
        "Without mass effect, 2 cm haematoma.",
        "No oedema, typical of a haemorrhage.",
        "No abnormality in the left lobe, haemorrhage on the right.",
    ],
)
def test_what_has_a_place_size_or_article_of_its_own_behind_a_comma_is_stated(text: str) -> None:
    assert says(text, "hemorrhage") == "positive"


@pytest.mark.parametrize(
    "text",
    [
        "No mass lesion left frontal infarct",
        "No haemorrhage old infarct",
        "No haemorrhage seen left frontal infarct present",
        "No hydrocephalus acute infarct in left MCA territory",
        "No abnormality left frontal infarct",
        "No haemorrhage in the brain left frontal infarct",
        "no bleed no mass no shift small infarct",
        "NO HAEMORRHAGE LEFT FRONTAL INFARCT",
        "NO EVIDENCE OF INTRACRANIAL HAEMORRHAGE OR ANY MASS LESION SEEN\nLEFT FRONTAL INFARCT",
        "- no bleed\n- left frontal infarct\n- no fracture",
        "1) no bleed 2) left frontal infarct 3) no fracture",
        "No intracranial haemorrhage,\nleft frontal infarct",
    ],
)
def test_a_finding_that_runs_on_without_a_mark_is_stated(text: str) -> None:
    assert says(text, "ischemia") == "positive"


@pytest.mark.parametrize(
    "text",
    [
        "No acute haemorrhage, large infarct, or mass.",
        "No haemorrhage, established infarct or space-occupying lesion.",
        "No haemorrhage, mass, midline shift, acute infarct.",
        "No haemorrhage, old infarct or mass.",
        "No haemorrhage, infarct.",
        "No evidence of mass, acute infarction seen or haemorrhage.",
        "No haemorrhage infarct or mass.",
        "No haemorrhagic infarct.",
        "No left frontal, parietal or temporal infarct.",
        "No left or right sided infarct.",
        "No haemorrhage, infarct, or mass in the left or right hemisphere.",
        "No haemorrhage/infarct/mass",
        "No cerebral infarct (stroke).",
        "No small infarct.",
        "No acute or old infarct.",
        "Haemorrhage, mass and infarct are not seen.",
        "Small left infarct is not seen.",
    ],
)
def test_a_list_of_bare_nouns_is_denied(text: str) -> None:
    assert says(text, "ischemia") == "negative"


@pytest.mark.parametrize(
    "text",
    [
        "No fracture - acute SDH.",
        "No shift with acute SDH.",
        "No shift or mass, haemorrhage.",
        "No infarct haemorrhage",
        "No infarct, haemorrhage noted.",
        "No mass, left frontal haemorrhage or fracture.",
        "Small left SDH and mass effect not seen.",
    ],
)
def test_what_could_be_either_is_uncertain_and_says_so(text: str) -> None:
    decisions = {decision.label: decision for decision in LABELLER.label(text)}
    assert decisions["hemorrhage"].certainty == "uncertain"
    assert decisions["hemorrhage"].rule.startswith("doubtful negation")


def test_a_negation_behind_a_run_on_denies_only_the_last_finding() -> None:
    text = "Left frontal SDH mass effect not seen."
    assert says(text, "hemorrhage") == "positive"
    assert says(text, "mass effect") == "negative"


@pytest.mark.parametrize(
    "text", ["No haemorrhage, ventricles dilated.", "No haemorrhage or mass, ventricles enlarged."]
)
def test_a_state_of_a_structure_behind_a_comma_is_stated(text: str) -> None:
    assert says(text, "dilation") == "positive"


def test_the_history_of_a_family_ends_where_the_scan_is_described() -> None:
    text = "Family history of aneurysm, small left SDH seen."
    assert says(text, "hemorrhage") == "positive"
    assert says(text, "aneurysm") == "not mentioned"
