"""benchmarks/report_speed.py labels as many reports as it is asked for, and counts what that costs."""

import csv
import sys
from importlib.util import module_from_spec, spec_from_file_location
from pathlib import Path
from types import ModuleType

import pytest


@pytest.fixture(scope="module")
def benchmark() -> ModuleType:
    path = Path(__file__).parents[3] / "benchmarks/report_speed.py"
    spec = spec_from_file_location("report_speed", path)
    assert spec is not None
    assert spec.loader is not None
    module = module_from_spec(spec)
    sys.modules[spec.name] = module
    spec.loader.exec_module(module)
    return module


def test_so_many_reports_are_written_the_same_each_time(benchmark: ModuleType, tmp_path: Path) -> None:
    for name, number in (("a.csv", 37), ("b.csv", 37), ("c.csv", 50)):
        benchmark.write_reports(tmp_path / name, number, 0)
    with (tmp_path / "a.csv").open(encoding="utf-8", newline="") as file:
        assert len(list(csv.DictReader(file))) == 37
    assert (tmp_path / "a.csv").read_bytes() == (tmp_path / "b.csv").read_bytes()
    assert (tmp_path / "c.csv").read_bytes().startswith((tmp_path / "a.csv").read_bytes())


def test_each_report_has_words_of_its_own(benchmark: ModuleType, tmp_path: Path) -> None:
    benchmark.write_reports(tmp_path / "reports.csv", 30, 0)
    with (tmp_path / "reports.csv").open(encoding="utf-8", newline="") as file:
        last = [row["text"].rsplit("Reported by Dr ", 1)[1].split(", ") for row in csv.DictReader(file)]
    assert all(len(set(words)) == 30 for words in zip(*last, strict=True))


def test_what_labelling_costs_is_counted(benchmark: ModuleType, tmp_path: Path) -> None:
    benchmark.write_reports(tmp_path / "reports.csv", 20, 0)
    cost = benchmark.cost_of(tmp_path / "reports.csv", 1)
    assert cost.reports == 20
    assert cost.seconds > 0
    assert cost.processor_seconds > 0
    assert cost.main_mib > 50
