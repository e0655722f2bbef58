"""Reports labelled by the rules per second, per second of processor time, and the memory that it takes, at two sizes.

python benchmarks/report_speed.py                      20,000 phantom reports, and a tenth of them, by 2 processes
python benchmarks/report_speed.py --reports 4000 --processes 1

Each size runs in processes of its own, start of Python and spaCy included; the difference of both is without it. Memory
is the peak of the process that reads and writes, and the largest peak of those that label; both stay the same if memory
does not grow with the export. Each report ends with a name, a number and a misspelling that no other has, as real ones
do.
"""

import argparse
import csv
import multiprocessing
import random
import resource
import tempfile
import time
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass
from itertools import count, islice
from pathlib import Path
from string import ascii_lowercase

from brainuad.curation.label_reports import label_reports
from brainuad.curation.settings import LabellingSettings
from brainuad.phantom.hospital import COLUMNS, patient_records
from brainuad.phantom.patients import draw_patient
from brainuad.phantom.reports.facts import Rates

SMALLER = 10  # the first size is so many times smaller
AIM = 500  # reports a second with 2 processes
MIB_PER_KIB = 1 / 1024


@dataclass(frozen=True)
class Cost:
    """Seconds of the clock and of all processors, and peaks in MiB of the main process and of the largest worker."""

    reports: int
    seconds: float
    processor_seconds: float
    main_mib: float
    worker_mib: float


def write_reports(path: Path, number: int, seed: int) -> None:
    """Writes the first reports of a phantom hospital, a patient at a time."""
    rows = (row for n in count(1) for row in patient_records(draw_patient(n, seed), seed, Rates()).reports)
    with path.open("w", encoding="utf-8", newline="") as file:
        writer = csv.writer(file)
        writer.writerow(COLUMNS["reports"])
        for place, (*others, text) in enumerate(islice(rows, number)):
            writer.writerow((*others, f"{text} {_words_of_its_own(seed, place)}"))


def _words_of_its_own(seed: int, place: int) -> str:
    """A sentence with a name, a number and a misspelling that no other report has."""
    drawn = random.Random(f"{seed}-{place}")
    name, misspelled = ("".join(drawn.choices(ascii_lowercase, k=9)) for _ in range(2))
    return f"Reported by Dr {name.capitalize()}, number {drawn.randrange(10**9)}, {misspelled}."


def cost_of(reports: Path, processes: int) -> Cost:
    """What labelling a file costs; to be called once in a fresh process, whose peaks these are."""
    started = time.perf_counter()
    statuses = label_reports(reports, reports.with_suffix(".tsv"), LabellingSettings(), processes)
    seconds = time.perf_counter() - started
    own, others = (resource.getrusage(who) for who in (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN))
    return Cost(
        statuses.total(),
        seconds,
        sum(usage.ru_utime + usage.ru_stime for usage in (own, others)),
        own.ru_maxrss * MIB_PER_KIB,
        others.ru_maxrss * MIB_PER_KIB,
    )


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--reports", type=int, default=20_000)
    parser.add_argument("--processes", type=int, default=2)
    parser.add_argument("--seed", type=int, default=0)
    chosen = parser.parse_args()
    costs = []
    with tempfile.TemporaryDirectory() as folder:
        for number in (max(chosen.reports // SMALLER, 1), chosen.reports):
            path = Path(folder) / f"{number}.csv"
            write_reports(path, number, chosen.seed)
            with ProcessPoolExecutor(1, multiprocessing.get_context("spawn")) as fresh:
                costs.append(fresh.submit(cost_of, path, chosen.processes).result())
    print(f"rule labeller, {chosen.processes} processes (aim with 2: {AIM} reports a second)")
    print("reports  seconds  reports/s  reports/s of processor  main MiB  largest worker MiB")
    for cost in costs:
        print(
            f"{cost.reports:7d} {cost.seconds:8.1f} {cost.reports / cost.seconds:10.0f}"
            f" {cost.reports / cost.processor_seconds:23.0f} {cost.main_mib:9.0f} {cost.worker_mib:19.0f}"
        )
    more, further = (
        costs[1].reports - costs[0].reports,
        costs[1].processor_seconds - costs[0].processor_seconds,
    )
    if further > 0:
        print(
            f"the {more} reports between the two sizes, without the start: {more / further:.0f} reports/s of processor"
        )
    small, large = ((cost.main_mib, cost.worker_mib) for cost in costs)
    grown = [f"{after / before:.2f}" for before, after in zip(small, large, strict=True) if before]
    print(
        f"peak memory at {costs[-1].reports / costs[0].reports:.0f} times the reports: {' and '.join(grown)} times"
    )


if __name__ == "__main__":
    main()
