"""Tables of the papers: values, reasons for empty cells, and the three written forms."""

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
import yaml

from brainuad.reporting.settings import TableSettings
from brainuad.reporting.table_text import escape_latex, number_text, table_as_latex, table_as_markdown
from brainuad.reporting.tables import build_table, write_tables

Build = Callable[..., TableSettings]


def score(method: str, run: int, value: float, **changes: object) -> dict[str, object]:
    row: dict[str, object] = {
        "study": "s", "method": method, "run": run, "dataset": "brats21", "subject": "pooled", "protocol": "",
        "metric": "auprc", "stratum": "", "value": value, "threshold": np.nan,
    }  # fmt: skip
    return row | changes


def cell(table: pd.DataFrame, row: str, column: str) -> pd.Series:
    return table[(table["row"] == row) & (table["column"] == column)].iloc[0]


def test_a_cell_holds_mean_and_sample_deviation_over_runs(table_settings: Build) -> None:
    scores = pd.DataFrame([score("dae-coarse", run, value) for run, value in enumerate((0.8, 0.9, 0.7))])
    filled = cell(build_table(table_settings(), scores), "DAE", "AUPRC")
    assert (filled["ours_mean"], filled["ours_sd"], filled["n_runs"]) == pytest.approx((0.8, 0.1, 3))
    assert (filled["published_mean"], filled["published_sd"]) == (0.833, 0.005)
    assert filled["difference"] == pytest.approx(0.8 - 0.833)


def test_one_run_has_no_deviation(table_settings: Build) -> None:
    table = build_table(table_settings(), pd.DataFrame([score("dae-coarse", 0, 0.8)]))
    assert np.isnan(cell(table, "DAE", "AUPRC")["ours_sd"])


def test_the_scale_of_a_column_applies_to_ours_only(table_settings: Build) -> None:
    scores = pd.DataFrame([score("dae-coarse", 0, 0.75, metric="dice", protocol="oracle")])
    filled = cell(build_table(table_settings(), scores), "DAE", "⌈Dice⌉")
    assert (filled["ours_mean"], filled["published_mean"]) == (75.0, 77.3)


def test_means_subjects_strata_and_other_protocols_do_not_enter_a_pooled_cell(table_settings: Build) -> None:
    others = [{"subject": "mean"}, {"subject": "S1"}, {"stratum": "small"}, {"protocol": "oracle"}]
    others += [{"metric": "dice"}, {"dataset": "mslub"}]
    rows = [score("dae-coarse", 0, 0.8), *(score("dae-coarse", 0, 0.1, **change) for change in others)]
    filled = cell(build_table(table_settings(), pd.DataFrame(rows)), "DAE", "AUPRC")
    assert (filled["ours_mean"], filled["n_runs"]) == (0.8, 1)


def test_an_empty_cell_says_why(table_settings: Build) -> None:
    scores = pd.DataFrame([score("dae-coarse", 0, 0.8), score("threshold", 0, float("nan"))])
    table = build_table(table_settings(), scores)
    assert cell(table, "ANDi", "AUPRC")["note"] == "not run"
    assert cell(table, "DAE", "⌈Dice⌉")["note"] == "not evaluated"
    assert cell(table, "Thresholding", "AUPRC")["note"] == "undefined"
    assert cell(table, "DAE", "CT")["note"] == "private data"
    assert table["ours_mean"].notna().sum() == 1


def test_the_reason_that_a_study_types_comes_before_those_of_its_scores() -> None:
    studies = Path(__file__).parents[3] / "workflow" / "studies"
    written = yaml.safe_load((studies / "kascenas2023-ct.yaml").read_text())["tables"]["cq500"]
    settings = TableSettings.model_validate(written)
    labels = {row.method: row.label for row in settings.rows}
    rows = [score(method, 0, 0.7, dataset="cq500", metric="auroc") for method in labels]
    rows += [score(method, 0, 0, dataset="cq500", metric="subjects_with_lesion") for method in labels]
    rows += [score("dae-coarse", 0, float("nan"), dataset="cq500")]
    table = build_table(settings, pd.DataFrame(rows))
    for label in labels.values():
        assert cell(table, label, "AUPRC")["note"] == "CQ500 has no lesion masks"
        assert (cell(table, label, "AUROC")["ours_mean"], cell(table, label, "AUROC")["note"]) == (0.7, "")


def test_a_run_without_a_value_is_noted(table_settings: Build) -> None:
    scores = pd.DataFrame([score("dae-coarse", 0, 0.8), score("dae-coarse", 1, float("nan"))])
    assert cell(build_table(table_settings(), scores), "DAE", "AUPRC")["note"] == "1 of 2 runs"


def test_a_column_may_name_the_variant_of_each_row(table_settings: Build) -> None:
    column = {"label": "coarse", "dataset": "brats21", "metric": "auprc", "aggregate": "pooled"}
    settings = table_settings(
        rows=[{"method": "dae", "label": "DAE"}],
        columns=[column | {"method": "{method}-coarse"}],
        published={},
    )
    table = build_table(settings, pd.DataFrame([score("dae-coarse", 0, 0.8)]))
    assert table.loc[0, "method"] == "dae-coarse"
    assert table.loc[0, "ours_mean"] == 0.8


def test_oracle_columns_are_marked_as_upper_bounds(table_settings: Build, scores: pd.DataFrame) -> None:
    table = build_table(table_settings(), scores)
    assert table.loc[table["column"] == "⌈Dice⌉", "upper_bound"].all()
    assert not table.loc[table["column"] == "AUPRC", "upper_bound"].any()
    for text in (table_as_markdown(table_settings(), table), table_as_latex(table_settings(), table, "t")):
        assert "(upper bound)" in text
        assert "chosen on the test data itself" in text


def test_tables_of_a_phantom_begin_with_a_note(table_settings: Build, scores: pd.DataFrame) -> None:
    table = build_table(table_settings(), scores, phantoms={"brats21"})
    markdown = table_as_markdown(table_settings(), table)
    assert markdown.index("simulated phantom: not comparable with the published values") < markdown.index(
        "| Method"
    )
    assert "simulated phantom" in table_as_latex(table_settings(), table, "t")


def test_tables_of_real_data_have_no_such_note(table_settings: Build, scores: pd.DataFrame) -> None:
    assert "phantom" not in table_as_markdown(table_settings(), build_table(table_settings(), scores))


def test_a_markdown_cell_shows_ours_published_and_difference(table_settings: Build) -> None:
    scores = pd.DataFrame([score("dae-coarse", run, value) for run, value in enumerate((0.80, 0.82))])
    markdown = table_as_markdown(table_settings(), build_table(table_settings(), scores))
    assert "0.810 ± 0.014<br>published 0.833 ± 0.005 (−0.023)" in markdown
    assert "*not run*<br>published 0.798" in markdown
    assert "Published values: Somebody 2023, Table 1, page 5." in markdown


def test_every_markdown_row_has_as_many_cells_as_the_header(
    table_settings: Build, scores: pd.DataFrame
) -> None:
    settings = table_settings(title="a | b")
    lines = table_as_markdown(settings, build_table(settings, scores)).splitlines()
    rows = [line for line in lines if line.startswith("|")]
    assert len(rows) == 5
    assert {row.count("|") for row in rows} == {5}


def test_the_best_ranked_method_is_bold_and_reference_rows_are_not_ranked(table_settings: Build) -> None:
    rows = [
        {"method": "threshold", "label": "T"},
        {"method": "dae-coarse", "label": "D"},
        {"method": "unet", "label": "U", "reference": True},
    ]
    scores = pd.DataFrame([score("threshold", 0, 0.4), score("dae-coarse", 0, 0.8), score("unet", 0, 0.9)])
    settings = table_settings(rows=rows, published={})
    markdown = table_as_markdown(settings, build_table(settings, scores))
    assert "**0.800**" in markdown
    assert "**0.900**" not in markdown


def test_latex_has_balanced_braces_and_as_many_separators_as_columns(
    table_settings: Build, scores: pd.DataFrame
) -> None:
    latex = table_as_latex(table_settings(), build_table(table_settings(), scores), "table1")
    assert latex.count("{") == latex.count("}")
    body = latex[latex.index(r"\toprule") : latex.index(r"\bottomrule")]
    rows = [line for line in body.splitlines() if line.endswith(r"\\")]
    assert {line.replace(r"\&", "").count("&") for line in rows} == {3}
    assert all(latex.count(rule) == 1 for rule in (r"\toprule", r"\midrule", r"\bottomrule"))


@pytest.mark.parametrize(
    ("text", "escaped"),
    [("50 %", r"50 \%"), ("a_b & c", r"a\_b \& c"), ("⌈x⌉ ± −1", r"$\lceil$x$\rceil$ $\pm$ $-$1")],
)
def test_latex_escapes_what_latex_would_read_as_commands(text: str, escaped: str) -> None:
    assert escape_latex(text) == escaped


def test_numbers_are_written_with_the_asked_decimals() -> None:
    assert number_text(0.12345, 0.001, 3) == "0.123 ± 0.001"
    assert number_text(12.0, float("nan"), 1) == "12.0"
    assert number_text(float("nan"), float("nan"), 1) == ""


def test_three_files_are_written_and_the_tidy_one_reads_back(
    table_settings: Build, scores: pd.DataFrame, tmp_path: Path
) -> None:
    table = build_table(table_settings(), scores, {"brats21"})
    write_tables(table_settings(), table, tmp_path, "table1")
    assert sorted(path.name for path in tmp_path.iterdir()) == ["table1.csv", "table1.md", "table1.tex"]
    read = pd.read_csv(tmp_path / "table1.csv")
    assert read["ours_mean"].to_numpy() == pytest.approx(table["ours_mean"].to_numpy(float), nan_ok=True)


def test_a_remark_on_a_method_is_a_note_of_its_tables(table_settings: Build) -> None:
    scores = pd.DataFrame([score("dae-coarse", 0, 0.8)])
    remarks = {"dae-coarse": "perceptual network with random weights.", "andi": "never run."}
    markdown = table_as_markdown(table_settings(), build_table(table_settings(), scores, remarks=remarks))
    assert "> DAE: perceptual network with random weights." in markdown
    assert "never run" not in markdown


def test_the_spread_may_be_that_of_subjects(table_settings: Build) -> None:
    values = {("S1", 0): 0.1, ("S1", 1): 0.3, ("S2", 0): 0.6, ("S2", 1): 0.8}
    rows = [score("dae-coarse", run, v, subject=name) for (name, run), v in values.items()]
    rows += [score("dae-coarse", run, mean, subject="mean") for run, mean in ((0, 0.35), (1, 0.55))]
    column = {"label": "AUPRC", "dataset": "brats21", "metric": "auprc"}
    settings = table_settings(columns=[column], published={}, spread="subjects")
    table = build_table(settings, pd.DataFrame(rows))
    filled = cell(table, "DAE", "AUPRC")
    assert filled["ours_mean"] == pytest.approx(0.45)
    assert filled["ours_sd"] == pytest.approx(np.std([0.2, 0.7], ddof=1))
    assert (filled["n_runs"], filled["n_subjects"]) == (2, 2)
    note = "ours (mean over 2 runs ± standard deviation over subjects, n = 2)"
    assert note in table_as_markdown(settings, table)


def test_pooled_columns_have_no_spread_over_subjects(table_settings: Build) -> None:
    with pytest.raises(ValueError, match="no values of their own in the pooled columns"):
        table_settings(spread="subjects")
