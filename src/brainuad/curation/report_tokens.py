"""Reports as sentences, sentences as words, words as numbers.

A sentence carries the heading of its section, because a haemorrhage that the clinical history asks for is no finding.
Unknown words are known by their letters: every word has its hashed n-grams (Bojanowski 2017).
"""

import re
import unicodedata
import zlib
from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from functools import lru_cache

LONGEST = 100  # words that are read at once; a longer sentence is read in parts
TEXT = "<text>"  # stands for the report as a whole, before its first sentence
_NAMES = (
    r"(?:clinical|indication|reason|history|request|presenting|technique|protocol|procedure|exam|comparison|finding|"
    r"report|impression|conclusion|opinion|comment|summary|interpretation|ct\b|brain\b|head\b|bones?\b)[a-z /&-]{0,30}"
)
_ALONE = (
    r"clinical (?:history|details|information|indication)|indications?|history|technique|comparison|findings?|report|"
    r"impression|conclusions?|opinion|comments?|summary|ct (?:head|brain)"
)
# The name of a section at the beginning of a line or sentence before a colon, or alone on its line.
_HEADING = re.compile(
    rf"(?:^|(?<=[.!;]))[ \t]*({_NAMES}):|^[ \t]*({_ALONE})[ \t]*$", re.IGNORECASE | re.MULTILINE
)
# A line goes on where the next one begins with a small letter and no mark ends it.
_WRAPPED = re.compile(r"(?<![.:;?!\n])\n(?=[ \t]*[a-z])")
_END = re.compile(
    r"(?<![Dd]r\.)(?<!e\.g\.)(?<!i\.e\.)(?<=[.!])\s+|(?<=\?)\s+(?=[A-Z])|(?<=[a-z]\.)(?=[A-Z])|\n"
)
_WORD = re.compile(r"\d+(?:[.,/:]\d+)*|[^\W\d_]+|[^\w\s]")


@dataclass(frozen=True)
class Sentence:
    """A sentence as it stands in the report, white space aside, and the words that are read of it."""

    text: str
    words: tuple[str, ...]


def words_of(text: str) -> list[str]:
    """The words and marks of a text in small letters without accents; every number is `0`."""
    plain = text.lower()
    if not plain.isascii():
        decomposed = unicodedata.normalize("NFKD", plain)
        plain = "".join(letter for letter in decomposed if not unicodedata.combining(letter))
    return ["0" if word[0].isdigit() else word for word in _WORD.findall(plain)]


def sentences_of(text: str) -> list[Sentence]:
    """The sentences of a report in order, each with the heading of its section before its words.

    A section ends at the next heading, at an empty line, and at the end of its line where it began on it.
    """
    found: list[Sentence] = []
    text = _WRAPPED.sub(" ", text.replace("\r\n", "\n").replace("\r", "\n").strip())
    for paragraph in re.split(r"\n[ \t]*\n", text):
        for heading, body in _sections(paragraph):
            for sentence in _END.split(body):
                found += _parts(heading, " ".join(sentence.split()))
    return found


def _sections(paragraph: str) -> Iterable[tuple[str, str]]:
    """(heading, text) of each section in a paragraph; the heading is empty where there is none."""
    marks = list(_HEADING.finditer(paragraph))
    yield "", paragraph[: marks[0].start() if marks else None]
    ends = [mark.start() for mark in marks[1:]] + [len(paragraph)]
    for mark, end in zip(marks, ends, strict=False):
        body = paragraph[mark.end() : end]
        heading = mark[1] or mark[2]
        line, _, rest = body.partition("\n")
        if line.strip():
            yield heading, line
            yield "", rest
        else:
            yield heading, body


def _parts(heading: str, sentence: str) -> list[Sentence]:
    """A sentence, in parts where it is longer than what is read at once."""
    words = words_of(sentence)
    if not any(word[0].isalnum() for word in words):
        return []
    prefix = [*words_of(heading)[:4], ":"] if heading else []
    return [
        Sentence(sentence, (*prefix, *words[start : start + LONGEST]))
        for start in range(0, len(words), LONGEST)
    ]


class Vocabulary:
    """The words that a labeller knows, and where it finds the n-grams of any word."""

    def __init__(self, words: Sequence[str], lengths: tuple[int, int], buckets: int) -> None:
        self.words = tuple(words)
        self.lengths = lengths
        self.buckets = buckets
        # 0 stands for every word that is not known.
        self.places = {word: place for place, word in enumerate(self.words, start=1)}
        self.pieces_of = lru_cache(maxsize=50_000)(self._pieces_of)

    @classmethod
    def of_texts(
        cls, texts: Iterable[Iterable[str]], smallest_count: int, lengths: tuple[int, int], buckets: int
    ) -> "Vocabulary":
        """The words that occur in so many texts or more, the most frequent first."""
        counts = Counter(word for words in texts for word in set(words))
        kept = [word for word, count in counts.items() if count >= smallest_count or word == TEXT]
        return cls(sorted(kept, key=lambda word: (-counts[word], word)), lengths, buckets)

    def _pieces_of(self, word: str) -> tuple[int, ...]:
        """The hashed n-grams of a word between its borders, and of the word as a whole."""
        marked = f"<{word}>"
        shortest, longest = self.lengths
        pieces = {marked} | {
            marked[start : start + length]
            for length in range(shortest, longest + 1)
            for start in range(len(marked) - length + 1)
        }
        return tuple(sorted(zlib.crc32(piece.encode()) % self.buckets for piece in pieces))
