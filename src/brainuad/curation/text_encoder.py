"""The network of the learned labeller: word vectors, a recurrent network, and attention for each label.

Schrempf 2020, Paying per-label attention for multi-label extraction from radiology reports. With h the states of a
text's words, label l attends with a_l = softmax(h W_l), reads v_l = sum a_l h, and a linear layer of its own turns v_l
into scores of the four classes. The recurrent network reads one sentence at a time; attention goes over the whole text.
Both are sums over words, so that a sentence is read once however many texts contain it.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import torch
from torch import Tensor, nn

from brainuad.curation.labels import CLASSES, LABELS
from brainuad.curation.learned_settings import LearnedSettings
from brainuad.curation.report_tokens import Vocabulary


@dataclass(frozen=True)
class SentenceBatch:
    """Sentences as numbers. `tokens` count the different words of the batch, whose n-grams lie end to end."""

    tokens: Tensor  # (sentence, token)
    lengths: Tensor  # (sentence,)
    words: Tensor  # (word,), 0 for an unknown word
    pieces: Tensor  # (piece,)
    starts: Tensor  # (word,), where the n-grams of each word begin


@dataclass(frozen=True)
class SentenceReading:
    """What attention needs of each sentence: its largest score, and sums over its words relative to that.

    With s the scores of label l, `mass` is sum exp(s - largest) and `votes` is sum exp(s - largest) C_l h.
    """

    largest: Tensor  # (sentence, label)
    mass: Tensor  # (sentence, label)
    votes: Tensor  # (sentence, label, class)

    def at(self, rows: Tensor) -> "SentenceReading":
        """The readings of some of the sentences."""
        return SentenceReading(self.largest[rows], self.mass[rows], self.votes[rows])


def sentence_batch(sentences: Sequence[Sequence[str]], vocabulary: Vocabulary) -> SentenceBatch:
    """The words of some sentences as numbers; shorter sentences are filled up with word 0 of the batch."""
    places: dict[str, int] = {}
    rows = [torch.tensor([places.setdefault(word, len(places)) for word in words]) for words in sentences]
    pieces = [vocabulary.pieces_of(word) for word in places]
    counts = torch.tensor([len(found) for found in pieces])
    return SentenceBatch(
        nn.utils.rnn.pad_sequence(rows, batch_first=True),
        torch.tensor([len(row) for row in rows]),
        torch.tensor([vocabulary.places.get(word, 0) for word in places]),
        torch.tensor([piece for found in pieces for piece in found]),
        counts.cumsum(0) - counts,
    )


def different_sentences(
    texts: Sequence[Sequence[tuple[str, ...]]],
) -> tuple[list[tuple[str, ...]], Tensor, Tensor]:
    """The different sentences of some texts, shortest first; for every sentence of every text its place among them and
    the number of its text."""
    different = sorted({words for text in texts for words in text}, key=lambda words: (len(words), words))
    places = {words: place for place, words in enumerate(different)}
    rows = torch.tensor([places[words] for text in texts for words in text])
    belongs = torch.tensor([number for number, text in enumerate(texts) for _ in text])
    return different, rows, belongs


class TextEncoder(nn.Module):
    """Reads sentences, and weighs those of a text against each other."""

    def __init__(self, settings: LearnedSettings, words: int) -> None:
        super().__init__()
        self.word_dropout = settings.word_dropout
        self.words = nn.Embedding(words + 1, settings.embedding, padding_idx=0)
        self.pieces = nn.EmbeddingBag(settings.buckets, settings.embedding, mode="mean")
        self.recurrent = nn.GRU(settings.embedding, settings.hidden, batch_first=True, bidirectional=True)
        self.dropout = nn.Dropout(settings.dropout)
        self.attention = nn.Linear(2 * settings.hidden, len(LABELS), bias=False)  # W_l
        self.votes = nn.Linear(2 * settings.hidden, len(LABELS) * len(CLASSES), bias=False)  # C_l
        self.bias = nn.Parameter(torch.zeros(len(LABELS), len(CLASSES)))

    def forward(self, batch: SentenceBatch) -> SentenceReading:
        """What each sentence of a batch says, whatever it is filled up with."""
        h = self.states(batch)
        inside = torch.arange(h.shape[1]) < batch.lengths[:, None]  # (sentence, token)
        s = self.attention(h).masked_fill(~inside[..., None], -torch.inf)  # (sentence, token, label)
        largest = s.detach().amax(1)
        weight = (s - largest[:, None]).exp()
        votes = self.votes(h).unflatten(-1, (len(LABELS), len(CLASSES)))
        return SentenceReading(largest, weight.sum(1), (weight[..., None] * votes).sum(1))

    def states(self, batch: SentenceBatch) -> Tensor:
        """The states h of all words, (sentence, token, 2 * hidden); 0 behind the end of a sentence."""
        words = batch.words
        if self.training and self.word_dropout:
            words = words * (torch.rand(len(words)) >= self.word_dropout)
        vectors = self.words(words) + self.pieces(batch.pieces, batch.starts)
        x = nn.utils.rnn.pack_padded_sequence(
            self.dropout(vectors)[batch.tokens], batch.lengths, batch_first=True, enforce_sorted=False
        )
        h, _ = nn.utils.rnn.pad_packed_sequence(self.recurrent(x)[0], batch_first=True)
        return self.dropout(h)

    def combine(self, reading: SentenceReading, texts: Tensor, count: int) -> tuple[Tensor, Tensor]:
        """Scores of the classes (text, label, class), and each sentence's share of its text's attention.

        `texts` (sentence,) says which of `count` texts a sentence belongs to. The shares of the sentences of a text
        sum to 1 for every label.
        """
        index = texts[:, None].expand_as(reading.largest)
        lowest = torch.full((count, len(LABELS)), -torch.inf)
        largest = lowest.scatter_reduce(0, index, reading.largest, "amax")
        scale = (reading.largest - largest[texts]).exp()
        mass = torch.zeros(count, len(LABELS)).index_add(0, texts, scale * reading.mass)
        votes = torch.zeros(count, len(LABELS), len(CLASSES)).index_add(
            0, texts, scale[..., None] * reading.votes
        )
        return votes / mass[..., None] + self.bias, scale * reading.mass / mass[texts]
