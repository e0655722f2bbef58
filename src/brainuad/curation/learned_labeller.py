"""A report labeller that was trained on synthetic and labelled reports (Schrempf 2020 and 2021).

It lies in a folder: `labeller.json` with the settings, the vocabulary and how well it does on held-out templates, and
`weights.pt`. The vocabulary holds words of the training reports, so that both are readable for their owner alone.
"""

import json
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Any

import torch
from pydantic import ValidationError

from brainuad.curation.labels import CLASSES, LABELS, Decision
from brainuad.curation.learned_settings import LearnedSettings
from brainuad.curation.private import OWNER_ONLY, write_private_text
from brainuad.curation.report_tokens import TEXT, Sentence, Vocabulary, sentences_of
from brainuad.curation.text_encoder import SentenceReading, TextEncoder, different_sentences, sentence_batch
from brainuad.errors import InputError
from brainuad.storage import atomic_path, read_json
from brainuad.training import state as states

RULE = "learned"
TOKENS_AT_ONCE = 8192
BEGINNING = Sentence("", (TEXT,))


class LearnedLabeller:
    """Reads reports with a trained network."""

    def __init__(self, settings: LearnedSettings, vocabulary: Vocabulary, encoder: TextEncoder) -> None:
        self.settings = settings
        self.vocabulary = vocabulary
        self.encoder = encoder.eval()

    @classmethod
    def load(cls, folder: Path) -> "LearnedLabeller":
        """The labeller in a folder; a missing, damaged or mixed-up one is an `InputError` that says so."""
        folder = Path(folder)
        described, weights = folder / "labeller.json", folder / "weights.pt"
        if not described.is_file():
            raise InputError(f"{described}: no such file. Train a labeller first (brainuad train-labeller).")
        content = read_json(described)
        saved = states.load(weights)
        again = "Train the labeller again."
        if not isinstance(content, dict) or content.get("weights") != states.file_hash(weights):
            raise InputError(f"{weights}: not the weights that {described.name} was written with. {again}")
        if content.get("labels") != list(LABELS) or content.get("classes") != list(CLASSES):
            raise InputError(f"{described}: made for other labels or classes than this version has. {again}")
        try:
            settings = LearnedSettings.model_validate(content["settings"])
            vocabulary = Vocabulary(content["vocabulary"], settings.pieces, settings.buckets)
            encoder = TextEncoder(settings, len(vocabulary.words))
            encoder.load_state_dict(saved["weights"])
        except (KeyError, TypeError, RuntimeError, ValidationError) as error:
            raise InputError(
                f"{folder}: settings, vocabulary and weights do not fit together. {again}"
            ) from error
        return cls(settings, vocabulary, encoder)

    def save(self, folder: Path, training: dict[str, Any]) -> None:
        """Writes the labeller with what is known of its training."""
        weights, described = Path(folder) / "weights.pt", Path(folder) / "labeller.json"
        with atomic_path(weights) as temporary:
            temporary.touch(OWNER_ONLY)
            torch.save({"format": states.FORMAT, "weights": self.encoder.state_dict()}, temporary)
        content = {
            "weights": states.file_hash(weights),
            "settings": self.settings.model_dump(mode="json"),
            "labels": list(LABELS),
            "classes": list(CLASSES),
            "training": training,
            "vocabulary": list(self.vocabulary.words),
        }
        write_private_text(json.dumps(content, indent=2) + "\n", described)

    def label(self, text: str) -> list[Decision]:
        """One decision for each label that a report mentions, in the order of `LABELS`."""
        return self.label_all([text])[0]

    def label_all(self, texts: Sequence[str]) -> list[list[Decision]]:
        """The decisions of `label` for many reports; a sentence that many of them hold is read once."""
        reports = [[BEGINNING, *sentences_of(text)] for text in texts]
        if not reports:
            return []
        different, rows, belongs = different_sentences(
            [[sentence.words for sentence in report] for report in reports]
        )
        with torch.inference_mode():
            scores, shares = self.encoder.combine(self._read(different).at(rows), belongs, len(reports))
        classes = scores.argmax(-1).tolist()
        ends = torch.bincount(belongs, minlength=len(reports)).cumsum(0).tolist()
        return [
            _decisions(report, numbers, shares[end - len(report) : end])
            for report, numbers, end in zip(reports, classes, ends, strict=True)
        ]

    def _read(self, ordered: Sequence[tuple[str, ...]]) -> SentenceReading:
        """What each sentence says; sentences of similar length share a batch."""
        parts = [self.encoder(sentence_batch(batch, self.vocabulary)) for batch in _batches(ordered)]
        return SentenceReading(
            torch.cat([part.largest for part in parts]),
            torch.cat([part.mass for part in parts]),
            torch.cat([part.votes for part in parts]),
        )


def _batches(ordered: Sequence[tuple[str, ...]]) -> Iterable[Sequence[tuple[str, ...]]]:
    """Parts of sentences in order of length, none with more tokens than fit."""
    start = 0
    for end, words in enumerate(ordered):
        if (end - start + 1) * len(words) > TOKENS_AT_ONCE and end > start:
            yield ordered[start:end]
            start = end
    yield ordered[start:]


def _decisions(report: Sequence[Sentence], classes: Sequence[int], shares: torch.Tensor) -> list[Decision]:
    """Decisions of one report; the sentence of each is the one with the largest share of its label's attention."""
    if len(report) == 1:
        return []
    absent = CLASSES.index("not mentioned")
    most = (shares[1:].argmax(0) + 1).tolist()  # without the beginning
    return [
        Decision(label, CLASSES[number], report[place].text, RULE)
        for label, number, place in zip(LABELS, classes, most, strict=True)
        if number != absent
    ]
