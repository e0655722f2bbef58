"""A head CT report written from what is in the image: stated, hedged or left out, among what is absent."""

from collections.abc import Sequence

import numpy as np

from brainuad.phantom.reports.abroad import LANGUAGES
from brainuad.phantom.reports.absent import ABSENT
from brainuad.phantom.reports.authors import AUTHORS, voiced
from brainuad.phantom.reports.body import (
    absent_labels,
    denial_sentences,
    doubt_sentence,
    effect_sentences,
    fields_of,
    finding_sentence,
    hedged_sentence,
    normal_sentences,
    pick,
)
from brainuad.phantom.reports.facts import KINDS, Facts, Finding, Rates, Report
from brainuad.phantom.reports.layout import comparison_of, laid_out, no_change
from brainuad.phantom.reports.markup import Statement, read, signed, strongest
from brainuad.phantom.reports.mistakes import mistype
from brainuad.phantom.reports.sections import (
    ADDENDA,
    EMPTY,
    LATE_DENIALS,
    NOTHING,
    NOTHING_TO_ADD,
    POSTSCRIPTS,
    REMARKS,
    STATIC,
)

USUAL = Rates()
SHARE_OF_NORMALS = 0.35  # of the sentences on normal structures, in each report
SHARE_OF_EFFECTS = 0.9  # of the effects of a finding that are mentioned with it
SHARE_OF_NOT_ACUTE = 0.4  # of the reports of an old infarct that say there is no recent one
SHARE_OF_REMARKS = 0.6  # of the later remarks in a report that say nothing of the image
SHARE_OF_MISSED = 0.5  # of the addenda without their report, on an abnormal image, that state something
OLD_ISCHEMIA = frozenset({"old_infarct", "lacune"})
MINOR = frozenset({"atrophy", "small_vessel", "calcification", "artefact"})
# What does not come or go between two scans, so that earlier imaging has shown it.
LASTING = frozenset({"lacune", "meningioma", "lesion", "aneurysm", "cavernoma", "cyst", "congenital"})


def write_report(
    facts: Facts, findings: Sequence[Finding], rng: np.random.Generator, rates: Rates = USUAL
) -> str:
    """The text of a report on an image with these findings."""
    return compose_report(facts, findings, rng, rates).text


def compose_report(
    facts: Facts, findings: Sequence[Finding], rng: np.random.Generator, rates: Rates = USUAL
) -> Report:
    """A report with what it says about each label, which need not be what the image holds."""
    draw = rng.random()
    if draw < rates.empty:
        return Report(pick(rng, EMPTY), form="empty")
    if draw < rates.empty + rates.foreign:
        return _foreign_report(findings, rng)
    if draw < rates.empty + rates.foreign + rates.addendum_alone:
        missed = [pick(rng, findings)] if findings and rng.random() < SHARE_OF_MISSED else []
        return compose_addendum(facts, missed, rng)
    return _english_report(facts, findings, rng, rates)


def compose_addendum(facts: Facts, findings: Sequence[Finding], rng: np.random.Generator) -> Report:
    """A later remark that states these findings, or that nothing is to be added."""
    statements = [finding_sentence(finding, rng) for finding in findings]
    statements = statements or [Statement(pick(rng, NOTHING_TO_ADD))]
    spoken = [Statement(voiced(each.text, facts.author), each.marks) for each in statements]
    text = pick(rng, ADDENDA).replace("{sentence}", " ".join(each.text for each in spoken))
    return Report(text, dict(strongest(spoken)), _marked(spoken), form="addendum")


def _english_report(
    facts: Facts, findings: Sequence[Finding], rng: np.random.Generator, rates: Rates
) -> Report:
    fates = [(rng.random() < rates.omit, rng.random() < rates.hedge) for _ in findings]
    stated = [
        (finding, hedged) for finding, (omitted, hedged) in zip(findings, fates, strict=True) if not omitted
    ]
    follow_up = bool(facts.earlier) and rng.random() < rates.follow_up
    unnamed = _unnamed(facts, findings, rng, rates) if follow_up else ()
    stated = [each for each in stated if each[0].kind not in unnamed]
    body = _body(facts, findings, stated, rng, rates)
    nothing = STATIC if unnamed else NOTHING
    conclusion = _impression(stated, nothing, rng) if AUTHORS[facts.author].impression else []
    body, conclusion = (
        [Statement(voiced(each.text, facts.author), each.marks) for each in part]
        for part in (body, conclusion)
    )
    quiet = all(finding.kind in MINOR for finding in findings)
    comparison = no_change(facts, rng) if unnamed else comparison_of(facts, follow_up, quiet, rng)
    text = laid_out(facts, comparison, [each.text for each in body], [each.text for each in conclusion], rng)
    present = {label for finding in findings for label in finding.labels}
    late = [_postscript(facts, present, rng)] if rng.random() < rates.addendum else []
    text = "\n".join([text, *(each.text for each in late)])
    said = [*body, *conclusion, *late]
    return Report(
        text=mistype(text, rng) if rng.random() < rates.typo else text,
        said=dict(strongest(said)),
        phrases=_marked(said),
        hedged=tuple(finding.kind for finding, hedged in stated if hedged),
        omitted=tuple(finding.kind for finding, (omitted, _) in zip(findings, fates, strict=True) if omitted),
        unnamed=unnamed,
        follow_up=follow_up,
        addendum=bool(late),
    )


def _unnamed(
    facts: Facts, findings: Sequence[Finding], rng: np.random.Generator, rates: Rates
) -> tuple[str, ...]:
    """The findings that a report leaves out because they are as they were, which are all of note or none."""
    kinds = tuple(finding.kind for finding in findings if finding.kind not in MINOR)
    if not kinds or not LASTING.union(facts.known).issuperset(kinds):
        return ()
    return kinds if rng.random() < rates.unnamed else ()


def _marked(statements: Sequence[Statement]) -> tuple[str, ...]:
    return tuple(each.text for each in statements if each.marks)


def _body(
    facts: Facts,
    findings: Sequence[Finding],
    stated: Sequence[tuple[Finding, bool]],
    rng: np.random.Generator,
    rates: Rates,
) -> list[Statement]:
    author = AUTHORS[facts.author]
    present = {label for finding in findings for label in finding.labels}
    positive = [
        each for finding, hedged in stated for each in _finding_statements(finding, hedged, rng, rates)
    ]
    count = int(rng.integers(*author.denials, endpoint=True))
    negative = normal_sentences(present, SHARE_OF_NORMALS, rng)
    negative += denial_sentences(absent_labels(present, count, rng), rng)
    kinds = {finding.kind for finding in findings}
    if kinds & OLD_ISCHEMIA and "early_infarct" not in kinds and rng.random() < SHARE_OF_NOT_ACUTE:
        negative.append(read("No acute [-ischemia|infarct].", {}))
    if rng.random() < rates.doubt:
        negative.append(doubt_sentence(present, rng))
    return [*negative, *positive] if author.denies_first else [*positive, *negative]


def _finding_statements(
    finding: Finding, hedged: bool, rng: np.random.Generator, rates: Rates
) -> list[Statement]:
    statements = [hedged_sentence(finding, rng) if hedged else finding_sentence(finding, rng)]
    effects = [effect for effect in finding.effects if rng.random() < SHARE_OF_EFFECTS]
    if effects:
        sign = "?" if rng.random() < rates.hedge else "+"
        statements.append(effect_sentences(finding, effects, sign, rng))
    return statements


def _impression(
    stated: Sequence[tuple[Finding, bool]], nothing: Sequence[str], rng: np.random.Generator
) -> list[Statement]:
    main = [(finding, hedged) for finding, hedged in stated if finding.kind not in MINOR]
    if not main:
        return [Statement(pick(rng, nothing))]
    statements = []
    for finding, hedged in main:
        noun = pick(rng, KINDS[finding.kind].nouns)
        template = f"Possible {signed(noun, '?')}." if hedged else f"{signed(noun, '+')}."
        statements.append(read(template, fields_of(finding)))
    return statements


def _postscript(facts: Facts, present: set[str], rng: np.random.Generator) -> Statement:
    """A later remark at the end of a report, on who was told, or on what is absent after all."""
    if rng.random() < SHARE_OF_REMARKS:
        said = Statement(pick(rng, REMARKS))
    else:
        [label] = absent_labels(present, 1, rng)
        noun = signed(pick(rng, ABSENT[label][0]), "-")
        said = read(pick(rng, LATE_DENIALS).replace("{noun}", noun), {})
    text = pick(rng, POSTSCRIPTS).replace("{sentence}", voiced(said.text, facts.author))
    return Statement(text, said.marks)


def _foreign_report(findings: Sequence[Finding], rng: np.random.Generator) -> Report:
    language = LANGUAGES[pick(rng, sorted(LANGUAGES))]
    present = {label for finding in findings for label in finding.labels}
    templates = [pick(rng, language[label]) for label in ("hemorrhage", "ischemia") if label in present]
    statements = [read(template, {}) for template in templates]
    absent = [read(template, {}) for template in language["absent"]]
    statements += [each for each in absent if present.isdisjoint(label for label, _ in each.marks)]
    text = language["frame"][0].format(body=" ".join(each.text for each in statements))
    return Report(text, dict(strongest(statements)), _marked(statements), form="foreign")
