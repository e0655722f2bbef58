"""A line of a form ends with its answer: "no" denies the label before it, and not what the next line says."""

from collections.abc import Callable

import pytest

from brainuad.curation.rule_labeller import RuleLabeller

LABELLER = RuleLabeller()


def found(text: str) -> dict[str, str]:
    return {decision.label: decision.certainty for decision in LABELLER.label(text)}


@pytest.mark.parametrize(
    "answer", [" - No", " \u2013 No", ": No", " = No", " ... No", "\u2026 No", "? No", "\tNo", " No"]
)
@pytest.mark.parametrize("following", ["Acute subdural haematoma on the left", "SDH on the left"])
def test_an_answer_does_not_deny_the_next_line(answer: str, following: str) -> None:
    assert found(f"Midline shift{answer}\n{following}")["hemorrhage"] == "positive"


@pytest.mark.parametrize(
    "text",
    [
        "Calcification - No\nAcute infarct - Yes\nBones - normal",
        "CALCIFICATION - NO\nACUTE INFARCT - YES\nBONES - NORMAL",
        "calcification - no\nacute infarct - yes\nbones - normal",
    ],
)
def test_lines_of_a_form_are_read_by_themselves(text: str) -> None:
    labels = found(text)
    assert (labels["calcification"], labels["ischemia"]) == ("negative", "positive")


@pytest.mark.parametrize(
    "text",
    [
        "Calcification No\nAcute infarct Yes",
        "CALCIFICATION NO\nACUTE INFARCT YES",
        "Calcification no\nAcute infarct in the left lobe",
        "Calcification. No\nAcute infarct in the left lobe",
        "Calcification\nNo\nAcute infarct\nYes",
    ],
)
def test_an_answer_without_a_mark_denies_no_other_label_either(text: str) -> None:
    assert found(text)["ischemia"] == "positive"


def test_a_finding_in_a_sentence_before_does_not_matter() -> None:
    labels = found("Report: No haemorrhage. Mass effect - No\nLeft frontal meningioma is seen.")
    assert (labels["hemorrhage"], labels["tumor"]) == ("negative", "positive")


@pytest.mark.parametrize("answer", ["no", "No", "nil", "none"])
@pytest.mark.parametrize("case", [str, str.upper, str.lower])
def test_an_answer_denies_no_line_that_begins_with_a_small_letter(
    answer: str, case: Callable[[str], str]
) -> None:
    text = f"Calcification - {answer}\nacute infarct in the left MCA territory."
    assert found(case(text))["ischemia"] == "positive"


@pytest.mark.parametrize("gap", [" ", "\t"])
def test_labels_on_one_line_are_read_by_themselves(gap: str) -> None:
    assert found(f"Calcification - No{gap}Acute infarct - Yes")["ischemia"] == "positive"
    labels = found(f"Acute infarct - Yes{gap}Calcification - No")
    assert (labels["ischemia"], labels["calcification"]) == ("positive", "negative")


@pytest.mark.parametrize(
    ("text", "label"),
    [
        ("SMALL LEFT FRONTAL SDH - NO\nOTHER ABNORMALITY.", "hemorrhage"),
        ("small left frontal sdh - no\nother abnormality.", "hemorrhage"),
        ("acute left mca infarct - no\nprevious imaging.", "ischemia"),
        ("Small left SDH - No\nCT available.", "hemorrhage"),
        ("ACUTE LEFT MCA INFARCT - NO\nATROPHY.", "ischemia"),
        ("SMALL LEFT SDH - NO\nMASS EFFECT - NO\nMIDLINE SHIFT.", "hemorrhage"),
        ("ACUTE SDH - NO OTHER ABNORMALITY - NO\nMASS EFFECT.", "hemorrhage"),
    ],
)
def test_a_no_that_may_go_on_in_the_next_line_does_not_deny_the_finding_before(text: str, label: str) -> None:
    assert found(text)[label] == "positive"


def test_lines_with_answers_beside_them_are_denied() -> None:
    labels = found("Haemorrhage - No\nFracture - No\nMidline shift - No\nThe ventricles are normal.")
    assert set(labels.values()) == {"negative"}


@pytest.mark.parametrize(
    "text",
    [
        "BONES - NO\nFRACTURE.",
        "NORMAL STUDY - NO\nINTRACRANIAL HAEMORRHAGE OR INFARCT.",
        "Old study normal. No\nhaemorrhage no\nhydrocephalus",
    ],
)
def test_a_no_behind_what_is_normal_or_a_structure_goes_on(text: str) -> None:
    assert set(found(text).values()) == {"negative"}


@pytest.mark.parametrize(
    "text",
    [
        "There is no\nhaemorrhage.",
        "THERE IS NO\nHAEMORRHAGE.",
        "There is no\nSDH or mass.",
        "No\nHaemorrhage.",
        "Findings: No\nhaemorrhage.",
        "Findings:\nNo\nHaemorrhage.",
        "Normal study - no\nhaemorrhage or infarct.",
        "The scan is normal, no\nSDH.",
        "Normal ventricles. No\nSDH.",
        "There is definitely no\nhaemorrhage or infarct.",
    ],
)
def test_a_wrapped_line_still_denies_what_follows(text: str) -> None:
    assert found(text)["hemorrhage"] == "negative"


@pytest.mark.parametrize(
    "text",
    [
        "Calcification - No Acute infarct - Yes. Bones normal.",
        "Calcification - No Acute infarct - Yes, on the left",
        "Haemorrhage - No Infarct - left MCA territory",
        "Haemorrhage - none Infarct - left MCA territory",
        "Calcification = No Acute infarct = Yes",
        "Bleed: no Acute left MCA territory infarct: yes",
        "Bleed: no Fracture: no Acute left MCA territory infarct: yes",
        "Bones - no Calcification - no Acute infarct - yes",
        "- Calcification - no - Infarct - left MCA territory",
    ],
)
@pytest.mark.parametrize("case", [str, str.upper, str.lower])
def test_an_answer_denies_no_further_label_of_its_line(text: str, case: Callable[[str], str]) -> None:
    assert found(case(text))["ischemia"] == "positive"


@pytest.mark.parametrize(
    "text",
    [
        "Bleed = No Acute left MCA territory infarct = No",
        "Bleed: No Acute left MCA territory infarct: No",
        "Haemorrhage: No Midline shift: No Acute territorial infarct: No Skull fracture: No",
        "Normal study - no haemorrhage - no infarct - discussed with the team.",
        "Brain - no bleed - no infarct - old notes seen.",
        "Normal study - no extra- or intra-axial bleed - midline central.",
        "Brain: no haemorrhage or infarct - normal.",
        "Findings: - notes of 2014 - no acute infarct - no SDH - pineal gland, physiological",
        "findings: - notes of 2014 - no acute infarct - no SDH - pineal gland, physiological",
    ],
)
def test_a_line_without_findings_stays_denied(text: str) -> None:
    assert set(found(text).values()) == {"negative"}


def test_a_no_before_another_label_of_its_line_does_not_deny_what_stands_before() -> None:
    assert found("SDH: no change since the last scan Brain: atrophy")["hemorrhage"] == "positive"
    assert found("Acute left SDH - no change - stable.")["hemorrhage"] == "positive"


@pytest.mark.parametrize("label", ["LARGE SUBACUTE SDH", "12MM SDH", "EXTENSIVE SAH", "MASSIVE, ACUTE SDH"])
def test_a_label_with_a_size_or_an_age_is_not_denied(label: str) -> None:
    assert found(f"{label} - NO\nMASS EFFECT - NO\nOTHER ABNORMALITY.")["hemorrhage"] == "positive"


@pytest.mark.parametrize("label", ["ACUTE HAEMORRHAGE", "NEW HAEMORRHAGE", "1) HAEMORRHAGE"])
def test_an_item_a_new_or_an_acute_finding_is_denied(label: str) -> None:
    text = f"FRACTURE - NO\n{label} - NO\nVENTRICLES ARE NORMAL."
    assert found(text)["hemorrhage"] == "negative"


@pytest.mark.parametrize(
    "text",
    [
        "Appearances are age appropriate - no\nacute infarct.",
        "Appearances satisfactory - no\nacute infarct.",
        "The appearance has not changed - no\nacute infarct.",
        "THE APPEARANCE IS WITHIN LIMITS - NO\nACUTE INFARCT.",
    ],
)
def test_a_statement_asks_nothing(text: str) -> None:
    assert found(text)["ischemia"] == "negative"


def test_a_question_with_a_verb_asks() -> None:
    assert found("Is there a bleed - no\nacute infarct in the left MCA territory.")["ischemia"] == "positive"
