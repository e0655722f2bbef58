"""The first page: what each study asked for, what of it is there, and the leading methods."""

from typing import Any

from brainuad.reporting.colours import colour_of
from brainuad.reporting.figures.style import Results
from brainuad.reporting.names import dataset_name, score_label
from brainuad.reporting.summary import Quantity, over_runs, select
from brainuad.reporting.table_text import number_text

# The first of these that a data set has decides the order of methods on the first page.
HEADLINES = (
    ("auprc", "", "pooled"),
    ("auprc", "", "mean"),
    ("dice", "validation", "mean"),
    ("auroc", "", "pooled"),
)
SHOWN = 3


def study_card(results: Results) -> dict[str, Any]:
    """Title, progress and the leading methods on each data set of one study."""
    study = results.study
    done = [path for path in study.score_files() if path.exists()]
    leaders = [board for entry in study.datasets if (board := _leaders(results, entry.name))]
    return {
        "study": study,
        "done": len(done),
        "wanted": len(study.score_files()),
        "datasets": [(dataset_name(entry.name), entry.phantom) for entry in study.datasets],
        "leaders": leaders,
    }


def _leaders(results: Results, dataset: str) -> dict[str, Any] | None:
    labels = {method.name: method.label for method in results.study.methods if method.compared}
    for metric, protocol, aggregate in HEADLINES:
        rows = select(results.scores, Quantity(dataset, metric, protocol, aggregate))
        rows = rows[rows["method"].isin(labels)].dropna(subset=["value"])
        if rows.empty:
            continue
        order = rows.groupby("method", observed=True)["value"].mean().sort_values(ascending=False)
        best = [
            {
                "label": labels[str(method)],
                "colour": colour_of(str(method)),
                "mean": float(mean),
                "text": number_text(*over_runs(rows.loc[rows["method"] == method, "value"])[:2], 3),
            }
            for method, mean in order.head(SHOWN).items()
        ]
        return {
            "dataset": dataset_name(dataset),
            "metric": score_label(metric, protocol, aggregate),
            "methods": best,
        }
    return None
