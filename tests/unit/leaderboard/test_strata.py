"""A difference between groups of patients stands in the row and the column of those groups, and in no other."""

from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from brainuad.leaderboard.inputs import Entrant
from brainuad.leaderboard.rank import Ranking, rank_methods
from brainuad.reporting.pages.ranking_sheets import sheets
from brainuad.reporting.pages.ranking_tables import read_tables
from brainuad.storage import read_table, write_table
from tests.unit.leaderboard.toy import QUICK, Made, make_inputs, name

SUBJECTS = range(24)
SEX, AGE, SITE = ("F", "M"), ("25", "50"), ("Guys", "HH")
LESION_MM3 = (500, 5_000, 20_000)  # small, medium, large
GROUPS = {
    "sex": ("sex F", "sex M"),
    "age": ("age 20-40", "age 40-60"),
    "site": ("site Guys", "site HH"),
    "lesion load": ("lesion load small", "lesion load medium", "lesion load large"),
}
# The method that each group makes a difference to has this value in it, and those of others the base.
BASE, STEP = 0.2, 0.3
METHOD = {"sex": "a", "age": "b", "site": "c", "lesion load": "d"}
RECALL = {"small": 0.1, "medium": 0.4, "large": 0.8}


def places(number: int) -> dict[str, int]:
    """The place of a subject in each kind of group; every combination is as frequent."""
    return {"sex": number % 2, "age": number // 2 % 2, "site": number // 4 % 2, "lesion load": number // 8}


def plant_differences(entrant: Entrant) -> None:
    """Groups of the subjects of an entrant, and scores that differ between those of one kind."""
    of = [places(number) for number in SUBJECTS]
    index = read_table(entrant.arrays / "index.tsv")
    index["sex"] = [SEX[place["sex"]] for place in of]
    index["age"] = [AGE[place["age"]] for place in of]
    index["site"] = [SITE[place["site"]] for place in of]
    index["lesion_voxels"] = [str(round(LESION_MM3[place["lesion load"]] / 8)) for place in of]
    write_table(index, entrant.arrays / "index.tsv")
    kind = next(kind for kind, method in METHOD.items() if method == entrant.method)
    value = {name("mslub", number): str(BASE + STEP * places(number)[kind]) for number in SUBJECTS}
    scores = read_table(entrant.scores(0))
    asked = scores["subject"].isin(value) & scores["metric"].isin(["auprc", "dice"])
    scores.loc[asked, "value"] = scores.loc[asked, "subject"].map(value)
    found = (scores["metric"] == "lesion_recall") & scores["stratum"].isin(RECALL)
    scores.loc[found, "value"] = scores.loc[found, "stratum"].map(RECALL).astype(str)
    write_table(scores, entrant.scores(0))


@pytest.fixture(scope="module")
def ranking(tmp_path_factory: pytest.TempPathFactory) -> Ranking:
    made = Made(dict.fromkeys(METHOD.values(), 0.5), {"mslub": SUBJECTS})
    inputs = make_inputs(tmp_path_factory.mktemp("results"), {"one": made})
    for entrant in inputs.entrants:
        plant_differences(entrant)
    return rank_methods(inputs, QUICK, seed=0)


def means(ranking: Ranking, method: str, metric: str, protocol: str, prefix: str) -> pd.Series:
    """The means of a method by stratum."""
    table = ranking.ranking
    chosen = (table["method"] == method) & (table["metric"] == metric) & (table["protocol"] == protocol)
    return table[chosen & table["stratum"].str.startswith(prefix)].set_index("stratum")["mean"].astype(float)


@pytest.mark.parametrize("kind", GROUPS)
@pytest.mark.parametrize(("metric", "protocol"), [("auprc", ""), ("dice", "validation")])
def test_a_difference_between_groups_is_in_their_rows(
    ranking: Ranking, kind: str, metric: str, protocol: str
) -> None:
    for group, method in METHOD.items():
        found = means(ranking, method, metric, protocol, kind)
        values = BASE + STEP * np.arange(len(GROUPS[group]))
        expected = values if group == kind else np.full(len(GROUPS[kind]), values.mean())
        assert found[list(GROUPS[kind])].tolist() == pytest.approx(list(expected))
        assert len(found) == len(GROUPS[kind])


@pytest.mark.parametrize("protocol", ["validation", "healthy-fpr", "yen"])
def test_lesions_found_are_in_the_rows_of_their_size(ranking: Ranking, protocol: str) -> None:
    found = means(ranking, "a", "lesion_recall", protocol, "lesion ")
    assert found.to_dict() == pytest.approx({f"lesion {size}": value for size, value in RECALL.items()})


def test_a_difference_between_groups_is_in_their_columns_of_the_page(
    ranking: Ranking, tmp_path: Path
) -> None:
    ranking.write(tmp_path)
    tables = read_tables(tmp_path)
    assert tables is not None
    sheet = next(sheet for sheet in sheets(tables, "mslub") if sheet.title == "Groups of patients")
    cells = next(cells for competitor, cells in sheet.rows if competitor.key == "one/d")
    shown = {
        column.group: cell.value
        for column, cell in zip(sheet.columns, cells, strict=True)
        if column.quantity.metric == "auprc" and column.group.startswith("lesion load")
    }
    assert shown == pytest.approx(
        {f"lesion load {size} (n = 8)": BASE + STEP * place for place, size in enumerate(RECALL)}
    )
