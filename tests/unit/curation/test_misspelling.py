"""A misspelled term is read as the term, and a word that is right stays what it is."""

from itertools import product

import pytest

from brainuad.curation.misspelling import Corrector, typing_errors
from brainuad.curation.real_words import REAL_WORDS
from brainuad.curation.rule_labeller import RuleLabeller
from brainuad.curation.settings import RuleSettings

LABELLER = RuleLabeller()


def labels(text: str, labeller: RuleLabeller = LABELLER) -> set[str]:
    return {decision.label for decision in labeller.label(text)}


@pytest.mark.parametrize(
    ("word", "label"),
    [
        ("haemorhage", "hemorrhage"),
        ("hemorrage", "hemorrhage"),
        ("haemmorhage", "hemorrhage"),
        ("heamatoma", "hemorrhage"),
        ("subdurral", "hemorrhage"),
        ("infract", "ischemia"),
        ("INFRACTION", "ischemia"),
        ("ischeamia", "ischemia"),
        ("hydrocephallus", "hydrocephalus"),
        ("odema", "oedema"),
        ("oedma", "oedema"),
        ("calicfication", "calcification"),
        ("thrombos", "vessel occlusion"),
        ("abcess", "abscess"),
        ("anuerysm", "aneurysm"),
        ("menigioma", "tumor"),
        ("craniotmy", "evidence of surgery/intervention"),
        ("fractrue", "fracture"),
        ("effacment", "effacement"),
        ("swellling", "swelling"),
    ],
)
def test_a_misspelled_term_counts_as_the_term(word: str, label: str) -> None:
    assert labels(f"There is {word}.") == {label}


@pytest.mark.parametrize(
    "words",
    [
        "intact mask contrast injection inaction thrombolysis",
        "hyperplasia ceiling lesson swift collecting drawn",
        "clarification evaluated rejected diluted spelling edit",
        "comprising comprised comprises thrombolysed thrombolyzed interventional compressible stimulated",
    ],
)
def test_words_of_english_and_medicine_are_no_misspellings(words: str) -> None:
    assert labels(f"There is {words}.") == set()


def test_no_real_word_in_the_list_is_read_as_a_term() -> None:
    norms = LABELLER.nlp.make_doc(" ".join(sorted(REAL_WORDS)))
    assert [token.norm_ for token in norms] == [token.text for token in norms]


def test_a_correction_is_named_in_the_rule() -> None:
    (decision,) = LABELLER.label("No Haemorhage.")
    assert decision.rule == "negation: no; term: hemorrhage; read Haemorhage as hemorrhage"
    assert decision.sentence == "No Haemorhage."


def test_misspelled_structures_are_read_too() -> None:
    assert labels("The ventricels are enlarged.") == {"dilation"}


def test_a_hospitals_own_words_may_be_misspelled() -> None:
    labeller = RuleLabeller(RuleSettings(terms={"hemorrhage": ("apoplexy",)}))
    assert labels("There is apoplxey.", labeller) == {"hemorrhage"}


def test_a_short_term_has_one_error_and_a_long_one_two() -> None:
    corrector = Corrector(["stroke", "hemorrhage"], [])
    assert corrector.norm("strooke") == "stroke"
    assert corrector.norm("sttrooke") == "sttrooke"
    assert corrector.norm("hemmorhage") == "hemorrhage"
    assert corrector.norm("hmmorhge") == "hmmorhge"


def test_of_terms_equally_near_the_one_with_the_longer_common_beginning_counts() -> None:
    assert Corrector(["abcdef", "azcdxf"], []).norm("abcdxf") == "abcdef"


def test_a_known_word_is_not_corrected() -> None:
    assert Corrector(["lesion"], ["lesson"]).norm("lessons") == "lesson"


def test_typing_errors_agree_with_a_search_of_all_edits() -> None:
    def one_edit_away(word: str) -> set[str]:
        places = range(len(word) + 1)
        left_out = {word[:at] + word[at + 1 :] for at in places}
        changed = {word[:at] + letter + word[at + 1 :] for at in places[:-1] for letter in "ab"}
        added = {word[:at] + letter + word[at:] for at in places for letter in "ab"}
        swapped = {word[:at] + word[at : at + 2][::-1] + word[at + 2 :] for at in places}
        return (left_out | changed | added | swapped) - {word}

    words = ["".join(letters) for size in range(5) for letters in product("ab", repeat=size)]
    for one in words:
        near = one_edit_away(one)
        assert {other for other in words if typing_errors(one, other) == 1} == near & set(words)
        assert typing_errors(one, one) == 0
