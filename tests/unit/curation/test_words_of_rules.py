"""The lists of words that rules are made of hold whole words, however their text is broken into lines."""

import io
import tokenize
from pathlib import Path

import pytest

import brainuad.curation

MODULES = sorted(Path(brainuad.curation.__file__).parent.rglob("*.py"))


def fused(source: str) -> list[str]:
    """What is read as one word at the border of two strings that Python joins ("left" "basal")."""
    found: list[str] = []
    before = ""
    for token in tokenize.generate_tokens(io.StringIO(source).readline):
        if token.type == tokenize.STRING:
            text = token.string.lstrip("fr").strip("\"'")
            if before[-1:].isalnum() and text[:1].isalnum():
                found.append(before.split()[-1] + text.split()[0])
            before = text
        elif token.type not in (tokenize.NL, tokenize.COMMENT):
            before = ""
    return found


@pytest.mark.parametrize("module", MODULES, ids=lambda module: module.stem)
def test_no_two_words_are_fused_where_strings_are_joined(module: Path) -> None:
    assert fused(module.read_text(encoding="utf-8")) == []


def test_a_missing_space_between_joined_strings_is_found() -> None:
    assert fused('word_set(\n    "intracranial right"\n    # a comment\n    "basal brain"\n)') == [
        "rightbasal"
    ]
    assert fused('word_set("intracranial right " "basal brain")') == []
    assert fused('("right", "basal")') == []
