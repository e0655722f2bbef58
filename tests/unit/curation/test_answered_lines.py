"""A line of a form ends with its answer: "no" denies the label before it, and not what the next line says."""

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
        "CALCIFICATION - NO\nACUTE INFARCT IN THE LEFT MCA TERRITORY",
        "calcification - no\nacute infarct in the left mca territory",
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
    assert labels == {"hemorrhage": "negative", "mass effect": "negative", "tumor": "positive"}


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
