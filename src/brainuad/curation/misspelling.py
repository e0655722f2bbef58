"""Words of a report that are misspelled terms: the one term within one or two typing errors, if there is one.

Errors are letters left out, added, changed or swapped with their neighbour (Damerau 1964). Terms are found by what is
left of them when letters are deleted (the idea of SymSpell, Garbe 2012), so that a look-up costs microseconds. A word
that English or medicine has is never taken for another: `real_words.py` lists those that stand near to a term.
"""

from collections import defaultdict
from collections.abc import Iterable
from itertools import combinations

from brainuad.curation.real_words import REAL_WORDS
from brainuad.curation.spelling import norm

SHORTEST = 5  # letters of a term that may be misspelled
TWICE = 10  # letters of a term from which on two errors are allowed
# How British spelling writes the norms, for errors in just these letters ("oedma", "heamorrhage").
BRITISH = (("edem", "oedem"), ("hem", "haem"), ("tumor", "tumour"), ("schem", "schaem"))


class Corrector:
    """Gives words their norms, and misspelled terms the norm of the term."""

    def __init__(self, terms: Iterable[str], known: Iterable[str]) -> None:
        """`terms` are norms that may be misspelled; `known` are norms of words that are right as they are."""
        self.known = frozenset(known)
        self.meanings: dict[str, str] = {}
        self.nearby: dict[str, set[str]] = defaultdict(set)
        for term in sorted(set(terms)):
            if len(term) >= SHORTEST and term.isalpha():
                for spelling in {term, *(term.replace(*pair) for pair in BRITISH)}:
                    self.meanings[spelling] = term
                    for rest in _without_letters(spelling, _errors_in(term)):
                        self.nearby[rest].add(spelling)

    def norm(self, word: str) -> str:
        """The norm of a word, or of the term that it misspells."""
        plain = norm(word)
        if len(plain) < SHORTEST or not plain.isalpha() or plain in self.known or plain in REAL_WORDS:
            return plain
        return self._nearest(plain) or self._nearest(word.lower()) or plain

    def _nearest(self, word: str) -> str | None:
        """The term with the fewest errors that begins with the same letter; of equals that which begins likest."""
        rests = _without_letters(word, 2 if len(word) > TWICE - 3 else 1)
        ranked = [
            (errors, -_common_beginning(found, word), found)
            for found in {found for rest in rests for found in self.nearby.get(rest, ())}
            if found[0] == word[0]
            and (errors := typing_errors(word, found)) <= _errors_in(self.meanings[found])
        ]
        return self.meanings[min(ranked)[2]] if ranked else None


def typing_errors(one: str, other: str) -> int:
    """The optimal string alignment distance: letters left out, added, changed or swapped with their neighbour."""
    before: list[int] = []
    last = list(range(len(other) + 1))
    for row, letter in enumerate(one, 1):
        line = [row]
        for column, opposite in enumerate(other, 1):
            cost = min(line[-1] + 1, last[column] + 1, last[column - 1] + (letter != opposite))
            swapped = row > 1 and column > 1 and letter == other[column - 2] and opposite == one[row - 2]
            line.append(min(cost, before[column - 2] + 1) if swapped else cost)
        before, last = last, line
    return last[-1]


def _common_beginning(one: str, other: str) -> int:
    """How many letters two different words begin with alike."""
    pairs = enumerate(zip(one, other, strict=False))
    return next(
        (place for place, (letter, opposite) in pairs if letter != opposite), min(len(one), len(other))
    )


def _errors_in(term: str) -> int:
    """How many errors a misspelling of a term may hold."""
    return 2 if len(term) >= TWICE else 1


def _without_letters(word: str, most: int) -> set[str]:
    """What is left of a word without up to `most` of its letters."""
    return {"".join(kept) for left in range(most + 1) for kept in combinations(word, len(word) - left)}
