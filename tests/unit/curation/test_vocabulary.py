"""Words that only one report has, such as names and numbers, do not fill the memory."""

import random
from collections.abc import Iterator
from itertools import pairwise
from string import ascii_lowercase

import pytest

from brainuad.curation import follow_up, rule_labeller
from brainuad.curation.rule_labeller import RuleLabeller

FEW = 4_000
REPORT = "There is a small left subdural haematoma. No fracture."
EARLIER = "Compared with the previous CT of"


def sentences(number: int, beginning: str) -> Iterator[str]:
    """Texts that end in ten invented words each."""
    drawn = random.Random(0)
    for _ in range(number):
        words = ["".join(drawn.choices(ascii_lowercase, k=10)) for _ in range(10)]
        yield f"{beginning} {' '.join(words)}."


def test_the_vocabulary_of_the_rules_stays_small_and_they_stay_the_same(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(rule_labeller, "NEW_STRINGS", FEW)
    labeller = RuleLabeller()
    first, at_first = labeller.label(REPORT), len(labeller.nlp.vocab.strings)
    sizes = []
    for text in sentences(2_000, "Reported by"):
        labeller.label(text)
        sizes.append(len(labeller.nlp.vocab.strings))
    assert max(sizes) < at_first + FEW + 100
    assert any(later < earlier for earlier, later in pairwise(sizes))
    assert labeller.label(REPORT) == first


def test_the_vocabulary_of_the_follow_up_filter_stays_small(monkeypatch: pytest.MonkeyPatch) -> None:
    follow_up._matchers.cache_clear()
    at_first = len(follow_up._matchers()[0].vocab.strings)
    monkeypatch.setattr(follow_up, "NEW_STRINGS", at_first + FEW)
    sizes = []
    for text in sentences(1_000, EARLIER):
        assert follow_up.refers_to_earlier(text) == "comparison"
        sizes.append(len(follow_up._matchers()[0].vocab.strings))
    assert max(sizes) < at_first + FEW + 100
