"""Synthetic reports: their labels, their slots and what is held out."""

import re
from collections import Counter
from itertools import product

import pytest

from brainuad.curation.labels import CLASSES, LABELS
from brainuad.curation.synthesis.reports import (
    SLOT,
    VERBS,
    WORDS,
    fill,
    split_templates,
    strongest,
    synthesise,
    write_report,
)
from brainuad.curation.synthesis.sentences import HEADINGS, SENTENCES, STATEMENTS
from brainuad.curation.synthesis.words import JOINT_NAMES, NAMES
from brainuad.randomness import numpy_generator


def filled(template: str, draw: int = 0) -> tuple[str, dict[str, str]]:
    return fill(template, numpy_generator(draw, "filled"))


def test_texts_say_every_label_in_every_class() -> None:
    texts = list(synthesise(3000, SENTENCES, 0))
    said = Counter((label, text.classes.get(label, "not mentioned")) for text in texts for label in LABELS)
    assert min(said[pair] for pair in product(LABELS, CLASSES)) >= 20


def test_every_label_has_names_and_every_name_of_several_means_labels() -> None:
    assert set(NAMES) == set(LABELS)
    assert all(len(set(names)) >= 5 for names in NAMES.values())
    assert {label for _, labels in JOINT_NAMES for label in labels} <= set(LABELS)
    assert {label for label, _, _ in STATEMENTS} <= set(LABELS)


def test_every_slot_is_known() -> None:
    slots = {
        found[2] for sentences in SENTENCES.values() for text in sentences for found in SLOT.finditer(text)
    }
    known = {"positive", "negative", "uncertain", "mentioned", "statement", *WORDS, *VERBS}
    assert slots <= known


def test_texts_have_no_slots_left() -> None:
    assert not any(re.search(r"[{}]", text.text) for text in synthesise(500, SENTENCES, 1))


def test_a_text_is_a_function_of_seed_and_place() -> None:
    assert list(synthesise(20, SENTENCES, 3))[:10] == list(synthesise(10, SENTENCES, 3))
    assert list(synthesise(10, SENTENCES, 4)) != list(synthesise(10, SENTENCES, 3))


def test_templates_are_held_out_as_a_whole() -> None:
    kept, held_out = split_templates(0.2, 0)
    for kind, sentences in SENTENCES.items():
        assert sorted([*kept[kind], *held_out[kind]]) == sorted(sentences)
        assert len(held_out[kind]) == max(1, round(0.2 * len(sentences)))
        assert not set(kept[kind]) & set(held_out[kind])


def test_no_template_is_there_twice() -> None:
    sentences = [sentence for group in SENTENCES.values() for sentence in group]
    assert len(sentences) == len(set(sentences))


def test_slots_give_their_class() -> None:
    for draw in range(20):
        _, classes = filled("No {negative}, but {a positive}, perhaps {uncertain}", draw)
        assert set(classes.values()) == {"positive", "negative", "uncertain"}


def test_a_history_says_nothing() -> None:
    assert all(filled(template, draw)[1] == {} for template in SENTENCES["history"] for draw in range(5))


def test_no_label_fills_two_slots() -> None:
    for draw in range(50):
        _, classes = filled("{positive} {negative} {uncertain} {positive} {negative}", draw)
        assert len(classes) >= 5


def test_articles_and_verbs_agree_with_the_name() -> None:
    texts = {filled("{a positive} {is} seen", draw)[0] for draw in range(400)}
    assert not any(re.search(r"\b[Aa] [aeiou]|\b[Aa]n [^aeiouA-Z]", text.split(" in ")[0]) for text in texts)
    assert any(text.endswith("are seen") for text in texts)
    assert all("are seen" not in text for text in texts if re.match(r"An? ", text))


@pytest.mark.parametrize(
    ("first", "second", "expected"),
    [
        ("positive", "negative", "positive"),
        ("negative", "uncertain", "uncertain"),
        ("uncertain", "positive", "positive"),
    ],
)
def test_of_two_classes_of_a_label_the_stronger_counts(first: str, second: str, expected: str) -> None:
    assert strongest({"cyst": first}, {"cyst": second}) == {"cyst": expected}


def test_texts_are_single_sentences_and_reports_in_both_spellings() -> None:
    texts = [text.text for text in synthesise(600, SENTENCES, 2)]
    assert any("haem" in text.lower() for text in texts)
    assert any("hemor" in text.lower() and "haemor" not in text.lower() for text in texts)
    assert any(text.count("\n") > 5 for text in texts)
    assert any(heading.strip() and text.startswith(heading) for text in texts for heading in HEADINGS)


def test_class_numbers_are_in_the_order_of_the_labels() -> None:
    text = write_report(SENTENCES, numpy_generator(0, "order"))
    numbers = text.class_numbers()
    assert [CLASSES[number] for number in numbers] == [
        text.classes.get(label, "not mentioned") for label in LABELS
    ]
