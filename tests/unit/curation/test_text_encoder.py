"""The network of the learned labeller, against attention written out for one label after the other."""

import pytest
import torch
from torch.nn import functional as F

from brainuad.curation.labels import CLASSES, LABELS
from brainuad.curation.learned_settings import LearnedSettings
from brainuad.curation.report_tokens import Vocabulary
from brainuad.curation.text_encoder import TextEncoder, different_sentences, sentence_batch

SMALL = LearnedSettings(embedding=16, hidden=12, buckets=64, dropout=0, word_dropout=0)
VOCABULARY = Vocabulary(("no", "bleed", "a", "large", "cyst"), (3, 4), 64)
SENTENCES = [("a", "large", "bleed"), ("no", "cyst"), ("unknown", "a", "bleed", "and", "cyst")]


@pytest.fixture
def encoder() -> TextEncoder:
    torch.manual_seed(0)
    return TextEncoder(SMALL, len(VOCABULARY.words)).eval()


def scores_of(encoder: TextEncoder, texts: list[list[tuple[str, ...]]]) -> tuple[torch.Tensor, torch.Tensor]:
    different, rows, belongs = different_sentences(texts)
    reading = encoder(sentence_batch(different, VOCABULARY))
    return encoder.combine(reading.at(rows), belongs, len(texts))


def test_scores_are_those_of_attention_over_all_words_of_a_text(encoder: TextEncoder) -> None:
    h = torch.cat([encoder.states(sentence_batch([words], VOCABULARY))[0] for words in SENTENCES])
    expected = []
    for label in range(len(LABELS)):
        a = F.softmax(h @ encoder.attention.weight[label], 0)  # (token,)
        v = (a[:, None] * h).sum(0)
        C = encoder.votes.weight[label * len(CLASSES) : (label + 1) * len(CLASSES)]
        expected.append(C @ v + encoder.bias[label])
    scores, _ = scores_of(encoder, [SENTENCES])
    torch.testing.assert_close(scores[0], torch.stack(expected))


def test_attention_of_a_text_sums_to_one(encoder: TextEncoder) -> None:
    _, shares = scores_of(encoder, [SENTENCES, SENTENCES[:1], SENTENCES[1:]])
    for start, end in ((0, 3), (3, 4), (4, 6)):
        torch.testing.assert_close(shares[start:end].sum(0), torch.ones(len(LABELS)))
    assert (shares > 0).all()


def test_what_a_sentence_is_filled_up_with_does_not_matter(encoder: TextEncoder) -> None:
    alone = encoder(sentence_batch(SENTENCES[:1], VOCABULARY))
    beside_longer = encoder(sentence_batch([SENTENCES[0], ("cyst",) * 30], VOCABULARY))
    for name in ("largest", "mass", "votes"):
        torch.testing.assert_close(getattr(beside_longer, name)[:1], getattr(alone, name))


def test_the_attention_of_a_label_changes_no_other_label(encoder: TextEncoder) -> None:
    before, _ = scores_of(encoder, [SENTENCES])
    with torch.no_grad():
        encoder.attention.weight[3] += 5
        encoder.votes.weight[3 * len(CLASSES)] += 1
    after, _ = scores_of(encoder, [SENTENCES])
    others = torch.arange(len(LABELS)) != 3
    assert torch.equal(before[:, others], after[:, others])
    assert not torch.equal(before[:, 3], after[:, 3])


def test_unknown_words_are_told_apart_by_their_letters(encoder: TextEncoder) -> None:
    one, other = (encoder.states(sentence_batch([(word,)], VOCABULARY)) for word in ("hygroma", "fracture"))
    assert not torch.allclose(one, other)
