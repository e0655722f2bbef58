"""Matrices of differences between methods, with corrected p values."""

from collections.abc import Hashable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from brainuad.reporting.colours import colour_of
from brainuad.reporting.inputs import StudyEntry
from brainuad.reporting.names import ALPHA, better, p_text, score_label
from brainuad.storage import read_table

NUMBERS = ["n", "mean_a", "mean_b", "difference", "ci_low", "ci_high", "effect_size", "p", "p_holm"]


@dataclass(frozen=True)
class Comparison:
    """Row method minus column method; `kind` is better, worse, same (not significant) or none.

    None: there is no test, or no value of the metric is better than another.
    """

    kind: str
    difference: str
    p: str
    description: str


@dataclass(frozen=True)
class Matrix:
    """All pairs of one test; methods from the best mean to the worst."""

    title: str
    test: str
    methods: tuple[tuple[str, str], ...]  # label, colour
    rows: tuple[tuple[Comparison | None, ...], ...]
    details: tuple[dict[str, str], ...]


def matrices(study: StudyEntry, dataset: str) -> list[Matrix]:
    """One matrix per metric, protocol and test of the data set; none where statistics were not made."""
    table = _read(study.statistics(dataset))
    if table.empty:
        return []
    groups = table.groupby(["metric", "protocol", "test"], sort=False)
    found = [_matrix(group, study) for _, group in groups]
    return sorted(found, key=lambda matrix: "unpaired" in matrix.test)


def _read(path: Path) -> pd.DataFrame:
    if not path.exists():
        return pd.DataFrame()
    table = read_table(path)
    for column in NUMBERS:
        table[column] = pd.to_numeric(table[column], errors="coerce")
    return table


def _matrix(group: pd.DataFrame, study: StudyEntry) -> Matrix:
    labels = {method.name: method.label for method in study.methods}
    means = pd.concat(
        [group.groupby("method_a")["mean_a"].mean(), group.groupby("method_b")["mean_b"].mean()]
    )
    first = group.iloc[0]
    lower = better(str(first["metric"])) == "lower"
    order = means.groupby(level=0).mean().sort_values(ascending=lower, na_position="last").index.tolist()
    pairs = {}
    for pair in group.to_dict("records"):
        pairs[pair["method_a"], pair["method_b"]] = _comparison(pair, 1, labels)
        pairs[pair["method_b"], pair["method_a"]] = _comparison(pair, -1, labels)
    return Matrix(
        title=score_label(str(first["metric"]), str(first["protocol"])),
        test=str(first["test"]),
        methods=tuple((labels.get(method, method), colour_of(method)) for method in order),
        rows=tuple(tuple(pairs.get((a, b)) for b in order) for a in order),
        details=tuple(_details(pair, labels) for pair in group.to_dict("records")),
    )


def _comparison(pair: Mapping[Hashable, Any], sign: int, labels: dict[str, str]) -> Comparison:
    names = [labels.get(pair[key], pair[key]) for key in ("method_a", "method_b")][::sign]
    if not np.isfinite(pair["p"]):
        return Comparison("none", "–", "", f"{names[0]} and {names[1]}: {pair.get('reason') or 'no test'}")
    difference, p = sign * pair["difference"], pair["p_holm"]
    low, high = sorted((sign * pair["ci_low"], sign * pair["ci_high"]))
    text = (
        f"{names[0]} minus {names[1]}: {_signed(difference)} "
        f"(95 % interval {_signed(low)} to {_signed(high)}), "
        f"Holm-corrected p {p_text(p)}, n = {pair['n']:.0f}"
    )
    return Comparison(_kind(pair["metric"], difference, p), _signed(difference), f"p {p_text(p)}", text)


def _kind(metric: str, difference: float, p: float) -> str:
    direction = better(metric)
    if p >= ALPHA:
        return "same"
    if direction == "neither":
        return "none"
    return "better" if (difference > 0) == (direction == "higher") else "worse"


def _details(pair: Mapping[Hashable, Any], labels: dict[str, str]) -> dict[str, str]:
    tested = np.isfinite(pair["p"])
    return {
        "Method A": labels.get(pair["method_a"], pair["method_a"]),
        "Method B": labels.get(pair["method_b"], pair["method_b"]),
        "n": f"{pair['n']:.0f}",
        "Mean A": f"{pair['mean_a']:.3f}" if tested else "",
        "Mean B": f"{pair['mean_b']:.3f}" if tested else "",
        "A − B": _signed(pair["difference"]) if tested else "",
        "95 % interval": f"{_signed(pair['ci_low'])} to {_signed(pair['ci_high'])}" if tested else "",
        "d_z": _signed(pair["effect_size"], 2) if np.isfinite(pair["effect_size"]) else "",
        "p": p_text(pair["p"]).removeprefix("= ") if tested else str(pair.get("reason", "")),
        "p (Holm)": p_text(pair["p_holm"]).removeprefix("= ") if tested else "",
    }


def _signed(value: float, digits: int = 3) -> str:
    return f"{value:+.{digits}f}".replace("-", "−")
