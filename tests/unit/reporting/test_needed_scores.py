"""Which scores a table or figure waits for."""

from pydantic import TypeAdapter

from brainuad.reporting.figure_settings import FigureSettings
from brainuad.reporting.needed_scores import Needed, needed_by_figure, needed_by_table
from brainuad.reporting.settings import TableSettings


def figure(**content: object) -> Needed:
    return needed_by_figure(TypeAdapter(FigureSettings).validate_python({"title": "T", **content}))


def needed(methods: set[str], datasets: set[str]) -> Needed:
    return Needed(frozenset(methods), frozenset(datasets))


def test_a_table_needs_the_variants_of_its_rows_that_can_be_filled() -> None:
    rows = [{"method": "dae", "label": "DAE"}, {"method": "ct", "label": "CT", "unavailable": "private"}]
    auprc = {"label": "AUPRC", "metric": "auprc", "aggregate": "pooled"}
    columns = [
        auprc | {"dataset": "brats21", "method": "{method}-coarse"},
        auprc | {"dataset": "mslub", "method": "{method}-simplex"},
    ]
    table = TableSettings.model_validate({"title": "T", "rows": rows, "columns": columns})
    assert needed_by_table(table) == needed({"dae-coarse", "dae-simplex"}, {"brats21", "mslub"})


def test_figures_need_what_they_name() -> None:
    methods = [{"method": "dae", "label": "DAE"}]
    assert figure(kind="maps", dataset="mslub", methods=methods) == needed({"dae"}, {"mslub"})
    assert figure(kind="bars", datasets=["a", "b"], methods=methods) == needed({"dae"}, {"a", "b"})
    series = [{"label": "S", "methods": ["x", None]}, {"label": "T", "methods": ["y", "z"], "dataset": "b"}]
    trend = figure(kind="trend", dataset="a", x_label="x", x=[1, 2], series=series)
    assert trend == needed({"x", "y", "z"}, {"a", "b"})


def test_figures_of_noise_and_logs_need_no_method() -> None:
    noise = [{"label": "coarse", "noise": {"kind": "coarse"}}]
    assert figure(kind="noise-samples", panels=noise) == needed(set(), set())
    assert figure(kind="noise-samples", panels=noise, dataset="a") == needed(set(), {"a"})
    assert figure(kind="training-curves", models=[{"model": "m", "label": "M"}]).methods == frozenset()
    assert figure(kind="latent-map", methods=[{"method": "ra", "label": "RA"}]).datasets == frozenset()
