"""Head CT reports written from simulated findings, and the held-out reports with their labels."""

import csv
import re
from collections import defaultdict
from pathlib import Path

import numpy as np
import pytest
from scipy.stats import binom

from brainuad.curation.follow_up import refers_to_earlier
from brainuad.curation.labels import CLASSES, LABELS
from brainuad.phantom.reports.abroad import LANGUAGES
from brainuad.phantom.reports.absent import ABSENT, CONFUSED, EFFECTS, NORMAL
from brainuad.phantom.reports.authors import AUTHORS, voiced
from brainuad.phantom.reports.facts import KINDS, Facts, Finding, Rates
from brainuad.phantom.reports.markup import Statement, marks_in, read, signed, strongest
from brainuad.phantom.reports.mistakes import mistype
from brainuad.phantom.reports.sections import (
    DOSES,
    HISTORY,
    NO_PRIORS,
    NOTHING_TO_ADD,
    PRIORS,
    REMARKS,
    REQUESTS,
    TECHNIQUES,
    TITLES,
)
from brainuad.phantom.reports.write import compose_addendum, compose_report, write_report

HELD_OUT = Path(__file__).parents[2] / "data" / "report_sentences.tsv"
PLAIN = Rates(
    **dict.fromkeys(
        (
            *("hedge", "omit", "follow_up", "unnamed", "doubt"),
            *("typo", "empty", "foreign", "addendum", "addendum_alone"),
        ),
        0,
    )
)
COUNT = 1500


def rng(number: int) -> np.random.Generator:
    return np.random.default_rng(number)


def facts(number: int = 0, **changes) -> Facts:
    """The facts of a stroke call, by the authors in turn."""
    return Facts(**{"age": 71, "sex": "F", "reason": "stroke", "author": number % len(AUTHORS), **changes})


def within_binomial_bounds(hits: int, count: int, share: float) -> bool:
    """Whether so many hits are less surprising than one in a million."""
    return binom.ppf(5e-7, count, share) <= hits <= binom.isf(5e-7, count, share)


def every_template() -> list[str]:
    banks = [*(kind.sure + kind.nouns for kind in KINDS.values()), *EFFECTS.values(), *NORMAL.values()]
    banks += [nouns for nouns, _ in ABSENT.values()]
    banks += [templates for language in LANGUAGES.values() for templates in language.values()]
    return [template for bank in banks for template in bank]


def test_the_words_and_the_certainty_of_a_mark_are_read():
    statement = read("No [-hemorrhage|bleed], possible {side} [?ischemia|infarct].", {"side": "left"})
    assert statement.text == "No bleed, possible left infarct."
    assert statement.marks == (("hemorrhage", "negative"), ("ischemia", "uncertain"))


def test_a_phrase_takes_the_sign_of_its_sentence():
    assert signed("[~cyst|cyst] or [~tumor|tumour]", "?") == "[?cyst|cyst] or [?tumor|tumour]"


@pytest.mark.parametrize(
    ("said", "expected"), [("-?", "uncertain"), ("+-", "positive"), ("?+", "positive"), ("-", "negative")]
)
def test_the_strongest_statement_of_a_label_counts(said, expected):
    assert strongest(read(f"[{sign}cyst|cyst]", {}) for sign in said) == {"cyst": expected}


def test_every_mark_names_a_known_label():
    assert {label for template in every_template() for label, _ in marks_in(template)} == set(LABELS)


def test_no_bracket_is_left_when_a_template_is_read():
    fields = dict.fromkeys(("side", "other", "site", "size", "shift", "body"), "x")
    texts = [read(signed(each, "+"), fields).text for each in every_template()]
    assert not [text for text in texts if set("[]{}|~") & set(text)]


@pytest.mark.parametrize("kind", KINDS)
def test_a_finding_is_only_described_by_labels_that_it_has(kind):
    wording = KINDS[kind]
    said = {label for template in wording.sure + wording.nouns for label, _ in marks_in(template)}
    assert said <= set(wording.labels)
    assert all({sign for _, sign in marks_in(template)} == {"+"} for template in wording.sure)
    assert all({sign for _, sign in marks_in(template)} == {"~"} for template in wording.nouns)


def test_phrases_of_a_label_speak_of_that_label():
    assert all(marks_in(each) == ((label, "~"),) for label, (nouns, _) in ABSENT.items() for each in nouns)
    assert all(marks_in(each) == ((label, "~"),) for label, nouns in EFFECTS.items() for each in nouns)
    assert all(marks_in(each) == ((label, "-"),) for label, texts in NORMAL.items() for each in texts)
    assert set(ABSENT) == set(LABELS)
    assert set(CONFUSED) <= set(KINDS)
    assert {label for labels in CONFUSED.values() for label in labels} <= set(LABELS)


def test_the_same_generator_writes_the_same_report():
    findings = [Finding("early_infarct", effects=("effacement",)), Finding("atrophy")]
    assert write_report(facts(), findings, rng(3)) == write_report(facts(), findings, rng(3))
    assert len({write_report(facts(), findings, rng(number)) for number in range(20)}) > 10


@pytest.mark.parametrize("author", range(len(AUTHORS)))
def test_every_marked_phrase_stands_in_the_text(author):
    findings = [Finding("subdural", effects=("mass effect", "midline shift")), Finding("small_vessel")]
    for number in range(100):
        report = compose_report(
            facts(author=author), findings, rng(number), Rates(typo=0, empty=0, foreign=0)
        )
        assert all(phrase in report.text for phrase in report.phrases)


def test_a_report_without_hedges_and_omissions_says_of_each_finding_that_it_is_there():
    for kind in KINDS:
        report = compose_report(facts(), [Finding(kind)], rng(1), PLAIN)
        assert any(report.said.get(label) == "positive" for label in KINDS[kind].labels)
        assert not {label for label, said in report.said.items() if said == "uncertain"}


def test_nothing_is_positive_in_a_report_of_a_normal_image():
    for number, reason in enumerate(REQUESTS):
        for author in range(len(AUTHORS)):
            said = compose_report(facts(reason=reason, author=author), [], rng(number)).said
            assert "positive" not in said.values()


def test_an_omitted_finding_is_neither_stated_nor_denied():
    report = compose_report(
        facts(), [Finding("meningioma")], rng(0), Rates(omit=1, empty=0, foreign=0, doubt=0)
    )
    assert report.omitted == ("meningioma",)
    assert not set(KINDS["meningioma"].labels) & set(report.said)


@pytest.mark.parametrize("rate", list(vars(PLAIN)))
def test_the_set_rates_are_kept(rate):
    share = 0.2
    rates = Rates(**{**vars(PLAIN), "follow_up": float(rate == "unnamed"), rate: share})
    hits = 0
    for number in range(COUNT):
        finding, known = [Finding("lacune")], facts(number, earlier="02/03/2015")
        report = compose_report(known, finding, rng(number), rates)
        hits += {
            "hedge": bool(report.hedged),
            "omit": bool(report.omitted),
            "follow_up": report.follow_up,
            "unnamed": bool(report.unnamed),
            "doubt": "uncertain" in report.said.values(),
            "typo": report.text != compose_report(known, finding, rng(number), PLAIN).text,
            "empty": report.form == "empty",
            "foreign": report.form == "foreign",
            "addendum": report.addendum,
            "addendum_alone": report.form == "addendum",
        }[rate]
    assert within_binomial_bounds(hits, COUNT, share)


def test_every_label_occurs_in_every_certainty():
    seen = defaultdict(set)
    effects = tuple(EFFECTS)
    for number in range(2000):
        kind = list(KINDS)[number % len(KINDS)]
        found = [Finding(kind, effects=effects[: number % 9])] if number < 1000 else []
        report = compose_report(facts(number), found, rng(number), Rates(hedge=0.4, doubt=0.5))
        for label, certainty in report.said.items():
            seen[label].add(certainty)
    assert {label for label in LABELS if seen[label] != set(CLASSES[:3])} == set()


def test_earlier_imaging_is_named_only_if_there_is_any():
    rates = Rates(follow_up=1, typo=0, empty=0, foreign=0)
    assert "7 May 2014" in write_report(facts(earlier="7 May 2014"), [], rng(0), rates)
    assert not compose_report(facts(), [], rng(0), rates).follow_up


UNNAMED = Rates(**{**vars(PLAIN), "follow_up": 1, "unnamed": 1})
SEEN_BEFORE = {"earlier": "7 May 2014"}


@pytest.mark.parametrize("author", range(len(AUTHORS)))
def test_a_finding_that_was_there_before_may_go_by_no_change_alone(author):
    for number in range(60):
        known = facts(author=author, **SEEN_BEFORE)
        report = compose_report(known, [Finding("meningioma"), Finding("atrophy")], rng(number), UNNAMED)
        assert report.unnamed == ("meningioma",)
        assert not {"tumor", "lesion", "hyperdensity"} & set(report.said)
        assert report.said["atrophy"] == "positive"
        assert report.text.count("7 May 2014") == 1
        assert not re.search("meningioma|lesion", report.text)
        assert "Normal appearances" not in report.text
        assert refers_to_earlier(report.text) != ""


@pytest.mark.parametrize(
    ("kinds", "changes"),
    [
        (["meningioma"], {}),
        (["subdural"], SEEN_BEFORE),
        (["meningioma", "subdural"], SEEN_BEFORE),
        (["atrophy"], SEEN_BEFORE),
        ([], SEEN_BEFORE),
    ],
)
def test_what_is_new_or_was_never_imaged_is_named(kinds, changes):
    for number in range(40):
        report = compose_report(facts(**changes), [Finding(kind) for kind in kinds], rng(number), UNNAMED)
        assert report.unnamed == ()
        assert all(set(KINDS[kind].labels) & set(report.said) for kind in kinds)


def test_a_finding_that_earlier_imaging_is_known_to_show_may_go_unnamed():
    report = compose_report(facts(**SEEN_BEFORE, known=("subdural",)), [Finding("subdural")], rng(0), UNNAMED)
    assert report.unnamed == ("subdural",)
    assert report.said.get("hemorrhage") != "positive"


def test_authors_differ_in_spelling_and_abbreviations():
    american = next(index for index, author in enumerate(AUTHORS) if author.american)
    short = next(index for index, author in enumerate(AUTHORS) if author.short)
    assert voiced("acute haemorrhage with oedema.", american) == "Acute hemorrhage with edema."
    assert voiced("There is a subdural haematoma.", short) == "SDH."


def test_a_slip_changes_one_word():
    text = "No intracranial haemorrhage."
    for number in range(50):
        pairs = list(zip(mistype(text, rng(number)).split(), text.split(), strict=True))
        assert sum(wrong != right for wrong, right in pairs) == 1
    assert mistype("CT", rng(0)) == "CT"


def test_an_addendum_states_the_findings_it_is_given():
    assert compose_addendum(facts(), [Finding("fracture")], rng(0)).said == {"fracture": "positive"}
    assert compose_addendum(facts(), [], rng(0)).said == {}


def test_an_addendum_without_its_report_says_no_more_than_it_states():
    rates = Rates(empty=0, foreign=0, addendum_alone=1)
    findings = [Finding("fracture"), Finding("subdural")]
    said = [compose_report(facts(), findings, rng(number), rates).said for number in range(40)]
    assert {} in said
    assert {"fracture": "positive"} in said
    assert all(set(each.values()) <= {"positive"} for each in said)


def test_a_later_remark_denies_nothing_that_is_there():
    rates = Rates(**{**vars(PLAIN), "addendum": 1})
    for number in range(200):
        report = compose_report(facts(number), [Finding("subdural")], rng(number), rates)
        assert report.said["hemorrhage"] == "positive"


@pytest.mark.parametrize("author", range(len(AUTHORS)))
def test_an_author_uses_titles_histories_techniques_and_headings_in_some_reports_alone(author):
    texts = [write_report(facts(author=author), [], rng(number), PLAIN) for number in range(300)]
    for phrases in (
        TITLES,
        [voiced(each, author) for each in HISTORY],
        [voiced(each, author) for each in TECHNIQUES],
        ["\n\n"],
    ):
        shares = np.mean([any(phrase in text for phrase in phrases) for text in texts])
        assert 0.05 < shares < 0.95
    heading = AUTHORS[author].headings[2]
    assert not heading or 0.7 < np.mean([heading in text for text in texts]) < 0.95


def test_no_title_history_technique_or_remark_carries_a_mark():
    banks = (TITLES, HISTORY, TECHNIQUES, DOSES, REMARKS, NOTHING_TO_ADD, PRIORS, NO_PRIORS)
    assert not [text for bank in banks for text in bank if marks_in(text)]


def test_a_comparison_stands_under_its_heading_or_among_the_findings():
    rates = Rates(**{**vars(PLAIN), "follow_up": 1})
    texts = [
        write_report(facts(number, earlier="7 May 2014"), [], rng(number), rates) for number in range(300)
    ]
    assert all(text.count("7 May 2014") == 1 for text in texts)
    assert 0.1 < np.mean(["comparison:" in text.lower() for text in texts]) < 0.4


def test_reports_in_other_languages_tell_the_truth():
    rates = Rates(empty=0, foreign=1)
    assert compose_report(facts(), [], rng(0), rates).said == {
        "hemorrhage": "negative",
        "fracture": "negative",
    }
    assert compose_report(facts(), [Finding("subdural")], rng(0), rates).said["hemorrhage"] == "positive"


def test_an_unmarked_sentence_says_nothing():
    assert strongest([Statement("No acute abnormality.")]) == {}


@pytest.fixture(scope="module")
def held_out() -> list[dict[str, str]]:
    with HELD_OUT.open(encoding="utf-8", newline="") as file:
        return list(csv.DictReader(file, delimiter="\t"))


def test_held_out_reports_are_many_and_each_has_one_text(held_out):
    texts = defaultdict(set)
    for row in held_out:
        texts[row["report"]].add(row["text"])
    assert len(texts) >= 150
    assert all(len(each) == 1 and all(each) for each in texts.values())
    assert len(set.union(*texts.values())) == len(texts)


def test_held_out_rows_name_known_labels_and_classes_once(held_out):
    rows = [(row["report"], row["label"]) for row in held_out]
    assert len(rows) == len(set(rows))
    unlabelled = [row for row in held_out if not row["label"]]
    assert {row["label"] for row in held_out} - {""} == set(LABELS)
    assert {row["certainty"] for row in held_out if row["label"]} == set(CLASSES[:3])
    assert all(not row["certainty"] for row in unlabelled)
    assert not {row["report"] for row in unlabelled} & {row["report"] for row in held_out if row["label"]}


@pytest.mark.parametrize("certainty", CLASSES[:3])
def test_held_out_reports_cover_each_label_at_least_twice(held_out, certainty):
    counts = defaultdict(int)
    for row in held_out:
        counts[row["label"]] += row["certainty"] == certainty
    assert {label for label in LABELS if counts[label] < 2} == set()


def test_long_held_out_sentences_are_not_those_of_the_phantom(held_out):
    def long_sentences(text: str) -> set[str]:
        sentences = (re.findall(r"[a-z]+", each) for each in re.split(r"[.\n]", text.lower()))
        return {" ".join(words) for words in sentences if len(words) > 4}

    kinds = list(KINDS)
    written = (
        write_report(facts(number), [Finding(kinds[number % len(kinds)]), Finding("atrophy")], rng(number))
        for number in range(1000)
    )
    phantom = set.union(*map(long_sentences, written))
    mine = set.union(*(long_sentences(row["text"]) for row in held_out))
    assert len(mine & phantom) < 0.03 * len(mine)
