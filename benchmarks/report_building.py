"""Seconds from finished scores to tables, figures, ranking and report, for the five MRI studies at their papers' size.

python benchmarks/report_building.py                        all methods, runs and test subjects of the papers
python benchmarks/report_building.py --subjects 20 --runs 1 --studies behrendt2023

Scores are random: every quantity that an evaluation writes, for every method of the study files, sweeps included. Maps
and arrays are small, and all subjects of a data set share one map. What is timed are the package's own functions, as
the rules tabulate, plot, rank and report call them, one after the other in this process; each reads its scores from
disk. Writing the scores is not timed. The reference is one pass of pandas over all of the same score tables.
"""

import argparse
import contextlib
import tempfile
import time
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from itertools import product
from pathlib import Path

import numpy as np
import pandas as pd
import yaml

from brainuad.evaluation.catalogue import MEAN, Scored, catalogue
from brainuad.evaluation.score_rows import SCORE_COLUMNS
from brainuad.evaluation.settings import EvaluationSettings
from brainuad.leaderboard.inputs import LEADERBOARD, Entrant, RankingInputs
from brainuad.leaderboard.plan import ranking_inputs
from brainuad.leaderboard.rank import rank_methods
from brainuad.plan import Plan
from brainuad.plan_reader import read_plan
from brainuad.preprocessing.split_settings import RoleCounts
from brainuad.report_plan import figure_entry, report_inputs, study_entry
from brainuad.reporting.figures.draw import write_figure
from brainuad.reporting.figures.style import Results
from brainuad.reporting.html import build_report
from brainuad.reporting.needed_scores import Needed, needed_by_figure, needed_by_table
from brainuad.reporting.settings import TableSettings
from brainuad.reporting.summary import read_scores
from brainuad.reporting.tables import build_table, write_tables
from brainuad.storage import write_json, write_table

REPOSITORY = Path(__file__).parents[1]
STUDIES = ("behrendt2023", "kascenas2023", "frotscher2023", "bercea2023-ra", "bercea2023-autoddpm")
AIM_SECONDS = 60
REFERENCE = "rows read by pandas"
RANKING = "entrants of the ranking"
COHORT = 200  # participants of a data set whose split is in shares
PIXELS, SLICES = 24, 3
FROM_SCORES = "bars class-bars trend noise-comparison dice-by-lesion-size precision-recall cost wall-clock"
AFFINE = np.diag([-2.0, -2.0, 2.0, 1.0]).tolist()


@dataclass(frozen=True)
class Work:
    """The studies, and at most so many subjects of each data set."""

    plan: Plan
    subjects: int
    seed: int = 0

    def tested(self, study: str, dataset: str, role: str = "test") -> list[str]:
        """Names of the subjects of a role; a data set has the same ones in all studies."""
        content = self.plan.studies[study]
        planted = content.synthetic.get(dataset)
        split = content.splits[planted.of if planted else dataset]
        parts: list[RoleCounts] = [split, *([split.patients] if split.patients and not planted else [])]
        shares = {"participants": 1, "share": COHORT}
        count = sum(getattr(part, role) * shares[part.unit] for part in parts)
        return [f"{dataset}-{n:04}" for n in range(min(int(count), self.subjects))]

    def scored(self) -> Iterator[tuple[str, str, str]]:
        """Study, method and data set of every evaluation of the studies."""
        for study in self.plan.studies:
            for method in self.plan.studies[study].methods:
                yield from ((study, method, name) for name in self.plan.method_datasets(study, method))


def score_rows(scored: Scored, subjects: Sequence[str]) -> pd.DataFrame:
    """Every row that an evaluation of these subjects would write, without values."""
    keys = ["subject", "protocol", "metric", "stratum"]
    rows = []
    for entry in catalogue(scored):
        strata = sorted(entry.strata.known)
        rows += [
            (aggregate, protocol, entry.metric, stratum)
            for aggregate, protocol, stratum in product(entry.aggregates, entry.protocols, strata)
        ]
        if MEAN in entry.aggregates and "" in strata:
            rows += [
                (subject, protocol, entry.metric, "")
                for protocol, subject in product(entry.protocols, subjects)
            ]
    return pd.DataFrame(rows, columns=keys).drop_duplicates(ignore_index=True)


def write_values(rows: pd.DataFrame, labels: dict[str, str | int], seed: int, path: Path) -> None:
    """Writes one score table with random values; no threshold is from elsewhere, and every group has subjects."""
    generator = np.random.default_rng([seed, sum(map(ord, path.as_posix()))])
    quality = generator.uniform(0.3, 0.7)
    values = generator.beta(10 * quality, 10 * (1 - quality), len(rows))
    values[rows["metric"].str.startswith("threshold_").to_numpy()] = 0
    values[rows["metric"].str.startswith("subjects").to_numpy()] = 10
    table = rows.assign(**labels, value=values, threshold=0.1)
    write_table(table[SCORE_COLUMNS], path)


def write_scores(work: Work) -> None:
    """The score tables of all studies, and beside them curves, seconds, and maps with their manifests."""
    for study, method, dataset in work.scored():
        entry, content = study_entry(work.plan, study), work.plan.studies[study]
        request = work.plan.evaluation_request(study, method)["evaluation"]
        settings = EvaluationSettings.model_validate(request)
        kept = tuple(p for p in settings.protocols if p not in settings.leaking_protocols)
        healthy = "" if content.healthy_dataset in (None, dataset) else str(content.healthy_dataset)
        planted = content.synthetic[dataset].kind if dataset in content.synthetic else ""
        scored = Scored(settings, kept, healthy, planted, content.similarity.lpips != "none")
        subjects = work.tested(study, dataset, settings.role)
        rows = score_rows(scored, subjects)
        for run in range(entry.runs):
            labels: dict[str, str | int] = {"study": study, "method": method, "run": run, "dataset": dataset}
            write_values(rows, labels, work.seed, entry.scores(method, run, dataset))
            recall = np.linspace(0, 1, settings.curve_points)
            curve = pd.DataFrame({"threshold": 1 - recall, "precision": 1 - recall / 2, "recall": recall})
            write_table(curve, entry.curve(method, run, dataset))
            seconds = pd.DataFrame({"subject": subjects, "seconds": 1.0, "seconds_postprocessing": 0.1})
            write_table(seconds.assign(seconds_total=1.1), entry.seconds(method, run, dataset))
            if content.methods[method].maps_of is None:
                write_maps(entry.manifest(method, run, dataset), subjects, settings.role)


def write_maps(manifest: Path, subjects: Sequence[str], role: str) -> None:
    """One small map, and a manifest by which it is that of every subject."""
    manifest.with_suffix("").mkdir(parents=True, exist_ok=True)
    scores = np.random.default_rng(0).exponential(10, (PIXELS, PIXELS, SLICES))
    np.save(manifest.with_suffix("") / "map.npy", scores.astype(np.float16))
    table = {"subject": subjects, "role": role, "status": "ok", "reason": "", "scale_exponent": 8}
    table |= {"image_score": 0.1, "seconds": 1.0, "map": "map.npy", "pseudo_healthy": ""}
    write_table(pd.DataFrame(table), manifest)


def write_arrays(folder: Path, subjects: Sequence[str], channels: Sequence[str]) -> None:
    """Small packed arrays, with a lesion in each subject."""
    folder.mkdir(parents=True, exist_ok=True)
    axis = np.linspace(-1, 1, PIXELS)
    brain = np.tile(np.hypot(*np.meshgrid(axis, axis)) < 0.8, (SLICES * len(subjects), 1, 1))
    lesion = brain & (np.abs(axis) < 0.2) & (np.abs(axis[:, None]) < 0.2)
    images = np.repeat((0.5 * brain)[:, None], len(channels), axis=1).astype(np.float16)
    for name, array in (("images", images), ("clean", images), ("equalised", images[:, 0])):
        np.save(folder / f"{name}.npy", array)
    np.save(folder / "brain.npy", brain)
    np.save(folder / "lesion.npy", lesion)
    index = {"subject": subjects, "participant": subjects, "group": "patient", "status": "ok", "reason": ""}
    index |= {"age": [str(20 + n % 60) for n in range(len(subjects))], "sex": "F", "site": ""}
    index |= {"first_slice": SLICES * np.arange(len(subjects)), "slices": SLICES}
    voxels = SLICES * int(lesion[0].sum()) if len(subjects) else 0
    write_table(pd.DataFrame({**index, "lesion_voxels": voxels}), folder / "index.tsv")
    write_json(dict.fromkeys(subjects, AFFINE), folder / "geometry.json")
    recipe = {"name": folder.name, "settings": {}, "channels": list(channels), "size": [PIXELS, PIXELS]}
    write_json(recipe | {"spacing_mm": [2, 2, 2]}, folder / "recipe.json")


def write_data(work: Work) -> None:
    """Arrays, splits and costs of all studies."""
    for study, content in work.plan.studies.items():
        entry = study_entry(work.plan, study)
        datasets = dict.fromkeys([*content.splits, *content.synthetic])
        for dataset in datasets:
            channels = work.plan.recipes[content.recipe_of(dataset)].modalities
            subjects = work.tested(study, dataset) or work.tested(study, dataset, "train")
            write_arrays(work.plan.arrays(study, dataset), subjects, channels)
        rows = [(d, s, s, "test") for d in datasets for s in work.tested(study, d)]
        split = pd.DataFrame(rows, columns=["dataset", "subject", "participant", "role"])
        for run in range(entry.runs):
            write_table(split, entry.folder / "splits" / f"run-{run}.tsv")
            for model in content.models:
                cost = {"training_hours": 1.0, "peak_memory_mb": 1000.0, "parameters": 1, "iterations": 1}
                write_json({**cost, "device": "cpu"}, entry.cost(model, run))


def write_common_scores(work: Work, entrants: Iterable[Entrant]) -> None:
    """The scores of all entrants under the common protocol."""
    settings = work.plan.config.leaderboard.evaluation(0.008)  # ml, the voxel of the arrays
    for entrant in entrants:
        rows = score_rows(Scored(settings, settings.protocols), work.tested(entrant.study, entrant.dataset))
        labels = {"study": entrant.study, "method": entrant.method, "dataset": entrant.dataset}
        for run in range(entrant.runs):
            write_values(rows, {**labels, "run": run}, work.seed, entrant.scores(run))
            if not entrant.manifest(run).exists():
                write_maps(entrant.manifest(run), work.tested(entrant.study, entrant.dataset), "test")


def read_needed(work: Work, study: str, needed: Needed) -> pd.DataFrame:
    """The scores that one table or figure reads."""
    entry = study_entry(work.plan, study)
    keys = product(sorted(needed.methods), work.plan.runs(study), sorted(needed.datasets))
    return read_scores(entry.scores(*key) for key in keys)


def make_tables(work: Work) -> int:
    """Builds and writes every table of scores; how many there are."""
    count = 0
    for study, content in work.plan.studies.items():
        for name, settings in content.tables.items():
            if isinstance(settings, TableSettings):
                scores = read_needed(work, study, needed_by_table(settings))
                remarks = work.plan.table_remarks(study, name)
                table = build_table(settings, scores, (), remarks, list(content.methods))
                write_tables(settings, table, Path("results") / study / "tables", name)
                count += 1
    return count


def make_figures(work: Work) -> int:
    """Draws and writes every figure that shows scores; how many there are."""
    count = 0
    for study, content in work.plan.studies.items():
        for name, settings in content.figures.items():
            if settings.kind in FROM_SCORES.split():
                scores = read_needed(work, study, needed_by_figure(settings))
                results = Results(figure_entry(work.plan, study, name), scores)
                write_figure(settings, results, Path("results") / study / "figures", name)
                count += 1
    return count


def make_ranking(work: Work, inputs: RankingInputs) -> int:
    """Ranks all methods under the common protocol; how many entrants there are."""
    rank_methods(inputs, work.plan.config.leaderboard, work.seed).write(LEADERBOARD)
    return len(inputs.entrants)


def make_report(work: Work) -> int:
    """Builds the HTML report; how many pages it has."""
    index = build_report(report_inputs(work.plan), Path("results/report"))
    return len(list(index.parent.rglob("*.html")))


def read_with_pandas() -> int:
    """Reads every score table once with pandas; how many rows they have."""
    found = Path("results").glob("*/scores/**/*.tsv")
    paths = [path for path in found if not path.stem.endswith(("_curve", "_seconds"))]
    return sum(len(pd.read_csv(path, sep="\t")) for path in paths)


def read_studies(studies: Sequence[str], runs: int | None) -> Plan:
    """The plan of studies at paper scale; with `runs`, so many of each."""
    config = yaml.safe_load((REPOSITORY / "config.yaml").read_text())
    plan = read_plan({**config, "studies": list(studies), "scale": "paper"}, REPOSITORY / "workflow")
    if runs is None:
        return plan
    fewer = {
        name: study.model_copy(update={"runs": study.runs.model_copy(update={"count": runs})})
        for name, study in plan.studies.items()
    }
    return Plan(plan.config, fewer, plan.recipes)


def measure(work: Work) -> dict[str, tuple[int, float]]:
    """How many of each kind were made, and the seconds; in the working directory."""
    inputs = ranking_inputs(work.plan)
    write_data(work)
    write_scores(work)
    write_common_scores(work, inputs.entrants)
    parts: dict[str, Callable[[], int]] = {
        "tables": lambda: make_tables(work),
        "figures": lambda: make_figures(work),
        RANKING: lambda: make_ranking(work, inputs),
        "pages of the report": lambda: make_report(work),
        REFERENCE: read_with_pandas,
    }
    found = {}
    for name, part in parts.items():
        started = time.perf_counter()
        count = part()
        found[name] = (count, time.perf_counter() - started)
    return found


def main() -> None:
    """Prints the seconds of each part, of all together, and their ratio to the reference."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--studies", nargs="+", default=STUDIES)
    parser.add_argument("--subjects", type=int, default=10_000, help="at most so many of a data set")
    parser.add_argument("--runs", type=int, help="of each study, in place of the paper's number")
    options = parser.parse_args()
    work = Work(read_studies(options.studies, options.runs), options.subjects)
    with tempfile.TemporaryDirectory() as folder, contextlib.chdir(folder):
        found = measure(work)
    for name, (count, seconds) in found.items():
        print(f"{count:9d} {name:24} {seconds:8.1f} s")
    _, reference = found.pop(REFERENCE)
    _, ranking = found.pop(RANKING)
    total = sum(seconds for _, seconds in found.values())
    print(f"tables, figures and report: {total:.1f} s (aim: {AIM_SECONDS} s), ratio {total / reference:.1f}")
    print(f"with the ranking: {total + ranking:.1f} s, ratio {(total + ranking) / reference:.1f}")


if __name__ == "__main__":
    main()
