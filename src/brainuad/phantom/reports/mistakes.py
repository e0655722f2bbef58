"""Slips of the keyboard and of dictation software."""

import re

import numpy as np

WORD = re.compile(r"\b[a-z]{6,}\b")


def mistype(text: str, rng: np.random.Generator) -> str:
    """The text with one wrong letter: two swapped, one lost or one doubled inside a word of lower case."""
    words = list(WORD.finditer(text))
    if not words:
        return text
    word = words[int(rng.integers(len(words)))]
    place = word.start() + 1 + int(rng.integers(len(word.group()) - 2))
    letter, following = text[place], text[place + 1]
    swapped = following + letter if letter != following else letter
    wrong = (swapped, following, letter + letter + following)[int(rng.integers(3))]
    return text[:place] + wrong + text[place + 2 :]
