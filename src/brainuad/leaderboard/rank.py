"""From the scores under the common protocol to the tables of the leaderboard."""

from collections.abc import Sequence
from dataclasses import asdict, dataclass
from pathlib import Path

import pandas as pd

from brainuad.arrays import ArrayStore
from brainuad.leaderboard.agreement import (
    ACROSS_COLUMNS,
    AGREEMENT_COLUMNS,
    across_contests,
    rank_agreement,
)
from brainuad.leaderboard.comparisons import compare_pairs
from brainuad.leaderboard.field import Field, choose_field
from brainuad.leaderboard.inputs import Entrant, RankingInputs
from brainuad.leaderboard.origins import healthy_scans, mark_thresholds, scans_of, threshold_origins
from brainuad.leaderboard.quantities import RANKED
from brainuad.leaderboard.settings import LeaderboardSettings
from brainuad.leaderboard.summary import (
    RANKING_COLUMNS,
    RANKS,
    cost_rows,
    own_rows,
    rank_columns,
    score_rows,
    stratum_rows,
)
from brainuad.leaderboard.values import ContestScores, read_contest, subject_groups
from brainuad.storage import write_table

ENTRANT_COLUMNS = [
    "contest",
    "dataset",
    "study",
    "title",
    "method",
    "label",
    "modalities",
    "spacing_mm",
    "training",
    "supervised",
    "runs",
    "runs_finished",
    "test_subjects",
    "common_subjects",
    "lesion_subjects",
    "validation_from",
    "healthy_fpr_from",
    "fpr_scans",
    "reason",
]
NOT_SCORED_COLUMNS = ["contest", "study", "reason"]


@dataclass(frozen=True)
class Ranking:
    """The tables of the leaderboard; `pairs` has one per contest. `not_scored`: studies that are not in a contest."""

    ranking: pd.DataFrame
    entrants: pd.DataFrame
    across: pd.DataFrame
    agreement: pd.DataFrame
    not_scored: pd.DataFrame
    pairs: dict[str, pd.DataFrame]

    def write(self, folder: Path) -> None:
        """Writes {ranking,entrants,across,agreement,not_scored}.tsv and pairs/{contest}.tsv."""
        for contest, table in self.pairs.items():
            write_table(table, folder / "pairs" / f"{contest}.tsv")
        for name in ("entrants", "across", "agreement", "not_scored", "ranking"):
            write_table(getattr(self, name), folder / f"{name}.tsv")


def rank_methods(inputs: RankingInputs, settings: LeaderboardSettings, seed: int) -> Ranking:
    """The leaderboard of everything that `inputs` names; what was not scored is an entrant without a rank."""
    ranking, entrants, pairs = [], [], {}
    for contest in inputs.contests:
        members = inputs.of_contest(contest)
        scores = read_contest(members)
        values = scores.table("auprc")
        field = choose_field(
            values,
            scores.tested,
            settings.minimum_subjects,
            settings.max_failed_share,
            [entrant.key for entrant in members if entrant.supervised],
        )
        ranking.append(_contest_rows(contest, members, scores, field, (settings, seed)))
        entrants.append(_entrant_rows(members, scores, field, inputs))
        pairs[contest] = _pairs(contest, scores, settings, seed)
    table = pd.concat(ranking, ignore_index=True) if ranking else pd.DataFrame(columns=RANKING_COLUMNS)
    listed = pd.concat(entrants, ignore_index=True) if entrants else pd.DataFrame(columns=ENTRANT_COLUMNS)
    agreement, across = _over_contests(table, inputs.contests)
    absent = pd.DataFrame([asdict(pair) for pair in inputs.not_scored], columns=NOT_SCORED_COLUMNS)
    return Ranking(table, listed, across, agreement, absent, pairs)


def _contest_rows(
    contest: str,
    members: Sequence[Entrant],
    scores: ContestScores,
    field: Field,
    draws: tuple[LeaderboardSettings, int],
) -> pd.DataFrame:
    settings, seed = draws
    groups = subject_groups(members, settings.attributes, settings.lesion_ml)
    rows = [
        *score_rows(scores, field),
        *stratum_rows(scores, field, groups),
        *own_rows(scores, healthy_scans(scores, members)),
        *cost_rows(members),
    ]
    table = pd.DataFrame(rows, columns=[c for c in RANKING_COLUMNS if c not in RANKS])
    table = mark_thresholds(table, threshold_origins(scores))
    table["subjects"] = table["subjects"].astype("Int64")
    ranks = rank_columns(scores, field, settings, seed, contest)
    merged = table.merge(
        ranks.assign(stratum=""), how="left", on=["study", "method", "metric", "protocol", "stratum"]
    )
    return merged.assign(contest=contest)[RANKING_COLUMNS]


def _pairs(contest: str, scores: ContestScores, settings: LeaderboardSettings, seed: int) -> pd.DataFrame:
    parts = []
    for quantity in RANKED:
        values = scores.table(quantity.metric, quantity.protocol).dropna(axis=1, how="all")
        values = values[[key for key in scores.tested if key in values]]
        parts.append(compare_pairs(values, (contest, quantity.metric, quantity.protocol), settings, seed))
    return pd.concat(parts, ignore_index=True)


def _entrant_rows(
    members: Sequence[Entrant], scores: ContestScores, field: Field, inputs: RankingInputs
) -> pd.DataFrame:
    rows = []
    origins, healthy = threshold_origins(scores), healthy_scans(scores, members)
    for entrant in members:
        modalities, spacing = _grid(entrant.arrays)
        rows.append(
            {
                "contest": entrant.contest,
                "dataset": entrant.dataset,
                "study": entrant.study,
                "title": inputs.titles.get(entrant.study, entrant.study),
                "method": entrant.method,
                "label": entrant.label,
                "modalities": " ".join(modalities),
                "spacing_mm": " ".join(f"{value:.3g}" for value in spacing),
                "training": " ".join(entrant.training),
                "supervised": entrant.supervised,
                "runs": entrant.runs,
                "runs_finished": scores.runs[entrant.key],
                "test_subjects": len(scores.tested[entrant.key]),
                "common_subjects": len(field.subjects) if entrant.key in field.methods else 0,
                "lesion_subjects": _with_lesion(entrant.arrays, scores.tested[entrant.key]),
                "validation_from": scans_of(origins, entrant.key, "validation"),
                "healthy_fpr_from": scans_of(origins, entrant.key, "healthy-fpr"),
                "fpr_scans": healthy[entrant.key].name if entrant.key in healthy else "",
                "reason": field.left_out.get(entrant.key, ""),
            }
        )
    return pd.DataFrame(rows, columns=ENTRANT_COLUMNS)


def _grid(arrays: Path) -> tuple[list[str], list[float]]:
    """The modalities and voxel size of packed arrays; empty where they are not there."""
    if not (arrays / "recipe.json").exists():
        return [], []
    store = ArrayStore(arrays)
    return store.channels, list(store.spacing_mm)


def _with_lesion(arrays: Path, subjects: set[str]) -> int:
    """How many of the subjects have a lesion in their mask."""
    if not (arrays / "index.tsv").exists():
        return 0
    voxels = ArrayStore(arrays).index["lesion_voxels"]
    return int((voxels[voxels.index.isin(subjects)] > 0).sum())


def _over_contests(ranking: pd.DataFrame, contests: Sequence[str]) -> tuple[pd.DataFrame, pd.DataFrame]:
    agreement, across = [pd.DataFrame(columns=AGREEMENT_COLUMNS)], [pd.DataFrame(columns=ACROSS_COLUMNS)]
    for quantity in RANKED:
        rows = ranking[(ranking["metric"] == quantity.metric) & (ranking["protocol"] == quantity.protocol)]
        rows = rows[(rows["stratum"] == "") & rows["rank"].notna()]
        rows = rows.assign(key=rows["study"] + "/" + rows["method"])
        ranks = rows.pivot(index="key", columns="contest", values="rank").reindex(columns=list(contests))
        named = {"metric": quantity.metric, "protocol": quantity.protocol}
        agreement.append(rank_agreement(ranks).assign(**named))
        across.append(across_contests(ranks).assign(**named))
    return (
        pd.concat(agreement, ignore_index=True)[AGREEMENT_COLUMNS],
        pd.concat(across, ignore_index=True)[ACROSS_COLUMNS],
    )
