"""Trains the learned report labeller on synthetic and labelled reports (Schrempf 2020 and 2021).

The loss is the mean cross-entropy over labels. Training ends when F1 on texts from held-out templates, and on held-out
reports of the user, rises no more; the best weights count.
"""

import copy
import json
import logging
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Literal

import torch
from pydantic import ValidationError
from torch import Tensor
from torch.nn import functional as F
from tqdm import tqdm

from brainuad.config_errors import ConfigError, explain
from brainuad.curation.labels import CLASSES, LABELS
from brainuad.curation.learned_labeller import BEGINNING, LearnedLabeller
from brainuad.curation.learned_settings import QUICK, LearnedSettings
from brainuad.curation.report_tokens import Vocabulary, sentences_of
from brainuad.curation.synthesis.reports import LabelledText, Templates, split_templates, synthesise
from brainuad.curation.text_encoder import TextEncoder, different_sentences, sentence_batch
from brainuad.errors import InputError
from brainuad.randomness import numpy_generator, seed_for

log = logging.getLogger(__name__)
ABSENT = CLASSES.index("not mentioned")
Words = list[tuple[str, ...]]


@dataclass(frozen=True)
class Texts:
    """Texts as sentences of words, and the numbers of their classes (text, label)."""

    sentences: list[Words]
    classes: Tensor

    def at(self, places: Sequence[int]) -> "Texts":
        """Some of the texts."""
        return Texts([self.sentences[place] for place in places], self.classes[torch.tensor(places)])


@dataclass(frozen=True)
class Material:
    """What a labeller is trained on and tested on."""

    templates: Templates
    labelled: Texts
    held_out_templates: Texts
    held_out_labelled: Texts


def read_settings(changes: str, scale: Literal["quick", "paper"]) -> LearnedSettings:
    """The settings of a scale with some changed, given as JSON; an `InputError` lists all that is wrong with them."""
    try:
        given = json.loads(changes)
    except ValueError as error:
        raise InputError(f'settings: not JSON ({error}). Write them as {{"epochs": 5}}.') from error
    if not isinstance(given, dict):
        raise InputError('settings: expected keys with values, such as {"epochs": 5}.')
    try:
        return LearnedSettings.model_validate({**(QUICK if scale == "quick" else {}), **given})
    except ValidationError as error:
        raise ConfigError(explain(error, "settings", LearnedSettings)) from error


def train_labeller(
    settings: LearnedSettings, seed: int, labelled: Sequence[LabelledText] = ()
) -> tuple[LearnedLabeller, dict[str, Any]]:
    """A labeller in its best epoch, and how it did on what was held out; the same for the same seed and threads."""
    if not settings.texts and not labelled:
        raise InputError("texts = 0 leaves nothing to train on. Give labelled reports, or texts above 0.")
    material = gather(settings, seed, labelled)
    first = epoch_texts(settings, seed, material, 0)
    vocabulary = vocabulary_of(settings, first, material.labelled)
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(seed_for(seed, "learned labeller"))
        trainer = _Trainer(settings, vocabulary)
        best, best_f1 = trainer.encoder.state_dict(), -1.0
        epochs = since_best = 0
        while epochs < settings.epochs and since_best < settings.patience:
            texts = first if epochs == 0 else epoch_texts(settings, seed, material, epochs)
            order = numpy_generator(seed, "order of texts", epochs).permutation(len(texts.sentences))
            loss = trainer.train_epoch(texts.at(order.tolist()), epochs)
            epochs += 1
            f1 = trainer.score(material)["both"]
            # At first nothing is found yet, which is no reason to stop.
            since_best = 0 if f1 > best_f1 or f1 == 0 else since_best + 1
            if f1 >= best_f1:
                best, best_f1 = copy.deepcopy(trainer.encoder.state_dict()), f1
            log.info("epoch %d: loss %.4f, held-out micro F1 %.3f (best %.3f)", epochs, loss, f1, best_f1)
    trainer.encoder.load_state_dict(best)
    scores = {name: value for name, value in trainer.score(material).items() if name != "both"}
    training = {"seed": seed, "epochs": epochs, "labelled_reports": len(labelled), "held_out": scores}
    return LearnedLabeller(settings, vocabulary, trainer.encoder), training


def gather(settings: LearnedSettings, seed: int, labelled: Sequence[LabelledText]) -> Material:
    """The material of a training; whole templates are held out, and of the user's reports a share."""
    kept, held_out = split_templates(settings.held_out_templates, seed)
    count = settings.held_out_texts if settings.texts else 0
    order = numpy_generator(seed, "held-out reports").permutation(len(labelled)).tolist()
    aside = round(settings.labelled_held_out * len(labelled))
    return Material(
        kept,
        _read([labelled[place] for place in order[aside:]]),
        _read(list(synthesise(count, held_out, seed, "held out"))),
        _read([labelled[place] for place in order[:aside]]),
    )


def epoch_texts(settings: LearnedSettings, seed: int, material: Material, epoch: int) -> Texts:
    """The texts of an epoch: new synthetic ones, and the user's reports several times."""
    drawn = _read(list(synthesise(settings.texts, material.templates, seed, "epoch", epoch)))
    repeats = settings.labelled_repeats
    return Texts(
        drawn.sentences + material.labelled.sentences * repeats,
        torch.cat([drawn.classes, *[material.labelled.classes] * repeats]),
    )


def vocabulary_of(settings: LearnedSettings, epoch: Texts, labelled: Texts) -> Vocabulary:
    """The words of the texts of an epoch that enough texts hold.

    Each of the user's reports counts once, however often the epoch shows it or the table names its text; else every
    word of a single report, such as a surname, would be known.
    """
    drawn = len(epoch.sentences) - settings.labelled_repeats * len(labelled.sentences)
    different = list({tuple(text): text for text in labelled.sentences}.values())
    texts = ((word for sentence in text for word in sentence) for text in epoch.sentences[:drawn] + different)
    return Vocabulary.of_texts(texts, settings.smallest_count, settings.pieces, settings.buckets)


def micro_f1(predicted: Tensor, classes: Tensor) -> float:
    """F1 over all texts, labels and classes but `not mentioned`; 1 where nothing is mentioned or predicted."""
    right = ((predicted == classes) & (classes != ABSENT)).sum().item()
    mentioned = (classes != ABSENT).sum().item() + (predicted != ABSENT).sum().item()
    return 2 * right / mentioned if mentioned else 1.0


def macro_f1(predicted: Tensor, classes: Tensor) -> float:
    """Mean over the labels of `micro_f1`, of the labels that some text mentions."""
    mentioned = [label for label in range(len(LABELS)) if (classes[:, label] != ABSENT).any()]
    values = [micro_f1(predicted[:, label], classes[:, label]) for label in mentioned]
    return sum(values) / len(values) if values else 1.0


def class_weights(classes: Tensor) -> Tensor:
    """Weights (label, class) of which every class of a label that occurs has the same sum over texts (text, label)."""
    counts = F.one_hot(classes, len(CLASSES)).sum(0)  # (label, class)
    occurring = (counts > 0).sum(1, keepdim=True)
    return torch.where(counts > 0, len(classes) / (occurring * counts.clamp(min=1)), 0.0)


def mean_cross_entropy(scores: Tensor, classes: Tensor, weights: Tensor | None) -> Tensor:
    """Mean over texts and labels of the cross-entropy; `weights` (label, class) multiply it."""
    loss = F.cross_entropy(scores.flatten(0, 1), classes.flatten(), reduction="none").view_as(classes)
    if weights is not None:
        loss = loss * weights.expand(len(classes), -1, -1).gather(2, classes[..., None]).squeeze(2)
    return loss.mean()


def _read(texts: Sequence[LabelledText]) -> Texts:
    sentences = [[BEGINNING.words, *(found.words for found in sentences_of(text.text))] for text in texts]
    classes = torch.tensor([text.class_numbers() for text in texts], dtype=torch.long)
    return Texts(sentences, classes.reshape(len(texts), len(LABELS)))


class _Trainer:
    """A network and its optimiser."""

    def __init__(self, settings: LearnedSettings, vocabulary: Vocabulary) -> None:
        self.settings = settings
        self.vocabulary = vocabulary
        self.encoder = TextEncoder(settings, len(vocabulary.words))
        self.optimiser = torch.optim.Adam(self.encoder.parameters(), lr=settings.learning_rate)

    def train_epoch(self, texts: Texts, epoch: int) -> float:
        """The mean loss of an epoch."""
        self.encoder.train()
        weights = class_weights(texts.classes) if self.settings.class_weights else None
        size = self.settings.batch_size
        losses = []
        starts = range(0, len(texts.sentences), size)
        for start in tqdm(starts, desc=f"epoch {epoch + 1}", unit="batch", disable=None, leave=False):
            classes = texts.classes[start : start + size]
            loss = mean_cross_entropy(self._scores(texts.sentences[start : start + size]), classes, weights)
            self.optimiser.zero_grad()
            loss.backward()
            torch.nn.utils.clip_grad_norm_(self.encoder.parameters(), self.settings.gradient_clip)
            self.optimiser.step()
            losses.append(loss.item())
        return sum(losses) / len(losses)

    def score(self, material: Material) -> dict[str, Any]:
        """F1 on texts of held-out templates, on held-out reports of the user, and micro F1 on both together."""
        self.encoder.eval()
        scores: dict[str, Any] = {}
        predictions, truths = [], []
        for name in ("templates", "labelled"):
            texts: Texts = getattr(material, f"held_out_{name}")
            if not texts.sentences:
                continue
            with torch.inference_mode():
                size = 4 * self.settings.batch_size
                starts = range(0, len(texts.sentences), size)
                parts = [self._scores(texts.sentences[start : start + size]).argmax(-1) for start in starts]
            predictions.append(torch.cat(parts))
            truths.append(texts.classes)
            scores[name] = {
                "texts": len(texts.sentences),
                "micro_f1": micro_f1(predictions[-1], truths[-1]),
                "macro_f1": macro_f1(predictions[-1], truths[-1]),
            }
        scores["both"] = micro_f1(torch.cat(predictions), torch.cat(truths)) if truths else 0.0
        return scores

    def _scores(self, texts: list[Words]) -> Tensor:
        different, rows, belongs = different_sentences(texts)
        reading = self.encoder(sentence_batch(different, self.vocabulary))
        return self.encoder.combine(reading.at(rows), belongs, len(texts))[0]
