"""The five papers on the smallest phantoms with trainings of a few steps: every table and figure is made."""

import re
from pathlib import Path
from typing import Any

import pandas as pd
import pytest
import yaml

from tests.workflow.conftest import Workflow, copy_workflow

PAPERS = ("kascenas2023", "behrendt2023", "frotscher2023", "bercea2023-ra", "bercea2023-autoddpm")
SUBJECTS = {"ixi": 4, "brats21": 5, "mslub": 3, "msseg": 3, "ljubljana": 3, "atlas2": 4, "fastmri": 18}
# Raw heads without N4, which the smaller workflows run.
RAW_HEADS = ("ixi", "mslub", "msseg", "ljubljana")
RAW = {"preprocessing": {"n4": False}}
TRAINING = {"iterations": 2, "batch_size": 2, "validate_every": 2, "validation_batches": 1}


# Methods that differ from another one in a setting alone.
LEFT_OUT = {
    "kascenas2023": [
        *("reconstruction-gaussian", "reconstruction-simplex", "kl-gaussian", "kl-simplex"),
        *("kl-inpainting-gaussian", "kl-inpainting-simplex"),
    ],
    "behrendt2023": [
        *("vae", "f-anogan", "pddpm-random-lrec", "pddpm-fixed-lrec"),
        *("pddpm-fixed-lp-rate", "pddpm-fixed-lp-linear"),
    ],
    "frotscher2023": ["dae", "thresholding-mf3", "thresholding-mf5", "anoddpm-mf3", "autoddpm-mf3"],
    "bercea2023-ra": ["vae", "si-vae", "ra-without-perception", "plain-without-reverse"],
    "bercea2023-autoddpm": [
        *("anoddpm-t100", "anoddpm-t150", "anoddpm-t250", "anoddpm-t300", "anoddpm-t200-simplex"),
    ],
}
REASON = "left out of this test"
# What a figure writes where it has nothing to show.
EMPTY = re.compile("not run|no values|no image|no map|not made")


def leave_out(study: dict[str, Any], names: list[str]) -> None:
    """Remove methods from a study; the rows and points that need them say so."""
    for name in names:
        del study["methods"][name]
    for table in study["tables"].values():
        for row in table["rows"]:
            cells = {
                column.get("method", "{method}").format(method=row["method"]) for column in table["columns"]
            }
            if not cells <= study["methods"].keys():
                row["unavailable"] = REASON
    for figure in study["figures"].values():
        if "methods" in figure:
            figure["methods"] = [entry for entry in figure["methods"] if entry["method"] not in names]
        for series in figure.get("series", []):
            series["methods"] = [None if name in names else name for name in series.get("methods", [])]
            if "sweep" in series:
                del series["methods"]


def shrink(study: dict[str, Any]) -> dict[str, Any]:
    """One run, trainings of two steps, two values in each sweep, and the paper's own data sets alone."""
    for dataset in study.pop("leaderboard_datasets", []):
        if dataset not in study["training_data"]["datasets"]:
            del study["splits"][dataset]
            study.get("recipes", {}).pop(dataset, None)
    for model in study["models"].values():
        quick = model.setdefault("quick", {})
        quick["training"] = {**quick.get("training", {}), **TRAINING}
    quick = study.setdefault("quick", {})
    quick["runs"] = {"count": 1}
    for name, sweep in study.get("sweeps", {}).items():
        sweep.pop("equal_to", None)
        quick["sweeps"][name].pop("equal_to", None)
        values = quick["sweeps"][name]["values"]
        quick["sweeps"][name]["values"] = values[-2:] if name == "patch-size" else values[:2]  # few passes
        assert len(sweep["values"]) > 2
    return study


@pytest.fixture(scope="module")
def papers(tmp_path_factory: pytest.TempPathFactory) -> Workflow:
    """The five studies of the papers, run to the end."""
    workflow = copy_workflow(tmp_path_factory.mktemp("papers") / "workflow")
    for name in PAPERS:
        path = workflow.folder / "workflow" / "studies" / f"{name}.yaml"
        study = yaml.safe_load(path.read_text())
        leave_out(study, LEFT_OUT[name])
        path.write_text(yaml.safe_dump(shrink(study)))
    recipes = workflow.folder / "workflow" / "recipes.yaml"
    # Few slices of a volume.
    recipes.write_text(recipes.read_text().replace("- 1\n      - 1\n      - 4", "- 1\n      - 1\n      - 10"))
    workflow.change(
        "config.yaml",
        {
            "studies": list(PAPERS),
            "datasets": {name: RAW if name in RAW_HEADS else "phantom" for name in SUBJECTS},
            "phantom/subjects": SUBJECTS,
            "phantom/settings": {"spacing_mm": 2.5},
        },
    )
    workflow.run()
    return workflow


def tables(workflow: Workflow) -> dict[str, pd.DataFrame]:
    return {
        f"{path.parents[1].name}/{path.stem}": pd.read_csv(path, keep_default_na=False)
        for path in sorted((workflow.folder / "results").glob("*/tables/*.csv"))
    }


def test_every_table_of_the_papers_is_made(papers: Workflow) -> None:
    assert list(tables(papers)) == [
        *("behrendt2023/sensitivity", "behrendt2023/table1", "bercea2023-autoddpm/sensitivity"),
        *("bercea2023-autoddpm/table1", "bercea2023-autoddpm/table2", "bercea2023-autoddpm/table3"),
        *("bercea2023-ra/classes", "bercea2023-ra/table1a"),
        "bercea2023-ra/table1b",
        *("bercea2023-ra/table2a", "bercea2023-ra/table2b", "bercea2023-ra/table3"),
        *("frotscher2023/table1", "frotscher2023/table2", "kascenas2023/table2", "kascenas2023/table3"),
    ]


def test_every_cell_comes_from_a_run_or_says_why_not(papers: Workflow) -> None:
    for name, table in tables(papers).items():
        empty = table[(table["ours_mean"].astype(str) == "") & (table["note"] == "")]
        assert empty.empty, f"{name}\n{empty[['row', 'column']]}"


def test_every_figure_is_drawn_and_not_empty(papers: Workflow) -> None:
    said = []
    for name in PAPERS:
        study = yaml.safe_load((papers.folder / "workflow" / "studies" / f"{name}.yaml").read_text())
        folder = papers.folder / "results" / name / "figures"
        assert sorted(path.stem for path in folder.glob("*.png")) == sorted(study["figures"])
        # Matplotlib writes each text as a comment beside its outlines.
        for path in folder.glob("*.svg"):
            texts = re.findall(r"<!-- (.*?) -->", path.read_text())
            said += [f"{name}/{path.stem}: {text}" for text in texts if EMPTY.search(text)]
    assert not said


def test_methods_are_compared_on_every_test_set(papers: Workflow) -> None:
    for path in sorted((papers.folder / "results").glob("*/statistics/*.tsv")):
        table = pd.read_csv(path, sep="\t", keep_default_na=False)
        assert len(table), path
        assert ((table["p"] != "") | (table["reason"] != "")).all(), path


def test_cells_are_tested_against_the_best_of_their_column(papers: Workflow) -> None:
    table = tables(papers)["kascenas2023/table3"]
    tested = table[
        (table["column"] == "AUPRC") & (table["ours_mean"] != "") & (table["tested_against"] != "")
    ]
    assert len(tested) == len(table[(table["column"] == "AUPRC") & (table["ours_mean"] != "")]) - 1
    assert tested["tested_against"].nunique() == 1
    assert ((tested["p_holm"] != "") | (tested["test_note"] != "")).all()


def test_the_leaderboard_ranks_methods_of_several_studies_on_one_data_set(papers: Workflow) -> None:
    ranking = pd.read_csv(papers.folder / "results/leaderboard/ranking.tsv", sep="\t")
    on_tumours = ranking[ranking["contest"] == "brats21"]
    assert {"kascenas2023", "behrendt2023", "frotscher2023"} <= set(on_tumours["study"])


def test_the_report_shows_all_studies(papers: Workflow) -> None:
    text = Path(papers.folder / "results/report/index.html").read_text()
    for name in PAPERS:
        assert name in text
