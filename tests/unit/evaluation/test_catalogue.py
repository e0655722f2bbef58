"""The catalogue of score tables, against the rows that evaluations write."""

from pathlib import Path

import pandas as pd
import pytest

from brainuad.evaluation.catalogue import Scored, catalogue
from brainuad.evaluation.settings import EvaluationSettings
from tests.unit.evaluation.toy import (
    ALL,
    HEALTHY,
    PATIENTS,
    change_index,
    change_manifest,
    evaluate,
    write_dataset,
)

SETTINGS = {
    "threshold_grid": {"start": 0, "stop": 1, "step": 0.1},
    "subject_strata": [
        {"name": "small", "up_to": 30},
        {"name": "large", "above": 30},
        {"name": "wide", "by": "diameter_mm", "above": 5},
    ],
    "lesion_strata": [{"name": "tiny", "up_to": 30}],
    "attributes": ["age", "sex", "site"],
    "conditions": {"pathology": ["cyst"], "artefacts": ["motion"]},
    "boxes": True,
}
EVERY = (*ALL, "healthy-fpr-grid")
# Written for the log of a run, not for tables.
FOR_THE_LOG = ("protocol_left_out",)


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("catalogue")
    write_dataset(path, "toy", PATIENTS, without_lesion=("p3",))
    write_dataset(path, "well", HEALTHY, group="healthy")
    change_index(path, "toy", "p1", age=85, sex="F", site="IOP", condition="cyst")
    change_index(path, "toy", "p2", age=19, sex="M", site="HH", condition="motion")
    for dataset, subjects in (("toy", ("p1", "p2", "p3")), ("well", ("h3", "h4"))):
        for subject in subjects:
            change_manifest(path, dataset, subject, mse=0.1, ssim=0.9, lpips=0.2, lpips_lesion=0.3)
            change_manifest(path, dataset, subject, mse_lesion=0.1)
    planted = pd.DataFrame({"subject": ["p1"], "diameter_mm": [7.5]})
    planted.to_csv(path / "arrays/toy/planted.tsv", sep="\t", index=False)
    boxes = {"subject": ["p1"], "box": [0], "label": ["mass"], "slice": [2], "x_first": [2], "x_last": [4]}
    boxes |= {"y_first": [3], "y_last": [4]}
    pd.DataFrame(boxes).to_csv(path / "arrays/toy/boxes.tsv", sep="\t", index=False)
    return path


def known(scored: Scored, row: pd.Series) -> bool:
    """Whether the catalogue has an aggregated row."""
    return any(
        entry.metric == row["metric"]
        and row["protocol"] in entry.protocols
        and row["subject"] in entry.aggregates
        and row["stratum"] in entry.strata
        for entry in catalogue(scored)
    )


@pytest.mark.parametrize("role", ["test", "validation"])
def test_every_aggregated_row_of_an_evaluation_is_in_the_catalogue(folder: Path, role: str) -> None:
    scores, _ = evaluate(folder, role=role, protocols=EVERY, **SETTINGS)
    settings = EvaluationSettings(**SETTINGS, protocols=EVERY, role=role)
    kept = tuple(name for name in EVERY if name not in settings.leaking_protocols)
    scored = Scored(settings, kept, healthy="well", planted="spheres", lpips=True)
    rows = scores[scores["subject"].isin(["pooled", "mean"]) & ~scores["metric"].isin(FOR_THE_LOG)]
    assert len(rows) > 50
    unknown = [tuple(row[["metric", "protocol", "subject", "stratum"]]) for _, row in rows.iterrows()
               if not known(scored, row)]  # fmt: skip
    assert unknown == []


def test_every_metric_and_protocol_of_the_catalogue_is_in_a_full_evaluation(folder: Path) -> None:
    scores, _ = evaluate(folder, protocols=EVERY, **SETTINGS)
    scored = Scored(
        EvaluationSettings(**SETTINGS, protocols=EVERY), EVERY, "well", planted="spheres", lpips=True
    )
    written = set(zip(scores["metric"], scores["protocol"], scores["subject"], strict=True))
    listed = {
        (entry.metric, protocol, aggregate)
        for entry in catalogue(scored)
        for protocol in entry.protocols
        for aggregate in entry.aggregates
    }
    rare = {("subjects_failed", "", "pooled"), ("subjects_image_only", "", "pooled")}
    assert listed - written <= rare


def test_without_boxes_grid_and_planted_anomalies_their_metrics_are_unknown() -> None:
    listed = {entry.metric for entry in catalogue(Scored(EvaluationSettings(), ("oracle",)))}
    assert listed.isdisjoint({"dice_grid", "detected", "mse_lesion", "lpips", "threshold"})
    assert {"auprc", "dice", "dice_mean_volumes", "l1"} <= listed


@pytest.mark.parametrize(("planted", "has"), [("", False), ("ellipses", False), ("spheres", True)])
def test_only_spheres_have_strata_by_their_diameter(planted: str, has: bool) -> None:
    settings = EvaluationSettings(**SETTINGS)
    listed = catalogue(Scored(settings, ("oracle",), planted=planted))
    (pooled,) = (entry for entry in listed if entry.metric == "auprc" and "pooled" in entry.aggregates)
    assert ("wide" in pooled.strata, "large" in pooled.strata) == (has, True)
