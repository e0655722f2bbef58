"""Which methods of a contest differ: a compact matrix of the best ones, corrected over all pairs."""

from collections.abc import Hashable, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd

from brainuad.leaderboard.quantities import RANKED
from brainuad.reporting.names import ALPHA, p_text, score_label
from brainuad.reporting.pages.ranking_reasons import NO_TEST
from brainuad.reporting.pages.ranking_tables import Competitor, Tables

MOST = 15  # methods of a matrix; all pairs are in the table to take away


@dataclass(frozen=True)
class Difference:
    """Row method minus column method; `kind` is better, worse, same (not significant) or none (no test)."""

    kind: str
    text: str
    description: str


@dataclass(frozen=True)
class PairMatrix:
    """The pairs of the best methods by one metric; `note` says over how many pairs p values are corrected."""

    title: str
    competitors: tuple[Competitor, ...]
    rows: tuple[tuple[Difference | None, ...], ...]
    note: str


def pair_matrices(tables: Tables, contest: str) -> list[PairMatrix]:
    """One matrix per ranked metric; none with fewer than two methods."""
    pairs = tables.pairs.get(contest)
    if pairs is None:
        return []
    made = []
    for quantity in RANKED:
        rows = pairs[(pairs["metric"] == quantity.metric) & (pairs["protocol"] == quantity.protocol)]
        if len(rows):
            made.append(
                _matrix(rows, tables.competitors(contest), score_label(quantity.metric, quantity.protocol))
            )
    return made


def _matrix(pairs: pd.DataFrame, competitors: list[Competitor], title: str) -> PairMatrix:
    found: dict[tuple[str, str], Difference] = {}
    for pair in pairs.to_dict("records"):
        a, b = (f"{pair[f'study_{side}']}/{pair[f'method_{side}']}" for side in "ab")
        found[a, b], found[b, a] = _difference(pair, 1), _difference(pair, -1)
    named = {key for both in found for key in both}
    shown = tuple(competitor for competitor in competitors if competitor.key in named)[:MOST]
    rows = tuple(tuple(found.get((a.key, b.key)) for b in shown) for a in shown)
    return PairMatrix(title, shown, rows, _note(pairs, len(named)))


def _note(pairs: pd.DataFrame, methods: int) -> str:
    tested = pairs.dropna(subset=["p"])
    if tested.empty:
        return "No two methods share enough test patients for a test."
    few, many = int(tested["n"].min()), int(tested["n"].max())
    subjects = f"{few}" if few == many else f"{few} to {many}"
    note = f"Corrected over the {len(tested)} pairs of {methods} methods, each on its {subjects} common test patients."
    if len(tested) * 2 / 2**many >= ALPHA:
        note += " These are too few patients for any difference to be significant after the correction."
    return note + (f" Shown are the first {MOST} methods." if methods > MOST else "")


def _difference(pair: Mapping[Hashable, Any], sign: int) -> Difference:
    if not np.isfinite(pair["p"]):
        return Difference("none", NO_TEST, str(pair["reason"]))
    value, p = sign * pair["difference"], pair["p_holm"]
    kind = "same" if p >= ALPHA else "better" if value > 0 else "worse"
    low, high = sorted((sign * pair["ci_low"], sign * pair["ci_high"]))
    text = f"{_signed(low)} to {_signed(high)}, p {p_text(p)}, n = {pair['n']:.0f}"
    return Difference(kind, _signed(value), text)


def _signed(value: float) -> str:
    return "0.000" if abs(value) < 0.0005 else f"{value:+.3f}".replace("-", "−")
