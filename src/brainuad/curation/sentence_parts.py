"""What the rules know of a sentence: its words, the terms in it and the cues."""

from dataclasses import dataclass


@dataclass(frozen=True)
class Mention:
    """A term of a label at words [start, end) of a sentence; `denied` by a statement that all is normal."""

    label: str
    start: int
    end: int
    term: str
    denied: bool = False
    vague: bool = False


@dataclass(frozen=True)
class Cue:
    """A cue at words [start, end) of a sentence; `relative` if a negation before it denies what follows."""

    kind: str
    direction: str
    start: int
    end: int
    phrase: str
    relative: bool = False


@dataclass(frozen=True)
class Sentence:
    """The norms of a sentence's words, its cues and its mentions, all in the order of the text.

    `imaging`: it describes the scan, so that what is "known" or "previous" in it is there to be seen.
    `following`: the words of the next sentence.
    """

    words: list[str]
    cues: list[Cue]
    mentions: list[Mention]
    imaging: bool
    following: list[str]
