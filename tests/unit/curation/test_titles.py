"""A title of a head CT ends the history before it, however it says how and when the scan was made."""

import pytest

from brainuad.curation.rule_labeller import RuleLabeller

LABELLER = RuleLabeller()
TITLES = (
    "CT BRAIN PLAIN",
    "CT head without contrast",
    "CT HEAD WITHOUT IV CONTRAST",
    "CT brain unenhanced",
    "CT head (unenhanced)",
    "CT head - non contrast",
    "CT head with and without contrast",
    "Non-enhanced CT brain",
    "NCCT brain",
    "NECCT HEAD",
    "CT head 12/03/2014",
    "CT head (12-Mar-2014)",
    "CT head 20140312",
    "CT head plain 12/03/2014 14:05",
)


def found(text: str) -> dict[str, str]:
    return {decision.label: decision.certainty for decision in LABELLER.label(text)}


@pytest.mark.parametrize("title", TITLES)
def test_what_follows_a_title_on_the_line_of_the_history_is_read(title: str) -> None:
    text = f"CLINICAL DETAILS: ?stroke {title}: Acute left MCA infarct."
    assert found(text) == {"ischemia": "positive"}


@pytest.mark.parametrize("title", TITLES)
def test_the_question_before_a_title_is_not_read(title: str) -> None:
    assert found(f"Clinical details: SDH, ?infarct. {title}: Normal study.") == {}


@pytest.mark.parametrize(
    "text",
    [
        "Clinical details: fall. Acute left SDH. Previous imaging: CT head 12/03/2014: normal.",
        "Clinical details: fall. Acute left SDH. Compared with CT head without contrast: larger.",
    ],
)
def test_the_title_of_another_scan_does_not_make_history_of_what_stands_before(text: str) -> None:
    assert found(text)["hemorrhage"] == "positive"


@pytest.mark.parametrize(
    "end",
    [
        "\n\nAddendum: CT head 12/03/2014: No fracture.",
        "\nCT head 12/03/2014: reported by Dr A.",
        "\nElectronically verified. CT head 12/03/2014: final",
        "\nRecommend CT head with contrast: to exclude abscess.",
        "\nBaseline CT head 12/03/2014: none.",
    ],
)
def test_a_late_title_does_not_make_history_of_what_stands_before(end: str) -> None:
    assert found(f"Clinical details: fall\n\nAcute left SDH.{end}")["hemorrhage"] == "positive"


@pytest.mark.parametrize(
    "before", ["on", "on an outside", "compared with", "compared to baseline", "since the old"]
)
def test_the_title_of_another_scan_does_not_cut_a_sentence(before: str) -> None:
    for gap in (" ", "\n"):
        text = f"Left SDH has resolved {before}{gap}CT head 12/03/2014: thin rim remains."
        if gap == " " or before.split()[-1] in ("on", "with"):
            assert found(text)["hemorrhage"] == "positive"
    assert found("Left SDH not seen on CT head 12/03/2014: measures 8 mm.")["hemorrhage"] == "positive"


def test_a_scan_that_this_one_is_compared_with_is_not_read() -> None:
    assert found("Comparison: CT head 12/03/2014: acute left SDH.\nFindings: Normal.") == {}


@pytest.mark.parametrize("comparison", ["None.", "-", "none", ""])
def test_a_title_on_the_line_below_a_comparison_is_of_this_scan(comparison: str) -> None:
    text = f"Comparison: {comparison}\nCT head 12/03/2014: Acute left SDH."
    assert found(text) == {"hemorrhage": "positive"}


def test_a_time_of_day_makes_no_title() -> None:
    assert found("Clinical details: fall. CT head 12/03/2014:14:05 ?SDH\nFindings: Normal.") == {}
