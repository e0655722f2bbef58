"""A report is split into sections and sentences as a reader would split it."""

import pytest

from brainuad.curation.rule_labeller import RuleLabeller, parse
from brainuad.curation.settings import RuleSettings

NLP = RuleLabeller(RuleSettings()).nlp


def sentences(text: str) -> list[str]:
    doc = parse(NLP, text)
    return [span.text for span in doc.spans["sentences"]]


def sections(text: str) -> list[str]:
    doc = parse(NLP, text)
    return [span.label_ for span in doc.spans["sentences"]]


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        (
            "CLINICAL HISTORY: Fall.\nFINDINGS: Bleed.\nIMPRESSION: SDH.",
            ["history", "findings", "impression"],
        ),
        ("Indication\nFall.\n\nReport\nBleed.\n\nConclusion\nSDH.", ["history", "findings", "impression"]),
        ("clinical details: fall.\nfindings: bleed.\nopinion: sdh.", ["history", "findings", "impression"]),
        ("Technique: Plain.\nComparison: None.\nFindings: Bleed.", ["technique", "comparison", "findings"]),
        ("FINDINGS There is a bleed.\nIMPRESSION Small SDH.", ["findings", "impression"]),
        ("**Findings:** Bleed.\n**Impression:** SDH.", ["findings", "impression"]),
        ("History: fall. Findings: Bleed. Conclusion: SDH.", ["history", "findings", "impression"]),
        ("Bleed in the left lobe. In conclusion, acute SDH.", ["findings", "impression"]),
        ("No findings of concern: no bleed.", ["findings"]),
        ("The impression of mass effect is mild.", ["findings"]),
    ],
)
def test_headings_open_sections(text: str, expected: list[str]) -> None:
    assert sections(text) == expected


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("Clinical details: fall, ?SDH.\n\nThere is no haemorrhage.", ["history", "findings"]),
        ("Indication: headache, ?SAH. There is no subarachnoid blood.", ["history", "findings"]),
        ("78 year old with a fall. ?SDH. No intracranial haemorrhage.", ["history", "history", "findings"]),
        ("Clinical details: fall.\nOn warfarin.\nFindings: Bleed.", ["history", "history", "findings"]),
    ],
)
def test_a_history_ends_where_the_scan_is_described(text: str, expected: list[str]) -> None:
    assert sections(text) == expected


@pytest.mark.parametrize("title", ["CT HEAD", "CT brain:", "CT scan of the head", "Report"])
def test_a_title_above_the_history_does_not_keep_it_from_ending(title: str) -> None:
    text = f"{title}\nClinical history: fall.\n\nAcute left subdural haematoma. Midline shift."
    assert sections(text) == ["history", "findings", "findings"]


@pytest.mark.parametrize(
    "text",
    [
        "Clinical details: Fall, on warfarin. Acute left SDH with 5 mm midline shift.",
        "Indication: confusion. Large right MCA infarct.",
        "Comparison: none. Large subdural.",
        "Technique: Axial slices. Right temporal lobe mass.",
        "CT head. Indication: confusion. Large right MCA infarct.",
    ],
)
def test_what_follows_the_first_sentence_of_a_history_is_read_where_no_findings_are_headed(text: str) -> None:
    assert sections(text)[-1] == "findings"
    assert any(decision.certainty == "positive" for decision in RuleLabeller().label(text))


@pytest.mark.parametrize(
    "text",
    [
        "Indication: confusion. Large infarct.\nFindings: Normal.",
        "Indication: confusion. Large infarct.\nConclusion: Normal.",
        "Indication: confusion. ?stroke.\n\nNormal study.",
        "Indication: confusion. Query stroke.\n\nNormal study.",
        "Indication: confusion. On warfarin. Fall, ?SDH.\n\nNormal study.",
    ],
)
def test_a_history_before_headed_findings_and_its_questions_are_not_read(text: str) -> None:
    assert RuleLabeller().label(text) == []


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("Seen by Dr. Smith. It measures approx. 2.5 cm. No shift.", 3),
        ("A bleed vs. a tumour, e.g. a metastasis.", 1),
        ("1. No bleed. 2. Atrophy 3. Old infarct", 3),
        ("- No bleed\n- Atrophy\n* Old infarct", 3),
        ("No intracranial haemorrhage or\ninfarct is seen in the left\nMCA territory.", 1),
        ("No bleed\nNo fracture\nMild atrophy", 3),
        ("NO HAEMORRHAGE OR\nINFARCT\nNO FRACTURE\nMILD ATROPHY", 3),
        ("no bleed. no fracture. mild atrophy.", 3),
        ("Low density ?infarct. Haemorrhage? Atrophy.", 3),
        ("Density in the left lobe ? infarct.", 1),
        ("No bleed.Atrophy is mild.", 2),
    ],
)
def test_sentences_end_where_a_reader_would_end_them(text: str, expected: int) -> None:
    assert len(sentences(text)) == expected


def test_a_sentence_is_kept_on_one_line_without_its_heading_and_list_mark() -> None:
    assert sentences("Findings:\n- No  haemorrhage or\n  infarct.") == ["No haemorrhage or infarct."]


@pytest.mark.parametrize(
    "text", ["SMALL SCALP FLUID\nCOLLECTION. NORMAL BRAIN.", "Small scalp fluid\nCollection."]
)
def test_a_term_that_a_line_break_cuts_is_read(text: str) -> None:
    assert RuleLabeller().label(text) == []
