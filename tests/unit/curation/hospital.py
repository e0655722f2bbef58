"""A small export of a hospital, written as files, for the tests of the selection."""

import csv
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pandas as pd

from tests.verbs import error_of, run

NORMAL = "CT head. There is no acute intracranial haemorrhage."


@dataclass
class Hospital:
    """Rows that a test adds, and the verb called on them."""

    folder: Path
    scans: list[tuple[str, ...]] = field(default_factory=list)
    reports: list[tuple[str, ...]] = field(default_factory=list)
    labels: list[tuple[str, ...]] = field(default_factory=list)

    def scan(
        self, scan: str, patient: str, report: str, date: str = "", path: str = "", series: str = ""
    ) -> None:
        self.scans.append((scan, patient, date, report, path, series))

    def report(self, report: str, patient: str, text: str = NORMAL, date: str = "") -> None:
        self.reports.append((report, patient, date, text))

    def label(self, report: str, label: str = "", certainty: str = "") -> None:
        self.labels.append((report, label, certainty, "", ""))

    def normal(self, number: int, **changes: Any) -> None:
        """A scan of a patient of its own with a normal report."""
        self.scan(f"s{number}", f"p{number}", f"r{number}", **changes)
        self.report(f"r{number}", f"p{number}")
        self.label(f"r{number}")

    def arguments(self, settings: str = '{"selection": {"held_out_share": 0}}', **more: Path) -> list[object]:
        _write(self.folder / "scans.csv", ("scan", "patient", "date", "report", "path", "series"), self.scans)
        _write(self.folder / "reports.csv", ("report", "patient", "date", "text"), self.reports)
        header = ("report", "label", "class", "sentence", "rule")
        _write(self.folder / "labels.tsv", header, self.labels, "\t")
        names = {name: self.folder / f"{name}.tsv" for name in ("labels", "selection", "flow")}
        files = {"scans": self.folder / "scans.csv", "reports": self.folder / "reports.csv"} | names | more
        options = [part for name, path in files.items() for part in (f"--{name}", path)]
        return ["select-cohort", "--settings", settings, *options]

    def select(self, settings: str = '{"selection": {"held_out_share": 0}}', **more: Path) -> pd.DataFrame:
        """The selection, by scan."""
        run(*self.arguments(settings, **more))
        table = pd.read_csv(self.folder / "selection.tsv", sep="\t", dtype=str, keep_default_na=False)
        return table.set_index("scan")

    def fail(self, **more: Path) -> str:
        return error_of(*self.arguments(**more))

    def flow(self) -> pd.DataFrame:
        return pd.read_csv(self.folder / "flow.tsv", sep="\t").set_index("step")


def write_table(path: Path, header: str, *rows: str) -> Path:
    path.write_text("\n".join([header, *rows]) + "\n", encoding="utf-8")
    return path


def _write(path: Path, header: tuple[str, ...], rows: list[tuple[str, ...]], delimiter: str = ",") -> None:
    with path.open("w", encoding="utf-8", newline="") as file:
        writer = csv.writer(file, delimiter=delimiter)
        writer.writerow(header)
        writer.writerows(rows)


def an_empty_folder_to_review(root: Path) -> tuple[list[Any], Path]:
    """A selected scan whose folder is empty: the files that `review-sheet` is given, and the sheet among them."""
    hospital = Hospital(root)
    hospital.normal(0, path="p0-folder")
    (root / "p0-folder").mkdir()
    hospital.select()
    sheet = root / "review.html"
    return ["--scans", root / "scans.csv", "--selection", root / "selection.tsv", "--output", sheet], sheet
