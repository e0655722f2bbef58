"""What word processors, web pages and databases leave in an export hides no finding, and spoils no other text."""

from pathlib import Path

import pytest

from brainuad.curation.follow_up import refers_to_earlier
from brainuad.curation.plain_text import plain_text
from brainuad.curation.reports import read_reports
from brainuad.curation.rule_labeller import RuleLabeller

LABELLER = RuleLabeller()


def classes(text: str) -> dict[str, str]:
    """The classes that a text has by its labels, as an export of it would be read."""
    return {each.label: each.certainty for each in LABELLER.label(plain_text(text))}


BLEEDS = (
    "There is a left sub\u00addural haema\u00adtoma.",
    "There is acute haem\u200borrhage in the left lobe.",
    "There is a \ufeffhaem\u200d\u2060orrhage.",
    "left\u200bhaemorrhage is seen.",
    "There is a&nbsp;haemorrhage&nbsp;in the left lobe.",
    "ACUTE&NBSP;HAEMORRHAGE IS SEEN.",
    "There is a&nbsphaemorrhage in the left lobe.",
    "There is an acute haem&shy;orrhage.",
    "There is an acute haem&amp;shy;orrhage.",
    "There is an acute haem&#173;orrhage.",
    "There is an acute haem&#xAD;orrhage.",
    "Acute haem\u00ad\norrhage.",
    "Acute h\u00e6morrhage is seen.",
    "Acute hae\u0301morrhage is seen.",
    "THERE IS AN ACUTE H\u00c4MATOM.",
    "Acute \uff48aemorrhage is seen.",
    r"There is a\xa0haemorrhage\xa0in the left lobe.",
    r"There is a haem\xadorrhage.",
    r"There is a haem\u00adorrhage.",
    r"There is a haem\xe2\x80\x8borrhage.",
    "There is a left temporal haemorr-\nhage.",
    "There is a left temporal haemorr-\r\n  hage.",
    "There is a left temporal haemorr\u2010<br>hage.",
    "There is a left temporal haemorr- hage.",
    "THERE IS A HAEMORR-\nHAGE.",
    "There is a left sub-dural.",
    "There is a left sub\u2011dural.",
    "There is a left extra dural.",
    "There is a haemorrhage\u2026",
    "There is a \u201ehaemorrhage\u201c.",
    "There is a `haemorrhage` and an \u25aainfarct.",
    "\uf0b7Haemorrhage in the left lobe.",
    "Large haemorrhage&infarct are seen.",
    "Large haemorrhage&amp;infarct are seen.",
    "Small new\u200bSDH.",
    "R\u200bSDH",
    "Acute haematoma\u200b12 mm.",
    "Acute SDH\u200b7mm",
    "There is a haemor\x1frhage.",
    "There is a haemor\x02rhage.",
    "Acute haemorr-\x0bhage.",
    "Acute haem<wbr>orrhage.",
    "Acute haemor&#31;rhage.",
    "Acute haemorr-<br>\nhage.",
)


@pytest.mark.parametrize("text", BLEEDS)
def test_no_haemorrhage_is_hidden_by_what_an_export_left_in_its_word(text: str) -> None:
    assert classes(text).get("hemorrhage") == "positive"


@pytest.mark.parametrize(
    ("text", "label"),
    [
        ("There is a left temporal inf\ufeffarct.", "ischemia"),
        ("There is an acute in\ufb01ltrating tu\u00admour.", "tumor"),
        ("Marked \u0153dema of the left lobe.", "oedema"),
        ("There is mid\u2011line shift.", "midline shift"),
        ("There is mid\u2012line shift.", "midline shift"),
        ("There is mid-\nline shift.", "midline shift"),
        ("There is a hyper-\ndense lesion.", "hyperdensity"),
        ("There is a left menin-\r\ngioma.", "tumor"),
    ],
)
def test_no_other_finding_is_hidden(text: str, label: str) -> None:
    assert classes(text).get(label) == "positive"


@pytest.mark.parametrize(
    "text",
    [
        "No fracture.<p>Hydrocephalus.",
        "<p>No fracture.</p><p class='a'>Hydrocephalus.</p>",
        "No fracture.&lt;br/&gt;Hydrocephalus.",
        "No fracture.&#13;&#10;Hydrocephalus.",
        "No fracture\u2026 Hydrocephalus.",
        "No fracture\u2026Hydrocephalus.",
        "<ul><li>No fracture</li><li>Hydrocephalus</li></ul>",
    ],
)
def test_no_mark_up_denies_the_finding_of_the_next_line(text: str) -> None:
    assert classes(text) == {"fracture": "negative", "hydrocephalus": "positive"}


def test_negations_are_whole_too() -> None:
    assert classes("With-\nout haemor\u00adrhage. No evi-\ndence of frac-\nture.") == {
        "hemorrhage": "negative",
        "fracture": "negative",
    }


@pytest.mark.parametrize("text", ["Un-\nchanged.", "Appearances are sta\u00adble.", "Follow\u2011up of SDH."])
def test_the_follow_up_filter_reads_words_that_were_cut(text: str) -> None:
    assert refers_to_earlier(plain_text(text))


@pytest.mark.parametrize(
    "text",
    [
        "A well-\ndefined lesion, left-\nsided, fronto-\nparietal.",
        "pre- and post-contrast, supra- or infratentorial",
        "Findings:\n- bleed\n- infarct -\nno shift",
        "Small-\nvessel disease. Mass-\nEffect. non-\nspecific",
        "haemorr-\n\nhage",
        "5 mm &lt 6, frontal&parietal, A&E; R&D; &nothing; <5 mm, p<0.05 > 3",
        "A lesion \\tumour in C:\\users\\xray",
        "Ménière's disease, 2 cm², 5 µm, 37 °C, ±3",
    ],
)
def test_other_texts_stay_as_they_are(text: str) -> None:
    assert plain_text(text) == text


def test_a_text_is_what_a_person_sees() -> None:
    seen = plain_text(
        "The left lobe\u2019s\u2009sub\u2011arach\u00adnoid\u3000space \u2013 5&nbsp;mm &lt;&#228;&gt;\ufeff"
    )
    assert seen == "The left lobe's subarachnoid space - 5 mm <ä>"


def test_the_reports_of_an_export_are_plain(tmp_path: Path) -> None:
    path = tmp_path / "reports.csv"
    path.write_text("report,patient,date,text\nr1,p1,,A&nbsp;haem\u00adorrhage.\n", encoding="utf-8")
    assert [report.text for part in read_reports(path) for report in part] == ["A haemorrhage."]


@pytest.mark.parametrize(
    "text", ["There is an infarct^ in the left lobe.", "There is a \u25aainfarct\u2020."]
)
def test_no_mark_hides_the_word_that_it_touches(text: str) -> None:
    assert [(each.label, each.certainty) for each in LABELLER.label(text)] == [("ischemia", "positive")]


@pytest.mark.parametrize("line_end", ["<br>\n", "<br />\r\n", "\\n\n", "\\r\\n\r\n", "\u2028"])
def test_a_break_that_is_written_twice_is_one(line_end: str) -> None:
    text = f"No evidence of{line_end}haemorrhage, infarct{line_end}or mass."
    assert set(classes(text).values()) == {"negative"}
    assert plain_text(f"unchanged pre-{line_end}vious").count("\n") == 0
