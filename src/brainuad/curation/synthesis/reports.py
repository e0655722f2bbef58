"""Synthetic reports with known labels, written from sentence templates (Schrempf 2021, templated text synthesis).

A sentence is a template whose slots are filled with names of labels, qualities and places; a report is some sentences
in sections, in British or American spelling. Whole templates can be held out, so that a labeller is tested on
sentences that it has never seen in any filling.
"""

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from brainuad.curation.labels import CLASSES, LABELS
from brainuad.curation.synthesis.sentences import HEADINGS, SENTENCES, STATEMENTS
from brainuad.curation.synthesis.words import (
    AMERICAN,
    BLAND,
    CUES,
    DENIED_QUALITIES,
    JOINT_NAMES,
    NAMES,
    PLACES,
    QUALITIES,
    SYMPTOMS,
    TECHNIQUES,
)
from brainuad.randomness import numpy_generator

Templates = Mapping[str, Sequence[str]]
Classes = dict[str, str]

# A report that says several things of one label has the first of these classes.
STRONGEST_FIRST = ("positive", "uncertain", "negative")
# How often a sentence is of each kind; `history` only begins a report.
KINDS = {
    "positive": 0.24,
    "negative": 0.22,
    "uncertain": 0.24,
    "combined": 0.15,
    "stated": 0.08,
    "bland": 0.07,
}
SLOT = re.compile(r"\{(a )?(\w+)\}")
VERBS = {"is": "are", "has": "have"}
WORDS = {**CUES, "place": PLACES, "bland": BLAND, "technique": TECHNIQUES, "symptom": SYMPTOMS}
SHARE_SINGLE = 0.6  # texts of one sentence
SHARE_HISTORY = 0.35  # texts that begin with a history
SHARE_AMERICAN = 0.4
SHARE_UPPER, SHARE_LOWER = 0.04, 0.1
SHARE_QUALITY, SHARE_PLACE, SHARE_DENIED_QUALITY, SHARE_JOINT = 0.4, 0.35, 0.3, 0.06
LONGEST = 8  # sentences of a report


@dataclass(frozen=True)
class LabelledText:
    """A report and the classes of the labels that it mentions."""

    text: str
    classes: Classes

    def class_numbers(self) -> list[int]:
        """For every label the number of its class."""
        return [CLASSES.index(self.classes.get(label, "not mentioned")) for label in LABELS]  # type: ignore[arg-type]


def split_templates(share: float, seed: int) -> tuple[Templates, Templates]:
    """The templates of training and those held out: `share` of every kind, at least one."""
    kept, held_out = {}, {}
    for kind, sentences in SENTENCES.items():
        order = numpy_generator(seed, "held-out templates", kind).permutation(len(sentences))
        count = max(1, round(share * len(sentences)))
        held_out[kind] = [sentences[place] for place in order[:count]]
        kept[kind] = [sentences[place] for place in order[count:]]
    return kept, held_out


def synthesise(count: int, templates: Templates, seed: int, *purpose: str | int) -> Iterator[LabelledText]:
    """`count` texts written from `templates`; each is a function of the seed, the purpose and its place."""
    for place in range(count):
        yield write_report(templates, numpy_generator(seed, "synthetic report", *purpose, place))


def write_report(templates: Templates, generator: np.random.Generator) -> LabelledText:
    """One sentence, or a report of several sentences in sections."""
    single = generator.random() < SHARE_SINGLE
    count = 1 if single else int(generator.integers(2, LONGEST + 1))
    parts: list[str] = []
    classes: Classes = {}
    if generator.random() < (0.1 if single else SHARE_HISTORY):
        history, _ = fill(_choice(templates["history"], generator), generator)
        parts += [history, _choice((".\n", ".\n\n", "\n\n", ".\nFindings: "), generator)]
    kinds = generator.choice(list(KINDS), size=count, p=list(KINDS.values()))
    for number, kind in enumerate(kinds):
        sentence, said = fill(_choice(templates[kind], generator), generator)
        heading = "" if number and generator.random() < 0.8 else _choice(HEADINGS, generator)
        parts += [heading, sentence, _choice((". ", ". ", ".\n", ".\n\n"), generator)]
        classes = strongest(classes, said)
    return LabelledText(_spelling("".join(parts).strip(), generator), classes)


def strongest(first: Classes, second: Classes) -> Classes:
    """The classes of two texts together; of two for one label the stronger one counts."""
    return {
        label: min(
            (said[label] for said in (first, second) if label in said),
            key=STRONGEST_FIRST.index,
        )
        for label in [*first, *(label for label in second if label not in first)]
    }


def fill(template: str, generator: np.random.Generator) -> tuple[str, Classes]:
    """A sentence from a template, and the classes of the labels in it; no label fills two slots."""
    filling = _Filling(generator)
    sentence = SLOT.sub(filling.slot, template)
    if filling.plural:
        sentence = SLOT.sub(lambda found: VERBS[found[2]], sentence)
    else:
        sentence = SLOT.sub(lambda found: found[2], sentence)
    return sentence[:1].upper() + sentence[1:], filling.classes


class _Filling:
    """What the slots of one sentence are filled with."""

    def __init__(self, generator: np.random.Generator) -> None:
        self.generator = generator
        self.classes: Classes = {}
        self.used: set[str] = set()
        self.plural: bool | None = None

    def slot(self, found: re.Match[str]) -> str:
        """What stands in the place of a slot; verbs wait until the names are known."""
        word = found[2]
        if word in VERBS:
            return found[0]
        if word in WORDS:
            return _choice(WORDS[word], self.generator)
        return self.statement() if word == "statement" else self.name(word, bool(found[1]))

    def name(self, certainty: str, full: bool) -> str:
        """The name of a label that has not been named yet, with its quality, and in full its article and place."""
        drawn, labels = self.draw_name()
        bare = re.sub(r"^an? ", "", drawn.removesuffix("+"))
        if self.plural is None:
            self.plural = drawn.endswith("+")
        self.used.update(labels)
        if certainty != "mentioned":
            self.classes.update(dict.fromkeys(labels, certainty))
        name = self.with_quality(bare, certainty)
        if full and drawn != bare and not drawn.endswith("+"):
            # An abbreviation keeps the article that it is listed with.
            name = drawn if name == bare else f"{'an' if name[0] in 'aeiou' else 'a'} {name}"
        if full and self.generator.random() < SHARE_PLACE:
            name = f"{name} {_choice(PLACES, self.generator)}"
        return name

    def draw_name(self) -> tuple[str, tuple[str, ...]]:
        """A name and the labels that it means."""
        if self.generator.random() < SHARE_JOINT:
            joint = [entry for entry in JOINT_NAMES if not self.used.intersection(entry[1])]
            return joint[self.generator.integers(len(joint))]
        label = _choice([label for label in LABELS if label not in self.used], self.generator)
        return _choice(NAMES[label], self.generator), (label,)

    def with_quality(self, name: str, certainty: str) -> str:
        """The name, at times after an adjective."""
        denied = certainty == "negative"
        qualities = DENIED_QUALITIES if denied else QUALITIES
        share = SHARE_DENIED_QUALITY if denied else SHARE_QUALITY
        return f"{_choice(qualities, self.generator)} {name}" if self.generator.random() < share else name

    def statement(self) -> str:
        """A usual way to say something about a label that has not been named yet."""
        free = [statement for statement in STATEMENTS if statement[0] not in self.used]
        label, certainty, sentence = free[self.generator.integers(len(free))]
        self.used.add(label)
        self.classes[label] = certainty
        return sentence


def _choice(options: Sequence[str], generator: np.random.Generator) -> str:
    return options[int(generator.integers(len(options)))]


def _spelling(text: str, generator: np.random.Generator) -> str:
    """The text in British or American spelling, at times in capitals or without any."""
    if generator.random() < SHARE_AMERICAN:
        for british, american in AMERICAN:
            text = text.replace(british, american).replace(british.capitalize(), american.capitalize())
    draw = generator.random()
    if draw < SHARE_UPPER:
        return text.upper()
    return text.lower() if draw < SHARE_UPPER + SHARE_LOWER else text
