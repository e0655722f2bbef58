"""Reports as sentences and words."""

import pytest

from brainuad.curation.report_tokens import LONGEST, TEXT, Vocabulary, sentences_of, words_of


def texts(report: str) -> list[str]:
    return [sentence.text for sentence in sentences_of(report)]


def test_words_lose_case_accents_and_the_value_of_numbers() -> None:
    assert words_of("Œdème? 2.4 x 12/03/2015, GREY-white") == [
        *("œdeme", "?", "0", "x", "0", ",", "grey", "-", "white")
    ]


@pytest.mark.parametrize(
    ("report", "expected"),
    [
        ("No bleed. No infarct.", ["No bleed.", "No infarct."]),
        ("No bleed.No infarct.", ["No bleed.", "No infarct."]),
        ("no bleed. shift of 2.4 mm", ["no bleed.", "shift of 2.4 mm"]),
        ("No bleed\nNo infarct", ["No bleed", "No infarct"]),
        ("There is a large\nsubdural haematoma", ["There is a large subdural haematoma"]),
        ("Discussed with Dr. Smith", ["Discussed with Dr. Smith"]),
        ("? stroke ?bleed", ["? stroke ?bleed"]),
        ("Brain swelling\nNo infarct", ["Brain swelling", "No infarct"]),
        ("A  bleed\r\n\r\n--- \n", ["A bleed"]),
        ("", []),
    ],
)
def test_sentences_end_where_a_reader_ends_them(report: str, expected: list[str]) -> None:
    assert texts(report) == expected


@pytest.mark.parametrize(
    ("report", "headings"),
    [
        ("History: fall. ?SDH. Findings: No bleed.", ["history", "history", "findings"]),
        ("CLINICAL HISTORY: fall\nNo bleed", ["clinical", ""]),
        ("IMPRESSION:\nBleed\nInfarct\n\nOther things", ["impression", "impression", ""]),
        ("FINDINGS\nBleed", ["findings"]),
        ("Differential diagnosis: a, b", [""]),
    ],
)
def test_sentences_carry_the_heading_of_their_section(report: str, headings: list[str]) -> None:
    found = [sentence.words for sentence in sentences_of(report)]
    assert len(found) == len(headings)
    for words, heading in zip(found, headings, strict=True):
        if heading:
            assert words[0] == heading
        assert (":" in words[:3]) == bool(heading) or words[0] == "differential"


def test_a_sentence_without_end_is_read_in_parts() -> None:
    parts = sentences_of("word " * (2 * LONGEST + 1))
    assert [len(part.words) for part in parts] == [LONGEST, LONGEST, 1]


def test_a_vocabulary_keeps_words_of_enough_texts_and_the_beginning() -> None:
    texts = [[TEXT, "bleed", "bleed"], ["bleed", "no"], ["no"]]
    vocabulary = Vocabulary.of_texts(texts, 2, (3, 5), 100)
    assert vocabulary.words == ("bleed", "no", TEXT)
    assert vocabulary.places["bleed"] == 1


def test_pieces_of_a_word_lie_in_the_buckets_and_overlap_for_similar_words() -> None:
    vocabulary = Vocabulary((), (3, 5), 1_000_003)
    one, other, third = (set(vocabulary.pieces_of(word)) for word in ("haematoma", "haematomata", "cyst"))
    assert len(one & other) > len(one) / 2
    assert not one & third
    assert vocabulary.pieces_of("a") != ()
    assert max(one) < 1_000_003
