"""The page of the leaderboard across studies: one section per contest, and one over all of them."""

from collections.abc import Collection
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pandas as pd

from brainuad.leaderboard.quantities import RANKED, Quantity
from brainuad.reporting.names import dataset_name, modality_name, p_text, score_label
from brainuad.reporting.pages.ranking_matrices import PairMatrix, pair_matrices
from brainuad.reporting.pages.ranking_plots import Plot, stability_plot
from brainuad.reporting.pages.ranking_reasons import (
    NO_RANK,
    NO_TEST,
    NOBODY,
    NOT_PACKED,
    NOT_SCORED,
    absence_note,
)
from brainuad.reporting.pages.ranking_sheets import Sheet, sheets
from brainuad.reporting.pages.ranking_tables import NAMES, Competitor, Tables, read_tables


@dataclass(frozen=True)
class StudyFacts:
    """What one study worked with in a contest."""

    study: str
    title: str
    modalities: str
    resolution: str
    training: str
    runs: str
    test_subjects: int


@dataclass(frozen=True)
class Contest:
    """One section: who is ranked on how many patients, what each study had, and all tables and plots.

    `absent` says which studies are not scored on it, and why.
    """

    name: str
    label: str
    phantom: bool
    summary: str
    facts: tuple[StudyFacts, ...]
    absent: str
    unranked: tuple[Competitor, ...]
    sheets: tuple[Sheet, ...]
    plots: tuple[Plot, ...]
    matrices: tuple[PairMatrix, ...]


@dataclass(frozen=True)
class Heat:
    """A rank as text, and how good it is: 1 for the first of the contest, 0 for the last."""

    text: str
    value: float | None
    heat: float


@dataclass(frozen=True)
class OverallRow:
    """One method over all contests."""

    competitor: Competitor
    ranks: tuple[Heat, ...]
    contests: int
    mean_rank: float
    ahead: str
    share: float


@dataclass(frozen=True)
class Overall:
    """Ranks of every method in every contest by one metric, and how far the contests agree."""

    title: str
    labels: tuple[str, ...]
    rows: tuple[OverallRow, ...]
    agreement: tuple[dict[str, str], ...]


@dataclass(frozen=True)
class RankingPage:
    """The whole page; `files` are the tables to take away, by their path within the folder."""

    contests: tuple[Contest, ...]
    overall: tuple[Overall, ...]
    files: tuple[Path, ...]


def ranking_page(folder: Path | None, phantoms: Collection[str]) -> RankingPage:
    """The page of results/leaderboard, with the names of contests on phantoms; empty where nothing was ranked."""
    tables = read_tables(folder)
    if tables is None or folder is None:
        return RankingPage((), (), ())
    labels = {name: _label(tables, name) for name in tables.contests}
    files = [folder / f"{name}.tsv" for name in NAMES]
    pairs = [folder / "pairs" / f"{name}.tsv" for name in tables.contests if name in tables.pairs]
    return RankingPage(
        contests=tuple(_contest(tables, name, label, phantoms) for name, label in labels.items()),
        overall=tuple(_overall(tables, quantity, labels) for quantity in RANKED if len(labels) > 1),
        files=tuple(path.relative_to(folder) for path in (*files, *pairs)),
    )


def _label(tables: Tables, contest: str) -> str:
    """The data set's name; a synthetic test set is that of one study."""
    row = tables.entrants[tables.entrants["contest"] == contest].iloc[0]
    name = dataset_name(row["dataset"])
    return name if row["dataset"] == contest else f"{name} ({row['study']})"


def _contest(tables: Tables, name: str, label: str, phantoms: Collection[str]) -> Contest:
    entrants = tables.entrants[tables.entrants["contest"] == name]
    competitors = tables.competitors(name)
    plots = (stability_plot(tables, name, quantity) for quantity in RANKED)
    return Contest(
        name=name,
        label=label,
        phantom=name in phantoms,
        summary=_summary(entrants),
        facts=tuple(_facts(str(study), rows) for study, rows in entrants.groupby("study", sort=False)),
        absent=absence_note(tables, name),
        unranked=tuple(competitor for competitor in competitors if competitor.reason),
        sheets=tuple(sheets(tables, name)),
        plots=tuple(plot for plot in plots if plot),
        matrices=tuple(pair_matrices(tables, name)),
    )


def _summary(entrants: pd.DataFrame) -> str:
    ranked = entrants[entrants["reason"] == ""]
    if ranked.empty:
        return "No method can be ranked."
    methods, studies = len(ranked), ranked["study"].nunique()
    subjects = int(ranked["common_subjects"].max())
    return (
        f"{methods} {'methods' if methods > 1 else 'method'} of {studies} {'studies' if studies > 1 else 'study'} "
        f"ranked on {'the ' if studies > 1 else ''}{subjects} test patients"
        f"{' that no study learnt from and all share' if studies > 1 else ''}."
    )


def _facts(study: str, rows: pd.DataFrame) -> StudyFacts:
    first = rows.iloc[0]
    spacing = first["spacing_mm"].split()
    same = len(set(spacing)) == 1
    done, wanted = int(rows["runs_finished"].max()), int(first["runs"])
    return StudyFacts(
        study=study,
        title=first["title"],
        modalities=", ".join(map(modality_name, first["modalities"].split())) or NOT_PACKED,
        resolution=f"{spacing[0] if same else ' × '.join(spacing)} mm" if spacing else NOT_PACKED,
        training=_training(rows),
        runs=f"{done}" if done == wanted else f"{done} of {wanted}",
        test_subjects=int(rows["test_subjects"].max()),
    )


def _training(rows: pd.DataFrame) -> str:
    """The data sets that methods learnt from, and who; most of them first."""
    texts = []
    groups = sorted(rows.groupby("training", sort=False), key=lambda item: -len(item[1]))
    for training, members in groups:
        names = ", ".join(map(dataset_name, str(training).split())) or "no training"
        few = len(groups) > 1 and len(members) <= 2
        texts.append(names + (f" ({', '.join(members['label'])})" if few else ""))
    return "; ".join(texts)


def _overall(tables: Tables, quantity: Quantity, labels: dict[str, str]) -> Overall:
    chosen = tables.across[
        (tables.across["metric"] == quantity.metric) & (tables.across["protocol"] == quantity.protocol)
    ]
    named = {c.key: c for contest in labels for c in tables.competitors(contest)}
    last = {contest: _last_rank(tables, contest, quantity) for contest in labels}
    rows = []
    for row in chosen.to_dict("records"):
        key = f"{row['study']}/{row['method']}"
        heats = tuple(_heat(tables, contest, key, quantity, last[contest]) for contest in labels)
        ties = f", tied with {row['tied']:.0f}" if row["tied"] else ""
        ahead = f"{row['ahead']:.0f} of {row['compared']:.0f}{ties}" if row["compared"] else NOBODY
        share = (row["ahead"] + row["tied"] / 2) / max(row["compared"], 1)
        rows.append(OverallRow(named[key], heats, int(row["contests"]), row["mean_rank"], ahead, share))
    agreement = tables.agreement[
        (tables.agreement["metric"] == quantity.metric)
        & (tables.agreement["protocol"] == quantity.protocol)
        & (tables.agreement["methods"] > 0)
    ]
    return Overall(
        title=score_label(quantity.metric, quantity.protocol),
        labels=tuple(labels.values()),
        rows=tuple(rows),
        agreement=tuple(_agreement(row, labels) for row in agreement.to_dict("records")),
    )


def _last_rank(tables: Tables, contest: str, quantity: Quantity) -> float:
    ranks = [tables.record(contest, c.key, quantity).get("rank", np.nan) for c in tables.competitors(contest)]
    return float(np.nanmax(ranks)) if np.isfinite(ranks).any() else 1.0


def _heat(tables: Tables, contest: str, key: str, quantity: Quantity, last: float) -> Heat:
    rank = tables.record(contest, key, quantity).get("rank", np.nan)
    if np.isnan(rank):
        return Heat(NO_RANK if tables.entrant(contest, key) else NOT_SCORED, None, 0.0)
    return Heat(f"{rank:g}", rank, 1 - (rank - 1) / max(last - 1, 1))


def _agreement(row: dict, labels: dict[str, str]) -> dict[str, str]:  # type: ignore[type-arg]
    tested = np.isfinite(row["tau"])
    return {
        "Data sets": f"{labels[row['contest_a']]} and {labels[row['contest_b']]}",
        "Methods": f"{row['methods']:.0f}",
        "Kendall's τ": f"{row['tau']:.2f}".replace("-", "−") if tested else row["reason"],
        "p": p_text(row["p"]).removeprefix("= ") if tested and np.isfinite(row["p"]) else NO_TEST,
    }
