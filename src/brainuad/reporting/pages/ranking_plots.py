"""The plot of how stable ranks are: a dot and an interval per method, as the parts of an inline drawing."""

from dataclasses import dataclass

import numpy as np

from brainuad.leaderboard.quantities import Quantity
from brainuad.reporting.names import score_label
from brainuad.reporting.pages.ranking_tables import Competitor, Tables

WIDTH, RIGHT, TOP, ROW = 620, 52, 34, 21  # units of the drawing
NARROWEST, WIDEST, LETTER = 110, 360, 7.4  # of the labels on the left; a letter of a wide font
MOST_TICKS = 10


@dataclass(frozen=True)
class Mark:
    """One method: where its dot and interval lie, and how often it was first."""

    competitor: Competitor
    y: float
    dot: float
    low: float
    high: float
    first: str
    description: str


@dataclass(frozen=True)
class Plot:
    """A drawing of `width` × `height`; `ticks` are (x, label) of ranks."""

    title: str
    width: int
    height: int
    left: int
    ticks: tuple[tuple[float, str], ...]
    marks: tuple[Mark, ...]


def stability_plot(tables: Tables, contest: str, quantity: Quantity) -> Plot | None:
    """The plot of one ranked quantity, best rank on top; None with fewer than two ranked methods."""
    rows = [(c, tables.record(contest, c.key, quantity)) for c in tables.competitors(contest)]
    ranked = [(c, row) for c, row in rows if row and np.isfinite(row["rank"])]
    if len(ranked) < 2:
        return None
    ranked.sort(key=lambda item: item[1]["rank"])
    last = max(row["rank_high"] for _, row in ranked)
    several = len({competitor.study for competitor, _ in rows}) > 1
    left = _left([f"{c.label} {c.study}" if several else c.label for c, _ in ranked])

    def x(rank: float) -> float:
        return round(left + (WIDTH - left - RIGHT) * (rank - 1) / max(last - 1, 1), 1)

    marks = tuple(
        Mark(
            competitor=competitor,
            y=TOP + ROW * (position + 0.5),
            dot=x(row["rank"]),
            low=x(row["rank_low"]),
            high=x(row["rank_high"]),
            first=f"{100 * row['first']:.0f} %",
            description=(
                f"{competitor.label} ({competitor.study}): rank {row['rank']:g}, "
                f"interval {row['rank_low']:.3g} to {row['rank_high']:.3g}, first in {100 * row['first']:.0f} %"
            ),
        )
        for position, (competitor, row) in enumerate(ranked)
    )
    title = score_label(quantity.metric, quantity.protocol)
    ticks = tuple((x(rank), f"{rank}") for rank in _ticks(int(np.ceil(last))))
    return Plot(title, WIDTH, TOP + ROW * len(marks) + 6, left, ticks, marks)


def _left(labels: list[str]) -> int:
    """Where the ranks begin, so that the labels fit on their left."""
    return int(np.clip(16 + LETTER * max(map(len, labels)), NARROWEST, WIDEST))


def _ticks(last: int) -> list[int]:
    """Rank 1 and then round steps up to the last."""
    step = next(step for step in (1, 2, 5, 10, 20, 50, 100, 1000) if last / step <= MOST_TICKS)
    return sorted({1, *range(step, last + 1, step)}) if step > 1 else list(range(1, last + 1))
