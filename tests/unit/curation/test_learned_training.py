"""What a labeller learns the words of."""

import pytest

from brainuad.curation.learned_settings import LearnedSettings
from brainuad.curation.learned_training import train_labeller
from brainuad.curation.synthesis.reports import LabelledText

SMALL = LearnedSettings(
    embedding=8,
    hidden=8,
    buckets=32,
    texts=0,
    labelled_held_out=0.0,
    labelled_repeats=3,
    epochs=1,
    smallest_count=3,
)
OTHERS = [f"There is a cyst {'and a bleed ' * number}." for number in range(4)]


@pytest.mark.parametrize(
    ("texts", "known"),
    [
        (["Mrs Quillfeather has a cyst."], False),
        (["Mrs Quillfeather has a cyst."] * 3, False),
        ([f"Mrs Quillfeather has {number} cysts" + "." * number for number in (1, 2, 3)], True),
    ],
    ids=["one report", "its text under three names", "three texts"],
)
def test_a_surname_is_known_only_where_as_many_different_reports_hold_it(
    texts: list[str], known: bool
) -> None:
    reports = [LabelledText(text, {"cyst": "positive"}) for text in texts + OTHERS]
    labeller, _ = train_labeller(SMALL, 0, reports)
    assert ("quillfeather" in labeller.vocabulary.words) is known
    assert "cyst" in labeller.vocabulary.words
