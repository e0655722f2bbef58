"""What a report says of the patient is told from what it says of the scan."""

import pytest

from brainuad.curation.rule_labeller import RuleLabeller

LABELLER = RuleLabeller()


def says(text: str, label: str) -> str:
    found = {decision.label: decision.certainty for decision in LABELLER.label(text)}
    return found.get(label, "not mentioned")


@pytest.mark.parametrize(
    "text",
    [
        "Known left petrous meningioma.",
        "Findings: Known meningioma. Normal ventricles.",
        "Impression: Previous right frontal meningioma.",
        "No haemorrhage. Known meningiomas.",
        "Pre-existing parafalcine meningioma, no shift.",
    ],
)
def test_what_is_known_and_stands_among_the_findings_is_positive(text: str) -> None:
    assert says(text, "tumor") == "positive"


@pytest.mark.parametrize(
    "text",
    [
        "Clinical details: known meningioma.\nFindings: Normal.",
        "Indication: headache. Known meningioma.\n\nNormal study.",
        "Known meningioma, ?bleed. Normal study.",
        "Lady with a known meningioma, now dizzy. Normal study.",
        "Known metastatic lung cancer. Normal study.",
        "Findings: Normal study. Known malignancy.",
    ],
)
def test_what_is_known_of_the_patient_is_not_mentioned(text: str) -> None:
    assert says(text, "tumor") == "not mentioned"


@pytest.mark.parametrize(
    "text",
    [
        "Fall with a right parietal extradural haematoma.",
        "Confusion due to a left thalamic haemorrhage. No hydrocephalus.",
        "81 year old lady with bilateral subdurals.",
        "On aspirin for a stroke, acute left SDH.",
        "Head injury: bifrontal contusions.",
        "A recent assault with traumatic SAH.",
    ],
)
def test_a_finding_in_a_first_sentence_about_the_patient_is_read(text: str) -> None:
    assert says(text, "hemorrhage") == "positive"


@pytest.mark.parametrize(
    "text",
    [
        "Head injury, query extradural. Normal study.",
        "Fall to exclude a bleed. Normal study.",
        "Headache, history of SAH. Normal study.",
        "Gentleman with a previous SDH. Normal study.",
        "Collapse with suspected haemorrhage. Normal study.",
        "Fall with SDH.\nFindings: Normal.",
    ],
)
def test_a_request_and_a_history_in_a_first_sentence_are_not_read(text: str) -> None:
    assert says(text, "hemorrhage") == "not mentioned"


def test_a_complaint_without_a_place_is_not_read() -> None:
    assert says("60 year old man with stroke. Normal study.", "ischemia") == "not mentioned"
    assert says("60 year old man with right MCA stroke.", "ischemia") == "positive"


@pytest.mark.parametrize(
    "text",
    ["Findings: The patient has an acute infarct.", "Impression: Patient with a left cerebellar infarct."],
)
def test_what_the_patient_has_among_the_findings_is_positive(text: str) -> None:
    assert says(text, "ischemia") == "positive"


@pytest.mark.parametrize(
    "text",
    [
        "CT can be normal early in an infarct.",
        "A negative scan does not exclude an infarct.",
        "Small infarcts could be missed on early CT.",
        "Background of an infarct in 2011.",
        "Without intravenous contrast, small infarcts cannot be excluded.",
        "In the absence of contrast, subtle infarcts cannot be excluded.",
    ],
)
def test_what_holds_of_any_scan_or_of_a_former_year_is_not_mentioned(text: str) -> None:
    assert says(text, "ischemia") == "not mentioned"


def test_a_doubt_about_a_place_stays_one_without_contrast() -> None:
    assert says("Without contrast a left cerebellar infarct cannot be excluded.", "ischemia") == "uncertain"


@pytest.mark.parametrize(
    ("text", "label", "expected"),
    [
        ("Infarct: no\nTumour: yes\nShift: no", "ischemia", "negative"),
        ("Infarct: no\nTumour: yes\nShift: no", "tumor", "positive"),
        ("Infarct: no\nTumour: yes\nShift: no", "midline shift", "negative"),
        ("INFARCT: NO\nTUMOUR: YES", "tumor", "positive"),
        ("Infarct: no Tumour: yes", "ischemia", "negative"),
        ("Infarct: no Tumour: yes", "tumor", "positive"),
        ("Findings: No\nInfarct or tumour.", "tumor", "negative"),
    ],
)
def test_the_answers_of_a_list_belong_to_the_labels_before_them(text: str, label: str, expected: str) -> None:
    assert says(text, label) == expected
