"""From an export of reports to a table of what each says about the labels, in constant memory.

The table holds sentences of reports, so nobody but its owner may read it, and nothing of it goes into a log.
"""

import csv
import logging
import multiprocessing
import os
import sys
import traceback
from collections import Counter, deque
from collections.abc import Iterator, Sequence
from concurrent.futures import Future, ProcessPoolExecutor
from contextlib import contextmanager
from functools import lru_cache
from pathlib import Path
from typing import Any, NoReturn

from tqdm import tqdm

from brainuad.curation.english import is_english
from brainuad.curation.labels import FAILED, Decision, Labeller
from brainuad.curation.private import OWNER_ONLY
from brainuad.curation.reports import Report, read_reports
from brainuad.curation.selection_inputs import is_empty
from brainuad.curation.settings import LabellingSettings
from brainuad.errors import InputError
from brainuad.storage import atomic_path

log = logging.getLogger(__name__)

COLUMNS = ("report", "label", "class", "sentence", "rule", "status")
LABELLED, EMPTY, NOT_ENGLISH = "labelled", "empty", "not English"
# Reports that are read at a time: a network is faster with more of them, and rules are shared out between processes.
AT_ONCE = {"rules": 250, "learned": 1000}

# What is shown of the progress where there is no terminal, and how often.
LINE = "{desc}: {n_fmt} of {total_fmt}, {rate_fmt}, {remaining} left\n"
LINE_EVERY_S = 10

Row = tuple[str, str, str, str, str, str]
# What a defect of the rules raises on an odd report, and the share of reports from which on the job stops.
DEFECTS = (AssertionError, AttributeError, LookupError, StopIteration, TypeError, ValueError)
MOST_FAILED = 0.01


def status_of(text: str) -> str:
    """Whether a report can be labelled; one that is empty or not English cannot."""
    if is_empty(text):
        return EMPTY
    return LABELLED if is_english(text) else NOT_ENGLISH


def build_labeller(settings: LabellingSettings) -> Labeller:
    """The labeller that the settings choose."""
    if settings.labeller == "learned":
        from brainuad.curation.learned_labeller import LearnedLabeller

        assert settings.model is not None  # checked by the settings
        return LearnedLabeller.load(settings.model)
    from brainuad.curation.rule_labeller import RuleLabeller

    return RuleLabeller(settings.rules)


def rows_of(reports: Sequence[Report], labeller: Labeller) -> list[list[Row]]:
    """The rows of each report in the table: one for each decision, or one without a label if there is none."""
    statuses = [status_of(report.text) for report in reports]
    readable = [report.text for report, status in zip(reports, statuses, strict=True) if status == LABELLED]
    decisions = iter(_decisions(readable, labeller))
    return [
        _rows_of_one(report.report, status, next(decisions) if status == LABELLED else [])
        for report, status in zip(reports, statuses, strict=True)
    ]


def _decisions(texts: Sequence[str], labeller: Labeller) -> list[list[Decision] | str]:
    """The decisions on each report, or the defect of the rules that kept them from being made."""
    from brainuad.curation.rule_labeller import RuleLabeller

    if not isinstance(labeller, RuleLabeller):
        return list(labeller.label_all(texts))
    found: list[list[Decision] | str] = []
    for text in texts:
        try:
            found.append(labeller.label(text))
        except DEFECTS as error:  # its message may hold words of the report
            place = traceback.extract_tb(error.__traceback__)[-1]
            found.append(f"{type(error).__name__} at {Path(place.filename).name}:{place.lineno}")
    return found


def _rows_of_one(name: str, status: str, decisions: Sequence[Decision] | str) -> list[Row]:
    if isinstance(decisions, str):
        return [(name, "", "", "", decisions, FAILED)]
    rows: list[Row] = [
        (name, each.label, each.certainty, " ".join(each.sentence.split()), each.rule, status)
        for each in decisions
        if each.certainty != "not mentioned"
    ]
    return rows or [(name, "", "", "", "", status)]


def label_reports(
    reports_csv: Path, output_tsv: Path, settings: LabellingSettings, workers: int = 1
) -> Counter[str]:
    """Writes the labels of all reports in their order; how many reports have each status.

    The whole file is read once before the first report is labelled, so that a broken row is found at once.
    `workers` are processes of the rule labeller; a learned one has its threads instead.
    """
    counts: Counter[str] = Counter()
    with label_file(output_tsv) as writer:
        for part in labelled_parts(reports_csv, settings, workers):
            for rows in part:
                writer.writerows(rows)
                counts[rows[0][-1]] += 1
    numbers = [counts[status] for status in (LABELLED, EMPTY, NOT_ENGLISH)]
    log.info("%d reports: %d labelled, %d empty, %d not English", counts.total(), *numbers)
    return counts


@contextmanager
def label_file(path: Path) -> Iterator[Any]:
    """A CSV writer for a table of labels, its header written; the file is for its owner alone."""
    with atomic_path(path) as temporary:
        handle = os.open(temporary, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, OWNER_ONLY)
        with os.fdopen(handle, "w", encoding="utf-8", newline="") as file:
            writer = csv.writer(file, delimiter="\t", lineterminator="\n")
            writer.writerow(COLUMNS)
            yield writer


def labelled_parts(
    reports_csv: Path, settings: LabellingSettings, workers: int = 1
) -> Iterator[list[list[Row]]]:
    """The rows of all reports, part by part in their order, under a progress bar.

    If the rules failed on more than one report and more than `MOST_FAILED` of them, that is an `InputError`.
    """
    failed: list[str] = []
    total = sum(map(len, read_reports(reports_csv)))
    parts = read_reports(reports_csv, AT_ONCE[settings.labeller])
    processes = 1 if settings.labeller == "learned" else workers
    with _progress(total) as bar:
        for part in _in_processes(parts, settings, processes):
            failed += [row[4] for rows in part for row in rows if row[5] == FAILED]
            yield part
            bar.update(len(part))
    if failed:
        text = (
            f"The rules failed on {len(failed)} of {total} reports ({failed[0]}): a defect; please report it."
        )
        if len(failed) > max(1, MOST_FAILED * total):
            raise InputError(f"{reports_csv}: {text} Until then, label them elsewhere (`labeller: table`).")
        log.warning("%s Their scans leave as reports without labels.", text)


def _progress(total: int) -> "tqdm[NoReturn]":
    """A bar on a terminal; else, as in a log or below Snakemake, a short line now and then."""
    if sys.stderr.isatty():
        return tqdm(total=total, desc="label reports", unit="report", ncols=90, mininterval=0.5)
    return tqdm(total=total, desc="label reports", unit=" reports", bar_format=LINE, mininterval=LINE_EVERY_S)


def _in_processes(
    parts: Iterator[list[Report]], settings: LabellingSettings, processes: int
) -> Iterator[list[list[Row]]]:
    """The rows of each part in order; no more than a few parts are in memory at a time."""
    if processes <= 1:
        yield from (_label_part(part, settings) for part in parts)
        return
    context = multiprocessing.get_context("spawn")
    waiting: deque[Future[list[list[Row]]]] = deque()
    with ProcessPoolExecutor(processes, context) as pool:
        try:
            for part in parts:
                waiting.append(pool.submit(_label_part, part, settings))
                if len(waiting) > 2 * processes:
                    yield waiting.popleft().result()
            while waiting:
                yield waiting.popleft().result()
        finally:
            for future in waiting:
                future.cancel()


def _label_part(part: list[Report], settings: LabellingSettings) -> list[list[Row]]:
    return rows_of(part, _labeller(settings.model_dump_json()))


@lru_cache(maxsize=1)
def _labeller(settings: str) -> Labeller:
    """One labeller for each process."""
    return build_labeller(LabellingSettings.model_validate_json(settings))
