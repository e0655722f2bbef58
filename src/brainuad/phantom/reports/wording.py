"""How a kind of finding is put into words."""

from dataclasses import dataclass


@dataclass(frozen=True)
class Wording:
    """The labels that a kind of finding makes positive, and the ways to state it.

    `sure` are sentences; `nouns` are phrases without an article, with ~ marks, for hedges and impressions.
    `sites` is where it may lie.
    """

    labels: tuple[str, ...]
    sure: tuple[str, ...]
    nouns: tuple[str, ...]
    sites: tuple[str, ...] = ("frontal lobe", "parietal lobe", "temporal lobe", "occipital lobe")
