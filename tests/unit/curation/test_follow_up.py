"""The follow-up filter finds reports that refer to earlier imaging, and no others."""

import pytest

from brainuad.curation.english import is_english
from brainuad.curation.follow_up import refers_to_earlier
from brainuad.curation.follow_up_patterns import FOLLOW_UP
from brainuad.curation.selection_settings import FOLLOW_UP_PATTERNS

REFERS = {
    "comparison": (
        "Compared with the CT of 12/03/2014 there is nothing new.",
        "Comparison: CT 12/03/2014.",
        "Not directly comparable with the earlier examination.",
    ),
    "earlier imaging": (
        "The previous CT showed a small bleed.",
        "Prior head CT reviewed.",
        "Calcification which was previously reported.",
        "Earlier\nimaging has been seen.",
        "Previous CT: nil acute.",
    ),
    "since": (
        "No new haemorrhage since 12.03.2014.",
        "Seizures since the previous scan.",
        "The ventricles have enlarged slightly since then.",
        "No deterioration since admission scan.",
    ),
    "interval change": (
        "No interval change.",
        "Interval increase in the size of the ventricles.",
        "No interval haemorrhage or infarct.",
        "Interval left craniotomy.",
        "Suggestive of interval haemorrhage.",
        "Interval CT shows enlargement requiring drainage.",
    ),
    "unchanged": (
        "Appearances are unchanged.",
        "No significant change in the ventricles.",
        "It has not changed.",
        "Atrophy without significant change.",
        "No relevant change.",
        "Unaltered appearances.",
        "Appearances have not altered.",
        "The ventricles are not significantly altered.",
        "No alteration in appearances.",
        "Appearances are similar to 2013.",
        "Similar appearances to those seen on 12/03/2014.",
        "Otherwise, the appearances are unchanged.",
        "Otherwise the appearances are unchanged.",
        "The patient's intracranial appearances are unchanged.",
        "The patient's haematoma is unchanged.",
        "No change in the patient's haematoma.",
        "No alteration of the patient’s ventricles",
        "The mass has not changed in the patients' images.",
        "GCS 15, CT appearances are unchanged.",
        "GCS 15, unchanged haematoma.",
    ),
    "stable": (
        "Stable appearances.",
        "The ventricles remain stable in size.",
        "Appearances are static.",
        "Otherwise the appearances are stable.",
    ),
    "follow-up": ("Follow-up of known haemorrhage.", "Follow up scan.", "F/U SDH.", "Repeat CT."),
    "no progression": ("No progression.", "No further progression of the small vessel disease."),
    "as before": ("Small vessel disease as before.",),
    "seen again": ("Again noted is mild atrophy.", "The calcification is seen once again."),
    "dated imaging": (
        "CT head dated 3rd March 2014 showed calcification.",
        "Reviewed with the MRI of 2014-03-12.",
        "CT performed two weeks ago showed SDH.",
        "SDH on the scan yesterday.",
        "The contusion on yesterday's scan is less conspicuous.",
        "The contusion on yesterday’s head CT is less conspicuous.",
        "CT earlier today.",
        "SDH on today's first CT.",
        "CT head done this morning showed SDH.",
        "This morning's scan showed SDH.",
        "MRI last week showed a cavernoma.",
        "MRI last month.",
        "CT head was performed last year.",
        "Last Tuesday's CT showed SDH.",
        "CT from 2013.",
        "MRI brain in 2009 was reported as normal.",
        "Priors: MR brain 2017.",
        "Atrophy in excess of that seen in 2014.",
        "The 2014 MRI has been reviewed.",
    ),
}
DOES_NOT_REFER = (
    "Previous craniotomy.",
    "Previous stroke. Prior surgery. Earlier fall.",
    "Previously fit and well.",
    "Prior to the CT the patient vomited.",
    "No previous imaging for comparison.",
    "There are no earlier scans available on PACS for direct comparison.",
    "No prior CT of the head is available for comparison.",
    "For comparison there are no previous images.",
    "Previous imaging is not available.",
    "Comparison: None.",
    "Stable patient.",
    "The patient is haemodynamically stable.",
    "GCS unchanged.",
    "No change in the patient's condition.",
    "No significant change in the patient",
    "No change in her GCS.",
    "The patient is clinically unchanged. GCS has been entirely unchanged.",
    "Headache since Monday.",
    "Headaches since 12/03/2014.",
    "Known epilepsy since childhood.",
    "The left lateral ventricle is larger compared to the right.",
    "Clinical follow-up is recommended.",
    "Suggest follow up CT in 6 weeks.",
    "No ischaemic change.",
    "Atrophy without ischaemic change.",
    "Unaltered consciousness.",
    "The left ventricle is similar to the right.",
    "Suggest repeat CT.",
    "Clinical correlation and repeat imaging at 24 hours.",
    "Previous CT: Nil on system. Previous imaging: None.",
    "Repeat CT head in 24 hours.",
    "Repeat imaging is advised if symptoms persist.",
    "CT for a fall two weeks ago.",
    "Headache since admission.",
    "No progression of weakness.",
    "No old infarct. Last seen well at 10 o'clock. Recent fall.",
    "Lucid interval, then loss of consciousness. 5 mm slice interval. QT interval prolonged.",
    "The atlantodental interval is normal. Widening of the atlantodental interval with no fracture.",
    "Recommend interval MRI to assess for resolution.",
    "Suggest interval follow-up.",
    "Suggest short interval repeat CT.",
    "Recommend interval surveillance. Consider interval surveillance imaging.",
    "Previous imaging: None",
    "Previous CT: nil",
    "Previous imaging: None; no bleed.",
    "Static GCS. Neurologically static. Static encephalopathy.",
    "No metastatic disease. Haemostatic clips.",
    "Fall yesterday. CT head normal.",
    "Fall last week, CT head normal.",
    "Weakness since this morning. CT head: normal.",
    "CT head for weakness since yesterday. CT for headache last week.",
    "Stroke in 2014. CABG 2008. Craniotomy in 2010. CT head normal.",
    "CT head performed 2015 hrs.",
    "GCS has not altered. No alteration in consciousness.",
    "Normal scan. No acute intracranial haemorrhage. Ventricles normal for age.",
    "",
)


@pytest.mark.parametrize(("name", "text"), [(name, text) for name, texts in REFERS.items() for text in texts])
def test_each_pattern_names_what_refers_to_earlier_imaging(name: str, text: str) -> None:
    assert refers_to_earlier(text, patterns=[name]) == name  # type: ignore[list-item]


def test_every_pattern_has_a_wording() -> None:
    assert set(REFERS) == set(FOLLOW_UP) == set(FOLLOW_UP_PATTERNS)


@pytest.mark.parametrize("text", DOES_NOT_REFER)
def test_what_only_looks_like_a_reference_is_none(text: str) -> None:
    assert refers_to_earlier(text) == ""


def test_absent_earlier_imaging_does_not_hide_a_reference_beside_it() -> None:
    text = "No earlier CT is available for comparison, but the appearances are stable."
    assert refers_to_earlier(text) == "stable"


def test_the_first_pattern_of_the_text_is_named() -> None:
    assert refers_to_earlier("Nothing new. Unchanged appearances. Compared with the CT.") == "unchanged"


def test_capitals_and_line_breaks_do_not_matter() -> None:
    assert refers_to_earlier("COMPARED TO\nPREVIOUS  CT") == "comparison"


@pytest.mark.parametrize(
    "date",
    [
        *("2014-03-12", "20140312", "12/03/2014", "2014-03-12T10:30:00", "20140312T103000"),
        *("12-MAR-14 10.30.00", "12 March 2014 10:30"),
    ],
)
def test_the_day_of_the_report_itself_is_no_earlier_day(date: str) -> None:
    text = "CT head performed on 12/03/2014."
    assert refers_to_earlier(text, date) == ""
    assert refers_to_earlier(text, "2015-06-01") == "dated imaging"


@pytest.mark.parametrize(
    "day",
    [
        *("12-Mar-2014", "12/Mar/2014", "12.mar.2014", "12Mar2014", "12-MAR-14", "Mar-12-2014"),
        *("2014.03.12", "20140312"),
    ],
)
def test_a_day_is_known_however_an_export_writes_it(day: str) -> None:
    for text in (
        "Since {} no infarct.",
        "Appearances similar to {}.",
        "CT head dated {} reviewed.",
        "MRI of {}: ok.",
    ):
        assert refers_to_earlier(text.format(day)) != ""
    assert refers_to_earlier(f"CT head performed on {day}.", "2014-03-12") == ""
    assert refers_to_earlier(f"Headache since {day}.") == ""


def test_a_pattern_that_is_left_out_does_not_fire() -> None:
    assert refers_to_earlier("Stable appearances.", patterns=["comparison", "unchanged"]) == ""


@pytest.mark.parametrize(
    "text", ["Normal.", "NAD. No bleed.", "The grey-white differentiation is preserved."]
)
def test_short_and_long_english_reports_are_english(text: str) -> None:
    assert is_english(text)


@pytest.mark.parametrize(
    "text",
    [
        "Kein Nachweis einer intrakraniellen Blutung. Normale Weite der Ventrikel.",
        "Pas de saignement intracranien visible.",
        "Sin evidencia de hemorragia intracraneal.",
        "Nessuna emorragia. Ventricoli nella norma.",
        "Geen bloeding zichtbaar.",
        "Геморрагии нет.",
        "Altersentsprechender Befund",
    ],
)
def test_reports_in_other_languages_are_not_english(text: str) -> None:
    assert not is_english(text)
